//! What is wrong with an expression: where in it, in whose words, and what would be right.

use std::borrow::Cow;
use std::fmt;

use crate::config::{ConfigErrors, Severity};

/// A problem that was found when an expression was read, before any item came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the expression is refused, or only hardly means what it says.
    pub severity: Severity,
    /// Where in the text it begins, in bytes from zero.
    pub at: usize,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

impl Problem {
    /// An error at a place of the text.
    pub fn new(at: usize, wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { severity: Severity::Error, at, wrong: wrong.into(), right: right.into() }
    }

    /// A warning at a place of the text.
    pub fn warning(at: usize, wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, at, wrong: wrong.into(), right: right.into() }
    }
}

/// All problems of one text. [`Problems::tell`] puts them into the errors of a configuration, with the place inside of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    text: String,
    list: Vec<Problem>,
}

impl Problems {
    /// Those of `text`.
    pub fn new(text: &str, list: Vec<Problem>) -> Self {
        Self { text: text.to_owned(), list }
    }

    /// In the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// True when the text is refused.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Adds them to the errors of a configuration, at the key that is being checked: the file's line and column become those inside of the text.
    pub fn tell(&self, errors: &mut ConfigErrors) {
        for problem in &self.list {
            errors.inside(problem.severity, problem.at, &problem.wrong, &problem.right);
        }
    }
}

/// One line per problem, with the character it begins at, counted from one.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.list.iter().enumerate() {
            let at = self.text.get(..problem.at).map_or(0, |before| before.chars().count()) + 1;
            let end = if number + 1 < self.list.len() { "\n" } else { "" };
            write!(f, "{}: character {at}: {}; {}{end}", problem.severity, problem.wrong, problem.right)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Why an expression has no value for an item. What becomes of it is said by [`ErrorMode`](super::ErrorMode).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A value is of a type that cannot be worked with.
    #[error("expected {wanted}, got {got}")]
    Expected {
        /// What can.
        wanted: &'static str,
        /// What came.
        got: &'static str,
    },
    /// Whatever else a function has against a value.
    #[error("{0}")]
    Because(Cow<'static, str>),
}

impl EvalError {
    /// With a reason in words: lower case, no full stop, nothing of the payload.
    pub fn because(reason: impl Into<Cow<'static, str>>) -> Self {
        EvalError::Because(reason.into())
    }
}

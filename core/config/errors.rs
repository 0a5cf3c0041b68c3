//! What is wrong with a configuration: every problem at once, each with its place, its path, and what would be right.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::node::Node;
use super::path::{Path, Place, Step};

/// Whether a problem stops the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It works, but hardly as it was meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// One problem, shown as a message that a stranger can act on:
///
/// ```text
/// gateway.yaml:4:12: error: processors.keep_share.share: "ten" is no percentage
///     write 10% or 10
/// ```
///
/// The line itself is not shown: it may hold a password, and what a gateway says at its start is shipped to where logs are read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{severity}: {}{wrong}{}", prefix(.place.as_ref()), prefix(Some(.path).filter(|p| !p.is_root())), hint(.right))]
pub struct ConfigError {
    /// Whether it stops the gateway.
    pub severity: Severity,
    /// File, line and column, once known.
    pub place: Option<Place>,
    /// The path of the key.
    pub path: Path,
    /// What is wrong: `"ten" is no percentage`.
    pub wrong: String,
    /// What would be right: `write 10% or 10`. May be empty where nothing better can be said.
    pub right: String,
}

fn prefix(what: Option<&impl fmt::Display>) -> String {
    what.map(|what| format!("{what}: ")).unwrap_or_default()
}

fn hint(right: &str) -> String {
    if right.is_empty() { String::new() } else { format!("\n    {}", right.replace('\n', "\n    ")) }
}

/// Problems as they are gathered. Whoever checks a part adds to it and goes on, so that a user repairs a file in one round, not in ten.
///
/// ```
/// use tracetailor_core::config::ConfigErrors;
///
/// let mut errors = ConfigErrors::default();
/// errors.at("policies").index(2).error("threshold_ms", "0 keeps every trace", "give a threshold such as 500");
/// assert_eq!(
///     errors.to_string(),
///     "error: policies[2].threshold_ms: 0 keeps every trace\n    give a threshold such as 500\n"
/// );
/// ```
#[derive(Clone, Debug, Default)]
pub struct ConfigErrors {
    problems: Vec<ConfigError>,
    /// Where the checking is at: what is added is below this.
    here: Path,
}

impl ConfigErrors {
    /// Adds an error at a key of the block that is being checked.
    pub fn error(&mut self, key: &str, wrong: impl Into<String>, right: impl Into<String>) {
        let path = self.here.key(key);
        self.add(Severity::Error, path, wrong.into(), right.into());
    }

    /// Adds an error that concerns the block as a whole: a key that is missing, two that exclude each other.
    pub fn error_here(&mut self, wrong: impl Into<String>, right: impl Into<String>) {
        let path = self.here.clone();
        self.add(Severity::Error, path, wrong.into(), right.into());
    }

    /// Adds a warning at a key of the block that is being checked.
    pub fn warn(&mut self, key: &str, wrong: impl Into<String>, right: impl Into<String>) {
        let path = self.here.key(key);
        self.add(Severity::Warning, path, wrong.into(), right.into());
    }

    /// Adds a warning that concerns the block as a whole.
    pub fn warn_here(&mut self, wrong: impl Into<String>, right: impl Into<String>) {
        let path = self.here.clone();
        self.add(Severity::Warning, path, wrong.into(), right.into());
    }

    /// Adds a problem inside of the text that is being checked, `at` so many bytes from its beginning: line and column will be those of that place.
    pub fn inside(&mut self, severity: Severity, at: usize, wrong: impl Into<String>, right: impl Into<String>) {
        let path = self.here.then(Step::Inside(at));
        self.add(severity, path, wrong.into(), right.into());
    }

    fn add(&mut self, severity: Severity, path: Path, wrong: String, right: String) {
        self.problems.push(ConfigError { severity, place: None, path, wrong, right });
    }

    /// Adds a problem as it is.
    pub fn push(&mut self, problem: ConfigError) {
        self.problems.push(problem);
    }

    /// Adds all problems of another gathering.
    pub fn append(&mut self, other: ConfigErrors) {
        self.problems.extend(other.problems);
    }

    /// Steps into a key: until the scope ends, what is added is below it.
    pub fn at(&mut self, key: &str) -> Scope<'_> {
        self.below(Path::ROOT.key(key))
    }

    /// Steps down a whole path.
    pub fn below(&mut self, path: Path) -> Scope<'_> {
        let steps = path.steps().len();
        self.here = self.here.join(&path);
        Scope { errors: self, steps }
    }

    /// The path that is being checked.
    pub fn here(&self) -> &Path {
        &self.here
    }

    /// True when nothing was found, not even a warning.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// How many problems there are, warnings included.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// True when something stops the gateway.
    pub fn has_errors(&self) -> bool {
        self.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All problems in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.problems.iter()
    }

    /// Forgets the problems that `keep` says no to.
    pub fn retain(&mut self, keep: impl FnMut(&ConfigError) -> bool) {
        self.problems.retain(keep);
    }

    /// Looks up file, line and column of every problem that has none yet. `node` is what was written at `path`; a key that is not
    /// there gets the place of the block that lacks it.
    pub fn locate(&mut self, node: &Node, path: &Path) {
        for problem in self.problems.iter_mut().filter(|problem| problem.place.is_none()) {
            problem.place = problem.path.below(path).map(|rest| node.place_of(&rest));
        }
    }
}

impl IntoIterator for ConfigErrors {
    type Item = ConfigError;
    type IntoIter = std::vec::IntoIter<ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.problems.into_iter()
    }
}

/// Errors before warnings, each kind in the order of the files and lines; one that has no place comes first.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted: Vec<&ConfigError> = self.problems.iter().collect();
        sorted.sort_by_key(|problem| (problem.severity, &problem.place));
        sorted.into_iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// A part of the configuration that is being checked: [`ConfigErrors`] with a longer path, until it is dropped.
pub struct Scope<'a> {
    errors: &'a mut ConfigErrors,
    steps: usize,
}

impl Scope<'_> {
    /// Steps into a key.
    #[must_use]
    pub fn at(self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    /// Steps to an element of the list.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    fn then(mut self, step: Step) -> Self {
        self.errors.here.push(step);
        self.steps += 1;
        self
    }
}

impl Deref for Scope<'_> {
    type Target = ConfigErrors;

    fn deref(&self) -> &ConfigErrors {
        self.errors
    }
}

impl DerefMut for Scope<'_> {
    fn deref_mut(&mut self) -> &mut ConfigErrors {
        self.errors
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        for _ in 0..self.steps {
            self.errors.here.pop();
        }
    }
}

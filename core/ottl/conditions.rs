//! Conditions as a processor has them: read from a configuration, asked for every item.

use std::fmt;

use serde::Deserialize;
use serde::de::Deserializer;

use super::check::{Checker, innermost};
use super::checked::Test;
use super::compile::{Memory, Program};
use super::eval::Look;
use super::parse;
use super::problem::{EvalError, Problems};
use super::reads::Reads;
use super::scene::Scene;
use super::table::{Contexts, Level};
use super::tree::Node;
use crate::config::{ConfigErrors, KeyError, one_of, quoted};

/// What becomes of an error that comes with an item: a text where a number is wanted, a key into what has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum ErrorMode {
    /// The batch is refused, and whoever sent it is told.
    Propagate,
    /// The condition does not hold, the statement is passed over; it is logged.
    #[default]
    Ignore,
    /// The same, and nothing is logged.
    Silent,
}

impl ErrorMode {
    const ALL: [(&'static str, ErrorMode); 3] =
        [("propagate", ErrorMode::Propagate), ("ignore", ErrorMode::Ignore), ("silent", ErrorMode::Silent)];
}

/// Case does not matter.
impl<'de> Deserialize<'de> for ErrorMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
        known.map(|(_, mode)| *mode).ok_or_else(|| {
            let words = one_of(Self::ALL.iter().map(|(word, _)| *word));
            KeyError::new(format!("there is no error mode {}", quoted(&text)), format!("write {words}")).into_serde()
        })
    }
}

impl fmt::Display for ErrorMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(_, mode)| mode == self).map_or("", |(word, _)| word))
    }
}

/// One condition, read and checked.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    level: Level,
    context: &'static str,
    tree: Node,
    test: Test,
    warnings: Problems,
}

impl Condition {
    /// Reads a condition. Paths that do not say their context are of `context`; where that is not given, it is the innermost one that a path says.
    pub fn parse(contexts: &Contexts, context: Option<&str>, text: &str) -> Result<Self, Problems> {
        let told = |problem| Problems::new(text, vec![problem]);
        let tree = parse::condition(text).map_err(told)?;
        let own = match context {
            Some(name) => contexts.level(name),
            None => innermost(contexts, &tree),
        };
        let mut checker = Checker { contexts, own, problems: Vec::new() };
        let test = checker.test(&tree);
        if own.is_none() && checker.problems.is_empty() {
            checker.error(0, "no path says what this is a condition on", "write span.name instead of name, or choose a context");
        }
        let problems = Problems::new(text, checker.problems);
        match (test, own) {
            (Some(test), Some(level)) if !problems.has_errors() => {
                let context = context.and_then(|name| contexts.table(name)).or_else(|| contexts.at(level)).map_or("", |table| table.name);
                Ok(Self { text: text.to_owned(), level, context, tree, test, warnings: problems })
            }
            _ => Err(problems),
        }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it is a condition on.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The name of its context: `span`.
    pub fn context(&self) -> &'static str {
        self.context
    }

    /// How it was understood.
    pub fn tree(&self) -> &Node {
        &self.tree
    }

    /// What it hardly means.
    pub fn warnings(&self) -> &Problems {
        &self.warnings
    }

    /// What it looks at.
    pub fn reads(&self) -> Reads {
        Reads::of(&self.test)
    }

    pub(super) fn into_test(self) -> Test {
        self.test
    }
}

/// Conditions of one context, asked together.
#[derive(Debug)]
pub struct Conditions {
    texts: Vec<String>,
    reads: Vec<Reads>,
    program: Program,
    memory: Memory,
    mode: ErrorMode,
    failures: Failures,
}

impl Conditions {
    /// Those that were read one by one.
    pub fn of(conditions: Vec<Condition>, mode: ErrorMode) -> Self {
        let texts: Vec<String> = conditions.iter().map(|condition| condition.text.clone()).collect();
        let reads = conditions.iter().map(Condition::reads).collect();
        let failures = Failures::of(texts.len());
        let program = Program::new(conditions.into_iter().map(|condition| condition.test).collect());
        Self { texts, reads, program, memory: Memory::default(), mode, failures }
    }

    /// Reads a list; the first text that is no condition refuses it.
    pub fn parse(contexts: &Contexts, context: Option<&str>, texts: &[impl AsRef<str>], mode: ErrorMode) -> Result<Self, Problems> {
        let conditions = texts.iter().map(|text| Condition::parse(contexts, context, text.as_ref()));
        conditions.collect::<Result<_, _>>().map(|conditions| Self::of(conditions, mode))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// True when there is none: then none holds.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// What each of them looks at.
    pub fn reads(&self) -> &[Reads] {
        &self.reads
    }

    /// Whether one of them holds. An error is that only under `propagate`; else the condition does not hold, and the error is counted.
    #[inline]
    pub fn any(&mut self, scene: &Scene<'_>) -> Result<bool, Failure> {
        let look = self.program.look(*scene, &mut self.memory);
        for (number, test) in self.program.tests.iter().enumerate() {
            if held(test, &look, number, self.mode, &mut self.failures)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Calls `tell` with the outcome of each of them, in order: all are asked, and the item is looked at once.
    #[inline]
    pub fn each(&mut self, scene: &Scene<'_>, mut tell: impl FnMut(usize, Result<bool, EvalError>)) {
        let look = self.program.look(*scene, &mut self.memory);
        for (number, test) in self.program.tests.iter().enumerate() {
            tell(number, test.holds(&look));
        }
    }

    /// The errors since this was asked last, under any mode but `propagate`: whoever has a log tells of them, now and then.
    pub fn take_failures(&mut self) -> Vec<(String, Failed)> {
        self.failures.take(&self.texts)
    }
}

#[inline]
fn held<'a>(test: &'a Test, look: &Look<'a>, number: usize, mode: ErrorMode, failures: &mut Failures) -> Result<bool, Failure> {
    match (test.holds(look), mode) {
        (Ok(holds), _) => Ok(holds),
        (Err(error), ErrorMode::Propagate) => Err(Failure { number, error }),
        (Err(error), _) => {
            failures.add(number, error);
            Ok(false)
        }
    }
}

/// An error under [`ErrorMode::Propagate`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// Which condition or statement, by its place in the list.
    pub number: usize,
    /// What went wrong.
    pub error: EvalError,
}

/// Errors of one condition or statement that stopped nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// How often.
    pub count: u64,
    /// The latest.
    pub error: EvalError,
}

/// The same of a list.
#[derive(Debug, Default)]
pub(super) struct Failures {
    list: Vec<Option<Failed>>,
    any: bool,
}

impl Failures {
    pub(super) fn of(count: usize) -> Self {
        Self { list: vec![None; count], any: false }
    }

    #[cold]
    pub(super) fn add(&mut self, number: usize, error: EvalError) {
        self.any = true;
        if let Some(entry) = self.list.get_mut(number) {
            let count = entry.as_ref().map_or(0, |failed| failed.count) + 1;
            *entry = Some(Failed { count, error });
        }
    }

    pub(super) fn take(&mut self, texts: &[String]) -> Vec<(String, Failed)> {
        if !std::mem::take(&mut self.any) {
            return Vec::new();
        }
        let taken = self.list.iter_mut().zip(texts);
        taken.filter_map(|(failed, text)| Some((text.clone(), failed.take()?))).collect()
    }
}

/// Reads a list of conditions at a key of the block that is being checked, and tells what is wrong with each, warnings too. `None` where one is refused.
///
/// A processor calls this from its [`Validate`](crate::config::Validate), so that `validate` says what the gateway would say, and again when it is built.
pub fn read_conditions(
    errors: &mut ConfigErrors,
    key: &str,
    contexts: &Contexts,
    context: Option<&str>,
    texts: &[impl AsRef<str>],
) -> Option<Vec<Condition>> {
    let mut read = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let mut here = errors.at(key).index(index);
        match Condition::parse(contexts, context, text.as_ref()) {
            Ok(condition) => {
                condition.warnings.tell(&mut here);
                read.push(Some(condition));
            }
            Err(problems) => {
                problems.tell(&mut here);
                read.push(None);
            }
        }
    }
    read.into_iter().collect()
}

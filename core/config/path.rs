//! Where something stands: its dotted path in the configuration, and the file, line and column it was written at.

use std::fmt;
use std::sync::Arc;

/// One step down from a block: into a key of it, or to an element of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A key of a block.
    Key(String),
    /// An element of a list, counted from zero.
    Index(usize),
    /// A place inside of a text, in bytes from zero: only ever the last step, and shown by line and column alone.
    Inside(usize),
}

/// A dotted path as messages show it: `processors.tail_sampling.policies[2].latency.threshold_ms`.
///
/// Kept as steps and not as text, because names have dots too (`attributes["http.route"]`) and because a path is followed back into the
/// tree to find the line it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    steps: Vec<Step>,
}

impl Path {
    /// The whole configuration.
    pub const ROOT: Path = Path { steps: Vec::new() };

    /// Reads a path of plain keys, `processors.keep_share`. A key that has a dot of its own is added with [`Path::key`].
    pub fn of(dotted: &str) -> Path {
        Path { steps: dotted.split('.').filter(|key| !key.is_empty()).map(|key| Step::Key(key.to_owned())).collect() }
    }

    /// This path and one more key.
    #[must_use]
    pub fn key(&self, key: &str) -> Path {
        self.then(Step::Key(key.to_owned()))
    }

    /// This path and an element of the list it leads to.
    #[must_use]
    pub fn index(&self, index: usize) -> Path {
        self.then(Step::Index(index))
    }

    /// This path and one more step.
    #[must_use]
    pub fn then(&self, step: Step) -> Path {
        let mut longer = self.clone();
        longer.steps.push(step);
        longer
    }

    /// This path and all of another one.
    #[must_use]
    pub fn join(&self, rest: &Path) -> Path {
        Path { steps: self.steps.iter().chain(&rest.steps).cloned().collect() }
    }

    /// The steps, from the root down.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// True for the whole configuration.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// The path of what this stands in; the root's is the root.
    #[must_use]
    pub fn parent(&self) -> Path {
        Path { steps: self.steps[..self.steps.len().saturating_sub(1)].to_vec() }
    }

    /// What is left of this path below `ancestor`; `None` where it does not lie below it.
    pub fn below(&self, ancestor: &Path) -> Option<Path> {
        self.steps.strip_prefix(ancestor.steps.as_slice()).map(|rest| Path { steps: rest.to_vec() })
    }

    /// True when one of the two leads to a part of what the other leads to.
    pub fn overlaps(&self, other: &Path) -> bool {
        self.steps.iter().zip(&other.steps).all(|(a, b)| a == b)
    }

    pub(super) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub(super) fn pop(&mut self) {
        self.steps.pop();
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.steps.iter().enumerate() {
            match step {
                Step::Inside(_) => {}
                Step::Index(index) => write!(f, "[{index}]")?,
                // Such a key would read as several, or as none.
                Step::Key(key) if key.is_empty() || key.contains(['.', '[', ']', '"', ' ']) => write!(f, "[{key:?}]")?,
                Step::Key(key) if depth == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// Where in which file something was written. Lines and columns count from one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it, or what stands in for one: `--set`, `${env:NAME}`.
    pub file: Arc<str>,
    /// The line; zero where there are no lines.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

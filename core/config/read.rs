//! Reading a block into its struct, with everything that is wrong with it told at once.

use serde::de::DeserializeOwned;

use super::errors::{ConfigError, ConfigErrors, Severity};
use super::fault::{Fault, FaultKind};
use super::node::{Node, Value};
use super::path::{Path, Step};
use super::reader::{Reader, Trail};
use super::validate::Validate;
use super::yaml;

/// Problems told of one block before it is given up: a file that has more is not the file that was meant.
const MOST_PROBLEMS: usize = 50;

/// Reads YAML text into a type. `file` is what messages call the text, `root` the path of what it holds: `processors.keep_share`.
///
/// ```
/// use serde::Deserialize;
/// use tracetailor_core::config::parse;
///
/// #[derive(Debug, Default, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct Config {
///     num_traces: u64,
/// }
///
/// let config: Config = parse("num_traces: 1e+06", "gateway.yaml", "processors.tail_sampling")?;
/// assert_eq!(config.num_traces, 1_000_000);
///
/// let errors = parse::<Config>("nun_traces: 5", "gateway.yaml", "processors.tail_sampling").unwrap_err();
/// assert_eq!(
///     errors.to_string(),
///     "gateway.yaml:1:1: error: processors.tail_sampling.nun_traces: there is no such key\n    write num_traces\n"
/// );
/// # Ok::<(), tracetailor_core::config::ConfigErrors>(())
/// ```
pub fn parse<T: DeserializeOwned>(yaml: &str, file: &str, root: &str) -> Result<T, ConfigErrors> {
    let node = yaml::load(yaml, file)?;
    let mut errors = ConfigErrors::default();
    match node.read(&Path::of(root), &mut errors) {
        Some(value) => Ok(value),
        None => Err(errors),
    }
}

impl Node {
    /// Reads this into a type. What is wrong is added to `errors`, all of it; then there is no value.
    ///
    /// Serde stops at the first problem. So what could not be read is cut out of a copy of the tree and the rest read again, until nothing
    /// is wrong any more.
    pub fn read<T: DeserializeOwned>(&self, path: &Path, errors: &mut ConfigErrors) -> Option<T> {
        let (value, cuts) = self.read_what_can_be(path, errors);
        value.filter(|_| cuts.is_empty())
    }

    /// Reads and validates. Also where something could not be read the rest is validated; what validation says of a part that lacks
    /// the unreadable is left out, since it would be about something that the user did not write.
    pub fn read_valid<T: DeserializeOwned + Validate>(&self, path: &Path, errors: &mut ConfigErrors) -> Option<T> {
        let (value, cuts) = self.read_what_can_be::<T>(path, errors);
        let value = value?;
        let mut found = ConfigErrors::default();
        value.validate(&mut found.below(path.clone()));
        found.retain(|problem| !cuts.iter().any(|cut| cut.overlaps(&problem.path)));
        found.locate(self, path);
        let valid = cuts.is_empty() && !found.has_errors();
        errors.append(found);
        valid.then_some(value)
    }

    fn read_what_can_be<T: DeserializeOwned>(&self, path: &Path, errors: &mut ConfigErrors) -> (Option<T>, Vec<Path>) {
        let mut rest = std::borrow::Cow::Borrowed(self);
        let mut cuts = Vec::new();
        loop {
            let fault = match T::deserialize(Reader { node: &rest, trail: &Trail::Root(path) }) {
                Ok(value) => return (Some(value), cuts),
                Err(fault) => fault.at(|| path.clone()),
            };
            let at = fault.path.clone().unwrap_or_default();
            let keeps_default = matches!(fault.kind, FaultKind::KeepDefault);
            if let Some(problem) = self.problem(fault, path, &cuts) {
                errors.push(problem);
            }
            if cuts.len() >= MOST_PROBLEMS || !cut_out(rest.to_mut(), at.below(path).unwrap_or_default()) {
                return (None, cuts);
            }
            if !keeps_default {
                cuts.push(whole(at));
            }
        }
    }

    /// What to tell of a fault; nothing where it only follows from an earlier one.
    fn problem(&self, fault: Fault, root: &Path, cuts: &[Path]) -> Option<ConfigError> {
        let path = fault.path.unwrap_or_default();
        if cuts.contains(&path) {
            return None;
        }
        let (wrong, right) = match fault.kind {
            FaultKind::Wrong { wrong, right } => (wrong, right),
            FaultKind::Unknown { key, right } if path.steps().last() == Some(&Step::Key(key.clone())) => {
                ("there is no such key".to_owned(), right)
            }
            // Read through a buffer of serde's, which does not say where it is.
            FaultKind::Unknown { key, right } => (format!("there is no key {key}"), right),
            FaultKind::Missing(key) if cuts.contains(&path.key(key)) => return None,
            FaultKind::Missing(key) => (format!("{key} is missing"), format!("add {key}")),
            FaultKind::KeepDefault if path != *root => return None,
            FaultKind::KeepDefault => ("is empty, not a list".to_owned(), "write a list: [a, b]".to_owned()),
        };
        let place = path.below(root).map(|rest| match self.value {
            Value::Cut => self.place.clone(),
            _ => self.place_of(&rest),
        });
        Some(ConfigError { severity: Severity::Error, place, path, wrong, right })
    }
}

/// Cuts a hole, or where there is one already, the block around it: that block cannot do without what is missing.
fn cut_out(node: &mut Node, mut hole: Path) -> bool {
    while !node.cut(&hole) {
        if hole.is_root() {
            return false;
        }
        hole = hole.parent();
    }
    true
}

/// A list that lost an element is another list: its later elements have moved, so nothing that is said of any of them would be true.
fn whole(cut: Path) -> Path {
    match cut.steps().last() {
        Some(Step::Index(_)) => cut.parent(),
        _ => cut,
    }
}

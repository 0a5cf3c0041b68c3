//! The Collector's feature gates: those that change something here, and a word about the others.

use tracetailor_core::config::{ConfigError, ConfigErrors, Path, Severity};

use super::nowhere;

/// What the gates that act here are set to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// `service.AllowNoPipelines`: a gateway without pipelines may start.
    pub allow_no_pipelines: bool,
}

impl Gates {
    pub(super) fn read(asked: &[String], problems: &mut ConfigErrors) -> Self {
        let mut gates = Self::default();
        for asked in asked.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|asked| !asked.is_empty()) {
            let (on, name) = match asked.strip_prefix('-') {
                Some(name) => (false, name),
                None => (true, asked.strip_prefix('+').unwrap_or(asked)),
            };
            match name {
                "service.AllowNoPipelines" => gates.allow_no_pipelines = on,
                _ => problems.push(ConfigError {
                    severity: Severity::Warning,
                    place: Some(nowhere("--feature-gates")),
                    path: Path::ROOT,
                    wrong: format!("there is no feature gate {name} here: it changes nothing"),
                    right: "remove it; service.AllowNoPipelines is the only one that acts".to_owned(),
                }),
            }
        }
        gates
    }
}

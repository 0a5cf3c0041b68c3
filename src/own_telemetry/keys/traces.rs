//! `service.telemetry.traces`: read, so that a team's file starts, and not used.

use serde::Deserialize;
use tracetailor_core::config::{ConfigErrors, Schema, Unused, Validate};

use super::metrics::Level;

/// Accepted and not used: the gateway does not trace itself.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// Accepted and not used.
    pub level: Option<Level>,
    /// Accepted and not used: headers of a request are passed on as they come.
    pub propagators: Unused,
    /// Accepted and not used.
    pub processors: Unused,
    /// Accepted and not used.
    pub sampler: Unused,
    /// Accepted and not used.
    pub limits: Unused,
}

impl Validate for Traces {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.level != Some(Level::None) {
            errors
                .warn_here("the gateway does not trace itself", "remove it; what takes how long is among the metrics, see docs/metrics.md");
        }
    }
}

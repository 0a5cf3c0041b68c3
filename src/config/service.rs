//! The `service:` block, apart from its pipelines and its list of extensions.

use serde::Deserialize;
use tracetailor_core::config::{ConfigErrors, Period, Schema, Validate};

use crate::own_telemetry::Telemetry;

/// What concerns the gateway as a whole.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// How many lanes work side by side, a thread each; 0 for as many as the machine, or its share of it, has processors.
    pub lanes: u32,
    /// How long a shutdown may take; what is not delivered by then is given up, counted.
    pub shutdown_timeout: Period,
    /// What the gateway says of itself.
    pub telemetry: Telemetry,
}

impl Default for Service {
    fn default() -> Self {
        Self { lanes: 0, shutdown_timeout: Period::seconds(30), telemetry: Telemetry::default() }
    }
}

impl Validate for Service {
    fn validate(&self, errors: &mut ConfigErrors) {
        errors.within("telemetry", &self.telemetry);
    }
}

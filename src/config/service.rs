//! The `service:` block: the gateway as a whole, the extensions it starts, the pipelines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
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
    /// Extensions to start, in this order.
    pub extensions: Vec<String>,
    /// Pipelines by their ids: `traces`, `logs` or `metrics`, with a name where there are several of one signal, as in `traces/edge`.
    pub pipelines: BTreeMap<String, Pipeline>,
    /// What the gateway says of itself.
    pub telemetry: Telemetry,
}

/// What telemetry of one signal comes from, what happens to it, where it goes. A connector stands among receivers or exporters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Pipeline {
    /// Ids of receivers, and of connectors that it begins with.
    pub receivers: Vec<String>,
    /// Ids of processors, in order.
    pub processors: Vec<String>,
    /// Ids of exporters, and of connectors that it ends in.
    pub exporters: Vec<String>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            lanes: 0,
            shutdown_timeout: Period::seconds(30),
            extensions: Vec::new(),
            pipelines: BTreeMap::new(),
            telemetry: Telemetry::default(),
        }
    }
}

impl Validate for Service {
    fn validate(&self, errors: &mut ConfigErrors) {
        errors.within("telemetry", &self.telemetry);
    }
}

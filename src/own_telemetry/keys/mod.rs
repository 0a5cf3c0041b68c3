//! The keys of `service.telemetry`, as the Collector has them.

mod logs;
mod metrics;
mod resource;
mod traces;
mod word;

use serde::Deserialize;
use tracetailor_core::config::{ConfigErrors, Schema, Validate};

pub use logs::{Encoding, LogLevel, Logs, Sampling};
pub use metrics::{Level, Metrics, Page, Prometheus, Pull, PullExporter, Reader};
pub use resource::Resource;
pub use traces::Traces;

/// What the gateway says of itself, and to whom.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// What it logs.
    pub logs: Logs,
    /// What it counts, and where that can be read.
    pub metrics: Metrics,
    /// What it calls itself: the labels of `target_info`, and `resource` in each line of a JSON log.
    pub resource: Resource,
    /// Accepted and not used: the gateway does not trace itself.
    pub traces: Option<Traces>,
}

impl Telemetry {
    /// Whether something here takes effect at the next start only. The log takes on another one at once.
    pub fn waits_for_a_start(&self, before: &Telemetry) -> bool {
        let served = |telemetry: &Telemetry| (telemetry.metrics.pages(), telemetry.metrics.level);
        served(self) != served(before) || self.resource.attributes() != before.resource.attributes()
    }
}

impl Validate for Telemetry {
    fn validate(&self, errors: &mut ConfigErrors) {
        errors.within("logs", &self.logs);
        errors.within("metrics", &self.metrics);
        errors.within("resource", &self.resource);
        errors.within("traces", &self.traces);
    }
}

#[cfg(test)]
mod tests;

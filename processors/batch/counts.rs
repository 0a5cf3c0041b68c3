//! What is counted of batches, under the Collector's names.

use tracetailor_core::component::{Counter, ProcessorContext};
use tracetailor_core::telemetry::Telemetry;

/// One lane's counters.
pub(super) struct Counts {
    enough: Counter,
    timeout: Counter,
}

impl Counts {
    pub(super) fn new(context: &ProcessorContext) -> Self {
        let id = context.id.to_string();
        let counter = |name: &str| context.counters.counter(&format!("otelcol_processor_batch_{name}"), &[("processor", &id)]);
        Self { enough: counter("batch_size_trigger_send"), timeout: counter("timeout_trigger_send") }
    }

    /// A batch left because there was enough of it.
    pub(super) fn enough(&self) {
        self.enough.add(1);
    }

    /// A batch left because its time was over.
    pub(super) fn timeout(&self) {
        self.timeout.add(1);
    }

    /// A batch left, whatever for.
    pub(super) fn sent(&self, _batch: &Telemetry) {}
}

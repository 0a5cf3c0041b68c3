//! What is counted of batches, under the Collector's names.

use tracetailor_core::component::{Counter, Histogram, ProcessorContext};
use tracetailor_core::telemetry::Telemetry;

/// One lane's counters.
pub(super) struct Counts {
    enough: Counter,
    timeout: Counter,
    sizes: Histogram,
    bytes: Histogram,
}

/// The Collector's buckets.
const SIZES: &[f64] = &[
    10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2000.0, 3000.0, 4000.0, 5000.0, 6000.0, 7000.0, 8000.0, 9000.0, 10000.0,
    20000.0, 30000.0, 50000.0, 100000.0,
];

/// The Collector's buckets for bytes.
const BYTES: &[f64] = &[
    10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2000.0, 3000.0, 4000.0, 5000.0, 6000.0, 7000.0, 8000.0, 9000.0, 10e3, 20e3,
    30e3, 50e3, 100e3, 200e3, 300e3, 400e3, 500e3, 600e3, 700e3, 800e3, 900e3, 1e6, 2e6, 3e6, 4e6, 5e6, 6e6, 7e6, 8e6, 9e6,
];

impl Counts {
    pub(super) fn new(context: &ProcessorContext) -> Self {
        let id = context.id.to_string();
        let labels = [("processor", id.as_str())];
        Self {
            enough: context.counters.counter("otelcol_processor_batch_batch_size_trigger_send", &labels),
            timeout: context.counters.counter("otelcol_processor_batch_timeout_trigger_send", &labels),
            sizes: context.counters.histogram("otelcol_processor_batch_batch_send_size", &labels, SIZES),
            bytes: context.counters.histogram("otelcol_processor_batch_batch_send_size_bytes", &labels, BYTES),
        }
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
    #[expect(clippy::cast_precision_loss, reason = "no batch has so many items")]
    pub(super) fn sent(&self, batch: &Telemetry) {
        self.sizes.record(batch.len() as f64);
        self.bytes.record(batch.size() as f64);
    }
}

//! Sending requests of OTLP, as every exporter that speaks it does: over gRPC and over HTTP, with the Collector's keys.
//!
//! The exporters `otlp_grpc` and `otlp_http` are this and nothing else; others put something before it, and fill the keys in themselves.

pub mod grpc;
pub mod http;
mod profile;
mod trace_sizes;

use tracetailor_core::component::{ExportError, Failing};
use tracetailor_core::telemetry::Telemetry;

/// What a batch will mostly come to: its items, and a little for what they share.
fn likely_size(batch: &Telemetry) -> usize {
    let items = batch.size();
    items + items / 8 + 4096
}

/// A destination with a limit of its own need not be asked.
fn refuse_larger(bytes: usize, most: usize) -> Result<(), ExportError> {
    if bytes <= most {
        return Ok(());
    }
    Err(ExportError::new(Failing::TooLarge, format!("the request has {bytes} bytes before compression, and {most} are taken")))
}

//! The exporters there are: one folder each, and the list of them.

pub mod otlp_grpc;
pub mod otlp_http;

use tracetailor_core::component::{Exporters, Registry};

/// Every exporter by name, and what the Collector has and we do not have yet.
pub const EXPORTERS: Registry<Exporters> = Registry::new(&[otlp_grpc::FACTORY, otlp_http::FACTORY], &[]);

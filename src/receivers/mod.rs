//! The receivers there are: one folder each, and the list of them.

pub mod otlp;

use tracetailor_core::component::{Receivers, Registry};

/// Every receiver by name, and what the Collector has and we do not have yet.
pub const RECEIVERS: Registry<Receivers> = Registry::new(&[otlp::FACTORY], &[]);

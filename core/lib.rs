//! The words that every part of Tracetailor shares: telemetry as bytes, the ledger, the trace store, the contracts of components.

pub mod component;
pub mod config;
pub mod ledger;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod trace_store;

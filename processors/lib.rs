//! The processors of Tracetailor: what happens to telemetry between a receiver and an exporter, one folder each.
//!
//! This page is the list, and nothing else: one `pub mod` line per folder, sorted. There is no processor yet. `README.md` beside it says
//! what a processor is, which order makes sense in a pipeline, and how to add one; `tests/architecture.rs` of the gateway compares the
//! list with the folders.

//! What the gateway says of itself: its log, its metrics, and the names of both in one place.
//!
//! Nothing is measured here. Components count in their [counters](tracetailor_core::component::Counters), the
//! [books](tracetailor_core::ledger::Books) know what became of every item, the system knows the process; whoever asks for the page of
//! metrics has it gathered from there. docs/decisions/0017-metrics-written-by-hand.md says why that is a page of ours and not a library.

mod identity;
pub mod keys;
mod log;
pub mod metrics;
pub mod names;
mod reloads;
mod server;

pub use keys::Telemetry;
pub use log::{LogError, LogHandle, OutputError, init_log};
pub use metrics::Sources;
pub use reloads::Reloads;
pub use server::{Pages, ServeError, open, serve};

#[cfg(test)]
mod tests;

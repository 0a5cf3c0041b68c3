//! The words that every part of Tracetailor shares: telemetry as bytes, the ledger, the trace store, the contracts of components.
//!
//! A library without sockets or threads of its own. It reads as a book; in this order:
//!
//! 1. [`telemetry`]: what travels. Items as the bytes they came in, contexts that they share, paths, edits, batches.
//! 2. [`ledger`]: what becomes of it. Every item accepted ends exactly once, and the books show where.
//! 3. [`component`]: who handles it. The contracts of receivers, processors, exporters, connectors and extensions, one page each.
//! 4. [`trace_store`]: where it waits. Whole traces held in bytes, and the stages that decide about them.
//! 5. [`config`]: what a user says. Keys, their types, and errors that a stranger can act on.
//! 6. [`selection`] and [`attributes`]: which items several processors mean, and what they do to attributes, in the same words.
//! 7. [`probability`]: consistent sampling, the numbers that travel with a trace.
//! 8. [`time`]: the clock, which a test turns by hand.
//!
//! A whole processor on one page, with its README, its story and its clock turned by hand, is the worked example in `core/tests/hold_back`.
//!
//! With the feature `testing` there is a ninth chapter, what tests are written with.
//!
//! Three promises run through all of it. *The books balance*: nothing is lost without a name. *A span is bytes until somebody must read it.* *Every
//! decision can be explained.*

pub mod attributes;
pub mod component;
pub mod config;
pub mod ledger;
pub mod ottl;
pub mod probability;
pub mod selection;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod trace_store;
mod utc;

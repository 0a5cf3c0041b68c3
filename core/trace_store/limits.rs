//! What a user bounds a store by.

use std::time::Duration;

use super::budget::Budget;
use super::memory::Remember;

/// How much a store may hold, and for how long. Budgets hold for all lanes together: each lane gets a clone.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From a trace's first span to its verdict, unless a stage wishes for it earlier.
    pub wait: Duration,
    /// Bytes held: spans, what the store needs beside them, contexts. Above it the oldest traces are decided early.
    pub bytes: Budget,
    /// Traces that wait for a verdict. Above it the oldest are decided early.
    pub traces: Budget,
    /// Whether senders wait while `traces` is used up ([`Shared::gate`](crate::component::Shared::gate) is where they look), in place of the
    /// oldest being decided early.
    pub senders_wait: bool,
    /// What one trace may cost; above it, it is decided early, and the rest of it is late.
    pub trace_bytes: u64,
    /// Verdicts on traces that are gone.
    pub remember: Remember,
}

impl Limits {
    /// A wait and nothing else: no limits, and no memory of verdicts.
    pub fn with_wait(wait: Duration) -> Self {
        Self {
            wait,
            bytes: Budget::unlimited(),
            traces: Budget::unlimited(),
            senders_wait: false,
            trace_bytes: u64::MAX,
            remember: Remember::nothing(),
        }
    }
}

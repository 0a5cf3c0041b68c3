//! Which batches are told: in each second the first few, then one in so many.

use std::sync::{Mutex, PoisonError};

use tracetailor_core::telemetry::Signal;
use tracetailor_core::time::LogTime;

/// Counts the batches of a second, for all lanes.
pub(super) struct Sampler {
    initial: u64,
    thereafter: u64,
    seconds: Mutex<[(u64, u64); Signal::ALL.len()]>,
}

impl Sampler {
    pub(super) fn new(initial: u32, thereafter: u32) -> Self {
        Self { initial: initial.into(), thereafter: thereafter.into(), seconds: Mutex::default() }
    }

    /// Whether this one is told.
    pub(super) fn tells(&self, signal: Signal, now: LogTime) -> bool {
        if self.thereafter == 1 {
            return true;
        }
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let (second, count) = &mut seconds[signal as usize];
        let this = now.0 / 1_000_000_000;
        if *second != this {
            (*second, *count) = (this, 0);
        }
        *count += 1;
        *count <= self.initial || (self.thereafter > 0 && (*count - self.initial).is_multiple_of(self.thereafter))
    }
}

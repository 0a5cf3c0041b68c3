//! What became of the units of one receipt.

use std::sync::atomic::{AtomicU64, Ordering};

use super::fate::{Fate, Retry};

/// How the units of one receipt have ended so far. These are units, one per item and destination, with those copied and created: a receiver
/// that reports a number of items to its client takes no more than the client sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Taken by their destination.
    pub delivered: u64,
    /// Left out by a rule that the user wrote: for the client, a success.
    pub dropped: u64,
    /// Turned away, and welcome again later.
    pub rejected_retryable: u64,
    /// Turned away for good.
    pub rejected_for_good: u64,
    /// Not taken by their destination.
    pub failed: u64,
    /// Set aside where a person can read them.
    pub dead_lettered: u64,
    /// Taken by a journal of ours.
    pub stored: u64,
    /// Given up because they will be read again. An offset must not be committed past them.
    pub left: u64,
    /// Gone by a bug of ours.
    pub lost: u64,
}

impl Tally {
    /// All that have ended.
    pub fn total(&self) -> u64 {
        let Tally { delivered, dropped, rejected_retryable, rejected_for_good, failed, dead_lettered, stored, left, lost } = self;
        delivered + dropped + rejected_retryable + rejected_for_good + failed + dead_lettered + stored + left + lost
    }
}

/// A tally that several threads write.
#[derive(Default)]
pub(super) struct Tallying {
    delivered: AtomicU64,
    dropped: AtomicU64,
    rejected_retryable: AtomicU64,
    rejected_for_good: AtomicU64,
    failed: AtomicU64,
    dead_lettered: AtomicU64,
    stored: AtomicU64,
    left: AtomicU64,
    lost: AtomicU64,
}

impl Tallying {
    /// Relaxed: the count of what a milestone waits for orders these for whoever reads them.
    pub(super) fn add(&self, fate: Fate, n: u64) {
        let slot = match fate {
            Fate::Delivered => &self.delivered,
            Fate::Dropped(_) => &self.dropped,
            Fate::Rejected { retry: Retry::Later, .. } => &self.rejected_retryable,
            Fate::Rejected { retry: Retry::Never, .. } => &self.rejected_for_good,
            Fate::Failed(_) => &self.failed,
            Fate::DeadLettered(_) => &self.dead_lettered,
            Fate::Stored => &self.stored,
            Fate::Left => &self.left,
            Fate::Lost(_) => &self.lost,
        };
        slot.fetch_add(n, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Tally {
        Tally {
            delivered: self.delivered.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            rejected_retryable: self.rejected_retryable.load(Ordering::Relaxed),
            rejected_for_good: self.rejected_for_good.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            dead_lettered: self.dead_lettered.load(Ordering::Relaxed),
            stored: self.stored.load(Ordering::Relaxed),
            left: self.left.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }
}

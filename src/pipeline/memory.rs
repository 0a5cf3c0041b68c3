//! The bytes that the gateway holds, counted where they lie: requests on their way in, traces that wait, queues.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is held, and how much may be. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    /// Bytes of telemetry in queues before exporters.
    queued: AtomicU64,
    /// The most that queues may hold together.
    queues: AtomicU64,
}

impl Default for Counts {
    fn default() -> Self {
        Self { queued: AtomicU64::new(0), queues: AtomicU64::new(u64::MAX) }
    }
}

impl Memory {
    /// So many more bytes wait before exporters.
    pub fn queue(&self, bytes: usize) {
        self.0.queued.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many wait no longer.
    pub fn unqueue(&self, bytes: usize) {
        self.0.queued.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// How many bytes queues may still take.
    pub fn queue_room(&self) -> u64 {
        self.0.queues.load(Ordering::Relaxed).saturating_sub(self.0.queued.load(Ordering::Relaxed))
    }
}

//! How much can be pushed into an exporter's queue.

use tracetailor_core::component;
use tracetailor_core::config::Sizer;

/// What a queue can take, now. Others push too, so it is a good guess and no promise: what does not fit is turned away, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Batches.
    pub batches: u64,
    /// Items.
    pub items: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Why nothing fits before an exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Its own queue is full, by `queue_size`.
    Queue,
    /// All queues together hold what they may of the memory.
    Memory,
}

impl Full {
    /// As it stands in a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Full::Queue => "queue",
            Full::Memory => "memory",
        }
    }

    /// What an operator can do about it.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Full::Queue => {
                "a larger sending_queue.queue_size survives longer outages, more num_consumers help where the destination is slow"
            }
            Full::Memory => "queues have 30 % of memory_limiter's soft limit: raise that limit; a larger queue_size changes nothing",
        }
    }
}

impl Room {
    pub(super) fn of(sizer: Sizer, left: u64, memory: u64) -> Room {
        let all = Room { batches: u64::MAX, items: u64::MAX, bytes: memory };
        match sizer {
            Sizer::Requests => Room { batches: left, ..all },
            Sizer::Items => Room { items: left, ..all },
            Sizer::Bytes => Room { bytes: left.min(memory), ..all },
        }
    }

    /// True when nothing fits.
    pub fn is_used_up(self) -> bool {
        self.batches == 0 || self.items == 0 || self.bytes == 0
    }

    /// Whether one batch of so many items and bytes fits.
    pub fn fits(self, items: usize, bytes: usize) -> bool {
        self.batches > 0 && items as u64 <= self.items && bytes as u64 <= self.bytes
    }

    /// As a processor's [output](component::Output) takes it. An output cannot count batches, so each item may turn out to be one.
    pub fn for_output(self) -> component::Room {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        component::Room { items: size(self.items.min(self.batches)), bytes: size(self.bytes) }
    }
}

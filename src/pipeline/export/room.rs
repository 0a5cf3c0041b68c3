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

//! Moves the survivors of segments that are mostly dead, so that a few long-lived traces cannot pin the memory of many that are gone.

use super::entries::Slot;
use super::log::WHOLE;
use super::segment::RecordAt;
use super::store::TraceStore;

impl TraceStore {
    /// Empties sparse segments into the one being written, for about as many steps as `effort` says: a step is a record looked at or moved.
    ///
    /// Survivors move trace by trace, because a record that moves must be linked anew from the one behind it, and that one is found by
    /// walking the trace. So that a long trace is walked once and not once per segment, a walk takes along what lies in any sparse segment.
    pub(super) fn relocate(&mut self, effort: usize) {
        let share = self.sparse_below();
        self.log.set_sparse_below(share);
        let mut left = effort;
        while left > 0
            && let Some(number) = self.log.next_sparse()
        {
            self.empty(number, &mut left);
        }
    }

    /// Moves what lives in a segment. The segment is gone when the last record is.
    fn empty(&mut self, number: u32, left: &mut usize) {
        let mut index = 0;
        while *left > 0 && self.log.is_leaving(number) && index < self.log.segment(number).records() {
            let link = *self.log.segment(number).link(index);
            if link.is_live() {
                let steps = self.gather(Slot(link.slot));
                *left = left.saturating_sub(steps);
            }
            *left = left.saturating_sub(1);
            index += 1;
        }
    }

    /// Moves every record of a trace that lies in a segment to be left. Tells how many steps that took.
    fn gather(&mut self, slot: Slot) -> usize {
        let (mut at, mut after, mut steps) = (self.entries.get(slot).tail, None, 0);
        while at != RecordAt::NONE {
            let before = self.log.link(at).before;
            steps += 1;
            if self.log.segment(at.segment).leaving {
                let copy = self.log.copy(at);
                self.relink(slot, after, copy);
                self.log.kill(at);
                self.relocated += 1;
                (at, steps) = (copy, steps + 3);
            }
            (after, at) = (Some(at), before);
        }
        steps
    }

    /// Segments whose living part is smaller than this are emptied: an eighth while there is memory, more as the budget fills. What lives is
    /// within the budget, so if no segment is less than `spent / limit` alive, the segments are within it too; at three quarters it stops,
    /// because emptying fuller ones costs more than it frees.
    fn sparse_below(&self) -> u64 {
        let budget = self.bytes.budget();
        let (spent, limit) = (u128::from(budget.spent()), u128::from(budget.limit()).max(1));
        let share = u64::try_from(spent * u128::from(WHOLE) / limit).unwrap_or(WHOLE);
        share.clamp(WHOLE / 8, WHOLE * 3 / 4)
    }
}

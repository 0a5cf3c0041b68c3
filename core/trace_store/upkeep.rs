//! What a store does beside its turns: showing held traces to new stages, and taking out a source.

use super::entries::{Slot, State};
use super::stages::WholeTraces;
use crate::component::Trigger;
use crate::ledger::Fate;
use crate::telemetry::SourceTag;
use crate::time::LogTime;

/// How many spans a turn shows to new stages.
const SHOWN: usize = 2048;

impl WholeTraces {
    /// Whether the stages have a state under the slot: they are not newer than what is held there, and it is no late span's.
    pub(super) fn is_shown(&self, slot: Slot) -> bool {
        let entry = self.store.entries.get(slot);
        entry.generation == self.store.generation && entry.state != State::Late
    }

    /// Shows a trace to the stages if they are new since it was held.
    pub(super) fn ensure_shown(&mut self, slot: Slot) {
        if !self.is_shown(slot) && self.store.entries.get(slot).state != State::Late {
            self.show(slot);
        }
    }

    /// Shows a trace to the stages as if it came now: all that is held of it.
    fn show(&mut self, slot: Slot) {
        self.store.walk(slot, &mut self.records);
        self.store.observe_again(slot, &self.records);
        let trace = self.store.trace(slot, &self.records, Trigger::Deadline, None);
        for stage in &mut self.stages {
            stage.open(&trace);
            trace.items().for_each(|span| stage.arrive(&trace, span));
        }
        self.store.entries.get_mut(slot).generation = self.store.generation;
    }

    /// Goes on showing what is held to new stages, as much as a turn may. A trace that gets a span, or is decided, before its turn has come
    /// is shown there and then.
    pub(super) fn show_unseen(&mut self, now: LogTime) {
        let mut left = SHOWN;
        while left > 0
            && let Some(slot) = self.unseen.next()
        {
            if slot >= self.store.entries.slots() {
                // The table has shrunk: nothing from before is left.
                self.unseen = 0..0;
                return;
            }
            let slot = self.store.entries.slot(slot);
            let entry = self.store.entries.get(slot);
            let spans = entry.spans as usize;
            if entry.state == State::Open && !self.is_shown(slot) {
                left = left.saturating_sub(1 + spans);
                self.show(slot);
                self.ask_wish(slot, now);
            }
        }
    }

    /// Takes the spans of a source out of a trace. What is left of it is shown to the stages anew.
    pub(super) fn take_out(&mut self, slot: Slot, source: SourceTag, now: LogTime) {
        self.store.walk(slot, &mut self.records);
        let mut after = None;
        for at in self.records.iter().rev() {
            if self.store.rows.is_of(self.store.log.link(*at).row, source) {
                self.store.unlink(slot, *at, after);
            } else {
                after = Some(*at);
            }
        }
        let entry = self.store.entries.get(slot);
        let (state, is_gone) = (entry.state, entry.spans == 0);
        if is_gone {
            self.records.clear();
            self.end(slot, Fate::Left);
        } else if state != State::Late {
            self.show(slot);
            if state == State::Open {
                self.ask_wish(slot, now);
            }
        }
    }
}

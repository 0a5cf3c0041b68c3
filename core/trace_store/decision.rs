//! How a trace is decided: when its time has come, or earlier because there is no room for it.

use super::entries::Slot;
use super::memory::Known;
use super::output::Output;
use super::stages::WholeTraces;
use super::store::TraceStore;
use crate::component::{Notes, Outcome, Trigger, Verdict};
use crate::ledger::Fate;
use crate::time::LogTime;

/// What a turn may decide, in spans: at some 100 ns each about half a millisecond.
const EFFORT: usize = 4096;
/// A trace costs something whatever its size.
const EFFORT_PER_TRACE: usize = 4;

impl WholeTraces {
    /// Decides what is due, as much as a turn may and as there is room for. Tells whether more is due.
    pub(super) fn decide_due(&mut self, now: LogTime, out: &Output) -> bool {
        let mut left = EFFORT;
        while self.store.outgoing_spans <= out.room() {
            let TraceStore { deadlines, entries, .. } = &mut self.store;
            let Some(slot) = deadlines.due(now, entries) else { return false };
            if left == 0 {
                return true;
            }
            left = left.saturating_sub(EFFORT_PER_TRACE + self.store.entries.get(slot).spans as usize);
            let trigger = self.store.trigger_at(slot);
            self.decide(slot, trigger, now);
        }
        true
    }

    /// Decides the oldest traces early until the budgets hold again. What is kept goes out meanwhile; when it cannot, deciding more would free
    /// nothing, and the lane takes no input until there is room.
    pub(super) fn relieve(&mut self, now: LogTime, out: &mut Output) {
        loop {
            let pressure = self.store.publish();
            let trigger = match (pressure.bytes, pressure.traces) {
                (true, _) => Trigger::Memory,
                (false, true) => Trigger::Count,
                (false, false) => return,
            };
            if self.store.outgoing_spans > out.room() {
                return;
            }
            let TraceStore { deadlines, entries, .. } = &mut self.store;
            let Some(slot) = deadlines.oldest(entries) else { return };
            self.decide(slot, trigger, now);
            if trigger == Trigger::Memory {
                self.emit(out);
            }
        }
    }

    /// Decides everything, or leaves it where it will come from again. Tells whether there is more.
    pub(super) fn decide_all(&mut self, now: LogTime, out: &Output) -> bool {
        let mut left = EFFORT;
        while self.store.outgoing_spans <= out.room() {
            let TraceStore { deadlines, entries, .. } = &mut self.store;
            let Some(slot) = deadlines.oldest(entries) else { return false };
            if left == 0 {
                return true;
            }
            left = left.saturating_sub(EFFORT_PER_TRACE + self.store.entries.get(slot).spans as usize);
            self.store.walk(slot, &mut self.records);
            if self.store.will_come_again(&self.records) {
                self.end(slot, Fate::Left);
            } else {
                self.decide(slot, Trigger::Shutdown, now);
            }
        }
        true
    }

    /// The verdict on a trace, and what follows for it.
    pub(super) fn decide(&mut self, slot: Slot, trigger: Trigger, now: LogTime) {
        self.ensure_seen(slot);
        self.store.walk(slot, &mut self.records);
        let (verdict, notes) = self.judge(slot, trigger);
        self.decided.count(trigger);
        let hash = self.store.entries.hash(self.store.entries.get(slot).trace);
        self.store.memory.remember(hash, Known { verdict, generation: self.store.generation }, now);
        match verdict.outcome {
            Outcome::Keep => self.store.keep(slot, trigger, notes),
            Outcome::Drop => self.end(slot, Fate::Dropped(verdict.cause)),
        }
    }

    /// All stages say what they know; those who judge, judge.
    fn judge(&mut self, slot: Slot, trigger: Trigger) -> (Verdict, Notes) {
        let trace = self.store.trace(slot, &self.records, trigger);
        let mut notes = Notes::default();
        self.stages.iter_mut().for_each(|stage| stage.annotate(&trace, &mut notes));
        let mut verdict = None;
        for stage in &mut self.stages {
            verdict = stage.decide(&trace, &notes).or(verdict);
            if verdict.is_some_and(|verdict: Verdict| !verdict.is_keep()) {
                break;
            }
        }
        (verdict.unwrap_or(Verdict::keep(self.unjudged)), notes)
    }

    /// Ends a trace whose records are in hand.
    pub(super) fn end(&mut self, slot: Slot, fate: Fate) {
        self.store.end(slot, &self.records, fate);
        self.stages.iter_mut().for_each(|stage| stage.close(slot));
    }
}

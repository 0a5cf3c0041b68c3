//! How a trace is decided: when its time has come, or earlier because there is no room for it.

use super::entries::Slot;
use super::memory::Known;
use super::stages::WholeTraces;

use crate::component::{Notes, Outcome, Output, Trigger, Verdict};
use crate::ledger::Fate;
use crate::time::LogTime;

impl WholeTraces {
    /// Decides what is due, while there is room and time.
    pub(super) fn decide_due(&mut self, now: LogTime, out: &mut Output) {
        while out.wants_more() {
            let Some(slot) = self.store.due(now) else { return };
            let trigger = self.store.trigger_at(slot);
            self.decide(slot, trigger, now);
            self.emit_when_full(out);
        }
    }

    /// Decides everything, or leaves it to come again.
    pub(super) fn decide_all(&mut self, now: LogTime, out: &mut Output) {
        while out.wants_more() {
            let Some(slot) = self.store.oldest() else { return };
            self.store.walk(slot, &mut self.records);
            if self.store.will_come_again(&self.records) {
                self.end(slot, Fate::Left);
            } else {
                self.decide(slot, Trigger::Shutdown, now);
            }
            self.emit_when_full(out);
        }
    }

    /// Decides the oldest traces early until the budgets hold again. When what is kept cannot go out, deciding more would free nothing; the
    /// lane takes no input then.
    pub(super) fn relieve(&mut self, now: LogTime, out: &mut Output) {
        loop {
            match self.store.pressure() {
                Some(trigger) => {
                    let is_stuck = self.store.outgoing_spans > 0 && !out.wants_more();
                    let Some(slot) = self.store.oldest().filter(|_| !is_stuck) else { return };
                    self.decide(slot, trigger, now);
                    self.emit_when_full(out);
                }
                // What was kept must be gone before it is known whether that was enough.
                None if self.store.limits.bytes.is_over() && self.store.outgoing_spans > 0 && out.wants_more() => self.emit(out),
                None => return,
            }
        }
    }

    /// The verdict on a trace, and what follows for it.
    pub(super) fn decide(&mut self, slot: Slot, trigger: Trigger, now: LogTime) {
        self.ensure_shown(slot);
        self.store.walk(slot, &mut self.records);
        let (verdict, notes) = self.judge(slot, trigger);
        self.decided.count(trigger);
        let hash = self.store.entries.hash(self.store.entries.get(slot).trace);
        self.store.memory.remember(hash, Known { verdict, generation: self.store.generation, when: now }, now);
        match verdict.outcome {
            Outcome::Keep => self.store.keep(slot, trigger, notes, verdict),
            Outcome::Drop => self.end(slot, Fate::Dropped(verdict.cause)),
        }
    }

    /// All stages say what they know; those who judge, judge.
    fn judge(&mut self, slot: Slot, trigger: Trigger) -> (Verdict, Notes) {
        let trace = self.store.trace(slot, &self.records, trigger, None);
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
        let was_shown = self.is_shown(slot);
        self.store.end(slot, &self.records, fate);
        if was_shown {
            self.stages.iter_mut().for_each(|stage| stage.close(slot));
        }
    }
}

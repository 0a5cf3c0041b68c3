//! How a batch is taken in: span by span into its trace, or after it.

use std::time::Duration;

use super::entries::{Slot, State};
use super::memory::Known;
use super::stages::WholeTraces;
use crate::component::{Outcome, Trigger, Verdict};
use crate::ledger::Fate;
use crate::telemetry::{Item, Telemetry};
use crate::time::LogTime;

impl WholeTraces {
    /// Holds every span of a batch, or lets it follow the verdict on its trace. Nothing of the batch is needed after this but its origins.
    pub(super) fn admit(&mut self, batch: &Telemetry, now: LogTime) {
        self.row_numbers.clear();
        self.row_numbers.resize(batch.origins().len(), None);
        for item in batch.items() {
            let row = *self.row_numbers[batch.origin_of(item.head())].get_or_insert_with(|| self.store.rows.open());
            self.admit_span(&item, row, now);
        }
        if batch.has_whole_traces() {
            self.wish_at_once(now);
        }
    }

    fn admit_span(&mut self, item: &Item<'_>, row: u32, now: LogTime) {
        let trace = item.head().trace;
        let hash = self.store.entries.hash(trace);
        let slot = self.store.entries.find(hash, trace).filter(|slot| self.is_held(*slot, now));
        match slot.map(|slot| (slot, self.store.entries.get(slot).state)) {
            Some((slot, State::Open | State::Kept)) => self.hold(slot, item, row, now),
            late => match self.store.memory.recall(hash, now) {
                Some(known) => self.follow(known, hash, item, row, now),
                // The verdict is forgotten, but some of what followed it still waits for room.
                None if late.is_some() => self.store.hold_late(hash, item, row, now),
                None => self.begin(hash, item, row, now),
            },
        }
    }

    /// Whether the trace in a slot is still there. A trace takes spans until its time has come, even if its turn has not: who arrives at the
    /// deadline is late, on the first run and on a replay. One that was kept and waits for room takes them still.
    fn is_held(&mut self, slot: Slot, now: LogTime) -> bool {
        let entry = self.store.entries.get(slot);
        if entry.state != State::Open || entry.due > now {
            return true;
        }
        let trigger = self.store.trigger_at(slot);
        self.decide(slot, trigger, now);
        self.store.entries.get(slot).state == State::Kept
    }

    fn begin(&mut self, hash: u64, item: &Item<'_>, row: u32, now: LogTime) {
        let slot = self.store.open(hash, item.head().trace, State::Open, now);
        let outline = self.store.outline(slot);
        self.stages.iter_mut().for_each(|stage| stage.open(&outline));
        self.hold(slot, item, row, now);
    }

    fn hold(&mut self, slot: Slot, item: &Item<'_>, row: u32, now: LogTime) {
        self.ensure_shown(slot);
        self.store.hold(slot, item, row);
        let outline = self.store.outline(slot);
        self.stages.iter_mut().for_each(|stage| stage.arrive(&outline, *item));
        let ticket = self.store.entries.ticket(slot);
        let entry = self.store.entries.get_mut(slot);
        if entry.state != State::Open {
            return;
        }
        if !entry.touched {
            entry.touched = true;
            self.touched.push(ticket);
        }
        if u64::from(entry.bytes) > self.store.limits.trace_bytes {
            self.decide(slot, Trigger::Size, now);
        }
    }

    /// A late span: the verdict on its trace holds for it too, unless a stage says otherwise.
    fn follow(&mut self, known: Known, hash: u64, item: &Item<'_>, row: u32, now: LogTime) {
        let answers = self.stages.iter_mut().filter_map(|stage| stage.late(known, *item));
        let verdict: Verdict = answers.last().unwrap_or(known.verdict);
        match verdict.outcome {
            Outcome::Drop => {
                self.store.rows.hold(row);
                self.store.rows.end(row, Fate::Dropped(verdict.cause));
            }
            Outcome::Keep => self.store.hold_late(hash, item, row, now),
        }
    }

    /// The batch has been copied: its origins, and the shares in them, move into the rows.
    pub(super) fn fill_rows(&mut self, batch: Telemetry) {
        for (row, origin) in self.row_numbers.drain(..).zip(batch.dissolve()) {
            match row {
                Some(row) => self.store.rows.fill(row, origin),
                None => debug_assert!(origin.share.is_empty(), "a share counts what it is for"),
            }
        }
    }

    /// Every trace of the batch is whole already: it was waited for by a store before this one.
    fn wish_at_once(&mut self, now: LogTime) {
        while let Some(slot) = self.next_touched() {
            self.store.deadlines.wish(slot, Some(now), &mut self.store.entries);
        }
    }

    /// Asks the stages when they wish the traces decided that got spans.
    pub(super) fn ask_wishes(&mut self, now: LogTime) {
        while let Some(slot) = self.next_touched() {
            self.ask_wish(slot, now);
        }
    }

    /// An open trace that got spans in this turn.
    fn next_touched(&mut self) -> Option<Slot> {
        while let Some(ticket) = self.touched.pop() {
            if let Some(slot) = self.store.entries.held_at(ticket) {
                self.store.entries.get_mut(slot).touched = false;
                if self.store.entries.get(slot).state == State::Open {
                    return Some(slot);
                }
            }
        }
        None
    }

    pub(super) fn ask_wish(&mut self, slot: Slot, now: LogTime) {
        let outline = self.store.outline(slot);
        let wish: Option<Duration> = self.stages.iter().filter_map(|stage| stage.ready_in(&outline)).min();
        self.store.deadlines.wish(slot, wish.map(|wish| now + wish), &mut self.store.entries);
    }
}

//! How a batch is taken in: trace by trace, each span to those that are held of its trace, or after them.

use std::time::Duration;

use super::entries::{Slot, State};
use super::memory::Known;
use super::stages::WholeTraces;
use crate::component::{Outcome, Trigger, Verdict};
use crate::ledger::Fate;
use crate::telemetry::{Item, Telemetry, TraceId};
use crate::time::LogTime;

/// What has become of a trace when a span of it arrives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// It is held here: open, or kept and waiting for room.
    Held(Slot),
    /// It is gone, and its verdict is known.
    Known(Known),
    /// It is gone, and its verdict forgotten; but spans that followed the verdict still wait for room.
    Following,
    /// Nothing is known of it.
    New,
}

impl WholeTraces {
    /// Holds every span of a batch, or lets it follow the verdict on its trace. Nothing of the batch is needed after this but its origins.
    ///
    /// Spans are taken in trace by trace: a trace is looked up once for all its spans, and they lie beside each other where they are held.
    /// All traces are looked up before the first span is touched, because look-ups that do not wait for each other share the time that
    /// memory takes; what was found holds until it is the trace's turn, since nothing is opened, decided or closed but in its own turn.
    pub(super) fn admit(&mut self, batch: &Telemetry, now: LogTime) {
        self.row_numbers.clear();
        self.row_numbers.resize(batch.origins().len(), None);
        let (mut traces, mut found) = (std::mem::take(&mut self.traces), std::mem::take(&mut self.found));
        traces.group(batch);
        found.extend(traces.iter().map(|(trace, _)| self.look_up(self.store.entries.hash(trace), trace, now)));
        for ((trace, items), place) in traces.iter().zip(found.drain(..)) {
            self.admit_trace(trace, place, items.iter().map(|index| batch.item(*index as usize)), batch, now);
        }
        (self.traces, self.found) = (traces, found);
    }

    fn admit_trace<'a>(&mut self, trace: TraceId, found: Place, spans: impl Iterator<Item = Item<'a>>, batch: &Telemetry, now: LogTime) {
        let hash = self.store.entries.hash(trace);
        let mut place = self.decide_if_due(found, hash, trace, now);
        for item in spans {
            let row = *self.row_numbers[batch.origin_of(item.head())].get_or_insert_with(|| self.store.rows.open());
            match place {
                Place::Held(slot) => place = self.hold(slot, hash, &item, row, now),
                Place::Known(known) => self.follow(known, hash, &item, row),
                Place::Following => self.store.hold_late(hash, &item, row, None),
                Place::New => {
                    let slot = self.begin(hash, trace, now);
                    place = self.hold(slot, hash, &item, row, now);
                }
            }
        }
        if let Place::Held(slot) = place
            && self.store.entries.get(slot).state == State::Open
        {
            if batch.has_whole_traces() {
                // It was waited for by a store before this one.
                self.store.deadlines.wish(slot, Some(now), &mut self.store.entries);
            } else {
                self.ask_wish(slot, now);
            }
        }
    }

    /// What has become of a trace.
    fn look_up(&mut self, hash: u64, trace: TraceId, now: LogTime) -> Place {
        let slot = self.store.entries.find(hash, trace);
        if let Some(slot) = slot
            && self.store.entries.get(slot).state != State::Late
        {
            return Place::Held(slot);
        }
        let remembered = self.store.memory.recall(hash, now);
        match self.stages.iter_mut().fold(remembered, |known, stage| stage.recall(trace, known, now)) {
            Some(known) => Place::Known(known),
            None if slot.is_some() => Place::Following,
            None => Place::New,
        }
    }

    /// A trace takes spans until its time has come, even if its turn has not: who arrives at the deadline is late, on the first run and on
    /// a replay. A trace that was kept and waits for room takes them still.
    fn decide_if_due(&mut self, place: Place, hash: u64, trace: TraceId, now: LogTime) -> Place {
        let Place::Held(slot) = place else { return place };
        let entry = self.store.entries.get(slot);
        if entry.state != State::Open || entry.due > now {
            return place;
        }
        let trigger = self.store.trigger_at(slot);
        self.decide(slot, trigger, now);
        self.look_up(hash, trace, now)
    }

    fn begin(&mut self, hash: u64, trace: TraceId, now: LogTime) -> Slot {
        let slot = self.store.open(hash, trace, State::Open, now);
        let outline = self.store.outline(slot);
        self.stages.iter_mut().for_each(|stage| stage.open(&outline));
        slot
    }

    /// Holds a span, and tells what has become of the trace for the next one.
    fn hold(&mut self, slot: Slot, hash: u64, item: &Item<'_>, row: u32, now: LogTime) -> Place {
        self.ensure_shown(slot);
        self.store.hold(slot, item, row);
        let outline = self.store.outline(slot);
        self.stages.iter_mut().for_each(|stage| stage.arrive(&outline, *item));
        let entry = self.store.entries.get(slot);
        if entry.state == State::Open && u64::from(entry.bytes) > self.store.limits.trace_bytes {
            self.decide(slot, Trigger::Size, now);
            return self.look_up(hash, item.head().trace, now);
        }
        Place::Held(slot)
    }

    /// A late span: the verdict on its trace holds for it too, unless a stage says otherwise.
    fn follow(&mut self, known: Known, hash: u64, item: &Item<'_>, row: u32) {
        let answers = self.stages.iter_mut().filter_map(|stage| stage.late(known, *item));
        let verdict: Verdict = answers.last().unwrap_or(known.verdict);
        match verdict.outcome {
            Outcome::Drop => {
                self.store.rows.hold(row);
                self.store.rows.end(row, Fate::Dropped(verdict.cause));
            }
            Outcome::Keep => self.store.hold_late(hash, item, row, Some(verdict)),
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

    /// Asks the stages when they wish an open trace decided.
    pub(super) fn ask_wish(&mut self, slot: Slot, now: LogTime) {
        let outline = self.store.outline(slot);
        let wish: Option<Duration> = self.stages.iter_mut().filter_map(|stage| stage.ready_in(&outline)).min();
        self.store.deadlines.wish(slot, wish.map(|wish| now + wish), &mut self.store.entries);
    }
}

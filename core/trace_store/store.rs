//! The store of one lane: entries, the log of their records, and the tables beside them, kept in step.

use std::collections::VecDeque;
use std::time::Duration;

use super::budget::Claim;
use super::deadlines::Deadlines;
use super::emission::Outgoing;
use super::entries::{Entries, Entry, Slot, State};
use super::limits::Limits;
use super::log::{Log, Tally};
use super::memory::Memory;
use super::rows::Rows;
use super::segment::{Link, RecordAt};
use super::structure::Structures;
use super::view::{Outline, Trace};
use crate::component::{Notes, Trigger, Verdict, Wants};
use crate::ledger::{Cause, Fate, Held, is_after_panic};
use crate::telemetry::{Item, TraceId};
use crate::time::LogTime;

/// The traces that one lane holds.
///
/// It belongs to the lane, not to the stages that work on it, so that it outlives them: after a reload what is held is shown to the new
/// stages. It does nothing by itself; [`WholeTraces`](super::WholeTraces) leads it.
#[derive(Debug)]
pub struct TraceStore {
    pub(super) log: Log,
    pub(super) entries: Entries,
    pub(super) deadlines: Deadlines,
    pub(super) rows: Rows,
    pub(super) memory: Memory,
    /// Kept only where a stage asks.
    pub(super) structures: Option<Structures>,
    pub(super) limits: Limits,
    pub(super) bytes: Claim,
    pub(super) traces: Claim,
    /// Which stages see it: counted up when they change.
    pub(super) generation: u16,
    /// Kept, and not yet on their way: tickets of traces, some of which may have gone.
    pub(super) outgoing: VecDeque<Outgoing>,
    /// Spans of kept and late traces, and what they cost.
    pub(super) outgoing_spans: usize,
    pub(super) outgoing_bytes: u64,
    /// When the present turn is, or the newest was.
    pub(super) now: LogTime,
    tidy_at: LogTime,
    /// Nothing was held when the store was last tidied.
    was_idle: bool,
    /// Spans held.
    pub(super) spans: u64,
    /// Records moved out of sparse segments since the store was made.
    pub(super) relocated: u64,
    held: Held,
    /// What spans are abandoned for when the store goes with spans in it.
    pub(super) abandoned: Cause,
}

/// How large segments are: one copy of a whole one is no noticeable pause, and there are hundreds, not thousands, of them. A little below 1
/// MiB, because allocators put something of their own before a block.
const SEGMENT: u64 = (1 << 20) - (16 << 10);
/// A small budget gets small segments, so that the one being written does not weigh.
const SMALLEST_SEGMENT: u64 = 16 << 10;

impl TraceStore {
    /// An empty store. The gauge always tells how many spans it holds. `abandoned` is why spans are rejected that are still held when it is
    /// dropped, as when a shutdown takes too long.
    pub fn new(limits: Limits, held: Held, abandoned: Cause) -> Self {
        let segment = (limits.bytes.limit() / 64).clamp(SMALLEST_SEGMENT, SEGMENT);
        Self {
            log: Log::new(usize::try_from(segment).unwrap_or(usize::MAX)),
            entries: Entries::default(),
            deadlines: Deadlines::new(limits.wait),
            rows: Rows::default(),
            memory: Memory::new(limits.remember.clone()),
            structures: None,
            bytes: limits.bytes.claim(),
            traces: limits.traces.claim(),
            limits,
            generation: 0,
            outgoing: VecDeque::new(),
            outgoing_spans: 0,
            outgoing_bytes: 0,
            now: LogTime::default(),
            tidy_at: LogTime::default(),
            was_idle: false,
            spans: 0,
            relocated: 0,
            held,
            abandoned,
        }
    }

    /// How many spans it holds.
    pub fn span_count(&self) -> u64 {
        self.spans
    }

    /// How many traces it holds, those included that were decided and wait for room.
    pub fn trace_count(&self) -> usize {
        self.entries.len()
    }

    /// What it holds, in bytes, as its budget counts: records, contexts, and the fixed part of each trace and request.
    pub fn cost(&self) -> u64 {
        let Tally { live, contexts, .. } = self.log.tally();
        let per_trace = PER_TRACE + self.structures.as_ref().map_or(0, |_| Structures::PER_TRACE as u64);
        let structure = self.structures.as_ref().map_or(0, Structures::bytes);
        live + contexts + self.entries.len() as u64 * per_trace + self.rows.len() as u64 * Rows::COST + structure
    }

    /// How many verdicts on traces that are gone it remembers: kept, dropped.
    pub fn remembered(&self) -> (u64, u64) {
        self.memory.len()
    }

    /// How many spans were moved out of segments that were mostly dead, since the store was made.
    pub fn relocated(&self) -> u64 {
        self.relocated
    }

    /// The memory of its segments in use, and of those that wait to be used again.
    pub fn segment_bytes(&self) -> (u64, u64) {
        self.log.memory()
    }

    /// Other limits, after a reload. The wait changes for what is held, too.
    pub fn set_limits(&mut self, limits: Limits) {
        self.deadlines.set_wait(limits.wait, &mut self.entries);
        self.memory.set_limits(limits.remember.clone());
        self.bytes = limits.bytes.claim();
        self.traces = limits.traces.claim();
        self.limits = limits;
        self.publish();
    }

    /// Other stages will see it, and want other things observed.
    pub(super) fn show_anew(&mut self, wants: Wants) {
        self.generation = self.generation.wrapping_add(1);
        self.structures = wants.structure.then(Structures::default);
    }

    /// A new entry.
    pub(super) fn open(&mut self, hash: u64, trace: TraceId, state: State, now: LogTime) -> Slot {
        let due = if state == State::Open { self.deadlines.latest(now) } else { LogTime::NEVER };
        let slot = self.entries.open(hash, trace, state, now, due);
        self.entries.get_mut(slot).generation = self.generation;
        if state == State::Open {
            self.deadlines.enter(self.entries.ticket(slot));
        }
        slot
    }

    /// Copies a span in. This is where edits that were made before become the span's bytes.
    pub(super) fn hold(&mut self, slot: Slot, item: &Item<'_>, row: u32) {
        let entry = self.entries.get_mut(slot);
        let link = Link { before: entry.tail, slot: slot.0, row, length: 0 };
        entry.tail = self.log.append(item.head(), item.bytes(), item.context(), link);
        entry.spans += 1;
        let cost = Log::cost(item.bytes().len());
        entry.bytes = entry.bytes.saturating_add(u32::try_from(cost).unwrap_or(u32::MAX));
        if entry.state != State::Open {
            self.outgoing_spans += 1;
            self.outgoing_bytes += cost;
        }
        self.rows.hold(row);
        self.spans += 1;
        if entry.state != State::Late
            && let Some(structures) = &mut self.structures
        {
            structures.observe(slot, item.head());
        }
    }

    /// Holds a late span, to go out at once, or when there is room.
    pub(super) fn hold_late(&mut self, hash: u64, item: &Item<'_>, row: u32, verdict: Option<Verdict>) {
        let trace = item.head().trace;
        let slot = self.entries.find(hash, trace).unwrap_or_else(|| {
            let slot = self.open(hash, trace, State::Late, self.now);
            let ticket = self.entries.ticket(slot);
            self.outgoing.push_back(Outgoing { ticket, trigger: Trigger::Deadline, notes: Notes::default(), verdict });
            slot
        });
        self.hold(slot, item, row);
    }

    /// A trace is kept, and waits for room.
    pub(super) fn keep(&mut self, slot: Slot, trigger: Trigger, notes: Notes, verdict: Verdict) {
        self.entries.keep(slot);
        let Entry { spans, bytes, .. } = *self.entries.get(slot);
        self.outgoing_spans += spans as usize;
        self.outgoing_bytes += u64::from(bytes);
        self.outgoing.push_back(Outgoing { ticket: self.entries.ticket(slot), trigger, notes, verdict: Some(verdict) });
    }

    /// Why a trace is decided that is due.
    pub(super) fn trigger_at(&self, slot: Slot) -> Trigger {
        let entry = self.entries.get(slot);
        if entry.due < self.deadlines.latest(entry.first_seen) { Trigger::Wish } else { Trigger::Deadline }
    }

    /// Ends the spans of a trace with a fate, and the trace.
    pub(super) fn end(&mut self, slot: Slot, records: &[RecordAt], fate: Fate) {
        for at in records {
            self.rows.end(self.log.link(*at).row, fate);
        }
        self.close(slot, records);
    }

    /// Lets go of a trace whose spans were accounted for.
    pub(super) fn close(&mut self, slot: Slot, records: &[RecordAt]) {
        records.iter().for_each(|at| self.log.kill(*at));
        self.spans -= records.len() as u64;
        let Entry { state, bytes, .. } = *self.entries.get(slot);
        if state != State::Open {
            self.outgoing_spans -= records.len();
            self.outgoing_bytes = self.outgoing_bytes.saturating_sub(u64::from(bytes));
        }
        self.entries.close(slot);
        if let Some(structures) = &mut self.structures {
            structures.release(slot);
        }
    }

    pub(super) fn outline(&self, slot: Slot) -> Outline<'_> {
        let entry = self.entries.get(slot);
        let structures = self.structures.as_ref().filter(|_| entry.state != State::Late);
        Outline { slot, entry, structure: structures.and_then(|structures| structures.view(slot)), now: self.now }
    }

    pub(super) fn trace<'a>(&'a self, slot: Slot, records: &'a [RecordAt], trigger: Trigger, verdict: Option<Verdict>) -> Trace<'a> {
        let outline = self.outline(slot);
        let Entry { state, trace, .. } = *outline.entry;
        let late = (state == State::Late).then(|| self.memory.skeleton(self.entries.hash(trace)));
        Trace { outline, log: &self.log, rows: &self.rows, records, trigger, verdict, late }
    }

    /// Tells the other lanes what this one holds.
    pub(super) fn publish(&mut self) {
        self.bytes.set(self.cost());
        self.traces.set(self.entries.open_count() as u64);
        self.bytes.publish();
        self.traces.publish();
    }

    /// Which budget is overspent, what is on its way out not counted, if all lanes together hold too much.
    pub(super) fn pressure(&mut self) -> Option<Trigger> {
        self.publish();
        let (bytes, limit) = (self.limits.bytes.spent(), self.limits.bytes.limit());
        if bytes.saturating_sub(self.outgoing_bytes) > limit {
            return Some(Trigger::Memory);
        }
        (self.limits.traces.is_over() && !self.limits.senders_wait).then_some(Trigger::Count)
    }

    /// The earliest time at which a trace may be due.
    pub(super) fn next_due(&mut self) -> Option<LogTime> {
        self.deadlines.next(&mut self.entries)
    }

    /// A trace that is due.
    pub(super) fn due(&mut self, now: LogTime) -> Option<Slot> {
        self.deadlines.due(now, &mut self.entries)
    }

    /// The open trace that was seen first.
    pub(super) fn oldest(&mut self) -> Option<Slot> {
        self.deadlines.oldest(&self.entries)
    }

    /// Gives memory back that nobody needed for the time of [`PATIENCE`].
    pub(super) fn tidy(&mut self, now: LogTime) {
        self.deadlines.sweep(&self.entries);
        if now < self.tidy_at {
            return;
        }
        self.tidy_at = now + PATIENCE;
        self.log.trim_pool();
        if self.entries.is_idle() && self.was_idle {
            self.entries.shrink();
            self.structures.iter_mut().for_each(Structures::shrink);
            self.rows.shrink();
        }
        self.was_idle = self.entries.is_idle();
    }

    /// When to tidy next, if there is anything to give back.
    pub(super) fn tidy_at(&self) -> Option<LogTime> {
        (self.log.has_pooled() || self.entries.is_idle()).then_some(self.tidy_at)
    }

    /// Ends a turn: gauge first, then the ledger, so that no span is ever counted in both.
    pub(super) fn settle(&mut self) {
        self.tell_held();
        self.rows.settle();
    }

    pub(super) fn tell_held(&self) {
        self.held.set(self.spans);
    }
}

impl Drop for TraceStore {
    /// A store that is empty goes without a word. What is still held is left to whoever will send it again, or rejected for now; after a
    /// panic the shares say by themselves what took them.
    fn drop(&mut self) {
        self.held.set(0);
        if !is_after_panic() {
            self.rows.abandon_all(self.abandoned);
        }
    }
}

/// How long memory may lie unused.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a trace costs beside its records: entry, index, place in the queue.
const PER_TRACE: u64 = size_of::<Entry>() as u64 + 16;

//! The processor that leads stages through whole traces.

use std::ops::Range;

use super::admission::Place;
use super::segment::RecordAt;
use super::store::TraceStore;
use crate::component::{Output, Processor, Progress, TraceStage, Trigger, Wants};
use crate::ledger::Cause;
use crate::telemetry::{Signal, SourceTag, Telemetry, Traces};
use crate::time::LogTime;

/// Neighbouring stages of a pipeline over the store of their lane.
///
/// A turn is one call from the lane: a batch, a wake, a slice of the drain. Within a turn the requests' shares, the gauge and what is held
/// may differ; at its end they agree.
pub struct WholeTraces {
    pub(super) store: TraceStore,
    pub(super) stages: Vec<Box<dyn TraceStage>>,
    pub(super) wants: Wants,
    /// What a trace is kept for where no stage judges.
    pub(super) unjudged: Cause,
    /// Slots that may hold traces which the present stages have not seen.
    pub(super) unseen: Range<usize>,
    pub(super) decided: Decided,
    wake_at: Option<LogTime>,
    /// The records of the trace in hand.
    pub(super) records: Vec<RecordAt>,
    /// The records of all traces of the batch that leaves.
    pub(super) leaving: Vec<RecordAt>,
    /// The traces of the batch in hand, and what has become of each.
    pub(super) traces: Traces,
    pub(super) found: Vec<Place>,
    /// The rows of the batch in hand, by the number of the origin.
    pub(super) row_numbers: Vec<Option<u32>>,
}

/// How many traces were decided, by what triggered it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decided([u64; Trigger::ALL.len()]);

impl Decided {
    /// How many for this trigger.
    pub fn by(&self, trigger: Trigger) -> u64 {
        self.0[trigger as usize]
    }

    pub(super) fn count(&mut self, trigger: Trigger) {
        self.0[trigger as usize] += 1;
    }
}

/// Deadlines are met within this time, so that traces that are due one shortly after the other leave together: 2²⁴ ns, about 17 ms.
const TICK: u64 = 1 << 24;

/// What a turn may relocate, in steps of some 20 ns; what it must not put off lies in one segment per turn, as a rule.
const RELOCATION: usize = 16_384;

impl WholeTraces {
    /// Stages over a store, in the order of the pipeline. What the store holds already, from before a reload, is shown to them bit by bit.
    /// `unjudged` is what traces are kept for where no stage judges.
    pub fn new(mut store: TraceStore, stages: Vec<Box<dyn TraceStage>>, unjudged: Cause) -> Self {
        let wants = stages.iter().fold(Wants::default(), |wants, stage| wants.and(stage.wants()));
        store.show_anew(wants);
        let unseen = 0..store.entries.slots();
        let mut whole = Self {
            store,
            stages,
            wants,
            unjudged,
            unseen,
            decided: Decided::default(),
            wake_at: None,
            records: Vec::new(),
            leaving: Vec::new(),
            traces: Traces::new(),
            found: Vec::new(),
            row_numbers: Vec::new(),
        };
        whole.store.publish();
        whole.plan_wake();
        whole
    }

    /// Gives the store back, with all it holds, for the stages of another configuration.
    pub fn into_store(self) -> TraceStore {
        self.store
    }

    /// What it holds.
    pub fn store(&self) -> &TraceStore {
        &self.store
    }

    /// How many traces were decided since it was made.
    pub fn decided(&self) -> Decided {
        self.decided
    }
}

impl Processor for WholeTraces {
    /// Takes a batch in: each span is held or, if its trace is gone, follows it.
    fn process(&mut self, batch: Telemetry, out: &mut Output) {
        if batch.signal() != Signal::Traces {
            out.emit(batch);
            return;
        }
        let now = self.begin_turn(out.now());
        self.admit(&batch, now);
        if self.store.limits.senders_wait {
            // Before their requests are answered, so that the next one finds the gate closed.
            self.store.publish();
        }
        self.fill_rows(batch);
        self.relieve(now, out);
        self.end_turn(now, out);
    }

    /// When to be woken. A time that has passed means: as soon as there is room.
    fn wake_at(&self) -> Option<LogTime> {
        self.wake_at
    }

    /// Decides what is due, sends it on while there is room, and tidies up.
    fn wake(&mut self, now: LogTime, out: &mut Output) -> Progress {
        self.begin_turn(now);
        self.show_unseen(now);
        self.decide_due(now, out);
        self.relieve(now, out);
        self.store.tidy(now);
        self.end_turn(now, out);
        let is_due = self.store.next_due().is_some_and(|due| due <= now);
        if is_due || self.has_work() { Progress::More } else { Progress::Done }
    }

    /// Decides everything that will not come again by itself. When it is done, the store is empty.
    fn drain(&mut self, out: &mut Output) -> Progress {
        let now = self.begin_turn(out.now());
        self.decide_all(now, out);
        self.end_turn(now, out);
        if self.store.span_count() > 0 { Progress::More } else { Progress::Done }
    }

    /// A source was taken away: its spans are held no longer, and will be read again by whoever has it now.
    fn forget(&mut self, source: SourceTag) {
        for slot in self.store.traces_of(source) {
            self.take_out(slot, source, self.store.now);
        }
        self.store.settle();
        self.store.publish();
        self.plan_wake();
    }
}

impl WholeTraces {
    fn begin_turn(&mut self, now: LogTime) -> LogTime {
        self.store.now = now;
        now
    }

    fn end_turn(&mut self, now: LogTime, out: &mut Output) {
        self.emit(out);
        self.store.memory.trim(now);
        self.store.relocate(RELOCATION);
        if self.store.pressure().is_some() {
            // A record that moves takes its context along, and where it lay others may still need theirs.
            self.relieve(now, out);
            self.emit(out);
        }
        self.store.settle();
        self.store.publish();
        self.plan_wake();
        debug_assert_eq!(self.store.audit(), Ok(()));
    }

    /// Whether there is work that waits for no time: traces for which there was no room, or which the stages have not seen, or segments to
    /// be emptied.
    fn has_work(&self) -> bool {
        self.store.outgoing_spans > 0 || !self.unseen.is_empty() || self.store.log.has_sparse()
    }

    /// Deadlines are rounded up to ticks. A time that has passed means at once.
    fn plan_wake(&mut self) {
        let due = self.store.next_due().map(|due| LogTime(due.0.div_ceil(TICK).saturating_mul(TICK)));
        let work = self.has_work().then_some(LogTime(0));
        self.wake_at = [due, work, self.store.tidy_at()].into_iter().flatten().min();
    }
}

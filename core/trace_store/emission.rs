//! How kept traces go out: many in one batch, repaired by the stages, their shares with them.

use super::entries::{Slot, Ticket};
use super::repair::{Changes, TraceOut};
use super::stages::WholeTraces;
use crate::component::{Notes, Output, Room, Trigger, Verdict};
use crate::telemetry::{Signal, Telemetry, TelemetryBuilder};

/// A kept trace that waits for room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing {
    pub(super) ticket: Ticket,
    pub(super) trigger: Trigger,
    pub(super) notes: Notes,
    /// What was decided on it, or on the trace whose late spans these are; nothing where that was forgotten meanwhile.
    pub(super) verdict: Option<Verdict>,
}

/// The traces of one batch.
struct Leaving {
    slot: Slot,
    trigger: Trigger,
    notes: Notes,
    verdict: Option<Verdict>,
    /// Its records, in the list of all records of the batch; its spans have the same places in the batch.
    first: usize,
    len: usize,
}

/// A batch is full with so many spans, or so many bytes; a trace is never split.
const SPANS: usize = 4096;
const BYTES: usize = 4 << 20;

impl WholeTraces {
    /// Sends kept traces on when they fill a batch.
    pub(super) fn emit_when_full(&mut self, out: &mut Output) {
        if self.store.outgoing_spans >= SPANS {
            self.emit(out);
        }
    }

    /// Sends kept traces on while there is room.
    pub(super) fn emit(&mut self, out: &mut Output) {
        while out.wants_more() && !self.store.outgoing.is_empty() {
            let (mut builder, leaving) = self.gather(out.room());
            self.store.rows.pay(&mut builder);
            let mut batch = self.repair(builder.finish(), &leaving);
            self.let_go(&leaving);
            // Held no longer, and only then on its way.
            self.store.tell_held();
            batch.mark_whole_traces();
            out.emit(batch);
        }
    }

    /// Copies the next traces into a batch.
    fn gather(&mut self, room: Room) -> (TelemetryBuilder, Vec<Leaving>) {
        let leaving = self.choose(room.items.min(SPANS), room.bytes.min(BYTES) as u64);
        // Looking at every head first lets the memory fetch many at once; the copy then finds them near.
        let bytes = self.leaving.iter().map(|at| self.store.log.item_length(*at)).sum();
        let mut builder = TelemetryBuilder::with_capacity(Signal::Traces, self.leaving.len(), bytes);
        self.store.copy_out(&self.leaving, &mut builder);
        (builder, leaving)
    }

    /// Takes from the front of what waits as much as makes a batch.
    fn choose(&mut self, spans: usize, bytes: u64) -> Vec<Leaving> {
        let (mut leaving, mut cost) = (Vec::new(), 0);
        self.leaving.clear();
        while self.leaving.len() < spans && cost < bytes {
            let Some(Outgoing { ticket, trigger, notes, verdict }) = self.store.outgoing.pop_front() else { break };
            let Some(slot) = self.store.entries.held_at(ticket) else { continue };
            self.ensure_shown(slot);
            cost += u64::from(self.store.entries.get(slot).bytes);
            let first = self.leaving.len();
            self.store.walk_on(slot, &mut self.leaving);
            leaving.push(Leaving { slot, trigger, notes, verdict, first, len: self.leaving.len() - first });
        }
        leaving
    }

    /// Lets the stages finish each trace, and does what they ask for.
    fn repair(&mut self, mut batch: Telemetry, leaving: &[Leaving]) -> Telemetry {
        let mut changes = Changes::default();
        for Leaving { slot, trigger, notes, verdict, first, len } in leaving {
            let records = &self.leaving[*first..][..*len];
            let trace = self.store.trace(*slot, records, *trigger, *verdict);
            let made_before = changes.made.len();
            let row = self.store.log.link(records[0]).row;
            let mut out = TraceOut { batch: &mut batch, first: *first, len: *len, changes: &mut changes, row };
            self.stages.iter_mut().for_each(|stage| stage.finish(&trace, notes, &mut out));
            if self.wants.skeletons {
                self.store.remember_shape(*slot, records, changes.made[made_before..].iter().map(|made| made.head.span));
            }
        }
        changes.apply(batch, &mut self.store.rows)
    }

    fn let_go(&mut self, leaving: &[Leaving]) {
        for Leaving { slot, first, len, .. } in leaving {
            let was_shown = self.is_shown(*slot);
            self.store.close(*slot, &self.leaving[*first..][..*len]);
            if was_shown {
                self.stages.iter_mut().for_each(|stage| stage.close(*slot));
            }
        }
    }
}

//! The chains of records that traces are: walked, copied out, cut, and read again.

use super::entries::{Entry, Slot, State};
use super::segment::RecordAt;
use super::store::TraceStore;
use crate::telemetry::{SourceTag, SpanId, TelemetryBuilder};

impl TraceStore {
    /// The records of a trace in the order of arrival, in place of what the list held before.
    pub(super) fn walk(&self, slot: Slot, records: &mut Vec<RecordAt>) {
        records.clear();
        self.walk_on(slot, records);
    }

    /// The records of a trace in the order of arrival, behind what the list holds.
    pub(super) fn walk_on(&self, slot: Slot, records: &mut Vec<RecordAt>) {
        let first = records.len();
        let mut at = self.entries.get(slot).tail;
        while at != RecordAt::NONE {
            let link = self.log.link(at);
            debug_assert_eq!(link.slot, slot.0, "a chain left its trace");
            records.push(at);
            at = link.before;
        }
        records[first..].reverse();
        debug_assert_eq!(records.len() - first, self.entries.get(slot).spans as usize);
    }

    /// Whether every span comes from somebody who will send it again.
    pub(super) fn will_come_again(&self, records: &[RecordAt]) -> bool {
        records.iter().all(|at| self.rows.is_replayable(self.log.link(*at).row))
    }

    /// Copies records into a batch that leaves.
    pub(super) fn copy_out(&mut self, records: &[RecordAt], batch: &mut TelemetryBuilder) {
        for at in records {
            let origin = self.rows.emit(self.log.link(*at).row, batch);
            let (head, bytes, context) = self.log.item(*at);
            batch.push(head, bytes, context, origin);
        }
    }

    /// Keeps the shape of a kept trace for its late spans, or adds late spans to what is kept.
    pub(super) fn remember_shape(&mut self, slot: Slot, records: &[RecordAt], made: impl Iterator<Item = SpanId>) {
        let Entry { state, trace, .. } = *self.entries.get(slot);
        let hash = self.entries.hash(trace);
        let spans = records.iter().map(|at| self.log.item(*at).0.span);
        if state == State::Late {
            self.memory.extend_skeleton(hash, |skeleton, keys| spans.for_each(|span| skeleton.add(span, keys)));
        } else {
            self.memory.attach(hash, spans);
        }
        self.memory.extend_skeleton(hash, |skeleton, _| made.for_each(|span| skeleton.add_placeholder(span)));
    }

    /// The traces that hold spans of a source.
    pub(super) fn traces_of(&self, source: SourceTag) -> Vec<Slot> {
        let mut slots = Vec::new();
        for (_, segment) in self.log.in_use() {
            let of_source = segment.links().filter(|link| self.rows.is_of(link.row, source));
            slots.extend(of_source.map(|link| Slot(link.slot)));
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// Observes the structure of a trace from nothing.
    pub(super) fn observe_again(&mut self, slot: Slot, records: &[RecordAt]) {
        let Some(structures) = &mut self.structures else { return };
        structures.release(slot);
        records.iter().for_each(|at| structures.observe(slot, self.log.item(*at).0));
    }

    /// Gives up one span of a trace that goes on: the record behind it, or the entry, is linked to the one before it.
    pub(super) fn unlink(&mut self, slot: Slot, at: RecordAt, after: Option<RecordAt>) {
        let (link, cost) = (*self.log.link(at), self.log.cost_of(at));
        self.relink(slot, after, link.before);
        let entry = self.entries.get_mut(slot);
        entry.spans -= 1;
        entry.bytes = entry.bytes.saturating_sub(u32::try_from(cost).unwrap_or(u32::MAX));
        if entry.state != State::Open {
            self.outgoing_spans -= 1;
            self.outgoing_bytes = self.outgoing_bytes.saturating_sub(cost);
        }
        self.spans -= 1;
        self.rows.abandon(link.row, self.abandoned);
        self.log.kill(at);
    }

    /// Makes `before` what comes before `after` in a trace; or its newest record, where nothing comes after.
    pub(super) fn relink(&mut self, slot: Slot, after: Option<RecordAt>, before: RecordAt) {
        match after {
            Some(after) => self.log.link_mut(after).before = before,
            None => self.entries.get_mut(slot).tail = before,
        }
    }
}

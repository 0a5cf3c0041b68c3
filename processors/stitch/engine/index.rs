//! Which spans of a trace can have been open at a time, by the process they ran in: of 250 spans that is a handful, and the others need not be looked at.

use tracetailor_core::telemetry::SpanKind;

use super::SpanView;
use super::tree::Tree;

/// When a span was open.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    start: u64,
    end: u64,
    /// Its place in the order that the index was made of.
    place: u32,
}

/// Spans in the order of their start, in blocks that know when the last of theirs ended.
#[derive(Debug, Default)]
struct List {
    slots: Vec<Slot>,
    last_ends: Vec<u64>,
}

const BLOCK: usize = 16;

impl List {
    fn clear(&mut self) {
        self.slots.clear();
        self.last_ends.clear();
    }

    fn push(&mut self, slot: Slot) {
        if self.slots.len().is_multiple_of(BLOCK) {
            self.last_ends.push(0);
        }
        self.slots.push(slot);
        if let Some(last) = self.last_ends.last_mut() {
            *last = (*last).max(slot.end);
        }
    }

    /// Adds those that began until one time and ended from another on; how many were looked at.
    fn open(&self, from: u64, until: u64, found: &mut Vec<u32>) -> usize {
        let begun = &self.slots[..self.slots.partition_point(|slot| slot.start <= until)];
        let blocks = begun.chunks(BLOCK).zip(&self.last_ends);
        let mut looks = blocks.len();
        for (block, _) in blocks.filter(|(_, last_end)| **last_end >= from) {
            looks += block.len();
            found.extend(block.iter().filter(|slot| slot.end >= from).map(|slot| slot.place));
        }
        looks
    }
}

/// All spans that anything can hang below.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// What is no call, one process after the other, each in the order of the start.
    by_process: Vec<Slot>,
    /// Where each process begins.
    first: Vec<u32>,
    /// What is no call, of all processes.
    work: List,
    /// Calls that nobody has answered.
    calls: List,
    /// Whoever sent a message, in the order of the start.
    senders: Vec<(u64, u32)>,
}

/// Where a parent must have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// In this process, or on the other side of a call into it.
    Here(u32),
    /// In another.
    Elsewhere,
}

impl Index {
    /// Of a trace with so many processes, with no span yet.
    pub(super) fn clear(&mut self, processes: usize) {
        self.work.clear();
        self.calls.clear();
        self.senders.clear();
        self.first.clear();
        self.first.resize(processes + 2, 0);
    }

    /// A span that others can hang below. Spans come by their start.
    pub(super) fn push(&mut self, place: u32, span: &SpanView) {
        let slot = Slot { start: span.start, end: span.end, place };
        match span.kind {
            SpanKind::Producer => self.senders.push((slot.start, slot.place)),
            SpanKind::Client => self.calls.push(slot),
            _ => {
                self.first[span.process as usize + 2] += 1;
                self.work.push(slot);
            }
        }
    }

    /// All of them, in their order, have come.
    pub(super) fn settle(&mut self, tree: &Tree<'_>, open: &[u32]) {
        // Where each process begins is one entry further on until all of its spans are in.
        for process in 2..self.first.len() {
            self.first[process] += self.first[process - 1];
        }
        self.by_process.clear();
        self.by_process.resize(self.work.slots.len(), Slot::default());
        for slot in &self.work.slots {
            let next = &mut self.first[tree.span(open[slot.place as usize]).process as usize + 1];
            self.by_process[*next as usize] = *slot;
            *next += 1;
        }
    }

    /// The places of those that can have been open, in their order; how many were looked at.
    pub(super) fn open(&self, at: Where, from: u64, until: u64, found: &mut Vec<u32>) -> usize {
        found.clear();
        let looks = match at {
            Where::Here(process) => {
                let own = &self.by_process[self.first[process as usize] as usize..self.first[process as usize + 1] as usize];
                let begun = &own[..own.partition_point(|slot| slot.start <= until)];
                found.extend(begun.iter().filter(|slot| slot.end >= from).map(|slot| slot.place));
                begun.len()
            }
            Where::Elsewhere => self.work.open(from, until, found),
        };
        let others = found.len();
        let looks = looks + self.calls.open(from, until, found);
        if found.len() > others {
            found.sort_unstable();
        }
        looks
    }

    /// Whether anybody sent a message.
    pub(super) fn has_senders(&self) -> bool {
        !self.senders.is_empty()
    }

    /// Those who had begun to send by then.
    pub(super) fn senders(&self, until: u64) -> &[(u64, u32)] {
        &self.senders[..self.senders.partition_point(|(start, _)| *start <= until)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_was_open(mut spans in proptest::collection::vec((0..90_u64, 0..40_u64), 0..70), from in 0..130_u64, until in 0..130_u64) {
            spans.sort_unstable();
            let mut list = List::default();
            for (place, (start, length)) in spans.iter().enumerate() {
                list.push(Slot { start: *start, end: start + length, place: place as u32 });
            }
            let mut found = Vec::new();
            list.open(from, until, &mut found);
            let is_open = |(start, length): &(u64, u64)| *start <= until && start + length >= from;
            let wanted: Vec<u32> = (0..spans.len()).filter(|at| is_open(&spans[*at])).map(|at| at as u32).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}

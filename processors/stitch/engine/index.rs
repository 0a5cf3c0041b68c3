//! Which spans of a trace can have been open at a time, by the process they ran in: of 250 spans that is a handful, and the others need not be looked at.

use tracetailor_core::telemetry::SpanKind;

use super::SpanView;
use super::tree::Tree;

/// Spans in the order of their start, in blocks that know when the last of theirs ended.
#[derive(Debug, Default)]
struct List {
    /// Places in the order that the index was made of.
    places: Vec<u32>,
    starts: Vec<u64>,
    ends: Vec<u64>,
    last_ends: Vec<u64>,
}

const BLOCK: usize = 16;

impl List {
    fn push(&mut self, place: u32, span: &SpanView) {
        if self.places.len().is_multiple_of(BLOCK) {
            self.last_ends.push(0);
        }
        self.places.push(place);
        self.starts.push(span.start);
        self.ends.push(span.end);
        if let Some(last) = self.last_ends.last_mut() {
            *last = (*last).max(span.end);
        }
    }

    /// Adds those that began until one time and ended from another on; how many were looked at.
    fn open(&self, from: u64, until: u64, found: &mut Vec<u32>) -> usize {
        let begun = self.starts.partition_point(|start| *start <= until);
        let mut looks = begun.div_ceil(BLOCK);
        for (block, last_end) in self.last_ends[..begun.div_ceil(BLOCK)].iter().enumerate() {
            if *last_end < from {
                continue;
            }
            let first = block * BLOCK;
            let end = begun.min(first + BLOCK);
            looks += end - first;
            found.extend((first..end).filter(|at| self.ends[*at] >= from).map(|at| self.places[at]));
        }
        looks
    }
}

/// All spans that anything can hang below.
#[derive(Debug)]
pub(super) struct Index {
    /// What is no call, one process after the other, each in the order of the start: from when to when, and its place.
    by_process: Vec<(u64, u64, u32)>,
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
    /// Of these spans, which come by their start.
    pub(super) fn of(tree: &Tree<'_>, open: &[u32]) -> Index {
        let (mut work, mut calls, mut senders) = (List::default(), List::default(), Vec::new());
        let processes = tree.spans.iter().map(|span| span.process as usize + 1).max().unwrap_or(0);
        let mut first = vec![0; processes + 1];
        for (place, at) in open.iter().enumerate() {
            let (place, span) = (place as u32, tree.span(*at));
            match span.kind {
                SpanKind::Producer => senders.push((span.start, place)),
                SpanKind::Client => calls.push(place, span),
                _ => {
                    first[span.process as usize + 1] += 1;
                    work.push(place, span);
                }
            }
        }
        for process in 0..processes {
            first[process + 1] += first[process];
        }
        let (mut next, mut by_process) = (first.clone(), vec![(0, 0, 0); work.places.len()]);
        for (at, place) in work.places.iter().enumerate() {
            let next = &mut next[tree.span(open[*place as usize]).process as usize];
            by_process[*next as usize] = (work.starts[at], work.ends[at], *place);
            *next += 1;
        }
        Index { by_process, first, work, calls, senders }
    }

    /// The places of those that can have been open, in their order; how many were looked at.
    pub(super) fn open(&self, at: Where, from: u64, until: u64, found: &mut Vec<u32>) -> usize {
        found.clear();
        let looks = match at {
            Where::Here(process) => {
                let own = &self.by_process[self.first[process as usize] as usize..self.first[process as usize + 1] as usize];
                let begun = &own[..own.partition_point(|(start, ..)| *start <= until)];
                found.extend(begun.iter().filter(|(_, end, _)| *end >= from).map(|(_, _, place)| *place));
                begun.len()
            }
            Where::Elsewhere => self.work.open(from, until, found),
        };
        let looks = looks + self.calls.open(from, until, found);
        found.sort_unstable();
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
                list.push(place as u32, &SpanView { start: *start, end: start + length, ..SpanView::EMPTY });
            }
            let mut found = Vec::new();
            list.open(from, until, &mut found);
            let is_open = |(start, length): &(u64, u64)| *start <= until && start + length >= from;
            let wanted: Vec<u32> = (0..spans.len()).filter(|at| is_open(&spans[*at])).map(|at| at as u32).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}

//! What the spans that are there show of how a trace's services behave: who calls whom, who does several things at once, who is not waited for.
//!
//! It is read from the trace in hand and from nothing else, so that the same spans always come to the same end.

use tracetailor_core::telemetry::SpanKind;

use super::clocks::{JITTER, apart};
use super::tree::Tree;
use super::{NOBODY, SpanView};

/// What a trace shows.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Of every span: whether it, or another of its service and kind, had two children at once.
    pub(super) is_parallel: Vec<bool>,
    /// Of every service: whether it has children that ended after what began them.
    outlives: Vec<bool>,
    /// Of every service: how it is entered.
    entries: Vec<Entries>,
    /// Which service calls which.
    calls: Vec<(u32, u32)>,
    /// Who publishes what.
    publishers: Vec<(u64, u32)>,
    /// The first child of every span, and the next child of the same.
    first_child: Vec<u32>,
    next_child: Vec<u32>,
    /// No message has two consumers.
    pub(super) has_one_consumer_each: bool,
}

/// What so many messages did, others may be taken to do.
const ENOUGH: usize = 4;

/// One in so many is many.
const MANY: usize = 3;

/// How a service is entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    pub(super) serves: bool,
    pub(super) consumes: bool,
}

impl Evidence {
    pub(super) fn of(tree: &Tree<'_>) -> Evidence {
        let services = tree.spans.iter().map(|span| span.service as usize + 1).max().unwrap_or(0);
        let mut evidence = Evidence {
            is_parallel: vec![false; tree.spans.len()],
            outlives: vec![false; services],
            entries: vec![Entries::default(); services],
            calls: Vec::new(),
            publishers: publishers(tree),
            first_child: vec![NOBODY; tree.spans.len()],
            next_child: vec![NOBODY; tree.spans.len()],
            has_one_consumer_each: true,
        };
        let mut ends = vec![0; tree.spans.len()];
        let mut has_consumer = vec![false; tree.spans.len()];
        for at in &tree.order {
            let (span, up) = (tree.span(*at), tree.up[*at as usize]);
            let entries = &mut evidence.entries[span.service as usize];
            entries.serves |= span.kind == SpanKind::Server;
            entries.consumes |= span.kind == SpanKind::Consumer;
            if up == NOBODY {
                continue;
            }
            evidence.next_child[*at as usize] = std::mem::replace(&mut evidence.first_child[up as usize], *at);
            evidence.below(span, tree.span(up), up, &mut ends[up as usize]);
            if span.kind == SpanKind::Consumer {
                evidence.has_one_consumer_each &= !std::mem::replace(&mut has_consumer[up as usize], true);
            }
        }
        let known = has_consumer.iter().filter(|has| **has).count();
        evidence.has_one_consumer_each &= known >= ENOUGH;
        evidence.calls.sort_unstable();
        evidence.calls.dedup();
        evidence.generalise(tree);
        evidence
    }

    /// A span that is there, below one that is there.
    fn below(&mut self, span: &SpanView, above: &SpanView, up: u32, end: &mut u64) {
        if span.is_called() {
            self.calls.push((above.service, span.service));
        }
        if span.process != above.process {
            return;
        }
        if *end > 0 && apart(*end, span.start) > JITTER {
            self.is_parallel[up as usize] = true;
        }
        *end = (*end).max(span.end);
        if above.is_instance && span.kind != SpanKind::Consumer && apart(span.end, above.end) > JITTER {
            self.outlives[span.service as usize] = true;
        }
    }

    /// What many do, others of their service and kind may do where it is not seen.
    fn generalise(&mut self, tree: &Tree<'_>) {
        let kind = |at: u32| (tree.span(at).service, tree.span(at).kind as u8);
        let has_two = |at: &u32| self.children(*at).nth(1).is_some();
        let mut kinds: Vec<((u32, u8), bool)> =
            tree.order.iter().filter(|at| has_two(at)).map(|at| (kind(*at), self.is_parallel[*at as usize])).collect();
        kinds.sort_unstable();
        let parallel: Vec<(u32, u8)> = kinds
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|alike| alike.iter().filter(|(_, is_parallel)| *is_parallel).count() * MANY >= alike.len())
            .map(|alike| alike[0].0)
            .collect();
        for at in &tree.order {
            self.is_parallel[*at as usize] |= parallel.binary_search(&kind(*at)).is_ok();
        }
    }

    pub(super) fn children(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        let begin = Some(self.first_child[at as usize]).filter(|child| *child != NOBODY);
        std::iter::successors(begin, |child| Some(self.next_child[*child as usize]).filter(|child| *child != NOBODY))
    }

    pub(super) fn outlives(&self, service: u32) -> bool {
        self.outlives[service as usize]
    }

    pub(super) fn entries(&self, service: u32) -> Entries {
        self.entries[service as usize]
    }

    pub(super) fn calls(&self, caller: u32, called: u32) -> bool {
        self.calls.binary_search(&(caller, called)).is_ok()
    }

    /// Whether all calls of a service that are known come from one other.
    pub(super) fn has_one_caller(&self, called: u32) -> bool {
        self.calls.iter().filter(|(_, service)| *service == called).count() == 1
    }

    pub(super) fn publishes(&self, service: u32, topic: u64) -> bool {
        self.publishers.binary_search(&(topic, service)).is_ok()
    }
}

/// Which services publish which topic.
fn publishers(tree: &Tree<'_>) -> Vec<(u64, u32)> {
    let spans = tree.order.iter().map(|at| tree.span(*at)).filter(|span| span.kind == SpanKind::Producer && span.topic != 0);
    let mut topics: Vec<(u64, u32)> = spans.map(|span| (span.topic, span.service)).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

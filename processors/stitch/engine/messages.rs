//! What a trace's messages show: who publishes and who consumes what, how long messages are on their way, and who takes how many.

use tracetailor_core::telemetry::SpanKind;

use super::clocks::{Ahead, apart};
use super::tree::Tree;
use super::{NOBODY, SpanView};

/// What so many messages did, others may be taken to do.
const ENOUGH: usize = 4;
/// Others may have been quicker than the quickest that is known, or slower than the slowest, by these parts of what lies between the two.
const QUICKER: i64 = 4;
const SLOWER: i64 = 2;

/// What a trace shows of its messages.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// Who publishes what, and who consumes it.
    publishers: Vec<(u64, u32)>,
    consumers: Vec<(u64, u32)>,
    /// Which message which service took.
    taken: Vec<(u32, u32)>,
    /// How long they were on their way: at least, and at most.
    delay: Option<(i64, i64)>,
    /// No message has two consumers.
    pub(super) has_one_consumer_each: bool,
    /// No message has two consumers of one service.
    pub(super) has_one_of_each_service: bool,
}

impl Messages {
    /// Shows nothing.
    pub(super) fn clear(&mut self) {
        self.publishers.clear();
        self.consumers.clear();
        self.taken.clear();
        self.delay = None;
        (self.has_one_consumer_each, self.has_one_of_each_service) = (false, false);
    }

    /// Reads what a trace shows of its messages.
    pub(super) fn read(&mut self, tree: &Tree<'_>) {
        self.clear();
        for at in &tree.order {
            let (span, up) = (tree.span(*at), tree.up[*at as usize]);
            if span.kind == SpanKind::Producer {
                self.publishers.push((span.topic, span.service));
            }
            if span.kind != SpanKind::Consumer {
                continue;
            }
            self.consumers.push((span.topic, span.service));
            if up != NOBODY && tree.span(up).kind == SpanKind::Producer {
                let took = apart(span.start, tree.span(up).start);
                self.delay = Some(self.delay.map_or((took, took), |(least, most)| (least.min(took), most.max(took))));
                self.taken.push((up, span.service));
            }
        }
        for pairs in [&mut self.publishers, &mut self.consumers] {
            pairs.retain(|(topic, _)| *topic != 0);
            pairs.sort_unstable();
            pairs.dedup();
        }
        self.taken.sort_unstable();
        let is_enough = self.taken.len() >= ENOUGH;
        self.delay = self.delay.filter(|_| is_enough);
        self.has_one_consumer_each = is_enough && self.taken.windows(2).all(|pair| pair[0].0 != pair[1].0);
        self.has_one_of_each_service = self.taken.windows(2).all(|pair| pair[0] != pair[1]);
    }

    pub(super) fn publishes(&self, service: u32, topic: u64) -> bool {
        self.publishers.binary_search(&(topic, service)).is_ok()
    }

    pub(super) fn consumes(&self, service: u32, topic: u64) -> bool {
        self.consumers.binary_search(&(topic, service)).is_ok()
    }

    /// Whether anybody is known to consume it.
    pub(super) fn has_consumer(&self, topic: u64) -> bool {
        self.consumers.get(self.consumers.partition_point(|(known, _)| *known < topic)).is_some_and(|(known, _)| *known == topic)
    }

    /// How long messages may be on their way.
    fn bounds(&self) -> Option<(i64, i64)> {
        self.delay.map(|(least, most)| ((least - (most - least) / QUICKER).max(0), most + (most - least) / SLOWER))
    }

    /// Whether a message that was sent when a span began may have been what began at a time; `beyond` is what may have come between.
    pub(super) fn may_have_caused(&self, sender: &SpanView, began: u64, ahead: Ahead, beyond: i64) -> bool {
        self.bounds().is_none_or(|(least, most)| {
            let took = apart(began, sender.start);
            took - ahead.least >= least && took - ahead.most <= most.saturating_add(beyond)
        })
    }

    /// Whether a span was open when a message must have been sent whose consumers began from one time to another.
    pub(super) fn may_have_sent(&self, span: &SpanView, first: u64, last: u64, ahead: Ahead) -> bool {
        self.bounds()
            .is_none_or(|(least, most)| apart(first, span.start) - ahead.least >= least && apart(last, span.end) - ahead.most <= most)
    }
}

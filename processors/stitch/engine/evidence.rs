//! What the spans that are there show of how a trace's services behave: who calls whom, who does several things at once, who is not waited for.
//!
//! It is read from the trace in hand and from nothing else, so that the same spans always come to the same end.

use tracetailor_core::telemetry::SpanKind;

use super::clocks::{JITTER, apart};
use super::messages::Messages;
use super::tree::Tree;
use super::{NOBODY, SpanView};

/// What a trace shows.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Of every span: how many children it has, and whether two of them ran at once.
    families: Vec<Family>,
    /// Of every service and kind: how its spans go about their work.
    habits: Vec<Counted>,
    /// Of every service: whether it has children that ended after what began them.
    outlives: Vec<bool>,
    /// Of every service: how it is entered.
    entries: Vec<Entries>,
    /// Which service calls which.
    calls: Pairs,
    pub(super) messages: Messages,
}

/// One in so many is many.
const MANY: u32 = 3;

/// The children of a span.
#[derive(Clone, Copy, Debug)]
struct Family {
    /// The earliest, by place; the others follow it.
    first: u32,
    last: u32,
    count: u32,
    /// The next child of its own parent.
    next: u32,
    /// When the last of those that ran in the same process ended.
    end: u64,
    is_parallel: bool,
}

/// How many spans had two children, and how many of them two at once.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    several: u32,
    at_once: u32,
}

impl Counted {
    fn is_parallel(self) -> bool {
        self.at_once > 0 && self.at_once * MANY >= self.several
    }
}

/// How a span goes about several things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// It was seen to do two at once.
    AtOnce,
    /// Others of its service and kind do two at once.
    AsOthers,
    /// Nothing is known of its kind, but its service does two at once elsewhere.
    Perhaps,
    /// One after the other, as far as is known.
    OneByOne,
}

/// How a service is entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    pub(super) serves: bool,
    pub(super) consumes: bool,
}

/// Span kinds that there are.
const KINDS: usize = 6;

impl Evidence {
    pub(super) fn of(tree: &Tree<'_>) -> Evidence {
        let services = tree.spans.iter().map(|span| span.service as usize + 1).max().unwrap_or(0);
        let alone = Family { first: NOBODY, last: NOBODY, count: 0, next: NOBODY, end: 0, is_parallel: false };
        let mut evidence = Evidence {
            families: vec![alone; tree.spans.len()],
            habits: vec![Counted::default(); services * KINDS],
            outlives: vec![false; services],
            entries: vec![Entries::default(); services],
            calls: Pairs::of(services),
            messages: Messages::default(),
        };
        let mut has_messages = false;
        for at in &tree.order {
            let span = tree.span(*at);
            match span.kind {
                SpanKind::Server => evidence.entries[span.service as usize].serves = true,
                SpanKind::Consumer => evidence.entries[span.service as usize].consumes = true,
                SpanKind::Producer => has_messages = true,
                _ => {}
            }
            let up = tree.up[*at as usize];
            if up != NOBODY {
                evidence.below(*at, span, up, tree.span(up));
            }
        }
        evidence.calls.settle();
        if has_messages {
            evidence.messages = Messages::of(tree);
        }
        evidence
    }

    /// A span that is there, below one that is there.
    fn below(&mut self, at: u32, span: &SpanView, up: u32, above: &SpanView) {
        if span.is_called() {
            self.calls.add(above.service, span.service);
        }
        let habit = &mut self.habits[above.service as usize * KINDS + above.kind as usize];
        let family = &mut self.families[up as usize];
        family.count += 1;
        let before = std::mem::replace(&mut family.last, at);
        if before == NOBODY {
            family.first = at;
        } else {
            habit.several += u32::from(family.count == 2);
            self.families[before as usize].next = at;
        }
        if span.process != above.process {
            return;
        }
        let family = &mut self.families[up as usize];
        if family.end > 0 && apart(family.end, span.start) > JITTER && !family.is_parallel {
            family.is_parallel = true;
            habit.at_once += 1;
        }
        family.end = family.end.max(span.end);
        if above.is_instance && span.kind != SpanKind::Consumer && apart(span.end, above.end) > JITTER {
            self.outlives[span.service as usize] = true;
        }
    }

    /// The children of a span, by their start.
    pub(super) fn children(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        let begin = Some(self.families[at as usize].first).filter(|child| *child != NOBODY);
        std::iter::successors(begin, |child| Some(self.families[*child as usize].next).filter(|child| *child != NOBODY))
    }

    pub(super) fn count_of_children(&self, at: u32) -> usize {
        self.families[at as usize].count as usize
    }

    /// How a span goes about several things, as far as the trace shows it.
    pub(super) fn habit(&self, at: u32, span: &SpanView) -> Habit {
        let kinds = &self.habits[span.service as usize * KINDS..][..KINDS];
        let own = kinds[span.kind as usize];
        if self.families[at as usize].is_parallel {
            Habit::AtOnce
        } else if own.is_parallel() {
            Habit::AsOthers
        } else if own.several == 0 && kinds.iter().any(|kind| kind.is_parallel()) {
            Habit::Perhaps
        } else {
            Habit::OneByOne
        }
    }

    pub(super) fn outlives(&self, service: u32) -> bool {
        self.outlives[service as usize]
    }

    pub(super) fn entries(&self, service: u32) -> Entries {
        self.entries[service as usize]
    }

    pub(super) fn calls(&self, caller: u32, called: u32) -> bool {
        self.calls.has(caller, called)
    }
}

/// Pairs of services: a bit for each, as long as there are few.
#[derive(Debug)]
enum Pairs {
    Few(Vec<u64>),
    Many(Vec<(u32, u32)>),
}

impl Pairs {
    fn of(services: usize) -> Pairs {
        if services <= u64::BITS as usize { Pairs::Few(vec![0; services]) } else { Pairs::Many(Vec::new()) }
    }

    fn add(&mut self, one: u32, other: u32) {
        match self {
            Pairs::Few(bits) => bits[one as usize] |= 1 << other,
            Pairs::Many(pairs) => pairs.push((one, other)),
        }
    }

    fn settle(&mut self) {
        if let Pairs::Many(pairs) = self {
            pairs.sort_unstable();
            pairs.dedup();
        }
    }

    fn has(&self, one: u32, other: u32) -> bool {
        match self {
            Pairs::Few(bits) => bits[one as usize] & 1 << other != 0,
            Pairs::Many(pairs) => pairs.binary_search(&(one, other)).is_ok(),
        }
    }
}

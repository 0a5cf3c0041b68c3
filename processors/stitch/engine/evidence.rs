//! What the spans that are there show of how a trace's services behave: who calls whom, who does several things at once, who is not waited for.
//!
//! It is read from the trace in hand and from nothing else, so that the same spans always come to the same end.

use tracetailor_core::telemetry::SpanKind;

use super::clocks::JITTER;
use super::messages::Messages;
use super::tree::Tree;
use super::{NOBODY, SpanView};

/// What a trace shows.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Of every span: how many children it has, and whether two of them ran at once.
    families: Vec<Family>,
    /// Of every span the next child of its own parent; and behind them, of every span its first child.
    next: Vec<u32>,
    /// Of every service and kind: how its spans go about their work.
    habits: Vec<Counted>,
    /// Of every service: whether it has children that ended after what began them.
    outlives: Vec<bool>,
    /// Of every service: how it is entered.
    entries: Vec<Entries>,
    /// Which service calls which.
    calls: Pairs,
    /// No span ended before it began.
    pub(super) is_forward: bool,
    has_messages: bool,
    pub(super) messages: Messages,
}

/// One in so many is many.
const MANY: u32 = 3;

/// The children of a span.
#[derive(Clone, Copy, Debug)]
struct Family {
    /// Where its next child is to be written.
    last: u32,
    count: u32,
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
    /// Of a trace with so many spans and services, of which nothing is known yet.
    pub(super) fn clear(&mut self, spans: usize, services: usize) {
        self.families.clear();
        self.families.extend((0..spans).map(|at| Family { last: (spans + at) as u32, count: 0, end: 0, is_parallel: false }));
        self.next.clear();
        self.next.resize(2 * spans, NOBODY);
        self.habits.clear();
        self.habits.resize(services * KINDS, Counted::default());
        self.outlives.clear();
        self.outlives.resize(services, false);
        self.entries.clear();
        self.entries.resize(services, Entries::default());
        self.calls.clear(services);
        self.messages.clear();
        (self.is_forward, self.has_messages) = (true, false);
    }

    /// A span that is there.
    pub(super) fn see(&mut self, span: &SpanView) {
        let entries = &mut self.entries[span.service as usize];
        entries.serves |= span.kind == SpanKind::Server;
        entries.consumes |= span.kind == SpanKind::Consumer;
        self.has_messages |= span.kind == SpanKind::Producer;
        self.is_forward &= span.start <= span.end;
    }

    /// All of them have been seen.
    pub(super) fn settle(&mut self, tree: &Tree<'_>) {
        self.calls.settle();
        if self.has_messages {
            self.messages.read(tree);
        }
    }

    /// A span that is there, below one that is there.
    pub(super) fn below(&mut self, at: u32, span: &SpanView, up: u32, above: &SpanView) {
        self.calls.add(above.service, span.service, span.is_called());
        let habit = &mut self.habits[above.service as usize * KINDS + above.kind as usize];
        let family = &mut self.families[up as usize];
        family.count += 1;
        habit.several += u32::from(family.count == 2);
        self.next[family.last as usize] = at;
        family.last = at;
        if span.process != above.process {
            return;
        }
        if is_after(family.end, span.start) && !family.is_parallel {
            family.is_parallel = true;
            habit.at_once += 1;
        }
        family.end = family.end.max(span.end);
        if above.is_instance && span.kind != SpanKind::Consumer && is_after(span.end, above.end) {
            self.outlives[span.service as usize] = true;
        }
    }

    /// The children of a span, by their start.
    pub(super) fn children(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        let next = |at: usize| Some(self.next[at]).filter(|child| *child != NOBODY);
        std::iter::successors(next(self.families.len() + at as usize), move |child| next(*child as usize))
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

/// Whether one time is after another, clocks or no clocks.
fn is_after(one: u64, other: u64) -> bool {
    one > other.saturating_add(JITTER.unsigned_abs())
}

/// Pairs of services: a bit for each, as long as there are few.
#[derive(Debug, Default)]
struct Pairs {
    has_few: bool,
    bits: Vec<u64>,
    pairs: Vec<(u32, u32)>,
}

impl Pairs {
    fn clear(&mut self, services: usize) {
        self.has_few = services <= u64::BITS as usize;
        self.bits.clear();
        self.bits.resize(if self.has_few { services } else { 0 }, 0);
        self.pairs.clear();
    }

    fn add(&mut self, one: u32, other: u32, is_pair: bool) {
        if self.has_few {
            self.bits[one as usize] |= u64::from(is_pair) << other;
        } else if is_pair {
            self.pairs.push((one, other));
        }
    }

    fn settle(&mut self) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
    }

    fn has(&self, one: u32, other: u32) -> bool {
        match self.has_few {
            true => self.bits[one as usize] & 1 << other != 0,
            false => self.pairs.binary_search(&(one, other)).is_ok(),
        }
    }
}

//! The nearest surviving ancestor of each group of orphans: what can be it by hard rules, and what to say where several can.

use tracetailor_core::telemetry::SpanKind;

use super::clocks::{Clocks, JITTER, apart};
use super::tree::{Anchor, Tree};
use super::{NOBODY, Rules, SpanView, Target};

/// So many candidates are looked at for one trace; after that orphans go to the root.
const MOST_LOOKS: usize = 4_000_000;

/// Finds where every group belongs, the earliest first, so that what was found for one helps with the next.
pub(super) fn anchor(tree: &mut Tree<'_>, rules: &Rules) {
    if tree.groups.is_empty() {
        return;
    }
    let clocks = Clocks::of(tree, rules.clock_tolerance);
    let mut search = Search {
        clocks,
        looks: 0,
        marks: vec![0; tree.spans.len()],
        round: 0,
        outlives: outlives(tree),
        is_parallel: parallel(tree),
        edges: edges(tree),
        claimed: vec![false; tree.spans.len()],
        entries: entries(tree),
        publishers: topics(tree, SpanKind::Producer),
        consumers: topics(tree, SpanKind::Consumer),
        one_consumer: one_consumer(tree),
        is_second: false,
    };
    for group in 0..tree.groups.len() {
        let anchor = search.place_of(tree, group);
        tree.groups[group].anchor = anchor;
        search.claim(tree, group, anchor);
    }
    // What was found for the later ones helps with those that could be in several places.
    for group in 0..tree.groups.len() {
        let is_elsewhere = Absent::of(tree, group).is_elsewhere;
        search.is_second = true;
        if is_elsewhere || matches!(tree.groups[group].anchor, Anchor::Common(_)) {
            let anchor = search.place_of(tree, group);
            tree.groups[group].anchor = anchor;
            search.claim(tree, group, anchor);
        }
    }
}

/// How much of the orphans a span must have been open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// From the beginning of the first to the end of the last.
    All,
    /// To the end of one: the others were begun and not waited for.
    Some,
    /// At the beginning of the first.
    Open,
}

impl Fit {
    const ALL: [Fit; 3] = [Fit::All, Fit::Some, Fit::Open];
}

const SPAWN: i64 = 1_000_000;

struct Search {
    clocks: Clocks,
    looks: usize,
    /// Of every span: the last round in which it was found above a candidate.
    marks: Vec<u32>,
    round: u32,
    /// Services whose spans end after their parents.
    outlives: Vec<u32>,
    /// Spans that had several children at once.
    is_parallel: Vec<bool>,
    /// Which service calls which.
    edges: Vec<(u32, u32)>,
    /// Of every service: whether spans of it serve, and whether they consume.
    entries: Vec<[bool; 2]>,
    /// Of topics: who publishes them, and who consumes.
    publishers: Vec<(u64, u32)>,
    consumers: Vec<(u64, u32)>,
    /// No message of the trace has two consumers.
    one_consumer: bool,
    is_second: bool,
    /// Calls whose answer was found to be a missing parent.
    claimed: Vec<bool>,
}

/// What is known of an absent parent.
struct Absent<'a> {
    /// The earliest of its children.
    child: &'a SpanView,
    /// When the last of its children ended that it waited for; in the earliest one's process.
    end: u64,
    first_end: u64,
    /// It was in another process than its children.
    is_elsewhere: bool,
}

impl Search {
    /// A call has one answer.
    fn claim(&mut self, tree: &Tree<'_>, group: usize, anchor: Anchor) {
        if let Anchor::Single(at) = anchor
            && !Absent::of(tree, group).is_elsewhere
            && (tree.span(at).kind == SpanKind::Client || tree.span(at).kind == SpanKind::Producer && self.one_consumer)
        {
            self.claimed[at as usize] = true;
        }
    }

    fn place_of(&mut self, tree: &Tree<'_>, group: usize) -> Anchor {
        let absent = Absent::of(tree, group);
        let mut candidates = Vec::new();
        if self.looks < MOST_LOOKS {
            for fit in Fit::ALL {
                self.callers(tree, group, &absent, fit, &mut candidates);
                self.encloses(tree, group, &absent, fit, &mut candidates);
                if !candidates.is_empty() {
                    break;
                }
            }
            if self.is_second && absent.is_elsewhere {
                for at in &tree.order {
                    let span = tree.span(*at);
                    let is_lost = span.kind == SpanKind::Producer && !tree.is_taken[*at as usize] && !self.claimed[*at as usize];
                    if is_lost && self.can_precede(span, &absent) && !is_below(tree, *at, group) {
                        candidates.push(*at);
                    }
                }
            }
            if candidates.is_empty() {
                self.producers(tree, group, &absent, &mut candidates);
            }
        }
        match self.choose(tree, &absent, &candidates) {
            Anchor::Nowhere => self.root(tree, group, &absent),
            Anchor::Common(at) => {
                let all = candidates.len();
                let likely = |search: &Search, at: &u32| search.is_likely(tree.span(*at), &absent);
                let is_async = absent.child.kind == SpanKind::Consumer;
                if candidates.iter().any(|at| (is_async || tree.span(*at).is_call()) && likely(self, at)) {
                    candidates.retain(|at| !is_async && !tree.span(*at).is_call() || likely(self, at));
                }
                if self.one_consumer && candidates.iter().any(|at| !tree.is_taken[*at as usize]) {
                    candidates.retain(|at| tree.span(*at).kind != SpanKind::Producer || !tree.is_taken[*at as usize]);
                }
                candidates.retain(|at| !self.claimed[*at as usize] && !self.is_busy(tree, *at, &absent));
                match self.choose(tree, &absent, &candidates) {
                    Anchor::Single(one) if candidates.len() < all => Anchor::Single(one),
                    Anchor::Common(other) => Anchor::Common(other),
                    _ => Anchor::Common(at),
                }
            }
            found => found,
        }
    }

    /// Spans that were open around the orphans and did not call anybody: in their own process where the absent parent was there, else in another.
    fn encloses(&mut self, tree: &Tree<'_>, group: usize, absent: &Absent<'_>, fit: Fit, candidates: &mut Vec<u32>) {
        for at in &tree.order {
            let span = tree.span(*at);
            self.looks += 1;
            if fit == Fit::Open && !self.outlives.contains(&span.service) {
                continue;
            }
            if span.is_call() || span.is_leaf || (span.process == absent.child.process) == absent.is_elsewhere {
                continue;
            }
            if self.can_enclose(span, absent, fit) && !is_below(tree, *at, group) {
                candidates.push(*at);
            }
        }
    }

    /// Calls that nobody has answered and that were meant for the orphans' service: the absent parent is who answered.
    fn callers(&mut self, tree: &Tree<'_>, group: usize, absent: &Absent<'_>, fit: Fit, candidates: &mut Vec<u32>) {
        if self.entries[absent.child.service as usize] == [false, true] && !absent.is_elsewhere {
            return;
        }
        for at in &tree.order {
            let span = tree.span(*at);
            self.looks += 1;
            if span.kind != SpanKind::Client || span.is_leaf || tree.is_taken[*at as usize] {
                continue;
            }
            if absent.may_answer(span) && self.can_enclose(span, absent, fit) && !is_below(tree, *at, group) {
                candidates.push(*at);
            }
        }
    }

    /// Who sent a message before. How long that took says nothing of how long what it caused takes, so any that came before can be it.
    fn producers(&mut self, tree: &Tree<'_>, group: usize, absent: &Absent<'_>, candidates: &mut Vec<u32>) {
        if absent.is_elsewhere || self.entries[absent.child.service as usize] == [true, false] {
            return;
        }
        for at in &tree.order {
            let span = tree.span(*at);
            self.looks += 1;
            if span.kind == SpanKind::Producer && self.can_precede(span, absent) && absent.may_answer(span) && !is_below(tree, *at, group) {
                candidates.push(*at);
            }
        }
    }

    /// Whether a span that does one thing after the other did something else at that time.
    fn is_busy(&mut self, tree: &Tree<'_>, at: u32, absent: &Absent<'_>) -> bool {
        if self.is_parallel[at as usize] {
            return false;
        }
        let span = tree.span(at);
        let ahead = self.clocks.ahead(absent.child, span);
        tree.order.iter().filter(|child| tree.up[**child as usize] == at).any(|child| {
            let child = tree.span(*child);
            child.process == span.process
                && apart(absent.child.start, child.end) - ahead.least < -JITTER
                && apart(absent.end, child.start) - ahead.most > JITTER
        })
    }

    /// Whether a trace shows by other calls that its service calls that of the orphans.
    fn is_likely(&self, span: &SpanView, absent: &Absent<'_>) -> bool {
        let service = absent.child.service;
        match (absent.is_elsewhere, span.is_call()) {
            (true, true) => false,
            (true, false) if absent.child.kind == SpanKind::Consumer => {
                self.publishers.binary_search(&(absent.child.topic, span.service)).is_ok()
            }
            (true, false) => self.edges.binary_search(&(span.service, service)).is_ok(),
            (false, true) if span.kind == SpanKind::Producer => self.consumers.binary_search(&(span.topic, service)).is_ok(),
            (false, true) => span.target == Target::Service(service) || self.edges.binary_search(&(span.service, service)).is_ok(),
            (false, false) => false,
        }
    }

    fn can_precede(&mut self, span: &SpanView, absent: &Absent<'_>) -> bool {
        let ahead = self.clocks.ahead(absent.child, span);
        ahead.least <= apart(absent.child.start, span.start) + JITTER
    }

    fn can_enclose(&mut self, span: &SpanView, absent: &Absent<'_>, fit: Fit) -> bool {
        let most = apart(absent.child.start, span.start) + JITTER;
        if most < -MOST_APART {
            return false;
        }
        let ahead = self.clocks.ahead(absent.child, span);
        let least = match (absent.child.kind, fit) {
            (SpanKind::Consumer, _) => i64::MIN,
            (_, Fit::All) => apart(absent.end, span.end) - JITTER,
            (_, Fit::Some) => apart(absent.first_end, span.end) - JITTER,
            (_, Fit::Open) => apart(absent.child.start, span.end) - SPAWN,
        };
        ahead.least.max(least) <= ahead.most.min(most)
    }

    /// Of spans that can all be it: the one, or what is above all of them.
    fn choose(&mut self, tree: &Tree<'_>, absent: &Absent<'_>, candidates: &[u32]) -> Anchor {
        self.round += 1;
        let round = self.round;
        // What a message causes is not within what sent it.
        let is_async = absent.child.kind == SpanKind::Consumer;
        let (likely, others): (Vec<u32>, Vec<u32>) = candidates.iter().partition(|at| self.is_likely(tree.span(**at), absent));
        for (at, is_likely) in likely.iter().map(|at| (*at, true)).chain(others.iter().map(|at| (*at, false))) {
            for above in tree.line(at).skip(1) {
                if self.marks[above as usize] == round {
                    break;
                }
                if self.is_parallel[above as usize]
                    || is_async
                    || tree.span(at).kind == SpanKind::Producer
                    || !is_likely && likely.contains(&above)
                {
                    continue;
                }
                self.marks[above as usize] = round;
            }
        }
        let lowest: Vec<u32> = candidates.iter().copied().filter(|at| self.marks[*at as usize] != round).collect();
        match lowest[..] {
            [] => Anchor::Nowhere,
            [one] => Anchor::Single(one),
            [first, ref others @ ..] => common(tree, first, others).map_or(Anchor::Nowhere, Anchor::Common),
        }
    }

    /// Below the root there is room for everything that did not begin before it.
    fn root(&mut self, tree: &Tree<'_>, group: usize, absent: &Absent<'_>) -> Anchor {
        let root = match (&tree.roots[..], tree.outside) {
            ([root], _) => *root,
            ([], Some((_, entry))) if tree.span(entry).is_called() && self.can_enclose(tree.span(entry), absent, Fit::All) => entry,
            _ => return Anchor::Nowhere,
        };
        if is_below(tree, root, group) || !self.can_precede(tree.span(root), absent) { Anchor::Nowhere } else { Anchor::Root(root) }
    }
}

/// Clocks that are further apart than this are no clocks: what began so much later encloses nothing.
const MOST_APART: i64 = 3_600_000_000_000;

impl<'a> Absent<'a> {
    fn of(tree: &Tree<'a>, group: usize) -> Absent<'a> {
        let members = tree.members(group);
        let child = tree.span(members[0]);
        let alike = members.iter().map(|at| tree.span(*at)).filter(|span| span.process == child.process && span.kind != SpanKind::Consumer);
        let end = alike.clone().map(|span| span.end).max().unwrap_or(child.end);
        let first_end = alike.map(|span| span.end).min().unwrap_or(child.end);
        Absent { child, end, first_end, is_elsewhere: child.is_called() }
    }

    /// Whether a call may have been meant for it.
    fn may_answer(&self, call: &SpanView) -> bool {
        if self.is_elsewhere {
            return call.target != Target::Service(self.child.service);
        }
        call.process != self.child.process
            && match call.target {
                Target::Unknown => true,
                Target::Service(service) => service == self.child.service,
                Target::Elsewhere => false,
            }
    }
}

/// Whether a span is in one of the group's own trees.
fn is_below(tree: &Tree<'_>, at: u32, group: usize) -> bool {
    tree.line(at).any(|above| tree.group_of[above as usize] == group as u32)
}

/// The nearest span that is above all of them.
fn common(tree: &Tree<'_>, first: u32, others: &[u32]) -> Option<u32> {
    let line: Vec<u32> = tree.line(first).collect();
    let mut lowest = 0;
    for other in others {
        let meets = tree.line(*other).find_map(|above| line.iter().position(|span| *span == above));
        lowest = lowest.max(meets?);
    }
    Some(line[lowest])
}

/// Services in which what is within a process ends after what began it.
fn outlives(tree: &Tree<'_>) -> Vec<u32> {
    let mut services = Vec::new();
    for at in &tree.order {
        let (span, up) = (tree.span(*at), tree.up[*at as usize]);
        if up == NOBODY || tree.span(up).process != span.process || !span.is_instance || span.kind == SpanKind::Consumer {
            continue;
        }
        if apart(span.end, tree.span(up).end) > JITTER && !services.contains(&span.service) {
            services.push(span.service);
        }
    }
    services
}

/// Spans of which two children ran at once.
fn parallel(tree: &Tree<'_>) -> Vec<bool> {
    let mut latest = vec![0; tree.spans.len()];
    let mut parallel = vec![false; tree.spans.len()];
    for at in &tree.order {
        let up = tree.up[*at as usize];
        if up == NOBODY {
            continue;
        }
        let span = tree.span(*at);
        if span.process != tree.span(up).process {
            continue;
        }
        if latest[up as usize] != 0 && apart(latest[up as usize], span.start) > JITTER {
            parallel[up as usize] = true;
        }
        latest[up as usize] = latest[up as usize].max(span.end);
    }
    let mut kinds: Vec<(u32, u8)> =
        tree.order.iter().filter(|at| parallel[**at as usize]).map(|at| (tree.span(*at).service, tree.span(*at).kind as u8)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for at in &tree.order {
        let span = tree.span(*at);
        parallel[*at as usize] = kinds.binary_search(&(span.service, span.kind as u8)).is_ok();
    }
    parallel
}

/// Which service calls which, by the calls that are whole.
fn edges(tree: &Tree<'_>) -> Vec<(u32, u32)> {
    let mut edges: Vec<(u32, u32)> = Vec::new();
    for at in &tree.order {
        let up = tree.up[*at as usize];
        if up != NOBODY && tree.span(*at).is_called() {
            edges.push((tree.span(up).service, tree.span(*at).service));
        }
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Which services serve, and which consume.
fn entries(tree: &Tree<'_>) -> Vec<[bool; 2]> {
    let services = tree.spans.iter().map(|span| span.service + 1).max().unwrap_or(0);
    let mut entries = vec![[false; 2]; services as usize];
    for at in &tree.order {
        let span = tree.span(*at);
        entries[span.service as usize][0] |= span.kind == SpanKind::Server;
        entries[span.service as usize][1] |= span.kind == SpanKind::Consumer;
    }
    entries
}

/// Who has spans of a kind for which topic.
fn topics(tree: &Tree<'_>, kind: SpanKind) -> Vec<(u64, u32)> {
    let spans = tree.order.iter().map(|at| tree.span(*at)).filter(|span| span.kind == kind && span.topic != 0);
    let mut topics: Vec<(u64, u32)> = spans.map(|span| (span.topic, span.service)).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

fn one_consumer(tree: &Tree<'_>) -> bool {
    let mut seen = vec![false; tree.spans.len()];
    tree.order.iter().all(|at| {
        let up = tree.up[*at as usize];
        tree.span(*at).kind != SpanKind::Consumer || up == NOBODY || !std::mem::replace(&mut seen[up as usize], true)
    })
}

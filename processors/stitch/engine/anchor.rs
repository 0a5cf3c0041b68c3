//! The nearest surviving ancestor of each group of orphans: what can be it by hard rules, and what to say where several can.
//!
//! A span can be the one that the orphans' absent parent hung below when
//!
//! 1. it is not below the orphans itself;
//! 2. it was open when they began, and until they ended where it waited for them, as far as clocks can be trusted;
//! 3. it calls nothing that reports no spans, and is no call that was answered;
//! 4. it ran where it must have: if the absent parent was in the orphans' process, it is in that process, too, or a call that nobody has answered and that may
//!    have been meant for them; if it was elsewhere, it is in another process. Only a call leads from one process into another.
//!
//! A call that nobody has answered competes also where the absent parent was elsewhere: then a whole process was lost.
//!
//! Of several, those that something speaks against are taken out, and the others are weighed (`weigh`): by how well the orphans fill a time in which nothing else
//! was done, and by whether what was done at the same time is known to be done at once. What weighs next to nothing goes; the nearest span above all that is left is taken.

mod weigh;

use tracetailor_core::telemetry::SpanKind;

use super::clocks::{Clock, Clocks, JITTER, apart};
use super::evidence::{Entries, Evidence};
use super::index::{Index, Where};
use super::tree::{Anchor, Tree};
use super::{NOBODY, Rules, SpanView, Target};

/// So many candidates are looked at for one trace; after that orphans go to the root.
const MOST_LOOKS: usize = 1_000_000;
/// What is begun and not waited for may begin this much after its parent has ended.
const SPAWN: i64 = 1_000_000;
/// Nothing is open for longer than this; a span that began so much later than another by its own clock is not around it.
const MOST_APART: i64 = 3_600_000_000_000;

/// Finds where groups belong. Its tables are of one trace, and filled anew for the next.
#[derive(Debug, Default)]
pub(super) struct Search {
    clocks: Clocks,
    evidence: Evidence,
    /// Spans that anything can hang below: neither answered calls nor such as nobody answers.
    open: Vec<u32>,
    /// The same by process and by when they were open.
    index: Index,
    /// Scratch for what was found in it.
    found: Vec<u32>,
    looks: usize,
    /// Calls whose answer was found to be a missing parent.
    is_claimed: Vec<bool>,
    /// How many are.
    claims: usize,
    is_second_look: bool,
    /// Every absent parent was in another process than its orphans: then it looks as if all of a process were lost.
    is_process_lost: bool,
    /// Of every span: the last round in which it was on the line of the first candidate, and where.
    on_line: Vec<(u32, u32)>,
    round: u32,
    /// Scratch: who can be the one, and what each weighs.
    candidates: Vec<Candidate>,
    weights: Vec<(f64, u32)>,
    /// Scratch: a candidate and all above it.
    line: Vec<u32>,
}

/// A span that can be the one.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    at: u32,
    fit: Fit,
}

/// What is known of an absent parent.
struct Absent<'a> {
    group: usize,
    /// The earliest of its children.
    child: &'a SpanView,
    clock: Clock,
    /// When the last of its children began.
    last_start: u64,
    /// When the first and the last of its children ended, by the clock of the earliest.
    first_end: u64,
    last_end: u64,
    /// It was in another process than its children.
    is_elsewhere: bool,
}

impl<'a> Absent<'a> {
    fn of(tree: &Tree<'a>, group: usize, clocks: &mut Clocks) -> Absent<'a> {
        let members = tree.members(group);
        let child = tree.span(members[0]);
        let alike = members.iter().map(|at| tree.span(*at)).filter(|span| span.process == child.process && span.kind != SpanKind::Consumer);
        let ends = alike.map(|span| span.end);
        Absent {
            group,
            child,
            clock: clocks.of(child),
            last_start: members.iter().map(|at| tree.span(*at).start).max().unwrap_or(child.start),
            first_end: ends.clone().min().unwrap_or(child.end),
            last_end: ends.max().unwrap_or(child.end),
            is_elsewhere: child.is_called(),
        }
    }

    /// What a message causes is not within what sent it.
    fn is_message(&self) -> bool {
        self.child.kind == SpanKind::Consumer
    }

    /// When a span must have ended at the earliest, and begun at the latest, to fit around the orphans, whatever its clock says.
    fn window(&self) -> Window {
        let widest = self.clock.widest.unsigned_abs();
        let from = self.child.start.saturating_sub(widest + (JITTER + SPAWN).unsigned_abs());
        Window { from: if self.is_message() { 0 } else { from }, until: self.child.start.saturating_add(widest + JITTER.unsigned_abs()) }
    }
}

/// From when on, and until when.
struct Window {
    from: u64,
    until: u64,
}

/// How well a span fits around orphans, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// From the beginning of the first to the end of the last.
    All,
    /// To the end of one: the others were begun and not waited for.
    One,
    /// At the beginning of the first: none was waited for.
    Begun,
}

impl Search {
    /// Finds where every group belongs, the earliest first, so that what was found for one helps with the next.
    pub(super) fn anchor(&mut self, tree: &mut Tree<'_>, rules: &Rules) {
        if !tree.groups.is_empty() {
            self.read(tree, rules);
            self.settle_all(tree);
        }
    }

    /// Fills the tables.
    fn read(&mut self, tree: &Tree<'_>, rules: &Rules) {
        let numbers =
            tree.spans.iter().fold((0, 0), |(processes, services), span| (span.process.max(processes), span.service.max(services)));
        let (processes, services) = (numbers.0 as usize + 1, numbers.1 as usize + 1);
        self.open.clear();
        self.index.clear(processes);
        self.clocks.clear(rules.clock_tolerance, processes);
        self.evidence.clear(tree.spans.len(), services);
        for at in &tree.order {
            let (span, up) = (tree.span(*at), tree.up[*at as usize]);
            self.evidence.see(span);
            let is_answered = span.kind == SpanKind::Client && tree.is_taken[*at as usize];
            if !(span.is_leaf || is_answered) {
                self.index.push(self.open.len() as u32, span);
                self.open.push(*at);
            }
            if up == NOBODY {
                continue;
            }
            let above = tree.span(up);
            self.evidence.below(*at, span, up, above);
            if span.process != above.process {
                self.clocks.see(above, span);
            }
        }
        self.index.settle(tree, &self.open);
        self.clocks.settle();
        self.evidence.settle(tree);
        self.is_claimed.clear();
        self.is_claimed.resize(tree.spans.len(), false);
        self.on_line.clear();
        self.on_line.resize(tree.spans.len(), (0, 0));
        (self.round, self.looks, self.claims, self.is_second_look) = (0, 0, 0, false);
        let mut groups = 0..tree.groups.len();
        self.is_process_lost = groups.len() > 1 && groups.all(|group| tree.span(tree.members(group)[0]).is_called());
    }

    fn settle_all(&mut self, tree: &mut Tree<'_>) {
        let mut claims = Vec::with_capacity(tree.groups.len());
        for group in 0..tree.groups.len() {
            self.settle(tree, group);
            claims.push(self.claims);
        }
        // And what was found for the later ones helps with those before them.
        self.is_second_look = true;
        for (group, claims) in claims.into_iter().enumerate() {
            let is_elsewhere = tree.span(tree.members(group)[0]).is_called();
            let is_unsure = is_elsewhere || matches!(tree.groups[group].anchor, Anchor::Common(_));
            if is_unsure && (claims < self.claims || self.index.has_senders()) {
                self.settle(tree, group);
            }
        }
    }

    /// Finds the place of one group.
    fn settle(&mut self, tree: &mut Tree<'_>, group: usize) {
        let absent = Absent::of(tree, group, &mut self.clocks);
        let anchor = match self.choose(tree, &absent) {
            Anchor::Nowhere => self.root(tree, &absent),
            found => found,
        };
        tree.groups[group].anchor = anchor;
        if let Anchor::Single(at) = anchor {
            let answers = match tree.span(at).kind {
                SpanKind::Client => true,
                SpanKind::Producer => self.evidence.messages.has_one_consumer_each,
                _ => false,
            };
            if answers && !absent.is_elsewhere && !self.is_claimed[at as usize] {
                self.is_claimed[at as usize] = true;
                self.claims += 1;
            }
        }
    }

    fn choose(&mut self, tree: &Tree<'_>, absent: &Absent<'_>) -> Anchor {
        let (mut candidates, mut weights) = (std::mem::take(&mut self.candidates), std::mem::take(&mut self.weights));
        self.find(tree, absent, &mut candidates);
        self.hear(tree, absent, &mut candidates);
        self.weigh(tree, absent, &candidates, &mut weights);
        let anchor = match weigh::heavy(&weights, self.care()) {
            [] => Anchor::Nowhere,
            [(_, one)] => Anchor::Single(*one),
            [(_, first), others @ ..] => self.common(tree, *first, others).map_or(Anchor::Nowhere, Anchor::Common),
        };
        (self.candidates, self.weights) = (candidates, weights);
        anchor
    }

    /// Whatever satisfies the rules.
    fn find(&mut self, tree: &Tree<'_>, absent: &Absent<'_>, candidates: &mut Vec<Candidate>) {
        candidates.clear();
        if self.looks > MOST_LOOKS {
            return;
        }
        let Window { from, until } = absent.window();
        let at = if absent.is_elsewhere { Where::Elsewhere } else { Where::Here(absent.child.process) };
        let mut found = std::mem::take(&mut self.found);
        self.looks += self.index.open(at, from, until, &mut found);
        for place in &found {
            let at = self.open[*place as usize];
            let span = tree.span(at);
            if !self.can_stand_above(span, absent) {
                continue;
            }
            let Some(fit) = self.fit(span, absent) else { continue };
            if !self.is_below(tree, at, absent.group) {
                candidates.push(Candidate { at, fit });
            }
        }
        self.found = found;
        if absent.is_elsewhere && (self.is_second_look || self.is_process_lost) || candidates.is_empty() && !absent.is_elsewhere {
            self.senders(tree, absent, until, candidates);
        }
    }

    /// Whether it was in the right process, or leads into it.
    fn can_stand_above(&self, span: &SpanView, absent: &Absent<'_>) -> bool {
        let is_here = span.process == absent.child.process;
        match (span.kind, absent.is_elsewhere) {
            (SpanKind::Producer, _) => false,
            (SpanKind::Client, true) => span.target != Target::Service(absent.child.service),
            (SpanKind::Client, false) => {
                let consumes_only = Entries { serves: false, consumes: true };
                let is_meant = matches!(span.target, Target::Unknown) || span.target == Target::Service(absent.child.service);
                !is_here && is_meant && self.evidence.entries(absent.child.service) != consumes_only
            }
            (_, is_elsewhere) => is_here != is_elsewhere,
        }
    }

    /// How well a span fits around the orphans, whatever the clocks' difference may have been.
    fn fit(&self, span: &SpanView, absent: &Absent<'_>) -> Option<Fit> {
        let most = apart(absent.child.start, span.start) + JITTER;
        if most < -MOST_APART {
            return None;
        }
        let ahead = self.clocks.ahead(absent.clock, span);
        let most = most.min(ahead.most);
        let fits = |least: i64| ahead.least.max(least) <= most;
        let may_outlive = span.kind == SpanKind::Client || self.evidence.outlives(span.service);
        if absent.is_message() && ahead.least <= most || fits(apart(absent.last_end, span.end) - JITTER) {
            Some(Fit::All)
        } else if fits(apart(absent.first_end, span.end) - JITTER) {
            Some(Fit::One)
        } else {
            (may_outlive && fits(apart(absent.child.start, span.end) - SPAWN)).then_some(Fit::Begun)
        }
    }

    /// Whoever sent a message before. How long the sending took says nothing of how long what it caused takes, so any can be it. Where the absent parent
    /// was elsewhere, only one whose message nobody is known to have taken: then who took it was lost with all that it did.
    fn senders(&mut self, tree: &Tree<'_>, absent: &Absent<'_>, until: u64, candidates: &mut Vec<Candidate>) {
        let serves_only = Entries { serves: true, consumes: false };
        if !absent.is_elsewhere && self.evidence.entries(absent.child.service) == serves_only {
            return;
        }
        for turn in 0..self.index.senders(until).len() {
            let at = self.open[self.index.senders(until)[turn].1 as usize];
            self.looks += 1;
            let is_known = !self.is_process_lost && (tree.is_taken[at as usize] || self.is_claimed[at as usize]);
            if absent.is_elsewhere && is_known || self.looks > MOST_LOOKS {
                continue;
            }
            let may_lead = absent.is_elsewhere || tree.span(at).process != absent.child.process;
            if may_lead && self.precedes(tree.span(at), absent) && !self.is_below(tree, at, absent.group) {
                candidates.push(Candidate { at, fit: Fit::All });
            }
        }
    }

    fn precedes(&self, span: &SpanView, absent: &Absent<'_>) -> bool {
        let ahead = self.clocks.ahead(absent.clock, span);
        ahead.least <= apart(absent.child.start, span.start) + JITTER
    }

    /// Takes out what something speaks against, as long as something is left that it does not speak against.
    fn hear(&mut self, tree: &Tree<'_>, absent: &Absent<'_>, candidates: &mut Vec<Candidate>) {
        // Among those that lead from one process to another, those that are known to lead there.
        let leads = |at: u32| absent.is_message() || tree.span(at).is_call();
        if candidates.iter().any(|candidate| leads(candidate.at) && self.is_likely(tree.span(candidate.at), absent)) {
            candidates.retain(|candidate| !leads(candidate.at) || self.is_likely(tree.span(candidate.at), absent));
        }
        let is_free = |candidate: &Candidate| tree.span(candidate.at).kind != SpanKind::Producer || !tree.is_taken[candidate.at as usize];
        if self.evidence.messages.has_one_consumer_each && candidates.iter().any(is_free) {
            candidates.retain(is_free);
        }
        if candidates.iter().any(|candidate| !self.is_claimed[candidate.at as usize]) {
            candidates.retain(|candidate| !self.is_claimed[candidate.at as usize]);
        }
    }

    /// Whether the trace shows elsewhere that one leads to the other.
    fn is_likely(&self, span: &SpanView, absent: &Absent<'_>) -> bool {
        let service = absent.child.service;
        match (absent.is_elsewhere, span.kind) {
            (true, SpanKind::Client | SpanKind::Producer) => false,
            (true, _) if absent.is_message() => self.evidence.messages.publishes(span.service, absent.child.topic),
            (true, _) => self.evidence.calls(span.service, service),
            (false, SpanKind::Client) => span.target == Target::Service(service) || self.evidence.calls(span.service, service),
            (false, _) => false,
        }
    }

    /// Whether a span is in one of the group's own trees, or in one that was put below them.
    fn is_below(&mut self, tree: &Tree<'_>, at: u32, group: usize) -> bool {
        let mut at = at;
        loop {
            self.looks += 1;
            let above = tree.group_of[tree.top[at as usize] as usize];
            if above == group as u32 {
                return true;
            }
            at = match above {
                NOBODY => return false,
                above => tree.groups[above as usize].anchor.span(),
            };
            if at == NOBODY {
                return false;
            }
            if self.looks > 2 * MOST_LOOKS {
                // Nobody knows; what is below cannot be above.
                return true;
            }
        }
    }

    /// The nearest span that is above all of them.
    fn common(&mut self, tree: &Tree<'_>, first: u32, others: &[(f64, u32)]) -> Option<u32> {
        self.round += 1;
        self.line.clear();
        self.line.extend(tree.line(first));
        for (place, at) in self.line.iter().enumerate() {
            self.on_line[*at as usize] = (self.round, place as u32);
        }
        let mut lowest = 0;
        for (_, other) in others {
            self.looks += self.line.len();
            if self.looks > MOST_LOOKS {
                return None;
            }
            let meets = tree.line(*other).map(|above| self.on_line[above as usize]).find(|(round, _)| *round == self.round);
            lowest = lowest.max(meets?.1);
        }
        self.line.get(lowest as usize).copied()
    }

    /// Below the root there is room for everything.
    fn root(&mut self, tree: &Tree<'_>, absent: &Absent<'_>) -> Anchor {
        let root = match (&tree.roots[..], tree.outside) {
            ([root], _) => *root,
            ([], Some((_, entry))) if tree.span(entry).is_called() && self.fit(tree.span(entry), absent) == Some(Fit::All) => entry,
            _ => return Anchor::Nowhere,
        };
        // Whatever begins before the one root of its trace does so by a clock that is wrong.
        if self.is_below(tree, root, absent.group) { Anchor::Nowhere } else { Anchor::Root(root) }
    }
}

#[cfg(test)]
mod tests {
    use tracetailor_core::telemetry::{SpanId, TraceId};

    use super::super::ids::Ids;
    use super::*;

    #[test]
    fn work_is_bounded_where_everything_fits_everywhere() {
        let span = |number: u64, parent: u64| SpanView {
            id: SpanId((1_000_000 + number).to_be_bytes()),
            parent: SpanId(parent.to_be_bytes()),
            start: 1_000 + number,
            end: 1_000_000,
            kind: SpanKind::Internal,
            ..SpanView::EMPTY
        };
        let open = (1..4_000).map(|number| span(number, 1_000_000));
        let orphans = (4_000..8_000).map(|number| span(number, 5_000_000 + number));
        let spans: Vec<SpanView> = std::iter::once(span(0, 0)).chain(open).chain(orphans).collect();
        let mut tree = Tree::of(&spans, Ids::of(TraceId([1; 16]), &spans));
        tree.cut_cycles();
        tree.find_orphans(true);
        let mut search = Search::default();
        search.anchor(&mut tree, &Rules::default());
        assert!(tree.groups.len() == 4_000 && search.looks > MOST_LOOKS && search.looks < 3 * MOST_LOOKS, "{}", search.looks);
    }
}

//! Counts what is right and what is wrong in a repaired trace, against what it truly was.

use tracetailor_core::telemetry::SpanId;
use tracetailor_processors::stitch::engine::{Anchored, Plan, Role};

use super::truth::{Seen, TrueSpan};

/// A repaired trace: who stands above whom, spans that were made passed over. Spans are numbered as in the truth.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// Of every span that survived: the nearest survivor above it.
    pub(crate) above: Vec<Option<usize>>,
    /// Of every orphan: how its place was found.
    pub(crate) label: Vec<Option<Anchored>>,
    /// Of every orphan: the span that was made above it.
    pub(crate) made: Vec<Option<SpanId>>,
}

impl Outcome {
    /// What a plan makes of what was seen.
    pub(crate) fn of(trace: &[TrueSpan], seen: &Seen, plan: &Plan) -> Outcome {
        let count = trace.len();
        let mut outcome = Outcome { above: vec![None; count], label: vec![None; count], made: vec![None; count] };
        let parent_of = |view: usize| {
            let touch = plan.touched.iter().find(|touch| touch.span == view).and_then(|touch| touch.parent);
            touch.unwrap_or(seen.views[view].parent)
        };
        let span_of = |id: SpanId| seen.views.iter().position(|view| view.id == id);
        let made_of = |id: SpanId| plan.made.iter().find(|made| made.id == id);
        for view in 0..seen.views.len() {
            let mut parent = parent_of(view);
            for _ in 0..=plan.made.len() {
                let Some(made) = made_of(parent).filter(|_| span_of(parent).is_none()) else { break };
                let labelled = &mut outcome.label[seen.whose[view]];
                *labelled = labelled.or(Some(made.anchored).filter(|_| made.role != Role::Root));
                outcome.made[seen.whose[view]] = outcome.made[seen.whose[view]].or(Some(made.id));
                parent = made.parent;
            }
            outcome.above[seen.whose[view]] = span_of(parent).map(|at| seen.whose[at]);
        }
        outcome
    }
}

/// How many of what; adds up over traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Score {
    /// Traces.
    pub(crate) traces: u64,
    /// Traces without a false pair.
    pub(crate) traces_without_fault: u64,
    /// Orphans that have an ancestor left.
    pub(crate) orphans: u64,
    /// Of these, below the nearest one.
    pub(crate) exact: u64,
    /// Below a further one.
    pub(crate) above: u64,
    /// Below none of them.
    pub(crate) wrong: u64,
    /// Below nobody.
    pub(crate) alone: u64,
    /// Orphans that have no ancestor left.
    pub(crate) ends: u64,
    /// Of these, below somebody all the same.
    pub(crate) false_joins: u64,
    /// Pairs of a survivor and a surviving ancestor, in truth.
    pub(crate) true_pairs: u64,
    /// The same, in what came out.
    pub(crate) found_pairs: u64,
    /// In both.
    pub(crate) right_pairs: u64,
    /// Pairs of orphans that one made span stands above, though their parents were not one; or the other way round.
    pub(crate) false_siblings: u64,
    /// For each way a place was found: orphans, exact ones, those below a further ancestor, wrong ones.
    pub(crate) by_label: [[u64; 4]; 4],
}

/// Scores one trace.
pub(crate) fn score(trace: &[TrueSpan], lost: &[bool], outcome: &Outcome) -> Score {
    let mut score = Score { traces: 1, ..Score::default() };
    for at in (0..trace.len()).filter(|at| !lost[*at]) {
        let truly = true_line(trace, lost, at);
        let found = found_line(outcome, at);
        let right = found.iter().filter(|above| truly.contains(above)).count() as u64;
        score.true_pairs += truly.len() as u64;
        score.found_pairs += found.len() as u64;
        score.right_pairs += right;
        if trace[at].parent.is_some_and(|parent| lost[parent]) {
            score.orphan(&truly, outcome.above[at], outcome.label[at]);
        }
    }
    score.traces_without_fault = u64::from(score.found_pairs == score.right_pairs);
    score.false_siblings = false_siblings(trace, lost, outcome);
    score
}

impl Score {
    fn orphan(&mut self, truly: &[usize], found: Option<usize>, label: Option<Anchored>) {
        let Some(nearest) = truly.first() else {
            self.ends += 1;
            self.false_joins += u64::from(found.is_some());
            return;
        };
        let kind = match found {
            None => 3,
            Some(found) if found == *nearest => 0,
            Some(found) if truly.contains(&found) => 1,
            Some(_) => 2,
        };
        self.orphans += 1;
        *[&mut self.exact, &mut self.above, &mut self.wrong, &mut self.alone][kind] += 1;
        if let Some(label) = label {
            let counts = &mut self.by_label[label as usize];
            counts[0] += 1;
            if kind < 3 {
                counts[1 + kind] += 1;
            }
        }
    }

    /// Together.
    pub(crate) fn add(&mut self, other: &Score) {
        self.traces += other.traces;
        self.traces_without_fault += other.traces_without_fault;
        self.orphans += other.orphans;
        self.exact += other.exact;
        self.above += other.above;
        self.wrong += other.wrong;
        self.alone += other.alone;
        self.ends += other.ends;
        self.false_joins += other.false_joins;
        self.true_pairs += other.true_pairs;
        self.found_pairs += other.found_pairs;
        self.right_pairs += other.right_pairs;
        self.false_siblings += other.false_siblings;
        for (own, other) in self.by_label.iter_mut().flatten().zip(other.by_label.iter().flatten()) {
            *own += other;
        }
    }

    /// So many of the orphans, in hundredths.
    pub(crate) fn share(&self, count: u64) -> f64 {
        100.0 * count as f64 / self.orphans.max(1) as f64
    }

    /// Of the pairs that came out, how many are true.
    pub(crate) fn precision(&self) -> f64 {
        share_of(self.right_pairs, self.found_pairs)
    }

    /// Of the true pairs, how many came out.
    pub(crate) fn recall(&self) -> f64 {
        share_of(self.right_pairs, self.true_pairs)
    }
}

/// Of nothing everything is right.
fn share_of(right: u64, all: u64) -> f64 {
    if all == 0 { 1.0 } else { right as f64 / all as f64 }
}

/// The survivors truly above a span, the nearest first.
fn true_line(trace: &[TrueSpan], lost: &[bool], at: usize) -> Vec<usize> {
    std::iter::successors(trace[at].parent, |above| trace[*above].parent).filter(|above| !lost[*above]).collect()
}

/// Those above it in what came out. Whoever is met twice is met once: a ring is somebody else's fault to find.
fn found_line(outcome: &Outcome, at: usize) -> Vec<usize> {
    let mut line = Vec::new();
    let mut next = outcome.above[at];
    while let Some(above) = next.filter(|above| !line.contains(above)) {
        line.push(above);
        next = outcome.above[above];
    }
    line
}

fn false_siblings(trace: &[TrueSpan], lost: &[bool], outcome: &Outcome) -> u64 {
    let orphans: Vec<usize> = (0..trace.len()).filter(|at| !lost[*at] && trace[*at].parent.is_some_and(|parent| lost[parent])).collect();
    let mut wrong = 0;
    for (place, one) in orphans.iter().enumerate() {
        for other in &orphans[place + 1..] {
            let truly = trace[*one].parent == trace[*other].parent;
            let found = outcome.made[*one].is_some() && outcome.made[*one] == outcome.made[*other];
            let was_made = outcome.made[*one].is_some() && outcome.made[*other].is_some();
            wrong += u64::from(was_made && truly != found);
        }
    }
    wrong
}

#[cfg(test)]
#[path = "score_tests.rs"]
mod tests;

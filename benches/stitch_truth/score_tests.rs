//! A lenient scorer is the real danger: known faults must be counted, each exactly.

use tracetailor_core::telemetry::SpanKind;
use tracetailor_core::testing::Dice;

use super::*;
use crate::loss::Loss;
use crate::topologies::TOPOLOGIES;

/// What a perfect repair would come to.
fn perfect(trace: &[TrueSpan], lost: &[bool]) -> Outcome {
    let nearest = |at: usize| if lost[at] { None } else { true_line(trace, lost, at).first().copied() };
    let count = trace.len();
    Outcome { above: (0..count).map(nearest).collect(), label: vec![None; count], made: vec![None; count] }
}

/// 0 above 1 and 4, 1 above 2, 2 above 3; 2 is lost.
fn small() -> (Vec<TrueSpan>, Vec<bool>) {
    let span = |parent: Option<usize>| TrueSpan {
        parent,
        service: 0,
        instance: 0,
        kind: SpanKind::Internal,
        start: 0,
        end: 1,
        target: None,
        topic: 0,
        is_leaf: false,
    };
    (vec![span(None), span(Some(0)), span(Some(1)), span(Some(2)), span(Some(0))], vec![false, false, true, false, false])
}

fn counts(score: &Score) -> (u64, u64, u64, u64, u64, u64, u64) {
    (score.exact, score.above, score.wrong, score.alone, score.true_pairs, score.found_pairs, score.right_pairs)
}

#[test]
fn every_place_counts_as_what_it_is() {
    let (trace, lost) = small();
    let mut outcome = perfect(&trace, &lost);
    assert_eq!(counts(&score(&trace, &lost, &outcome)), (1, 0, 0, 0, 4, 4, 4));
    outcome.above[3] = Some(0);
    assert_eq!(counts(&score(&trace, &lost, &outcome)), (0, 1, 0, 0, 4, 3, 3));
    outcome.above[3] = Some(4);
    assert_eq!(counts(&score(&trace, &lost, &outcome)), (0, 0, 1, 0, 4, 4, 3));
    outcome.above[3] = None;
    assert_eq!(counts(&score(&trace, &lost, &outcome)), (0, 0, 0, 1, 4, 2, 2));
}

#[test]
fn an_orphan_without_ancestors_is_joined_falsely_or_not() {
    let (trace, mut lost) = small();
    (lost[0], lost[1]) = (true, true);
    let mut outcome = perfect(&trace, &lost);
    let right = score(&trace, &lost, &outcome);
    assert_eq!((right.orphans, right.ends, right.false_joins, right.traces_without_fault), (0, 2, 0, 1));
    outcome.above[3] = Some(4);
    let wrong = score(&trace, &lost, &outcome);
    assert_eq!((wrong.orphans, wrong.ends, wrong.false_joins, wrong.traces_without_fault), (0, 2, 1, 0));
}

#[test]
fn siblings_that_are_torn_apart_or_thrown_together_are_counted() {
    let (mut trace, lost) = small();
    trace[4].parent = Some(2);
    let mut outcome = perfect(&trace, &lost);
    (outcome.made[3], outcome.made[4]) = (Some(SpanId([1; 8])), Some(SpanId([1; 8])));
    assert_eq!(score(&trace, &lost, &outcome).false_siblings, 0);
    outcome.made[4] = Some(SpanId([2; 8]));
    assert_eq!(score(&trace, &lost, &outcome).false_siblings, 1);
    trace[4].parent = Some(0);
    outcome.made[4] = Some(SpanId([1; 8]));
    assert_eq!(score(&trace, &lost, &outcome).false_siblings, 0, "it is no orphan");
}

/// Faults put into perfect repairs of real topologies change the counts by what they are, and nothing else.
#[test]
fn injected_misplacements_are_counted_exactly() {
    let mut injected = 0;
    for (number, topology) in TOPOLOGIES.iter().enumerate() {
        for seed in 0..20 {
            let trace = (topology.trace)(1, seed);
            let lost = Loss::Single(10).of(&trace, seed);
            injected += inject(&trace, &lost, &mut Dice::new(seed * 100 + number as u64));
        }
    }
    assert!(injected > 200, "{injected} faults are no test");
}

/// Moves one orphan after the other and looks at the difference that each makes.
fn inject(trace: &[TrueSpan], lost: &[bool], dice: &mut Dice) -> u64 {
    let mut outcome = perfect(trace, lost);
    let perfect = score(trace, lost, &outcome);
    assert_eq!((perfect.exact, perfect.precision(), perfect.recall()), (perfect.orphans, 1.0, 1.0));
    let survivors: Vec<usize> = (0..trace.len()).filter(|at| !lost[*at]).collect();
    let leaves = |at: &usize| {
        let orphan = trace[*at].parent.is_some_and(|parent| lost[parent]);
        orphan && !true_line(trace, lost, *at).is_empty() && !trace.iter().any(|span| span.parent == Some(*at))
    };
    let moved: Vec<usize> = survivors.iter().copied().filter(leaves).collect();
    let (mut wrong, mut above, mut alone) = (0, 0, 0);
    for at in &moved {
        let line = true_line(trace, lost, *at);
        let stranger = survivors[dice.below(survivors.len())];
        outcome.above[*at] = match dice.below(3) {
            0 => None,
            1 if line.len() > 1 => Some(line[1]),
            _ if stranger == *at || line.contains(&stranger) || moved.contains(&stranger) => None,
            _ => Some(stranger),
        };
        match outcome.above[*at] {
            None => alone += 1,
            Some(found) if line.contains(&found) => above += 1,
            Some(_) => wrong += 1,
        }
    }
    let scored = score(trace, lost, &outcome);
    assert_eq!((scored.wrong, scored.above, scored.alone), (wrong, above, alone));
    assert_eq!(scored.exact, perfect.exact - wrong - above - alone);
    assert_eq!(scored.true_pairs, perfect.true_pairs);
    let expected: usize = survivors.iter().map(|at| found_line(&outcome, *at).len()).sum();
    assert_eq!(scored.found_pairs, expected as u64);
    wrong + above + alone
}

//! Verdicts on traces that are gone, against a plain map with times.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::bench::{Bench, span_id, time};
use crate::component::Verdict;
use crate::time::LogTime;
use crate::trace_store::Budget;
use crate::trace_store::memory::{Known, Memory, Remember};

/// Steps are of two seconds, because the memory's own clock is coarse: it counts in 1.07 s.
const STEP: u64 = 2_000;
const TIME: u64 = 30;

fn remember(kept: u64, dropped: u64) -> Remember {
    Remember {
        time: Duration::from_millis(TIME * STEP),
        kept: Budget::new(kept),
        dropped: Budget::new(dropped),
        skeletons: Budget::unlimited(),
    }
}

fn known(bench: &Bench, trace: u64) -> Known {
    let cause = bench.cause(&format!("cause {}", trace % 3));
    let verdict = if trace.is_multiple_of(4) { Verdict::keep(cause).with_note(trace) } else { Verdict::drop(cause) };
    Known { verdict, generation: (trace % 7) as u16, when: LogTime(0) }
}

/// Without the time, which is known to about a second.
fn timeless(known: Option<Known>) -> Option<Known> {
    known.map(|known| Known { when: LogTime(0), ..known })
}

#[derive(Clone, Debug)]
enum Step {
    Remember(u64),
    Recall(u64),
    Pass(u64),
    Trim,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u64..60).prop_map(Step::Remember),
        4 => (1u64..60).prop_map(Step::Recall),
        2 => (1u64..12).prop_map(Step::Pass),
        2 => Just(Step::Trim),
    ]
}

/// A verdict of the plain memory: when it was last moved to the back, and the order of that.
struct Plain {
    when: u64,
    order: u64,
}

fn trim(plain: &mut HashMap<u64, Plain>, now: u64, kept: u64, dropped: u64) {
    plain.retain(|_, verdict| verdict.when + TIME >= now);
    for (most, is_kept) in [(kept, true), (dropped, false)] {
        let mut order: Vec<(u64, u64)> =
            plain.iter().filter(|(trace, _)| trace.is_multiple_of(4) == is_kept).map(|(trace, verdict)| (verdict.order, *trace)).collect();
        order.sort_unstable();
        let too_many = order.len().saturating_sub(most as usize);
        for (_, trace) in &order[..too_many] {
            plain.remove(trace);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn agrees_with_a_plain_map(kept in 1u64..8, dropped in 1u64..20, steps in proptest::collection::vec(step(), 0..150)) {
        let bench = Bench::new();
        let mut memory = Memory::new(remember(kept, dropped));
        let mut plain: HashMap<u64, Plain> = HashMap::new();
        let (mut now, mut order) = (100, 0);
        for step in steps {
            order += 1;
            match step {
                Step::Remember(trace) => {
                    memory.remember(trace, known(&bench, trace), time(now * STEP));
                    plain.insert(trace, Plain { when: now, order });
                }
                Step::Recall(trace) => {
                    let recalled = memory.recall(trace, time(now * STEP));
                    let expected = plain.get_mut(&trace).filter(|verdict| verdict.when + TIME >= now);
                    // The note of a dropped trace is not kept, and none was given.
                    prop_assert_eq!(timeless(recalled), expected.is_some().then(|| known(&bench, trace)));
                    let age = recalled.map(|recalled| time(now * STEP).since(recalled.when));
                    prop_assert!(age.is_none_or(|age| age <= Duration::from_millis(TIME * STEP + 1_100)), "{age:?}");
                    if let Some(verdict) = expected
                        && verdict.when + TIME / 2 < now
                    {
                        *verdict = Plain { when: now, order };
                    }
                }
                Step::Pass(steps) => now += steps,
                Step::Trim => {
                    memory.trim(time(now * STEP));
                    trim(&mut plain, now, kept, dropped);
                    let count = plain.keys().filter(|trace| trace.is_multiple_of(4)).count() as u64;
                    prop_assert_eq!(memory.len(), (count, plain.len() as u64 - count));
                }
            }
        }
    }
}

#[test]
fn many_dropped_traces_do_not_push_out_the_few_kept() {
    let bench = Bench::new();
    let mut memory = Memory::new(remember(10, 100));
    memory.remember(4, known(&bench, 4), time(0));
    for trace in (1..10_001).filter(|trace| trace % 4 != 0) {
        memory.remember(trace, known(&bench, trace), time(0));
        memory.trim(time(0));
    }
    assert_eq!(memory.len(), (1, 100));
    assert_eq!(timeless(memory.recall(4, time(0))), Some(known(&bench, 4)));
}

#[test]
fn without_room_nothing_is_remembered() {
    let bench = Bench::new();
    let mut memory = Memory::new(Remember::nothing());
    memory.remember(1, known(&bench, 1), time(0));
    assert_eq!((memory.recall(1, time(0)), memory.len()), (None, (0, 0)));
}

#[test]
fn the_oldest_skeletons_go_when_there_are_too_many_bytes_of_them() {
    let bench = Bench::new();
    let limits = Remember { skeletons: Budget::new(2_000), ..remember(100, 100) };
    let budget = limits.skeletons.clone();
    let mut memory = Memory::new(limits);
    for trace in (1..=40).map(|n| n * 4) {
        memory.remember(trace, known(&bench, trace), time(0));
        memory.attach(trace, (0..10).map(span_id).collect::<Vec<_>>().into_iter());
    }
    memory.trim(time(0));
    assert!(budget.spent() <= 2_000);
    assert!(memory.skeleton(4).is_none(), "the oldest has none any longer");
    assert!(memory.recall(4, time(0)).is_some(), "but its verdict stays");
    let newest = memory.skeleton(160).expect("the newest has one");
    assert!(newest.has(span_id(3)) && !newest.has(span_id(30)));
    memory.trim(time(10 * TIME * STEP));
    assert_eq!((memory.len(), budget.spent()), ((0, 0), 0), "all are too old");
}

#[test]
fn a_verdict_that_is_asked_for_keeps_its_skeleton() {
    let bench = Bench::new();
    let mut memory = Memory::new(remember(10, 10));
    memory.remember(8, known(&bench, 8), time(0));
    memory.attach(8, [span_id(1)].into_iter());
    let later = time(TIME * STEP * 2 / 3);
    assert!(memory.recall(8, later).is_some());
    memory.trim(time(TIME * STEP * 4 / 3));
    assert!(memory.skeleton(8).is_some_and(|skeleton| skeleton.has(span_id(1))));
}

//! Random traffic, time, room, reloads and revoked sources: real store and plain store agree after every step.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::bench::{Bench, Script};
use super::model::{Bounds, World};
use crate::component::{Trigger, Wants};
use crate::trace_store::{Budget, Limits, Remember};

#[derive(Clone, Debug)]
enum Step {
    /// Spans (trace, parent so many back, length) of one request from a partition.
    Send(Vec<(u8, u32, usize)>, u32),
    Pass(u64),
    Wake,
    Room(usize),
    Forget(u32),
    Reload(Knobs),
}

/// What of a script varies.
#[derive(Clone, Debug)]
struct Knobs {
    structure: bool,
    skeletons: bool,
    drop_below: u8,
    wish_every: u32,
    quiet: u64,
    keep_late_every: u32,
    repair_every: u32,
}

fn knobs() -> impl Strategy<Value = Knobs> {
    let every = || prop_oneof![Just(u32::MAX), 2u32..9];
    (any::<bool>(), any::<bool>(), 0u8..12, every(), 0u64..40, every(), every()).prop_map(
        |(structure, skeletons, drop_below, wish_every, quiet, keep_late_every, repair_every)| Knobs {
            structure,
            skeletons,
            drop_below,
            wish_every,
            quiet,
            keep_late_every,
            repair_every,
        },
    )
}

fn script(bench: &Bench, knobs: &Knobs) -> Script {
    Script {
        wants: Wants { structure: knobs.structure, skeletons: knobs.skeletons },
        drop_below: knobs.drop_below,
        wish_every: knobs.wish_every,
        quiet: Duration::from_millis(knobs.quiet),
        keep_late_every: knobs.keep_late_every,
        repair_every: knobs.repair_every,
        ..Script::plain(bench)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let span = (0u8..12, 0u32..6, prop_oneof![4 => 0usize..400, 1 => 400usize..5_000]);
    let spans = proptest::collection::vec(span, 1..25);
    prop_oneof![
        10 => (spans, 0u32..3).prop_map(|(spans, partition)| Step::Send(spans, partition)),
        4 => (1u64..60).prop_map(Step::Pass),
        6 => Just(Step::Wake),
        2 => prop_oneof![Just(0), 1usize..20, Just(usize::MAX)].prop_map(Step::Room),
        1 => (1u32..3).prop_map(Step::Forget),
        1 => knobs().prop_map(Step::Reload),
    ]
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let bytes = prop_oneof![Just(u64::MAX), 20_000u64..120_000];
    let trace_bytes = prop_oneof![Just(u64::MAX), 500u64..8_000];
    let most_traces = prop_oneof![Just(u64::MAX), 1u64..9];
    (20u64..150, trace_bytes, most_traces, bytes, any::<bool>()).prop_map(|(wait, trace_bytes, most_traces, bytes, remembers)| Bounds {
        wait,
        trace_bytes,
        most_traces,
        bytes,
        remembers,
    })
}

fn limits(bounds: &Bounds) -> Limits {
    let everything = Remember {
        time: Duration::from_secs(3600),
        kept: Budget::unlimited(),
        dropped: Budget::unlimited(),
        skeletons: Budget::unlimited(),
    };
    Limits {
        wait: Duration::from_millis(bounds.wait),
        bytes: Budget::new(bounds.bytes),
        traces: Budget::new(bounds.most_traces),
        senders_wait: false,
        trace_bytes: bounds.trace_bytes,
        remember: if bounds.remembers { everything } else { Remember::nothing() },
    }
}

/// A life from its beginning to its end, and what it came to.
fn live(bounds: Bounds, first: &Knobs, steps: Vec<Step>) -> World {
    let (bench, limits) = (Bench::new(), limits(&bounds));
    let first = script(&bench, first);
    let mut world = World::new(bench, first, bounds, limits);
    for step in steps {
        match step {
            Step::Send(spans, partition) => world.send(&spans, partition),
            Step::Pass(time) => world.pass(time),
            Step::Wake => world.wake(),
            Step::Room(room) => world.set_room(room),
            Step::Forget(partition) => world.forget(partition),
            Step::Reload(knobs) => {
                let script = script(&world.bench, &knobs);
                world.reload(script);
            }
        }
    }
    world.drain();
    world
}

fn life() -> impl Strategy<Value = (Bounds, Knobs, Vec<Step>)> {
    (bounds(), knobs(), proptest::collection::vec(step(), 1..50))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn agrees_with_plain_maps((bounds, first, steps) in life()) {
        live(bounds, &first, steps);
    }
}

/// A test that never gets to where a mistake would show proves nothing.
#[test]
fn random_lives_get_everywhere() {
    let mut runner = TestRunner::deterministic();
    let (mut triggers, mut ends, mut relocated) = (HashSet::new(), HashSet::new(), 0);
    for _ in 0..300 {
        let (bounds, first, steps) = life().new_tree(&mut runner).expect("nothing is filtered out").current();
        let mut world = live(bounds, &first, steps);
        triggers.extend(world.triggers.iter().copied());
        ends.extend(world.ends.values().copied());
        relocated += world.relocated();
    }
    assert_eq!(triggers, HashSet::from(Trigger::ALL));
    assert_eq!(ends, HashSet::from(["emitted", "dropped", "left out", "left"]));
    assert!(relocated > 300, "{relocated} spans relocated");
}

//! Shares by kind: what they come to, on engines alone and in the processor.

use std::collections::BTreeMap;

use tracetailor_core::component::{Lane, Shared};
use tracetailor_core::config::{ConfigErrors, Validate, parse};
use tracetailor_core::probability::OtelState;
use tracetailor_core::testing::{Built, Dice, Driver, SpanDraft, span, traces};
use tracetailor_core::time::LogTime;

use super::*;
use crate::tail_sampling::policies::Limiters;
use crate::tail_sampling::{Config, FACTORY};

const INTERVAL: Duration = Duration::from_secs(15);

fn engine(aim: Aim, most: usize) -> Engine {
    let engine = Engine::new(KeyFields::default(), KeyFields::default());
    engine.aim_at(aim, most, INTERVAL);
    engine
}

/// Offers so many traces of each kind a second, evenly mixed, and gives how much of each is kept a second, in expectation.
fn run(engine: &Engine, kinds: &[(u64, u64)], seconds: std::ops::Range<u64>) -> BTreeMap<u64, f64> {
    let mut kept = BTreeMap::new();
    let length = (seconds.end - seconds.start) as f64;
    for second in seconds {
        for (kind, rate) in kinds {
            for number in 0..*rate {
                let now = LogTime(1_000_000_000_000) + Duration::from_secs(second) + Duration::from_micros(number * 1_000_000 / rate);
                *kept.entry(*kind).or_default() += engine.offer(*kind, now) / length;
            }
        }
    }
    kept
}

#[test]
fn a_share_is_met_and_the_rare_is_kept() {
    let engine = engine(Aim::Share(0.1), 500);
    let kinds = [(1, 1000), (2, 100), (3, 10), (4, 1)];
    run(&engine, &kinds, 0..60);
    let kept = run(&engine, &kinds, 60..600);
    let total: f64 = kept.values().sum();
    assert!((total / 111.1 - 1.0).abs() < 0.01, "{kept:?}");
    assert!((kept[&4] - 1.0).abs() < 1e-9, "the rarest is kept whole: {kept:?}");
    let shares: Vec<f64> = kinds.iter().map(|(kind, rate)| kept[kind] / *rate as f64).collect();
    assert!(shares.is_sorted(), "the more frequent a kind, the smaller its share: {shares:?}");
    assert!(kept[&1] > kept[&2], "and yet more of it is kept: {kept:?}");
}

#[test]
fn a_rate_is_met_whatever_is_offered() {
    for (busiest, expected) in [(1000, 50.0), (5000, 50.0), (10, 23.0)] {
        let engine = engine(Aim::PerSecond(50.0), 500);
        let kinds = [(1, busiest), (2, 10), (3, 3)];
        run(&engine, &kinds, 0..60);
        let total: f64 = run(&engine, &kinds, 60..600).values().sum();
        assert!((total / expected - 1.0).abs() < 0.01, "{total} of {expected} with {busiest}");
    }
}

#[test]
fn the_beginning_keeps_about_the_goal() {
    let share: f64 = run(&engine(Aim::Share(0.1), 500), &[(1, 1000)], 0..15).values().sum();
    assert!((share - 100.0).abs() < 1.0, "{share}");
    let rate: f64 = run(&engine(Aim::PerSecond(50.0), 500), &[(1, 1000)], 0..15).values().sum();
    assert!((50.0..250.0).contains(&rate), "{rate}");
    let little: f64 = run(&engine(Aim::PerSecond(50.0), 500), &[(1, 5)], 0..15).values().sum();
    assert!((little - 5.0).abs() < 1e-9, "below the goal nothing is lost: {little}");
}

/// Where Refinery has no room for more keys, it keeps all that is of others.
#[test]
fn kinds_for_which_there_is_no_room_share_one_bucket() {
    let engine = engine(Aim::Share(0.1), 10);
    let mut dice = Dice::new(7);
    let mut kept = 0.0;
    let per_second = 1000;
    for second in 0..300_u64 {
        for number in 0..per_second {
            let now = LogTime(1_000_000_000_000) + Duration::from_secs(second) + Duration::from_micros(number * 1000);
            let share = engine.offer(dice.roll() % 100_000, now);
            kept += if second >= 60 { share } else { 0.0 };
        }
        assert!(engine.kinds() <= 10);
    }
    let share = kept / (240.0 * per_second as f64);
    assert!((share - 0.1).abs() < 0.01, "{share}");
}

/// Where Refinery keeps all of a new kind until the interval is over.
#[test]
fn a_new_kind_that_is_frequent_is_cut_at_once() {
    let engine = engine(Aim::Share(0.1), 500);
    run(&engine, &[(1, 1000)], 0..60);
    let kept = run(&engine, &[(1, 1000), (2, 500)], 60..75);
    assert!(kept[&2] < 110.0, "{kept:?}");
    assert!(kept[&2] > 10.0, "{kept:?}");
}

#[test]
fn a_burst_is_not_waited_out() {
    let engine = engine(Aim::PerSecond(50.0), 500);
    run(&engine, &[(1, 500)], 0..60);
    let total: f64 = run(&engine, &[(1, 5000)], 60..75).values().sum();
    assert!(total < 250.0, "by the old share it would be 500 a second: {total}");
}

#[test]
fn a_pause_changes_nothing() {
    let engine = engine(Aim::Share(0.1), 500);
    let kinds = [(1, 1000), (2, 10)];
    run(&engine, &kinds, 0..60);
    let after = run(&engine, &kinds, 3660..3661);
    assert!((after[&1] + after[&2] - 101.0).abs() < 5.0, "{after:?}");
}

#[test]
fn a_goal_that_changes_keeps_what_was_learned() {
    let engine = engine(Aim::Share(0.1), 500);
    run(&engine, &[(1, 1000), (2, 1)], 0..60);
    engine.aim_at(Aim::Share(0.5), 500, INTERVAL);
    let kept = run(&engine, &[(1, 1000), (2, 1)], 75..90);
    assert!((kept[&1] - 499.5).abs() < 5.0, "{kept:?}");
}

/// Traces of several kinds, offered to so many lanes for two minutes, and how many of the second one come out, in expectation by their
/// weights.
fn kept_by_lanes(lanes: usize, goal: &str) -> (f64, f64) {
    let yaml = format!("{{decision_wait: 1s, policies: [{{name: d, type: dynamic, dynamic: {{goal: {goal}, fields: [kind]}}}}]}}");
    let config = FACTORY.parse(&yaml).unwrap().config;
    let shared = Shared::default();
    let lane = |index: usize| {
        Driver::with("tail_sampling", |context| {
            let mut context = context.in_lane(Lane { index, count: lanes });
            context.lane_context.build.shared = shared.clone();
            FACTORY.build(&config, &context).unwrap()
        })
    };
    let mut drivers: Vec<Driver> = (0..lanes).map(lane).collect();
    let mut dice = Dice::new(3);
    let (mut before, mut number) = (0, 0_u64);
    for second in 0..120 {
        let mut batches: Vec<Vec<_>> = vec![Vec::new(); lanes];
        for place in 0..200_u64 {
            number += 1;
            let kind = ["common", "common", "common", "usual", "rare"][usize::from(place % 4 == 0) * 3 + usize::from(place == 0)];
            let id = (u128::from(number) << 64 | u128::from(dice.roll())).to_be_bytes();
            // Lanes get what the ids say, and so not the same of each kind.
            let lane = usize::try_from(dice.roll() % lanes as u64).unwrap();
            batches[lane].push(span("a").trace(id).attribute("kind", kind));
        }
        for (driver, batch) in drivers.iter_mut().zip(batches) {
            if !batch.is_empty() {
                driver.receive(traces(batch));
            }
            driver.turn(Duration::from_secs(1));
        }
        if second == 59 {
            before = drivers.iter().map(|driver| driver.sink().spans().len()).sum();
        }
    }
    let spans: Vec<_> = drivers.iter().flat_map(|driver| driver.sink().spans()).collect();
    let weights = spans
        .iter()
        .map(|span| OtelState::read(&span.trace_state).unwrap().threshold().map_or(1.0, |threshold| threshold.weight().unwrap()));
    let estimate = weights.sum::<f64>();
    drivers.into_iter().for_each(|driver| drop(driver.finish()));
    ((spans.len() - before) as f64 / 60.0, estimate / number as f64)
}

#[test]
fn one_lane_and_eight_agree() {
    for (goal, expected) in [("10%", 20.0), ("30 traces/s", 30.0)] {
        let [one, eight] = [1, 8].map(|lanes| kept_by_lanes(lanes, goal));
        assert!((one.0 / eight.0 - 1.0).abs() < 0.02, "{goal}: {one:?} and {eight:?}");
        assert!((one.0 / expected - 1.0).abs() < 0.1, "{goal}: {one:?}");
        for (_, estimate) in [one, eight] {
            assert!((estimate - 1.0).abs() < 0.06, "{goal}: weights count back to what there was, {estimate} of it");
        }
    }
}

/// Into how many kinds these traces fall.
fn kinds(dynamic: &str, all: &[&[Built<SpanDraft>]]) -> usize {
    let yaml = format!("{{decision_wait: 1s, policies: [{{name: d, type: dynamic, dynamic: {{{dynamic}}}}}]}}");
    let config = FACTORY.parse(&yaml).unwrap().config;
    let shared = Shared::default();
    let mut driver = Driver::with("tail_sampling", |context| {
        let mut context = context.clone();
        context.lane_context.build.shared = shared.clone();
        FACTORY.build(&config, &context).unwrap()
    });
    let of = |(trace, spans): (usize, &&[Built<SpanDraft>])| -> Vec<Built<SpanDraft>> {
        spans.iter().enumerate().map(|(id, span)| span.clone().trace(trace as u64 + 1).id(id as u64 + 1)).collect()
    };
    driver.receive(traces(all.iter().enumerate().flat_map(of)));
    driver.turn(Duration::from_secs(2));
    driver.finish();
    let limiters = shared.get_or_make("limits", Limiters::default);
    let engines = limiters.engines.lock().unwrap();
    engines["d"].kinds()
}

#[test]
fn a_kind_is_what_its_spans_have_under_the_fields() {
    let with = |key: &str, value: &str| span("a").attribute(key, value);
    let (x, y) = (|| with("k", "x"), || with("k", "y"));
    let root = |value: &str| span("root").attribute("k", value);
    let child = |value: &str| span("child").parent(1_u64).attribute("k", value);
    let one_field = "goal: 10%, fields: k";
    let (two, either) = ("goal: 10%, fields: [k, l]", "goal: 10%, fields: [[new, old]]");
    for (dynamic, first, second, same) in [
        (one_field, vec![x()], vec![x(), x()], true),
        (one_field, vec![x(), y()], vec![y(), x(), span("b")], true),
        (one_field, vec![x(), y()], vec![x()], false),
        (one_field, vec![x()], vec![span("b")], false),
        (one_field, vec![x()], vec![span("a").resource("k", "x")], true),
        (one_field, vec![span("a").attribute("k", 200)], vec![with("k", "200")], true),
        // What Refinery takes for the same.
        (two, vec![with("k", "x")], vec![with("l", "x")], false),
        (either, vec![with("new", "x")], vec![with("old", "x")], true),
        (either, vec![with("new", "x").attribute("old", "y")], vec![with("new", "x")], true),
        (either, vec![with("new", "x").resource("old", "y")], vec![with("new", "x")], true),
        (either, vec![with("old", "y").resource("new", "x")], vec![with("new", "x")], true),
        ("goal: 10%, root_fields: k", vec![root("x"), child("y")], vec![root("x"), child("z")], true),
        ("goal: 10%, root_fields: k", vec![root("x")], vec![root("y")], false),
        ("GoalSampleRate: 10, FieldList: [root.k]", vec![root("x"), child("y")], vec![root("x"), child("z")], true),
        ("GoalSampleRate: 10, FieldList: [root.k]", vec![root("x")], vec![root("y")], false),
    ] {
        let told = kinds(dynamic, &[&first, &second]);
        assert_eq!(told == 1, same, "{dynamic}: {told} kinds of {first:?} and {second:?}");
    }
}

#[test]
fn of_very_many_values_the_order_makes_no_difference() {
    let values: Vec<_> = (0..50).map(|value| span("a").attribute("k", value)).collect();
    let reversed: Vec<_> = values.iter().rev().cloned().collect();
    assert_eq!(kinds("goal: 10%, fields: k", &[&values, &reversed]), 1);
}

fn problems(dynamic: &str) -> String {
    let mut errors = ConfigErrors::default();
    let yaml = format!("{{policies: [{{name: d, type: dynamic, dynamic: {{{dynamic}}}}}]}}");
    match parse::<Config>(&yaml, "config.yaml", "tail_sampling") {
        Ok(config) => config.validate(&mut errors),
        Err(wrong) => errors = wrong,
    }
    errors.to_string()
}

#[test]
fn goals_are_read_in_every_spelling() {
    for right in [
        "goal: 10%, fields: k",
        "sampler: ema, goal: 0.5%, fields: k",
        "sampler: ema_throughput, goal: 100 traces/s, fields: k",
        "goal: 1.5/s, fields: k",
        "sampler: EMADynamicSampler, GoalSampleRate: 20, FieldList: [k, root.l], MaxKeys: 10, AdjustmentInterval: 30s",
        "sampler: EMAThroughputSampler, GoalThroughputPerSec: 100, FieldList: [k]",
    ] {
        assert_eq!(problems(right), "", "{right}");
    }
    for (wrong, place, told) in [
        ("fields: k", "goal", "must be given"),
        ("goal: 10%, goal_sample_rate: 10, fields: k", "goal", "once"),
        ("goal: 10, fields: k", "goal", "has no unit"),
        ("goal: often, fields: k", "goal", "is no goal"),
        ("goal: -5/s, fields: k", "goal", "is no rate"),
        ("goal: 0%, fields: k", "goal", "keeps nothing"),
        ("goal_throughput_per_sec: 0, fields: k", "goal_throughput_per_sec", "keeps nothing"),
        ("GoalSampleRate: 0, fields: k", "goal_sample_rate", "below 1"),
        ("goal: 10%", "fields", "is missing"),
        ("goal: 10%, fields: [k, []]", "fields", "names nothing"),
        ("goal: 10%, fields: k, max_keys: 0", "max_keys", "is not between"),
        ("goal: 10%, fields: k, adjustment_interval: 10ms", "adjustment_interval", "is shorter"),
        ("sampler: ema, goal: 5/s, fields: k", "sampler", "has a share"),
        ("sampler: ema_throughput, goal: 5%, fields: k", "sampler", "has a rate"),
    ] {
        let found = problems(wrong);
        assert!(found.contains(&format!("policies[0].dynamic.{place}")) && found.contains(told), "{wrong}: {found}");
    }
}

/// What the hash decides, nobody can count by.
#[test]
fn with_the_hash_nothing_is_said() {
    let yaml = "{decision_wait: 1s, randomness: hash, policies: [{name: d, type: dynamic, dynamic: {goal: 50%, fields: k}}]}";
    let mut driver = Driver::of(&FACTORY, yaml);
    let id = |trace: u128| trace.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c62_0e1b_a1d3).to_be_bytes();
    driver.receive(traces((1..100).map(|trace| span("a").trace(id(trace)).trace_state("ot=th:4;x:1"))));
    driver.turn(Duration::from_secs(2));
    let kept = driver.finish().spans();
    assert!((20..80).contains(&kept.len()), "{}", kept.len());
    assert!(kept.iter().all(|span| span.trace_state == "ot=x:1"));
}

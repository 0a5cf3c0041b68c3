//! What is kept, and what it says of itself afterwards.

use tracetailor_core::probability::{OtelState, Threshold};
use tracetailor_core::telemetry::{Decoded, TraceId};
use tracetailor_core::testing::{Driver, assert_manual, run_recorded, run_stories, span, traces};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

#[test]
fn it_does_what_the_collector_was_seen_to_do() {
    let different = [("empty-trace-id-fail-open", "a span without a trace id never comes so far")];
    run_recorded(&FACTORY, include_str!("collector.json"), &different);
}

/// A trace id as good as random, the same in every run.
fn trace(n: u64) -> TraceId {
    let mix = |seed: u64| {
        let mut z = n.wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    TraceId((u128::from(mix(1)) << 64 | u128::from(mix(2))).to_be_bytes())
}

/// The trace states of what is kept of `count` spans, all of which came with `state`.
fn kept(config: &str, count: u64, state: &str) -> Vec<String> {
    let mut driver = Driver::of(&FACTORY, config);
    driver.receive(traces((0..count).map(|n| span("a").trace(trace(n)).trace_state(state))));
    driver.finish().spans().into_iter().map(|span| span.trace_state).collect()
}

#[test]
fn every_mode_keeps_its_share_and_says_so() {
    for mode in ["hash_seed", "proportional", "equalizing"] {
        for percentage in [0.5_f64, 10.0, 50.0, 99.0] {
            let states = kept(&format!("{{mode: {mode}, sampling_percentage: {percentage}}}"), 40_000, "");
            let share = percentage / 100.0;
            let deviation = (40_000.0 * share * (1.0 - share)).sqrt();
            let found = states.len() as f64;
            assert!((found - 40_000.0 * share).abs() < 4.0 * deviation, "{mode} {percentage}: {found}");
            // What is kept counts back to what came.
            let weight: f64 =
                states.iter().map(|state| OtelState::read(state).unwrap().threshold().and_then(Threshold::weight).unwrap()).sum();
            assert!((weight / 40_000.0 - 1.0).abs() < 4.0 * deviation / (40_000.0 * share) + 0.02, "{mode} {percentage}: {weight}");
        }
    }
}

#[test]
fn of_what_was_halved_before_a_half_and_a_quarter_are_kept() {
    let share = |config: &str, state: &str| kept(config, 20_000, state).len() as f64 / 20_000.0;
    // Those with a threshold came from 40,000, of which 20,000 would not be here: here all are, and those that do not reach it are contradicted.
    let through = |config: &str| {
        let mut driver = Driver::of(&FACTORY, config);
        let half = Threshold::of(0.5, 4);
        let reaching = (0..40_000).map(trace).filter(|trace| half.keeps(tracetailor_core::probability::Randomness::of(*trace)));
        driver.receive(traces(reaching.map(|trace| span("a").trace(trace).trace_state("ot=th:8"))));
        driver.finish().spans().len() as f64 / 40_000.0
    };
    assert!((through("{mode: equalizing, sampling_percentage: 25}") - 0.25).abs() < 0.01);
    assert!((through("{mode: proportional, sampling_percentage: 25}") - 0.125).abs() < 0.01);
    assert!((share("{mode: equalizing, sampling_percentage: 25}", "vendor=1") - 0.25).abs() < 0.015);
}

#[test]
fn a_second_tier_with_a_hash_of_its_own_keeps_its_share_and_states_none() {
    let state = "ot=rv:eba825e27ac515;th:8,vendor=1";
    let states = kept("{sampling_percentage: 30, hash_seed: 7}", 20_000, state);
    assert!((states.len() as f64 / 20_000.0 - 0.3).abs() < 0.015, "{}", states.len());
    assert!(states.iter().all(|state| state == "ot=rv:eba825e27ac515,vendor=1"), "{}", states[0]);
    assert!(kept("{sampling_percentage: 100}", 3, "broken").is_empty());
    assert_eq!(kept("{sampling_percentage: 0.001, mode: proportional, fail_closed: false}", 2, "broken"), ["broken", "broken"]);
}

#[test]
fn decisions_are_counted_by_what_decided() {
    let mut driver = Driver::of(&FACTORY, "{mode: equalizing, sampling_percentage: 100}");
    driver.receive(traces([
        span("a").trace(trace(1)),
        span("b").trace(trace(1)).trace_state("ot=rv:ffffffffffffff"),
        span("c").trace(trace(1)).attribute("sampling.priority", 0),
        span("d").trace(trace(1)).trace_state("broken"),
    ]));
    let name = "otelcol_processor_probabilistic_sampler_count_traces_sampled";
    for (policy, sampled) in
        [("trace_id_w3c", "true"), ("sampling_randomness", "true"), ("sampling_priority", "false"), ("missing_randomness", "false")]
    {
        let labels = [("policy", policy), ("sampled", sampled)].map(|(label, value)| (label.to_owned(), value.to_owned()));
        let counted = driver.context().counters.read();
        let series = counted.iter().find(|series| series.name == name && labels.iter().all(|label| series.labels.contains(label)));
        assert_eq!(series.map(|series| series.count()), Some(1), "{policy}");
    }
    let names: Vec<String> = driver.finish().spans().into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn what_says_it_already_leaves_byte_for_byte() {
    let mut driver = Driver::of(&FACTORY, "{mode: equalizing, sampling_percentage: 50}");
    let request = traces([span("a").trace(TraceId([0xff; 16])).trace_state("ot=th:8")]);
    let before = Decoded::from(request.clone()).encode();
    driver.receive(request);
    assert_eq!(driver.sink_mut().take_bytes(), before);
    assert!(driver.reconfigure("{mode: equalizing, sampling_percentage: 0}").is_ok());
    driver.receive(traces([span("a").trace(TraceId([0xff; 16]))]));
    assert_eq!(driver.finish().spans().len(), 0);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let said = |config: &str| FACTORY.parse(config).map(drop).unwrap_err().to_string();
    assert!(said("sampling_percentage: -1").contains("-1 is no share"));
    assert!(said("sampling_percentage: .nan").contains("no share"));
    assert!(said("{sampling_percentage: 1, sampling_precision: 15}").contains("15 is not from 1 to 14"));
    assert!(said("{sampling_percentage: 1, attribute_source: record}").contains("from_attribute"));
}

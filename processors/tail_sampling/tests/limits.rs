//! Limits on spans and bytes a second, and how they are shared.

use tracetailor_core::component::{Part, ProcessorContext};

use super::*;

const FIVE: [&str; 5] = ["a", "b", "c", "d", "e"];

fn trace_of(trace: u64, spans: usize) -> Vec<Built<SpanDraft>> {
    (0..spans).map(|n| of(trace, FIVE[n % 5])).collect()
}

fn rate(keys: &str) -> String {
    format!("policies: [{{name: r, type: rate_limiting, rate_limiting: {{{keys}}}}}]")
}

#[test]
fn a_bucket_is_full_in_the_beginning_and_fills_again() {
    for compatibility in ["tracetailor", "otelcol"] {
        let keys = format!("compatibility: {compatibility}, decision_wait: 1s");
        let mut driver = driver(&keys, &rate("spans_per_second: 1, burst_capacity: 10"));
        receive(&mut driver, trace_of(1, 10));
        seconds(&mut driver, 1.2);
        receive(&mut driver, trace_of(2, 5));
        seconds(&mut driver, 1.9);
        assert_eq!(out(&driver).len(), 10, "{compatibility}: the whole trace or nothing, and nothing is spent for nothing");
        receive(&mut driver, trace_of(3, 1));
        seconds(&mut driver, 2.1);
        assert_eq!(driver.finish().spans().len(), 11, "{compatibility}");
    }
}

#[test]
fn a_trace_above_the_burst_never_passes() {
    let mut driver = driver("compatibility: otelcol, decision_wait: 1s", &rate("spans_per_second: 2, burst_capacity: -7"));
    receive(&mut driver, trace_of(1, 5));
    seconds(&mut driver, 2.1);
    receive(&mut driver, trace_of(2, 4));
    seconds(&mut driver, 2.1);
    assert_eq!(driver.finish().spans().len(), 4, "a burst of less than nothing is twice the rate");
}

#[test]
fn a_rate_of_zero_with_a_burst_is_one_burst() {
    let mut driver = driver("compatibility: otelcol, decision_wait: 1s", &rate("burst_capacity: 5"));
    for trace in 1..=3 {
        receive(&mut driver, trace_of(trace, 5));
        seconds(&mut driver, 100.0);
    }
    assert_eq!(driver.finish().spans().len(), 5);
}

#[test]
fn bytes_are_limited_as_messages() {
    // One span: 56, with tag and length 58; scope 2; with tag and length 62; resource 2; with tag and length 66.
    for (burst, kept) in [(66, 1), (65, 0), (132, 2)] {
        let policies =
            format!("policies: [{{name: b, type: bytes_limiting, bytes_limiting: {{bytes_per_second: 1, burst_capacity: {burst}}}}}]");
        let mut driver = driver("decision_wait: 1s", &policies);
        receive(&mut driver, [of(1, "op").change(|span| span.kind = 2), of(2, "op").change(|span| span.kind = 2)]);
        seconds(&mut driver, 1.1);
        assert_eq!(driver.finish().spans().len(), kept, "{burst}");
    }
}

/// A first match spares what a limit would spend; and inside of `and` the limit is asked last.
#[test]
fn tokens_are_not_burnt_for_nothing() {
    let gold = "{name: gold, type: string_attribute, string_attribute: {key: tier, values: [gold]}}";
    let limit = "{name: r, type: rate_limiting, rate_limiting: {spans_per_second: 1, burst_capacity: 5}}";
    let golden = |trace| trace_of(trace, 5).into_iter().map(|span| span.attribute("tier", "gold")).collect::<Vec<_>>();
    for (first_match, compatibility, kept) in [(true, "tracetailor", 10), (true, "otelcol", 10), (false, "tracetailor", 5)] {
        let keys = format!("sample_on_first_match: {first_match}, compatibility: {compatibility}, decision_wait: 1s");
        let mut driver = driver(&keys, &format!("policies: [{gold}, {limit}]"));
        receive(&mut driver, golden(1));
        seconds(&mut driver, 1.1);
        receive(&mut driver, trace_of(2, 5));
        seconds(&mut driver, 1.5);
        assert_eq!(driver.finish().spans().len(), kept, "{keys}");
    }
    for (compatibility, kept) in [("tracetailor", 5), ("otelcol", 0)] {
        let and = format!("policies: [{{name: a, type: and, and: {{and_sub_policy: [{limit}, {gold}]}}}}]");
        let mut driver = driver(&format!("compatibility: {compatibility}, decision_wait: 1s"), &and);
        receive(&mut driver, trace_of(1, 5));
        seconds(&mut driver, 1.1);
        receive(&mut driver, golden(2));
        seconds(&mut driver, 1.5);
        assert_eq!(driver.finish().spans().len(), kept, "{compatibility}");
    }
}

fn composite(keys: &str, children: &str) -> String {
    format!("policies: [{{name: c, type: composite, composite: {{{keys}, composite_sub_policy: [{children}]}}}}]")
}

const GOLD: &str = "{name: gold, type: string_attribute, string_attribute: {key: tier, values: [gold]}}";
const REST: &str = "{name: rest, type: always_sample}";

#[test]
fn what_does_not_fit_for_one_is_offered_to_the_next() {
    let allocation = "max_total_spans_per_second: 10, rate_allocation: [{policy: gold, percent: 10}, {policy: rest, percent: 90}]";
    for (compatibility, kept) in [("tracetailor", vec![1, 2]), ("otelcol", vec![2])] {
        let mut driver =
            driver(&format!("compatibility: {compatibility}, decision_wait: 1s"), &composite(allocation, &format!("{GOLD}, {REST}")));
        receive(&mut driver, trace_of(1, 4).into_iter().map(|span| span.attribute("tier", "gold")).chain(trace_of(2, 5)));
        seconds(&mut driver, 1.1);
        let mut traces: Vec<u8> = driver.finish().spans().iter().map(|span| span.trace_id[15]).collect();
        traces.dedup();
        assert_eq!(traces, kept, "{compatibility}");
    }
}

#[test]
fn the_total_is_one_for_all() {
    let allocation = "max_total_spans_per_second: 10, rate_allocation: [{policy: gold, percent: 50}, {policy: rest, percent: 50}]";
    let lenient = "max_total_spans_per_second: 10, rate_allocation: [{policy: gold, percent: 100}, {policy: rest, percent: 100}]";
    let run = |compatibility: &str, allocation: &str, spans: usize| {
        let mut driver =
            driver(&format!("compatibility: {compatibility}, decision_wait: 1s"), &composite(allocation, &format!("{GOLD}, {REST}")));
        receive(&mut driver, trace_of(1, spans).into_iter().map(|span| span.attribute("tier", "gold")).chain(trace_of(2, spans)));
        seconds(&mut driver, 1.1);
        driver.finish().spans().len()
    };
    assert_eq!(run("tracetailor", allocation, 5), 10);
    assert_eq!(run("otelcol", lenient, 10), 20, "each by itself is held to the total");
    assert_eq!(run("otelcol", allocation, 6), 0);
}

#[test]
fn a_window_is_a_second_of_the_clock() {
    let mut driver = driver("decision_wait: 1s", &composite("max_total_spans_per_second: 10", REST));
    for trace in 0..4 {
        // At 0.0, 0.4, 0.8 and 1.2; decided a second later.
        receive(&mut driver, trace_of(trace + 1, if trace == 1 { 6 } else { 5 }));
        seconds(&mut driver, 0.4);
    }
    seconds(&mut driver, 1.1);
    let kept: Vec<u8> = driver.finish().spans().chunks(5).map(|spans| spans[0].trace_id[15]).collect();
    assert_eq!(kept, [1, 3, 4], "the second is too large for what is left, the third is not, the fourth is of the next second");
}

#[test]
fn policy_order_is_followed_here() {
    let keys = "max_total_spans_per_second: 10, policy_order: [rest, gold], rate_allocation: [{policy: rest, percent: 90}]";
    for (compatibility, marked) in [("tracetailor", "c \u{203a} rest"), ("otelcol", "c \u{203a} gold")] {
        let keys_of = format!("marks: true, compatibility: {compatibility}, decision_wait: 1s");
        let mut driver = driver(&keys_of, &composite(keys, &format!("{GOLD}, {REST}")));
        receive(&mut driver, [of(1, "a").attribute("tier", "gold")]);
        seconds(&mut driver, 1.1);
        let span = &driver.finish().spans()[0];
        let policy = span.attributes.iter().find(|attribute| attribute.key == "tracetailor.sampling.policy");
        assert_eq!(policy, Some(&tracetailor_core::testing::attribute("tracetailor.sampling.policy", marked)), "{compatibility}");
    }
}

#[test]
fn shards_cut_limits_only_in_the_collector() {
    let policies = composite("max_total_spans_per_second: 9", REST);
    for (compatibility, kept) in [("tracetailor", 9), ("otelcol", 4)] {
        let mut driver = driver(&format!("num_shards: 2, compatibility: {compatibility}, decision_wait: 1s"), &policies);
        let id = |half: u128| (half << 64).to_be_bytes();
        let four = trace_of(1, 4).into_iter().map(|span| span.trace(id(0x38bc_1fb8_e8d9_3ff5_u128)));
        let five = trace_of(1, 5).into_iter().map(|span| span.trace(id(0xc783_bb1a_0000_0001_u128)));
        receive(&mut driver, four.chain(five));
        seconds(&mut driver, 1.1);
        assert_eq!(driver.finish().spans().len(), kept, "{compatibility}");
    }
}

/// Two lanes together keep no more than the user wrote.
#[test]
fn limits_hold_for_all_lanes() {
    let Part::Stage(stage) = FACTORY.part else { panic!("it works on whole traces") };
    let context = ProcessorContext::alone("tail_sampling");
    let yaml = format!("{{num_traces: 7, max_buffered_bytes: 1MiB, {}}}", rate("spans_per_second: 3"));
    let parsed = FACTORY.parse(&yaml).unwrap();
    let (one, other) = (stage(&parsed.config, &context).unwrap(), stage(&parsed.config, &context).unwrap());
    assert_eq!((one.limits.traces.limit(), one.limits.bytes.limit(), one.unjudged), (7, 1 << 20, "sampled"));
    let mut claim = one.limits.traces.claim();
    claim.add(3);
    claim.publish();
    assert_eq!(other.limits.traces.spent(), 3);
}

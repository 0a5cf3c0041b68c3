//! Spans that come after the decision.

use tracetailor_core::testing::trace_id;

use super::*;

#[test]
fn they_follow_the_verdict() {
    for caches in ["", "decision_cache: {sampled_cache_size: 10, non_sampled_cache_size: 10}, "] {
        for compatibility in ["tracetailor", "otelcol"] {
            let mut driver = driver(&format!("{caches}compatibility: {compatibility}, decision_wait: 1s"), ERRORS);
            receive(&mut driver, [failed(1, "a"), of(2, "b")]);
            seconds(&mut driver, 2.1);
            receive(&mut driver, [of(1, "late"), of(1, "later"), failed(2, "too late")]);
            assert_eq!(out(&driver), ["a", "late", "later"], "{caches}{compatibility}");
            assert_eq!(driver.ended(Column::Dropped, "not_sampled"), 2);
            let (kept, dropped) = if caches.is_empty() { (0, 0) } else { (2, 1) };
            assert_eq!(counted(&driver, "early_releases_from_cache_decision", &[("sampled", "true")]), kept);
            assert_eq!(counted(&driver, "early_releases_from_cache_decision", &[("sampled", "false")]), dropped);
            let found_in_the_map = if caches.is_empty() { 2 } else { 0 };
            assert_eq!(counted(&driver, "sampling_late_span_age", &[]), found_in_the_map, "once for each trace and request");
            driver.finish();
        }
    }
}

#[test]
fn a_verdict_is_remembered_for_a_time() {
    let mut driver = driver("decision_wait: 1s, remember: 60s", ERRORS);
    receive(&mut driver, [of(1, "a")]);
    seconds(&mut driver, 50.0);
    receive(&mut driver, [failed(1, "follows")]);
    seconds(&mut driver, 120.0);
    receive(&mut driver, [failed(1, "anew")]);
    seconds(&mut driver, 1.1);
    assert_eq!(driver.finish().span_names(), ["anew"]);
}

/// With no cache at least as many are remembered as may wait.
#[test]
fn so_many_verdicts_are_remembered() {
    let mut driver = driver("decision_wait: 1s, num_traces: 2", ERRORS);
    for trace in 1..=3 {
        receive(&mut driver, [of(trace, "a")]);
        seconds(&mut driver, 1.1);
    }
    receive(&mut driver, [failed(3, "follows"), failed(2, "follows too"), failed(1, "anew")]);
    seconds(&mut driver, 1.1);
    assert_eq!(driver.finish().span_names(), ["anew"]);
}

fn halves(first: u64, second: u64) -> Vec<u8> {
    [first.to_be_bytes(), second.to_be_bytes()].concat()
}

struct Id(Vec<u8>);

impl tracetailor_core::testing::IntoTraceId for Id {
    fn trace_id_bytes(&self) -> Vec<u8> {
        self.0.clone()
    }
}

#[test]
fn two_ids_that_share_their_last_eight_bytes_are_two() {
    for (compatibility, expected) in [("tracetailor", vec!["b"]), ("otelcol", vec![])] {
        let cache = "decision_cache: {sampled_cache_size: 10, non_sampled_cache_size: 10}";
        let mut driver = driver(&format!("{cache}, compatibility: {compatibility}, decision_wait: 1s"), ERRORS);
        receive(&mut driver, [of(0, "a").trace(Id(halves(1, 7)))]);
        seconds(&mut driver, 2.1);
        receive(&mut driver, [failed(0, "b").trace(Id(halves(2, 7)))]);
        seconds(&mut driver, 2.1);
        assert_eq!(driver.finish().span_names(), expected, "{compatibility}");
    }
    assert_ne!(trace_id(Id(halves(1, 7))), trace_id(Id(halves(2, 7))));
}

#[test]
fn an_error_after_a_drop_is_dropped_too() {
    let policies = "policies: [{name: all, type: always_sample}, {name: d, type: drop, drop: {drop_sub_policy: \
         [{name: health, type: string_attribute, string_attribute: {key: http.route, values: [/health]}}]}}]";
    for compatibility in ["tracetailor", "otelcol"] {
        let mut driver = driver(&format!("compatibility: {compatibility}, decision_wait: 1s"), policies);
        receive(&mut driver, [of(1, "a").attribute("http.route", "/health")]);
        seconds(&mut driver, 2.1);
        receive(&mut driver, [failed(1, "b")]);
        seconds(&mut driver, 2.1);
        assert_eq!(driver.ended(Column::Dropped, "dropped_by_policy"), 2);
        assert_eq!(driver.finish().span_names(), Vec::<String>::new());
    }
}

#[test]
fn late_spans_have_the_threshold_of_their_trace() {
    let policies = "policies: [{name: some, type: probabilistic, probabilistic: {sampling_percentage: 50}}]";
    let mut driver = driver("decision_wait: 1s", policies);
    let one = |name: &str| of(0, name).trace([0xff_u8; 16]);
    receive(&mut driver, [one("a")]);
    seconds(&mut driver, 1.1);
    receive(&mut driver, [one("b"), one("c").trace_state("ot=th:c")]);
    let states: Vec<String> = driver.finish().spans().into_iter().map(|span| span.trace_state).collect();
    assert_eq!(states, ["ot=th:8", "ot=th:8", "ot=th:c"], "a stricter one stays");
}

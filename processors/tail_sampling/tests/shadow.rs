//! Policies in the shadow, and late spans that are kept after all.

use super::*;

#[test]
fn policies_in_the_shadow_are_counted_and_change_nothing() {
    let shadow = "shadow_policies: [{name: slow, type: latency, latency: {threshold_ms: 100}}]";
    let mut driver = driver(&format!("decision_wait: 1s, {shadow}"), ERRORS);
    receive(&mut driver, [failed(1, "both").times(0, 200), failed(2, "only live"), of(3, "only shadow").times(0, 200), of(4, "neither")]);
    receive(&mut driver, [of(3, "only shadow").times(0, 10)]);
    seconds(&mut driver, 1.1);
    assert_eq!(out(&driver), ["both", "only live"]);
    let counters = driver.context().counters.read();
    let of = |name: &str, would: &str, did: &str| {
        let has = |labels: &[(String, String)], key: &str, value: &str| labels.iter().any(|(k, v)| k == key && v == value);
        let is = |labels: &[(String, String)]| has(labels, "would", would) && has(labels, "did", did);
        counters.iter().filter(|series| series.name == name && is(&series.labels)).map(|series| series.count()).sum::<u64>()
    };
    let traces = |would, did| of("tracetailor_sampling_shadow_traces_total", would, did);
    assert_eq!([traces("keep", "keep"), traces("drop", "keep"), traces("keep", "drop"), traces("drop", "drop")], [1; 4]);
    assert_eq!(of("tracetailor_sampling_shadow_spans_total", "keep", "drop"), 2);
    assert_eq!(counted(&driver, "count_traces_sampled", &[("policy", "shadow/slow"), ("sampled", "true")]), 2);
    let why = driver.context().reports.of("why").remove(0).1;
    let told = why.text("00000000000000000000000000000003");
    assert!(told.contains("was dropped: no policy keeps it") && told.contains("shadow         would keep it"), "{told}");
    assert!(told.contains("slow  keep, it lasted 200 ms"), "{told}");
    driver.finish();
}

#[test]
fn what_is_spent_in_the_shadow_is_not_spent_in_the_light() {
    let limit = "[{name: limit, type: rate_limiting, rate_limiting: {spans_per_second: 5, burst_capacity: 5}}]";
    let keys = format!("randomness: hash, decision_wait: 1s, shadow_policies: {limit}");
    let mut driver = driver(&keys, &format!("policies: {limit}"));
    receive(&mut driver, (1..=10).map(|trace| of(trace, "a")));
    seconds(&mut driver, 1.1);
    assert_eq!(driver.finish().spans().len(), 5);
}

#[test]
fn shadows_are_checked_as_the_others_are() {
    for (keys, wrong) in [
        ("shadow_policies: [{type: always_sample}]", "shadow_policies[0].name: is missing"),
        ("shadow_policies: [{name: l, type: latency}]", "shadow_policies[0].latency.threshold_ms: is missing"),
        (
            "sampling_strategy: span-ingest, shadow_policies: [{name: a, type: always_sample}]",
            "shadow_policies: cannot be asked about parts",
        ),
        ("late_spans: keep", "late_spans: there is no way \"keep\""),
        ("late_spans: {keep_if: []}", "late_spans.keep_if: is empty"),
        ("late_spans: {keep_if: [nobody]}", "late_spans.keep_if[0]: there is no policy \"nobody\""),
    ] {
        let told = FACTORY.parse(&format!("{{{keys}, {ERRORS}}}")).map_or_else(|errors| errors.to_string(), |_| String::new());
        assert!(told.contains(wrong), "{keys}: {told}");
    }
    for (policy, wrong) in [
        ("{name: p, type: span_count, span_count: {max_spans: 5}}", "needs the whole trace"),
        ("{name: p, type: drop, drop: {drop_sub_policy: [{type: always_sample}]}}", "policy \"p\" drops"),
    ] {
        let told = FACTORY.parse(&format!("{{late_spans: {{keep_if: p}}, policies: [{policy}]}}"));
        assert!(told.as_ref().is_err_and(|errors| errors.to_string().contains(wrong)), "{told:?}");
    }
}

const SPARED: &str = "policies: [{name: some, type: probabilistic, probabilistic: {sampling_percentage: 0.0001}}, \
     {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}, \
     {name: health, type: drop, drop: {drop_sub_policy: [{type: string_attribute, string_attribute: {key: route, values: [/health]}}]}}]";

#[test]
fn a_late_error_is_kept_though_its_trace_was_not() {
    for compatibility in ["tracetailor", "otelcol"] {
        let keys = format!("compatibility: {compatibility}, decision_wait: 1s, late_spans: {{keep_if: [errors]}}");
        let mut driver = driver(&keys, SPARED);
        receive(&mut driver, [of(1, "a"), of(2, "b").attribute("route", "/health")]);
        seconds(&mut driver, 2.1);
        receive(&mut driver, [of(1, "late"), failed(1, "late error").trace_state("ot=th:8"), failed(2, "of a health check")]);
        seconds(&mut driver, 1.0);
        receive(&mut driver, [failed(1, "another")]);
        assert_eq!(driver.counted("tracetailor_sampling_late_fragments_total"), 2, "{compatibility}");
        let why = driver.context().reports.of("why").remove(0).1;
        let told = why.text("00000000000000000000000000000001");
        assert!(told.contains("3 spans after the decision, 2 kept and 1 dropped"), "{told}");
        let spans = driver.finish().spans();
        let told: Vec<(String, String, bool)> = spans
            .iter()
            .map(|span| {
                let is_marked = span.attributes.iter().any(|attribute| attribute.key == "tracetailor.sampling.fragment");
                (span.name.clone(), span.trace_state.clone(), is_marked)
            })
            .collect();
        let fragment = |name: &str| (name.to_owned(), String::new(), true);
        assert_eq!(told, [fragment("late error"), fragment("another")], "{compatibility}: nobody can say how probable that was");
    }
}

//! `sampling_strategy: span-ingest`.

use super::*;

const INGEST: &str = "decision_wait: 2s, sampling_strategy: span-ingest";

#[test]
fn the_first_part_that_is_to_be_kept_lets_the_trace_go() {
    let mut driver = driver(INGEST, ERRORS);
    receive(&mut driver, [of(1, "a")]);
    seconds(&mut driver, 0.5);
    receive(&mut driver, [failed(1, "b")]);
    seconds(&mut driver, 0.02);
    assert_eq!(out(&driver), ["a", "b"], "at once");
    receive(&mut driver, [of(1, "late")]);
    assert_eq!(driver.finish().span_names(), ["a", "b", "late"]);
}

#[test]
fn each_part_is_judged_by_itself() {
    let both = "policies: [{name: both, type: and, and: {and_sub_policy: [\
         {name: k, type: string_attribute, string_attribute: {key: k, values: [v]}}, \
         {name: e, type: status_code, status_code: {status_codes: [ERROR]}}]}}]";
    for compatibility in ["tracetailor", "otelcol"] {
        let mut driver = driver(&format!("{INGEST}, compatibility: {compatibility}"), both);
        receive(&mut driver, [of(1, "a").attribute("k", "v")]);
        receive(&mut driver, [failed(1, "b")]);
        // Two resources of one request are two parts.
        receive(&mut driver, [of(2, "c").attribute("k", "v").service("x"), failed(2, "d").service("y")]);
        receive(&mut driver, [failed(3, "e").attribute("k", "v")]);
        seconds(&mut driver, 4.0);
        assert_eq!(driver.ended(Column::Dropped, "unmatched"), 4);
        assert_eq!(driver.finish().span_names(), ["e"]);
    }
}

#[test]
fn what_nobody_spoke_for_is_forgotten() {
    for compatibility in ["tracetailor", "otelcol"] {
        let mut driver = driver(&format!("{INGEST}, compatibility: {compatibility}"), ERRORS);
        receive(&mut driver, [of(1, "a")]);
        seconds(&mut driver, 4.0);
        receive(&mut driver, [failed(1, "b")]);
        seconds(&mut driver, 4.0);
        assert_eq!(driver.finish().span_names(), ["b"]);
    }
}

#[test]
fn a_policy_that_could_drop_has_until_the_end() {
    let policies = "policies: [{name: e, type: status_code, status_code: {status_codes: [ERROR]}}, {name: d, type: drop, drop: \
         {drop_sub_policy: [{name: h, type: string_attribute, string_attribute: {key: k, values: [health]}}]}}]";
    for (compatibility, expected) in [("tracetailor", vec!["a"]), ("otelcol", vec![])] {
        let mut driver = driver(&format!("{INGEST}, compatibility: {compatibility}"), policies);
        receive(&mut driver, [failed(1, "a"), failed(2, "b")]);
        seconds(&mut driver, 1.0);
        assert_eq!(out(&driver), Vec::<String>::new(), "another part could still be dropped");
        receive(&mut driver, [of(2, "c").attribute("k", "health")]);
        seconds(&mut driver, 3.0);
        assert_eq!(driver.finish().span_names(), expected, "{compatibility}: there nothing is ever kept");
    }
}

#[test]
fn at_shutdown_what_nobody_spoke_for_goes() {
    let mut driver = driver(INGEST, ERRORS);
    receive(&mut driver, [of(1, "a")]);
    assert_eq!(driver.finish().span_names(), Vec::<String>::new());
}

//! The page over what the processor decided.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tracetailor_core::component::{Lane, Report};
use tracetailor_core::testing::{Built, Driver, SpanDraft, span, trace_id, traces};

use super::*;
use crate::tail_sampling::FACTORY;

const ID: &str = "5b8efff798038103d269b633813fc60";

fn id(n: u8) -> String {
    format!("{ID}{n:x}")
}

fn of(n: u8, name: &str) -> Built<SpanDraft> {
    let bytes = u128::from_str_radix(&id(n), 16).unwrap().to_be_bytes();
    span(name).trace(bytes)
}

fn driver(keys: &str) -> Driver {
    Driver::of(&FACTORY, &format!("{{decision_wait: 10s, {keys}}}"))
}

fn decide(driver: &mut Driver, spans: impl IntoIterator<Item = Built<SpanDraft>>) {
    driver.receive(traces(spans));
    driver.turn(Duration::from_secs(11));
}

fn report(driver: &Driver) -> Arc<dyn Report> {
    driver.context().reports.of("why").remove(0).1
}

fn text(driver: &Driver, asked: &str) -> String {
    report(driver).text(asked)
}

fn votes(driver: &Driver, n: u8) -> Vec<(String, String)> {
    let told = report(driver).json(&id(n));
    let votes = told["records"][0]["votes"].as_array().unwrap();
    let one = |vote: &Value| (vote["policy"].as_str().unwrap().to_owned(), vote["vote"].as_str().unwrap().to_owned());
    votes.iter().map(one).collect()
}

const NESTED: &str = "policies: [
  {name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
  {name: keep-slow, type: and, and: {and_sub_policy: [
    {name: gold, type: string_attribute, string_attribute: {key: tier, values: [gold, silver]}},
    {type: latency, latency: {threshold_ms: 500}}]}},
  {name: not-health, type: drop, drop: {drop_sub_policy: [
    {name: fine, type: not, not: {not_sub_policy: {type: status_code, status_code: {status_codes: [ERROR]}}}},
    {name: health, type: string_attribute, string_attribute: {key: route, values: [/health]}}]}},
  {name: some, type: probabilistic, probabilistic: {sampling_percentage: 10}}]";

fn vote(policy: &str, vote: &str) -> (String, String) {
    (policy.to_owned(), vote.to_owned())
}

#[test]
fn rules_tell_which_of_them_fitted() {
    let health = "{name: health, drop: true, match: {route: /health}}";
    let mut driver =
        driver(&format!("rules: [{health}, {{name: errors, keep: true, match: {{error: true}}}}, {{name: rest, sample: 10%}}]"));
    decide(&mut driver, [of(1, "a").status_error("no")]);
    let rest = [vote("rest", "not asked"), vote("none", "not asked")];
    let told = [vote("health", "does not fit"), vote("errors", "keep")].into_iter().chain(rest).collect::<Vec<_>>();
    assert_eq!(votes(&driver, 1), told);
    assert!(text(&driver, &id(1)).starts_with(&format!("{} was kept by errors\n", id(1))));
    driver.finish();
}

#[test]
fn a_kept_trace_tells_all_votes_with_the_way_to_each() {
    let mut driver = driver(NESTED);
    decide(&mut driver, [of(1, "a").attribute("tier", "silver").times(0, 812), of(1, "b")]);
    let told = text(&driver, &id(1));
    assert!(told.starts_with(&format!("{} was kept by keep-slow\n", id(1))), "{told}");
    for line in [
        " s after its first span: its time was over (deadline)\n",
        "held           2 spans, ",
        "stands for     1 trace: no chance was involved\n",
        "configuration  1, since 20",
        "keep-slow \u{203a} and \u{203a} latency",
        "keep, it lasted 812 ms\n",
        "keep, the 2nd of its rules fits\n",
        "no, its randomness is 0.41294\n",
    ] {
        assert!(told.contains(line), "{line:?} is not in\n{told}");
    }
    assert_eq!(
        votes(&driver, 1),
        [
            vote("not-health \u{203a} drop", "no"),
            vote("not-health \u{203a} drop \u{203a} fine \u{203a} not", "keep"),
            vote("not-health \u{203a} drop \u{203a} fine \u{203a} not \u{203a} status_code", "no"),
            vote("not-health \u{203a} drop \u{203a} health", "no"),
            vote("errors", "no"),
            vote("keep-slow \u{203a} and", "keep"),
            vote("keep-slow \u{203a} and \u{203a} gold", "keep"),
            vote("keep-slow \u{203a} and \u{203a} latency", "keep"),
            vote("some", "no"),
        ]
    );
    driver.finish();
}

#[test]
fn a_dropped_trace_tells_who_dropped_it_and_who_was_not_asked() {
    let mut driver = driver(NESTED);
    decide(&mut driver, [of(1, "a").attribute("route", "/health"), of(2, "b").times(0, 100)]);
    assert!(text(&driver, &id(1)).starts_with(&format!("{} was dropped by not-health\n", id(1))));
    assert!(votes(&driver, 1).contains(&vote("errors", "not asked")));
    assert!(text(&driver, &id(2)).starts_with(&format!("{} was dropped: no policy keeps it\n", id(2))));
    let told = report(&driver).json(&id(2));
    let record = &told["records"][0];
    assert_eq!((record["verdict"].as_str(), record["outcome"].as_str()), (Some("dropped"), Some("not_sampled")));
    assert_eq!((record["spans"].as_u64(), record["trigger"].as_str()), (Some(1), Some("deadline")));
    assert!(record["waited_ms"].as_u64().is_some_and(|waited| (10_000..10_100).contains(&waited)), "{record}");
    assert!(record["weight"].is_null() && record["errors"] == Value::Array(Vec::new()));
    driver.finish();
}

#[test]
fn numbers_are_told_as_they_were_and_texts_by_the_rule_that_fitted() {
    let mut driver = driver(
        "policies: [{name: status, type: numeric_attribute, numeric_attribute: {key: code, min_value: 500}},
        {name: cost, type: numeric_attribute, numeric_attribute: {key: cost, min_value: 1}},
        {name: route, type: string_attribute, string_attribute: {key: route, values: [^/a, ^/b, ^/c], enabled_regex_matching: true}},
        {name: team, type: string_attribute, string_attribute: {key: team, values: [shop, pay]}}]",
    );
    let one = of(1, "a").attribute("code", 200).attribute("route", "/c/d");
    let other = of(1, "b").attribute("code", 503).attribute("cost", 2.5).resource("team", "pay");
    decide(&mut driver, [one, other]);
    let told = report(&driver).json(&id(1))["records"][0]["votes"].clone();
    let of = |place: usize, key: &str| told[place][key].clone();
    assert_eq!((of(0, "number"), of(1, "number"), of(2, "rule"), of(3, "rule")), (503.into(), 2.5.into(), 2.into(), 1.into()), "{told}");
    driver.finish();
}

#[test]
fn a_policy_that_fails_is_named() {
    let mut driver = driver(
        "policies: [{name: broken, type: ottl_condition, ottl_condition: {error_mode: propagate, span: ['Substring(span.name, 50, 1) == \"x\"']}}]",
    );
    decide(&mut driver, [of(1, "a")]);
    assert!(text(&driver, &id(1)).contains("broken  could not be evaluated\n"));
    assert_eq!(report(&driver).json(&id(1))["records"][0]["errors"][0], "broken");
    driver.finish();
}

#[test]
fn every_trigger_and_outcome_is_told() {
    for (keys, told) in [
        ("num_traces: 1", "there were more than num_traces, and it was the oldest (count)"),
        ("decision_wait_after_root_received: 1s", "because its root had come or a part of it decided (wish)"),
        ("maximum_trace_size_bytes: 10", "was dropped: it was larger than maximum_trace_size_bytes"),
    ] {
        let mut driver = driver(&format!("{keys}, policies: [{{name: all, type: always_sample}}]"));
        driver.receive(traces([of(1, "a")]));
        driver.receive(traces([of(2, "b")]));
        driver.turn(Duration::from_secs(11));
        assert!(text(&driver, &id(1)).contains(told), "{}", text(&driver, &id(1)));
        driver.finish();
    }
    let mut driver = driver("drop_pending_traces_on_shutdown: true, policies: [{name: all, type: always_sample}]");
    driver.receive(traces([of(1, "a")]));
    driver.drain();
    let told = text(&driver, &id(1));
    assert!(told.contains("was dropped: it was not decided when the gateway stopped") && told.contains("(shutdown)"), "{told}");
    driver.finish();
}

#[test]
fn what_was_never_seen_is_told_in_a_sentence() {
    let mut driver = driver("why: {records: 10}, policies: [{name: all, type: always_sample}]");
    let report = report(&driver);
    let told = report.text(&id(1));
    assert!(told.starts_with(&format!("Nothing is known of {}. All decisions since 20", id(1))), "{told}");
    assert!(told.contains("which takes up to 10 s") && !report.knows(&id(1)));
    for trace in 0..100u64 {
        driver.receive(traces([span("a").trace(trace + 1)]));
        driver.turn(Duration::from_secs(11));
    }
    let told = report.text(&id(1));
    assert!(told.contains("The records of 10 decisions reach back to 20"), "{told}");
    assert!(report.text("4bf92f3577b34da6a3ce929d0e0e47l").contains("31 characters, `l` is not hex; SDKs ignore such a header"));
    assert!(!report.knows("4bf92f3577b34da6a3ce929d0e0e47l") && report.knows(""));
    assert!(report.text("").starts_with("10 records of decisions, back to 20"), "{}", report.text(""));
    assert_eq!(report.json("")["newest"].as_array().unwrap().len(), 10);
    driver.finish();
}

#[test]
fn late_spans_and_an_id_that_comes_again_are_told() {
    let mut driver = driver("remember: 60s, policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]");
    decide(&mut driver, [of(1, "a").status_error("no")]);
    driver.receive(traces([of(1, "late").parent(7), of(1, "later").parent(7)]));
    driver.receive(traces([of(1, "another root")]));
    let told = text(&driver, &id(1));
    assert!(
        told.contains("3 spans after the decision, 3 kept and 0 dropped, among them a root: the id may have been used again\n"),
        "{told}"
    );
    driver.turn(Duration::from_secs(600));
    decide(&mut driver, [of(1, "b")]);
    let told = text(&driver, &format!("00-{}-00f067aa0ba902b7-01", id(1)));
    assert!(told.contains("This id was used again after its verdict"), "{told}");
    assert!(told.contains("was kept by errors\n") && told.contains("was dropped: no policy keeps it\n"), "{told}");
    let told = report(&driver).json(&id(1));
    assert_eq!((told["used_again"].as_bool(), told["records"].as_array().unwrap().len()), (Some(true), 3));
    driver.finish();
}

/// Whatever spans say, the page says nothing of it.
#[test]
fn no_content_of_spans_is_ever_told() {
    let mut driver = driver(
        "policies: [{name: s, type: string_attribute, string_attribute: {key: user, values: ['secret.*'], enabled_regex_matching: true}},
        {name: o, type: ottl_condition, ottl_condition: {span: ['IsMatch(span.name, \"secret\")']}},
        {name: t, type: trace_state, trace_state: {key: k, values: [secret]}}]",
    );
    let secret =
        of(1, "secret name").attribute("user", "secret user").trace_state("k=secret").service("secret service").status_error("secret");
    decide(&mut driver, [secret]);
    for told in [text(&driver, &id(1)), text(&driver, ""), report(&driver).json(&id(1)).to_string(), report(&driver).json("").to_string()] {
        assert!(told.contains(&id(1)) && !told.contains("secret"), "{told}");
    }
    driver.finish();
}

#[test]
fn without_records_there_is_no_page() {
    let driver = driver("why: {records: 0}, policies: [{name: all, type: always_sample}]");
    assert!(driver.context().reports.of("why").is_empty());
    driver.finish();
    let wrong = FACTORY.parse("{why: {records: 1e9}, policies: [{name: all, type: always_sample}]}");
    assert!(wrong.is_err_and(|errors| errors.to_string().contains("why.records: is more than 10000000")));
}

#[test]
fn lanes_write_apart_and_are_read_together() {
    let context = ProcessorContext::alone("tail_sampling");
    let recorders: Vec<Recorder> = (0..4)
        .map(|index| {
            let recorded = Recorded { why: Why { records: 400 }, written: "x", live: Vec::new(), shadow: Vec::new(), wait: Duration::ZERO };
            Recorder::new(recorded, &context.in_lane(Lane { index, count: 4 }))
        })
        .collect();
    for (lane, recorder) in (1u64..).zip(&recorders) {
        recorder.late(trace_id(lane), LogTime(lane), true, false);
    }
    let told = context.reports.of("why");
    assert_eq!(told.len(), 1, "one page for all lanes");
    assert!((1..=4u64).all(|lane| told[0].1.knows(&format!("{lane:032x}"))));
    assert_eq!(recorders.iter().map(|recorder| recorder.to.as_ref().unwrap().version).collect::<Vec<_>>(), [1; 4]);
}

#[test]
fn a_record_takes_little_and_is_found_among_many() {
    let mut driver = driver(&format!("why: {{records: 100000}}, {NESTED}"));
    for n in 0..10u64 {
        driver.receive(traces((0..1000).map(|t| span("a").trace(n * 1000 + t + 1).times(0, t))));
    }
    driver.turn(Duration::from_secs(11));
    assert!([1, 777, 10_000].iter().all(|trace| report(&driver).knows(&format!("{trace:032x}"))));
    assert!(!report(&driver).knows(&format!("{:032x}", 10_001)));
    let book = driver.context().share("why", || Book::new(&Clock::system()));
    let (records, bytes) = lock(&lock(&book.rings)[0]).size();
    assert_eq!(records, 10_000);
    assert!(bytes <= records * 64, "{bytes} bytes for {records} records of four policies");
    driver.finish();
}

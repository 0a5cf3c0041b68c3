//! What statements change, in which order, and what becomes of those that fail.

use tracetailor_core::ledger::Column;
use tracetailor_core::telemetry::Decoded;
use tracetailor_core::testing::{Driver, assert_manual, run_recorded, run_stories, span, traces};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

/// What is done otherwise than the Collector does it, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("flat-infers-lowest-context", NEIGHBOURS),
    ("log-flat-resource-change-seen-by-the-next-record", NEIGHBOURS),
    ("conv-substring", LITERALS),
    ("conv-parsekeyvalue-bad-propagated", LITERALS),
    ("conv-parseint", LITERALS),
    ("conv-time-parse", LITERALS),
    ("conv-url-bad-propagated", LITERALS),
    ("math-division-by-zero", LITERALS),
    ("conv-decode-bad-base64", LITERALS),
    ("otelcol-client-metadata", "the client's address is planned"),
    ("conv-parsecsv", PLANNED),
    ("conv-xml-get-insert-remove", PLANNED),
    ("conv-extractgrok-custom-and-all-captures", PLANNED),
    ("log-conv-parsecef", PLANNED),
    ("log-conv-parseclf", PLANNED),
    ("metric-convert-summary-count-and-sum", PLANNED),
    ("metric-convert-summary-quantiles", PLANNED),
];
const NEIGHBOURS: &str = "an item that changes its resource leaves its neighbours theirs";
const LITERALS: &str = "what fails whatever the item is refused when the file is read";
const PLANNED: &str = "the function is planned";

#[test]
fn it_does_what_the_collector_was_seen_to_do() {
    run_recorded(&FACTORY, include_str!("collector.json"), DIFFERENT);
}

fn attributes(config: &str) -> Vec<Vec<String>> {
    let mut driver = Driver::of(&FACTORY, config);
    driver.receive(traces([span("a").attribute("n", 1), span("b")]));
    let spans = driver.finish().spans();
    spans.iter().map(|span| span.attributes.iter().map(|attribute| attribute.key.clone()).collect()).collect()
}

#[test]
fn groups_run_one_after_the_other() {
    let config = "
trace_statements:
  - {statements: ['set(span.attributes[\"x\"], 1) where span.name == \"a\"', 'set(span.cache[\"c\"], 1)']}
  - {context: span, conditions: ['attributes[\"x\"] == 1'], statements: ['set(attributes[\"y\"], 1)', 'set(attributes[\"z\"], 1) where cache[\"c\"] != nil']}
";
    assert_eq!(attributes(config), [vec!["n", "x", "y"], vec![]]);
}

#[test]
fn one_that_fails_is_counted_and_the_rest_runs() {
    let statement = "set(attributes[\"n\"][\"k\"], 1)";
    let config = |mode: &str| {
        format!(
            "{{trace_statements: [{{context: span, error_mode: {mode}, statements: ['{statement}', 'set(attributes[\"after\"], 1)']}}]}}"
        )
    };
    for mode in ["ignore", "silent"] {
        let mut driver = Driver::of(&FACTORY, &config(mode));
        driver.receive(traces([span("a").attribute("n", 1), span("b")]));
        assert_eq!(driver.counted("tracetailor_failed_expressions_total"), 1);
        let labels = driver.context().counters.read().into_iter().flat_map(|series| series.labels).collect::<Vec<_>>();
        assert!(labels.contains(&("expression".to_owned(), statement.to_owned())), "{labels:?}");
        assert!(driver.finish().spans().iter().all(|span| span.attributes.iter().any(|attribute| attribute.key == "after")));
    }
    let mut driver = Driver::of(&FACTORY, &config("propagate"));
    driver.receive(traces([span("a").attribute("n", 1), span("b")]));
    assert_eq!(driver.ended(Column::Rejected, "failed_statement"), 2);
    assert_eq!(driver.counted("tracetailor_failed_expressions_total"), 1);
    assert_eq!(driver.inlet().answer(0).tally.rejected_retryable, 2);
    assert!(driver.finish().take_bytes().is_empty());
}

#[test]
fn what_is_not_meant_leaves_byte_for_byte() {
    let mut driver = Driver::of(&FACTORY, "trace_statements: ['set(span.name, \"x\") where span.name == \"never\"']");
    let request = traces([span("a").attribute("k", 1)]);
    let before = Decoded::from(request.clone()).encode();
    driver.receive(request);
    assert_eq!(driver.sink_mut().take_bytes(), before);
    assert!(driver.reconfigure("trace_statements: ['set(span.name, \"x\")']").is_ok());
    driver.receive(traces([span("a")]));
    assert_eq!(driver.finish().span_names(), ["x"]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let said = |config: &str| FACTORY.parse(config).map(drop).unwrap_err().to_string();
    for (config, expected) in [
        ("trace_statements: ['set(name, \"a\")']", "trace_statements[0]"),
        (
            "trace_statements: ['set(span.name, \"a\")', {context: span, statements: ['set(name, \"a\")']}]",
            "trace_statements[1]: statements and groups",
        ),
        (
            "trace_statements: [{context: span, statements: ['set(name, \"a\")']}, 'set(span.name, \"a\")']",
            "trace_statements[1]: statements and groups",
        ),
        (
            "trace_statements: [{context: spam, statements: ['set(name, \"a\")']}]",
            "trace_statements[0].context: there is no context \"spam\" here",
        ),
        ("trace_statements: [{context: span, statements: ['set(name, \"a\")', 'set(nme, \"a\")']}]", "trace_statements[0].statements[1]"),
        (
            "trace_statements: [{context: span, conditions: ['nme == 1'], statements: ['set(name, \"a\")']}]",
            "trace_statements[0].conditions[0]",
        ),
        ("trace_statements: [{shared_cache: true, statements: ['set(span.name, \"a\")']}]", "planned"),
        ("profile_statements: ['set(profile.x, 1)']", "planned"),
    ] {
        let found = said(config);
        assert!(found.contains(expected), "{config}: {found}");
    }
}

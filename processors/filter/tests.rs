//! What is dropped, why, and what the books say of it.

use tracetailor_core::ledger::Column;
use tracetailor_core::telemetry::{Decoded, Signal};
use tracetailor_core::testing::{Driver, assert_manual, gauge, metrics, run_recorded, run_stories, span, traces};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

#[test]
fn it_does_what_the_collector_was_seen_to_do() {
    let different = [
        ("arriving-empty-scope-removed-when-filtering", "what arrives empty goes on as it came where nothing is dropped"),
        ("metrics-exclude-expr-haslabel", "expressions are planned"),
    ];
    run_recorded(&FACTORY, include_str!("collector.json"), &different);
}

/// Three spans of two services.
fn request() -> impl Into<Decoded> {
    traces([span("a").service("shop").attribute("n", 1), span("b").service("shop"), span("c").service("cart").attribute("n", 3)])
}

fn kept(config: &str) -> Vec<String> {
    let mut driver = Driver::of(&FACTORY, config);
    driver.receive(request());
    driver.finish().span_names()
}

#[test]
fn the_books_name_the_rule() {
    let mut driver = Driver::of(
        &FACTORY,
        "{trace_conditions: ['resource.attributes[\"service.name\"] ==\n \"cart\"', 'span.name == \"a\"', 'span.attributes[\"n\"] == 1']}",
    );
    driver.receive(request());
    assert_eq!(driver.sink().span_names(), ["b"]);
    assert_eq!(driver.ended(Column::Dropped, "resource.attributes[\"service.name\"] == \"cart\""), 1);
    assert_eq!(driver.ended(Column::Dropped, "span.name == \"a\""), 1);
    assert_eq!(driver.ended(Column::Dropped, "span.attributes[\"n\"] == 1"), 0, "another rule was first");
    assert_eq!(driver.counted("otelcol_processor_filter_spans_filtered"), 2);
    driver.finish();
}

#[test]
fn a_rule_on_the_resource_is_named_before_one_on_the_span() {
    let mut driver = Driver::of(&FACTORY, "{traces: {span: ['name == \"c\"'], resource: ['attributes[\"service.name\"] == \"cart\"']}}");
    driver.receive(request());
    assert_eq!(driver.ended(Column::Dropped, "attributes[\"service.name\"] == \"cart\""), 1);
    driver.finish();
}

#[test]
fn what_is_chosen_by_name_has_its_reason() {
    let config = "{spans: {include: {match_type: strict, services: [shop]}, exclude: {match_type: strict, span_names: [a]}}}";
    let mut driver = Driver::of(&FACTORY, config);
    driver.receive(request());
    assert_eq!((driver.ended(Column::Dropped, "not_included"), driver.ended(Column::Dropped, "excluded")), (1, 1));
    assert_eq!(driver.finish().span_names(), ["b"]);
}

#[test]
fn what_is_kept_leaves_byte_for_byte() {
    let mut driver = Driver::of(&FACTORY, "trace_conditions: ['span.name == \"never\"', 'spanevent.name == \"never\"']");
    let request: Decoded = request().into();
    let before = request.encode();
    driver.receive(request);
    assert_eq!(driver.sink_mut().take_bytes(), before);
    driver.finish();
}

#[test]
fn groups_have_modes_of_their_own() {
    let fails = "HasPrefix(span.attributes[\"n\"], \"a\")";
    let config = format!(
        "{{error_mode: silent, trace_conditions: [{{conditions: ['{fails}']}}, {{error_mode: propagate, context: span, conditions: ['name == \"c\"']}}]}}"
    );
    let mut driver = Driver::of(&FACTORY, &config);
    driver.receive(request());
    assert_eq!(driver.sink().span_names(), ["a", "b"]);
    assert_eq!(driver.counted("tracetailor_failed_expressions_total"), 3);
    assert!(driver.reconfigure(&format!("{{error_mode: propagate, trace_conditions: ['{fails}']}}")).is_ok());
    driver.sink_mut().take_bytes();
    driver.receive(request());
    assert_eq!(driver.ended(Column::Rejected, "failed_condition"), 3);
    assert!(driver.finish().take_bytes().is_empty());
}

#[test]
fn an_error_in_an_event_refuses_the_batch_too() {
    let config = "{error_mode: propagate, trace_conditions: ['span.name == \"a\"', 'HasPrefix(spanevent.attributes[\"none\"], \"a\")']}";
    let mut driver = Driver::of(&FACTORY, config);
    driver.receive(traces([span("a").event(1, "dropped before it is asked", [])]));
    assert_eq!(driver.ended(Column::Dropped, "span.name == \"a\""), 1);
    driver.receive(traces([span("a"), span("b").event(1, "asked", [])]));
    assert_eq!(driver.ended(Column::Rejected, "failed_condition"), 2);
    assert!(driver.finish().take_bytes().is_empty());
}

#[test]
fn a_metric_is_judged_by_all_its_points() {
    let kept = |condition: &str| {
        let mut driver = Driver::of_signal(Signal::Metrics, &FACTORY, &format!("metric_conditions: ['{condition}']"));
        driver.receive(metrics([
            gauge("g1").value(1).attribute("a", "x").value(2),
            gauge("g2").value(3).attribute("a", 5),
            gauge("g3").value(4),
        ]));
        assert_eq!(driver.counted("tracetailor_failed_expressions_total"), 0, "{:?}", driver.context().counters.read());
        driver.finish().metric_list().into_iter().map(|metric| metric.name).collect::<Vec<_>>()
    };
    assert_eq!(kept("HasAttrKeyOnDatapoint(\"a\") and metric.name != \"\""), ["g3"]);
    assert_eq!(kept("not HasAttrKeyOnDatapoint(\"a\") and metric.name != \"\""), ["g1", "g2"]);
    assert_eq!(kept("HasAttrOnDatapoint(\"a\", \"x\") and metric.name != \"\""), ["g2", "g3"]);
}

#[test]
fn the_oldest_way_excludes_metrics_by_name_or_by_resource() {
    let kept = |block: &str| {
        let mut driver = Driver::of_signal(Signal::Metrics, &FACTORY, &format!("metrics: {{{block}}}"));
        driver.receive(metrics([
            gauge("g1").value(1).service("shop"),
            gauge("g2").value(1).service("shop"),
            gauge("g1").value(1).service("cart"),
            gauge("g2").value(1).service("cart"),
        ]));
        driver.ended(Column::Dropped, "excluded") + 10 * driver.ended(Column::Dropped, "not_included")
    };
    let both = "{match_type: strict, metric_names: [g1], resource_attributes: [{key: service.name, value: cart}]}";
    assert_eq!(kept(&format!("exclude: {both}")), 3, "all but g2 of shop");
    assert_eq!(kept(&format!("include: {both}")), 30, "all but g1 of cart");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let said = |config: &str| FACTORY.parse(config).map(drop).unwrap_err().to_string();
    for (config, expected) in [
        ("trace_conditions: ['name == \"a\"']", "trace_conditions[0]"),
        ("trace_conditions: ['IsRootSpan()']", "no path says what this is a condition on"),
        ("trace_conditions: ['span.name == \"a\"', {conditions: ['span.name == \"b\"']}]", "stand in one list"),
        ("trace_conditions: [{context: log, conditions: ['body == \"b\"']}]", "there is no context \"log\" here"),
        ("{trace_conditions: ['span.name == \"a\"'], traces: {span: ['name == \"a\"']}}", "stands beside traces"),
        ("{trace_conditions: ['span.name == \"a\"'], spans: {exclude: {match_type: strict, services: [a]}}}", "stands beside spans"),
        ("{logs: {log_record: ['body == \"a\"'], include: {match_type: strict, bodies: [a]}}}", "another way to say the same"),
        ("profile_conditions: ['profile.x == 1']", "planned"),
        ("profiles: {profile: ['x == 1']}", "planned"),
        ("logs: {exclude: {match_type: regexp, bodies: ['(']}}", "logs.exclude.bodies[0]: is no regular expression"),
        ("logs: {exclude: {match_type: strict}}", "names nothing"),
        ("metrics: {exclude: {metric_names: [a]}}", "metrics.exclude.match_type: is missing"),
        ("metrics: {exclude: {match_type: expr, expressions: ['HasLabel(\"a\")']}}", "planned"),
        ("trace_conditions: ['HasAttrKeyOnDatapoint(\"a\") and span.name == \"b\"']", "looks at all points of a metric"),
    ] {
        let found = said(config);
        assert!(found.contains(expected), "{config}: {found}");
    }
    assert!(FACTORY.parse("{trace_conditions: ['span.name == \"a\"'], logs: {log_record: ['body == \"a\"']}}").is_ok());
}

#[test]
fn what_tears_holes_says_so() {
    let tracetailor_core::component::Part::Sieve(drops) = FACTORY.part else { panic!("it is a sieve") };
    let drops = |config: &str| drops(&FACTORY.parse(config).unwrap().config);
    assert!(drops("trace_conditions: ['span.name == \"a\"']"));
    assert!(drops("traces: {resource: ['attributes[\"a\"] == 1']}"));
    assert!(drops("spans: {exclude: {match_type: strict, services: [a]}}"));
    assert!(!drops("trace_conditions: ['spanevent.name == \"a\"']"));
    assert!(!drops("logs: {log_record: ['body == \"a\"']}"));
}

#[test]
fn conditions_follow_a_reload() {
    assert_eq!(kept("trace_conditions: ['span.name == \"a\"']"), ["b", "c"]);
    let mut driver = Driver::of(&FACTORY, "trace_conditions: ['span.name == \"a\"']");
    assert!(driver.reconfigure("trace_conditions: ['span.name == \"b\"']").is_ok());
    driver.receive(request());
    assert_eq!(driver.finish().span_names(), ["a", "c"]);
}

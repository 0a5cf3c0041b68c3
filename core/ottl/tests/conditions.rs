//! What holds for an item.

use super::*;
use crate::telemetry::Source;

/// Whether a condition holds for the sample span, or what is wrong.
fn holds(text: &str) -> Result<bool, String> {
    ask(Some("span"), text)
}

fn ask(context: Option<&str>, text: &str) -> Result<bool, String> {
    let contexts = Contexts::of(Signal::Traces);
    let mut conditions = Conditions::parse(&contexts, context, &[text], ErrorMode::Propagate).map_err(|problems| problems.to_string())?;
    with(sample(), |batch, inlet| {
        let source = Source { metadata: vec![("x-tenant".into(), "acme".into()), ("x-tenant".into(), "b".into())], ..Source::default() };
        let scene = Scene::of_item(batch.item(0), &source, inlet.clock());
        conditions.any(&scene).map_err(|failure| failure.to_string())
    })
}

#[test]
fn conditions_hold_as_in_the_collector() {
    for (text, expected) in [
        ("name == \"GET /user/17\"", true),
        ("name != \"GET /user/17\"", false),
        ("kind == SPAN_KIND_SERVER", true),
        ("kind.string == \"Server\"", true),
        ("kind.deprecated_string == \"SPAN_KIND_SERVER\"", true),
        ("status.code == STATUS_CODE_UNSET", true),
        ("status.message == \"\"", true),
        ("attributes[\"s\"] == \"Hello World\"", true),
        ("attributes[\"i\"] == 42.0", true),
        ("attributes[\"i\"] > 41.5", true),
        ("attributes[\"d\"] > 2", true),
        ("2 < attributes[\"d\"]", true),
        ("attributes[\"b\"] == true", true),
        ("attributes[\"b\"] > false", true),
        ("attributes[\"b\"] == \"true\"", false),
        ("attributes[\"b\"] != \"true\"", true),
        ("attributes[\"code\"] > 100", false),
        ("attributes[\"code\"] != 200", true),
        ("attributes[\"none\"] == nil", true),
        ("attributes[\"none\"] != nil", false),
        ("attributes[\"none\"] <= nil", true),
        ("attributes[\"none\"] < nil", false),
        ("attributes[\"none\"] == \"\"", false),
        ("attributes[\"l\"][1] == \"b\"", true),
        ("attributes[\"l\"] == [\"a\", \"b\", \"c\"]", true),
        ("attributes[\"l\"] < [\"z\"]", false),
        ("attributes[\"m\"][\"y\"][\"z\"] == \"deep\"", true),
        ("attributes[\"m\"][\"none\"][\"z\"] == nil", true),
        ("attributes[\"m\"] == {\"y\": {\"z\": \"deep\"}, \"x\": 1}", true),
        ("attributes[\"m\"] == {\"y\": {\"z\": \"deep\"}, \"x\": 1.0}", false),
        ("attributes[\"i\"] + 8 == (100 + 150) / 5", true),
        ("attributes[\"i\"] - attributes[\"d\"] == 39.25", true),
        ("-attributes[\"i\"] == -42", true),
        ("7 / 2 == 3 and -7 / 2 == -3", true),
        ("trace_id == 0x00000000000000000000000000000af7", true),
        ("trace_id.string == \"00000000000000000000000000000af7\"", true),
        ("parent_span_id == 0x0000000000000000", true),
        ("parent_span_id.string == \"0000000000000000\"", true),
        ("trace_state[\"k1\"] == \"v1\" and trace_state[\"zz\"] == \"\"", true),
        ("start_time_unix_nano == 1700000000000000000", true),
        ("end_time > start_time", true),
        ("IsMatch(name, \"^GET /user/[0-9]+$\")", true),
        ("IsMatch(attributes[\"none\"], \".*\")", false),
        ("IsMatch(attributes[\"i\"], \"^42$\")", true),
        ("not IsMatch(name, \"^POST\") and attributes[\"i\"] == 42", true),
        ("name == \"a\" or name == \"GET /user/17\" and kind == SPAN_KIND_INTERNAL", false),
        ("resource.attributes[\"service.name\"] == \"shop\"", true),
        ("resource.attributes[\"env\"] == \"prod\" and name == \"x\"", false),
        ("scope.name == \"lib\" and instrumentation_scope.version == \"1.2\" and scope.attributes[\"sc\"] == \"x\"", true),
        ("span.dropped_events_count == 0", true),
        ("otelcol.client.metadata[\"X-Tenant\"][0] == \"acme\" and attributes[\"i\"] == 42", true),
        ("otelcol.client.metadata[\"x-tenant\"] == [\"acme\", \"b\"]", true),
        ("otelcol.client.metadata[\"none\"] == nil", true),
        ("true", true),
        ("true and false", false),
        ("cache[\"x\"] == nil", true),
    ] {
        assert_eq!(holds(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_has_no_value_is_an_error() {
    for (text, error) in [
        ("attributes[\"s\"][\"k\"] == 1", "expected a map, to enter by key, got text"),
        ("attributes[\"m\"][0] == 1", "expected a list, to enter by number, got a map"),
        ("attributes[\"l\"][9] == 1", "the list has no such element"),
        ("attributes[\"s\"] + 1 == 1", "expected numbers, or a time and a duration, got text"),
        ("1 + attributes[\"none\"] == 1", "expected numbers, or a time and a duration, got nil"),
        ("1 / (attributes[\"i\"] - 42) == 1", "division by zero"),
    ] {
        assert_eq!(holds(text), Err(error.to_owned()), "{text}");
    }
}

#[test]
fn an_error_is_what_the_mode_says() {
    let contexts = Contexts::of(Signal::Traces);
    let texts = ["attributes[\"s\"][\"k\"] == 1", "name == \"GET /user/17\""];
    for (mode, expected) in [(ErrorMode::Propagate, None), (ErrorMode::Ignore, Some(true)), (ErrorMode::Silent, Some(true))] {
        let mut conditions = Conditions::parse(&contexts, Some("span"), &texts, mode).unwrap();
        with(sample(), |batch, inlet| {
            let source = Source::default();
            let held = conditions.any(&Scene::of_item(batch.item(0), &source, inlet.clock()));
            assert_eq!(held.ok(), expected);
        });
        let failures = conditions.take_failures();
        assert_eq!(
            failures.iter().map(|(text, failed)| (text.as_str(), failed.count)).collect::<Vec<_>>(),
            match expected {
                Some(_) => vec![(texts[0], 1)],
                None => vec![],
            }
        );
        assert!(conditions.take_failures().is_empty());
    }
}

#[test]
fn what_contexts_share_is_asked_once_and_still_right() {
    let contexts = Contexts::of(Signal::Traces);
    let texts = [
        "resource.attributes[\"env\"] == \"prod\" and attributes[\"n\"] == 1",
        "not (resource.attributes[\"service.name\"] == \"shop\") or name == \"c\"",
        "resource.attributes[\"env\"][\"k\"] == 1",
    ];
    let mut conditions = Conditions::parse(&contexts, Some("span"), &texts, ErrorMode::Ignore).unwrap();
    let request = traces([
        span("a").service("shop").resource("env", "prod").attribute("n", 1),
        span("b").service("cart").resource("env", "prod").attribute("n", 2),
        span("c").service("shop").resource("env", "prod").attribute("n", 3),
    ]);
    with(request, |batch, inlet| {
        let source = Source::default();
        let mut held = Vec::new();
        for item in batch.items() {
            conditions.each(&Scene::of_item(item, &source, inlet.clock()), |_, outcome| held.push(outcome.ok()));
        }
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(held, [yes, no, None, no, yes, None, no, yes, None]);
    });
}

#[test]
fn events_are_asked_in_their_own_context() {
    let contexts = Contexts::of(Signal::Traces);
    let texts = ["attributes[\"exception.type\"] == \"Timeout\" and span.name == \"GET /user/17\"", "event_index == 1"];
    let mut conditions = Conditions::parse(&contexts, Some("spanevent"), &texts, ErrorMode::Propagate).unwrap();
    with(sample(), |batch, inlet| {
        let (source, item) = (Source::default(), batch.item(0));
        for index in 0..2 {
            let event = Event { index, bytes: item.event(index).unwrap() };
            let scene = Scene::of_item(item, &source, inlet.clock()).at_event(event);
            let mut held = Vec::new();
            conditions.each(&scene, |_, outcome| held.push(outcome.unwrap()));
            assert_eq!(held, [index == 0, index == 1]);
        }
    });
}

/// What a tail sampler knows of a trace.
struct TraceFacts;

impl Facts for TraceFacts {
    fn fact(&self, number: usize) -> Value<'_> {
        [Value::Duration(5_000_000_000), Value::Int(7)].into_iter().nth(number).unwrap_or_default()
    }
}

#[test]
fn a_caller_brings_a_context_of_its_own() {
    let contexts = Contexts::of(Signal::Traces).with(Table::of_facts("trace", [("duration", Type::Duration), ("span_count", Type::Int)]));
    let texts =
        ["trace.span_count > 5", "trace.span_count > 7 or resource.attributes[\"env\"] == \"prod\"", "trace.duration == trace.duration"];
    let conditions = texts.map(|text| Condition::parse(&contexts, None, text).unwrap());
    assert_eq!(conditions.each_ref().map(Condition::level), [Level::Facts, Level::Resource, Level::Facts]);
    assert_eq!(conditions[0].context(), "trace");
    let mut conditions = Conditions::of(conditions.to_vec(), ErrorMode::Propagate);
    with(sample(), |batch, inlet| {
        let source = Source::default();
        let scene = Scene::of_context(batch.item(0).context(), &source, inlet.clock()).with_facts(&TraceFacts);
        conditions.each(&scene, |number, outcome| assert_eq!(outcome, Ok(true), "{number}"));
    });
    let problems = Condition::parse(&contexts, None, "trace.spancount > 5").unwrap_err();
    assert_eq!(problems.to_string(), "error: character 7: there is no path spancount in the context trace; did you mean span_count?");
}

#[test]
fn logs_and_metrics_have_their_contexts() {
    use crate::testing::otlp::*;
    let contexts = Contexts::of(Signal::Logs);
    for (text, expected) in [
        ("severity_number >= SEVERITY_NUMBER_WARN and severity_text == \"WARN\"", true),
        ("body[\"a\"] == 1", true),
        ("body.string == \"{\\\"a\\\":1}\"", true),
        ("IsMatch(body, \"a\")", true),
        ("log.attributes[\"k\"] == nil and trace_id.string == \"00000000000000000000000000000000\"", true),
        ("observed_time_unix_nano == 5 and time_unix_nano == 0", true),
        ("event_name == \"e\"", true),
    ] {
        let mut conditions = Conditions::parse(&contexts, Some("log"), &[text], ErrorMode::Propagate).unwrap();
        let record = LogRecord {
            severity_number: 13,
            severity_text: "WARN".into(),
            observed_time_unix_nano: 5,
            event_name: "e".into(),
            body: Some(map([("a", 1)])),
            ..LogRecord::default()
        };
        let scope_logs = vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }];
        let mut inlet = Inlet::new();
        let batch = inlet.receive(ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] });
        let source = Source::default();
        assert_eq!(conditions.any(&Scene::of_item(batch.item(0), &source, inlet.clock())), Ok(expected), "{text}");
        batch.settle(Fate::Delivered);
    }
    let contexts = Contexts::of(Signal::Metrics);
    for (context, text, expected) in [
        ("metric", "type == METRIC_DATA_TYPE_SUM and is_monotonic == true", true),
        ("metric", "name == \"m\" and unit == \"ms\" and aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA", true),
        ("datapoint", "metric.name == \"m\" and value_int == 4 and value_double == 0.0", true),
        ("datapoint", "attributes[\"a\"] == \"x\" and flags == FLAG_NONE", true),
        ("datapoint", "bucket_counts == nil and count == nil", true),
    ] {
        let mut conditions = Conditions::parse(&contexts, Some(context), &[text], ErrorMode::Propagate).unwrap();
        let point = NumberDataPoint {
            attributes: vec![attribute("a", "x")],
            value: Some(number_data_point::Value::AsInt(4)),
            ..NumberDataPoint::default()
        };
        let sum = Sum { data_points: vec![point], aggregation_temporality: 1, is_monotonic: true };
        let metric = Metric { name: "m".into(), unit: "ms".into(), data: Some(Data::Sum(sum)), ..Metric::default() };
        let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
        let mut inlet = Inlet::new();
        let request =
            ExportMetricsServiceRequest { resource_metrics: vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }] };
        let batch = inlet.receive(request);
        let source = Source::default();
        let scene = match context {
            "metric" => Scene::of_context(batch.item(0).context(), &source, inlet.clock()),
            _ => Scene::of_item(batch.item(0), &source, inlet.clock()),
        };
        assert_eq!(conditions.any(&scene), Ok(expected), "{text}");
        batch.settle(Fate::Delivered);
    }
}

#[test]
fn what_is_read_can_be_asked() {
    let contexts = Contexts::of(Signal::Traces);
    let read = |text: &str| Condition::parse(&contexts, Some("span"), text).unwrap().reads();
    let reads = read("attributes[\"a\"][\"b\"] == 1 and (resource.attributes[\"env\"] == \"x\" or IsMatch(name, \"y\"))");
    let paths: Vec<_> = reads.paths.iter().map(|path| (path.text.as_str(), path.level, path.attribute.as_deref())).collect();
    assert_eq!(
        paths,
        [
            ("span.attributes[\"a\"][\"b\"]", Level::Item, Some("a")),
            ("resource.attributes[\"env\"]", Level::Resource, Some("env")),
            ("span.name", Level::Item, None)
        ]
    );
    assert!(!reads.metadata && !reads.is_shared() && reads.touches(Level::Resource));
    assert!(read("resource.attributes[\"env\"] == \"x\"").is_shared());
    let reads = read("otelcol.client.metadata[\"x\"] != nil");
    assert!(reads.metadata && !reads.is_shared());
}

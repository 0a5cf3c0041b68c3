//! What statements make of items, of events and of what items share.

use super::*;
use crate::telemetry::Decoded;
use crate::testing::otlp::{AnyValue, KeyValue, Span};

/// What a group makes of a request; what failed is left out.
fn run(context: Option<&str>, statements: &[&str], request: ExportTraceServiceRequest) -> ExportTraceServiceRequest {
    let (changed, failures) = run_and_tell(context, statements, request);
    assert!(failures.is_empty(), "{failures:?}");
    changed
}

fn run_and_tell(
    context: Option<&str>,
    statements: &[&str],
    request: ExportTraceServiceRequest,
) -> (ExportTraceServiceRequest, Vec<String>) {
    let texts: Vec<String> = statements.iter().map(|text| (*text).to_owned()).collect();
    let mut errors = crate::config::ConfigErrors::default();
    let group = GroupText { context, conditions: ("conditions", &[]), statements: ("statements", &texts) };
    let group = Statements::read(&mut errors, &Contexts::of(Signal::Traces), &group, ErrorMode::Ignore);
    let mut group = group.unwrap_or_else(|| panic!("{errors}"));
    with(request, |batch, inlet| {
        group.run(batch, inlet.clock()).unwrap();
        let Ok(Decoded::Traces(changed)) = Decoded::decode(Signal::Traces, &batch.to_bytes()) else { panic!("what is emitted decodes") };
        (changed, group.take_failures().into_iter().map(|(_, failed)| failed.error.to_string()).collect())
    })
}

fn first(request: &ExportTraceServiceRequest) -> &Span {
    &request.resource_spans[0].scope_spans[0].spans[0]
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a AnyValue> {
    attributes.iter().find(|attribute| attribute.key == key).and_then(|attribute| attribute.value.as_ref())
}

#[test]
fn statements_run_in_order_and_read_what_was_written() {
    let changed = run(
        Some("span"),
        &[
            "set(attributes[\"new\"], attributes[\"i\"] + 1)",
            "set(attributes[\"newer\"], attributes[\"new\"] * 2) where attributes[\"new\"] == 43",
            "set(attributes[\"m\"][\"y\"][\"w\"], \"deep\")",
            "set(attributes[\"l\"][1], \"B\")",
            "set(name, attributes[\"s\"]) where IsMatch(name, \"^GET\")",
            "delete_key(attributes, \"s\")",
            "set(attributes[\"never\"], 1) where name == \"GET /user/17\"",
            "set(cache[\"x\"][\"y\"], attributes[\"l\"])",
            "set(attributes[\"cached\"], cache[\"x\"][\"y\"][1])",
            "set(kind, SPAN_KIND_CLIENT)",
            "set(status.code, STATUS_CODE_ERROR)",
            "set(status.message, \"bad\")",
            "set(start_time, end_time)",
            "set(trace_state[\"k2\"], \"w\")",
            "set(parent_span_id, 0x0000000000000009)",
            "set(dropped_events_count, 3)",
        ],
        sample(),
    );
    let span = first(&changed);
    assert_eq!(value(&span.attributes, "newer"), Some(&86.into_value()));
    assert_eq!(value(&span.attributes, "m"), Some(&map([("x", 1.into_value()), ("y", map([("z", "deep"), ("w", "deep")]))])));
    assert_eq!(value(&span.attributes, "l"), Some(&list(["a", "B", "c"])));
    assert_eq!((span.name.as_str(), value(&span.attributes, "s"), value(&span.attributes, "never")), ("Hello World", None, None));
    assert_eq!(value(&span.attributes, "cached"), Some(&"B".into_value()));
    assert_eq!((span.kind, span.status.as_ref().unwrap().code, span.status.as_ref().unwrap().message.as_str()), (3, 2, "bad"));
    assert_eq!(span.start_time_unix_nano, span.end_time_unix_nano);
    assert_eq!((span.trace_state.as_str(), span.dropped_events_count), ("k2=w,k1=v1", 3));
    assert_eq!(span.parent_span_id, [0, 0, 0, 0, 0, 0, 0, 9]);
}

#[test]
fn nil_empties_an_attribute_and_is_refused_by_a_field() {
    let statements = [
        "set(attributes[\"s\"], attributes[\"none\"])",
        "set(name, attributes[\"none\"])",
        "set(kind, nil)",
        "set(attributes[\"t\"], start_time)",
    ];
    let (changed, failures) = run_and_tell(Some("span"), &statements, sample());
    let span = first(&changed);
    assert_eq!(value(&span.attributes, "s"), Some(&AnyValue { value: None }));
    assert_eq!(value(&span.attributes, "t"), Some(&AnyValue { value: None }), "a time has no place in an attribute");
    assert_eq!((span.name.as_str(), span.kind), ("GET /user/17", 2));
    assert_eq!(failures, ["expected text, got nil", "expected a whole number, got nil"]);
}

#[test]
fn what_cannot_be_written_leaves_the_item_as_it_was() {
    let statements = [
        "set(attributes[\"s\"][\"k\"], 1)",
        "set(attributes[\"l\"][9], 1)",
        "set(trace_id, 0x00000000000000000000000000000000)",
        "set(span_id.string, \"zz\")",
        "delete_key(attributes[\"s\"], \"k\")",
        "set(kind.string, \"Sever\")",
    ];
    let (changed, failures) = run_and_tell(Some("span"), &statements, sample());
    assert_eq!(changed, sample());
    assert_eq!(failures.len(), statements.len(), "{failures:?}");
}

#[test]
fn a_resource_is_changed_once_for_all_of_its_spans() {
    let request = || traces([span("a").service("shop"), span("b").service("shop"), span("c").service("cart")]);
    let statement = "set(resource.attributes[\"team\"], \"x\") where resource.attributes[\"service.name\"] == \"shop\"";
    for context in [None, Some("resource"), Some("span")] {
        let changed = run(context, &[statement, "set(resource.schema_url, \"u\")"], request());
        let teams: Vec<bool> =
            changed.resource_spans.iter().map(|one| value(&one.resource.as_ref().unwrap().attributes, "team").is_some()).collect();
        assert_eq!(teams, [true, false], "{context:?}");
        assert!(changed.resource_spans.iter().all(|one| one.schema_url == "u"));
        assert_eq!(changed.resource_spans[0].scope_spans[0].spans.len(), 2, "they still share it");
    }
}

#[test]
fn a_span_may_change_its_own_resource_and_scope() {
    let request = traces([span("a").service("shop").attribute("n", 1), span("b").service("shop").attribute("n", 2)]);
    let statements = [
        "set(resource.attributes[\"r\"], attributes[\"n\"])",
        "set(instrumentation_scope.version, \"9\")",
        "set(scope.attributes[\"sa\"], name)",
    ];
    let changed = run(Some("span"), &statements, request);
    let found: Vec<_> = changed.resource_spans.iter().map(|one| value(&one.resource.as_ref().unwrap().attributes, "r").cloned()).collect();
    assert_eq!(found, [Some(1.into_value()), Some(2.into_value())]);
    let scope = changed.resource_spans[1].scope_spans[0].scope.as_ref().unwrap();
    assert_eq!((scope.version.as_str(), value(&scope.attributes, "sa")), ("9", Some(&"b".into_value())));
}

#[test]
fn events_change_and_so_may_their_span() {
    let changed = run(
        None,
        &[
            "set(span.attributes[\"error.type\"], spanevent.attributes[\"exception.type\"]) where spanevent.name == \"exception\"",
            "set(spanevent.attributes[\"at\"], spanevent.event_index)",
            "set(spanevent.name, \"renamed\") where spanevent.attributes[\"at\"] == 1",
            "delete_key(spanevent.attributes, \"exception.type\")",
        ],
        sample(),
    );
    let span = first(&changed);
    assert_eq!(value(&span.attributes, "error.type"), Some(&"Timeout".into_value()));
    let events: Vec<_> = span.events.iter().map(|event| (event.name.as_str(), event.attributes.clone())).collect();
    assert_eq!(events, [("exception", vec![attribute("at", 0)]), ("renamed", vec![attribute("at", 1)])]);
}

#[test]
fn one_of_the_conditions_must_hold() {
    let (conditions, statements) =
        (vec!["name == \"b\"".to_owned(), "attributes[\"n\"] == 1".to_owned()], vec!["set(attributes[\"hit\"], true)".to_owned()]);
    let mut errors = crate::config::ConfigErrors::default();
    let group = GroupText { context: Some("span"), conditions: ("conditions", &conditions), statements: ("statements", &statements) };
    let mut group = Statements::read(&mut errors, &Contexts::of(Signal::Traces), &group, ErrorMode::Propagate).unwrap();
    let request = traces([span("a").attribute("n", 1), span("b").attribute("n", 2), span("c")]);
    with(request, |batch, inlet| {
        group.run(batch, inlet.clock()).unwrap();
        let hit: Vec<bool> = batch.items().map(|item| item.attribute("hit").is_some()).collect();
        assert_eq!(hit, [true, true, false]);
    });
}

#[test]
fn an_error_is_told_again_for_every_batch() {
    for (context, statement) in [
        (Some("resource"), "set(attributes[\"service.name\"][\"k\"], 1)"),
        (Some("span"), "set(resource.attributes[\"service.name\"][\"k\"], 1)"),
        (Some("span"), "set(attributes[\"s\"][\"k\"], 1)"),
    ] {
        let texts = vec![statement.to_owned()];
        let mut errors = crate::config::ConfigErrors::default();
        let group = GroupText { context, conditions: ("conditions", &[]), statements: ("statements", &texts) };
        let mut group = Statements::read(&mut errors, &Contexts::of(Signal::Traces), &group, ErrorMode::Propagate).unwrap();
        let mut inlet = Inlet::new();
        let held = inlet.receive(sample());
        for _ in 0..2 {
            let mut batch = inlet.receive(sample());
            let failure = group.run(&mut batch, inlet.clock()).unwrap_err();
            assert_eq!(failure.to_string(), "what holds the key `k` is no map");
            batch.settle(Fate::Delivered);
        }
        held.settle(Fate::Delivered);
    }
}

#[test]
fn a_value_that_copies_itself_into_itself_ends() {
    let doubled = ["set(cache[\"a\"], cache)", "set(cache[\"b\"], cache)"].repeat(40);
    let long = format!("set(cache[\"s\"], \"{}\")", "0123456789".repeat(100));
    let (_, failures) = run_and_tell(Some("span"), &[&[long.as_str()], &doubled[..]].concat(), sample());
    assert!(failures.contains(&"the value is larger than 4 MiB".to_owned()), "{failures:?}");
    let deep = ["set(cache[\"a\"], cache)"; 40];
    let (_, failures) = run_and_tell(Some("span"), &deep, sample());
    assert!(failures.contains(&"values would be nested deeper than 32 levels".to_owned()), "{failures:?}");
}

//! What `skip_conditions` hold for is left alone by the Collector's keys, in every signal and at every level, and by nothing else.

use tracetailor_core::telemetry::Signal;
use tracetailor_core::testing::otlp::{KeyValue, Value};
use tracetailor_core::testing::{Driver, gauge, log, logs, metrics, span, traces};

use super::super::FACTORY;

/// A configuration that masks tickets, but where one of these conditions holds.
fn config(condition: &str, ours: &str) -> String {
    format!("{{allow_all_keys: true, blocked_values: ['TCK-[0-9]+'], skip_conditions: ['{condition}']{ours}}}")
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text,
        other => format!("{other:?}"),
    }
}

fn of_key(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    text(found.and_then(|found| found.value.clone()).and_then(|value| value.value))
}

/// What becomes of the tickets of two services, one of which is internal, and of two records of each: on the resource, on the record, in the body.
fn of_logs(condition: &str) -> Vec<[String; 3]> {
    let record = |service: &str, name: &str| {
        let record = log("about TCK-1").attribute("name", name).attribute("ticket", "TCK-2");
        record.resource("audience", service).resource("ticket", "TCK-3")
    };
    let mut driver = Driver::of_signal(Signal::Logs, &FACTORY, &config(condition, ""));
    driver.receive(logs([record("internal", "a"), record("internal", "b"), record("others", "a"), record("others", "b")]));
    let mut all = Vec::new();
    for resource in driver.finish().logs().resource_logs {
        let shared = of_key(&resource.resource.unwrap_or_default().attributes, "ticket");
        for record in resource.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
            let body = text(record.body.and_then(|body| body.value));
            all.push([shared.clone(), of_key(&record.attributes, "ticket"), body]);
        }
    }
    all
}

const LEFT: [&str; 3] = ["TCK-3", "TCK-2", "about TCK-1"];
const MASKED: [&str; 3] = ["****", "****", "about ****"];

#[test]
fn records_of_a_resource_are_left_alone_with_it() {
    let all = of_logs("resource.attributes[\"audience\"] == \"internal\"");
    assert_eq!(all, [LEFT, LEFT, MASKED, MASKED]);
    assert_eq!(of_logs("resource.attributes[\"audience\"] == \"nobody\""), [MASKED; 4]);
}

#[test]
fn a_record_is_left_alone_and_its_resource_is_not() {
    let alone = [MASKED[0], LEFT[1], LEFT[2]];
    assert_eq!(of_logs("log.attributes[\"name\"] == \"a\""), [alone, MASKED, alone, MASKED]);
    assert_eq!(
        of_logs("log.attributes[\"name\"] == \"a\" and resource.attributes[\"audience\"] == \"internal\""),
        [alone, MASKED, MASKED, MASKED]
    );
}

#[test]
fn what_fails_and_what_speaks_of_another_signal_holds_for_nothing() {
    assert_eq!(of_logs("Int(log.attributes[\"name\"]) > 1"), [MASKED; 4]);
    assert_eq!(of_logs("span.name == \"a\""), [MASKED; 4]);
}

/// What becomes of the tickets of two metrics with two points each.
fn of_metrics(condition: &str) -> Vec<[String; 2]> {
    let metric = |name: &str, audience: &str| {
        let metric = gauge(name).value(1).attribute("name", "a").attribute("ticket", "TCK-1");
        let metric = metric.value(2).attribute("name", "b").attribute("ticket", "TCK-2");
        metric.resource("audience", audience).resource("ticket", "TCK-3")
    };
    let mut driver = Driver::of_signal(Signal::Metrics, &FACTORY, &config(condition, ""));
    driver.receive(metrics([metric("audit", "internal"), metric("requests", "others")]));
    let mut all = Vec::new();
    for resource in driver.finish().metrics().resource_metrics {
        let shared = of_key(&resource.resource.unwrap_or_default().attributes, "ticket");
        for metric in resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
            let Some(tracetailor_core::testing::otlp::Data::Gauge(gauge)) = metric.data else { panic!("{metric:?}") };
            all.extend(gauge.data_points.iter().map(|point| [shared.clone(), of_key(&point.attributes, "ticket")]));
        }
    }
    all
}

#[test]
fn points_are_left_alone_by_their_own_attributes_their_metric_and_their_resource() {
    let (masked, none) = ("****", "TCK-3");
    assert_eq!(
        of_metrics("resource.attributes[\"audience\"] == \"internal\""),
        [[none, "TCK-1"], [none, "TCK-2"], [masked, masked], [masked, masked]]
    );
    assert_eq!(
        of_metrics("datapoint.attributes[\"name\"] == \"b\"").iter().map(|[_, own]| own.as_str()).collect::<Vec<_>>(),
        [masked, "TCK-2", masked, "TCK-2"]
    );
    assert_eq!(
        of_metrics("metric.name == \"audit\"").iter().map(|[_, own]| own.as_str()).collect::<Vec<_>>(),
        ["TCK-1", "TCK-2", masked, masked]
    );
}

#[test]
fn what_was_remembered_of_others_does_not_reach_what_is_left_alone() {
    let mut driver = Driver::of(&FACTORY, &config("span.name == \"audit\"", ", detectors: {email: mask}"));
    for _ in 0..2 {
        let of = |name: &str| span(name).attribute("ticket", "TCK-1").attribute("mail", "joe@example.com");
        driver.receive(traces([of("pay"), of("audit"), of("pay")]));
    }
    let spans = driver.finish().spans();
    let tickets: Vec<String> = spans.iter().map(|span| of_key(&span.attributes, "ticket")).collect();
    assert_eq!(tickets, ["****", "TCK-1", "****", "****", "TCK-1", "****"]);
    assert!(spans.iter().all(|span| of_key(&span.attributes, "mail") == "****"), "ours know no exceptions");
}

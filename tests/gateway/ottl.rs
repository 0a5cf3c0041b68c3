//! A Collector's filters and transforms, in every style that they are written in, one behind the other in the real binary.

use prost::Message;
use tracetailor::core::telemetry::Signal;
use tracetailor::core::testing::otlp::{ExportTraceServiceRequest, Value};

use super::clients;
use super::process::Gateway;
use super::sink::Sink;

const CONFIG: &str = r#"
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:HTTP'}}}}
processors:
  filter:
    error_mode: ignore
    trace_conditions:
      - conditions: ['IsMatch(span.attributes["url.path"], "^/(healthz?|ready|live)$$")']
      - context: spanevent
        conditions: ['attributes["level"] == "debug"']
  filter/flat:
    trace_conditions: [span.name == "never", 'resource.attributes["service.name"] == "nobody"']
  filter/former:
    traces:
      resource: ['attributes["env"] == "test"']
      span: ['name == "poll" and not IsRootSpan()']
  filter/oldest:
    spans:
      exclude: {match_type: regexp, services: ['^noise'], span_kinds: [INTERNAL]}
  transform:
    error_mode: propagate
    trace_statements:
      - set(span.attributes["route"], span.attributes["url.path"]) where span.attributes["route"] == nil
      - delete_key(span.attributes, "url.path")
  transform/groups:
    trace_statements:
      - context: resource
        conditions: ['attributes["service.name"] == nil']
        statements: ['set(attributes["service.name"], "backfilled")']
      - context: span
        error_mode: silent
        statements:
          - set(attributes["route"]["deeper"], "fails")
          - set(name, attributes["route"]) where IsString(attributes["route"])
exporters: {otlp_http: {endpoint: 'http://127.0.0.1:SINK', compression: none}}
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [filter, filter/flat, filter/former, filter/oldest, transform, transform/groups]
      exporters: [otlp_http]
"#;

fn span(id: u8, name: &str, kind: u8, parent: &str, path: &str) -> String {
    let path = format!(r#"[{{"key": "url.path", "value": {{"stringValue": "{path}"}}}}]"#);
    format!(
        r#"{{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b1{id:02}", "parentSpanId": "{parent}", "name": "{name}",
  "kind": {kind}, "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000", "attributes": {path},
  "events": [{{"name": "e", "attributes": [{{"key": "level", "value": {{"stringValue": "debug"}}}}]}}, {{"name": "kept"}}]}}"#
    )
}

fn resource(attributes: &[(&str, &str)], spans: &[String]) -> String {
    let attribute = |(key, value): &(&str, &str)| format!(r#"{{"key": "{key}", "value": {{"stringValue": "{value}"}}}}"#);
    let attributes = attributes.iter().map(attribute).collect::<Vec<_>>().join(",");
    format!(r#"{{"resource": {{"attributes": [{attributes}]}}, "scopeSpans": [{{"spans": [{}]}}]}}"#, spans.join(","))
}

fn request() -> String {
    let parent = "eee19b7ec3c1b199";
    let resources = [
        resource(
            &[("service.name", "cart")],
            &[span(1, "GET", 2, "", "/cart"), span(2, "GET", 2, "", "/healthz"), span(3, "poll", 3, parent, "/poll")],
        ),
        resource(&[("service.name", "cart"), ("env", "test")], &[span(4, "GET", 2, "", "/cart")]),
        resource(&[("service.name", "noise-maker")], &[span(5, "GET", 2, "", "/loud"), span(6, "tick", 1, parent, "/tick")]),
        resource(&[], &[span(7, "GET", 2, "", "/who")]),
    ];
    format!(r#"{{"resourceSpans": [{}]}}"#, resources.join(","))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_and_transforms_of_every_style_work_behind_each_other() {
    let behind = Sink::start().await;
    let gateway = Gateway::start(&CONFIG.replace("SINK", &behind.port().to_string())).await;
    let (status, answer) = clients::post(gateway.http, "/v1/traces", "application/json", request().into_bytes()).await;
    assert_eq!(status, 200, "{answer}");
    behind.wait_for(3, 0, 0).await;

    let dropped = |component: &str, reason: &str| [format!("component=\"{component}\""), format!("reason=\"{reason}\"")];
    for (component, reason) in [
        ("filter", r#"IsMatch(span.attributes[\"url.path\"], \"^/(healthz?|ready|live)$\")"#),
        ("filter/former", r#"attributes[\"env\"] == \"test\""#),
        ("filter/former", r#"name == \"poll\" and not IsRootSpan()"#),
        ("filter/oldest", "excluded"),
    ] {
        let labels = dropped(component, reason);
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        assert_eq!(gateway.metric("tracetailor_dropped_spans_total", &labels).await, 1.0, "{component} {reason}");
    }
    assert_eq!(gateway.metric("otelcol_processor_filter_spans_filtered", &["filter=\"filter/former\""]).await, 2.0);
    let failed = ["component=\"transform/groups\"", r#"expression="set(attributes[\"route\"][\"deeper\"], \"fails\")""#];
    assert_eq!(gateway.metric("tracetailor_failed_expressions_total", &failed).await, 3.0);
    gateway.end_balanced().await;

    let mut found: Vec<(String, String, Vec<String>, usize)> = Vec::new();
    for body in behind.bodies(Signal::Traces) {
        for group in ExportTraceServiceRequest::decode(body.as_slice()).unwrap().resource_spans {
            let attributes = group.resource.unwrap_or_default().attributes;
            let service = attributes.into_iter().find(|attribute| attribute.key == "service.name").and_then(|attribute| attribute.value);
            let Some(Value::StringValue(service)) = service.and_then(|value| value.value) else { panic!("it has no name") };
            for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let keys = span.attributes.iter().map(|attribute| attribute.key.clone()).collect();
                found.push((service.clone(), span.name, keys, span.events.len()));
            }
        }
    }
    found.sort();
    let expected = [("backfilled", "/who"), ("cart", "/cart"), ("noise-maker", "/loud")];
    assert_eq!(found, expected.map(|(service, name)| (service.to_owned(), name.to_owned(), vec!["route".to_owned()], 1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_must_not_fail_makes_the_client_come_back() {
    let config = "
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:HTTP'}}}}
processors: {transform: {error_mode: propagate, trace_statements: ['set(span.name, span.attributes[\"none\"])']}}
exporters: {nop: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [transform], exporters: [nop]}}}
";
    let gateway = Gateway::start(config).await;
    let (status, answer) = clients::post(gateway.http, "/v1/traces", "application/json", request().into_bytes()).await;
    assert_eq!(status, 503, "{answer}");
    assert!(answer.contains("transform: a statement fails: expected text, got nil"), "{answer}");
    let rejected = ["component=\"transform\"", "reason=\"failed_statement\""];
    assert_eq!(gateway.metric("tracetailor_rejected_spans_total", &rejected).await, 7.0);
    let log = gateway.end_balanced().await;
    assert!(log.contains("an expression fails, refusing the batch") && log.contains("span.attributes"), "{log}");
}

//! Names, then secrets, then trees, then verdicts: what a processor has put right is what the next one judges by.

use std::collections::BTreeSet;

use prost::Message;
use tracetailor::core::telemetry::Signal;
use tracetailor::core::testing::otlp::{ExportTraceServiceRequest, SpanKind, Value};
use tracetailor::core::testing::{span, traces};

use super::clients;
use super::process::Gateway;
use super::sink::Sink;

const CONFIG: &str = r#"
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:HTTP'}}}}
processors:
  service_name: {case: kebab, aliases: {payment: [PaymentSvc]}, keep_original: false}
  redaction: {allow_all_keys: true, presets: [gdpr]}
  stitch: {mode: placeholder}
  tail_sampling:
    decision_wait: 1s
    policies:
      - {name: payments, type: string_attribute, string_attribute: {key: service.name, values: [payment]}}
      - {name: leaks, type: string_attribute, string_attribute: {key: user, values: ['@'], enabled_regex_matching: true}}
exporters: {otlp_http: {endpoint: 'http://127.0.0.1:SINK', compression: none}}
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [service_name, redaction, stitch, tail_sampling]
      exporters: [otlp_http]
"#;

/// Three services, of which the one in the middle lost its span. The second service is asked for by a name that nobody sends.
fn request(trace: u64, second: &str) -> ExportTraceServiceRequest {
    let of = |name: &str, service: &str, kind: SpanKind| span(name).trace(trace).service(service).kind(kind);
    traces([
        of("GET /buy", "web_shop", SpanKind::Server).id(1).times(0, 100).attribute("user", "joe@example.com"),
        of("charge", "web_shop", SpanKind::Client).id(2).parent(1).times(10, 90),
        of("transfer", second, SpanKind::Client).id(4).parent(3).times(30, 70),
        of("POST /transfer", "BankAPI", SpanKind::Server).id(5).parent(4).times(40, 60),
    ])
}

/// What left: traces, names of services, names of spans, and every text of an attribute.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    traces: BTreeSet<Vec<u8>>,
    services: BTreeSet<String>,
    spans: BTreeSet<String>,
    users: BTreeSet<String>,
}

impl Left {
    fn of(sink: &Sink) -> Self {
        let mut left = Self::default();
        let text = |value: &Option<Value>| match value {
            Some(Value::StringValue(text)) => text.clone(),
            other => format!("{other:?}"),
        };
        for body in sink.bodies(Signal::Traces) {
            for resource in ExportTraceServiceRequest::decode(&body[..]).unwrap().resource_spans {
                let attributes = resource.resource.unwrap_or_default().attributes;
                let name = attributes.iter().find(|attribute| attribute.key == "service.name").and_then(|name| name.value.clone());
                left.services.extend(name.map(|name| text(&name.value)));
                for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                    left.traces.insert(span.trace_id);
                    left.spans.insert(span.name);
                    let users = span.attributes.into_iter().filter(|attribute| attribute.key == "user").filter_map(|user| user.value);
                    left.users.extend(users.map(|user| text(&user.value)));
                }
            }
        }
        left
    }
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verdicts_go_by_corrected_names_and_never_by_what_was_redacted() {
    let behind = Sink::start().await;
    let gateway = Gateway::start(&CONFIG.replace("SINK", &behind.port().to_string())).await;
    for request in [request(1, "PaymentSvc"), request(2, "Billing")] {
        let (status, answer) = clients::post(gateway.http, "/v1/traces", "application/x-protobuf", request.encode_to_vec()).await;
        assert_eq!(status, 200, "{answer}");
    }
    behind.wait_for(5, 0, 0).await;
    let dropped = ["component=\"tail_sampling\""];
    gateway.until("tracetailor_dropped_spans_total", &dropped, |count| count == 4.0).await;
    gateway.end_balanced().await;
    let left = Left::of(&behind);
    assert_eq!(left.traces.len(), 1, "only the trace that payment is part of: {left:?}");
    assert_eq!(left.services.difference(&set(&["web-shop", "payment", "bank-api"])).next(), None, "one spelling each: {left:?}");
    assert_eq!(left.spans, set(&["GET /buy", "charge", "(missing span)", "transfer", "POST /transfer"]));
    assert_eq!(left.users, set(&["****"]));
}

//! A request through three services whose middle one lost its span: it leaves as one tree, and as the true tree where the span comes late.

use std::collections::HashMap;

use prost::Message;
use tracetailor::core::testing::otlp::{ExportTraceServiceRequest, Span, SpanKind};
use tracetailor::core::testing::{span, traces};

use super::clients;
use super::process::Gateway;
use super::sink::Sink;

fn config(behind: &Sink) -> String {
    format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:GRPC'}}, http: {{endpoint: '127.0.0.1:HTTP'}}}}}}}}
processors: {{stitch: {{mode: placeholder, wait: 2s}}}}
exporters: {{otlp_http: {{endpoint: 'http://127.0.0.1:{}', compression: none}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], processors: [stitch], exporters: [otlp_http]}}}}}}
",
        behind.port()
    )
}

/// Shop calls payment, which calls the bank; the span in the middle is apart.
fn request(trace: u64) -> (ExportTraceServiceRequest, ExportTraceServiceRequest) {
    let of = |name: &str, service: &str, kind: SpanKind| span(name).trace(trace).service(service).kind(kind);
    let left = traces([
        of("GET /buy", "shop", SpanKind::Server).id(1).times(0, 100),
        of("charge", "shop", SpanKind::Client).id(2).parent(1).times(10, 90),
        of("transfer", "payment", SpanKind::Client).id(4).parent(3).times(30, 70),
        of("POST /transfer", "bank", SpanKind::Server).id(5).parent(4).times(40, 60),
    ]);
    (left, traces([of("POST /charge", "payment", SpanKind::Server).id(3).parent(2).times(20, 80)]))
}

async fn send(gateway: &Gateway, request: &ExportTraceServiceRequest) {
    let (status, answer) = clients::post(gateway.http, "/v1/traces", "application/x-protobuf", request.encode_to_vec()).await;
    assert_eq!(status, 200, "{answer}");
}

/// What stands above each span, from the leaf to the root.
fn line(spans: &[Span]) -> Vec<String> {
    let by_id: HashMap<&[u8], &Span> = spans.iter().map(|span| (&span.span_id[..], span)).collect();
    let mut line = Vec::new();
    let mut at = spans.iter().find(|span| span.name == "POST /transfer");
    while let Some(span) = at {
        line.push(span.name.clone());
        at = by_id.get(&span.parent_span_id[..]).copied();
    }
    line
}

fn arrived(behind: &Sink) -> Vec<Span> {
    let bodies = behind.bodies(tracetailor::core::telemetry::Signal::Traces);
    let requests = bodies.iter().map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap());
    requests.flat_map(|request| request.resource_spans).flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_lost_in_the_middle_leaves_one_tree() {
    let behind = Sink::start().await;
    let gateway = Gateway::start(&config(&behind)).await;
    send(&gateway, &request(1).0).await;
    behind.wait_for(5, 0, 0).await;
    gateway.until("tracetailor_stitch_made_spans_total", &["role=\"parent\""], |count| count == 1.0).await;
    let (status, page) = clients::get(gateway.admin, "/health/traces").await;
    assert!(status == 200 && page.contains("1 traces, 0.0 % of them complete; 1 spans without their parent"), "{page}");
    let (_, page) = clients::get(gateway.admin, "/health/traces?format=json").await;
    assert!(page.contains(r#""kind":"orphans""#) && page.contains(r#""services":["payment","payment"]"#), "{page}");
    gateway.end_balanced().await;
    assert_eq!(line(&arrived(&behind)), ["POST /transfer", "transfer", "(missing span)", "charge", "GET /buy"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_that_comes_late_leaves_the_true_tree() {
    let behind = Sink::start().await;
    let gateway = Gateway::start(&config(&behind)).await;
    let (left, late) = request(2);
    send(&gateway, &left).await;
    send(&gateway, &late).await;
    behind.wait_for(5, 0, 0).await;
    gateway.end_balanced().await;
    assert_eq!(line(&arrived(&behind)), ["POST /transfer", "transfer", "POST /charge", "charge", "GET /buy"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_without_an_id_travels_where_it_is_given_one_and_is_rejected_elsewhere() {
    let (mended, plain) = (Sink::start().await, Sink::start().await);
    let gateway = Gateway::start(&format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:GRPC'}}, http: {{endpoint: '127.0.0.1:HTTP'}}}}}}}}
processors: {{stitch: {{wait: 1s}}, stitch/strict: {{wait: 1s, ids: {{zero_span_id: reject}}}}}}
exporters:
  otlp_http/mended: {{endpoint: 'http://127.0.0.1:{}', compression: none}}
  otlp_http/plain: {{endpoint: 'http://127.0.0.1:{}', compression: none}}
service:
  pipelines:
    traces/mended: {{receivers: [otlp], processors: [stitch], exporters: [otlp_http/mended]}}
    traces/plain: {{receivers: [otlp], processors: [stitch/strict], exporters: [otlp_http/plain]}}
",
        mended.port(),
        plain.port()
    ))
    .await;
    let nameless = |name: &str| span(name).trace(3).service("shop").parent(1).times(10, 20).id(&[0; 8][..]);
    let root = span("GET /buy").trace(3).service("shop").kind(SpanKind::Server).id(1).times(0, 100);
    let short = span("short").trace(3).service("shop").id(5).times(2, 3).change(|span| span.parent_span_id = vec![1; 4]);
    send(&gateway, &traces([root, nameless("zero"), short])).await;
    mended.wait_for(3, 0, 0).await;
    plain.wait_for(1, 0, 0).await;
    for reason in ["reason=\"bad_span_id\"", "reason=\"bad_parent_id\""] {
        assert_eq!(gateway.metric("tracetailor_rejected_spans_total", &["component=\"otlp\"", reason]).await, 1.0, "{reason}");
    }
    gateway.end_balanced().await;
    let names = |behind: &Sink| {
        let mut names: Vec<String> = arrived(behind).into_iter().map(|span| span.name).collect();
        names.sort();
        names
    };
    assert_eq!((names(&mended), names(&plain)), (vec!["GET /buy".to_owned(), "short".into(), "zero".into()], vec!["GET /buy".to_owned()]));
    assert!(arrived(&mended).iter().all(|span| span.span_id.len() == 8 && span.span_id != [0; 8]));
}

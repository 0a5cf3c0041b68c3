//! The binary as a team runs it: a real OTLP client sends into it, a real OTLP server stands behind it, and what comes out is what went in.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod clients;
mod coralogix;
mod first_day;
#[cfg(target_os = "linux")]
mod memory;
mod order;
mod ottl;
mod process;
mod reloading;
mod sink;
mod spreading;
mod stitching;
mod why;

use clients::{Protocol, Sdk};
use process::Gateway;
use prost::Message;
use sink::Sink;
use tracetailor::core::telemetry::Signal;
use tracetailor::core::testing::Payload;

/// The configuration of most tests: everything in, everything out, nothing between.
fn through(protocol: Protocol, sink: &Sink) -> String {
    let exporter = match protocol {
        Protocol::Grpc => format!("otlp_grpc: {{endpoint: '127.0.0.1:{}', tls: {{insecure: true}}, compression: none}}", sink.port()),
        Protocol::Http => format!("otlp_http: {{endpoint: 'http://127.0.0.1:{}', compression: none}}", sink.port()),
    };
    let name = exporter.split(':').next().unwrap_or_default();
    format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:GRPC'}}, http: {{endpoint: '127.0.0.1:HTTP'}}}}}}}}
processors: {{memory_limiter: {{check_interval: 1s, limit_mib: 400}}, batch: {{timeout: 50ms}}}}
exporters: {{{exporter}}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [memory_limiter, batch], exporters: [{name}]}}
    logs: {{receivers: [otlp], processors: [memory_limiter, batch], exporters: [{name}]}}
    metrics: {{receivers: [otlp], processors: [memory_limiter, batch], exporters: [{name}]}}
"
    )
}

async fn the_sdk_arrives(protocol: Protocol) {
    let (behind, beside) = (Sink::start().await, Sink::start().await);
    let gateway = Gateway::start(&through(protocol, &behind)).await;
    let port = match protocol {
        Protocol::Grpc => gateway.grpc,
        Protocol::Http => gateway.http,
    };
    // The same telemetry, once through the gateway and once straight to a sink.
    let sdk = Sdk::sending_to(protocol, &[port, beside.port()]);
    sdk.work().await;
    let (spans, logs, points) = beside.counts();
    assert!(spans >= 30 && logs >= 10 && points >= 3, "the SDK sent {spans} spans, {logs} log records, {points} points");
    behind.wait_for(spans, logs, points).await;
    gateway.end_balanced().await;
    assert_eq!(behind.spans(), beside.spans());
    assert_eq!(behind.logs(), beside.logs());
    assert_eq!(behind.metrics(), beside.metrics());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sdks_traces_logs_and_metrics_arrive_over_grpc_as_they_were_sent() {
    the_sdk_arrives(Protocol::Grpc).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sdks_traces_logs_and_metrics_arrive_over_http_as_they_were_sent() {
    the_sdk_arrives(Protocol::Http).await;
}

/// What nobody edited leaves byte for byte, unknown fields and odd orders included.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_edits_leaves_byte_for_byte() {
    let behind = Sink::start().await;
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:GRPC'}}, http: {{endpoint: '127.0.0.1:HTTP'}}}}}}}}
exporters: {{otlp_http: {{endpoint: 'http://127.0.0.1:{}', compression: none}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_http]}}}}}}
",
        behind.port()
    );
    let gateway = Gateway::start(&config).await;
    let bodies: Vec<Vec<u8>> = (0..20).map(|n| Payload { seed: n, ..Payload::of(50) }.traces(n).encode_to_vec()).collect();
    for body in &bodies {
        let status = clients::post(gateway.http, "/v1/traces", "application/x-protobuf", body.clone()).await.0;
        assert_eq!(status, 200);
    }
    behind.wait_for(1000, 0, 0).await;
    gateway.end_balanced().await;
    let mut arrived = behind.bodies(Signal::Traces);
    let mut sent = bodies;
    arrived.sort_unstable();
    sent.sort_unstable();
    assert!(arrived == sent, "some request was changed on its way");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_and_ends_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}}}}}}}
exporters: {{nop: {{}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}}}}}
"
    );
    let (code, log) = process::run_to_end(&config).await;
    assert_eq!(code, Some(3), "{log}");
    assert!(log.contains(&port.to_string()) && log.contains("otlp"), "{log}");
}

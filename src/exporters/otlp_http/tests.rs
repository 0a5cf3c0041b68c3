//! The exporter against scripted destinations on real sockets.

use std::time::Duration;

use tracetailor_core::component::{BuildContext, Delivered, ExportError, Exporter, Failing};
use tracetailor_core::config::Severity;
use tracetailor_core::ledger::Fate;
use tracetailor_core::telemetry::{Signal, Telemetry, json};
use tracetailor_core::testing::{Inlet, assert_manual, gauge, log, logs, metrics, span, traces};
use tracetailor_core::time::{Clock, LogTime};
use tracetailor_net::compress::expand;
use tracetailor_net::grpc::{Code, PartialSuccess, Status};
use tracetailor_net::testing::{Destination, Reply};

use super::FACTORY;

/// An exporter to this port, with these further keys.
fn exporter(port: u16, keys: &str) -> Box<dyn Exporter> {
    built(&format!("endpoint: http://127.0.0.1:{port}\n{keys}"))
}

fn built(yaml: &str) -> Box<dyn Exporter> {
    let mut context = BuildContext::alone("otlp_http");
    // 2023-11-14 22:13:20
    context.clock = Clock::by_hand(LogTime(1_700_000_000_000_000_000));
    FACTORY.parse(yaml).unwrap_or_else(|errors| panic!("{errors}")).build(&context).unwrap()
}

fn batch() -> Telemetry {
    Inlet::new().receive(traces([span("one"), span("two")]))
}

/// Exports one batch of two spans, whose shares are settled whatever comes of it.
async fn export(exporter: &dyn Exporter) -> Result<Delivered, ExportError> {
    let batch = batch();
    let outcome = exporter.export(&batch).await;
    batch.settle(Fate::Delivered);
    outcome
}

/// What an exporter makes of this answer.
async fn answered(reply: Reply) -> Result<Delivered, ExportError> {
    let destination = Destination::start([reply]).await.unwrap();
    export(exporter(destination.address.port(), "").as_ref()).await
}

#[test]
fn the_manual_holds_the_keys() {
    assert_manual(&FACTORY);
}

#[tokio::test]
async fn a_batch_goes_out_as_it_came() {
    let destination = Destination::start([Reply::status(200)]).await.unwrap();
    let exporter = exporter(destination.address.port(), "compression: none");
    for _ in 0..3 {
        assert_eq!(export(exporter.as_ref()).await, Ok(Delivered::ALL));
    }
    let seen = &destination.seen()[0];
    let batch = batch();
    assert_eq!((seen.target.as_str(), seen.body.as_ref()), ("/v1/traces", batch.to_bytes().as_slice()));
    batch.settle(Fate::Delivered);
    assert_eq!((seen.header("content-type"), seen.host.as_str()), ("application/x-protobuf", destination.address.to_string().as_str()));
    assert_eq!(destination.connections(), 1);
}

#[tokio::test]
async fn json_is_written_where_asked_for() {
    let destination = Destination::start([Reply::status(200)]).await.unwrap();
    let exporter = exporter(destination.address.port(), "compression: none\nencoding: json");
    export(exporter.as_ref()).await.unwrap();
    let seen = &destination.seen()[0];
    let (batch, mut back) = (batch(), Vec::new());
    json::to_protobuf(Signal::Traces, &seen.body, &mut back).unwrap();
    assert_eq!((seen.header("content-type"), back), ("application/json", batch.to_bytes()));
    batch.settle(Fate::Delivered);
}

#[tokio::test]
async fn each_signal_has_its_path_or_its_own_endpoint() {
    let (destination, own) = (Destination::start([]).await.unwrap(), Destination::start([]).await.unwrap());
    let keys = format!("logs_endpoint: http://{}/x/?tenant=a", own.address);
    let exporter = exporter(destination.address.port(), &keys);
    let mut inlet = Inlet::new();
    let batches = [inlet.receive(traces([span("s")])), inlet.receive(logs([log("l")])), inlet.receive(metrics([gauge("g").value(1.0)]))];
    for batch in batches {
        assert_eq!(exporter.export(&batch).await, Ok(Delivered::ALL));
        batch.settle(Fate::Delivered);
    }
    let paths: Vec<_> = destination.seen().into_iter().chain(own.seen()).map(|seen| seen.target).collect();
    assert_eq!(paths, ["/v1/traces", "/v1/metrics", "/x/?tenant=a"]);
    // All that goes to one address goes over one connection.
    assert_eq!(destination.connections(), 1);
    inlet.books().report().assert_balanced();
}

#[tokio::test]
async fn a_signal_without_an_endpoint_is_told() {
    let error = export(built("logs_endpoint: http://127.0.0.1:1/x").as_ref()).await.unwrap_err();
    assert_eq!(
        (error.failing, error.message.as_str()),
        (Failing::Denied, "there is no endpoint for traces: add traces_endpoint, or endpoint")
    );
}

#[tokio::test]
async fn bodies_are_compressed_as_asked() {
    for (keys, coding) in [
        ("", "gzip"),
        ("compression: zstd\ncompression_params: {level: 3}", "zstd"),
        ("compression: x-snappy-framed", "x-snappy-framed"),
        ("compression: deflate", "deflate"),
        ("compression: zlib", "zlib"),
        ("compression: none", ""),
        ("compression: ''", ""),
    ] {
        let destination = Destination::start([Reply::status(200)]).await.unwrap();
        export(exporter(destination.address.port(), keys).as_ref()).await.unwrap();
        let seen = &destination.seen()[0];
        assert_eq!(seen.header("content-encoding"), coding);
        let batch = batch();
        assert_eq!(expand(coding, &seen.body), Some(batch.to_bytes()), "{coding}");
        batch.settle(Fate::Delivered);
    }
}

#[tokio::test]
async fn connections_are_kept_as_the_keys_say() {
    for (keys, connections) in [("", 1), ("max_idle_conns: 0", 1), ("max_idle_conns_per_host: 1", 1), ("disable_keep_alives: true", 2)] {
        let destination = Destination::start([]).await.unwrap();
        let exporter = exporter(destination.address.port(), keys);
        for _ in 0..2 {
            export(exporter.as_ref()).await.unwrap();
        }
        assert_eq!(destination.connections(), connections, "{keys}");
    }
}

#[tokio::test]
async fn headers_host_and_user_are_the_users() {
    let destination = Destination::start([]).await.unwrap();
    let yaml = format!(
        "endpoint: http://ann:s3cret@{}\nheaders: [{{name: Host, value: tempo.example}}, {{name: X-Custom, value: abc}}, {{name: content-type, value: x}}]",
        destination.address
    );
    export(built(&yaml).as_ref()).await.unwrap();
    let seen = &destination.seen()[0];
    assert_eq!((seen.host.as_str(), seen.header("x-custom")), ("tempo.example", "abc"));
    assert_eq!((seen.header("authorization"), seen.header("content-type")), ("Basic YW5uOnMzY3JldA==", "application/x-protobuf"));
}

#[tokio::test]
async fn every_status_says_what_is_done_next() {
    let later = Failing::Retry { after: None };
    for (status, failing, code) in [
        (301, Failing::Denied, Code::UNKNOWN),
        (307, Failing::Denied, Code::UNKNOWN),
        (400, Failing::Invalid, Code::INVALID_ARGUMENT),
        (401, Failing::Denied, Code::UNAUTHENTICATED),
        (403, Failing::Denied, Code::PERMISSION_DENIED),
        (404, Failing::Denied, Code::UNIMPLEMENTED),
        (405, Failing::Denied, Code::UNKNOWN),
        (413, Failing::TooLarge, Code::UNKNOWN),
        (422, Failing::Invalid, Code::UNKNOWN),
        (429, later, Code::RESOURCE_EXHAUSTED),
        (500, Failing::Invalid, Code::UNKNOWN),
        (501, Failing::Denied, Code::UNKNOWN),
        (502, later, Code::UNAVAILABLE),
        (503, later, Code::UNAVAILABLE),
        (504, later, Code::UNAVAILABLE),
        (507, Failing::Denied, Code::UNKNOWN),
    ] {
        let error = answered(Reply::status(status).body("text/plain", "said no")).await.unwrap_err();
        assert_eq!((error.failing, error.code), (failing, Some(code.0)), "{status}");
        assert!(error.message.contains(&status.to_string()), "{}", error.message);
    }
}

#[tokio::test]
async fn a_wait_is_read_as_seconds_and_as_a_date() {
    for (status, value, after) in [
        (429, "7", Some(7)),
        (503, " 7 ", Some(7)),
        (503, "Tue, 14 Nov 2023 22:13:50 GMT", Some(30)),
        (503, "Tue, 14 Nov 2023 22:13:10 GMT", Some(0)),
        (503, "soon", None),
        (502, "7", None),
    ] {
        let error = answered(Reply::status(status).header("retry-after", value)).await.unwrap_err();
        assert_eq!(error.failing, Failing::Retry { after: after.map(Duration::from_secs) }, "{status} {value}");
    }
}

#[tokio::test]
async fn what_a_server_says_is_told_in_its_words() {
    let status = Status::new(Code::INVALID_ARGUMENT, "bad span").encode();
    for (kind, body, words) in [
        ("application/x-protobuf", status, ": bad span"),
        ("application/json", br#"{"code":3,"message":"bad span"}"#.to_vec(), ": bad span"),
        ("application/json", br#"{"error":"bad span"}"#.to_vec(), ": bad span"),
        ("text/plain", b"  bad\n span ".to_vec(), ": bad span"),
        ("text/html", b"<html>bad span".to_vec(), ""),
        ("application/x-protobuf", b"\xff\xff".to_vec(), ""),
    ] {
        let destination = Destination::start([Reply::status(400).body(kind, body)]).await.unwrap();
        let error = export(exporter(destination.address.port(), "").as_ref()).await.unwrap_err();
        assert_eq!(error.message, format!("400 Bad Request from http://{}/v1/traces{words}", destination.address));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_where_to() {
    let destination =
        Destination::start([Reply::status(308).header("location", "https://elsewhere/v1/traces?token=s3cret")]).await.unwrap();
    let yaml = format!("traces_endpoint: http://ann:s3cret@{}/v1/traces?token=s3cret", destination.address);
    let error = export(built(&yaml).as_ref()).await.unwrap_err();
    assert!(error.message.ends_with(r#"it redirects to "https://elsewhere/v1/traces", which is not followed; write that as the endpoint"#));
    assert!(!error.message.contains("s3cret"), "{}", error.message);
    assert_eq!(destination.seen().len(), 1);
}

#[tokio::test]
async fn what_was_not_taken_is_told_and_counted() {
    let partial = PartialSuccess { rejected: 1, message: "too old".to_owned() };
    let expected = Ok(Delivered { rejected: 1, message: "too old".to_owned() });
    assert_eq!(answered(Reply::status(200).body("application/x-protobuf", partial.encode())).await, expected);
    let text = r#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#;
    assert_eq!(answered(Reply::status(200).body("application/json", text)).await, expected);
    for (kind, body) in [("application/json", "{}"), ("text/html", "<html>"), ("application/x-protobuf", "")] {
        assert_eq!(answered(Reply::status(202).body(kind, body)).await, Ok(Delivered::ALL), "{kind}");
    }
    let odd = answered(Reply::status(200).body("application/x-protobuf", "\u{7f}\u{7f}")).await.unwrap();
    assert_eq!(odd, Delivered { rejected: 0, message: "taken, with an answer that cannot be read".to_owned() });
}

/// The problems of a block, as a user sees them.
fn problems(yaml: &str) -> Vec<(Severity, String)> {
    tracetailor_core::testing::problems(&FACTORY, yaml)
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (yaml, expected) in [
        ("{}", ": endpoint is missing"),
        ("{endpoint: 'h:4318'}", "endpoint: does not begin with http:// or https://"),
        ("{endpoint: 'http://h', compression: br}", "compression: \"br\" is not a choice here"),
        ("{endpoint: 'http://h', compression: lz4}", "compression: the Collector has lz4; here it is planned and does not work yet"),
        ("{endpoint: 'http://h', compression_params: {level: 10}}", "compression_params.level: 10 is no level of this compression"),
        ("{endpoint: 'http://h', encoding: xml}", "encoding: \"xml\" is not a choice here"),
        ("{endpoint: 'http://h', headers: {'a b': c}}", "headers[\"a b\"]: \"a b\" is no name of a header"),
        (
            "{endpoint: 'http://h', cookies: {enabled: true}}",
            "cookies: the Collector has this key; here it is planned and does not work yet",
        ),
    ] {
        assert_eq!(problems(yaml), [(Severity::Error, expected.to_owned())], "{yaml}");
    }
    let warned = problems("{endpoint: 'http://h:4318/v1/traces/'}");
    assert_eq!(warned, [(Severity::Warning, "endpoint: ends in /v1/traces, and requests will go to /v1/traces/v1/traces".to_owned())]);
}

#[tokio::test]
async fn a_missing_tenant_is_named_as_what_it_is() {
    for (backend, failing) in [("", Failing::Retry { after: None }), ("backend: tempo", Failing::Denied)] {
        let destination = Destination::start([Reply::status(503).body("text/plain", "no org id")]).await.unwrap();
        let error = export(exporter(destination.address.port(), backend).as_ref()).await.unwrap_err();
        assert_eq!(error.failing, failing);
        assert!(error.message.ends_with("name one in headers: {X-Scope-OrgID: …}"), "{error}");
    }
}

#[tokio::test]
async fn a_batch_above_the_burst_of_tempo_is_split() {
    let rate =
        |bytes| format!("RATE_LIMITED: ingestion rate limit (local: 900 bytes/s, burst: 300 bytes) exceeded while adding {bytes} bytes");
    let later = Failing::Retry { after: Some(Duration::from_secs(1)) };
    for (said, backend, failing) in [
        ("RATE_LIMITED: batch size (301 bytes) exceeds ingestion limit".to_owned(), "backend: tempo", Failing::TooLarge),
        (rate(301), "backend: tempo", Failing::TooLarge),
        (rate(300), "backend: tempo", later),
        (rate(301), "", later),
    ] {
        let answer = Reply::status(429).header("retry-after", "1").body("text/plain", said.clone());
        let destination = Destination::start([answer]).await.unwrap();
        let error = export(exporter(destination.address.port(), backend).as_ref()).await.unwrap_err();
        assert_eq!(error.failing, failing, "{said} {backend}");
    }
}

#[test]
fn what_the_collector_takes_is_taken() {
    for yaml in [
        "{endpoint: 'http://h:4318'}",
        "{traces_endpoint: 'https://h/x', profiles_endpoint: 'https://h/p', tls: {insecure: true}}",
        "{endpoint: 'http://h', max_idle_conns: 10, max_idle_conns_per_host: 2, max_conns_per_host: 3, idle_conn_timeout: 10s}",
        "{endpoint: 'http://h', disable_keep_alives: true, http2_read_idle_timeout: 10s, http2_ping_timeout: 5s, force_attempt_http2: false}",
        "{endpoint: 'http://h', proxy_url: 'http://p:1', read_buffer_size: 1, write_buffer_size: 1, compression_params: {level: -1}}",
    ] {
        assert_eq!(problems(yaml), [], "{yaml}");
    }
}

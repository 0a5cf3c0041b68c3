//! The exporter against scripted destinations on real sockets.

use std::time::Duration;

use tracetailor_core::component::{BoxFuture, BuildContext, Credentials, Delivered, ExportError, Exporter, Failing, Outgoing, RunError};
use tracetailor_core::config::{Secret, Severity};
use tracetailor_core::ledger::Fate;
use tracetailor_core::telemetry::{Limits, OddIds, Signal, Telemetry};
use tracetailor_core::testing::{Inlet, assert_manual, gauge, log, logs, metrics, span, traces};
use tracetailor_net::compress::expand;
use tracetailor_net::grpc::{Code, PartialSuccess, Status, frame};
use tracetailor_net::testing::{Destination, Reply};

use super::FACTORY;

/// An exporter to this port, with these further keys.
fn exporter(port: u16, keys: &str) -> Box<dyn Exporter> {
    exporter_in(&BuildContext::alone("otlp_grpc"), port, keys)
}

fn exporter_in(context: &BuildContext, port: u16, keys: &str) -> Box<dyn Exporter> {
    let yaml = format!("endpoint: 127.0.0.1:{port}\ntls: {{insecure: true}}\n{keys}");
    FACTORY.parse(&yaml).unwrap_or_else(|errors| panic!("{errors}")).build(context).unwrap()
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
async fn answered(reply: Reply, keys: &str) -> Result<Delivered, ExportError> {
    let destination = Destination::start([reply]).await.unwrap();
    export(exporter(destination.address.port(), keys).as_ref()).await
}

fn done() -> Reply {
    Reply::grpc_done(&PartialSuccess::default())
}

fn said(code: Code, message: &str) -> Status {
    Status::new(code, message)
}

#[test]
fn the_manual_holds_the_keys() {
    assert_manual(&FACTORY);
}

#[tokio::test]
async fn a_batch_goes_out_as_it_came() {
    let destination = Destination::start([done()]).await.unwrap();
    let exporter = exporter(destination.address.port(), "compression: none");
    assert_eq!(export(exporter.as_ref()).await, Ok(Delivered::ALL));
    let seen = &destination.seen()[0];
    assert_eq!(seen.target, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let batch = batch();
    assert_eq!(frame(seen.body.clone()), Ok(Some((false, batch.to_bytes().into()))));
    batch.settle(Fate::Delivered);
    assert_eq!((seen.header("te"), seen.header("content-type"), seen.header("grpc-timeout")), ("trailers", "application/grpc", "5000m"));
    assert!(seen.header("user-agent").starts_with("tracetailor/"), "{}", seen.header("user-agent"));
    assert_eq!(seen.host, destination.address.to_string());
}

#[tokio::test]
async fn each_signal_has_its_service() {
    let destination = Destination::start([done()]).await.unwrap();
    let exporter = exporter(destination.address.port(), "");
    let mut inlet = Inlet::new();
    let batches = [inlet.receive(traces([span("s")])), inlet.receive(logs([log("l")])), inlet.receive(metrics([gauge("g").value(1.0)]))];
    for batch in batches {
        assert_eq!(exporter.export(&batch).await, Ok(Delivered::ALL));
        batch.settle(Fate::Delivered);
    }
    let services: Vec<_> = destination.seen().iter().map(|seen| seen.target.rsplit('.').next().unwrap().to_owned()).collect();
    assert_eq!(services, ["TraceService/Export", "LogsService/Export", "MetricsService/Export"]);
    inlet.books().report().assert_balanced();
}

#[tokio::test]
async fn bodies_are_compressed_as_asked() {
    for (keys, coding) in [("", "gzip"), ("compression: zstd", "zstd"), ("compression: snappy", "snappy"), ("compression: none", "")] {
        let destination = Destination::start([done()]).await.unwrap();
        let exporter = exporter(destination.address.port(), keys);
        for _ in 0..2 {
            export(exporter.as_ref()).await.unwrap();
        }
        let seen = &destination.seen()[1];
        let (is_compressed, message) = frame(seen.body.clone()).unwrap().unwrap();
        assert_eq!((seen.header("grpc-encoding"), is_compressed), (coding, !coding.is_empty()));
        let batch = batch();
        assert_eq!(expand(coding, &message), Some(batch.to_bytes()), "{coding}");
        batch.settle(Fate::Delivered);
    }
}

#[tokio::test]
async fn headers_authority_and_agent_are_the_users() {
    let destination = Destination::start([done()]).await.unwrap();
    let keys = "headers: {X-Scope-OrgID: a, te: mine}\nauthority: tempo.example\nuser_agent: me/1\ntimeout: 0s";
    export(exporter(destination.address.port(), keys).as_ref()).await.unwrap();
    let seen = &destination.seen()[0];
    assert_eq!((seen.header("x-scope-orgid"), seen.header("te"), seen.host.as_str()), ("a", "trailers", "tempo.example"));
    assert_eq!((seen.header("user-agent"), seen.header("grpc-timeout")), ("me/1", ""));
}

#[tokio::test]
async fn every_code_says_what_is_done_next() {
    let retry = |after| Failing::Retry { after };
    let with_info = |code| Status { retry_after: Some(Duration::from_millis(1500)), ..said(code, "later") };
    let after = Some(Duration::from_millis(1500));
    let adding = |bytes| {
        let message = format!(
            "RATE_LIMITED: ingestion rate limit (local: 900 bytes/s, global: 0 bytes/s, burst: 300 bytes) exceeded while adding {bytes} bytes for user a."
        );
        Status { retry_after: after, ..said(Code::RESOURCE_EXHAUSTED, &message) }
    };
    for (status, keys, failing) in [
        (adding(300), "", retry(after)),
        (adding(301), "", Failing::TooLarge),
        (said(Code::CANCELLED, ""), "", retry(None)),
        (said(Code::UNKNOWN, ""), "", Failing::Invalid),
        (said(Code::INVALID_ARGUMENT, ""), "", Failing::Invalid),
        (with_info(Code::INVALID_ARGUMENT), "", Failing::Invalid),
        (said(Code::DEADLINE_EXCEEDED, ""), "", retry(None)),
        (said(Code::NOT_FOUND, ""), "", Failing::Denied),
        (said(Code::PERMISSION_DENIED, ""), "", Failing::Denied),
        (said(Code::RESOURCE_EXHAUSTED, "quota"), "", Failing::Denied),
        (with_info(Code::RESOURCE_EXHAUSTED), "", retry(after)),
        (said(Code::RESOURCE_EXHAUSTED, "grpc: received message larger than max (6 vs. 4)"), "", Failing::TooLarge),
        (Status { retry_after: after, ..said(Code::RESOURCE_EXHAUSTED, "RATE_LIMITED: batch size (9) exceeds") }, "", Failing::TooLarge),
        (said(Code::OUT_OF_RANGE, "Error, decoded message length too large: found 9 bytes, the limit is: 4 bytes"), "", Failing::TooLarge),
        (said(Code::OUT_OF_RANGE, ""), "", retry(None)),
        (said(Code::FAILED_PRECONDITION, ""), "", Failing::Denied),
        (said(Code::ABORTED, ""), "", retry(None)),
        (said(Code::UNIMPLEMENTED, ""), "", Failing::Denied),
        (said(Code::INTERNAL, ""), "", Failing::Invalid),
        (with_info(Code::UNAVAILABLE), "", retry(after)),
        (said(Code::DATA_LOSS, ""), "", retry(None)),
        (said(Code::UNAUTHENTICATED, ""), "", Failing::Denied),
        (said(Code::UNAVAILABLE, "no org id"), "", retry(None)),
        (said(Code::UNAVAILABLE, "no org id"), "backend: tempo", Failing::Denied),
    ] {
        let error = answered(Reply::grpc(&status), keys).await.unwrap_err();
        assert_eq!((error.failing, error.code), (failing, Some(status.code.0)), "{status:?}");
        assert!(error.message.contains(&status.code.to_string()) && error.message.contains(&status.message), "{}", error.message);
    }
}

#[tokio::test]
async fn what_was_not_taken_is_told_and_counted() {
    let partial = PartialSuccess { rejected: 1, message: "too old\n".to_owned() };
    assert_eq!(answered(Reply::grpc_done(&partial), "").await, Ok(Delivered { rejected: 1, message: "too old".to_owned() }));
    let done = Reply::grpc(&said(Code::OK, ""));
    assert_eq!(answered(done.clone(), "").await, Ok(Delivered::ALL));
    // Sent again it would be there twice.
    let odd = answered(done.clone().body("application/grpc", vec![0, 0, 0, 0, 3, 255, 255, 255]), "").await.unwrap();
    assert_eq!(odd, Delivered { rejected: 0, message: "taken, with an answer that cannot be read".to_owned() });
    // As grpc-go answers, which compresses as it was spoken to.
    let mut body = vec![1, 0, 0, 0, 0];
    tracetailor_net::compress::Compressors::new(tracetailor_net::compress::Coding::Gzip, None)
        .compress(&partial.encode(), &mut body)
        .unwrap();
    body[4] = (body.len() - 5) as u8;
    let compressed = done.body("application/grpc", body).header("grpc-encoding", "gzip");
    assert_eq!(answered(compressed, "").await.unwrap().rejected, 1);
}

#[tokio::test]
async fn an_answer_that_is_not_grpc_is_told_as_such() {
    for (status, failing, code) in [
        (200, Failing::Retry { after: None }, Code::UNAVAILABLE),
        (401, Failing::Denied, Code::UNAUTHENTICATED),
        (404, Failing::Denied, Code::UNIMPLEMENTED),
        (502, Failing::Retry { after: None }, Code::UNAVAILABLE),
    ] {
        let error = answered(Reply::status(status).body("text/html; charset=utf-8", "<html>"), "").await.unwrap_err();
        assert_eq!((error.failing, error.code), (failing, Some(code.0)), "{status}");
        assert!(error.message.contains("text/html and not gRPC"), "{}", error.message);
    }
}

#[tokio::test]
async fn nobody_there_may_pass() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = export(exporter(nobody.port(), "").as_ref()).await.unwrap_err();
    assert_eq!((error.failing, error.code), (Failing::Retry { after: None }, Some(Code::UNAVAILABLE.0)));
    assert!(error.message.starts_with(&format!("cannot connect to {nobody}")), "{}", error.message);
}

#[tokio::test]
async fn it_waits_for_a_connection_where_it_shall() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let exporter = exporter(nobody.port(), "wait_for_ready: true");
    let batch = batch();
    let waiting = tokio::time::timeout(Duration::from_millis(50), exporter.export(&batch)).await;
    assert!(waiting.is_err(), "it gave up: {waiting:?}");
    batch.settle(Fate::Delivered);
}

/// Signs with the length of the body, which it must see as it is sent.
struct Signs;

impl Credentials for Signs {
    fn sign<'a>(&'a self, request: &'a mut Outgoing<'_>) -> BoxFuture<'a, Result<(), RunError>> {
        Box::pin(async move {
            let has_agent = request.headers.iter().any(|(name, _)| name == "user-agent");
            let signature = format!("{} {} {} {has_agent}", request.method, request.uri, request.body.len());
            request.headers.push(("authorization".to_owned(), Secret::from(signature)));
            Ok(())
        })
    }
}

#[tokio::test]
async fn an_extension_signs_what_is_sent() {
    let destination = Destination::start([done()]).await.unwrap();
    let mut context = BuildContext::alone("otlp_grpc");
    context.services = context.services.by(&"signs/us".parse().unwrap());
    context.services.offer::<dyn Credentials>(std::sync::Arc::new(Signs));
    export(exporter_in(&context, destination.address.port(), "auth: {authenticator: signs/us}").as_ref()).await.unwrap();
    let seen = &destination.seen()[0];
    let expected = format!("POST http://{}{} {} true", destination.address, seen.target, seen.body.len());
    assert_eq!(seen.header("authorization"), expected);
    let parsed = FACTORY.parse("endpoint: h:1\nauth: {authenticator: nobody}").unwrap();
    let error = parsed.build(&context).err().unwrap();
    assert_eq!(error.wrong, "nobody is no extension that signs requests");
}

/// The problems of a block, as a user sees them.
fn problems(yaml: &str) -> Vec<(Severity, String)> {
    tracetailor_core::testing::problems(&FACTORY, yaml)
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (yaml, expected) in [
        ("{}", ": endpoint is missing"),
        (
            "{endpoint: 'http://h:4317/v1/traces', tls: {insecure: true}}",
            "endpoint: has \"/v1/traces\" behind its port, and gRPC has no paths",
        ),
        ("{endpoint: 'https://h'}", "endpoint: has no port"),
        ("{endpoint: 'h:x'}", "endpoint: \"h:x\" has a port that is none: \"x\""),
        ("{endpoint: 'h:1', compression: lz4}", "compression: \"lz4\" is not a choice here"),
        ("{endpoint: 'h:1', balancer_name: ring}", "balancer_name: \"ring\" is not a choice here"),
        ("{endpoint: 'h:1', keepalive: {time: 0s}}", "keepalive.time: must be positive: it would ping without end"),
        ("{endpoint: 'h:1', authority: 'a b'}", "authority: is no name of a host"),
        ("{endpoint: 'h:1', sending_queue: {num_consumers: 0}}", "sending_queue.num_consumers: must be positive: nobody would send"),
        ("{endpoint: 'h:1', middlewares: []}", "middlewares: the Collector has this key; here it is planned and does not work yet"),
    ] {
        assert_eq!(problems(yaml), [(Severity::Error, expected.to_owned())], "{yaml}");
    }
    let warned = problems("{endpoint: 'http://h:1'}");
    assert_eq!(warned, [(Severity::Warning, "endpoint: http:// does not turn TLS off here".to_owned())]);
}

#[test]
fn what_the_collector_takes_is_taken() {
    for yaml in [
        "{endpoint: 'h:1'}",
        "{endpoint: 'https://h:4317'}",
        "{endpoint: 'dns:///h:4317', balancer_name: pick_first, keepalive: {}}",
        "{endpoint: 'unix:///run/t.sock', tls: {insecure: true}, read_buffer_size: 1024, write_buffer_size: 1024}",
        "{endpoint: 'h:1', wait_for_ready: true, compression: none, headers: {a: b}, timeout: 0, keepalive: {time: 5s, permit_without_stream: true}}",
    ] {
        assert_eq!(problems(yaml), [], "{yaml}");
    }
}

/// What is left of these spans before a back end, and how many were kept from it.
fn prepared(backend: &str, spans: Vec<tracetailor_core::testing::Built<tracetailor_core::testing::SpanDraft>>) -> (Vec<String>, u64) {
    let context = BuildContext::alone("otlp_grpc");
    let mut inlet = Inlet::with(context.books.clone(), context.clock.clone(), Limits { odd_ids: OddIds::Flag, ..Limits::default() });
    let exporter = exporter_in(&context, 1, backend);
    let mut names = Vec::new();
    for parcel in exporter.prepare(inlet.receive(traces(spans))) {
        names.extend(parcel.batch.items().map(|item| item.name().into_owned()));
        parcel.batch.settle(Fate::Delivered);
    }
    inlet.assert_settled();
    let report = context.books.report();
    let failed =
        report.lines.iter().flat_map(|line| &line.causes).filter(|cause| cause.name.reason == "bad_id").map(|cause| cause.units).sum();
    (names, failed)
}

#[test]
fn ids_that_harm_a_back_end_never_reach_it() {
    let spans = || {
        vec![
            span("good").parent([0u8; 8].as_slice()),
            span("without an id").id([0u8; 8].as_slice()),
            span("short").id([1u8; 3].as_slice()),
            span("odd parent").parent([1u8; 3].as_slice()),
            span("root"),
        ]
    };
    for backend in ["backend: tempo", "backend: jaeger"] {
        assert_eq!(prepared(backend, spans()), (vec!["good".to_owned(), "root".to_owned()], 3), "{backend}");
    }
    for backend in ["", "backend: coralogix"] {
        assert_eq!(prepared(backend, spans()).1, 0, "{backend:?}");
    }
}

#[test]
fn what_tempo_cuts_is_counted() {
    for (backend, expected) in [("backend: tempo", 3), ("backend: jaeger", 0), ("", 0)] {
        let context = BuildContext::alone("otlp_grpc");
        let exporter = exporter_in(&context, 1, backend);
        let request = traces([
            span("a").attribute("prompt", "x".repeat(2049)).attribute("kept", "x".repeat(2048)).resource("long", "y".repeat(3000)),
            span("b").attribute("prompt", "x".repeat(9999)).resource("long", "y".repeat(3000)),
        ]);
        exporter.prepare(Inlet::new().receive(request)).into_iter().for_each(|parcel| parcel.batch.settle(Fate::Delivered));
        let told = context.counters.read();
        let cut = told.iter().filter(|series| series.name == "tracetailor_exporter_attributes_cut_total").map(|series| series.count());
        assert_eq!(cut.sum::<u64>(), expected, "{backend}");
    }
}

#[tokio::test]
async fn a_missing_tenant_is_named_as_what_it_is() {
    for (backend, failing) in [("", Failing::Retry { after: None }), ("backend: tempo", Failing::Denied)] {
        let error = answered(Reply::grpc(&said(Code::UNAVAILABLE, "no org id")), backend).await.unwrap_err();
        assert_eq!(error.failing, failing);
        assert!(error.message.ends_with("name one in headers: {X-Scope-OrgID: …}"), "{error}");
    }
}

#[test]
fn limits_that_do_not_go_with_a_back_end_are_told() {
    for (keys, severity, wrong) in [
        (
            "backend: jaeger, max_request_bytes: 16MiB",
            Severity::Warning,
            "max_request_bytes: is more than the 4 MiB that Jaeger takes over gRPC, unless its max_recv_msg_size_mib is raised",
        ),
        (
            "backend: tempo, max_request_bytes: 0",
            Severity::Warning,
            "max_request_bytes: is more than the 4 MiB that Tempo takes over gRPC, unless its max_recv_msg_size_mib is raised",
        ),
        (
            "backend: coralogix, headers: {authorization: k}, max_request_bytes: 11MB",
            Severity::Error,
            "max_request_bytes: is more than Coralogix takes: 10 MB before compression",
        ),
        ("backend: coralogix", Severity::Warning, ": Coralogix takes nothing without a key"),
    ] {
        assert_eq!(problems(&format!("{{endpoint: 'h:1', {keys}}}")), [(severity, wrong.to_owned())], "{keys}");
    }
    assert_eq!(problems("{endpoint: 'h:1', backend: jaeger}"), []);
}

#[test]
fn a_profile_sets_the_size_that_its_back_end_likes() {
    let most = |yaml: &str| {
        let config: super::Config = tracetailor_core::config::parse(yaml, "f", "x").unwrap();
        config.delivery().max_request_bytes.get()
    };
    assert_eq!(most("{endpoint: 'h:1'}"), 4 << 20);
    assert_eq!(most("{endpoint: 'h:1', backend: coralogix}"), 2 << 20);
    assert_eq!(most("{endpoint: 'h:1', backend: coralogix, max_request_bytes: 0}"), 0);
    assert_eq!(Signal::ALL.map(|signal| signal as usize), [0, 1, 2]);
}

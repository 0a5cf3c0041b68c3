//! `send` against destinations that take, refuse, and are not what they were taken for.

use clap::Parser;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tracetailor_net::grpc::{Code, PartialSuccess, Status, frame};
use tracetailor_net::testing::{Destination, Reply};

use super::{Send, Spoken, send, whole};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    send: Send,
}

/// Runs the command on a thread of its own, as it makes a runtime of its own.
async fn told(words: &[&str]) -> String {
    let words: Vec<String> = std::iter::once("send").chain(words.iter().copied()).map(str::to_owned).collect();
    let outcome = tokio::task::spawn_blocking(move || send(&Line::parse_from(words).send)).await.unwrap();
    format!("{outcome:?}").replace("\\n", "\n")
}

fn spans(request: &[u8]) -> usize {
    let request = ExportTraceServiceRequest::decode(request).unwrap();
    request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum()
}

#[tokio::test]
async fn a_trace_goes_out_over_grpc() {
    let destination = Destination::start([Reply::grpc_done(&PartialSuccess::default())]).await.unwrap();
    let told = told(&["--endpoint", &destination.address.to_string(), "--header", "x-scope-orgid=a"]).await;
    let seen = &destination.seen()[0];
    assert_eq!((seen.header("x-scope-orgid"), seen.header("content-type")), ("a", "application/grpc"));
    let (_, request) = frame(seen.body.clone()).unwrap().unwrap();
    assert_eq!(spans(&request), 5);
    let id: String = ExportTraceServiceRequest::decode(request).unwrap().resource_spans[0].scope_spans[0].spans[0]
        .trace_id
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(told.contains("sent 1 trace to") && told.contains(&format!("http://127.0.0.1:16686/trace/{id}")), "{told}");
}

#[tokio::test]
async fn broken_ones_go_with_it_over_http() {
    let partial = PartialSuccess { rejected: 1, message: "zero parent".to_owned() };
    let destination = Destination::start([Reply::status(200).body("application/x-protobuf", partial.encode())]).await.unwrap();
    let told = told(&["--endpoint", &format!("http://{}", destination.address), "--protocol", "http", "--broken"]).await;
    let seen = &destination.seen()[0];
    assert_eq!((seen.target.as_str(), spans(&seen.body)), ("/v1/traces", 5 + 4 + 3 + 5 * 5));
    assert!(told.contains("sent 8 traces") && told.contains("an orphan") && told.contains("no root"), "{told}");
    assert!(told.contains("1 of the spans were not taken: zero parent"), "{told}");
}

#[tokio::test]
async fn mistakes_are_told_kindly() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let refused = told(&["--endpoint", &nobody]).await;
    assert!(refused.contains("nobody listens at") && refused.contains("tracetailor run"), "{refused}");
    let not_grpc = Destination::start([Reply::status(404)]).await.unwrap();
    let odd = told(&["--endpoint", &not_grpc.address.to_string()]).await;
    assert!(odd.contains("answers, but not in gRPC (HTTP 404 Not Found)") && odd.contains("--protocol http"), "{odd}");
    let closed = Destination::start([Reply::grpc(&Status::new(Code::UNAUTHENTICATED, "who?"))]).await.unwrap();
    let closed = told(&["--endpoint", &closed.address.to_string()]).await;
    assert!(closed.contains("UNAUTHENTICATED: who?") && closed.contains("--header authorization"), "{closed}");
    let busy = Destination::start([Reply::status(503).body("text/plain", "full")]).await.unwrap();
    let busy = told(&["--endpoint", &busy.address.to_string(), "--protocol", "http"]).await;
    assert!(busy.contains("503 Service Unavailable full"), "{busy}");
    let wrong = told(&["--endpoint", "ftp://h"]).await;
    assert!(wrong.contains("scheme that is not spoken here"), "{wrong}");
}

#[test]
fn what_people_leave_out_of_an_address_is_put_in() {
    for (endpoint, spoken, expected) in [
        ("tempo", None, "http://tempo:4317"),
        ("tempo", Some(Spoken::Http), "http://tempo:4318"),
        ("4318", None, "http://127.0.0.1:4318"),
        ("tempo:1", None, "http://tempo:1"),
        ("https://tempo", None, "https://tempo"),
        ("unix:/run/t.sock", None, "unix:/run/t.sock"),
    ] {
        assert_eq!(whole(endpoint, spoken), expected);
    }
}

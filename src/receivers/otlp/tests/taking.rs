//! Good requests, in every way that they may come.

use tracetailor_core::telemetry::{Signal, json};
use tracetailor_core::testing::trace_of;
use tracetailor_net::grpc::Code;

use super::client::framed;
use super::{Behind, Gateway, call, post};

pub(super) const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(super) const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
pub(super) const JSON: (&str, &str) = ("content-type", "application/json");

/// A request with spans of these names.
pub(super) fn spans(shape: &str) -> Vec<u8> {
    tracetailor_core::telemetry::Decoded::from(trace_of(shape).request()).encode().to_vec()
}

#[test]
fn spans_are_taken_over_grpc() {
    let gateway = Gateway::new(Behind::Delivers);
    let (status, body) = call(gateway.grpc, TRACES, &[], framed(0, &spans("a -> b")));
    assert_eq!((status.code, body.as_ref()), (Code::OK, &[0, 0, 0, 0, 2, 10, 0][..]), "{status:?}");
    assert_eq!(gateway.finish(), ["a", "b"]);
}

#[test]
fn spans_are_taken_over_http_in_protobuf_and_json() {
    let gateway = Gateway::new(Behind::Delivers);
    let answer = post(gateway.http, "/v1/traces", &[PROTOBUF], &spans("a"));
    assert_eq!((answer.status, answer.body.as_slice()), (200, &[10, 0][..]), "{answer:?}");
    let mut text = Vec::new();
    json::from_protobuf(Signal::Traces, &spans("b"), &mut text).unwrap();
    let answer = post(gateway.http, "/v1/traces", &[JSON], &text);
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"partialSuccess":{}}"#), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(gateway.finish(), ["a", "b"]);
}

//! The mistakes of the first day: each is answered in the protocol of whoever made it, and names what would be right.

use tracetailor_net::grpc::Code;

use super::client::framed;
use super::taking::{JSON, PROTOBUF, TRACES, spans};
use super::{Behind, Gateway, call, post, raw};

#[test]
fn grpc_to_the_port_for_http_is_told_the_other_port() {
    let gateway = Gateway::new(Behind::Delivers);
    let (status, _) = call(gateway.http, TRACES, &[], framed(0, &spans("a")));
    assert_eq!(status.code, Code::UNIMPLEMENTED);
    assert!(status.message.ends_with(&format!("gRPC is spoken on port {}", gateway.grpc)), "{status:?}");
    gateway.assert_refused("grpc_to_http", 1);
    assert!(gateway.finish().is_empty());
}

#[test]
fn http_to_the_port_for_grpc_is_told_the_other_port() {
    let gateway = Gateway::new(Behind::Delivers);
    for kind in [PROTOBUF, JSON] {
        let answer = post(gateway.grpc, "/v1/traces", &[kind], &spans("a"));
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(&format!("OTLP over HTTP is spoken on port {}", gateway.http)), "{answer:?}");
    }
    gateway.assert_refused("http_to_grpc", 2);
    assert!(gateway.finish().is_empty());
}

#[test]
fn tls_to_a_port_in_the_clear_is_answered_with_an_alert() {
    let gateway = Gateway::new(Behind::Delivers);
    for port in [gateway.grpc, gateway.http] {
        assert_eq!(raw(port, b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"), b"\x15\x03\x01\x00\x02\x02\x0a");
    }
    gateway.assert_refused("tls_to_plaintext", 2);
    assert!(gateway.finish().is_empty());
}

#[test]
fn thrift_is_turned_away_and_counted() {
    let gateway = Gateway::new(Behind::Delivers);
    assert_eq!(raw(gateway.http, b"\x80\x01\x00\x01\x00\x00\x00\x0dsubmitBatches"), b"");
    assert_eq!(raw(gateway.grpc, b"\x00\x00\x00\x40\x80\x01\x00\x01\x00\x00\x00\x0dsubmitBatches"), b"");
    gateway.assert_refused("thrift", 2);
    let answer = post(gateway.http, "/api/traces?format=jaeger.thrift", &[("content-type", "application/x-thrift")], b"x");
    assert!(answer.status == 404 && answer.text().contains("Jaeger"), "{answer:?}");
    gateway.assert_refused("thrift", 3);
    assert!(gateway.finish().is_empty());
}

#[test]
fn methods_paths_and_types_that_are_not_ours() {
    let gateway = Gateway::new(Behind::Delivers);
    let answer = super::client::answer(&raw(gateway.http, b"GET /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    for (path, why) in [("/v1/trace", "404 page not found\n"), ("/v1/metrics", "no pipeline takes metrics")] {
        let answer = post(gateway.http, path, &[JSON], b"{}");
        assert!(answer.status == 404 && answer.text().contains(why), "{answer:?}");
    }
    assert_eq!(post(gateway.http, "/v1/traces", &[("content-type", "application/protobuf")], b"").status, 415);
    assert_eq!(post(gateway.http, "/v1/traces", &[], b"").status, 415);
    assert_eq!(post(gateway.http, "/v1/traces", &[JSON, ("content-encoding", "br")], b"").status, 400);
    let unimplemented = |path: &str| {
        let (status, _) = call(gateway.grpc, path, &[], framed(0, b""));
        assert_eq!(status.code, Code::UNIMPLEMENTED);
        status.message
    };
    assert_eq!(unimplemented("/foo.Bar/Baz"), "unknown service foo.Bar");
    assert!(unimplemented("/opentelemetry.proto.collector.trace.v1.TraceService/Foo").starts_with("unknown method Foo for service"));
    assert!(unimplemented("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export").contains("no pipeline takes metrics"));
    let (status, _) = call(gateway.grpc, TRACES, &[("grpc-encoding", "deflate")], framed(1, b"x"));
    assert_eq!(
        (status.code, status.message.as_str()),
        (Code::UNIMPLEMENTED, "grpc: Decompressor is not installed for grpc-encoding \"deflate\"")
    );
    assert!(gateway.finish().is_empty());
}

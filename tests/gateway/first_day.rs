//! The mistakes of every first day: each is named, none is a reset connection, and who does it right is not disturbed.

use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracetailor::core::testing::Payload;

use super::clients::{self, Protocol};
use super::process::Gateway;
use super::sink::Sink;
use super::through;

async fn say(port: u16, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    // What is spoken may not end: a pause is the end of the answer.
    while let Ok(Ok(n)) = tokio::time::timeout(std::time::Duration::from_millis(700), socket.read(&mut buffer)).await {
        if n == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..n]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrong_protocol_is_told_the_right_port_and_counted() {
    let behind = Sink::start().await;
    let gateway = Gateway::start(&through(Protocol::Grpc, &behind)).await;

    let http_to_grpc = say(gateway.grpc, b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").await;
    assert!(http_to_grpc.starts_with("HTTP/1.1 4"), "{http_to_grpc}");
    assert!(http_to_grpc.contains(&gateway.http.to_string()), "it names the port for HTTP: {http_to_grpc}");

    let mut client = opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient::connect(format!(
        "http://127.0.0.1:{}",
        gateway.http
    ))
    .await
    .unwrap();
    let status = client.export(opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest::default()).await;
    let status = status.expect_err("gRPC is not spoken there");
    assert!(status.message().contains(&gateway.grpc.to_string()), "it names the port for gRPC: {status:?}");

    // A TLS hello, and Thrift's binary protocol.
    for (port, bytes) in [
        (gateway.grpc, &b"\x16\x03\x01\x00\x05hello"[..]),
        (gateway.http, &b"\x16\x03\x01\x00\x05hello"[..]),
        (gateway.http, &b"\x80\x01\x00\x01\x00\x00\x00\x09emitBatch"[..]),
    ] {
        say(port, bytes).await;
    }
    gateway.until("tracetailor_refused_requests_total", &["receiver=\"otlp\""], |count| count >= 5.0).await;

    let body = Payload { seed: 1, ..Payload::of(10) }.traces(1).encode_to_vec();
    assert_eq!(clients::post(gateway.http, "/v1/traces", "application/x-protobuf", body).await.0, 200);
    behind.wait_for(10, 0, 0).await;
    gateway.end_balanced().await;
}

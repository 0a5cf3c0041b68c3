//! The end: what was admitted is answered, no connection is cut, and old or idle ones are let go in time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tracetailor_core::testing::assert_manual;

use super::super::FACTORY;
use super::client::answer;
use super::gateway::eventually;
use super::taking::{PROTOBUF, spans};
use super::{Behind, Gateway, post};

#[test]
fn the_manual_has_the_keys() {
    assert_manual(&FACTORY);
}

/// Sends the head and half of the body, and gives the rest to send.
fn half(port: u16, name: &str) -> (TcpStream, Vec<u8>) {
    let body = spans(name);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
    let (first, rest) = body.split_at(body.len() / 2);
    stream.write_all(first).unwrap();
    (stream, rest.to_vec())
}

#[test]
fn a_request_under_way_is_answered_and_its_connection_is_closed_after_that() {
    let gateway = Gateway::new(Behind::Delivers);
    let (mut stream, rest) = half(gateway.http, "last");
    eventually(|| (gateway.most_room() > 0).then_some(()));
    gateway.ask_to_stop();
    eventually(|| TcpStream::connect(("127.0.0.1", gateway.http)).is_err().then_some(()));
    assert!(!gateway.has_stopped());
    stream.write_all(&rest).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    let said = answer(&said);
    assert_eq!((said.status, said.header("connection")), (200, Some("close")), "{said:?}");
    assert_eq!(gateway.finish(), ["last"]);
}

#[test]
fn a_connection_that_waits_for_nothing_does_not_hold_up_the_stop() {
    let gateway = Gateway::new(Behind::Delivers);
    let silent = TcpStream::connect(("127.0.0.1", gateway.http)).unwrap();
    let (mut stream, rest) = half(gateway.http, "a");
    stream.write_all(&rest).unwrap();
    let mut said = [0; 12];
    stream.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
    assert_eq!(gateway.finish(), ["a"]);
    drop(silent);
}

#[test]
fn a_client_that_waits_for_the_end_hears_of_it() {
    let gateway = Gateway::with(Behind::Holds, "{answer: delivered, protocols: {http: {endpoint: '127.0.0.1:0'}}}");
    let port = gateway.http;
    let client = std::thread::spawn(move || post(port, "/v1/traces", &[PROTOBUF], &spans("a")));
    eventually(|| (gateway.held() == 1).then_some(()));
    assert!(!client.is_finished());
    gateway.let_go();
    assert_eq!(client.join().unwrap().status, 200);
    assert_eq!(gateway.finish(), ["a"]);
}

#[test]
fn a_client_that_waits_for_acceptance_does_not_wait_longer() {
    let gateway = Gateway::new(Behind::Holds);
    assert_eq!(post(gateway.http, "/v1/traces", &[PROTOBUF], &spans("a")).status, 200);
    gateway.let_go();
    assert_eq!(gateway.finish(), ["a"]);
}

#[test]
fn a_connection_that_is_old_is_closed_between_two_requests() {
    let gateway = Gateway::with(
        Behind::Delivers,
        "protocols: {grpc: {endpoint: '127.0.0.1:0', keepalive: {server_parameters: {max_connection_age: 100ms, max_connection_age_grace: 200ms}}}}",
    );
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.grpc)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    // A GOAWAY, of type 7, before the end.
    assert!(said.windows(5).any(|five| five == [0, 0, 8, 7, 0]), "{said:?}");
    assert!(gateway.finish().is_empty());
}

#[test]
fn more_connections_than_allowed_wait_for_their_turn() {
    let gateway = Gateway::with(Behind::Delivers, "protocols: {http: {endpoint: '127.0.0.1:0', max_connections: 1}}");
    let (mut first, rest) = half(gateway.http, "first");
    eventually(|| (gateway.most_room() > 0).then_some(()));
    let port = gateway.http;
    let second = std::thread::spawn(move || post(port, "/v1/traces", &[PROTOBUF], &spans("second")));
    first.write_all(&rest).unwrap();
    let mut said = [0; 12];
    first.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
    assert!(!second.is_finished());
    drop(first);
    assert_eq!(second.join().unwrap().status, 200);
    assert_eq!(gateway.finish(), ["first", "second"]);
}

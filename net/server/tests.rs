//! Real sockets, and small pages over them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use bytes::Bytes;
use http::{Request, Response};
use tracetailor_core::component::Stop;

use super::{Listener, serve_http};

/// Serves one handler on a thread of its own, lets `client` speak to it, and stops it.
fn with_pages(endpoint: &str, client: impl FnOnce(u16)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = Listener::bind(&endpoint.parse().unwrap()).unwrap();
    let port = listener.port().unwrap_or_default();
    let (stopper, stop) = Stop::new();
    let pages = runtime.spawn(serve_http(listener, stop, |request: Request<Bytes>| async move {
        assert!(request.uri().path() != "/panic", "as asked");
        Response::new(Bytes::from(format!("{} {}", request.uri().path(), request.body().len())))
    }));
    client(port);
    stopper.ask();
    runtime.block_on(pages).unwrap().unwrap();
}

fn ask(mut stream: impl Read + Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).unwrap()
}

#[test]
fn pages_are_served_over_tcp() {
    with_pages("127.0.0.1:0", |port| {
        let answer = ask(connect(port), "POST /live HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n/live 3"), "{answer}");
    });
}

#[test]
fn a_connection_that_waits_for_its_next_page_does_not_hold_up_the_stop() {
    let mut kept = None;
    with_pages("127.0.0.1:0", |port| {
        let mut stream = connect(port);
        stream.write_all(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).unwrap();
        kept = Some(stream);
    });
    let mut rest = String::new();
    kept.unwrap().read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("/live 0"), "{rest}");
}

#[test]
fn a_panic_or_a_body_that_is_too_large_costs_one_connection() {
    with_pages("127.0.0.1:0", |port| {
        assert_eq!(ask(connect(port), "GET /panic HTTP/1.1\r\nhost: x\r\n\r\n"), "");
        let answer = ask(connect(port), "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1048577\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        let answer = ask(connect(port), "GET /after HTTP/1.0\r\n\r\n");
        assert!(answer.ends_with("/after 0"), "{answer}");
    });
}

#[test]
fn a_socket_file_is_replaced_when_nobody_serves_it_and_goes_with_its_listener() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pages.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "as a killed process leaves it");
    let endpoint = format!("unix:{}", path.display());
    with_pages(&endpoint, |_| {
        let answer = ask(UnixStream::connect(&path).unwrap(), "GET /here HTTP/1.0\r\n\r\n");
        assert!(answer.ends_with("/here 0"), "{answer}");
        let taken = Listener::bind(&endpoint.parse().unwrap()).unwrap_err().to_string();
        assert!(taken.contains("a process answers there already"), "{taken}");
    });
    assert!(!path.exists());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let first = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("localhost:{}", first.port().unwrap());
    let error = Listener::bind(&endpoint.parse().unwrap()).unwrap_err().to_string();
    let port = first.port().unwrap();
    let expected = format!("cannot listen on localhost:{port}: port {port} is taken by another process; stop that, or write another port");
    assert_eq!(error, expected);
    assert!(Listener::bind(&"192.0.2.1:0".parse().unwrap()).unwrap_err().to_string().contains("no such address"));
}

#[test]
fn the_empty_host_is_every_interface() {
    with_pages(":0", |port| {
        assert!(ask(connect(port), "GET /four HTTP/1.0\r\n\r\n").ends_with("/four 0"));
    });
}

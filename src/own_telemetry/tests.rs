//! The page of metrics over real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;

use tracetailor_core::component::{Counters, Stop};
use tracetailor_core::config::parse;
use tracetailor_core::ledger::Books;
use tracetailor_core::time::Clock;

use super::*;

fn settings(yaml: &str) -> Telemetry {
    parse(yaml, "g.yaml", "service.telemetry").expect("valid")
}

fn sources() -> Sources {
    Sources { counters: Counters::default(), books: Books::new(), clock: Clock::system() }
}

fn on_any_port() -> Telemetry {
    settings("metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]}")
}

fn ask(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.write_all(format!("{request}\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn the_page_is_served_until_the_stop() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let pages = open(&on_any_port(), sources()).expect("any port is free");
    let port = pages.ports()[0];
    let (stopper, stop) = Stop::new();
    let served = runtime.spawn(pages.serve(stop));

    let answer = ask(port, "GET /metrics HTTP/1.1");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{answer}");
    assert!(answer.contains("\notelcol_process_uptime "), "{answer}");
    let answer = ask(port, "GET /metrics HTTP/1.1\r\naccept: application/openmetrics-text; version=1.0.0");
    assert!(answer.contains("content-type: application/openmetrics-text; version=1.0.0") && answer.ends_with("# EOF\n"), "{answer}");
    assert!(ask(port, "HEAD /metrics HTTP/1.1").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(ask(port, "GET / HTTP/1.1").starts_with("HTTP/1.1 404 "));
    let answer = ask(port, "POST /metrics HTTP/1.1");
    assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("allow: GET, HEAD\r\n"), "{answer}");

    stopper.ask();
    runtime.block_on(served).expect("it ends");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody listens any more");
}

#[test]
fn a_taken_port_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("any port");
    let port = taken.local_addr().expect("bound").port();
    let settings = settings(&format!("metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {port}}}}}}}}}]}}"));
    let error = open(&settings, sources()).expect_err("taken").to_string();
    let expected = format!(
        "metrics: cannot listen on 127.0.0.1:{port}: port {port} is taken by another process; stop that, or write another port, in \
         service.telemetry.metrics.readers; level: none is for no metrics"
    );
    assert_eq!(error, expected);
}

#[test]
fn nobody_listens_where_no_metrics_are_wanted() {
    let pages = open(&settings("metrics: {level: none}"), sources()).expect("nothing to open");
    assert_eq!(pages.ports(), Vec::<u16>::new());
}

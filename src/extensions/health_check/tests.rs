//! What probes are told, over real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tracetailor_core::component::{Reloaded, Services, Stop};
use tracetailor_core::config::parse;
use tracetailor_core::testing::assert_manual;
use tracetailor_core::time::Clock;

use super::*;

/// A gateway that is as somebody says.
struct Gateway(Mutex<Result<(), String>>);

impl Steering for Gateway {
    fn reload(&self) -> BoxFuture<'static, Reloaded> {
        Box::pin(std::future::ready(Err("not asked for here".to_owned())))
    }

    fn configuration(&self) -> String {
        String::new()
    }

    fn ready(&self) -> Result<(), String> {
        self.0.lock().unwrap().clone()
    }
}

/// Serves health while `client` asks for it, beside a gateway that it can change and a clock that it can turn.
fn served(yaml: &str, client: impl FnOnce(u16, &Gateway, &Clock)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config: Config = parse(yaml, "g.yaml", "extensions.health_check").unwrap();
    let gateway = Arc::new(Gateway(Mutex::new(Ok(()))));
    let mut services = Services::default().by(&ComponentId::of(<dyn Steering>::ID));
    services.offer::<dyn Steering>(gateway.clone());
    let clock = Clock::by_hand(LogTime(1_000_000_000_000_000_000));
    let (stopper, stop) = Stop::new();
    let mut context = ExtensionContext { build: BuildContext::alone("health_check"), stop };
    context.build.services = services;
    context.build.clock = clock.clone();
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let port = listener.port().unwrap();
    let pages = runtime.spawn(serve(config, listener, context));
    client(port, &gateway, &clock);
    stopper.ask();
    runtime.block_on(pages).unwrap().unwrap();
}

/// The status, the headers and the body of a page.
fn ask(port: u16, path: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
}

#[test]
fn the_readme_tells_the_truth() {
    assert_manual(&FACTORY);
}

#[test]
fn health_is_told_as_the_collector_tells_it() {
    served("", |port, gateway, clock| {
        let (status, head, body) = ask(port, "/");
        assert_eq!(body, r#"{"status":"Server available","upSince":"2001-09-09T01:46:40.000Z","uptime":"0s"}"#);
        assert!(status == 200 && head.contains("content-type: application/json"), "{head}");
        clock.advance(Duration::from_millis(90_250));
        let (_, _, body) = ask(port, "/any/other");
        assert_eq!(body, r#"{"status":"Server available","upSince":"2001-09-09T01:46:40.000Z","uptime":"1m30.25s"}"#);
        *gateway.0.lock().unwrap() = Err("stopping".to_owned());
        let (status, _, body) = ask(port, "/");
        assert_eq!((status, body.as_str()), (503, r#"{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}"#));
        *gateway.0.lock().unwrap() = Ok(());
        assert!(ask(port, "/").2.contains("\"uptime\":\"0s\""), "it began anew");
    });
}

#[test]
fn alive_and_ready_are_two_questions() {
    served("path: /health", |port, gateway, _| {
        assert_eq!((ask(port, "/live").0, ask(port, "/ready").0, ask(port, "/health").0, ask(port, "/").0), (200, 200, 200, 404));
        *gateway.0.lock().unwrap() = Err("starting".to_owned());
        let (status, _, body) = ask(port, "/ready");
        assert_eq!((status, body.as_str()), (503, "starting\n"));
        assert_eq!((ask(port, "/live").0, ask(port, "/health").0), (200, 503));
    });
}

#[test]
fn own_words_and_headers_are_told() {
    served("{response_body: {healthy: fine, unhealthy: not fine}, response_headers: {x-gateway: eu-1}}", |port, gateway, _| {
        let (status, head, body) = ask(port, "/");
        assert!(status == 200 && body == "fine" && head.contains("x-gateway: eu-1"), "{head} {body}");
        *gateway.0.lock().unwrap() = Err("stopping".to_owned());
        let (status, _, body) = ask(port, "/");
        assert_eq!((status, body.as_str()), (503, "not fine"));
    });
}

#[test]
fn a_taken_port_ends_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_stopper, stop) = Stop::new();
    let context = ExtensionContext { build: BuildContext::alone("health_check"), stop };
    let health = FACTORY.parse(&format!("endpoint: 127.0.0.1:{port}")).unwrap().build(&context.build).unwrap();
    let error = runtime.block_on(health.run(context)).unwrap_err().to_string();
    assert!(error.contains(&format!("port {port} is taken by another process")), "{error}");
}

#[test]
fn what_cannot_be_meant_is_named() {
    for (yaml, says) in [
        ("endpoint: http://localhost:1", "is an address to send to"),
        ("path: health", "write /health"),
        ("transport: unix", "write endpoint: unix:/its/path"),
        ("response_headers: {\"a b\": c}", "is no header"),
        ("tls: {cert_file: a, key_file: b}", "here it is planned"),
        ("auth: {authenticator: basicauth}", "here it is planned"),
        ("endpont: localhost:1", "there is no such key"),
    ] {
        let error = FACTORY.parse(yaml).map(|_| ()).expect_err(yaml).to_string();
        assert!(error.contains(says), "{yaml}: {error}");
    }
    for yaml in [
        "check_collector_pipeline: {enabled: true, interval: 5m}",
        "{endpoint: '0.0.0.0:13133', idle_timeout: 1m, cors: {allowed_origins: ['*']}}",
    ] {
        assert!(FACTORY.parse(yaml).is_ok(), "{yaml}");
    }
}

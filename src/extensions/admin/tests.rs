//! The pages over real sockets, and who is kept out.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracetailor_core::component::{Reloaded, Services, Stop};
use tracetailor_core::config::parse;
use tracetailor_core::ledger::{Fate, LineName, Nobody, Receipt};
use tracetailor_core::telemetry::Signal;
use tracetailor_core::testing::assert_manual;

use super::*;

/// A gateway that refuses every other reload.
#[derive(Default)]
struct Gateway {
    reloads: AtomicUsize,
}

impl Steering for Gateway {
    fn reload(&self) -> BoxFuture<'static, Reloaded> {
        let times = self.reloads.fetch_add(1, Ordering::Relaxed);
        Box::pin(
            async move { if times.is_multiple_of(2) { Ok("batch changed\n".to_owned()) } else { Err("g.yaml:3: error: no\n".to_owned()) } },
        )
    }

    fn configuration(&self) -> String {
        "service: {}\n".to_owned()
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

/// What an admin is run with, and the means to stop it.
fn surroundings() -> (ExtensionContext, tracetailor_core::component::Stopper) {
    let (stopper, stop) = Stop::new();
    (ExtensionContext { build: BuildContext::alone("admin"), stop }, stopper)
}

fn with_gateway(mut context: ExtensionContext) -> ExtensionContext {
    let mut services = Services::default().by(&ComponentId::of(<dyn Steering>::ID));
    services.offer::<dyn Steering>(Arc::new(Gateway::default()));
    context.build.services = services;
    context
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Serves the pages while `client` asks for them.
fn served(yaml: &str, context: ExtensionContext, stopper: &tracetailor_core::component::Stopper, client: impl FnOnce(u16)) {
    let runtime = runtime();
    let config: Config = parse(yaml, "g.yaml", "extensions.admin").unwrap();
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let port = listener.port().unwrap();
    let pages = runtime.spawn(async move { serve(&config, listener, context).await });
    client(port);
    stopper.ask();
    runtime.block_on(pages).unwrap().unwrap();
}

/// Asks, with these headers, and gives the status and the whole answer.
fn ask(port: u16, request: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("{request} HTTP/1.1\r\n{headers}connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

const LOCAL: &str = "host: localhost:8889\r\n";

#[test]
fn the_readme_tells_the_truth() {
    assert_manual(&FACTORY);
    for (page, tells) in PAGES {
        assert!(FACTORY.readme.contains(page), "{page} ({tells}) is not in the README");
    }
}

#[test]
fn every_page_is_served() {
    let (context, stopper) = surroundings();
    let line = context.books.line(LineName::Pipeline("traces/edge".into()), Signal::Traces);
    let receipt = Receipt::open(&context.books, Arc::new(Nobody), 0);
    let mut share = receipt.accept(&line, 5);
    receipt.close();
    share.settle_some(2, Fate::Dropped(context.books.cause("filter", "health")));
    let books = context.books.clone();
    served("", with_gateway(context), &stopper, |port| {
        let (status, answer) = ask(port, "GET /", LOCAL);
        assert!(status == 200 && PAGES.iter().all(|(page, _)| answer.contains(page)), "{answer}");
        let (status, answer) = ask(port, "GET /config", LOCAL);
        assert!(status == 200 && answer.ends_with("\r\n\r\nservice: {}\n"), "{answer}");
        assert!(answer.contains("cache-control: no-store\r\n") && answer.contains("x-content-type-options: nosniff\r\n"), "{answer}");
        let (status, answer) = ask(port, "GET /ledger", LOCAL);
        assert!(status == 200 && answer.contains("pipeline traces/edge") && answer.contains("dropped by filter, health: 2"), "{answer}");
        for (page, headers) in [("/ledger?format=json", LOCAL), ("/ledger", "host: 127.0.0.1\r\naccept: application/json\r\n")] {
            let (_, answer) = ask(port, &format!("GET {page}"), headers);
            let (_, body) = answer.split_once("\r\n\r\n").unwrap();
            let books: serde_json::Value = serde_json::from_str(body).expect("JSON");
            assert_eq!(books["balanced"], false, "three are on their way");
            let line = &books["lines"][0];
            let told = ["pipeline", "signal", "accepted", "dropped", "held", "residual"].map(|key| line[key].clone());
            assert_eq!(serde_json::json!(told), serde_json::json!(["traces/edge", "traces", 5, 2, 0, 3]));
            assert_eq!(line["causes"][0]["reason"], "health");
        }
        assert_eq!(ask(port, "GET /nothing", LOCAL).0, 404);
        let (status, answer) = ask(port, "DELETE /ledger", LOCAL);
        assert!(status == 405 && answer.contains("allow: GET, HEAD\r\n"), "{answer}");
    });
    share.settle(Fate::Delivered);
    books.report().assert_balanced();
}

#[test]
fn a_reload_is_asked_for_with_post_and_answered_with_what_came_of_it() {
    let (context, stopper) = surroundings();
    served("", with_gateway(context), &stopper, |port| {
        let (status, answer) = ask(port, "GET /reload", LOCAL);
        assert!(status == 405 && answer.contains("allow: POST\r\n"), "{answer}");
        let (status, answer) = ask(port, "POST /reload", LOCAL);
        assert!(status == 200 && answer.ends_with("batch changed\n"), "{answer}");
        let (status, answer) = ask(port, "POST /reload", LOCAL);
        assert!(status == 422 && answer.ends_with("g.yaml:3: error: no\n"), "{answer}");
    });
}

#[test]
fn pages_in_a_browser_are_kept_out() {
    let (context, stopper) = surroundings();
    served("allowed_hosts: gateway.example", with_gateway(context), &stopper, |port| {
        for (headers, expected) in [
            ("host: localhost\r\n", 200),
            ("host: LOCALHOST:8889\r\n", 200),
            ("host: [::1]:8889\r\n", 200),
            ("host: 10.1.2.3:80\r\n", 200),
            ("host: Gateway.Example:8889\r\n", 200),
            ("host: attacker.example:8889\r\n", 403),
            ("host: localhost.attacker.example\r\n", 403),
            ("host: attacker.example:127.0.0.1\r\n", 403),
            ("host: localhost:8889@attacker.example\r\n", 403),
            ("host: \r\n", 403),
        ] {
            assert_eq!(ask(port, "GET /config", headers).0, expected, "{headers}");
            assert_eq!(ask(port, "POST /reload", headers).0 == 403, expected == 403, "{headers}");
        }
        let from_a_page = "host: localhost\r\norigin: http://localhost:8889\r\n";
        let (status, answer) = ask(port, "POST /reload", from_a_page);
        assert!(status == 403 && answer.contains("not for pages in a browser"), "{answer}");
        assert_eq!(ask(port, "GET /ledger", from_a_page).0, 200);
    });
}

#[test]
fn before_the_gateway_is_there_its_pages_say_so() {
    let (context, stopper) = surroundings();
    served("", context, &stopper, |port| {
        assert_eq!(ask(port, "GET /config", LOCAL).0, 503);
        assert_eq!(ask(port, "POST /reload", LOCAL).0, 503);
        assert_eq!(ask(port, "GET /ledger", LOCAL).0, 200);
    });
}

#[test]
fn a_taken_port_and_a_no_are_nothing_to_stop_for() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for yaml in [format!("endpoint: 127.0.0.1:{port}"), format!("{{enabled: false, endpoint: '127.0.0.1:{port}'}}")] {
        let (context, stopper) = surroundings();
        let admin = FACTORY.parse(&yaml).unwrap().build(&context.build).unwrap();
        let runtime = runtime();
        let ended = Arc::new(Mutex::new(false));
        let running = runtime.spawn({
            let ended = ended.clone();
            async move {
                let result = admin.run(context).await;
                *ended.lock().unwrap() = true;
                result
            }
        });
        assert!(!*ended.lock().unwrap(), "it waits for the stop");
        stopper.ask();
        runtime.block_on(running).unwrap().unwrap();
    }
}

#[test]
fn an_address_for_everybody_is_warned_of() {
    let told = |yaml: &str| {
        let mut errors = ConfigErrors::default();
        let path = tracetailor_core::config::Path::of("extensions").key("admin");
        let node = tracetailor_core::config::load(yaml, "g.yaml").unwrap();
        (FACTORY.read(&node, &path, &mut errors).is_some(), errors.to_string())
    };
    assert_eq!(told("endpoint: localhost:9"), (true, String::new()));
    assert_eq!(told("{endpoint: 0.0.0.0:9, enabled: false}"), (true, String::new()));
    let (taken, said) = told("endpoint: 0.0.0.0:8889");
    assert!(taken && said.contains("warning: extensions.admin.endpoint: whoever reaches this address"), "{said}");
    let (taken, said) = told("endpoint: http://localhost:8889");
    assert!(!taken && said.contains("is an address to send to"), "{said}");
}

struct Names;

impl Report for Names {
    fn json(&self, question: &str) -> serde_json::Value {
        serde_json::json!({ "asked": question })
    }

    fn text(&self, question: &str) -> String {
        format!("asked {question:?}\n")
    }
}

#[test]
fn components_have_pages_of_their_own() {
    let (context, stopper) = surroundings();
    let (one, other) = (Arc::new(Names), Arc::new(Names));
    let reports = context.reports.clone();
    let id = |id: &str| -> ComponentId { id.parse().unwrap() };
    reports.offer("why", "why it was so", &id("tail_sampling"), one.clone());
    served("{}", context, &stopper, |port| {
        assert!(ask(port, "GET /", LOCAL).1.contains("GET /why       why it was so\n"), "{}", ask(port, "GET /", LOCAL).1);
        assert!(ask(port, "GET /why/00-%4bf9%zz", LOCAL).1.ends_with("asked \"00-Kf9%zz\"\n"));
        assert!(ask(port, "GET /why", LOCAL).1.ends_with("asked \"\"\n"));
        assert_eq!((ask(port, "GET /whynot", LOCAL).0, ask(port, "POST /why", LOCAL).0), (404, 405));
        reports.offer("why", "why it was so", &id("tail_sampling/two"), other.clone());
        assert!(ask(port, "GET /why/a", LOCAL).1.ends_with("tail_sampling\nasked \"a\"\n\ntail_sampling/two\nasked \"a\"\n\n"));
        let json = "[{\"component\":\"tail_sampling\",\"report\":{\"asked\":\"a\"}},{\"component\":\"tail_sampling/two\",\"report\":{\"asked\":\"a\"}}]\n";
        assert!(ask(port, "GET /why/a?format=json", LOCAL).1.ends_with(json));
        drop((one, other));
        assert_eq!(ask(port, "GET /why/a", LOCAL).0, 404);
    });
}

//! What it costs to ask conditions about every span, and to edit it by statements, in OTTL.

mod yardstick;

use std::hint::black_box;

use bytes::Bytes;
use prost::Message;
use regex::Regex;
use tracetailor_core::config::ConfigErrors;
use tracetailor_core::ledger::Fate;
use tracetailor_core::ottl::{Conditions, Contexts, ErrorMode, GroupText, Scene, Statements};
use tracetailor_core::telemetry::{Signal, Source, Telemetry};
use tracetailor_core::testing::Payload;
use tracetailor_core::testing::attribute;
use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, KeyValue, Span, Value};
use tracetailor_core::time::Clock;
use yardstick::ours::{Gateway, cycle_bytes};
use yardstick::{Way, compare, cycle, memcpy};

/// None of them holds, so all are asked: equality, a pattern with a literal prefix, bounds, presence, on four attributes and the head.
const TEN: [&str; 10] = [
    "attributes[\"http.request.method\"] == \"PATCH\"",
    "IsMatch(attributes[\"url.path\"], \"^/internal/(health|ready)\")",
    "attributes[\"http.response.status_code\"] >= 500",
    "attributes[\"server.address\"] == nil",
    "attributes[\"server.address\"] == \"nowhere.shop\"",
    "attributes[\"http.response.status_code\"] == 418",
    "IsMatch(attributes[\"url.path\"], \"^/metrics\")",
    "kind == SPAN_KIND_PRODUCER",
    "name == \"GET /health\"",
    "attributes[\"http.response.status_code\"] > 600 and status.code == STATUS_CODE_ERROR",
];

const FIVE_OF_RESOURCES: [&str; 5] = [
    "resource.attributes[\"service.name\"] == \"nobody\"",
    "IsMatch(resource.attributes[\"service.name\"], \"^test-\")",
    "resource.attributes[\"deployment.environment.name\"] == \"development\"",
    "resource.attributes[\"service.version\"] == nil",
    "resource.attributes[\"k8s.namespace.name\"] == \"kube-system\"",
];

const EDITS: [&str; 3] =
    ["set(attributes[\"team\"], \"shop\")", "delete_key(attributes, \"server.address\")", "replace_pattern(name, \"^[A-Z]+ \", \"CALL \")"];

fn main() {
    compare("ottl", ways);
}

fn ways(payload: &Payload) -> Vec<Way> {
    let requests = payload.encoded_traces();
    vec![
        memcpy(&requests),
        Way::new("structs: decode, ten conditions", cycle(&requests, ten_on_structs())),
        Way::new("structs: ten conditions, decoded before", ten_on_decoded(&requests)),
        Way::instead_of("structs: decode, ten conditions", "bytes: heads, ten conditions", cycle_bytes(&requests, ten_received())),
        Way::instead_of("structs: ten conditions, decoded before", "bytes: ten conditions, received before", asked(&requests, &TEN)),
        Way::new("bytes: five conditions on resources, received before", asked(&requests, &FIVE_OF_RESOURCES)),
        Way::new("bytes: nothing asked, received before", asked(&requests, &[])),
        Way::new("structs: decode, three edits, encode", cycle(&requests, edits_on_structs())),
        Way::instead_of("structs: decode, three edits, encode", "bytes: heads, three edits, emit", cycle_bytes(&requests, edits(&EDITS))),
        Way::new("bytes: heads, emit", cycle_bytes(&requests, edits(&[]))),
    ]
}

#[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
fn decode(request: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(request).expect("the payload is valid")
}

fn spans(request: &mut ExportTraceServiceRequest) -> impl Iterator<Item = &mut Span> {
    request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans).flat_map(|scope| &mut scope.spans)
}

fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match find(attributes, key)? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// What somebody would write by hand over structs.
fn ten_by_hand() -> impl Fn(&Span) -> bool {
    let pattern = |pattern: &str| Regex::new(pattern).unwrap_or_else(|error| panic!("{error}"));
    let (internal, metrics) = (pattern("^/internal/(health|ready)"), pattern("^/metrics"));
    move |span| {
        let code = || match find(&span.attributes, "http.response.status_code") {
            Some(Value::IntValue(code)) => *code,
            _ => 0,
        };
        text(&span.attributes, "http.request.method") == Some("PATCH")
            || text(&span.attributes, "url.path").is_some_and(|path| internal.is_match(path))
            || code() >= 500
            || find(&span.attributes, "server.address").is_none()
            || text(&span.attributes, "server.address") == Some("nowhere.shop")
            || code() == 418
            || text(&span.attributes, "url.path").is_some_and(|path| metrics.is_match(path))
            || span.kind == 4
            || span.name == "GET /health"
            || (code() > 600 && span.status.as_ref().is_some_and(|status| status.code == 2))
    }
}

fn ten_on_structs() -> impl FnMut(&[u8]) {
    let holds = ten_by_hand();
    move |request| {
        let mut request = decode(request);
        black_box(spans(&mut request).filter(|span| holds(span)).count());
    }
}

fn ten_on_decoded(requests: &[Vec<u8>]) -> impl FnMut() + 'static {
    let holds = ten_by_hand();
    let mut decoded: Vec<_> = requests.iter().map(|request| decode(request)).collect();
    let mut next = 0;
    move || {
        black_box(spans(&mut decoded[next]).filter(|span| holds(span)).count());
        next = (next + 1) % decoded.len();
    }
}

#[expect(clippy::expect_used, reason = "the conditions are valid, or there is nothing to measure")]
fn conditions(texts: &[&str]) -> Conditions {
    Conditions::parse(&Contexts::of(Signal::Traces), Some("span"), texts, ErrorMode::Ignore).expect("the conditions are valid")
}

fn count(conditions: &mut Conditions, batch: &Telemetry, source: &Source, clock: &Clock) -> usize {
    batch.items().filter(|item| conditions.any(&Scene::of_item(*item, source, clock)).unwrap_or(false)).count()
}

fn ten_received() -> impl FnMut(Bytes) {
    let (gateway, mut conditions, source, clock) = (Gateway::new(), conditions(&TEN), Source::default(), Clock::system());
    move |request| {
        let batch = gateway.receive(request);
        black_box(count(&mut conditions, &batch, &source, &clock));
        batch.settle(Fate::Delivered);
    }
}

/// Batches that were received once and are asked again and again; they are settled when the measurement is over.
struct Held(Vec<Telemetry>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|batch| batch.settle(Fate::Delivered));
    }
}

fn asked(requests: &[Vec<u8>], texts: &[&str]) -> impl FnMut() + 'static {
    let (gateway, mut conditions, source, clock) = (Gateway::new(), conditions(texts), Source::default(), Clock::system());
    let held = Held(requests.iter().map(|request| gateway.receive(Bytes::from(request.clone()))).collect());
    let mut next = 0;
    move || {
        black_box(count(&mut conditions, &held.0[next], &source, &clock));
        next = (next + 1) % held.0.len();
    }
}

fn edits_on_structs() -> impl FnMut(&[u8]) {
    let mut out = Vec::new();
    let pattern = Regex::new("^[A-Z]+ ").unwrap_or_else(|error| panic!("{error}"));
    move |request| {
        out.clear();
        let mut request = decode(request);
        for span in spans(&mut request) {
            span.attributes.push(attribute("team", "shop"));
            span.attributes.retain(|attribute| attribute.key != "server.address");
            span.name = pattern.replace_all(&span.name, "CALL ").into_owned();
        }
        request.encode_raw(&mut out);
        black_box(&out);
    }
}

fn edits(texts: &[&str]) -> impl FnMut(Bytes) {
    let (gateway, clock, mut out) = (Gateway::new(), Clock::system(), Vec::new());
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let mut errors = ConfigErrors::default();
    let group = GroupText { context: Some("span"), conditions: ("conditions", &[]), statements: ("statements", &texts) };
    let group = Statements::read(&mut errors, &Contexts::of(Signal::Traces), &group, ErrorMode::Propagate);
    let mut group = group.unwrap_or_else(|| panic!("{errors}"));
    move |request| {
        let mut batch = gateway.receive(request);
        assert!(group.run(&mut batch, &clock).is_ok(), "the statements cannot fail");
        gateway.send(batch, &mut out);
    }
}

//! What it costs to redact: spans in which there is nothing, spans in which there is much, and spans made to waste time.

#[path = "yardstick/through.rs"]
mod through;
#[expect(dead_code, reason = "nothing here is held against another way of the same")]
mod yardstick;

use bytes::Bytes;
use prost::Message;
use through::through;
use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, Span};
use tracetailor_core::testing::{Payload, attribute};
use tracetailor_processors::redaction::FACTORY;
use yardstick::ours::cycle_bytes;
use yardstick::{Way, compare, memcpy};

const EVERYTHING: &str = "{allow_all_keys: true, presets: [secrets, pci, gdpr, genai], locales: [us]}";
/// What the Collector is measured with.
const FIVE: &str = r#"{allow_all_keys: true, blocked_values: ["4[0-9]{12}(?:[0-9]{3})?", "(5[1-5][0-9]{14})", "[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\\.[a-zA-Z]{2,}", "(?:AKIA|ASIA)[A-Z0-9]{16}", "eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+"]}"#;

fn main() {
    compare("redaction", ways);
}

fn ways(payload: &Payload) -> Vec<Way> {
    let requests = payload.encoded_traces();
    let repeating = edited(&requests, |span, number| {
        set(
            span,
            &[
                ("url.path", "/v2/orders/17/items"),
                ("db.query.text", "SELECT id FROM orders WHERE id = ?"),
                ("session.id", "4bf92f3577b34da6"),
            ],
        );
        known(span, number);
    });
    // The requests are few and come again, so what is never seen is made so by a counter in front of each.
    let dirty = edited(&requests, |span, number| {
        known(span, number);
        set(span, &[("url.path", "/u/joe@example.com"), ("db.password", "hunter2"), ("card", "4111111111111111")]);
    });
    let adversarial = edited(&requests, |span, number| {
        known(span, number);
        set(span, &[("url.path", &"4111 ".repeat(40)), ("a", &"a@".repeat(60)), ("b", &"eyJ.".repeat(40))]);
    });
    vec![
        memcpy(&requests),
        Way::new("receive and send, repeating", cycle_bytes(&repeating, through(&FACTORY, None))),
        Way::new("all detectors, values repeat", cycle_bytes(&repeating, through(&FACTORY, Some(EVERYTHING)))),
        Way::new("the Collector's five patterns, values repeat", cycle_bytes(&repeating, through(&FACTORY, Some(FIVE)))),
        Way::new("receive and send, three never seen", fresh(&repeating, None)),
        Way::new("all detectors, three never seen", fresh(&repeating, Some(EVERYTHING))),
        Way::new("the Collector's five patterns, three never seen", fresh(&repeating, Some(FIVE))),
        Way::new("all detectors, dirty", cycle_bytes(&dirty, through(&FACTORY, Some(EVERYTHING)))),
        Way::new("all detectors, adversarial", cycle_bytes(&adversarial, through(&FACTORY, Some(EVERYTHING)))),
    ]
}

/// The requests with every span edited.
#[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
fn edited(requests: &[Vec<u8>], mut edit: impl FnMut(&mut Span, usize)) -> Vec<Vec<u8>> {
    let mut number = 0;
    let mut one = |request: &Vec<u8>| {
        let mut request = ExportTraceServiceRequest::decode(request.as_slice()).expect("the payload is valid");
        let spans = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans).flat_map(|scope| &mut scope.spans);
        for span in spans {
            edit(span, number);
            number += 1;
        }
        request.encode_to_vec()
    };
    requests.iter().map(&mut one).collect()
}

/// Gives what differs from span to span one of few values.
fn known(span: &mut Span, number: usize) {
    for attribute in &mut span.attributes {
        let few = ["client.address", "url.query", "db.query.parameter.0", "app.correlation_id"].contains(&attribute.key.as_str());
        if few {
            *attribute = self::attribute(attribute.key.clone(), format!("value-{}", number % 50));
        }
    }
}

/// Gives attributes that a span has another value; the first three where it has none of them.
fn set(span: &mut Span, values: &[(&str, &str)]) {
    for (place, (key, value)) in values.iter().enumerate() {
        let there = span.attributes.iter().position(|attribute| attribute.key == *key).unwrap_or(place);
        if let Some(slot) = span.attributes.get_mut(there) {
            *slot = attribute(*key, *value);
        }
    }
}

/// The same with three values of each span that were never there before: eight digits in each are written over before the request is handed in. Writing them costs a
/// little, in both ways.
fn fresh(requests: &[Vec<u8>], config: Option<&str>) -> impl FnMut() + 'static {
    let marked = edited(requests, |span, _| {
        set(
            span,
            &[
                ("url.full", "https://shop.example.com/v2/orders/QQQQQQQQ/items?page=2&sort=asc"),
                ("db.query.text", "SELECT id, state FROM orders_QQQQQQQQ WHERE customer_id = ? AND state <> ? ORDER BY id"),
                ("app.correlation_id", "550e8400-e29b-41d4-a716-QQQQQQQQ0000"),
            ],
        );
    });
    let places: Vec<Vec<usize>> = marked.iter().map(|request| memchr::memmem::find_iter(request, b"QQQQQQQQ").collect()).collect();
    let mut work = through(&FACTORY, config);
    let (mut next, mut counter) = (0usize, 0u32);
    move || {
        let mut request = marked[next].clone();
        for place in &places[next] {
            counter = counter.wrapping_add(1);
            for (digit, byte) in request[*place..*place + 8].iter_mut().enumerate() {
                *byte = b"ghijklmnopqrstuv"[(counter >> (4 * digit)) as usize & 15];
            }
        }
        work(Bytes::from(request));
        next = (next + 1) % marked.len();
    }
}

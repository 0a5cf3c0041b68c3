//! What it costs to read every attribute, and to change one in every span.

mod yardstick;

use std::hint::black_box;

use prost::Message;
use tracetailor_core::testing::Payload;
use tracetailor_core::testing::attribute;
use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, KeyValue, Span, Value};
use yardstick::{Way, compare, cycle, memcpy};

/// An attribute that spans of both shapes have.
const KEY: &str = "server.address";

fn main() {
    compare("edit", ways);
}

fn ways(payload: &Payload) -> Vec<Way> {
    let requests = payload.encoded_traces();
    vec![
        memcpy(&requests),
        Way::new("structs: decode, set one attribute, encode", cycle(&requests, set_one())),
        Way::new("structs: decode, visit every attribute", cycle(&requests, visit_all)),
        Way::new("structs: decode, look one attribute up", cycle(&requests, look_one_up)),
    ]
}

#[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
fn decode(request: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(request).expect("the payload is valid")
}

fn spans(request: &mut ExportTraceServiceRequest) -> impl Iterator<Item = &mut Span> {
    request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans).flat_map(|scope| &mut scope.spans)
}

fn text(attribute: &KeyValue) -> Option<&str> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn set_one() -> impl FnMut(&[u8]) {
    let mut out = Vec::new();
    move |request| {
        out.clear();
        let mut request = decode(request);
        for span in spans(&mut request) {
            let new = attribute(KEY, "redacted");
            match span.attributes.iter_mut().find(|attribute| attribute.key == KEY) {
                Some(attribute) => *attribute = new,
                None => span.attributes.push(new),
            }
        }
        request.encode_raw(&mut out);
        black_box(&out);
    }
}

fn visit_all(request: &[u8]) {
    let mut request = decode(request);
    let bytes: usize = spans(&mut request).flat_map(|span| &span.attributes).map(|a| a.key.len() + text(a).map_or(0, str::len)).sum();
    black_box(bytes);
}

fn look_one_up(request: &[u8]) {
    let mut request = decode(request);
    let found: usize =
        spans(&mut request).filter_map(|span| span.attributes.iter().find(|a| a.key == KEY)).filter_map(text).map(str::len).sum();
    black_box(found);
}

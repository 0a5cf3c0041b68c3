//! What it costs to read every attribute, and to change one in every span.

mod yardstick;

use std::hint::black_box;

use bytes::Bytes;
use prost::Message;
use tracetailor_core::ledger::Fate;
use tracetailor_core::telemetry::{Path, Rewrite, Signal, Value as OurValue, ValueRef};
use tracetailor_core::testing::Payload;
use tracetailor_core::testing::attribute;
use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, KeyValue, Span, Value};
use yardstick::ours::{Gateway, cycle_bytes};
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
        Way::instead_of(
            "structs: decode, set one attribute, encode",
            "bytes: set one attribute by its path, emit",
            cycle_bytes(&requests, set_path()),
        ),
        Way::instead_of(
            "structs: decode, set one attribute, encode",
            "bytes: rewrite one attribute in a pass, emit",
            cycle_bytes(&requests, rewrite_pass()),
        ),
        Way::instead_of("structs: decode, visit every attribute", "bytes: visit every attribute", cycle_bytes(&requests, visit_bytes())),
        Way::instead_of("structs: decode, look one attribute up", "bytes: look one attribute up", cycle_bytes(&requests, look_up_bytes())),
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

#[expect(clippy::expect_used, reason = "the path is valid, or there is nothing to measure")]
fn set_path() -> impl FnMut(Bytes) {
    let (gateway, mut out) = (Gateway::new(), Vec::new());
    let path = Path::parse(Signal::Traces, &format!("attributes[\"{KEY}\"]")).expect("a path");
    let value = OurValue::String("redacted".to_owned());
    move |request| {
        let mut batch = gateway.receive(request);
        batch.edit_items(|item| item.set(&path, &value).expect("an attribute can be set"));
        gateway.send(batch, &mut out);
    }
}

fn rewrite_pass() -> impl FnMut(Bytes) {
    let (gateway, mut out) = (Gateway::new(), Vec::new());
    move |request| {
        let mut batch = gateway.receive(request);
        batch.edit_items(|item| {
            item.rewrite_attributes(|attribute| match attribute.key == KEY.as_bytes() {
                true => Rewrite::Set(OurValue::String("redacted".to_owned())),
                false => Rewrite::Keep,
            });
        });
        gateway.send(batch, &mut out);
    }
}

fn visit_bytes() -> impl FnMut(Bytes) {
    let gateway = Gateway::new();
    move |request| {
        let batch = gateway.receive(request);
        let attributes = batch.items().flat_map(|item| item.attributes());
        let bytes: usize = attributes.map(|attribute| attribute.key.len() + text_length(attribute.value())).sum();
        black_box(bytes);
        batch.settle(Fate::Delivered);
    }
}

fn look_up_bytes() -> impl FnMut(Bytes) {
    let gateway = Gateway::new();
    move |request| {
        let batch = gateway.receive(request);
        let found: usize = batch.items().filter_map(|item| item.attribute(KEY)).map(text_length).sum();
        black_box(found);
        batch.settle(Fate::Delivered);
    }
}

fn text_length(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::String(text) => text.len(),
        _ => 0,
    }
}

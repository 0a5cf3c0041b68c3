//! What it costs to know a request: into structs, which is how gateways usually do it, and the heads alone beside the bytes, which is ours.

mod yardstick;

use std::hint::black_box;

use bytes::Bytes;
use prost::Message;
use tracetailor_core::testing::Payload;
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;
use yardstick::ours::{Gateway, cycle_bytes};
use yardstick::{Way, compare, cycle, memcpy};

fn main() {
    compare("decode", ways);
}

fn ways(payload: &Payload) -> Vec<Way> {
    let requests = payload.encoded_traces();
    vec![
        memcpy(&requests),
        Way::new("structs: decode", cycle(&requests, |request| drop(black_box(decode(request))))),
        Way::new("structs: decode, encode", cycle(&requests, decode_encode())),
        Way::new("structs: decode, copy, encode twice", cycle(&requests, decode_encode_twice())),
        Way::instead_of("structs: decode", "bytes: heads", cycle_bytes(&requests, heads())),
        Way::instead_of("structs: decode, encode", "bytes: heads, receipt, emit", cycle_bytes(&requests, forward())),
        Way::instead_of(
            "structs: decode, copy, encode twice",
            "bytes: heads, receipt, copy, emit twice",
            cycle_bytes(&requests, forward_to_two()),
        ),
    ]
}

#[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
fn decode(request: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(request).expect("the payload is valid")
}

fn decode_encode() -> impl FnMut(&[u8]) {
    let mut out = Vec::new();
    move |request| {
        out.clear();
        decode(request).encode_raw(&mut out);
        black_box(&out);
    }
}

fn decode_encode_twice() -> impl FnMut(&[u8]) {
    let mut out = Vec::new();
    move |request| {
        let request = decode(request);
        let copy = black_box(request.clone());
        for request in [request, copy] {
            out.clear();
            request.encode_raw(&mut out);
            black_box(&out);
        }
    }
}

fn heads() -> impl FnMut(Bytes) {
    let gateway = Gateway::new();
    move |request| drop(black_box(gateway.parse(request)))
}

fn forward() -> impl FnMut(Bytes) {
    let (gateway, mut out) = (Gateway::new(), Vec::new());
    move |request| gateway.send(gateway.receive(request), &mut out)
}

fn forward_to_two() -> impl FnMut(Bytes) {
    let (gateway, mut out) = (Gateway::new(), Vec::new());
    move |request| {
        let mut batch = gateway.receive(request);
        let copy = batch.copy();
        gateway.send(batch, &mut out);
        gateway.send(copy, &mut out);
    }
}

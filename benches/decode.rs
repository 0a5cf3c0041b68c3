//! What it costs to know a request: into structs, which is how gateways usually do it, and the heads alone beside the bytes, which is ours.

mod yardstick;

use std::hint::black_box;

use prost::Message;
use tracetailor_core::testing::Payload;
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;
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
        Way::new("structs: decode, copy for a second exporter", cycle(&requests, |request| drop(black_box(decode(request).clone())))),
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

//! What a sender can make us allocate: no more than a small multiple of what it sent, whatever it is.

use std::alloc::System;

use bytes::Bytes;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tracetailor_core::telemetry::{Intake, Interner, Limits, Parsed, Signal};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MIB: usize = 1 << 20;

/// All in one test: the count is that of the whole process.
#[test]
fn requests_cost_a_small_multiple_of_what_they_are() {
    let long = field(1, &vec![b'x'; MIB]);
    let in_two = [field(5, &field(1, b"one")), field(5, &field(1, b"two"))].concat();
    let requests: [(&str, Vec<u8>); 4] = [
        ("one long body", field(2, &field(5, &long))),
        ("maps in many pieces, in each other", field(2, &field(5, &in_pieces(30, &long)))),
        ("a body in a thousand pieces", field(2, &[field(5, &[]).repeat(1_000), field(5, &long)].concat())),
        ("many bodies in two pieces", field(2, &in_two).repeat(MIB / in_two.len())),
    ];
    for (what, records) in requests {
        let request = Bytes::from(field(1, &field(2, &records)));
        let length = request.len();
        let (allocated, parsed) = counted(request);
        assert_eq!(parsed.rejections.total(), 0, "{what}");
        let most = 12 * length + 64 * 1024;
        assert!(allocated <= most, "{what}: {:.1} bytes for every byte", allocated as f64 / length as f64);
    }
}

/// The bytes allocated while a request is taken in, those that were given back included.
fn counted(request: Bytes) -> (usize, Parsed) {
    let intake = Intake::new(Interner::new(), Limits::default());
    let region = Region::new(GLOBAL);
    let parsed = intake.parse(Signal::Logs, request);
    let allocated = region.change().bytes_allocated;
    (allocated, parsed.unwrap_or_else(|refusal| panic!("{refusal}")))
}

/// A field with a length.
fn field(number: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = payload.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(payload);
    out
}

/// So many maps in each other, each of them and each entry's value in two pieces that a reader must put together.
fn in_pieces(levels: usize, innermost: &[u8]) -> Vec<u8> {
    // A field that nobody knows makes a piece of something.
    let unknown = [0xa0, 0x06, 1];
    (0..levels).fold(innermost.to_vec(), |inner, _| {
        let entry = [field(2, &unknown), field(2, &inner)].concat();
        [field(6, &unknown), field(6, &field(1, &entry))].concat()
    })
}

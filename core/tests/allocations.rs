//! What a way of working costs in allocations: a count is the same on every machine, which a time is not.

use std::alloc::System;
use std::hint::black_box;

use prost::Message;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use tracetailor_core::testing::Payload;
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All in one test, one after the other: the count is that of the whole process, and a second test beside this one would be in it.
#[test]
fn ways_of_working_allocate_what_they_should() {
    allocations_of_other_threads_are_counted();
    memcpy_allocates_once();
    decoding_into_structs_allocates_for_every_string();
}

/// Allocations of all threads while `work` runs, the least of several runs: the first one fills what later ones find.
fn counted(mut work: impl FnMut()) -> Stats {
    let mut run = || {
        let region = Region::new(GLOBAL);
        work();
        region.change()
    };
    let first = run();
    (0..4).map(|_| run()).fold(first, |least, stats| if requests_for_memory(&stats) < requests_for_memory(&least) { stats } else { least })
}

/// Growing in place is a request, too: it may copy everything.
fn requests_for_memory(stats: &Stats) -> usize {
    stats.allocations + stats.reallocations
}

/// Requests for memory and bytes of them, per span.
fn per_span(stats: &Stats, spans: usize) -> (f64, f64) {
    (requests_for_memory(stats) as f64 / spans as f64, stats.bytes_allocated as f64 / spans as f64)
}

#[expect(clippy::expect_used, reason = "a thread that panics fails the test")]
fn allocations_of_other_threads_are_counted() {
    let stats = counted(|| {
        std::thread::spawn(|| (0..1_000_u64).for_each(|number| drop(black_box(Box::new(number))))).join().expect("the thread ends");
    });
    assert!(stats.allocations >= 1_000, "{stats:?}");
}

fn memcpy_allocates_once() {
    let request = Payload::STANDARD.encoded_traces().remove(0);
    let stats = counted(|| drop(black_box(request.clone())));
    assert_eq!(requests_for_memory(&stats), 1, "{stats:?}");
}

/// The yardstick: what it costs to make structs of the same bytes.
#[expect(clippy::print_stdout, reason = "the yardstick is worth reading")]
#[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
fn decoding_into_structs_allocates_for_every_string() {
    let request = Payload::STANDARD.encoded_traces().remove(0);
    let decode = || ExportTraceServiceRequest::decode(black_box(request.as_slice())).expect("the payload is valid");
    let (decoding, bytes) = per_span(&counted(|| drop(black_box(decode()))), 1_000);
    println!("prost decode: {decoding:.1} allocations and {bytes:.0} bytes per span");
    assert!((20.0..40.0).contains(&decoding), "{decoding}");
    let decoded = decode();
    let (encoding, bytes) = per_span(&counted(|| drop(black_box(decoded.encode_to_vec()))), 1_000);
    println!("prost encode: {encoding:.3} allocations and {bytes:.0} bytes per span");
    assert!(encoding < 0.01, "{encoding}");
}

//! What a way of working costs in allocations: a count is the same on every machine, which a time is not.

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use prost::Message;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use tracetailor_core::component::{Notes, Output, Processor, Room, TraceStage, Verdict};
use tracetailor_core::ledger::{Cause, Fate};
use tracetailor_core::ottl::{Conditions, Contexts, ErrorMode, Scene};
use tracetailor_core::telemetry::{Item, Rewrite, Signal, Source, Telemetry, Traces, Value};
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;
use tracetailor_core::testing::{Inlet, Payload};
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::{Limits, Outline, Slot, Trace, TraceStore, WholeTraces};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All in one test, one after the other: the count is that of the whole process, and a second test beside this one would be in it.
#[test]
fn ways_of_working_allocate_what_they_should() {
    allocations_of_other_threads_are_counted();
    memcpy_allocates_once();
    decoding_into_structs_allocates_for_every_string();
    what_stays_bytes_allocates_a_few_times_per_request();
    a_new_context_allocates_a_few_times();
    holding_whole_traces_allocates_a_few_times_per_request();
    conditions_allocate_nothing();
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

fn allocations_of_other_threads_are_counted() {
    let stats = counted(|| {
        let ended = std::thread::spawn(|| (0..1_000_u64).for_each(|number| drop(black_box(Box::new(number))))).join();
        assert!(ended.is_ok());
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
#[expect(clippy::expect_used, reason = "the payload is valid")]
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

/// What is done to a batch between receipt and end, and the most requests for memory it may make, from 1,000 spans to 10,000.
type Work = (&'static str, usize, fn(&mut Telemetry, &mut Buffers));

/// What a pipeline keeps from batch to batch.
#[derive(Default)]
struct Buffers {
    traces: Traces,
    out: Vec<u8>,
}

const WORKS: [Work; 5] = [
    ("receive and settle", 20, |_, _| {}),
    ("emit untouched", 20, |batch, buffers| batch.emit(&mut buffers.out)),
    ("group by trace and emit", 40, |batch, buffers| {
        buffers.traces.group(batch);
        batch.gather(&buffers.traces);
        batch.emit(&mut buffers.out);
    }),
    ("look at every attribute", 20, |batch, _| {
        black_box(batch.items().flat_map(|item| item.attributes()).map(|attribute| attribute.key.len()).sum::<usize>());
    }),
    ("change one attribute of every span and emit", 80, |batch, buffers| {
        batch.edit_items(|item| {
            item.rewrite_attributes(|attribute| match attribute.key {
                b"server.address" => Rewrite::Set(Value::Bool(true)),
                _ => Rewrite::Keep,
            });
        });
        batch.emit(&mut buffers.out);
    }),
];

/// A request of ten times the spans allocates as often, but for buffers that double as they grow.
#[expect(clippy::print_stdout, reason = "the figures are worth reading")]
fn what_stays_bytes_allocates_a_few_times_per_request() {
    for (name, most, work) in WORKS {
        for items in [1_000, 10_000] {
            let requests = allocations_of(items, work);
            println!("{name}: {requests} allocations for {items} spans");
            assert!(requests <= most, "{name}: {requests} allocations for {items} spans");
        }
    }
}

/// What a context costs that nobody holds yet: its link in the chain and its place in the table.
#[expect(clippy::print_stdout, reason = "the figure is worth reading")]
fn a_new_context_allocates_a_few_times() {
    const SCOPES: usize = 2;
    let first_time = |resources: usize| {
        let payload = Payload { resources, scopes: SCOPES, ..Payload::of(2_000) };
        let request = bytes::Bytes::from(payload.traces(0).encode_to_vec());
        let mut inlet = Inlet::new();
        let stats = counted(|| {
            let received = inlet.receive_bytes(Signal::Traces, request.clone());
            let Ok(batch) = received else { panic!("the payload is valid") };
            batch.settle(Fate::Delivered);
        });
        requests_for_memory(&stats)
    };
    let (few, many) = (10, 100);
    let per_context = (first_time(many) - first_time(few)) as f64 / ((many - few) * SCOPES) as f64;
    println!("a context that is new: {per_context:.1} allocations, its resource's share included");
    assert!(per_context <= 5.0, "{per_context}");
}

/// Decides all traces the same way.
struct Judge(Verdict);

impl TraceStage for Judge {
    fn open(&mut self, _trace: &Outline<'_>) {}

    fn arrive(&mut self, _trace: &Outline<'_>, _span: Item<'_>) {}

    fn decide(&mut self, _trace: &Trace<'_>, _notes: &Notes) -> Option<Verdict> {
        Some(self.0)
    }

    fn close(&mut self, _slot: Slot) {}
}

/// In each turn one request comes, and the one before it is decided.
#[expect(clippy::print_stdout, reason = "the figures are worth reading")]
fn holding_whole_traces_allocates_a_few_times_per_request() {
    for (name, verdict, most) in [("drop", Verdict::drop as fn(Cause) -> Verdict, 20), ("emit", Verdict::keep, 100)] {
        for items in [1_000, 10_000] {
            let requests = allocations_of_holding(items, verdict);
            println!("hold and {name}: {requests} allocations for {items} spans");
            assert!(requests <= most, "hold and {name}: {requests} allocations for {items} spans");
        }
    }
}

fn allocations_of_holding(items: usize, verdict: fn(Cause) -> Verdict) -> usize {
    const WAIT: Duration = Duration::from_secs(1);
    let request = bytes::Bytes::from(Payload::of(items).traces(0).encode_to_vec());
    let mut inlet = Inlet::new();
    let (line, cause) = (inlet.line(Signal::Traces), inlet.books().cause("judge", "all"));
    let store = TraceStore::new(Limits::with_wait(WAIT), line.held("trace_store"), cause);
    let mut whole = WholeTraces::new(store, vec![Box::new(Judge(verdict(cause)))], cause);
    // Another request of the same processes is held somewhere, so their contexts are known.
    let held = inlet.receive(Payload::of(items).traces(1));
    let mut now = LogTime(0);
    let mut turn = || {
        now = now + WAIT;
        let mut out = Output::new(now, Room::ENOUGH);
        let _ = whole.wake(now, &mut out);
        let Ok(batch) = inlet.receive_bytes(Signal::Traces, request.clone()) else { panic!("the payload is valid") };
        whole.process(batch, &mut out);
        out.take().into_iter().for_each(|batch| batch.settle(Fate::Delivered));
    };
    (0..20).for_each(|_| turn());
    let stats = counted(turn);
    held.settle(Fate::Delivered);
    requests_for_memory(&stats)
}

fn allocations_of(items: usize, work: fn(&mut Telemetry, &mut Buffers)) -> usize {
    let request = bytes::Bytes::from(Payload::of(items).traces(0).encode_to_vec());
    let (mut inlet, mut buffers) = (Inlet::new(), Buffers::default());
    // Another request of the same processes is held somewhere, so their contexts are known.
    let held = inlet.receive(Payload::of(items).traces(1));
    let stats = counted(|| {
        let received = inlet.receive_bytes(Signal::Traces, request.clone());
        let Ok(mut batch) = received else { panic!("the payload is valid") };
        buffers.out.clear();
        work(&mut batch, &mut buffers);
        batch.settle(Fate::Delivered);
    });
    held.settle(Fate::Delivered);
    requests_for_memory(&stats)
}

/// What is read is compared and matched where it lies.
#[expect(clippy::print_stdout, reason = "the figure is worth reading")]
fn conditions_allocate_nothing() {
    let texts = [
        "attributes[\"http.request.method\"] == \"PATCH\"",
        "IsMatch(attributes[\"url.path\"], \"^/internal/(health|ready)\")",
        "attributes[\"http.response.status_code\"] >= 500.5 or attributes[\"none\"] != nil",
        "attributes[\"server.address\"] == [\"a\", 1]",
        "name == \"GET /health\" and kind == SPAN_KIND_SERVER and status.code == 2",
        "end_time - start_time < start_time - end_time",
        "trace_id == 0x00000000000000000000000000000001 or trace_state[\"k\"] == \"v\"",
        "resource.attributes[\"service.name\"] == \"nobody\" or scope.name == \"none\"",
        "IsMatch(resource.attributes[\"service.name\"], \"^test-[0-9]\")",
    ];
    let conditions = Conditions::parse(&Contexts::of(Signal::Traces), Some("span"), &texts, ErrorMode::Propagate);
    let mut conditions = conditions.unwrap_or_else(|problems| panic!("{problems}"));
    let mut inlet = Inlet::new();
    let (batch, source, clock) = (inlet.receive(Payload::of(10_000).traces(0)), Source::default(), inlet.clock().clone());
    let mut ask = || batch.items().filter(|item| conditions.any(&Scene::of_item(*item, &source, &clock)).unwrap_or(true)).count();
    assert_eq!(ask(), 0, "all of them are asked of every span");
    let stats = counted(|| assert_eq!(black_box(ask()), 0));
    println!("nine conditions: {} allocations for 10,000 spans", requests_for_memory(&stats));
    assert_eq!(requests_for_memory(&stats), 0, "{stats:?}");
    batch.settle(Fate::Delivered);
}

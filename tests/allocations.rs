//! What tail sampling costs in allocations: some for each request, and for traces and spans none but those for the segments that hold a thousand
//! of them.

#[path = "../benches/held/mod.rs"]
mod held;

use std::alloc::System;
use std::time::Duration;

use held::{Gateway, Requests};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tracetailor_core::component::{Output, ProcessorContext, Room};
use tracetailor_core::ledger::Fate;
use tracetailor_core::testing::Payload;
use tracetailor_core::time::LogTime;
use tracetailor_processors::tail_sampling::FACTORY;

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TURN: Duration = Duration::from_secs(1);

/// All in one test: the count is that of the whole process.
#[test]
fn a_span_allocates_nothing() {
    for (what, percentage, per_requests, per_trace) in [("drop", 0.000_001, 100.0, 0.2), ("keep", 99.9, 100.0, 0.2)] {
        let [few, many] = [1_000, 8_000].map(|traces| allocations(traces, 8, percentage));
        let of_trace = (many - few) / 7_000.0;
        let of_requests = few - 1_000.0 * of_trace;
        let of_span = (allocations(1_000, 32, percentage) - few) / 24_000.0;
        println!("{what}: {of_requests:.0} for four requests, {of_trace:.3} for a trace, {of_span:.4} for a span");
        assert!(of_requests <= per_requests && of_trace <= per_trace && of_span <= 0.01);
    }
}

/// Requests for memory while four requests are taken in and the traces of four others are decided: the least of several rounds, one in which
/// nothing grows that is kept.
fn allocations(traces: usize, spans: usize, percentage: f64) -> f64 {
    let payload = Payload { spans_per_trace: spans, ..Payload::of(traces * spans / 4) };
    let (gateway, mut requests) = (Gateway::new(), Requests::new(&payload));
    let policies = format!(
        "[{{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}, {{name: slow, type: latency, latency: {{threshold_ms: 3600000}}}}, \
         {{name: share, type: probabilistic, probabilistic: {{sampling_percentage: {percentage}}}}}]"
    );
    let Ok(parsed) = FACTORY.parse(&format!("{{decision_wait: 8s, policies: {policies}}}")) else { panic!("the configuration is valid") };
    let Ok(mut processor) = parsed.build(&ProcessorContext::alone(FACTORY.name)) else { panic!("it needs nothing of the world") };
    let mut now = LogTime(1 << 60);
    let mut turn = || {
        now = now + TURN;
        let mut out = Output::new(now, Room::ENOUGH);
        let region = Region::new(GLOBAL);
        let batch = gateway.receive(requests.next());
        processor.process(batch, &mut out);
        let _ = processor.wake(now, &mut out);
        out.take().into_iter().for_each(|batch| batch.settle(Fate::Delivered));
        let stats = region.change();
        (stats.allocations + stats.reallocations) as f64
    };
    // A trace comes in four requests, so four turns take in, and decide, as many traces as there are.
    let mut round = || (0..4).map(|_| turn()).sum::<f64>();
    for _ in 0..8 {
        round();
    }
    (0..4).map(|_| round()).fold(f64::MAX, f64::min)
}

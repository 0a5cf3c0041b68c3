//! How the benches measure and report: processor time of the thread, ways of doing one thing side by side, nanoseconds per span.
//!
//! Wall time counts whoever else uses the machine; processor time counts much less of it. Criterion keeps the record of every way, and the
//! table at the end is measured by a loop of our own whose best run counts: other work can only make a run slower. Ratios of one table hold,
//! figures of different runs do not compare.

mod clock;
pub(crate) mod ours;
mod table;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use tracetailor_core::testing::Payload;

use clock::ThreadTime;
use table::Row;

#[cfg(not(system_allocator))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 15;
const RUN: Duration = Duration::from_millis(30);

/// One way of doing what a bench is about.
pub(crate) struct Way {
    name: &'static str,
    instead_of: Option<&'static str>,
    work: Box<dyn FnMut()>,
}

impl Way {
    /// `work` does one request each time it is called, and cycles through different ones.
    pub(crate) fn new(name: &'static str, work: impl FnMut() + 'static) -> Self {
        Self { name, instead_of: None, work: Box::new(work) }
    }

    /// A way that does what the way of that name does: the table tells how much faster.
    pub(crate) fn instead_of(other: &'static str, name: &'static str, work: impl FnMut() + 'static) -> Self {
        Self { instead_of: Some(other), ..Self::new(name, work) }
    }
}

/// Calls `work` with one of the requests after the other.
pub(crate) fn cycle(requests: &[Vec<u8>], mut work: impl FnMut(&[u8]) + 'static) -> impl FnMut() + 'static {
    let requests = requests.to_vec();
    let mut next = 0;
    move || {
        work(&requests[next]);
        next = (next + 1) % requests.len();
    }
}

/// What every bench is held against: copying the same bytes.
pub(crate) fn memcpy(requests: &[Vec<u8>]) -> Way {
    let mut to = Vec::new();
    Way::new(
        "memcpy",
        cycle(requests, move |request| {
            to.clear();
            to.extend_from_slice(request);
            std::hint::black_box(&to);
        }),
    )
}

/// Measures all ways at 1,000, 100 and 10 spans per request. The first way is the yardstick.
pub(crate) fn compare(title: &str, ways: impl Fn(&Payload) -> Vec<Way>) {
    let mut criterion = Criterion::default()
        .with_measurement(ThreadTime)
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for items in [1_000, 100, 10] {
        let payload = Payload::of(items);
        record(&mut criterion, title, &payload, ways(&payload));
    }
    criterion.final_summary();
    if std::env::args().any(|argument| argument == "--bench") {
        for items in [1_000, 100, 10] {
            let payload = Payload::of(items);
            table::print(title, &payload, &measure(&payload, ways(&payload)));
        }
    }
}

fn record(criterion: &mut Criterion<ThreadTime>, title: &str, payload: &Payload, ways: Vec<Way>) {
    let mut group = criterion.benchmark_group(title);
    group.throughput(Throughput::Elements(payload.items as u64));
    for mut way in ways {
        group.bench_function(BenchmarkId::new(way.name, payload.items), |bencher| bencher.iter(&mut way.work));
    }
    group.finish();
}

/// One run of every way, then the next run of every way: what disturbs the machine for a while disturbs all of them.
fn measure(payload: &Payload, mut ways: Vec<Way>) -> Vec<Row> {
    let calls: Vec<u32> = ways.iter_mut().map(calls_per_run).collect();
    let mut best = vec![f64::INFINITY; ways.len()];
    for _ in 0..RUNS {
        for ((way, &calls), best) in ways.iter_mut().zip(&calls).zip(&mut best) {
            *best = best.min(nanos(way, calls) / f64::from(calls) / payload.items as f64);
        }
    }
    ways.iter().zip(best).map(|(way, nanos)| Row { name: way.name, instead_of: way.instead_of, nanos }).collect()
}

/// Doubles until a run is long enough, which warms the caches as well.
fn calls_per_run(way: &mut Way) -> u32 {
    let mut calls = 8;
    while nanos(way, calls) < RUN.as_nanos() as f64 {
        calls *= 2;
    }
    calls
}

fn nanos(way: &mut Way, calls: u32) -> f64 {
    let start = clock::thread_time();
    for _ in 0..calls {
        (way.work)();
    }
    (clock::thread_time() - start).as_nanos() as f64
}

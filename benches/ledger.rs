//! What the ledger costs a span: the lives of requests of 1,000 spans, alone and with two threads in the same lines.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use tracetailor_core::ledger::{Books, Cause, Fate, Line, LineName, Nobody, Receipt, Settled, Share};
use tracetailor_core::telemetry::Signal;

const SPANS: u64 = 1_000;

/// One gateway's books with a pipeline and two exporters.
#[derive(Clone)]
struct Gateway {
    books: Books,
    pipeline: Line,
    exporters: [Line; 2],
    not_sampled: Cause,
    origin: Arc<dyn Settled>,
}

impl Gateway {
    fn new() -> Self {
        let books = Books::new();
        let exporter = |id: &str| books.line(LineName::Exporter(id.to_owned()), Signal::Traces);
        Self {
            pipeline: books.line(LineName::Pipeline("traces".to_owned()), Signal::Traces),
            exporters: [exporter("tempo"), exporter("jaeger")],
            not_sampled: books.cause("tail_sampling", "not_sampled"),
            origin: Arc::new(Nobody),
            books,
        }
    }

    fn receive(&self, spans: u64) -> Share {
        Receipt::open(&self.books, self.origin.clone(), 0).accept(&self.pipeline, spans)
    }

    /// Received, queued, moved to one exporter, delivered.
    fn straight(&self, spans: u64) {
        let mut share = self.receive(spans);
        share.accepted();
        share.enter(&self.exporters[0]);
        share.settle(Fate::Delivered);
    }

    /// Split into eight lanes; in each a tenth is kept, and sent to two exporters.
    fn split(&self, spans: u64) {
        let mut share = self.receive(spans);
        for lanes in (1..=8).rev() {
            let mut part = share.take(share.count() / lanes);
            part.accepted();
            part.settle_some(part.count() * 9 / 10, Fate::Dropped(self.not_sampled));
            let mut copy = part.copy();
            part.enter(&self.exporters[0]);
            copy.enter(&self.exporters[1]);
            part.settle(Fate::Delivered);
            copy.settle(Fate::Delivered);
        }
    }
}

type Life = (&'static str, fn(&Gateway, u64));

const LIVES: [Life; 2] = [("straight through", Gateway::straight), ("split in 8, copied to 2", Gateway::split)];

fn lives(criterion: &mut Criterion) {
    let gateway = Gateway::new();
    for (name, life) in LIVES {
        let mut group = criterion.benchmark_group(format!("ledger, {name}"));
        for spans in [10, 100, SPANS] {
            group.throughput(Throughput::Elements(spans));
            group.bench_with_input(BenchmarkId::from_parameter(spans), &spans, |bench, spans| {
                bench.iter(|| life(&gateway, black_box(*spans)))
            });
        }
        group.finish();
    }
}

/// Criterion tells the time of a request; this is the figure that has a bound: nanoseconds of one core per span, with so many threads at
/// work in the same lines.
fn ns_per_span(life: fn(&Gateway, u64), threads: u32) -> f64 {
    const REQUESTS: u32 = 20_000;
    let gateway = Gateway::new();
    let run = || {
        #[expect(clippy::disallowed_methods, reason = "a cost is measured on the machine's own clock")]
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..REQUESTS).for_each(|_| life(&gateway, black_box(SPANS))));
            }
        });
        start.elapsed().as_secs_f64() * 1e9 / f64::from(REQUESTS) / SPANS as f64
    };
    (0..10).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn print_per_span(_: &mut Criterion) {
    for (name, life) in LIVES {
        for threads in [1, 2] {
            println!("ledger, {name}: {:.3} ns/span at {SPANS} spans per request, {threads} thread(s)", ns_per_span(life, threads));
        }
    }
}

criterion_group!(benches, lives, print_per_span);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
}

//! What a batch costs on its way through an exporter's queue: pushed, taken, sent by an exporter that does nothing, settled.
#![expect(clippy::expect_used, reason = "a bench that cannot begin has nothing to measure")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tracetailor::core::component::{BoxFuture, BuildContext, Delivered, ExportError, Exporter};
use tracetailor::core::config::{ByteSize, CircuitBreaker, Delivery, Period, RetryOnFailure, SendingQueue};
use tracetailor::core::ledger::Fate;
use tracetailor::core::telemetry::{Signal, Telemetry};
use tracetailor::core::testing::{Inlet, Payload};
use tracetailor::pipeline::{Export, Memory};

/// An exporter whose destination is right here and takes everything.
struct Taking;

impl Exporter for Taking {
    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            black_box(batch.len());
            Ok(Delivered::ALL)
        })
    }
}

fn delivery() -> Delivery {
    Delivery {
        cool_down: None,
        timeout: Period::seconds(5),
        retry_on_failure: RetryOnFailure::default(),
        sending_queue: SendingQueue::default(),
        circuit_breaker: CircuitBreaker::default(),
        dead_letter: None,
        max_request_bytes: ByteSize::mib(4),
    }
}

/// So many batches, one behind the other, through the queue of one lane, or (to take off what making and settling them costs) past it.
fn through_the_queue(criterion: &mut Criterion) {
    const BATCHES: usize = 64;
    let mut group = criterion.benchmark_group("export/64 batches");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for spans in [10, 1_000] {
        let payload = Payload::of(spans);
        let body = bytes::Bytes::from(tracetailor::core::telemetry::Decoded::from(payload.traces(0)).encode());
        let (mut inlet, export) = served(&runtime);
        group.bench_function(BenchmarkId::new("queued", spans), |bencher| {
            let mut taken_in =
                || -> Vec<Telemetry> { (0..BATCHES).map(|_| inlet.receive_bytes(Signal::Traces, body.clone()).expect("valid")).collect() };
            bencher.iter_batched(
                &mut taken_in,
                |batches| {
                    runtime.block_on(async {
                        batches.into_iter().for_each(|batch| export.push(0, batch));
                        while export.room().batches < 1_000 {
                            tokio::task::yield_now().await;
                        }
                    });
                },
                BatchSize::LargeInput,
            );
        });
        let mut inlet = Inlet::new();
        group.bench_function(BenchmarkId::new("settled", spans), |bencher| {
            let mut taken_in =
                || -> Vec<Telemetry> { (0..BATCHES).map(|_| inlet.receive_bytes(Signal::Traces, body.clone()).expect("valid")).collect() };
            bencher.iter_batched(
                &mut taken_in,
                |batches| batches.into_iter().for_each(|batch| batch.settle(Fate::Delivered)),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn served(runtime: &Runtime) -> (Inlet, Arc<Export>) {
    let inlet = Inlet::new();
    let context = BuildContext { books: inlet.books().clone(), clock: inlet.clock().clone(), ..BuildContext::alone("otlp") };
    let export = Export::new(&context.id, Signal::Traces, Some(&delivery()), &context, &Memory::unlimited(), 1);
    runtime.spawn(export.clone().serve(0, Box::new(Taking)));
    (inlet, export)
}

criterion_group!(benches, through_the_queue);
criterion_main!(benches);

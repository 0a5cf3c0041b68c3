//! What it costs a request to be gathered: small requests into batches of 8,192 spans, by one lane and by two that share the shelf.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tracetailor_core::component::{Lane, Output, Processor, ProcessorContext, Room};
use tracetailor_core::ledger::{Fate, Nobody, Receipt};
use tracetailor_core::telemetry::{Intake, Limits, Origin, Signal, Source, Telemetry};
use tracetailor_core::testing::{span, traces};
use tracetailor_processors::batch::FACTORY;

#[cfg(not(system_allocator))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Requests that one run gathers in each lane.
const REQUESTS: usize = 20_000;

fn main() {
    for spans in [1, 10, 100] {
        for lanes in [1, 2] {
            let ns = (0..7).map(|_| ns_per_request(spans, lanes)).fold(f64::INFINITY, f64::min);
            println!("batch: {ns:.0} ns/request of {spans} span(s), {lanes} lane(s)");
        }
    }
}

/// Nanoseconds of one core that a request costs on its way in and out again, without what receiving and sending it costs.
fn ns_per_request(spans: usize, lanes: usize) -> f64 {
    let context = ProcessorContext::alone("batch");
    let intake = Intake::new(context.interner.clone(), Limits::default());
    let work: Vec<_> = (0..lanes).map(|_| (processor(&context, lanes), requests(&context, &intake, spans))).collect();
    let taken: Duration = thread::scope(|scope| {
        let threads: Vec<_> = work.into_iter().map(|(processor, requests)| scope.spawn(move || gather(processor, requests))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    });
    context.books.report().assert_balanced();
    taken.as_secs_f64() * 1e9 / (REQUESTS * lanes) as f64
}

#[expect(clippy::expect_used, reason = "the configuration is valid, or there is nothing to measure")]
fn processor(context: &ProcessorContext, lanes: usize) -> Box<dyn Processor> {
    let parsed = FACTORY.parse("timeout: 1h").expect("the defaults are valid");
    parsed.build(&context.in_lane(Lane { index: 0, count: lanes })).expect("it needs nothing of the world")
}

/// Requests as they come from a receiver, each with a body of its own.
#[expect(clippy::expect_used, reason = "the requests are valid, or there is nothing to measure")]
fn requests(context: &ProcessorContext, intake: &Intake, spans: usize) -> Vec<Telemetry> {
    use prost::Message;
    let request = traces((0..spans).map(|number| span(&format!("GET /cart/{number}")).service("cart").attribute("http.route", "/cart")));
    let (bytes, source) = (request.encode_to_vec(), Arc::new(Source::default()));
    let receive = |_| {
        let parsed = intake.parse(Signal::Traces, bytes::Bytes::from(bytes.clone())).expect("what prost encodes is valid");
        let share = Receipt::open(&context.books, Arc::new(Nobody), 0).accept(&context.line, parsed.total());
        parsed.from_origin(Origin { share, source: Arc::clone(&source), received_at: context.clock.now() })
    };
    (0..REQUESTS).map(receive).collect()
}

/// The time from the first request in to the last batch out. What becomes of the batches is not measured.
fn gather(mut processor: Box<dyn Processor>, requests: Vec<Telemetry>) -> Duration {
    let mut out = Output::new(Default::default(), Room::ENOUGH);
    let start = thread_time();
    for request in requests {
        processor.process(black_box(request), &mut out);
    }
    let _nothing_is_left = processor.drain(&mut out);
    let taken = thread_time() - start;
    out.take().into_iter().for_each(|batch| batch.settle(Fate::Delivered));
    taken
}

/// What this thread has run so far.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

//! What the tests stand at: requests come from an inlet, go through an export, and meet a destination that answers from a script.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracetailor_core::component::{BoxFuture, BuildContext, Delivered, ExportError, Exporter, Failing};
use tracetailor_core::config::{Delivery, RetryOnFailure, SendingQueue};
use tracetailor_core::ledger::{Column, LineName};
use tracetailor_core::telemetry::{Signal, Telemetry};
use tracetailor_core::testing::{Inlet, span, traces};

use crate::pipeline::Memory;
use crate::pipeline::export::Export;

/// What the destination does about one request.
pub(super) enum Reaction {
    Says(Result<Delivered, ExportError>),
    SaysAfter(Duration, Result<Delivered, ExportError>),
    Panics,
}

pub(super) use Reaction::{Panics, Says, SaysAfter};

pub(super) const TAKES: Reaction = Says(Ok(Delivered::ALL));

pub(super) fn refuses(failing: Failing) -> Reaction {
    Says(Err(ExportError::new(failing, "said no").with_code(9)))
}

pub(super) fn busy() -> Reaction {
    refuses(Failing::Retry { after: None })
}

/// One request that the destination got: when, and the names of its spans.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) at: Duration,
    pub(super) names: Vec<String>,
}

type Script = Box<dyn FnMut(usize, &[String]) -> Reaction + Send>;

/// A destination with a script: it is asked with the number of the call and the names of the spans.
pub(super) struct Destination {
    script: Mutex<Script>,
    start: Instant,
    pub(super) calls: Mutex<Vec<Call>>,
    pub(super) taken: Mutex<Vec<String>>,
}

struct ToDestination(Arc<Destination>);

impl Exporter for ToDestination {
    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            let names: Vec<String> = batch.items().map(|item| item.name().into_owned()).collect();
            let reaction = {
                let mut calls = self.0.calls.lock().unwrap();
                calls.push(Call { at: Instant::now() - self.0.start, names: names.clone() });
                (self.0.script.lock().unwrap())(calls.len() - 1, &names)
            };
            let said = match reaction {
                Says(said) => said,
                SaysAfter(wait, said) => {
                    sleep(wait).await;
                    said
                }
                Panics => std::panic::resume_unwind(Box::new("as scripted")),
            };
            if said.is_ok() {
                self.0.taken.lock().unwrap().extend(names);
            }
            said
        })
    }
}

pub(super) struct Desk {
    pub(super) inlet: Inlet,
    pub(super) context: BuildContext,
    pub(super) export: Arc<Export>,
    pub(super) memory: Memory,
    pub(super) destination: Arc<Destination>,
    serving: Vec<JoinHandle<()>>,
}

pub(super) fn seconds(n: f64) -> Duration {
    Duration::from_secs_f64(n)
}

/// Retries without chance; everything else as by default.
pub(super) fn delivery() -> Delivery {
    Delivery {
        cool_down: None,
        timeout: "5s".parse().unwrap(),
        retry_on_failure: RetryOnFailure { randomization_factor: 0.0, ..RetryOnFailure::default() },
        sending_queue: SendingQueue::default(),
        circuit_breaker: tracetailor_core::config::CircuitBreaker::default(),
        dead_letter: None,
        max_request_bytes: tracetailor_core::config::ByteSize::mib(4),
    }
}

impl Desk {
    pub(super) fn new(delivery: Option<Delivery>, script: impl FnMut(usize, &[String]) -> Reaction + Send + 'static) -> Self {
        Self::with(Inlet::new(), delivery, Memory::default(), 1, script)
    }

    pub(super) fn with(
        inlet: Inlet,
        delivery: Option<Delivery>,
        memory: Memory,
        lanes: usize,
        script: impl FnMut(usize, &[String]) -> Reaction + Send + 'static,
    ) -> Self {
        let context = BuildContext { books: inlet.books().clone(), clock: inlet.clock().clone(), ..BuildContext::alone("otlp") };
        let export = Export::new(&context.id, Signal::Traces, delivery.as_ref(), &context, &memory, lanes);
        let destination =
            Destination { script: Mutex::new(Box::new(script)), start: Instant::now(), calls: Mutex::default(), taken: Mutex::default() };
        let mut desk = Self { inlet, context, export, memory, destination: Arc::new(destination), serving: Vec::new() };
        for lane in 0..lanes {
            let exporter = Box::new(ToDestination(desk.destination.clone()));
            desk.serving.push(tokio::spawn(desk.export.clone().serve(lane, exporter)));
        }
        desk
    }

    /// A request of spans with these names.
    pub(super) fn request(&mut self, names: &[&str]) -> Telemetry {
        self.inlet.receive(traces(names.iter().map(|name| span(name).service("shop"))))
    }

    pub(super) fn push(&mut self, names: &[&str]) {
        let batch = self.request(names);
        self.export.push(0, batch);
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.destination.calls.lock().unwrap().clone()
    }

    /// When the calls came, in seconds.
    pub(super) fn times(&self) -> Vec<f64> {
        self.calls().iter().map(|call| (call.at.as_secs_f64() * 1000.0).round() / 1000.0).collect()
    }

    /// How many spans each call had.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.calls().iter().map(|call| call.names.len()).collect()
    }

    /// What was taken, sorted.
    pub(super) fn taken(&self) -> Vec<String> {
        let mut taken = self.destination.taken.lock().unwrap().clone();
        taken.sort();
        taken
    }

    pub(super) fn sum(&self, column: Column) -> u64 {
        let report = self.inlet.books().report();
        report.line(&LineName::Exporter("otlp".to_owned()), Signal::Traces).map_or(0, |line| line.sums[column])
    }

    /// Why units ended so: the reasons and numbers of one column.
    pub(super) fn reasons(&self, column: Column) -> Vec<(String, u64)> {
        let report = self.inlet.books().report();
        let line = report.line(&LineName::Exporter("otlp".to_owned()), Signal::Traces).unwrap();
        let of_column = line.causes.iter().filter(|cause| cause.column == column);
        let mut reasons: Vec<_> = of_column.map(|cause| (cause.name.reason.clone(), cause.units)).collect();
        reasons.sort();
        reasons
    }

    pub(super) fn counted(&self, name: &str) -> u64 {
        self.context.counters.read().iter().filter(|series| series.name == name).map(|series| series.count()).sum()
    }

    /// Where a gauge stands.
    pub(super) fn level(&self, name: &str) -> i64 {
        self.context.counters.read().iter().filter(|series| series.name == name).map(|series| series.level()).sum()
    }

    /// Lets everything happen that happens without time passing, and what happens within this time.
    pub(super) async fn wait(&self, time: f64) {
        sleep(seconds(time)).await;
    }

    /// Nothing more comes; all ends within so many seconds. Gives how long it took.
    pub(super) async fn close(&mut self, within: f64) -> f64 {
        let begun = Instant::now();
        self.export.close(self.inlet.clock().now() + seconds(within));
        for lane in self.serving.drain(..) {
            lane.await.unwrap();
        }
        (Instant::now() - begun).as_secs_f64()
    }

    /// The same, and nothing is left anywhere.
    #[track_caller]
    pub(super) fn assert_settled(&self) {
        self.inlet.assert_settled();
        assert_eq!(self.sum(Column::Lost), 0);
        assert_eq!(self.memory.queue_room(), u64::MAX, "memory was not given back");
    }
}

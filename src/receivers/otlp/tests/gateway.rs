//! A gateway of one pipeline with nothing in it: threads to serve on, and an outlet that does with a batch what the test says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;
use tracetailor_core::component::{
    BoxFuture, BuildContext, LaneThreads, Lanes, Outlet, Permit, Reading, ReceiverContext, Refused, Request, Stop, Stopper,
};
use tracetailor_core::ledger::{Books, Explanation, Fate, LineName, Receipt, Retry, Share};
use tracetailor_core::telemetry::{Signal, Source, SourceTag, Telemetry};
use tracetailor_core::testing::Sink;

use super::super::{FACTORY, Otlp};

/// What stands behind the receiver.
#[derive(Clone, Debug, Default)]
pub(super) enum Behind {
    /// A back end that takes everything.
    #[default]
    Delivers,
    /// Everything is refused, welcome again or not, with an explanation perhaps.
    Refuses(Option<Retry>, Option<Explanation>),
    /// There is no room.
    Full(Refused),
    /// A bug.
    Panics,
    /// Everything is held until the test lets it go.
    Holds,
}

#[derive(Debug)]
pub(super) struct Pipeline {
    books: Books,
    behind: Mutex<Behind>,
    sink: Mutex<Sink>,
    held: Mutex<Vec<Telemetry>>,
    /// Bytes of requests on their way, and the most there were.
    room: AtomicUsize,
    most: AtomicUsize,
    /// How much there is room for.
    limit: AtomicUsize,
    sources: Mutex<Vec<Arc<Source>>>,
}

/// A receiver that runs.
pub(super) struct Gateway {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) context: BuildContext,
    pub(super) grpc: u16,
    pub(super) http: u16,
    runtime: Option<Runtime>,
    stopper: Stopper,
    running: Option<tokio::task::JoinHandle<Result<(), String>>>,
}

struct Threads {
    runtime: tokio::runtime::Handle,
}

impl LaneThreads for Threads {
    fn count(&self) -> usize {
        2
    }

    fn spawn(&self, _lane: usize, task: BoxFuture<'static, ()>) {
        self.runtime.spawn(task);
    }
}

#[derive(Debug)]
struct Way(Arc<Pipeline>);

#[derive(Debug)]
struct Room {
    pipeline: Arc<Pipeline>,
    signal: Signal,
    bytes: usize,
}

impl Outlet for Way {
    fn takes(&self, signal: Signal) -> bool {
        signal != Signal::Metrics
    }

    fn admit(&self, request: Request) -> BoxFuture<'_, Result<Box<dyn Permit>, Refused>> {
        Box::pin(async move {
            if let Behind::Full(refused) = self.0.behind() {
                return Err(refused);
            }
            let mut room = Room { pipeline: self.0.clone(), signal: request.signal, bytes: 0 };
            room.enlarge(request.bytes)?;
            Ok(Box::new(room) as Box<dyn Permit>)
        })
    }

    fn forget(&self, _source: SourceTag) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl Permit for Room {
    fn enlarge(&mut self, bytes: usize) -> Result<(), Refused> {
        let pipeline = &self.pipeline;
        let held = pipeline.room.fetch_add(bytes, Ordering::SeqCst) + bytes;
        self.bytes += bytes;
        if held > pipeline.limit.load(Ordering::SeqCst) {
            return Err(Refused::Full { what: "memory_limiter".to_owned(), retry_after: None });
        }
        pipeline.most.fetch_max(held, Ordering::SeqCst);
        Ok(())
    }

    fn accept(&self, receipt: &Receipt, items: u64) -> Share {
        let line = self.pipeline.books.line(LineName::Pipeline(self.signal.name().to_owned()), self.signal);
        receipt.accept(&line, items)
    }

    fn send(self: Box<Self>, batch: Telemetry) {
        self.pipeline.take(batch);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.pipeline.room.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipeline {
    fn behind(&self) -> Behind {
        lock(&self.behind).clone()
    }

    fn take(&self, mut batch: Telemetry) {
        lock(&self.sources).extend(batch.origins().iter().map(|origin| origin.source.clone()));
        match self.behind() {
            Behind::Delivers | Behind::Full(_) => {
                batch.each_share(Share::accepted);
                lock(&self.sink).deliver(batch);
            }
            Behind::Refuses(retry, explanation) => {
                let cause = self.books.cause("test", "refused");
                if let Some(explanation) = explanation {
                    batch.each_share(|share| share.explain(&explanation));
                }
                batch.settle(match retry {
                    Some(retry) => Fate::Rejected { cause, retry },
                    None => Fate::Failed(cause),
                });
            }
            Behind::Panics => {
                batch.abandon(self.books.cause("test", "panic"));
                panic!("as asked");
            }
            Behind::Holds => {
                batch.each_share(Share::accepted);
                lock(&self.held).push(batch);
            }
        }
    }
}

impl Gateway {
    /// A receiver with both protocols on ports of the system's choice.
    pub(super) fn new(behind: Behind) -> Self {
        Self::with(behind, "protocols: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0'}}")
    }

    /// A receiver with this configuration.
    pub(super) fn with(behind: Behind, config: &str) -> Self {
        Self::of(BuildContext::alone("otlp"), behind, config)
    }

    pub(super) fn of(context: BuildContext, behind: Behind, config: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let pipeline = Arc::new(Pipeline {
            books: context.books.clone(),
            behind: Mutex::new(behind),
            sink: Mutex::new(Sink::new(&context.books)),
            held: Mutex::default(),
            room: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
            sources: Mutex::default(),
        });
        let (stopper, stop) = Stop::new();
        let lanes = Lanes::new(Arc::new(Threads { runtime: runtime.handle().clone() }));
        let config = FACTORY.parse(config).unwrap_or_else(|errors| panic!("{errors}")).config;
        let receiver = Otlp::new(config.get().unwrap(), &context).unwrap_or_else(|error| panic!("{error}"));
        let ports = receiver.open().unwrap_or_else(|error| panic!("{error}"));
        let (grpc, http) = ports.numbers();
        let (grpc, http) = (grpc.unwrap_or_default(), http.unwrap_or_default());
        let run = ReceiverContext { build: context.clone(), outlet: Arc::new(Way(pipeline.clone())), lanes, stop };
        let running = runtime.spawn(async move { receiver.serve(ports, run).await.map_err(|error| error.to_string()) });
        Self { pipeline, context, grpc, http, runtime: Some(runtime), stopper, running: Some(running) }
    }

    /// So many requests were refused for a reason, or are about to be counted: a client may know before the counter does.
    #[track_caller]
    pub(super) fn assert_refused(&self, reason: &str, times: u64) {
        eventually(|| (self.refused(reason) >= times).then_some(()));
        assert_eq!(self.refused(reason), times);
    }

    /// How often requests were refused for a reason.
    pub(super) fn refused(&self, reason: &str) -> u64 {
        self.count_of("tracetailor_refused_requests_total", |labels| labels.iter().any(|(_, value)| value == reason))
    }

    /// Where a counter stands.
    pub(super) fn count(&self, name: &str) -> u64 {
        self.count_of(name, |_| true)
    }

    fn count_of(&self, name: &str, is_it: impl Fn(&[(String, String)]) -> bool) -> u64 {
        let all = self.context.counters.read().into_iter().filter(|series| series.name == name && is_it(&series.labels));
        let counts = all.map(|series| match series.reading {
            Reading::Count(count) => count,
            other => panic!("{other:?} is no count"),
        });
        counts.sum()
    }

    pub(super) fn set_behind(&self, behind: Behind) {
        *lock(&self.pipeline.behind) = behind;
    }

    /// How many bytes of requests may be on their way.
    pub(super) fn set_room(&self, bytes: usize) {
        self.pipeline.limit.store(bytes, Ordering::SeqCst);
    }

    /// The most bytes of requests that were on their way at once.
    pub(super) fn most_room(&self) -> usize {
        self.pipeline.most.load(Ordering::SeqCst)
    }

    /// The metadata of each request so far.
    pub(super) fn metadata(&self) -> Vec<Vec<(String, String)>> {
        lock(&self.pipeline.sources).iter().map(|source| source.metadata.clone()).collect()
    }

    /// The tenant of each request so far.
    pub(super) fn tenants(&self) -> Vec<Option<String>> {
        lock(&self.pipeline.sources).iter().map(|source| source.tenant.clone()).collect()
    }

    /// How many batches are held.
    pub(super) fn held(&self) -> usize {
        lock(&self.pipeline.held).len()
    }

    /// Lets go of what is held.
    pub(super) fn let_go(&self) {
        for batch in lock(&self.pipeline.held).drain(..) {
            lock(&self.pipeline.sink).deliver(batch);
        }
    }

    /// Asks the receiver to stop, without waiting for it.
    pub(super) fn ask_to_stop(&self) {
        self.stopper.ask();
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.running.as_ref().is_none_or(tokio::task::JoinHandle::is_finished)
    }

    /// Stops the receiver, and gives the names of the spans that arrived.
    pub(super) fn finish(self) -> Vec<String> {
        let pipeline = self.pipeline.clone();
        self.finish_bytes();
        let mut names: Vec<String> = lock(&pipeline.sink).spans().into_iter().map(|span| span.name).collect();
        names.sort();
        names
    }

    /// Stops the receiver, and gives what arrived as it came. The books balance and no room is taken.
    pub(super) fn finish_bytes(mut self) -> Vec<u8> {
        self.ask_to_stop();
        if let (Some(runtime), Some(running)) = (self.runtime.take(), self.running.take()) {
            runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap().unwrap() });
            runtime.shutdown_timeout(Duration::from_secs(10));
        }
        assert_eq!(self.pipeline.room.load(Ordering::SeqCst), 0, "room was not given back");
        let report = self.pipeline.books.report();
        report.assert_balanced();
        assert_eq!(report.open_receipts, 0, "{report}");
        lock(&self.pipeline.sink).sent().iter().flat_map(|(_, bytes)| bytes.clone()).collect()
    }
}

/// What comes true within ten seconds.
#[track_caller]
pub(super) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2_000 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::yield_now();
        wait_a_little();
    }
    panic!("it did not come true");
}

/// Between two looks at something that other threads do.
fn wait_a_little() {
    let pause = std::sync::Mutex::new(());
    let _ = std::sync::Condvar::new().wait_timeout(lock(&pause), Duration::from_millis(5));
}

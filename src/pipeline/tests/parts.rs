//! Components for tests of the engine: a receiver that a test speaks into, processors that hold, mark and panic, a scripted exporter.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{mpsc, oneshot, watch};
use tracetailor_core::component::*;
use tracetailor_core::config::{Delivery, Schema, SendingQueue, Validate};
use tracetailor_core::ledger::{Fate, Milestone, Receipt, Retry, Settled, Share, Tally};
use tracetailor_core::telemetry::{Intake, Item, Limits, Origin, Signal, Source, SourceTag, Telemetry, Value};
use tracetailor_core::trace_store::{self, Outline, Slot};

/// What a test shares with the components that it has configured, by the name that stands in their blocks.
#[derive(Default)]
pub(super) struct Hall {
    /// What is to be received.
    pub(super) requests: Mutex<Option<mpsc::UnboundedSender<Spoken>>>,
    /// What exporters were given.
    pub(super) sent: Mutex<BTreeMap<String, Vec<Sent>>>,
    /// What the exporter answers from now on.
    pub(super) answer: Mutex<Option<ExportError>>,
    /// While set, calls of the exporter do not end.
    pub(super) hangs: watch::Sender<bool>,
    /// How often a receiver has begun to run.
    pub(super) runs: std::sync::atomic::AtomicUsize,
}

/// A request that an exporter was given.
pub(super) type Sent = (Signal, Vec<u8>);

pub(super) struct Spoken {
    pub(super) signal: Signal,
    pub(super) bytes: Vec<u8>,
    pub(super) wait_for: Milestone,
    pub(super) answer: oneshot::Sender<Result<Tally, Refused>>,
}

static HALLS: LazyLock<Mutex<BTreeMap<String, Arc<Hall>>>> = LazyLock::new(Mutex::default);

pub(super) fn hall(name: &str) -> Arc<Hall> {
    HALLS.lock().unwrap().entry(name.to_owned()).or_default().clone()
}

#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Config {
    /// Whose it is.
    hall: String,
    /// Something to change.
    mark: String,
    /// Refuse to be built.
    broken: bool,
}

impl Validate for Config {}

pub(super) static RECEIVERS: [ReceiverFactory; 1] = [ReceiverFactory::of::<Ear>("ear", Stability::Development, "")];

pub(super) static PROCESSORS: [ProcessorFactory; 5] = [
    ProcessorFactory::of::<Bomb>("bomb", Stability::Development, ""),
    ProcessorFactory::of::<Gather>("gather", Stability::Development, "").playing(Part::Stage(gather)),
    ProcessorFactory::of::<Hold>("hold", Stability::Development, ""),
    ProcessorFactory::of::<Limit>("limit", Stability::Development, "").playing(Part::Limiter(|config| {
        let config: &Config = config.get()?;
        // The process itself takes more than a test wants to admit.
        let (hard, soft) = (1 << 40, config.mark.parse::<u64>().unwrap_or(1 << 40));
        let check_interval = Duration::from_secs(1);
        Ok(MemoryLimit { hard: Memory::Bytes(hard), spike: Some(Memory::Bytes(hard - soft)), check_interval })
    })),
    ProcessorFactory::of::<Mark>("mark", Stability::Development, ""),
];

pub(super) static EXPORTERS: [ExporterFactory; 2] = [
    ExporterFactory::of::<Basket>("basket", Stability::Development, "").playing(Part::Delivering(|config| {
        let config: &Config = config.get()?;
        let mut sending_queue = SendingQueue::default();
        // A number is the size of the queue; one with an exclamation mark makes whoever sends wait.
        if let Ok(size) = config.mark.trim_end_matches('!').parse() {
            sending_queue.queue_size = size;
            sending_queue.block_on_overflow = config.mark.ends_with('!');
        }
        Ok(Delivery {
            cool_down: None,
            timeout: tracetailor_core::config::Period::seconds(1),
            retry_on_failure: Default::default(),
            sending_queue,
            circuit_breaker: Default::default(),
            dead_letter: None,
            max_request_bytes: Default::default(),
        })
    })),
    ExporterFactory::of::<Basket>("direct", Stability::Development, ""),
];

pub(super) static CONNECTORS: [ConnectorFactory; 1] = [ConnectorFactory::of::<Pass>("pass", Stability::Development, "")];

/// Receives what its test says, in the lanes, one after the other.
pub(super) struct Ear(Arc<Hall>);

impl Component for Ear {
    type Kind = Receivers;
    type Config = Config;

    fn build(config: &Config, _context: &BuildContext) -> Result<Box<dyn Receiver>, BuildError> {
        built(config)?;
        Ok(Box::new(Ear(hall(&config.hall))))
    }
}

fn built(config: &Config) -> Result<(), BuildError> {
    if config.broken { Err(BuildError::new("this is broken", "mend it")) } else { Ok(()) }
}

impl Receiver for Ear {
    fn run(self: Box<Self>, context: ReceiverContext) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let (sender, mut requests) = mpsc::unbounded_channel();
            *self.0.requests.lock().unwrap() = Some(sender);
            self.0.runs.fetch_add(1, Ordering::Relaxed);
            let mut lane = 0;
            loop {
                let spoken = tokio::select! {
                    () = context.stop.asked() => return Ok(()),
                    Some(spoken) = requests.recv() => spoken,
                };
                lane = (lane + 1) % context.lanes.count();
                let own = context.clone();
                context.lanes.spawn(lane, Box::pin(async move { receive(own, spoken).await }));
            }
        })
    }
}

async fn receive(context: ReceiverContext, spoken: Spoken) {
    let permit = match context.outlet.admit(Request::new(spoken.signal, spoken.bytes.len())).await {
        Ok(permit) => permit,
        Err(refused) => return drop(spoken.answer.send(Err(refused))),
    };
    let intake = Intake::new(context.interner.clone(), Limits::default());
    let parsed = intake.parse(spoken.signal, spoken.bytes.into()).unwrap();
    let client = Arc::new(Client { wait_for: spoken.wait_for, answer: Mutex::new(Some(spoken.answer)) });
    let receipt = Receipt::open(&context.books, client, 0);
    let mut share = permit.accept(&receipt, parsed.total());
    share.settle_some(parsed.rejections.total(), Fate::Rejected { cause: context.cause("malformed"), retry: Retry::Never });
    let batch = parsed.from_origin(Origin { share, source: Arc::new(Source::default()), received_at: context.clock.now() });
    permit.send(batch);
    receipt.close();
}

struct Client {
    wait_for: Milestone,
    answer: Mutex<Option<oneshot::Sender<Result<Tally, Refused>>>>,
}

impl Settled for Client {
    fn reached(&self, _key: u64, milestone: Milestone, tally: &Tally) {
        if milestone == self.wait_for
            && let Some(answer) = self.answer.lock().unwrap().take()
        {
            let _ = answer.send(Ok(*tally));
        }
    }
}

/// Collects what it is given, or answers as its test says.
pub(super) struct Basket {
    hall: Arc<Hall>,
    id: String,
}

impl Component for Basket {
    type Kind = Exporters;
    type Config = Config;

    fn build(config: &Config, context: &BuildContext) -> Result<Box<dyn Exporter>, BuildError> {
        built(config)?;
        Ok(Box::new(Basket { hall: hall(&config.hall), id: context.id.to_string() }))
    }
}

impl Exporter for Basket {
    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            let _ = self.hall.hangs.subscribe().wait_for(|hangs| !hangs).await;
            if let Some(error) = self.hall.answer.lock().unwrap().clone() {
                return Err(error);
            }
            let mut sent = self.hall.sent.lock().unwrap();
            sent.entry(self.id.clone()).or_default().push((batch.signal(), batch.to_bytes()));
            Ok(Delivered::ALL)
        })
    }
}

/// Panics at a span of that name.
struct Bomb;

impl Component for Bomb {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, _context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        built(config)?;
        Ok(Box::new(Bomb))
    }
}

impl Processor for Bomb {
    fn process(&mut self, batch: Telemetry, out: &mut Output) {
        let path = tracetailor_core::telemetry::Path::parse(Signal::Traces, "name").unwrap();
        let name = Value::from("bomb");
        assert!(!batch.items().any(|item| item.get(&path).is_some_and(|value| value == name)), "the bomb goes off, as it should");
        out.emit(batch);
    }
}

/// Sets an attribute on every span: `mark`, to what is configured. Takes on a new mark without being built anew.
struct Mark(String);

impl Component for Mark {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, _context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        built(config)?;
        Ok(Box::new(Mark(config.mark.clone())))
    }
}

impl Processor for Mark {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        let path = tracetailor_core::telemetry::Path::parse(batch.signal(), "attributes[\"mark\"]").unwrap();
        for index in 0..batch.len() {
            let mark = match batch.item(index).get(&path) {
                Some(Value::String(before)) => format!("{}{}", before, self.0),
                _ => self.0.clone(),
            };
            let _ = batch.item_mut(index).set(&path, &Value::from(mark.as_str()));
        }
        out.emit(batch);
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        self.0 = config.get::<Config>()?.mark.clone();
        Ok(())
    }
}

/// Holds every batch until it is drained.
struct Hold {
    batches: VecDeque<Telemetry>,
    held: tracetailor_core::ledger::Held,
    shutdown: tracetailor_core::ledger::Cause,
}

impl Component for Hold {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        built(config)?;
        Ok(Box::new(Hold { batches: VecDeque::new(), held: context.line.held("hold"), shutdown: context.cause("shutdown") }))
    }
}

impl Processor for Hold {
    fn process(&mut self, mut batch: Telemetry, _out: &mut Output) {
        batch.each_share(Share::accepted);
        self.held.add(batch.len() as u64);
        self.batches.push_back(batch);
    }

    fn drain(&mut self, out: &mut Output) -> Progress {
        while out.wants_more() {
            let Some(batch) = self.batches.pop_front() else { return Progress::Done };
            self.held.sub(batch.len() as u64);
            out.emit(batch);
        }
        Progress::More
    }

    fn forget(&mut self, _source: SourceTag) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        for batch in self.batches.drain(..) {
            self.held.sub(batch.len() as u64);
            batch.abandon(self.shutdown);
        }
    }
}

/// Limits admission to so many bytes; in the pipeline there is nothing of it.
struct Limit;

impl Component for Limit {
    type Kind = Processors;
    type Config = Config;

    fn build(_config: &Config, _context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Err(BuildError::new("a limiter was built", "it is hoisted"))
    }
}

/// Holds traces for an hour, or as many milliseconds as its mark says; with `#2` behind it, senders wait while it holds two.
struct Gather;

impl Component for Gather {
    type Kind = Processors;
    type Config = Config;

    fn build(_config: &Config, _context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Err(BuildError::new("a stage was built as a processor", "the planner takes its part"))
    }
}

fn gather(config: &AnyConfig, context: &ProcessorContext) -> Result<StagePart, BuildError> {
    let config: &Config = config.get().map_err(|error| BuildError::new(error.to_string(), ""))?;
    built(config)?;
    let (wait, most) = config.mark.split_once('#').unwrap_or((&config.mark, ""));
    let mut limits = trace_store::Limits::with_wait(Duration::from_millis(wait.parse().unwrap_or(3_600_000)));
    let gate = context.shared.gate();
    gate.set_limit(most.parse().unwrap_or(u64::MAX));
    if !most.is_empty() {
        (limits.traces, limits.senders_wait) = (gate, true);
    }
    Ok(StagePart { stage: Box::new(Gather), limits, unjudged: "released" })
}

impl TraceStage for Gather {
    fn open(&mut self, _trace: &Outline<'_>) {}
    fn arrive(&mut self, _trace: &Outline<'_>, _span: Item<'_>) {}
    fn close(&mut self, _slot: Slot) {}
}

/// Leads on to every pipeline that begins with it.
struct Pass;

impl Component for Pass {
    type Kind = Connectors;
    type Config = Config;

    fn build(_config: &Config, _context: &LaneContext) -> Result<Box<dyn Connector>, BuildError> {
        Ok(Box::new(Pass))
    }
}

impl Connector for Pass {
    fn forward(&mut self, mut batch: Telemetry, routes: &mut Routes) {
        let last = routes.pipelines().count() - 1;
        for route in 0..last {
            let copy = batch.copy();
            routes.emit(route, copy);
        }
        routes.emit(last, batch);
    }
}

/// What exporters of a hall were given, decoded.
pub(super) fn basket(hall: &Hall, id: &str) -> Vec<tracetailor_core::testing::otlp::Span> {
    let sent = hall.sent.lock().unwrap();
    let requests = sent.get(id).cloned().unwrap_or_default();
    let mut spans = Vec::new();
    for (signal, bytes) in requests {
        if signal == Signal::Traces {
            let decoded = tracetailor_core::telemetry::Decoded::decode(signal, &bytes).unwrap();
            if let tracetailor_core::telemetry::Decoded::Traces(request) = decoded {
                spans.extend(request.resource_spans.into_iter().flat_map(|r| r.scope_spans).flat_map(|s| s.spans));
            }
        }
    }
    spans
}

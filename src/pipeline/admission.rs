//! The way in: room is asked for before a body is read, for every pipeline and exporter that will get a part, all or nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use smallvec::SmallVec;
use tracetailor_core::component::{BoxFuture, ComponentId, Entry, Outlet, Permit, Refused, Request};
use tracetailor_core::ledger::{Cause, Fate, Receipt, Retry, Share};
use tracetailor_core::telemetry::{Head, OddIds, Reason, Signal, SourceTag, Telemetry};

use super::graph::{Graph, Limiter};
use super::mail::Post;
use super::memory::{Charge, Memory};
use super::threads::Threads;

/// What all ways in have in common.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) graph: ArcSwap<Graph>,
    pub(super) threads: Arc<Threads>,
    pub(super) memory: Memory,
    /// Set once the gateway goes down.
    pub(super) closed: AtomicBool,
    /// How many requests wait for room.
    waiting: AtomicUsize,
    /// Where the next batch goes that comes from a thread that is no lane.
    next: AtomicUsize,
}

/// So many may wait for room at once: they hold no body yet, but a socket each.
const MOST_WAITING: usize = 10_000;

/// How long a request waits between two looks for room; longer each time, up to the last.
const LOOKS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(25));

/// What refuses where the limit of memory does, also where no pipeline names one.
const MEMORY: &str = "memory_limiter";

/// When to come back, for whoever was refused: not so soon that all come at once, and not so late that SDKs give up.
const COME_BACK: Duration = Duration::from_secs(1);

impl Admission {
    pub(super) fn new(graph: Arc<Graph>, threads: Arc<Threads>, memory: Memory) -> Arc<Self> {
        Arc::new(Self {
            graph: ArcSwap::new(graph),
            threads,
            memory,
            closed: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
        })
    }

    /// How many requests wait for room.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// One look for room.
    fn look(self: &Arc<Self>, inlet: &Inlet, request: &Request) -> Result<Granted, Refused> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Refused::Stopping);
        }
        let graph = self.graph.load_full();
        let mut targets: SmallVec<[Target; 2]> = SmallVec::new();
        for pipeline in graph.fed_by(&inlet.receiver, request.signal) {
            let stage = match &request.entry {
                Entry::Front => 0,
                // By then its id stands in the pipeline, or the pipeline is not one that it replays into.
                Entry::Behind(id) => match graph.pipelines[pipeline].processors.iter().position(|known| known.to_string() == *id) {
                    Some(place) => place + 1,
                    None => continue,
                },
            };
            targets.push(Target { pipeline, stage });
        }
        // Before any look for room: what will never fit need not come again.
        let (soft, _) = self.memory.limits();
        if request.bytes as u64 > soft {
            return Err(Refused::TooLarge { bytes: request.bytes, limit: usize::try_from(soft).unwrap_or(usize::MAX) });
        }
        for target in &targets {
            if let Some((export, full)) = graph.pipelines[target.pipeline].full() {
                return Err(Refused::Full { what: export.in_words(full), retry_after: Some(COME_BACK) });
            }
            if let Some((id, _)) = graph.pipelines[target.pipeline].gates.iter().find(|(_, gate)| gate.is_used_up()) {
                return Err(Refused::Full { what: id.to_string(), retry_after: Some(COME_BACK) });
            }
        }
        if targets.is_empty() {
            // A reload has just taken it away: whoever comes again hears that nobody takes the signal.
            return Err(Refused::Full { what: "pipeline".to_owned(), retry_after: Some(COME_BACK) });
        }
        match self.memory.charge(request.bytes) {
            Some(mut charge) => {
                let ahead = targets.iter().flat_map(|target| &graph.pipelines[target.pipeline].reach);
                ahead.for_each(|export| charge.announce(export));
                Ok(Granted { admission: self.clone(), graph, targets, charge, odd: inlet.odd })
            }
            None => Err(Refused::Full { what: MEMORY.to_owned(), retry_after: Some(COME_BACK) }),
        }
    }

    /// Counts a refusal where it comes from: with the limiters of the pipelines, or with the exporter that is full.
    fn tell_full(&self, receiver: &ComponentId, signal: Signal, what: &str) {
        let graph = self.graph.load();
        for pipeline in graph.fed_by(receiver, signal).map(|pipeline| &graph.pipelines[pipeline]) {
            if what == MEMORY {
                pipeline.limiters.iter().for_each(Limiter::refused);
            } else if let Some((export, full)) = pipeline.full() {
                return export.refused_at_the_door(full);
            }
        }
    }

    /// Whether a queue or a store that is full makes whoever sends wait for it, however long that takes: `block_on_overflow`.
    fn blocks(&self, receiver: &ComponentId, signal: Signal) -> bool {
        let graph = self.graph.load();
        graph.fed_by(receiver, signal).map(|place| &graph.pipelines[place]).any(|pipeline| {
            pipeline.reach.iter().any(|export| export.room().is_used_up() && export.blocks_on_overflow())
                || pipeline.gates.iter().any(|(_, gate)| gate.is_used_up())
        })
    }

    /// Looks again and again, for as long as the request has patience.
    async fn wait(self: &Arc<Self>, inlet: &Inlet, request: &Request, mut refused: Refused) -> Result<Granted, Refused> {
        let mut patience = request.patience.unwrap_or_default();
        let Some(_place) = Place::among(&self.waiting) else { return Err(refused) };
        let (mut pause, longest) = LOOKS;
        loop {
            let nap = match self.blocks(&inlet.receiver, request.signal) {
                true => pause,
                false if patience.is_zero() => return Err(refused),
                false => pause.min(patience),
            };
            tokio::time::sleep(nap).await;
            patience = patience.saturating_sub(nap);
            pause = (pause * 2).min(longest);
            refused = match self.look(inlet, request) {
                Err(refused @ Refused::Full { .. }) => refused,
                other => return other,
            };
        }
    }

    /// Lets a request pause for the queues that it would make longer.
    async fn fall_in(&self, receiver: &ComponentId, signal: Signal) {
        let graph = self.graph.load_full();
        for pipeline in graph.fed_by(receiver, signal) {
            for export in &graph.pipelines[pipeline].reach {
                export.fall_in().await;
            }
        }
    }

    /// Sends a batch into a pipeline: here, if this thread is a lane, else to some lane.
    fn deliver(self: &Arc<Self>, graph: &Arc<Graph>, target: Target, batch: Telemetry, charge: &Arc<Charge>) {
        let Target { pipeline, stage } = target;
        let mut batch = Some(batch);
        self.threads.here(|lane| {
            let Some(batch) = batch.take() else { return };
            match lane.graph.generation == graph.generation {
                true => lane.enter(pipeline, stage, batch, charge),
                false => lane.take_in(graph.generation, graph, pipeline, stage, batch),
            }
        });
        if let Some(batch) = batch {
            let lane = self.next.fetch_add(1, Ordering::Relaxed) % tracetailor_core::component::LaneThreads::count(&*self.threads);
            self.threads.send(lane, Post::Enter { graph: graph.clone(), pipeline, stage, batch, charge: charge.clone() });
        }
    }
}

/// Where a batch goes.
#[derive(Clone, Copy, Debug)]
struct Target {
    pipeline: usize,
    stage: usize,
}

/// A place among those who wait.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn among(waiting: &'a AtomicUsize) -> Option<Self> {
        let place = Place(waiting);
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        (before < MOST_WAITING).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The way in for one receiver.
#[derive(Debug)]
pub(super) struct Inlet {
    pub(super) admission: Arc<Admission>,
    pub(super) receiver: ComponentId,
    pub(super) odd: Odd,
}

/// What spans without a valid id are rejected for, where nothing gives them one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Odd {
    span: Cause,
    parent: Cause,
}

impl Odd {
    /// The reasons of the receiver itself, asked for by name.
    pub(super) fn of(cause: impl Fn(&str) -> Cause) -> Self {
        Self { span: cause(Reason::SpanId.name()), parent: cause(Reason::ParentId.name()) }
    }

    fn reject(self, batch: &mut Telemetry) {
        for (flag, cause) in [(Head::ODD_SPAN_ID, self.span), (Head::ODD_PARENT_ID, self.parent)] {
            batch.settle_items(Fate::Rejected { cause, retry: Retry::Never }, |item| item.head().has(flag));
        }
    }
}

impl Outlet for Inlet {
    fn takes(&self, signal: Signal) -> bool {
        self.admission.graph.load().fed_by(&self.receiver, signal).next().is_some()
    }

    fn admit(&self, request: Request) -> BoxFuture<'_, Result<Box<dyn Permit>, Refused>> {
        Box::pin(async move {
            self.admission.fall_in(&self.receiver, request.signal).await;
            let granted = match self.admission.look(self, &request) {
                Err(refused @ Refused::Full { .. }) => self.admission.wait(self, &request, refused).await,
                other => other,
            };
            if let Err(Refused::Full { what, .. }) = &granted {
                self.admission.tell_full(&self.receiver, request.signal, what);
            }
            granted.map(|granted| Box::new(granted) as Box<dyn Permit>)
        })
    }

    fn forget(&self, source: SourceTag) -> BoxFuture<'_, ()> {
        Box::pin(self.admission.threads.ask_all(move |done| Post::Forget(source, done)))
    }
}

/// Room for one request.
struct Granted {
    admission: Arc<Admission>,
    graph: Arc<Graph>,
    targets: SmallVec<[Target; 2]>,
    charge: Charge,
    odd: Odd,
}

impl Granted {
    fn limiters(&self) -> impl Iterator<Item = &Limiter> {
        self.targets.iter().flat_map(|target| &self.graph.pipelines[target.pipeline].limiters)
    }
}

impl Permit for Granted {
    fn enlarge(&mut self, bytes: usize) -> Result<(), Refused> {
        match self.charge.enlarge(bytes) {
            true => Ok(()),
            false => {
                self.limiters().for_each(Limiter::refused);
                Err(Refused::Full { what: MEMORY.to_owned(), retry_after: Some(COME_BACK) })
            }
        }
    }

    fn odd_ids(&self) -> OddIds {
        match self.targets.iter().any(|target| self.graph.pipelines[target.pipeline].mends_ids(target.stage)) {
            true => OddIds::Flag,
            false => OddIds::Reject,
        }
    }

    fn accept(&self, receipt: &Receipt, items: u64) -> Share {
        let first = self.targets.first().map_or(0, |target| target.pipeline);
        self.limiters().for_each(|limiter| limiter.accepted(items));
        receipt.accept(&self.graph.pipelines[first].line, items)
    }

    fn send(self: Box<Self>, mut batch: Telemetry) {
        let is_odd = batch.heads().iter().any(|head| head.flags & (Head::ODD_SPAN_ID | Head::ODD_PARENT_ID) != 0);
        let Granted { admission, graph, targets, charge, odd } = *self;
        let charge = Arc::new(charge);
        let Some((last, others)) = targets.split_last() else { return drop(batch) };
        let enter = |target: &Target, mut batch: Telemetry| {
            let pipeline = &graph.pipelines[target.pipeline];
            batch.each_share(|share| share.enter(&pipeline.line));
            if is_odd && !pipeline.mends_ids(target.stage) {
                odd.reject(&mut batch);
            }
            admission.deliver(&graph, *target, batch, &charge);
        };
        for target in others {
            enter(target, batch.copy());
        }
        enter(last, batch);
    }
}

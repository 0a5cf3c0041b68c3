//! What the Collector remembers of traces, as it does it: for a team that compares.
//!
//! One map holds traces that wait and traces that are decided, `num_traces` of them. A trace more pushes out the one that came first, decided
//! or not; the spans of one that waited are gone, but not its deadline, at which it is judged on what has come since. Decision caches hold
//! so many decisions, and know a trace by the second half of its id.
//!
//! All lanes share it. What is pushed out stays in the store until its deadline; only then is it let go, and counted.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use tracetailor_core::component::{DecisionMemory, ProcessorContext, Verdict};
use tracetailor_core::telemetry::TraceId;
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::Known;

use super::Config;
use super::policies::shard_of;

/// The memory of all shards.
pub(super) struct Remembered {
    shards: Box<[Shard]>,
    sizes: Sizes,
}

/// What one shard may remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sizes {
    shards: usize,
    traces: usize,
    sampled: u64,
    non_sampled: u64,
}

struct Shard {
    map: Mutex<Map>,
    traces: usize,
    sampled: Cache,
    non_sampled: Cache,
}

/// Nothing where it is off.
type Cache = Option<DecisionMemory<Known>>;

#[derive(Default)]
struct Map {
    /// With a number that tells a trace from one of the same id that came before.
    traces: HashMap<TraceId, (u64, State), RandomState>,
    /// In the order in which they came; some are gone.
    order: VecDeque<(u64, TraceId)>,
    next: u64,
}

enum State {
    Waits(Pushed),
    Decided(Known),
}

/// Whether a trace that waits was pushed out. Clones are of the same trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Pushed(Arc<AtomicBool>);

impl Pushed {
    /// Whether it was.
    pub(super) fn out(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// As long as it is remembered at all.
const FOR_EVER: Duration = Duration::MAX;

impl Remembered {
    /// What all lanes share: as it was before a reload, where it still fits.
    pub(super) fn shared(config: &Config, context: &ProcessorContext) -> Arc<Self> {
        let known = context.share("remembered", Mutex::<Option<Arc<Remembered>>>::default);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let sizes = Sizes::of(config);
        let kept = known.take().filter(|known| known.sizes == sizes).unwrap_or_else(|| Arc::new(Self::new(sizes)));
        known.insert(kept).clone()
    }

    fn new(sizes: Sizes) -> Self {
        let cache = |size: u64| (size > 0).then(|| DecisionMemory::new(size, FOR_EVER));
        let shard =
            || Shard { map: Mutex::default(), traces: sizes.traces, sampled: cache(sizes.sampled), non_sampled: cache(sizes.non_sampled) };
        Self { shards: (0..sizes.shards).map(|_| shard()).collect(), sizes }
    }

    fn shard(&self, trace: TraceId) -> &Shard {
        &self.shards[shard_of(trace, self.shards.len())]
    }

    /// A trace begins, or comes again after it was pushed out.
    pub(super) fn enter(&self, trace: TraceId) -> Pushed {
        let shard = self.shard(trace);
        shard.map().enter(trace, shard.traces)
    }

    /// A trace that waited was decided.
    pub(super) fn decided(&self, trace: TraceId, verdict: Verdict, now: LogTime) {
        let shard = self.shard(trace);
        let known = Known { verdict, generation: 0, when: now };
        let cache = if verdict.is_keep() { &shard.sampled } else { &shard.non_sampled };
        if let Some(cache) = cache {
            cache.insert(half(trace), known, now);
            cache.settle_down();
            shard.map().traces.remove(&trace);
        } else if let Some((_, state)) = shard.map().traces.get_mut(&trace) {
            *state = State::Decided(known);
        }
    }

    /// A trace that waited is forgotten with its time.
    pub(super) fn forget(&self, trace: TraceId) {
        self.shard(trace).map().traces.remove(&trace);
    }

    /// What was decided on a trace of which nothing is held.
    pub(super) fn recall(&self, trace: TraceId, now: LogTime) -> Option<Known> {
        let shard = self.shard(trace);
        let cached = |cache: &Cache| cache.as_ref().and_then(|cache| cache.get(half(trace), now));
        cached(&shard.sampled).or_else(|| cached(&shard.non_sampled)).or_else(|| match shard.map().traces.get(&trace) {
            Some((_, State::Decided(known))) => Some(*known),
            _ => None,
        })
    }
}

impl Sizes {
    fn of(config: &Config) -> Self {
        let shards = usize::try_from(config.num_shards.max(1)).unwrap_or(1);
        let each = |size: u64| if size == 0 { 0 } else { (size / shards as u64).max(1) };
        let cache = |size: i64| each(u64::try_from(size).unwrap_or(0));
        // Where senders wait nothing is pushed out.
        let traces =
            if config.block_on_overflow { usize::MAX } else { usize::try_from(each(config.num_traces.max(1))).unwrap_or(usize::MAX) };
        Self {
            shards,
            traces,
            sampled: cache(config.decision_cache.sampled_cache_size),
            non_sampled: cache(config.decision_cache.non_sampled_cache_size),
        }
    }
}

impl Shard {
    fn map(&self) -> std::sync::MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    fn enter(&mut self, trace: TraceId, most: usize) -> Pushed {
        while self.traces.len() >= most
            && let Some((number, oldest)) = self.order.pop_front()
        {
            if self.traces.get(&oldest).is_some_and(|(known, _)| *known == number)
                && let Some((_, State::Waits(pushed))) = self.traces.remove(&oldest)
            {
                pushed.0.store(true, Ordering::Relaxed);
            }
        }
        let (number, pushed) = (self.next, Pushed::default());
        self.next += 1;
        self.traces.insert(trace, (number, State::Waits(pushed.clone())));
        self.order.push_back((number, trace));
        if self.order.len() > 1024 + 2 * self.traces.len() {
            let Self { traces, order, .. } = self;
            order.retain(|(number, trace)| traces.get(trace).is_some_and(|(known, _)| known == number));
        }
        pushed
    }
}

/// All that the Collector's caches know of a trace: the last eight bytes of its id.
fn half(trace: TraceId) -> TraceId {
    let mut half = trace;
    half.0[..8].fill(0);
    half
}

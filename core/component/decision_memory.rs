//! What was decided about traces that are gone, for their late spans and for ids that come again: one memory for all lanes.

use std::fmt;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::telemetry::TraceId;
use crate::time::LogTime;

/// Verdicts by trace id, so many and no more, each for so long and no longer.
///
/// When it is full the verdict that was not asked for longest makes room for the new one. That is said to the cache beneath in so many
/// words, because left to itself it does the opposite: it protects what was often asked for and turns new keys away, and every trace is
/// new.
///
/// All lanes share one (with [`BuildContext::share`](super::BuildContext::share)): after a reload with another number of lanes a trace's
/// late spans may come to another one. It is safe to use from all at once.
///
/// An entry with a small verdict costs 290 to 350 bytes, everything included (measured, 100,000 and 1,000,000 entries): 100,000 are 35 MB.
///
/// ```
/// use std::time::Duration;
/// use tracetailor_core::component::DecisionMemory;
/// use tracetailor_core::telemetry::TraceId;
/// use tracetailor_core::time::LogTime;
///
/// let memory = DecisionMemory::new(1_000, Duration::from_secs(60));
/// let (trace, decided) = (TraceId([7; 16]), LogTime(0));
/// memory.insert(trace, "kept: errors", decided);
/// assert_eq!(memory.get(trace, decided + Duration::from_secs(59)), Some("kept: errors"));
/// assert_eq!(memory.get(trace, decided + Duration::from_secs(60)), None);
/// ```
pub struct DecisionMemory<V> {
    verdicts: Cache<TraceId, (V, LogTime), foldhash::quality::RandomState>,
    remember: Duration,
}

impl<V: Clone + Send + Sync + 'static> DecisionMemory<V> {
    /// A memory of so many verdicts, each for so long. With room for none it remembers nothing.
    pub fn new(entries: u64, remember: Duration) -> Self {
        // No time to live of the cache's own: it would go by the machine's clock, and a replay would find other verdicts.
        let verdicts = Cache::builder()
            .max_capacity(entries)
            .eviction_policy(EvictionPolicy::lru())
            .build_with_hasher(foldhash::quality::RandomState::default());
        Self { verdicts, remember }
    }

    /// What was decided about a trace, if that is remembered. Asking keeps it from being the next to go, but does not make it younger.
    pub fn get(&self, trace: TraceId, now: LogTime) -> Option<V> {
        let (verdict, decided) = self.verdicts.get(&trace)?;
        if now.since(decided) < self.remember {
            return Some(verdict);
        }
        self.verdicts.invalidate(&trace);
        None
    }

    /// Remembers a verdict; one on the same trace is replaced.
    pub fn insert(&self, trace: TraceId, verdict: V, now: LogTime) {
        self.verdicts.insert(trace, (verdict, now));
    }

    /// About how many verdicts there are: what was just added or pushed out may not be counted yet.
    pub fn len(&self) -> u64 {
        self.verdicts.entry_count()
    }

    /// True when there are about none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Does now what is otherwise done now and then: counting and pushing out.
    pub fn settle_down(&self) {
        self.verdicts.run_pending_tasks();
    }
}

impl<V> fmt::Debug for DecisionMemory<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionMemory").field("remember", &self.remember).finish_non_exhaustive()
    }
}

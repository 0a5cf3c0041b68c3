//! `rate_limiting` and `bytes_limiting`: keep traces as long as there are not too many spans, or bytes.
//!
//! What a user writes is a rate for the processor, so what it is counted by is shared by all lanes.
//!
//! A [bucket](Bucket) holds the limit: a trace whose whole cost is not there is refused. By default it is the last resort. A limit that goes
//! by who comes first keeps traces of which nobody can say how probable that was; so a [threshold](SharedRate) is foreseen from what was
//! offered before, at which the bucket stays full enough, and traces below it are refused first. In an interval in which the bucket
//! refused something nothing is stated.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracetailor_core::component::{RateLane, SharedRate};
use tracetailor_core::config::{ConfigErrors, Schema};
use tracetailor_core::telemetry::TraceId;
use tracetailor_core::time::LogTime;

use super::{Block, Facts, Maker, Strictness, Vote, Voter};
use crate::tail_sampling::randomness::Chance;
use crate::tail_sampling::why::Told;

/// How many spans.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimiting {
    /// So many spans a second.
    pub spans_per_second: i64,
    /// So many at once; twice the rate unless given.
    pub burst_capacity: i64,
}

/// How many bytes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct BytesLimiting {
    /// So many bytes a second, as the Collector counts them.
    pub bytes_per_second: i64,
    /// So many at once; twice the rate unless given.
    pub burst_capacity: i64,
}

impl Block for RateLimiting {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        check_rate("spans_per_second", self.spans_per_second, self.burst_capacity, errors, strictness);
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        Box::new(Limited { limit: maker.limit(self.spans_per_second, self.burst_capacity), cost: |trace| trace.spans })
    }

    fn is_stateless(&self) -> bool {
        false
    }
}

impl Block for BytesLimiting {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        check_rate("bytes_per_second", self.bytes_per_second, self.burst_capacity, errors, strictness);
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        maker.looks.want_sizes();
        Box::new(Limited {
            limit: maker.limit(self.bytes_per_second, self.burst_capacity),
            cost: |trace| trace.seen.rare().sizes.message(),
        })
    }

    fn is_stateless(&self) -> bool {
        false
    }
}

fn check_rate(key: &str, rate: i64, burst: i64, errors: &mut ConfigErrors, strictness: Strictness) {
    if rate < 0 || rate == 0 && burst <= 0 {
        strictness.doubt(errors, key, "lets nothing pass", "give a rate above 0");
    } else if rate == 0 {
        strictness.doubt(errors, key, "is 0: burst_capacity would pass once, and then nothing", "give a rate above 0");
    } else if burst < 0 {
        strictness.doubt(errors, "burst_capacity", "is negative", "remove it to have twice the rate");
    }
}

struct Limited {
    limit: Limit,
    cost: fn(&Facts<'_>) -> u64,
}

impl Voter for Limited {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        let cost = (self.cost)(trace);
        trace.tell(Told::Cost(cost));
        let Limit { buckets, foreseen } = &self.limit;
        let threshold = foreseen.as_ref().map(|foreseen| foreseen.offer(cost, trace.now()));
        if let Some(threshold) = threshold.filter(|threshold| !threshold.keeps(trace.randomness())) {
            trace.tell(Told::Threshold(threshold.bits()));
            return Vote::REFUSE.by(Chance::Unknown);
        }
        let bucket = &buckets[shard_of(trace.id(), buckets.len())];
        if !bucket.take(cost, trace.now()) {
            trace.tell(Told::UsedUp);
            return Vote::REFUSE.by(Chance::Unknown);
        }
        let honest = threshold.filter(|_| !bucket.refused_lately(trace.now()));
        Vote::KEEP.by(honest.map_or(Chance::Unknown, Chance::Known))
    }

    fn spends(&self) -> bool {
        true
    }
}

/// A limit as one lane sees it.
struct Limit {
    /// One, but for shards as the Collector has them.
    buckets: Arc<[Bucket]>,
    foreseen: Option<RateLane>,
}

/// What lanes share of the limits of a processor, by the place of the policy.
#[derive(Default)]
pub(in crate::tail_sampling) struct Limiters {
    buckets: Mutex<HashMap<String, Arc<[Bucket]>>>,
    rates: Mutex<HashMap<String, Arc<SharedRate>>>,
    pub(super) windows: Mutex<HashMap<String, Arc<[super::composite::Window]>>>,
    pub(super) engines: Mutex<HashMap<String, Arc<super::dynamic::Engine>>>,
}

/// How long traffic is watched before a threshold follows it; a burst is the bucket's business.
const INTERVAL: Duration = Duration::from_secs(5);

impl Maker<'_> {
    fn limit(&mut self, rate: i64, burst: i64) -> Limit {
        let burst = if burst > 0 { burst } else { rate.saturating_mul(2) };
        let count = self.ways.shards();
        let share = self.ways.share_of(rate);
        let buckets = found(
            &self.limiters.buckets,
            &self.path,
            |known: &Arc<[Bucket]>| known.len() == count,
            || (0..count).map(|_| Bucket::default()).collect(),
        );
        buckets.iter().for_each(|bucket| bucket.set(share, burst));
        let foreseen = (!self.ways.hashes).then(|| {
            self.looks.want_randomness();
            let lane = self.context.lane;
            #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits than a float has")]
            let goal = rate as f64;
            let rate = found(&self.limiters.rates, &self.path, |_| true, || Arc::new(SharedRate::new(goal, INTERVAL, lane.count)));
            rate.aim_at(goal);
            rate.lane(lane.index)
        });
        Limit { buckets, foreseen }
    }
}

/// What is known under a name, if it still fits; or made anew.
pub(super) fn found<T: Clone>(known: &Mutex<HashMap<String, T>>, path: &str, fits: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> T {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(path).filter(|known| fits(known)) {
        return known.clone();
    }
    let made = make();
    known.insert(path.to_owned(), made.clone());
    made
}

/// Tokens, as Go's `x/time/rate` counts them: full in the beginning, filled all the time, and only the whole cost is ever taken.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    tokens: Mutex<Tokens>,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Tokens {
    rate: f64,
    burst: f64,
    /// What is missing from a full bucket.
    spent: f64,
    at: LogTime,
}

impl Bucket {
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits than a float has")]
    fn set(&self, rate: i64, burst: i64) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        (tokens.rate, tokens.burst) = (rate.max(0) as f64, burst.max(0) as f64);
    }

    /// Takes so many, if they are there.
    fn take(&self, cost: u64, now: LogTime) -> bool {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let Tokens { rate, burst, spent, at } = &mut *tokens;
        *spent = (*spent - now.since(*at).as_secs_f64() * *rate).max(0.0);
        *at = now.max(*at);
        #[expect(clippy::cast_precision_loss, reason = "no trace costs 2^53")]
        let cost = cost as f64;
        let enough = *spent + cost <= *burst;
        if enough {
            *spent += cost;
        } else {
            self.refused.store(now.0, Ordering::Relaxed);
        }
        enough
    }

    /// Whether somebody was refused so recently that it says something about those who were not.
    fn refused_lately(&self, now: LogTime) -> bool {
        let refused = self.refused.load(Ordering::Relaxed);
        refused != 0 && now.since(LogTime(refused)) < INTERVAL
    }
}

/// The shard that the Collector would give a trace to.
pub(in crate::tail_sampling) fn shard_of(trace: TraceId, count: usize) -> usize {
    let TraceId(id) = trace;
    let [low, high] = [&id[..8], &id[8..]].map(|half| half.iter().rev().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte)));
    let mut hash = low ^ high;
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    usize::try_from(hash % count.max(1) as u64).unwrap_or(0)
}

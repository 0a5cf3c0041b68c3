//! Verdicts on traces that have gone, so that their late spans follow them.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::budget::{Budget, Claim};
use super::skeleton::Skeleton;
use crate::component::{Outcome, Verdict};
use crate::ledger::Cause;
use crate::telemetry::{SpanId, TraceId};
use crate::time::LogTime;

/// How much is remembered, and for how long. The budgets hold for all lanes together.
#[derive(Clone, Debug)]
pub struct Remember {
    /// How long a verdict is remembered, counted from when it was last asked for.
    pub time: Duration,
    /// How many kept traces.
    pub kept: Budget,
    /// How many dropped traces: 16 bytes each, and the index.
    pub dropped: Budget,
    /// How many bytes of skeletons, where a stage asks for them.
    pub skeletons: Budget,
}

impl Remember {
    /// Nothing: every late span begins a trace of its own.
    pub fn nothing() -> Self {
        Self { time: Duration::ZERO, kept: Budget::new(0), dropped: Budget::new(0), skeletons: Budget::new(0) }
    }
}

/// A verdict that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// What was decided. The note of a dropped trace is not remembered and reads 0.
    pub verdict: Verdict,
    /// The generation of the stages that decided.
    pub generation: u16,
}

/// The verdicts of one lane: two rings, because there are a hundred dropped traces for each kept one and the few must not go for the many.
///
/// A trace is known by 64 bits of a keyed hash. With a million remembered, one new trace in 18 trillion is taken for an old one, and nobody
/// outside can choose which.
#[derive(Debug)]
pub(super) struct Memory {
    remember: Remember,
    /// To the place of each verdict: the ring in the top bit, the position below.
    index: HashTable<u32>,
    kept: Ring<Kept>,
    dropped: Ring<Dropped>,
    skeletons: Claim,
    keys: RandomState,
}

/// Verdicts in the order in which they were last asked for.
#[derive(Debug)]
struct Ring<V> {
    verdicts: VecDeque<V>,
    /// The position of the front; positions go on for ever, modulo 2³¹.
    first: u32,
    claim: Claim,
}

#[derive(Debug)]
struct Kept {
    trace: u64,
    note: u64,
    skeleton: Option<Box<Skeleton>>,
    when: Tick,
    cause: Cause,
    generation: u16,
}

#[derive(Debug)]
struct Dropped {
    trace: u64,
    when: Tick,
    cause: Cause,
    generation: u16,
}

const _: () = assert!(size_of::<Dropped>() == 16, "what the documentation promises");

/// A time to about a second. 0 marks a verdict that moved to the back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tick(u32);

impl Tick {
    const MOVED: Tick = Tick(0);

    fn of(time: LogTime) -> Self {
        Self(u32::try_from(time.0 >> 30).unwrap_or(u32::MAX).max(1))
    }
}

/// Something that is found by its trace and ages.
trait Aging {
    fn trace(&self) -> u64;
    fn when(&self) -> Tick;
}

impl Aging for Kept {
    fn trace(&self) -> u64 {
        self.trace
    }

    fn when(&self) -> Tick {
        self.when
    }
}

impl Aging for Dropped {
    fn trace(&self) -> u64 {
        self.trace
    }

    fn when(&self) -> Tick {
        self.when
    }
}

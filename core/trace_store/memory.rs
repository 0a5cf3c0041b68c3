//! Verdicts on traces that have gone, so that their late spans follow them.

use std::collections::VecDeque;
use std::time::Duration;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::budget::{Budget, Claim};
use super::skeleton::Skeleton;
use crate::component::{Outcome, Verdict};
use crate::ledger::Cause;
use crate::telemetry::SpanId;
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
    /// When that was, to about a second; or when it was last asked for, where that was much later.
    pub when: LogTime,
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
    /// Before this position nobody has a skeleton any longer.
    bare: u32,
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

    fn begin(self) -> LogTime {
        LogTime(u64::from(self.0) << 30)
    }
}

/// Something that ages.
trait Aging {
    fn when(&self) -> Tick;
}

impl Aging for Kept {
    fn when(&self) -> Tick {
        self.when
    }
}

impl Aging for Dropped {
    fn when(&self) -> Tick {
        self.when
    }
}

/// In a place: the verdict lies among the kept.
const IS_KEPT: u32 = 1 << 31;
const POSITION: u32 = IS_KEPT - 1;

impl<V: Aging> Ring<V> {
    fn new(budget: &Budget) -> Self {
        Self { verdicts: VecDeque::new(), first: 0, claim: budget.claim() }
    }

    fn offset(&self, position: u32) -> usize {
        (position.wrapping_sub(self.first) & POSITION) as usize
    }

    fn at(&self, position: u32) -> &V {
        &self.verdicts[self.offset(position)]
    }

    fn at_mut(&mut self, position: u32) -> &mut V {
        let offset = self.offset(position);
        &mut self.verdicts[offset]
    }

    fn push(&mut self, verdict: V) -> u32 {
        let position = self.first.wrapping_add(super::segment::narrow(self.verdicts.len())) & POSITION;
        self.verdicts.push_back(verdict);
        self.claim.add(1);
        position
    }

    /// The front, if it must go: its time is over, it moved, or there are too many.
    fn pop_stale(&mut self, oldest: Tick) -> Option<(u32, V)> {
        let front = self.verdicts.front()?;
        if front.when() >= oldest && !self.claim.publish() {
            return None;
        }
        let (position, verdict) = (self.first, self.verdicts.pop_front()?);
        self.first = (self.first + 1) & POSITION;
        if verdict.when() != Tick::MOVED {
            self.claim.sub(1);
        }
        Some((position, verdict))
    }

    /// After a peak the ring keeps a quarter more than it holds.
    fn shrink(&mut self) {
        if self.verdicts.capacity() > 1024 + 4 * self.verdicts.len() {
            self.verdicts.shrink_to(1024 + self.verdicts.len() * 5 / 4);
        }
    }
}

impl Memory {
    pub(super) fn new(remember: Remember) -> Self {
        Self {
            index: HashTable::new(),
            kept: Ring::new(&remember.kept),
            dropped: Ring::new(&remember.dropped),
            skeletons: remember.skeletons.claim(),
            bare: 0,
            keys: RandomState::default(),
            remember,
        }
    }

    /// Other limits, after a reload.
    pub(super) fn set_limits(&mut self, remember: Remember) {
        self.kept.claim = moved(&self.kept.claim, &remember.kept);
        self.dropped.claim = moved(&self.dropped.claim, &remember.dropped);
        self.skeletons = moved(&self.skeletons, &remember.skeletons);
        self.remember = remember;
    }

    /// Remembers a verdict, in place of one on the same trace.
    pub(super) fn remember(&mut self, trace: u64, known: Known, now: LogTime) {
        self.forget(trace);
        let Known { verdict: Verdict { outcome, cause, note }, generation, .. } = known;
        let when = Tick::of(now);
        let place = match outcome {
            Outcome::Keep if self.remember.kept.limit() > 0 => {
                IS_KEPT | self.kept.push(Kept { trace, note, skeleton: None, when, cause, generation })
            }
            Outcome::Drop if self.remember.dropped.limit() > 0 => self.dropped.push(Dropped { trace, when, cause, generation }),
            _ => return,
        };
        let Self { index, kept, dropped, .. } = self;
        index.insert_unique(trace, place, |place| trace_at(kept, dropped, *place));
    }

    /// What was decided on a trace, if that is still known. Whoever is asked for stays for a while longer.
    pub(super) fn recall(&mut self, trace: u64, now: LogTime) -> Option<Known> {
        let place = self.place(trace)?;
        let (known, when) = self.known_at(place);
        if when < self.oldest(now) {
            return None;
        }
        if when < Tick::of(now - self.remember.time / 2) {
            self.refresh(place, now);
        }
        Some(known)
    }

    /// Keeps what a kept trace looked like.
    pub(super) fn attach(&mut self, trace: u64, spans: impl ExactSizeIterator<Item = SpanId>) {
        let Some(place) = self.place(trace).filter(|place| place & IS_KEPT != 0) else { return };
        let skeleton = Skeleton::of(spans, &self.keys);
        let bytes = skeleton.bytes();
        let kept = self.kept.at_mut(place & POSITION);
        if let Some(former) = kept.skeleton.replace(Box::new(skeleton)) {
            self.skeletons.sub(former.bytes());
        }
        self.skeletons.add(bytes);
    }

    /// What a kept trace looked like.
    pub(super) fn skeleton(&self, trace: u64) -> Option<SkeletonRef<'_>> {
        let place = self.place(trace).filter(|place| place & IS_KEPT != 0)?;
        let skeleton = self.kept.at(place & POSITION).skeleton.as_deref()?;
        Some(SkeletonRef { skeleton, keys: &self.keys })
    }

    /// Lets a stage's answer to late spans, and what it made up for a trace, into the skeleton.
    pub(super) fn extend_skeleton(&mut self, trace: u64, change: impl FnOnce(&mut Skeleton, &RandomState)) {
        let Some(place) = self.place(trace).filter(|place| place & IS_KEPT != 0) else { return };
        if let Some(skeleton) = self.kept.at_mut(place & POSITION).skeleton.as_deref_mut() {
            let before = skeleton.bytes();
            change(skeleton, &self.keys);
            self.skeletons.add(skeleton.bytes());
            self.skeletons.sub(before);
        }
    }

    /// Lets go of what is too old or too much.
    pub(super) fn trim(&mut self, now: LogTime) {
        let oldest = self.oldest(now);
        while let Some((position, verdict)) = self.kept.pop_stale(oldest) {
            if verdict.when != Tick::MOVED {
                self.unlist(verdict.trace, IS_KEPT | position);
            }
            self.skeletons.sub(verdict.skeleton.map_or(0, |skeleton| skeleton.bytes()));
        }
        while let Some((position, verdict)) = self.dropped.pop_stale(oldest) {
            if verdict.when != Tick::MOVED {
                self.unlist(verdict.trace, position);
            }
        }
        self.trim_skeletons();
        self.kept.shrink();
        self.dropped.shrink();
        if self.index.capacity() > 2048 + 8 * self.index.len() {
            let Self { index, kept, dropped, .. } = self;
            index.shrink_to(1024 + index.len() * 2, |place| trace_at(kept, dropped, *place));
        }
    }

    /// The oldest skeletons go first; the verdicts stay.
    fn trim_skeletons(&mut self) {
        if !self.skeletons.publish() {
            return;
        }
        let start = Some(self.kept.offset(self.bare)).filter(|start| *start <= self.kept.verdicts.len()).unwrap_or(0);
        for (offset, kept) in self.kept.verdicts.iter_mut().enumerate().skip(start) {
            let Some(skeleton) = kept.skeleton.take() else { continue };
            self.skeletons.sub(skeleton.bytes());
            self.bare = self.kept.first.wrapping_add(super::segment::narrow(offset)) & POSITION;
            if !self.skeletons.publish() {
                return;
            }
        }
    }

    /// How many verdicts are remembered: kept, dropped.
    pub(super) fn len(&self) -> (u64, u64) {
        (self.kept.claim.own(), self.dropped.claim.own())
    }

    fn oldest(&self, now: LogTime) -> Tick {
        Tick::of(now - self.remember.time)
    }

    fn place(&self, trace: u64) -> Option<u32> {
        self.index.find(trace, |place| trace_at(&self.kept, &self.dropped, *place) == trace).copied()
    }

    fn known_at(&self, place: u32) -> (Known, Tick) {
        if place & IS_KEPT != 0 {
            let kept = self.kept.at(place & POSITION);
            let verdict = Verdict { outcome: Outcome::Keep, cause: kept.cause, note: kept.note };
            return (Known { verdict, generation: kept.generation, when: kept.when.begin() }, kept.when);
        }
        let dropped = self.dropped.at(place);
        let verdict = Verdict { outcome: Outcome::Drop, cause: dropped.cause, note: 0 };
        (Known { verdict, generation: dropped.generation, when: dropped.when.begin() }, dropped.when)
    }

    /// Moves a verdict to the back.
    fn refresh(&mut self, place: u32, now: LogTime) {
        let (known, _) = self.known_at(place);
        let is_kept = place & IS_KEPT != 0;
        let trace = trace_at(&self.kept, &self.dropped, place);
        let skeleton = if is_kept { self.kept.at_mut(place & POSITION).skeleton.take() } else { None };
        self.remember(trace, known, now);
        if let Some(place) = self.place(trace).filter(|_| is_kept) {
            self.kept.at_mut(place & POSITION).skeleton = skeleton;
        }
    }

    fn forget(&mut self, trace: u64) {
        let Some(place) = self.place(trace) else { return };
        self.unlist(trace, place);
        if place & IS_KEPT != 0 {
            let kept = self.kept.at_mut(place & POSITION);
            kept.when = Tick::MOVED;
            let skeleton = kept.skeleton.take();
            self.skeletons.sub(skeleton.map_or(0, |skeleton| skeleton.bytes()));
            self.kept.claim.sub(1);
        } else {
            self.dropped.at_mut(place).when = Tick::MOVED;
            self.dropped.claim.sub(1);
        }
    }

    fn unlist(&mut self, trace: u64, place: u32) {
        if let Ok(entry) = self.index.find_entry(trace, |other| *other == place) {
            entry.remove();
        }
    }
}

/// As much of another budget.
fn moved(claim: &Claim, budget: &Budget) -> Claim {
    let mut moved = budget.claim();
    moved.add(claim.own());
    moved
}

fn trace_at(kept: &Ring<Kept>, dropped: &Ring<Dropped>, place: u32) -> u64 {
    if place & IS_KEPT != 0 { kept.at(place & POSITION).trace } else { dropped.at(place).trace }
}

/// What a kept trace looked like, to be read.
#[derive(Clone, Copy, Debug)]
pub struct SkeletonRef<'a> {
    skeleton: &'a Skeleton,
    keys: &'a RandomState,
}

impl SkeletonRef<'_> {
    /// Whether the trace had a span with this id. Exact up to 256 spans; beyond, one that it had not may be affirmed.
    pub fn has(&self, span: SpanId) -> bool {
        self.skeleton.has(span, self.keys)
    }

    /// Whether a span with this id was made up for it.
    pub fn has_placeholder(&self, span: SpanId) -> bool {
        self.skeleton.has_placeholder(span)
    }
}

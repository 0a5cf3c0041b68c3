//! One sampling rate for all lanes: each tells what it was offered, one works out the threshold, all go by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::probability::Threshold;
use crate::time::LogTime;

/// A share that is adjusted so that so much weight a second is kept, whatever is offered. Weight is what the user limits: traces, spans or
/// bytes.
///
/// # How lanes agree
///
/// Each lane adds what it is offered to a cell of its own, which costs nothing. When an interval is over, the first lane to notice takes
/// the cells of all, works out the threshold and publishes it; the others read it with one load. So there is one threshold, made from the
/// whole of the traffic, and it does not matter how that is spread over lanes: the kept share is the same at one lane and at eight.
///
/// # What it promises, and what not
///
/// What is kept comes to the goal in the mean, over intervals; it is a rate to aim at, not a limit that is never passed. Traffic is
/// foreseen from its recent past, in which every interval counts half as much as the one after it, so a surge is kept at the old share
/// until the interval ends. Before the first interval is over nothing is known and everything is kept. A user who wants a limit that holds
/// to the item has other keys.
#[derive(Debug)]
pub struct SharedRate {
    /// Weight to keep per second, as the bits of a float.
    goal: AtomicU64,
    interval: Duration,
    offered: Box<[Cell]>,
    threshold: AtomicU64,
    /// When the running interval began; zero before anything was offered.
    began: AtomicU64,
    /// Weight offered per second, smoothed, as the bits of a float; zero before the first interval is over.
    foreseen: AtomicU64,
}

/// Aligned so that two lanes never meet on a cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cell(AtomicU64);

/// A threshold is as exact as it can be.
const DIGITS: u8 = 14;

/// How much the newest interval counts against all before it.
const NEWEST: f64 = 0.5;

impl SharedRate {
    /// A rate for so many lanes, to keep so much weight per second, adjusted after each interval.
    pub fn new(goal: f64, interval: Duration, lanes: usize) -> Self {
        Self {
            goal: AtomicU64::new(goal.to_bits()),
            interval: interval.max(Duration::from_millis(1)),
            offered: (0..lanes.max(1)).map(|_| Cell::default()).collect(),
            threshold: AtomicU64::new(Threshold::ALWAYS.bits()),
            began: AtomicU64::new(0),
            foreseen: AtomicU64::new(0),
        }
    }

    /// The rate as one lane sees it.
    pub fn lane(self: &Arc<Self>, index: usize) -> RateLane {
        RateLane { rate: self.clone(), index: index % self.offered.len() }
    }

    /// Another goal, from the next interval on.
    pub fn aim_at(&self, goal: f64) {
        self.goal.store(goal.to_bits(), Ordering::Relaxed);
    }

    /// The threshold that holds now.
    pub fn threshold(&self) -> Threshold {
        Threshold::new(self.threshold.load(Ordering::Acquire))
    }

    /// Ends the running interval if its time is over and nobody else does.
    fn adjust_if_due(&self, now: LogTime) {
        let began = self.began.load(Ordering::Acquire);
        // Zero means that the first interval has not begun, so time begins at one.
        let at = now.0.max(1);
        if began != 0 && now < LogTime(began) + self.interval {
            return;
        }
        let ours = self.began.compare_exchange(began, at, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if ours && began != 0 {
            self.adjust(now.since(LogTime(began)));
        }
    }

    /// Runs in one lane at a time: an interval has one end.
    fn adjust(&self, elapsed: Duration) {
        let offered: u64 = self.offered.iter().map(|cell| cell.0.swap(0, Ordering::AcqRel)).sum();
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits than a float has")]
        let newest = offered as f64 / elapsed.as_secs_f64();
        let before = f64::from_bits(self.foreseen.load(Ordering::Acquire));
        let foreseen = if before == 0.0 { newest } else { before + NEWEST * (newest - before) };
        self.foreseen.store(foreseen.to_bits(), Ordering::Release);
        let goal = f64::from_bits(self.goal.load(Ordering::Relaxed));
        let share = if foreseen > goal { goal / foreseen } else { 1.0 };
        self.threshold.store(Threshold::of(share, DIGITS).bits(), Ordering::Release);
    }
}

/// A [`SharedRate`] as one lane sees it.
#[derive(Clone, Debug)]
pub struct RateLane {
    rate: Arc<SharedRate>,
    index: usize,
}

impl RateLane {
    /// Tells of weight that was offered, and gives the threshold that decides about it.
    pub fn offer(&self, weight: u64, now: LogTime) -> Threshold {
        self.rate.adjust_if_due(now);
        self.rate.offered[self.index].0.fetch_add(weight, Ordering::Relaxed);
        self.rate.threshold()
    }
}

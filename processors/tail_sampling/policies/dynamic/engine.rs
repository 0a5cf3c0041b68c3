//! Works out how probable a keep is for each kind of trace, from how many came of each before.
//!
//! Traffic is counted in intervals, and each counts half as much as the one after it. What is to be kept is shared among the kinds by the
//! logarithm of how frequent they are: a kind that is a thousand times as frequent as another gets a few times as much. What a rare kind does
//! not use goes to the others, so that all together come to the goal exactly.
//!
//! All lanes go by one engine. It is asked once for a trace, so a lock around it costs less than counting apart would cost in agreement.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use tracetailor_core::time::LogTime;

use super::key::KeyFields;

/// What all kinds together come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Aim {
    /// A share of all traces.
    Share(f64),
    /// So many a second.
    PerSecond(f64),
}

/// How much an interval counts against all before it; a kind of which less than this is left is forgotten.
const NEWEST: f64 = 0.5;

/// So many times what was foreseen is reason not to wait for the end of the interval,
const BURST: f64 = 2.0;

/// whose rest is then foreseen from its beginning: but no more than so many times that, since traces come in heaps,
const LONGEST: f64 = 4.0;

/// once so many intervals have shown what is usual.
const SETTLED: u32 = 3;

/// The engine of one policy or rule.
pub(in crate::tail_sampling) struct Engine {
    fields: KeyFields,
    root_fields: KeyFields,
    state: Mutex<State>,
}

struct State {
    aim: Aim,
    most: usize,
    interval: Duration,
    kinds: HashMap<u64, Kind, RandomState>,
    /// All those for which there is no room.
    rest: Kind,
    /// When the running interval began.
    began: Option<LogTime>,
    /// How many are over.
    intervals: u32,
    /// Traces in the running interval, and how many were foreseen.
    offered: f64,
    foreseen: f64,
    /// What a kind gets for each power of ten of its traces; nothing where everything is kept.
    generosity: Option<f64>,
}

/// One kind of trace.
#[derive(Clone, Copy, Debug, Default)]
struct Kind {
    /// In the running interval.
    count: f64,
    /// In an interval as it is foreseen; zero where none was seen before this one.
    foreseen: f64,
    share: f64,
}

impl Kind {
    /// Takes the interval that is over into account; of one that was cut short, as if it had gone on.
    fn roll(&mut self, longer: f64) {
        let count = std::mem::take(&mut self.count) * longer;
        self.foreseen = if self.foreseen == 0.0 { count } else { NEWEST * count + (1.0 - NEWEST) * self.foreseen };
        if self.foreseen < NEWEST {
            self.foreseen = 0.0;
        }
    }
}

/// What so many traces weigh against others.
fn worth(count: f64) -> f64 {
    (1.0 + count).log10()
}

impl Engine {
    pub(super) fn new(fields: KeyFields, root_fields: KeyFields) -> Self {
        let state = State {
            aim: Aim::Share(1.0),
            most: usize::MAX,
            interval: Duration::from_secs(15),
            kinds: HashMap::default(),
            rest: Kind::default(),
            began: None,
            intervals: 0,
            offered: 0.0,
            foreseen: 0.0,
            generosity: None,
        };
        Self { fields, root_fields, state: Mutex::new(state) }
    }

    /// Whether it tells kinds by these fields. What was learned by others is of no use.
    pub(super) fn is_by(&self, fields: &KeyFields, root_fields: &KeyFields) -> bool {
        (&self.fields, &self.root_fields) == (fields, root_fields)
    }

    /// Another goal, from the next interval on; what was learned stays.
    pub(super) fn aim_at(&self, aim: Aim, most: usize, interval: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.aim, state.most, state.interval) = (aim, most, interval);
    }

    /// Tells of one more trace of a kind, and gives the share of these that is kept.
    pub(super) fn offer(&self, key: u64, now: LogTime) -> f64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.adjust_if_due(now);
        state.offer(key)
    }

    /// How many kinds are told apart.
    #[cfg(test)]
    pub(super) fn kinds(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).kinds.len()
    }
}

impl State {
    fn offer(&mut self, key: u64) -> f64 {
        self.offered += 1.0;
        let has_room = self.kinds.len() < self.most;
        let kind = match self.kinds.get_mut(&key) {
            Some(kind) => kind,
            None if has_room => self.kinds.entry(key).or_default(),
            None => &mut self.rest,
        };
        kind.count += 1.0;
        let Kind { count, foreseen, share } = *kind;
        match (self.intervals, self.generosity) {
            (0, _) => self.beginning(),
            (_, None) => 1.0,
            // Nobody foresaw it. With each that comes it gets what it is worth more by that, which adds up to what it is worth.
            (_, Some(generosity)) if foreseen == 0.0 => (generosity / (std::f64::consts::LN_10 * (1.0 + count))).min(1.0),
            _ => share,
        }
    }

    /// The share before anything is known.
    fn beginning(&self) -> f64 {
        match self.aim {
            Aim::Share(share) => share,
            Aim::PerSecond(rate) => (rate * self.interval.as_secs_f64() / self.offered).min(1.0),
        }
    }

    /// Intervals follow each other from the first trace on. Those in which nothing came change nothing.
    fn adjust_if_due(&mut self, now: LogTime) {
        let Some(began) = self.began else {
            self.began = Some(now);
            return;
        };
        let elapsed = now.since(began);
        if elapsed >= self.interval {
            let over = elapsed.as_nanos() / self.interval.as_nanos().max(1);
            self.began = Some(began + self.interval * u32::try_from(over).unwrap_or(u32::MAX));
            self.intervals = self.intervals.saturating_add(1);
            self.adjust(1.0);
        } else if self.intervals >= SETTLED && self.offered >= BURST * self.foreseen.max(1.0) {
            self.began = Some(now);
            let longer = self.interval.as_secs_f64() / elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
            self.adjust(longer.min(LONGEST));
        }
    }

    fn adjust(&mut self, longer: f64) {
        self.kinds.values_mut().for_each(|kind| kind.roll(longer));
        self.kinds.retain(|_, kind| kind.foreseen > 0.0);
        self.rest.roll(longer);
        self.offered = 0.0;
        self.foreseen = self.all().map(|kind| kind.foreseen).sum();
        let target = match self.aim {
            Aim::Share(share) => self.foreseen * share,
            Aim::PerSecond(rate) => rate * self.interval.as_secs_f64(),
        };
        self.generosity = generosity(self.all().map(|kind| kind.foreseen).collect(), target);
        let generosity = self.generosity;
        for kind in self.kinds.values_mut().chain([&mut self.rest]) {
            let kept = generosity.map_or(f64::INFINITY, |generosity| generosity * worth(kind.foreseen));
            kind.share = if kind.foreseen > 0.0 { (kept / kind.foreseen).min(1.0) } else { 1.0 };
        }
    }

    fn all(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.values().chain([&self.rest]).filter(|kind| kind.foreseen > 0.0)
    }
}

/// What each kind gets for its worth, so that all together come to the target; nothing where all can be kept.
///
/// The rarer a kind, the more of it is kept; so from the rarest on, each that needs less than its part is kept whole, until one needs more.
fn generosity(mut counts: Vec<f64>, target: f64) -> Option<f64> {
    counts.sort_by(f64::total_cmp);
    let mut left = target;
    let mut worths: f64 = counts.iter().copied().map(worth).sum();
    for count in counts {
        let part = left / worths;
        if count > part * worth(count) {
            return Some(part.max(0.0));
        }
        left -= count;
        worths -= worth(count);
    }
    None
}

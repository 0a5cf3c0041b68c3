//! `dynamic`: keeps of each kind of traffic as much as it is worth. What is frequent is cut most, what is rare is kept whole, and all together
//! come to a goal.
//!
//! After the samplers `EMADynamicSampler` and `EMAThroughputSampler` of Honeycomb's Refinery. What a trace's kind is, [`key`] tells; how
//! probable a keep is for each kind, [`engine`] works out, once for all lanes.

mod engine;
mod goal;
mod key;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Period, Schema};
use tracetailor_core::telemetry::Item;
use tracetailor_core::trace_store::{Outline, Slot};

use engine::Aim;
pub(super) use engine::Engine;
use goal::Goal;
use key::{KeyFields, Keys};

use super::{Block, Facts, Maker, Strictness, Vote, Voter, limiting, probabilistic};

/// By what, and how much.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Dynamic {
    /// A share of all traces, or so many a second; as the goal has it, unless given. Refinery's `EMADynamicSampler` and
    /// `EMAThroughputSampler` are the same.
    pub sampler: Option<Sampler>,
    /// What all kinds together come to: `10%`, or `100 traces/s`.
    pub goal: Option<Goal>,
    /// Refinery's `GoalSampleRate`: one in so many.
    #[serde(alias = "GoalSampleRate")]
    pub goal_sample_rate: Option<f64>,
    /// Refinery's `GoalThroughputPerSec`: so many traces a second.
    #[serde(alias = "GoalThroughputPerSec")]
    pub goal_throughput_per_sec: Option<f64>,
    /// Attributes of spans or their resources that tell the kind of a trace; of a list in the list, the first that a span has. Refinery's
    /// `FieldList` is the same.
    #[serde(alias = "FieldList")]
    pub fields: KeyFields,
    /// The same, of the root alone.
    pub root_fields: KeyFields,
    /// So many kinds are told apart; all others are one. Refinery's `MaxKeys` is the same.
    #[serde(alias = "MaxKeys")]
    pub max_keys: usize,
    /// How long traffic is watched before shares follow it. Refinery's `AdjustmentInterval` is the same.
    #[serde(alias = "AdjustmentInterval")]
    pub adjustment_interval: Period,
}

/// What a goal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// A share of all traces.
    #[serde(alias = "EMADynamicSampler")]
    Ema,
    /// So many traces a second.
    #[serde(alias = "EMAThroughputSampler")]
    EmaThroughput,
}

impl Default for Dynamic {
    fn default() -> Self {
        Self {
            sampler: None,
            goal: None,
            goal_sample_rate: None,
            goal_throughput_per_sec: None,
            fields: KeyFields::default(),
            root_fields: KeyFields::default(),
            max_keys: 500,
            adjustment_interval: Period::seconds(15),
        }
    }
}

/// More kinds than that would take more memory than a sampler should.
const MOST_KEYS: usize = 100_000;

/// A shorter interval shows nothing.
const SHORTEST: Duration = Duration::from_secs(1);

impl Block for Dynamic {
    fn check(&self, errors: &mut ConfigErrors, _: Strictness) {
        self.check_goal(errors);
        if self.fields.is_empty() && self.root_fields.is_empty() {
            let right = "name what tells traffic apart: fields: [service.name, http.route]; or use probabilistic";
            errors.error("fields", "is missing: all traces would be of one kind", right);
        }
        for (key, fields) in [("fields", &self.fields), ("root_fields", &self.root_fields)] {
            if fields.has_empty_name() {
                errors.error(
                    key,
                    "names nothing",
                    "write names of attributes: [service.name, [http.response.status_code, http.status_code]]",
                );
            }
        }
        if !(1..=MOST_KEYS).contains(&self.max_keys) {
            errors.error("max_keys", format!("is not between 1 and {MOST_KEYS}"), "write a number such as 500");
        }
        if self.adjustment_interval.get() < SHORTEST {
            errors.error("adjustment_interval", "is shorter than 1s, in which too little traffic comes to go by", "write 15s");
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let Some(aim) = self.aim() else { return super::always_sample::AlwaysSample::default().voter(maker) };
        maker.looks.want_randomness();
        let (fields, root_fields) = self.key_fields();
        let fits = |known: &Arc<Engine>| known.is_by(&fields, &root_fields);
        let make = || Arc::new(Engine::new(fields.clone(), root_fields.clone()));
        let engine = limiting::found(&maker.limiters.engines, &maker.path, fits, make);
        engine.aim_at(aim, self.max_keys, self.adjustment_interval.get());
        Box::new(ByKey { keys: Keys::new(fields, root_fields), engine, hashes: maker.ways.hashes })
    }

    /// What kind a trace is of, its parts do not tell.
    fn is_stateless(&self) -> bool {
        false
    }
}

impl Dynamic {
    fn check_goal(&self, errors: &mut ConfigErrors) {
        let (rate, throughput) = (self.goal_sample_rate, self.goal_throughput_per_sec);
        if [self.goal.is_some(), rate.is_some(), throughput.is_some()].iter().filter(|given| **given).count() != 1 {
            return errors.error("goal", "must be given, and once", "write goal: 10%, or goal: 100 traces/s");
        }
        if rate.is_some_and(|rate| !(1.0..).contains(&rate)) {
            errors.error("goal_sample_rate", "is below 1", "write one in how many is kept, such as 10; or goal: 10%");
        }
        if throughput.is_some_and(|goal| !(goal > 0.0 && goal.is_finite())) || self.goal.is_some_and(Goal::is_nothing) {
            let key = if throughput.is_some() { "goal_throughput_per_sec" } else { "goal" };
            errors.error(key, "keeps nothing", "write goal: 10%, or goal: 100 traces/s");
        }
        let is_throughput = matches!(self.goal, Some(Goal::PerSecond(_))) || throughput.is_some();
        match self.sampler {
            Some(Sampler::Ema) if is_throughput => {
                errors.error("sampler", "ema has a share for its goal", "write goal: 10%, or sampler: ema_throughput");
            }
            Some(Sampler::EmaThroughput) if !is_throughput => {
                errors.error("sampler", "ema_throughput has a rate for its goal", "write goal: 100 traces/s, or sampler: ema");
            }
            _ => {}
        }
    }

    fn aim(&self) -> Option<Aim> {
        match (self.goal, self.goal_sample_rate, self.goal_throughput_per_sec) {
            (Some(Goal::Share(share)), _, _) => Some(Aim::Share(share.ratio())),
            (Some(Goal::PerSecond(rate)), _, _) => Some(Aim::PerSecond(rate)),
            (None, Some(rate), _) => Some(Aim::Share(1.0 / rate.max(1.0))),
            (None, None, Some(rate)) => Some(Aim::PerSecond(rate)),
            (None, None, None) => None,
        }
    }

    /// The fields of all spans and those of the root, among which Refinery writes some as `root.name`.
    fn key_fields(&self) -> (KeyFields, KeyFields) {
        let (of_root, of_all) = self.fields.clone().split_root();
        (of_all, self.root_fields.clone().with(of_root))
    }
}

/// Keeps of each kind as much as the engine says.
struct ByKey {
    keys: Keys,
    engine: Arc<Engine>,
    hashes: bool,
}

impl Voter for ByKey {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        let key = self.keys.of(trace.outline.slot());
        let share = self.engine.offer(key, trace.now());
        probabilistic::by_chance(share, trace, self.hashes)
    }

    /// What is offered counts for what comes later.
    fn spends(&self) -> bool {
        true
    }

    fn looks(&mut self) -> bool {
        true
    }

    fn open(&mut self, slot: Slot) {
        self.keys.open(slot);
    }

    fn arrive(&mut self, trace: &Outline<'_>, span: &Item<'_>) {
        self.keys.arrive(trace.slot(), span);
    }

    fn close(&mut self, slot: Slot) {
        self.keys.open(slot);
    }
}

#[cfg(test)]
mod tests;

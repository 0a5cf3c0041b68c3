#![doc = include_str!("README.md")]

use serde::{Deserialize, Serialize};
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, NeedsRebuild, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Stability,
};
use tracetailor_core::config::{ConfigErrors, Schema, Validate};
use tracetailor_core::ledger::Cause;
use tracetailor_core::probability::{Randomness, Threshold};
use tracetailor_core::telemetry::{Item, Signal, Telemetry, ValueRef};

mod carrier;
mod counts;
mod mode;

use carrier::Carrier;
use counts::Counts;
use mode::Sampler;

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What decides. Must fit the samplers before and behind this one.
    pub mode: Mode,
    /// The share that is kept, in per cent; from 100 on, everything.
    pub sampling_percentage: f32,
    /// Of `hash_seed`: the same on all gateways of a tier, another in the next tier.
    pub hash_seed: u32,
    /// Drops what cannot be decided, such as a log record without a trace; else it is kept.
    pub fail_closed: bool,
    /// Hexadecimal digits of the thresholds that are written, behind leading zeros and `f`s: 1 to 14.
    pub sampling_precision: u8,
    /// Of log records: whose randomness comes first.
    pub attribute_source: AttributeSource,
    /// Of log records: the attribute whose hash is the randomness, where there is no trace id or `attribute_source` is `record`.
    pub from_attribute: String,
    /// Of log records: the attribute that gives a record a share of its own, in per cent.
    pub sampling_priority: String,
}

/// What decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A hash of the trace id.
    #[default]
    #[serde(alias = "")]
    HashSeed,
    /// The trace's own randomness, so that of what came in the share is kept.
    Proportional,
    /// The same, so that what was sampled before and what was not is kept at the same share.
    Equalizing,
}

/// Whose randomness comes first for log records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
pub enum AttributeSource {
    /// The trace id's.
    #[default]
    #[serde(rename = "traceID", alias = "")]
    TraceId,
    /// That of the attribute in `from_attribute`.
    #[serde(rename = "record")]
    Record,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            sampling_percentage: 0.0,
            hash_seed: 0,
            fail_closed: true,
            sampling_precision: 4,
            attribute_source: AttributeSource::default(),
            from_attribute: String::new(),
            sampling_priority: String::new(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        let key = "sampling_percentage";
        if !(self.sampling_percentage >= 0.0 && self.sampling_percentage.is_finite()) {
            errors.error(key, format!("{} is no share", self.sampling_percentage), "write a percentage from 0 to 100");
        } else if self.sampling_percentage == 0.0 {
            errors.warn(key, "is 0, which drops everything", "write the share that is to be kept, such as 10");
        } else if mode::is_nothing(self) {
            errors.warn(key, "is too small for a hash of 14 bits: everything is dropped", "write mode: proportional, or a larger share");
        }
        if !(1..=14).contains(&self.sampling_precision) {
            errors.error("sampling_precision", format!("{} is not from 1 to 14", self.sampling_precision), "write 4, or remove it");
        }
        if self.attribute_source == AttributeSource::Record && self.from_attribute.is_empty() {
            errors.error("from_attribute", "is missing", "name the attribute, or remove attribute_source");
        }
    }
}

/// How one is made.
pub const FACTORY: ProcessorFactory =
    ProcessorFactory::of::<ProbabilisticSampler>("probabilistic_sampler", Stability::Beta, include_str!("README.md"))
        .only_for(&[Signal::Traces, Signal::Logs]);

/// Decides item by item and remembers nothing: all spans of a trace have the same randomness, here and on every other gateway.
pub struct ProbabilisticSampler {
    signal: Signal,
    sampler: Sampler,
    fail_closed: bool,
    /// The attribute of a log record that gives it a share of its own.
    priority: Option<String>,
    precision: u8,
    not_sampled: Cause,
    counts: Counts,
    /// What the items of a batch get, by their place in it.
    verdicts: Vec<Verdict>,
}

/// What becomes of one item.
enum Verdict {
    Drop,
    Keep,
    /// Kept, and marked with what it stands for.
    Mark(Carrier),
}

/// What decided, as the metric has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    TraceId,
    TraceIdHash,
    Named,
    Attribute,
    Priority,
    Missing,
}

impl Component for ProbabilisticSampler {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Ok(Box::new(Self {
            signal: context.line.signal(),
            sampler: Sampler::new(config),
            fail_closed: config.fail_closed,
            priority: (!config.sampling_priority.is_empty()).then(|| config.sampling_priority.clone()),
            precision: config.sampling_precision,
            not_sampled: context.cause("not_sampled"),
            counts: Counts::new(context, &config.from_attribute),
            verdicts: Vec::new(),
        }))
    }
}

impl Processor for ProbabilisticSampler {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        let mut verdicts = std::mem::take(&mut self.verdicts);
        verdicts.extend(batch.items().map(|item| self.decide(&item)));
        for (index, verdict) in verdicts.iter().enumerate() {
            if let Verdict::Mark(carrier) = verdict {
                carrier.write_to(&mut batch.item_mut(index));
            }
        }
        let mut all = verdicts.iter();
        batch.drop_items(self.not_sampled, |_| matches!(all.next(), Some(Verdict::Drop)));
        verdicts.clear();
        self.verdicts = verdicts;
        out.emit(batch);
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        let config: &Config = config.get()?;
        self.sampler = Sampler::new(config);
        self.fail_closed = config.fail_closed;
        self.priority = (!config.sampling_priority.is_empty()).then(|| config.sampling_priority.clone());
        self.precision = config.sampling_precision;
        self.counts.name_attribute(&config.from_attribute);
        Ok(())
    }
}

impl ProbabilisticSampler {
    /// The threshold is the sampler's, that of a failure where nothing can be decided, and above both what the item itself asks for.
    fn decide(&mut self, item: &Item<'_>) -> Verdict {
        let found = self.sampler.look_at(item);
        let failed = if self.fail_closed { Threshold::NEVER } else { Threshold::ALWAYS };
        let threshold = if found.is_decidable { self.sampler.threshold(&found.carrier) } else { failed };
        let (threshold, policy) = match self.asked_for(item) {
            Some(asked) => (asked, Policy::Priority),
            None => (threshold, found.policy),
        };
        let is_kept = threshold.keeps(found.randomness.unwrap_or(Randomness::HIGHEST));
        self.counts.decided(policy, is_kept);
        match found.carrier {
            _ if !is_kept => Verdict::Drop,
            None => Verdict::Keep,
            Some(mut carrier) => {
                carrier.set_threshold(threshold);
                Verdict::Mark(carrier)
            }
        }
    }

    fn asked_for(&self, item: &Item<'_>) -> Option<Threshold> {
        match self.signal {
            Signal::Traces => span_priority(item.attribute("sampling.priority")?),
            _ => record_share(item.attribute(self.priority.as_deref()?)?).map(|share| Threshold::of(share, self.precision)),
        }
    }
}

/// OpenTracing's word: 0 for a span that nobody wants, anything above for one that is wanted.
fn span_priority(value: ValueRef<'_>) -> Option<Threshold> {
    let number = match value {
        ValueRef::Double(number) => number,
        #[expect(clippy::cast_precision_loss, reason = "only its sign counts")]
        ValueRef::Int(number) => number as f64,
        ValueRef::String(_) => value.text()?.parse().ok()?,
        _ => return None,
    };
    match number {
        0.0 => Some(Threshold::NEVER),
        above if above > 0.0 => Some(Threshold::ALWAYS),
        _ => None,
    }
}

/// The share that a log record asks for, if it is one.
fn record_share(value: ValueRef<'_>) -> Option<f64> {
    let share = match value {
        ValueRef::Double(number) => number / 100.0,
        #[expect(clippy::cast_precision_loss, reason = "beyond 100 it is no share")]
        ValueRef::Int(number) => number as f64 / 100.0,
        _ => return None,
    };
    (share > 0.0 && share <= 1.0).then_some(share)
}

#[cfg(test)]
mod tests;

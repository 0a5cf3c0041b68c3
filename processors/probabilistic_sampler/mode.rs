//! The three modes: where an item's randomness comes from, and what threshold it must reach.

use std::borrow::Cow;

use tracetailor_core::probability::{Randomness, Threshold};
use tracetailor_core::telemetry::{Item, ItemKind, ValueRef};

use super::carrier::{Carrier, State};
use super::{AttributeSource, Config, Mode, Policy};

/// A mode, made ready.
pub(super) enum Sampler {
    Hash { seed: u32, threshold: Threshold, source: AttributeSource, attribute: String },
    Proportional { share: f64, precision: u8 },
    Equalizing { threshold: Threshold },
}

/// What is known of an item before it is decided.
pub(super) struct Found {
    pub(super) randomness: Option<Randomness>,
    pub(super) policy: Policy,
    /// Whether the mode may decide it: it has randomness, and nothing it carries contradicts that.
    pub(super) is_decidable: bool,
    /// Where the threshold is written, if it may be.
    pub(super) carrier: Option<Carrier>,
}

/// A hash is cut to so many bits, as it was when the Collector's sampler was young; all tiers must agree.
const BUCKETS: u32 = 1 << 14;

/// How many buckets are kept. In single precision and rounded down, as the Collector reckons.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "it is from 0 to the number of buckets"
)]
fn buckets_kept(percentage: f32) -> u32 {
    (percentage.clamp(0.0, 100.0) * (BUCKETS as f32 / 100.0)) as u32
}

/// Whether a share that is more than nothing comes to nothing.
pub(super) fn is_nothing(config: &Config) -> bool {
    config.mode == Mode::HashSeed && buckets_kept(config.sampling_percentage) == 0
}

impl Sampler {
    pub(super) fn new(config: &Config) -> Self {
        let share = f64::from(config.sampling_percentage.min(100.0)) / 100.0;
        match config.mode {
            Mode::HashSeed => Sampler::Hash {
                seed: config.hash_seed,
                threshold: Threshold::new(u64::from(BUCKETS - buckets_kept(config.sampling_percentage)) << 42),
                source: config.attribute_source,
                attribute: config.from_attribute.clone(),
            },
            Mode::Proportional => Sampler::Proportional { share, precision: config.sampling_precision },
            Mode::Equalizing => Sampler::Equalizing { threshold: Threshold::of(share, config.sampling_precision) },
        }
    }

    /// What an item must reach that carries this.
    pub(super) fn threshold(&self, carrier: &Option<Carrier>) -> Threshold {
        let before = carrier.as_ref().and_then(Carrier::threshold);
        match self {
            Sampler::Hash { threshold, .. } => *threshold,
            Sampler::Proportional { share, precision } => Threshold::of(share * before.map_or(1.0, Threshold::probability), *precision),
            Sampler::Equalizing { threshold } => before.map_or(*threshold, |before| before.max(*threshold)),
        }
    }

    pub(super) fn look_at(&self, item: &Item<'_>) -> Found {
        let carrier = Carrier::of(item);
        match self {
            Sampler::Hash { seed, source, attribute, .. } => {
                let (randomness, policy) = hashed(item, *seed, *source, attribute);
                found_by_hash(randomness, policy, carrier)
            }
            Sampler::Proportional { .. } | Sampler::Equalizing { .. } => found_by_randomness(item, carrier),
        }
    }
}

/// A hash of its own does not agree with the randomness that others decided by. So where others have decided, the share that is left cannot be
/// stated.
fn found_by_hash(randomness: Option<Randomness>, policy: Policy, carrier: State) -> Found {
    let State::Read(mut carrier) = carrier else { return Found { randomness, policy, is_decidable: false, carrier: None } };
    match randomness {
        _ if carrier.randomness().is_some() || carrier.threshold().is_some() => carrier.leave_unstated(),
        Some(randomness) => carrier.set_randomness(randomness),
        None => {}
    }
    Found { randomness, policy, is_decidable: randomness.is_some(), carrier: Some(carrier) }
}

fn found_by_randomness(item: &Item<'_>, carrier: State) -> Found {
    let State::Read(mut carrier) = carrier else {
        return Found { randomness: None, policy: Policy::Missing, is_decidable: false, carrier: None };
    };
    let (randomness, policy) = match carrier.randomness() {
        Some(named) => (Some(named), Policy::Named),
        None if item.trace_id().is_none() => (None, Policy::Missing),
        None => (Some(Randomness::of(item.trace_id())), Policy::TraceId),
    };
    // One that was kept though it does not reach its threshold was not kept by it.
    let is_contradicted = matches!((randomness, carrier.threshold()), (Some(randomness), Some(before)) if !before.keeps(randomness));
    if is_contradicted {
        carrier.erase_threshold();
    }
    Found { randomness, policy, is_decidable: randomness.is_some() && !is_contradicted, carrier: Some(carrier) }
}

fn hashed(item: &Item<'_>, seed: u32, source: AttributeSource, attribute: &str) -> (Option<Randomness>, Policy) {
    let is_log = item.kind() == ItemKind::LogRecord;
    let is_first = !is_log || source == AttributeSource::TraceId;
    if is_first && !item.trace_id().is_none() {
        return (Some(randomness_of(&item.trace_id().0, seed)), Policy::TraceIdHash);
    }
    let value = if is_log && !attribute.is_empty() { item.attribute(attribute) } else { None };
    match value.map(bytes).filter(|bytes| !bytes.is_empty()) {
        Some(bytes) => (Some(randomness_of(&bytes, seed)), Policy::Attribute),
        None => (None, Policy::Missing),
    }
}

fn bytes(value: ValueRef<'_>) -> Cow<'_, [u8]> {
    match value {
        ValueRef::String(text) => Cow::Borrowed(text),
        ValueRef::Bytes(bytes) => Cow::Borrowed(bytes),
        other => Cow::Owned(tracetailor_core::attributes::text(other).into_bytes()),
    }
}

/// The hash of a trace id, spread over 56 bits as the Collector does it: on top what decides, turned round since a high randomness is kept and a low
/// hash was; then the hash's first 14 bits, twice.
fn randomness_of(bytes: &[u8], seed: u32) -> Randomness {
    let hash = fnv(bytes, seed);
    let decides = u64::from(hash % BUCKETS);
    let first = u64::from(hash >> 18);
    let turned = u64::from(BUCKETS) - 1 - decides;
    Randomness::new(turned << 42 | (first ^ (first << 10)) << 14 | decides)
}

/// FNV-1a of 32 bits, of the seed and then the bytes.
fn fnv(bytes: &[u8], seed: u32) -> u32 {
    let all = seed.to_le_bytes().into_iter().chain(bytes.iter().copied());
    all.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

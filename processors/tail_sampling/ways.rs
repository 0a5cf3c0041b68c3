//! How far the Collector is followed: right by default, and as it does it for a team that compares.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::Schema;

/// Whose behaviour it is where the two differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Compatibility {
    /// Ours.
    #[default]
    Tracetailor,
    /// That of the Collector's processor, its defects included.
    Otelcol,
}

/// What chance goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Randomness {
    /// By OpenTelemetry's randomness: the end of the trace id, or what the trace state says.
    #[default]
    TraceId,
    /// By the Collector's hash.
    Hash,
}

/// How a trace is judged while it arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "kebab-case")]
pub enum SamplingStrategy {
    /// When its time has come, as a whole.
    #[default]
    TraceComplete,
    /// Each part as it comes: the first that is to be kept lets the trace go.
    SpanIngest,
}

/// What of it all voters must know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ways {
    /// As the Collector does it.
    pub(super) original: bool,
    /// Chance goes by the Collector's hash, and limits by who comes first.
    pub(super) hashes: bool,
    /// As `num_shards` says.
    pub(super) shards: u32,
}

impl Ways {
    /// Into how many parts limits are cut: the Collector has one for each shard, here they hold for all.
    pub(super) fn shards(self) -> usize {
        if self.original { usize::try_from(self.shards.max(1)).unwrap_or(1) } else { 1 }
    }

    /// What one of the parts has of a rate.
    pub(super) fn share_of(self, rate: i64) -> i64 {
        match i64::try_from(self.shards()).unwrap_or(1) {
            1 => rate,
            shards if rate > 0 => (rate / shards).max(1),
            _ => rate,
        }
    }
}

//! Anything that is valid OTLP, as proptest strategies: every field of every message, unknown enum numbers, empty texts, values that say
//! nothing, keys twice, empty resources and scopes.
//!
//! Numbers are never NaN, so that structs can be compared; a test of NaN compares bytes.

mod common;
mod logs;
mod metrics;
mod rewriting;
mod scripts;
mod traces;

use proptest::prelude::*;

use super::otlp::{AnyValue, ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest};

pub use rewriting::{damage_seed, rewrites};
pub use scripts::scripts;

/// How large and how odd the telemetry may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wild {
    /// At most so many resources in a request, and scopes in each.
    pub groups: usize,
    /// At most so many items in a scope.
    pub items: usize,
    /// At most so many attributes, events, links, exemplars or buckets in one place.
    pub entries: usize,
    /// Lists and maps in each other, at most so deep.
    pub depth: u32,
    /// Whether ids are as they should be.
    pub ids: Ids,
}

/// What ids look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// 16 and 8 bytes, not all zero; where an id may be missing, it may.
    Valid,
    /// Now and then zero, or of any other length up to 20 bytes.
    Odd,
}

impl Default for Wild {
    fn default() -> Self {
        Self { groups: 2, items: 3, entries: 3, depth: 3, ids: Ids::Valid }
    }
}

impl Wild {
    /// The same with odd ids among the valid ones.
    pub fn odd() -> Self {
        Self { ids: Ids::Odd, ..Self::default() }
    }
}

/// A request of spans.
pub fn traces(wild: &Wild) -> BoxedStrategy<ExportTraceServiceRequest> {
    traces::request(wild)
}

/// A request of log records.
pub fn logs(wild: &Wild) -> BoxedStrategy<ExportLogsServiceRequest> {
    logs::request(wild)
}

/// A request of metrics of all kinds, and of none.
pub fn metrics(wild: &Wild) -> BoxedStrategy<ExportMetricsServiceRequest> {
    metrics::request(wild)
}

/// An attribute's value.
pub fn any_value(wild: &Wild) -> BoxedStrategy<AnyValue> {
    common::any_value(wild)
}

#[cfg(test)]
mod tests;

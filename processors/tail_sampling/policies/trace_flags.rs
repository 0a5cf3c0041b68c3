//! `trace_flags`: keeps traces with a span that was sampled where it was made.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Schema};
use tracetailor_core::telemetry::Head;

use super::attribute::ByBit;
use super::{Block, Maker, Strictness, Voter};

/// It has no keys.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct TraceFlags {}

impl Block for TraceFlags {
    fn check(&self, _: &mut ConfigErrors, _: Strictness) {}

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        Box::new(ByBit { bit: maker.looks.flags(Head::SAMPLED), inverted: false })
    }
}

//! `always_sample`: keeps every trace.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Schema};

use super::{Block, Facts, Maker, Strictness, Vote, Voter};

/// It has no keys.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct AlwaysSample {}

impl Block for AlwaysSample {
    fn check(&self, _: &mut ConfigErrors, _: Strictness) {}

    fn voter(&self, _: &mut Maker<'_>) -> Box<dyn Voter> {
        Box::new(Always)
    }
}

struct Always;

impl Voter for Always {
    fn vote(&mut self, _: &Facts<'_>) -> Vote {
        Vote::KEEP
    }
}

//! `structure`: keeps traces by what is missing in them, as the store of traces has counted it while their spans came.
//!
//! The parent above the earliest span of a trace without a root is as a rule not lost but somebody else's: a browser, a partner. It is
//! neither an open parent nor does it make orphans.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Schema};

use super::{Block, Facts, Maker, Strictness, Vote, Voter};
use crate::tail_sampling::trace_paths::Shape;

/// What must be so, all of it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Structure {
    /// Whether there is a span without a parent.
    pub has_root: Option<bool>,
    /// At least so many spans whose parent has not come.
    pub min_orphans: u32,
    /// At least so many parents that are named and have not come.
    pub min_open_parents: u32,
    /// At least so many spans without a parent.
    pub min_roots: u32,
    /// At least so many `CLIENT` and `PRODUCER` spans below which nothing of another process has come.
    pub min_dangling_calls: u32,
    /// At most so much of the trace is there, from 0 to 1.
    pub max_completeness: Option<f64>,
}

impl Block for Structure {
    fn check(&self, errors: &mut ConfigErrors, _: Strictness) {
        if !self.asks() {
            errors.error_here("says nothing that a trace must have", "give one of its keys: min_orphans: 1");
        }
        if self.has_root == Some(false) && self.min_roots > 0 {
            errors.error("min_roots", "cannot be met where there is no root", "remove it, or has_root: false");
        }
        if self.max_completeness.is_some_and(|most| !(0.0..1.0).contains(&most)) {
            let right = "write a number from 0 to 1: 0.9 keeps traces of which at most nine tenths are there";
            errors.error("max_completeness", "is not below 1: every trace would fit", right);
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        maker.looks.want_structure();
        Box::new(*self)
    }

    /// What is missing in one part may be in the next.
    fn is_stateless(&self) -> bool {
        false
    }
}

impl Structure {
    fn asks(&self) -> bool {
        let least = [self.min_orphans, self.min_open_parents, self.min_roots, self.min_dangling_calls];
        self.has_root.is_some() || self.max_completeness.is_some() || least.iter().any(|least| *least > 0)
    }

    fn fits(&self, shape: &Shape) -> bool {
        self.has_root.is_none_or(|has_root| has_root == (shape.roots > 0))
            && i64::from(self.min_orphans) <= shape.orphans
            && i64::from(self.min_open_parents) <= shape.open_parents
            && i64::from(self.min_roots) <= shape.roots
            && i64::from(self.min_dangling_calls) <= shape.dangling_calls
            && self.max_completeness.is_none_or(|most| shape.completeness() <= most)
    }
}

impl Voter for Structure {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        Vote::keep_if(self.fits(&Shape::of(trace)))
    }
}

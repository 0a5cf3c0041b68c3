//! `boolean_attribute`: keeps traces with true, or with false, under a key.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Schema};
use tracetailor_core::telemetry::ValueRef;

use super::attribute::ByBit;
use super::numeric_attribute::check_key;
use super::{Block, Maker, Strictness, Voter};
use crate::tail_sampling::looks::AttributeTest;

/// The key, and which of the two.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct BooleanAttribute {
    /// The attribute, of a span or its resource.
    pub key: String,
    /// What it must be.
    pub value: bool,
    /// Keeps traces of which no span and no resource fits.
    pub invert_match: bool,
}

impl Block for BooleanAttribute {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        check_key(&self.key, errors, strictness);
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let test = Is { wanted: self.value, others_are_false: maker.ways.original };
        Box::new(ByBit { bit: maker.looks.attribute(&self.key, Box::new(test)), inverted: self.invert_match })
    }
}

struct Is {
    wanted: bool,
    /// As in the Collector, where a text or a number under the key is false.
    others_are_false: bool,
}

impl AttributeTest for Is {
    fn fits_span(&mut self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Bool(truth) => truth == self.wanted,
            _ => self.others_are_false && !self.wanted,
        }
    }
}

//! `numeric_attribute`: keeps traces with a number between bounds under a key.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Schema};
use tracetailor_core::telemetry::ValueRef;

use super::attribute::ByBit;
use super::{Block, Maker, Strictness, Voter};
use crate::tail_sampling::looks::AttributeTest;
use crate::tail_sampling::why::Told;

/// The key, and from where to where.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct NumericAttribute {
    /// The attribute, of a span or its resource.
    pub key: String,
    /// From here, this included.
    pub min_value: Option<i64>,
    /// Up to here, this included.
    pub max_value: Option<i64>,
    /// Keeps traces of which no span and no resource fits.
    pub invert_match: bool,
}

impl NumericAttribute {
    fn bounds(&self, zero_is_none: bool) -> (Option<i64>, Option<i64>) {
        let bound = |bound: Option<i64>| bound.filter(|bound| !zero_is_none || *bound != 0);
        (bound(self.min_value), bound(self.max_value))
    }
}

impl Block for NumericAttribute {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        check_key(&self.key, errors, strictness);
        match self.bounds(strictness.lenient) {
            // The Collector dies of it with the first trace, so there is nothing to be lenient about.
            (None, None) => errors.error("min_value", "neither it nor max_value is given", "give at least one of them"),
            (Some(min), Some(max)) if min > max => {
                strictness.doubt(errors, "min_value", "is above max_value: nothing would fit", "exchange them");
            }
            _ => {}
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let (min, max) = self.bounds(maker.ways.original);
        let test = Between { min: min.unwrap_or(i64::MIN), max: max.unwrap_or(i64::MAX), only_whole: maker.ways.original, last: None };
        Box::new(ByBit { bit: maker.looks.attribute(&self.key, Box::new(test)), inverted: self.invert_match })
    }
}

/// A policy on an attribute must say on which.
pub(super) fn check_key(key: &str, errors: &mut ConfigErrors, strictness: Strictness) {
    if key.is_empty() {
        strictness.doubt(errors, "key", "is missing: no attribute has no name", "name the attribute: key: http.route");
    }
}

struct Between {
    min: i64,
    max: i64,
    /// As in the Collector, where whatever is no whole number counts as 0.
    only_whole: bool,
    /// The number that was looked at last.
    last: Option<Told>,
}

impl AttributeTest for Between {
    fn fits_span(&mut self, value: ValueRef<'_>) -> bool {
        self.last = match value {
            ValueRef::Int(number) => Some(Told::Whole(number)),
            ValueRef::Double(number) => Some(Told::Number(number)),
            _ => None,
        };
        match value {
            ValueRef::Int(number) => (self.min..=self.max).contains(&number),
            _ if self.only_whole => (self.min..=self.max).contains(&0),
            ValueRef::Double(number) => self.holds(number),
            _ => false,
        }
    }

    fn told(&self) -> Option<Told> {
        self.last
    }
}

impl Between {
    /// A bound that was not given is none, however large the number.
    #[expect(clippy::cast_precision_loss, reason = "a number with a fraction is no more precise than a bound so far out")]
    fn holds(&self, number: f64) -> bool {
        let from = self.min == i64::MIN || number >= self.min as f64;
        let to = self.max == i64::MAX || number <= self.max as f64;
        from && to && !number.is_nan()
    }
}

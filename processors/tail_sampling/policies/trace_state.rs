//! `trace_state`: keeps traces with a span whose W3C trace state has a key with one of some values.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, OneOrMany, Schema};
use tracetailor_core::telemetry::Item;

use super::attribute::ByBit;
use super::numeric_attribute::check_key;
use super::{Block, Maker, Strictness, Voter};
use crate::tail_sampling::looks::SpanTest;
use crate::tail_sampling::trace_state::members;

/// The key and the values.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct TraceState {
    /// The member of the trace state.
    pub key: String,
    /// Its values, whole and as they are.
    pub values: OneOrMany<String>,
}

/// Key and value together must be shorter than this to be looked for, as in the Collector.
const LONGEST: usize = 256;

impl TraceState {
    fn usable(&self) -> impl Iterator<Item = &String> {
        self.values.iter().filter(|value| !value.is_empty() && self.key.len() + value.len() < LONGEST)
    }
}

impl Block for TraceState {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        check_key(&self.key, errors, strictness);
        if self.usable().next().is_none() {
            strictness.doubt(errors, "values", "has nothing that a member could be: nothing would fit", "list the values that are meant");
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let test = Has { key: self.key.clone(), values: self.usable().cloned().collect() };
        Box::new(ByBit { bit: maker.looks.span(Box::new(test)), inverted: false })
    }
}

struct Has {
    key: String,
    values: Vec<String>,
}

impl SpanTest for Has {
    fn fits(&mut self, span: &Item<'_>) -> bool {
        let state = span.trace_state();
        if state.is_empty() {
            return false;
        }
        let members = std::str::from_utf8(state).ok().and_then(members).unwrap_or_default();
        members.iter().any(|(key, value)| *key == self.key && self.values.iter().any(|wanted| wanted == value))
    }
}

//! `span_count`: keeps traces with so many spans.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Schema};

use super::{Block, Facts, Maker, Strictness, Vote, Voter};
use crate::tail_sampling::why::Told;

/// How many; as they came, duplicates included.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct SpanCount {
    /// At least so many.
    pub min_spans: i32,
    /// At most so many; 0 for no limit.
    pub max_spans: i32,
}

impl Block for SpanCount {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        if self.min_spans <= 0 && self.max_spans <= 0 {
            strictness.doubt(errors, "min_spans", "neither it nor max_spans is given: every trace fits", "give at least one of them");
        }
        if self.max_spans > 0 && self.min_spans > self.max_spans {
            strictness.doubt(errors, "min_spans", "is above max_spans: nothing would fit", "exchange them");
        }
    }

    fn voter(&self, _: &mut Maker<'_>) -> Box<dyn Voter> {
        Box::new(*self)
    }

    fn is_stateless(&self) -> bool {
        self.max_spans <= 0
    }
}

impl Voter for SpanCount {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        trace.tell(Told::Spans(trace.spans));
        let count = i64::try_from(trace.spans).unwrap_or(i64::MAX);
        let fits_below = self.max_spans == 0 || count <= i64::from(self.max_spans);
        Vote::keep_if(i64::from(self.min_spans) <= count && fits_below)
    }
}

//! `latency`: keeps traces by the time from their first start to their last end.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Schema};

use super::attribute::ByBit;
use super::{Block, Facts, Maker, Strictness, Vote, Voter};
use crate::tail_sampling::why::Told;

/// From when on a trace is slow.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Traces that last longer are kept, in milliseconds; one that lasts exactly so is not.
    pub threshold_ms: Option<i64>,
    /// Up to here, this included; 0 for no end.
    pub upper_threshold_ms: i64,
}

impl Block for Latency {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        if self.threshold_ms.is_none() && self.upper_threshold_ms == 0 {
            strictness.doubt(errors, "threshold_ms", "is missing: traces from 1 ms on would be kept", "say from when on a trace is slow");
        }
        if self.upper_threshold_ms != 0 && self.upper_threshold_ms <= self.threshold_ms.unwrap_or(0) {
            let right = "give a larger one, or remove it to have no end";
            strictness.doubt(errors, "upper_threshold_ms", "is not above threshold_ms: nothing would be kept", right);
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let band = (self.threshold_ms.unwrap_or(0), self.upper_threshold_ms);
        if maker.ways.original {
            // The Collector tests the trace as it is so far, after each span: the first that fits wins.
            return Box::new(ByBit { bit: maker.looks.extent_so_far(is_in, band), inverted: false });
        }
        maker.looks.want_extent();
        Box::new(Slow { band })
    }

    fn is_stateless(&self) -> bool {
        self.upper_threshold_ms <= 0
    }
}

struct Slow {
    band: (i64, i64),
}

impl Voter for Slow {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        let duration = trace.seen.extent.duration();
        trace.tell(Told::Milliseconds(duration));
        Vote::keep_if(is_in(duration, self.band))
    }
}

fn is_in(milliseconds: i64, (above, up_to): (i64, i64)) -> bool {
    milliseconds > above && (up_to == 0 || milliseconds <= up_to)
}

//! What the policies on an attribute have in common: some span, or its resource, has it, or with `invert_match` none.

use super::{Facts, Vote, Voter};
use crate::tail_sampling::seen::Bit;

/// Votes by one bit.
pub(super) struct ByBit {
    pub(super) bit: Bit,
    /// Whether the trace is kept where no span has it. No span: a trace in which one has it and another has not is not kept.
    pub(super) inverted: bool,
}

impl Voter for ByBit {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        if let Some(told) = trace.seen.told(self.bit) {
            trace.tell(told);
        }
        Vote::keep_if(trace.seen.bits.has(self.bit) != self.inverted)
    }
}

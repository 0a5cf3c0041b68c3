//! What the books count traces under, and what a decision is to them.

use tracetailor_core::component::{ProcessorContext, Verdict};
use tracetailor_core::ledger::Cause;

use super::ballot::{Decision, Outcome};

/// What the books count traces under.
pub(super) struct Causes {
    pub(super) sampled: Cause,
    pub(super) not_sampled: Cause,
    pub(super) dropped: Cause,
    pub(super) too_large: Cause,
    pub(super) pending: Cause,
    pub(super) evicted: Cause,
    /// Its time was over before any part spoke for it.
    pub(super) unmatched: Cause,
}

impl Causes {
    /// As the books know them.
    pub(super) fn new(context: &ProcessorContext) -> Self {
        Self {
            sampled: context.cause("sampled"),
            not_sampled: context.cause("not_sampled"),
            dropped: context.cause("dropped_by_policy"),
            too_large: context.cause("too_large"),
            pending: context.cause("pending_at_shutdown"),
            evicted: context.cause("evicted"),
            unmatched: context.cause("unmatched"),
        }
    }

    /// The decision as the store and the books know it. Late spans need to know how probable a keep was.
    pub(super) fn verdict(&self, decision: &Decision) -> Verdict {
        let Causes { sampled, not_sampled, dropped, too_large, pending, evicted, unmatched } = *self;
        match decision.outcome {
            Outcome::Sampled => Verdict::keep(sampled).with_note(decision.chance.note()),
            Outcome::NotSampled => Verdict::drop(not_sampled),
            Outcome::Dropped => Verdict::drop(dropped),
            Outcome::TooLarge => Verdict::drop(too_large),
            Outcome::Pending => Verdict::drop(pending),
            Outcome::Evicted => Verdict::drop(evicted),
            Outcome::Unmatched => Verdict::drop(unmatched),
        }
    }
}

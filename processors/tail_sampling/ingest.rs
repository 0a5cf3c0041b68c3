//! `sampling_strategy: span-ingest`: each fragment of a trace is judged by itself when it has come, and the first that is to be kept lets
//! the trace go.
//!
//! A fragment is what one request's resource holds of a trace. What no fragment speaks for goes when its time has come, without a vote, and
//! is forgotten: a later span of it begins a trace.

use tracetailor_core::telemetry::Item;
use tracetailor_core::trace_store::Outline;

use super::TailSampling;
use super::ballot::{Decision, Outcome};
use super::ways::Ways;

/// What the fragments of a trace came to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fragments {
    /// The resource of the fragment that is still arriving.
    resource: Option<u64>,
    /// What ends the waiting.
    verdict: Option<Decision>,
    /// A fragment is to be kept, if none that follows is dropped.
    kept: Option<Decision>,
}

impl Fragments {
    /// Whether a span of this resource begins another fragment than the one that is arriving.
    pub(super) fn ends_before(&self, resource: u64) -> bool {
        self.resource.is_some_and(|arriving| arriving != resource)
    }

    /// A span of this resource belongs to the fragment that is arriving.
    pub(super) fn arrive(&mut self, resource: u64) {
        self.resource = Some(resource);
    }

    /// Whether something has arrived since the last fragment was judged.
    pub(super) fn is_arriving(&self) -> bool {
        self.resource.is_some()
    }

    /// A fragment was judged. One that is dropped ends it; one that is kept does too, unless another could still be dropped.
    pub(super) fn judged(&mut self, decision: Decision, has_drops: bool) {
        self.resource = None;
        match decision.outcome {
            Outcome::Dropped => self.verdict = self.verdict.or(Some(decision)),
            Outcome::Sampled if has_drops => self.kept = self.kept.or(Some(decision)),
            Outcome::Sampled => self.verdict = self.verdict.or(Some(decision)),
            _ => {}
        }
    }

    /// Whether nothing more needs to be waited for.
    pub(super) fn is_final(&self) -> bool {
        self.verdict.is_some()
    }

    /// What the trace comes to when its time is over. In the Collector nothing is ever kept where a policy could drop.
    pub(super) fn outcome(&self, ways: Ways) -> Option<Decision> {
        self.verdict.or(self.kept.filter(|_| !ways.original))
    }
}

impl TailSampling {
    /// Judges the fragment that has arrived, if this span is not of it.
    pub(super) fn judge_fragment_before(&mut self, trace: &Outline<'_>, span: &Item<'_>) {
        let resource = span.context().resource_id();
        if self.seen[trace.slot().index()].rare().fragments.ends_before(resource) {
            self.judge_fragment(trace);
        }
        self.seen[trace.slot().index()].rare_mut().fragments.arrive(resource);
    }

    /// Judges the fragment that has arrived, by itself: what was seen before it is forgotten.
    pub(super) fn judge_fragment(&mut self, trace: &Outline<'_>) {
        let slot = trace.slot().index();
        let fragments = self.seen[slot].rare().fragments;
        if fragments.is_final() || !fragments.is_arriving() {
            return;
        }
        self.why.clear();
        self.vote(trace);
        let decision = self.votes.combine();
        self.counts.failed(self.votes.failures());
        let has_drops = self.policies.has_drops();
        let seen = &mut self.seen[slot];
        seen.rare_mut().fragments.judged(decision, has_drops);
        seen.forget_spans();
    }
}

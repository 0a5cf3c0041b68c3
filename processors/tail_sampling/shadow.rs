//! Policies in the shadow: asked about the same traces as the others, and only counted, so that a change can be judged before it is made.

use tracetailor_core::component::{Counter, ProcessorContext};

use super::ballot::{Decision, FirstMatch, Outcome, Policies, Votes};
use super::counts::Counted;
use super::policies::{Facts, Maker, Policy, Voter};

/// They, and what they come to.
pub(super) struct Shadow {
    policies: Policies,
    votes: Votes,
    traces: [[Counter; 2]; 2],
    spans: [[Counter; 2]; 2],
}

impl Shadow {
    /// Nothing where there are none.
    pub(super) fn new(policies: &[Policy], first_match: FirstMatch, maker: &mut Maker<'_>) -> Option<Self> {
        if policies.is_empty() {
            return None;
        }
        // What they count and what they spend is apart from the others.
        let apart = |policy: &Policy| Policy { name: format!("shadow/{}", policy.name), ..policy.clone() };
        let policies: Vec<Policy> = policies.iter().map(apart).collect();
        let (traces, spans) = (
            counters(maker.context, "tracetailor_sampling_shadow_traces_total"),
            counters(maker.context, "tracetailor_sampling_shadow_spans_total"),
        );
        Some(Self { policies: Policies::new(&policies, first_match, maker), votes: Votes::default(), traces, spans })
    }

    /// Those who look at spans by themselves.
    pub(super) fn lookers(&mut self) -> impl Iterator<Item = &mut Box<dyn Voter>> {
        self.policies.lookers()
    }

    /// What they would have made of a trace on which this was decided, counted.
    pub(super) fn ask(&mut self, trace: &Facts<'_>, decision: &Decision, of: Counted) -> bool {
        self.policies.vote(trace, &mut self.votes);
        self.policies.count(&self.votes, of);
        let (would, did) = (self.votes.combine().outcome == Outcome::Sampled, decision.outcome == Outcome::Sampled);
        self.votes.clear();
        self.traces[usize::from(would)][usize::from(did)].add(1);
        self.spans[usize::from(would)][usize::from(did)].add(of.spans);
        would
    }
}

/// By what they would have done, and what was done.
fn counters(context: &ProcessorContext, name: &str) -> [[Counter; 2]; 2] {
    let words = ["drop", "keep"];
    words.map(|would| words.map(|did| context.counter(name, &[("would", would), ("did", did)])))
}

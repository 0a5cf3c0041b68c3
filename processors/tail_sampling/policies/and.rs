//! `and`: keeps what all its policies would keep, each for a span of its own.

use serde::Deserialize;
use tracetailor_core::config::{ConfigErrors, Schema};

use super::{Ballot, Block, Facts, Maker, Place, Policy, Strictness, SubPolicies, Vote, Voter};
use crate::tail_sampling::randomness::Chance;

/// Which policies.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct And {
    /// Policies with the keys of those below `policies`.
    pub and_sub_policy: SubPolicies,
}

impl Block for And {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        check_children("and_sub_policy", &self.and_sub_policy, Place::And, "every trace would be kept", errors, strictness);
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        Box::new(All::of(&self.and_sub_policy.0, maker))
    }

    fn is_stateless(&self) -> bool {
        self.and_sub_policy.0.iter().all(Policy::is_stateless)
    }
}

/// The checks of a list of policies inside of one, and of each.
pub(super) fn check_children(
    key: &str,
    children: &SubPolicies,
    place: Place,
    if_empty: &str,
    errors: &mut ConfigErrors,
    strictness: Strictness,
) {
    let SubPolicies(children) = children;
    if children.is_empty() {
        strictness.doubt(errors, key, format!("is empty: {if_empty}"), "list the policies that are meant");
    }
    for (index, child) in children.iter().enumerate() {
        child.check(place, &mut errors.at(key).index(index), strictness);
    }
}

/// Policies that must all agree.
pub(super) struct All {
    children: Vec<Box<dyn Voter>>,
    /// In the order in which they are asked.
    order: Vec<usize>,
    spends: bool,
}

impl All {
    pub(super) fn of(policies: &[Policy], maker: &mut Maker<'_>) -> Self {
        let children = maker.children(policies);
        let mut order: Vec<usize> = (0..children.len()).collect();
        if !maker.ways.original {
            // Who spends is asked last, so that nothing is spent on traces that another refuses.
            order.sort_by_key(|place| children[*place].spends());
        }
        let spends = children.iter().any(|child| child.spends());
        Self { children, order, spends }
    }
}

impl Voter for All {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        let mut chance = Chance::CERTAIN;
        let mut refused: Option<Vote> = None;
        for place in &self.order {
            let child = &mut self.children[*place];
            if refused.is_some() && child.spends() {
                break;
            }
            let vote = trace.ask(*place, child.as_mut()).of_child(*place);
            match vote.ballot {
                Ballot::Keep => chance = chance.and(vote.chance),
                // Refused by chance: if another refuses it for certain, no chance was involved after all.
                Ballot::Refuse if vote.chance != Chance::CERTAIN => refused = refused.or(Some(vote)),
                Ballot::Refuse | Ballot::Pass => return vote,
                Ballot::Drop | Ballot::Fail => return refused.unwrap_or(vote),
            }
        }
        refused.unwrap_or(Vote::KEEP.by(chance))
    }

    fn spends(&self) -> bool {
        self.spends
    }

    fn children(&mut self) -> &mut [Box<dyn Voter>] {
        &mut self.children
    }
}

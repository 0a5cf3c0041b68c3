//! `not`: keeps what a policy would not.

use serde::Deserialize;
use tracetailor_core::config::{ConfigErrors, Schema};

use super::{Ballot, Block, Facts, Maker, Place, Policy, Strictness, Vote, Voter};
use crate::tail_sampling::randomness::Chance;

/// Which policy.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Not {
    /// One policy, with the keys of those below `policies`.
    pub not_sub_policy: Option<SubPolicy>,
}

/// A policy inside of another.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct SubPolicy(Box<Policy>);

impl Schema for SubPolicy {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SubPolicy".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let policy = generator.subschema_for::<Policy>();
        schemars::json_schema!({ "title": "policy", "allOf": [policy] })
    }
}

impl Not {
    /// The policy inside of it.
    pub(super) fn policy(&self) -> Option<&Policy> {
        self.not_sub_policy.as_ref().map(|SubPolicy(policy)| policy.as_ref())
    }
}

impl Block for Not {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        match &self.not_sub_policy {
            Some(SubPolicy(policy)) => policy.check(Place::Not, &mut errors.at("not_sub_policy"), strictness),
            None => errors.error("not_sub_policy", "is missing", "write the policy whose opposite is meant"),
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        Box::new(Opposite { child: maker.children(self.policy().map_or(&[], std::slice::from_ref)) })
    }

    fn is_stateless(&self) -> bool {
        self.not_sub_policy.as_ref().is_none_or(|SubPolicy(policy)| policy.is_stateless())
    }
}

struct Opposite {
    /// One, in a valid configuration.
    child: Vec<Box<dyn Voter>>,
}

impl Voter for Opposite {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        let Some(child) = self.child.first_mut() else { return Vote::REFUSE };
        let vote = trace.ask(0, child.as_mut());
        match vote.ballot {
            Ballot::Keep => Vote { ballot: Ballot::Refuse, chance: complement(vote.chance), ..vote },
            Ballot::Refuse | Ballot::Pass => Vote { ballot: Ballot::Keep, ..vote },
            Ballot::Drop | Ballot::Fail => vote,
        }
    }

    fn spends(&self) -> bool {
        self.child.iter().any(|child| child.spends())
    }

    fn children(&mut self) -> &mut [Box<dyn Voter>] {
        &mut self.child
    }
}

/// How probable the opposite of a keep was. No threshold says "below", so it was certain, or nobody can say.
fn complement(chance: Chance) -> Chance {
    if chance == Chance::CERTAIN { Chance::CERTAIN } else { Chance::Unknown }
}

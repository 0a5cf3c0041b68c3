//! `drop`: drops what all its policies would keep, whatever other policies say.

use serde::Deserialize;
use tracetailor_core::config::{ConfigErrors, Schema};

use super::and::{All, check_children};
use super::{Ballot, Block, Facts, Maker, Place, Policy, Strictness, SubPolicies, Vote, Voter};

/// Which policies.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Drop {
    /// Policies with the keys of those below `policies`. One that fails keeps the trace from being dropped.
    pub drop_sub_policy: SubPolicies,
}

impl Block for Drop {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        check_children("drop_sub_policy", &self.drop_sub_policy, Place::Drop, "every trace would be dropped", errors, strictness);
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        Box::new(Drops { all: All::of(&self.drop_sub_policy.0, maker) })
    }

    fn is_stateless(&self) -> bool {
        self.drop_sub_policy.0.iter().all(Policy::is_stateless)
    }
}

struct Drops {
    all: All,
}

impl Voter for Drops {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        let vote = self.all.vote(trace);
        match vote.ballot {
            Ballot::Keep => Vote { ballot: Ballot::Drop, ..vote },
            _ => vote,
        }
    }

    fn spends(&self) -> bool {
        self.all.spends()
    }

    fn children(&mut self) -> &mut [Box<dyn Voter>] {
        self.all.children()
    }
}

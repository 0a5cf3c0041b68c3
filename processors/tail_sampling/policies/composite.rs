//! `composite`: shares a number of spans a second among policies.
//!
//! Within a second, as the wall clock has it, each policy inside may keep so many spans as its allocation says, and all together so many as
//! the total. What does not fit for one is offered to the next.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, OneOrMany, Schema, quoted};
use tracetailor_core::time::LogTime;

use super::and::check_children;
use super::limiting::{found, shard_of};
use super::{Ballot, Block, Facts, Maker, Place, Policy, Strictness, SubPolicies, Vote, Voter};
use crate::tail_sampling::randomness::Chance;
use crate::tail_sampling::why::Told;

/// How many spans, and for whom.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Composite {
    /// So many spans a second for all together.
    pub max_total_spans_per_second: i64,
    /// Names of the policies below in the order in which they are asked; those that are not named follow in the order in which they stand.
    pub policy_order: OneOrMany<String>,
    /// Policies with the keys of those below `policies`.
    pub composite_sub_policy: SubPolicies,
    /// What each of them may have of the total.
    pub rate_allocation: Vec<RateAllocation>,
}

/// What one policy may have.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct RateAllocation {
    /// The name of a policy of `composite_sub_policy`.
    pub policy: String,
    /// So much of the total; a policy without an entry, or with 0 here, has the total divided by the number of policies.
    pub percent: i64,
}

impl Block for Composite {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        if self.max_total_spans_per_second <= 0 {
            strictness.doubt(errors, "max_total_spans_per_second", "lets nothing pass", "give a number above 0");
        }
        let nothing = "no trace would be kept";
        check_children("composite_sub_policy", &self.composite_sub_policy, Place::Composite, nothing, errors, strictness);
        if strictness.lenient && !self.policy_order.is_empty() {
            let right = "order composite_sub_policy instead, as the Collector does";
            errors.warn("policy_order", "is read and without effect with compatibility: otelcol", right);
        }
        for (index, name) in self.policy_order.iter().enumerate() {
            self.check_name(name, &mut errors.at("policy_order").index(index), strictness);
        }
        for (index, allocation) in self.rate_allocation.iter().enumerate() {
            let errors = &mut *errors.at("rate_allocation").index(index);
            self.check_name(&allocation.policy, &mut errors.at("policy"), strictness);
            if !(0..=100).contains(&allocation.percent) {
                strictness.doubt(errors, "percent", "is no percentage", "write a number from 1 to 100");
            }
        }
        if self.rate_allocation.iter().map(|allocation| allocation.percent.max(0)).sum::<i64>() > 100 {
            strictness.doubt(errors, "rate_allocation", "allocates more than 100 percent", "lower some of them");
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let SubPolicies(policies) = &self.composite_sub_policy;
        let total = maker.ways.share_of(self.max_total_spans_per_second);
        let allocations = policies.iter().map(|policy| self.allocation(policy, total, policies.len())).collect();
        let children = maker.children(policies);
        let (count, shards) = (children.len(), maker.ways.shards());
        let fits = |known: &Arc<[Window]>| known.len() == shards && known.iter().all(|window| window.fits(count));
        let windows = found(&maker.limiters.windows, &maker.path, fits, || (0..shards).map(|_| Window::of(count)).collect());
        let order = if maker.ways.original { (0..count).collect() } else { self.order() };
        Box::new(Shares { children, allocations, total, order, windows, original: maker.ways.original })
    }

    fn is_stateless(&self) -> bool {
        self.composite_sub_policy.0.iter().all(Policy::is_stateless)
    }
}

impl Composite {
    fn check_name(&self, name: &str, errors: &mut ConfigErrors, strictness: Strictness) {
        let SubPolicies(policies) = &self.composite_sub_policy;
        if !policies.iter().any(|policy| policy.name == name) {
            let wrong = format!("there is no policy {} in composite_sub_policy", quoted(name));
            let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
            let right = format!("there are {}", tracetailor_core::config::one_of(names));
            if strictness.lenient { errors.warn_here(wrong, right) } else { errors.error_here(wrong, right) }
        }
    }

    /// So many spans a second, cut to a whole number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "cut as the Collector cuts it")]
    fn allocation(&self, policy: &Policy, total: i64, count: usize) -> i64 {
        let percent =
            self.rate_allocation.iter().rev().find(|allocation| allocation.policy == policy.name).map_or(0, |found| found.percent);
        if percent > 0 {
            // By way of a float, as the Collector does: 29 percent of 100 are 28.
            return (percent as f64 / 100.0 * total as f64) as i64;
        }
        total / i64::try_from(count.max(1)).unwrap_or(i64::MAX)
    }

    /// The places of the policies, those that `policy_order` names first.
    fn order(&self) -> Vec<usize> {
        let SubPolicies(policies) = &self.composite_sub_policy;
        let rank = |place: &usize| self.policy_order.iter().position(|name| *name == policies[*place].name).unwrap_or(usize::MAX);
        let mut order: Vec<usize> = (0..policies.len()).collect();
        order.sort_by_key(rank);
        order
    }
}

struct Shares {
    children: Vec<Box<dyn Voter>>,
    allocations: Vec<i64>,
    total: i64,
    order: Vec<usize>,
    windows: Arc<[Window]>,
    original: bool,
}

impl Voter for Shares {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        let window = &self.windows[shard_of(trace.id(), self.windows.len())];
        let spans = i64::try_from(trace.spans).unwrap_or(i64::MAX);
        for place in &self.order {
            let vote = trace.ask(*place, self.children[*place].as_mut()).of_child(*place);
            match vote.ballot {
                Ballot::Keep => {}
                Ballot::Fail => return vote,
                Ballot::Refuse | Ballot::Drop | Ballot::Pass => continue,
            }
            let limits = Limits { allocation: self.allocations[*place], total: self.total, is_each: self.original };
            if window.take(*place, spans, limits, trace.now()) {
                return Vote { chance: Chance::Unknown, ..vote };
            }
            trace.tell(Told::UsedUp);
            if self.original {
                return Vote { ballot: Ballot::Refuse, chance: Chance::Unknown, ..vote };
            }
        }
        Vote::REFUSE.by(Chance::Unknown)
    }

    fn spends(&self) -> bool {
        true
    }

    fn children(&mut self) -> &mut [Box<dyn Voter>] {
        &mut self.children
    }
}

/// What of a second was given away, and to whom.
#[derive(Debug)]
pub(in crate::tail_sampling) struct Window(Mutex<Given>);

#[derive(Debug)]
struct Given {
    second: u64,
    spans: Vec<i64>,
}

#[derive(Clone, Copy)]
struct Limits {
    allocation: i64,
    total: i64,
    /// Each policy by itself is held to the total, as in the Collector.
    is_each: bool,
}

impl Window {
    fn of(policies: usize) -> Self {
        Self(Mutex::new(Given { second: 0, spans: vec![0; policies] }))
    }

    fn fits(&self, policies: usize) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spans.len() == policies
    }

    /// Takes so many of this second for a policy, if that many are left.
    fn take(&self, place: usize, spans: i64, limits: Limits, now: LogTime) -> bool {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let second = now.0 / 1_000_000_000;
        if second != given.second {
            given.second = second;
            given.spans.fill(0);
        }
        let own = given.spans[place].saturating_add(spans);
        let all = if limits.is_each { own } else { given.spans.iter().sum::<i64>().saturating_add(spans) };
        let fits = own <= limits.allocation && all <= limits.total;
        if fits {
            given.spans[place] = own;
        }
        fits
    }
}

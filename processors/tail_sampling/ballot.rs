//! From votes to a decision: one drop ends it, one keep is enough, and what was not kept by anybody is not kept.

use super::counts::{Counted, PolicyCounts};
use super::policies::{Ballot, Facts, Maker, Policy, PolicyType, Vote, Voter};
use super::randomness::Chance;
use super::rules::{self, Matches, Rule};

/// All policies of the processor, in the order in which they are asked: those that drop first.
pub(super) struct Policies {
    named: Vec<Named>,
    first_match: FirstMatch,
    /// So many of them drop.
    drops: u16,
    /// Somebody must be shown every span.
    look: bool,
}

/// What the first keep ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstMatch {
    /// Nothing: all are asked.
    AllAreAsked,
    /// The asking of those who spend.
    NobodySpends,
    /// All asking, as in the Collector.
    NobodyIsAsked,
    /// They are rules: who does not pass decides.
    Decides,
}

struct Named {
    name: String,
    /// The names of the policies inside of it, by their places.
    children: Vec<String>,
    drops: bool,
    voter: Box<dyn Voter>,
    counts: PolicyCounts,
}

/// The votes on one trace, with the places of the policies.
#[derive(Debug, Default)]
pub(super) struct Votes {
    pub(super) all: Vec<(u16, Vote)>,
    /// The policies before this place are those that drop.
    drops: u16,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) outcome: Outcome,
    /// How probable a keep was.
    pub(super) chance: Chance,
    /// The policy to which it is credited, and which of those inside of it.
    pub(super) policy: Option<(u16, Option<u16>)>,
}

/// What becomes of a trace, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Some policy keeps it.
    Sampled,
    /// None does.
    NotSampled,
    /// A policy drops it.
    Dropped,
    /// It is larger than a trace may be.
    TooLarge,
    /// It was not decided when the gateway stopped.
    Pending,
    /// It had to make room, as the Collector does it.
    Evicted,
    /// Its time was over before any part of it spoke for keeping it.
    Unmatched,
}

impl Decision {
    /// Whether policies were asked.
    pub(super) fn is_voted(&self) -> bool {
        matches!(self.outcome, Outcome::Sampled | Outcome::NotSampled | Outcome::Dropped)
    }

    pub(super) fn without_votes(outcome: Outcome) -> Self {
        Self { outcome, chance: Chance::CERTAIN, policy: None }
    }
}

impl Policies {
    pub(super) fn new(policies: &[Policy], first_match: FirstMatch, maker: &mut Maker<'_>) -> Self {
        let mut voters = Vec::with_capacity(policies.len());
        for policy in policies {
            maker.path.clone_from(&policy.name);
            voters.push(policy.voter(maker));
        }
        let in_bytes = maker.looks.wants_sizes();
        let make = |(policy, mut voter): (&Policy, Box<dyn Voter>)| {
            let look = voter.looks();
            let counts = PolicyCounts::new(maker.context, &policy.name, maker.ways, in_bytes);
            (
                Named {
                    name: policy.name.clone(),
                    children: policy.child_names(),
                    drops: policy.kind == Some(PolicyType::Drop),
                    voter,
                    counts,
                },
                look,
            )
        };
        let (mut named, looks): (Vec<Named>, Vec<bool>) = policies.iter().zip(voters).map(make).unzip();
        named.sort_by_key(|policy| !policy.drops);
        let drops = named.iter().filter(|policy| policy.drops).count();
        Self { named, first_match, drops: u16::try_from(drops).unwrap_or(u16::MAX), look: looks.contains(&true) }
    }

    /// Rules in the place of policies, in the order in which they stand, and behind them the one that nobody writes.
    pub(super) fn of_rules(rules: &[Rule], maker: &mut Maker<'_>) -> Self {
        let mut matches = Matches::default();
        let mut voters: Vec<(&str, Box<dyn Voter>)> = Vec::with_capacity(rules.len() + 1);
        for rule in rules {
            maker.path.clone_from(&rule.name);
            voters.push((&rule.name, rule.voter(&mut matches, maker)));
        }
        voters.push((rules::NONE, rules::none()));
        maker.looks.watch(Box::new(matches));
        let in_bytes = maker.looks.wants_sizes();
        let look = voters.iter_mut().any(|(_, voter)| voter.looks());
        let named = voters.into_iter().map(|(name, voter)| {
            let counts = PolicyCounts::new(maker.context, name, maker.ways, in_bytes);
            Named { name: name.to_owned(), children: Vec::new(), drops: false, voter, counts }
        });
        Self { named: named.collect(), first_match: FirstMatch::Decides, drops: 0, look }
    }

    /// What the policy is called to which a decision is credited, and the one inside of it.
    pub(super) fn names(&self, (place, child): (u16, Option<u16>)) -> (&str, Option<&str>) {
        let Some(policy) = self.named.get(usize::from(place)) else { return ("", None) };
        let child = child.and_then(|child| policy.children.get(usize::from(child))).filter(|name| !name.is_empty());
        (&policy.name, child.map(String::as_str))
    }

    /// Where a policy stands.
    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.named.iter().position(|policy| policy.name == name)
    }

    /// Asks one of them alone, and counts nothing.
    pub(super) fn ask(&mut self, place: usize, trace: &Facts<'_>) -> Option<Vote> {
        self.named.get_mut(place).map(|policy| trace.ask(place, policy.voter.as_mut()))
    }

    /// Whether a trace may still be dropped when it is to be kept.
    pub(super) fn has_drops(&self) -> bool {
        self.drops > 0
    }

    /// Those who look at spans by themselves.
    pub(super) fn lookers(&mut self) -> impl Iterator<Item = &mut Box<dyn Voter>> {
        let look = self.look;
        self.named.iter_mut().filter(move |_| look).map(|policy| &mut policy.voter)
    }

    /// Asks the policies. A drop ends it; a keep, where the first match counts, ends it for those who would spend. The others are asked
    /// all the same, because what the trace stands for depends on them.
    pub(super) fn vote(&mut self, trace: &Facts<'_>, votes: &mut Votes) {
        votes.all.clear();
        votes.drops = self.drops;
        let mut is_kept = false;
        for (place, policy) in (0u16..).zip(&mut self.named) {
            match self.first_match {
                FirstMatch::NobodyIsAsked if is_kept => return,
                FirstMatch::NobodySpends if is_kept && policy.voter.spends() => continue,
                _ => {}
            }
            let vote = policy.counts.time(|| trace.ask(place.into(), policy.voter.as_mut()));
            votes.all.push((place, vote));
            is_kept |= vote.ballot == Ballot::Keep;
            let is_over = vote.ballot == Ballot::Drop || self.first_match == FirstMatch::Decides && vote.ballot != Ballot::Pass;
            if is_over {
                return;
            }
        }
    }

    /// Counts what each has said.
    pub(super) fn count(&self, votes: &Votes, of: Counted) {
        for (place, vote) in &votes.all {
            if let Some(policy) = self.named.get(usize::from(*place)) {
                policy.counts.voted(vote.ballot, of);
            }
        }
    }
}

impl Votes {
    /// How many of them could not be decided.
    pub(super) fn failures(&self) -> usize {
        self.all.iter().filter(|(_, vote)| vote.ballot == Ballot::Fail).count()
    }

    /// For the next trace.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    /// What they come to.
    pub(super) fn combine(&self) -> Decision {
        let of = |ballot| self.all.iter().find(move |(_, vote)| vote.ballot == ballot);
        if let Some((place, vote)) = of(Ballot::Drop) {
            return Decision { outcome: Outcome::Dropped, chance: Chance::CERTAIN, policy: Some((*place, vote.child)) };
        }
        let Some((place, vote)) = of(Ballot::Keep) else { return Decision::without_votes(Outcome::NotSampled) };
        let kept = self.all.iter().filter(|(_, vote)| vote.ballot == Ballot::Keep).map(|(_, vote)| vote.chance);
        let chance = kept.reduce(Chance::or).unwrap_or(Chance::CERTAIN);
        Decision { outcome: Outcome::Sampled, chance: self.unless_spared(chance), policy: Some((*place, vote.child)) }
    }

    /// Where chance spared the trace from being dropped, nobody can say how probable it was to be kept.
    fn unless_spared(&self, chance: Chance) -> Chance {
        let spared = |(place, vote): &(u16, Vote)| *place < self.drops && vote.ballot == Ballot::Refuse && vote.chance != Chance::CERTAIN;
        if self.all.iter().any(spared) { Chance::Unknown } else { chance }
    }
}

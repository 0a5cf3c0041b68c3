//! The policies: what a user writes of each, and what it votes on a trace.
//!
//! One file for each idea. A policy's block is a struct of the Collector's keys, with its checks; from it a [`Voter`] is made. When it is
//! made it tells [`Looks`] what to look for in spans; when a trace is due it is asked for its [`Vote`], and answers from what was
//! [seen](super::seen::Seen). No policy walks a trace's spans.
//!
//! # How to add one
//!
//! 1. A file with its block ([`Check`], `Deserialize`, `Schema`) and its voter.
//! 2. A word in [`PolicyType`], a field in [`Policy`], and one line each in [`Policy::block`] and [`Policy::voter`].
//! 3. A line in the table of [`Place::takes`], where it may stand inside of others.
//!
//! A policy that must know more of spans than yes or no (the values of some fields) overrides [`Voter::open`], [`Voter::arrive`] and
//! [`Voter::close`] and keeps what it needs by the trace's slot.

mod always_sample;
mod and;
mod attribute;
mod boolean_attribute;
mod composite;
mod drop;
pub(super) mod dynamic;
mod latency;
mod limiting;
mod not;
mod numeric_attribute;
pub(super) mod ottl_condition;
pub(super) mod probabilistic;
mod span_count;
mod status_code;
mod string_attribute;
mod structure;
mod trace_flags;
mod trace_state;

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use tracetailor_core::component::ProcessorContext;
use tracetailor_core::config::{ConfigErrors, Schema};
use tracetailor_core::probability::Randomness;
use tracetailor_core::telemetry::{Item, TraceId};
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::{Outline, Slot};

use super::looks::Looks;
use super::randomness::Chance;
use super::seen::Seen;
use super::ways::Ways;
use super::why::{Told, Trail};

pub(super) use limiting::{Limiters, shard_of};

/// One policy, as it is written: a name, a type, and the block that is named as the type.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What it is called in metrics and explanations.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Which block counts.
    #[serde(rename = "type")]
    pub kind: Option<PolicyType>,
    /// Votes to keep every trace. It has no keys.
    pub always_sample: Option<always_sample::AlwaysSample>,
    /// Keeps traces that last longer than so.
    pub latency: Option<latency::Latency>,
    /// Keeps traces with a number under a key.
    pub numeric_attribute: Option<numeric_attribute::NumericAttribute>,
    /// Keeps a share of traces.
    pub probabilistic: Option<probabilistic::Probabilistic>,
    /// Keeps traces with a span that ended in a certain way.
    pub status_code: Option<status_code::StatusCodes>,
    /// Keeps traces with a text under a key.
    pub string_attribute: Option<string_attribute::StringAttribute>,
    /// Keeps traces with true or false under a key.
    pub boolean_attribute: Option<boolean_attribute::BooleanAttribute>,
    /// Keeps traces by the W3C trace state of their spans.
    pub trace_state: Option<trace_state::TraceState>,
    /// Keeps traces with a span that was sampled where it was made. It has no keys.
    pub trace_flags: Option<trace_flags::TraceFlags>,
    /// Keeps traces as long as there are not too many spans.
    pub rate_limiting: Option<limiting::RateLimiting>,
    /// Keeps traces as long as there are not too many bytes.
    pub bytes_limiting: Option<limiting::BytesLimiting>,
    /// Keeps traces with so many spans.
    pub span_count: Option<span_count::SpanCount>,
    /// Keeps traces with a span of which a condition in OTTL is true.
    pub ottl_condition: Option<ottl_condition::OttlCondition>,
    /// Keeps of each kind of trace as much as it is worth.
    pub dynamic: Option<dynamic::Dynamic>,
    /// Keeps traces by what is missing in them.
    pub structure: Option<structure::Structure>,
    /// Keeps what all its policies would keep.
    pub and: Option<and::And>,
    /// Drops what all its policies would keep, whatever other policies say.
    pub drop: Option<drop::Drop>,
    /// Keeps what its policy would not.
    pub not: Option<not::Not>,
    /// Shares a number of spans a second among policies.
    pub composite: Option<composite::Composite>,
}

/// A name is text: where it stands as a number, as in the Collector, a mistake is more likely than a name.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Text;

    impl Visitor<'_> for Text {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text, in quotes where it looks like a number")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
    }

    deserializer.deserialize_any(Text)
}

/// What kinds of policies there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyType {
    AlwaysSample,
    Latency,
    NumericAttribute,
    Probabilistic,
    StatusCode,
    StringAttribute,
    BooleanAttribute,
    TraceState,
    TraceFlags,
    RateLimiting,
    BytesLimiting,
    SpanCount,
    OttlCondition,
    Dynamic,
    Structure,
    And,
    Drop,
    Not,
    Composite,
}

/// Where a policy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Top,
    And,
    Drop,
    Not,
    Composite,
}

impl Place {
    /// Whether a policy of that kind may stand here.
    fn takes(self, kind: PolicyType) -> bool {
        match kind {
            PolicyType::Drop | PolicyType::Composite => self == Place::Top,
            PolicyType::And => matches!(self, Place::Top | Place::Composite),
            PolicyType::Not => matches!(self, Place::Top | Place::And | Place::Drop),
            _ => true,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Place::Top => "policies",
            Place::And => "and",
            Place::Drop => "drop",
            Place::Not => "not",
            Place::Composite => "composite",
        }
    }
}

/// A list of policies inside of another. Its keys are those of `policies`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct SubPolicies(pub(super) Vec<Policy>);

/// Not told again in the table of keys, which would never end.
impl Schema for SubPolicies {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SubPolicies".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let policy = generator.subschema_for::<Policy>();
        schemars::json_schema!({ "title": "list of policies", "type": "array", "items": { "allOf": [policy] } })
    }
}

/// What checks of policies need to know beside the block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strictness {
    /// What the Collector would start with is only warned of.
    pub(super) lenient: bool,
}

impl Strictness {
    /// What the Collector takes without a word and should not.
    pub(super) fn doubt(self, errors: &mut ConfigErrors, key: &str, wrong: impl Into<String>, right: impl Into<String>) {
        if self.lenient { errors.warn(key, wrong, right) } else { errors.error(key, wrong, right) }
    }
}

/// A policy's block, checked and made ready.
pub(super) trait Block {
    /// Says what is wrong with it, with paths relative to it.
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness);

    /// Who votes for it.
    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter>;

    /// Whether one part of a trace may be kept before the rest is there: not where an upper bound or a rate is involved.
    fn is_stateless(&self) -> bool {
        true
    }
}

/// What a voter is made with.
pub(super) struct Maker<'a> {
    /// Where it says what to look for.
    pub(super) looks: &'a mut Looks,
    /// What the processor is made with.
    pub(super) context: &'a ProcessorContext,
    /// What lanes share of limits.
    pub(super) limiters: &'a Limiters,
    /// How far the Collector is followed.
    pub(super) ways: Ways,
    /// Where the policy stands, by names: what its shared state is known by.
    pub(super) path: String,
}

impl Maker<'_> {
    /// The voters of policies inside of one.
    pub(super) fn children(&mut self, policies: &[Policy]) -> Vec<Box<dyn Voter>> {
        let mut child = |(place, policy): (usize, &Policy)| {
            let path = self.path.clone();
            self.path = format!("{path}/{place}");
            let voter = policy.voter(self);
            self.path = path;
            voter
        };
        policies.iter().enumerate().map(&mut child).collect()
    }
}

/// What a policy may know when it votes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    /// What the store knows of it: its id, its slot, its shape.
    pub(super) outline: &'a Outline<'a>,
    pub(super) seen: &'a Seen,
    /// Spans that came, duplicates included.
    pub(super) spans: u64,
    /// Where votes and what decided them are taken down.
    pub(super) trail: &'a Trail,
}

impl Facts<'_> {
    /// Asks somebody, at this place of the list that it stands in. Who asks others inside of it asks them by this, so that their votes are known.
    pub(super) fn ask(&self, place: usize, voter: &mut dyn Voter) -> Vote {
        self.trail.enter(place);
        let vote = voter.vote(self);
        self.trail.leave(&vote);
        vote
    }

    /// Says what decides a vote, for whoever asks why.
    pub(super) fn tell(&self, told: Told) {
        self.trail.tell(told);
    }

    /// Its id.
    pub(super) fn id(&self) -> TraceId {
        self.outline.id()
    }

    /// The time of the decision.
    pub(super) fn now(&self) -> LogTime {
        self.outline.now()
    }

    /// The trace's randomness: what a span states, or the end of its id.
    pub(super) fn randomness(&self) -> Randomness {
        self.seen.stated.unwrap_or_else(|| Randomness::of(self.id()))
    }
}

/// What a policy says of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vote {
    pub(super) ballot: Ballot,
    /// How probable that was.
    pub(super) chance: Chance,
    /// Which of the policies inside of it made it so.
    pub(super) child: Option<u16>,
}

/// What a vote comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ballot {
    /// Keep it.
    Keep,
    /// Nothing speaks for keeping it.
    Refuse,
    /// Drop it, whatever others say.
    Drop,
    /// It could not be decided.
    Fail,
    /// It is a rule, and does not fit.
    Pass,
}

impl Vote {
    pub(super) const KEEP: Vote = Vote { ballot: Ballot::Keep, chance: Chance::CERTAIN, child: None };
    pub(super) const DROP: Vote = Vote { ballot: Ballot::Drop, chance: Chance::CERTAIN, child: None };
    pub(super) const PASS: Vote = Vote { ballot: Ballot::Pass, chance: Chance::CERTAIN, child: None };
    pub(super) const REFUSE: Vote = Vote { ballot: Ballot::Refuse, chance: Chance::CERTAIN, child: None };

    /// Keep it if so, with no chance involved.
    pub(super) fn keep_if(fits: bool) -> Vote {
        if fits { Vote::KEEP } else { Vote::REFUSE }
    }

    /// The same, and how probable it was.
    pub(super) fn by(self, chance: Chance) -> Vote {
        Vote { chance, ..self }
    }

    /// The same, made so by a policy inside.
    pub(super) fn of_child(self, place: usize) -> Vote {
        Vote { child: u16::try_from(place).ok(), ..self }
    }
}

/// Who votes for a policy.
pub(super) trait Voter: Send {
    /// The vote on a trace whose time has come.
    fn vote(&mut self, trace: &Facts<'_>) -> Vote;

    /// Whether a vote changes later ones: it spends of something. Others may be asked more often than the user's order demands.
    fn spends(&self) -> bool {
        false
    }

    /// The policies inside of it. What spans it is shown, it shows to them.
    fn children(&mut self) -> &mut [Box<dyn Voter>] {
        &mut []
    }

    /// Whether [`Voter::open`], [`Voter::arrive`] and [`Voter::close`] are to be called: it must know more of spans than bits can say.
    fn looks(&mut self) -> bool {
        self.children().iter_mut().any(|child| child.looks())
    }

    /// A trace begins.
    fn open(&mut self, slot: Slot) {
        self.children().iter_mut().for_each(|child| child.open(slot));
    }

    /// A span of it has come.
    fn arrive(&mut self, trace: &Outline<'_>, span: &Item<'_>) {
        self.children().iter_mut().for_each(|child| child.arrive(trace, span));
    }

    /// The trace is gone.
    fn close(&mut self, slot: Slot) {
        self.children().iter_mut().for_each(|child| child.close(slot));
    }
}

impl Policy {
    /// Says what is wrong with it where it stands.
    pub(super) fn check(&self, place: Place, errors: &mut ConfigErrors, strictness: Strictness) {
        let Some(kind) = self.kind else {
            return errors.error("type", "is missing", "say what kind of policy it is: type: status_code");
        };
        if !place.takes(kind) {
            let wrong = format!("a policy {} cannot stand inside of {}", kind.name(), place.name());
            return errors.error("type", wrong, "write it as a policy of its own below `policies`");
        }
        for (other, present) in self.blocks() {
            if present && other != kind {
                errors.warn(other.name(), format!("is not used: the type is {}", kind.name()), "remove it, or write it as its own policy");
            }
        }
        self.block().check(&mut errors.at(kind.name()), strictness);
    }

    /// The block that counts; one that was not written has its defaults.
    fn block(&self) -> Box<dyn Block + '_> {
        fn of<T: Block + Clone + Default + 'static>(block: Option<&T>) -> Box<dyn Block> {
            Box::new(block.cloned().unwrap_or_default())
        }
        match self.kind {
            None | Some(PolicyType::AlwaysSample) => of(self.always_sample.as_ref()),
            Some(PolicyType::Latency) => of(self.latency.as_ref()),
            Some(PolicyType::NumericAttribute) => of(self.numeric_attribute.as_ref()),
            Some(PolicyType::Probabilistic) => of(self.probabilistic.as_ref()),
            Some(PolicyType::StatusCode) => of(self.status_code.as_ref()),
            Some(PolicyType::StringAttribute) => of(self.string_attribute.as_ref()),
            Some(PolicyType::BooleanAttribute) => of(self.boolean_attribute.as_ref()),
            Some(PolicyType::TraceState) => of(self.trace_state.as_ref()),
            Some(PolicyType::TraceFlags) => of(self.trace_flags.as_ref()),
            Some(PolicyType::RateLimiting) => of(self.rate_limiting.as_ref()),
            Some(PolicyType::BytesLimiting) => of(self.bytes_limiting.as_ref()),
            Some(PolicyType::SpanCount) => of(self.span_count.as_ref()),
            Some(PolicyType::OttlCondition) => of(self.ottl_condition.as_ref()),
            Some(PolicyType::Dynamic) => of(self.dynamic.as_ref()),
            Some(PolicyType::Structure) => of(self.structure.as_ref()),
            Some(PolicyType::And) => of(self.and.as_ref()),
            Some(PolicyType::Drop) => of(self.drop.as_ref()),
            Some(PolicyType::Not) => of(self.not.as_ref()),
            Some(PolicyType::Composite) => of(self.composite.as_ref()),
        }
    }

    /// Who votes for it.
    pub(super) fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        self.block().voter(maker)
    }

    /// Whether one part of a trace may be kept before the rest is there.
    pub(super) fn is_stateless(&self) -> bool {
        self.block().is_stateless()
    }

    /// The names of the policies inside of it, by their places.
    pub(super) fn child_names(&self) -> Vec<String> {
        if self.kind == Some(PolicyType::Not) {
            return Vec::new();
        }
        self.inside().into_iter().map(|child| child.name.clone()).collect()
    }

    /// The policies inside of it, by their places.
    pub(super) fn inside(&self) -> Vec<&Policy> {
        let list = match self.kind {
            Some(PolicyType::And) => self.and.as_ref().map(|and| &and.and_sub_policy),
            Some(PolicyType::Drop) => self.drop.as_ref().map(|drop| &drop.drop_sub_policy),
            Some(PolicyType::Composite) => self.composite.as_ref().map(|composite| &composite.composite_sub_policy),
            Some(PolicyType::Not) => return self.not.iter().filter_map(not::Not::policy).collect(),
            _ => None,
        };
        list.map_or_else(Vec::new, |SubPolicies(policies)| policies.iter().collect())
    }

    fn blocks(&self) -> [(PolicyType, bool); 19] {
        [
            (PolicyType::AlwaysSample, self.always_sample.is_some()),
            (PolicyType::Latency, self.latency.is_some()),
            (PolicyType::NumericAttribute, self.numeric_attribute.is_some()),
            (PolicyType::Probabilistic, self.probabilistic.is_some()),
            (PolicyType::StatusCode, self.status_code.is_some()),
            (PolicyType::StringAttribute, self.string_attribute.is_some()),
            (PolicyType::BooleanAttribute, self.boolean_attribute.is_some()),
            (PolicyType::TraceState, self.trace_state.is_some()),
            (PolicyType::TraceFlags, self.trace_flags.is_some()),
            (PolicyType::RateLimiting, self.rate_limiting.is_some()),
            (PolicyType::BytesLimiting, self.bytes_limiting.is_some()),
            (PolicyType::SpanCount, self.span_count.is_some()),
            (PolicyType::OttlCondition, self.ottl_condition.is_some()),
            (PolicyType::Dynamic, self.dynamic.is_some()),
            (PolicyType::Structure, self.structure.is_some()),
            (PolicyType::And, self.and.is_some()),
            (PolicyType::Drop, self.drop.is_some()),
            (PolicyType::Not, self.not.is_some()),
            (PolicyType::Composite, self.composite.is_some()),
        ]
    }
}

impl PolicyType {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            PolicyType::AlwaysSample => "always_sample",
            PolicyType::Latency => "latency",
            PolicyType::NumericAttribute => "numeric_attribute",
            PolicyType::Probabilistic => "probabilistic",
            PolicyType::StatusCode => "status_code",
            PolicyType::StringAttribute => "string_attribute",
            PolicyType::BooleanAttribute => "boolean_attribute",
            PolicyType::TraceState => "trace_state",
            PolicyType::TraceFlags => "trace_flags",
            PolicyType::RateLimiting => "rate_limiting",
            PolicyType::BytesLimiting => "bytes_limiting",
            PolicyType::SpanCount => "span_count",
            PolicyType::OttlCondition => "ottl_condition",
            PolicyType::Dynamic => "dynamic",
            PolicyType::Structure => "structure",
            PolicyType::And => "and",
            PolicyType::Drop => "drop",
            PolicyType::Not => "not",
            PolicyType::Composite => "composite",
        }
    }
}

#[cfg(test)]
mod tests;

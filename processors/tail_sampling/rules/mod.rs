//! Rules in place of policies: the first that fits a trace decides it.
//!
//! A rule is a [voter](super::policies::Voter) like a policy, so what counts, marks and explains policies does it for rules. What is
//! different is that a trace that a rule does not fit is [passed on](super::policies::Ballot::Pass), and that the first who does not pass
//! ends it. Behind them all stands `none`, which keeps.

mod conditions;
mod journey;
mod matches;
mod names;
mod sample;
mod watch;

use serde::Deserialize;
use tracetailor_core::config::{ConfigErrors, OneOrMany, Schema, quoted};

pub(super) use watch::Matches;

use super::Config;
use super::policies::{Ballot, Facts, Maker, Vote, Voter, text};
use super::seen::Bit;
use super::ways::SamplingStrategy;
use conditions::some_holds;
use matches::Match;
use sample::Sample;

/// One rule, as it is written: what it is about, and what becomes of a trace that it fits.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// What it is called in metrics and explanations.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// With `true`, the trace is kept.
    pub keep: Option<bool>,
    /// With `true`, it is dropped.
    pub drop: Option<bool>,
    /// A share is kept: `10%`, or how it is to be found.
    pub sample: Option<Sample>,
    /// What some one span must have, all of it.
    #[serde(rename = "match")]
    pub matches: Option<Match>,
    /// Conditions in OTTL, of which some span satisfies one; those on `trace.` the trace as a whole.
    pub when: OneOrMany<String>,
    /// The same, each of which is satisfied, by whichever span.
    pub when_all: OneOrMany<String>,
    /// The same, of which no span satisfies any.
    pub unless: OneOrMany<String>,
}

/// What the last rule is called, which nobody writes: it keeps what no other fits.
pub(super) const NONE: &str = "none";

/// Says what is wrong with the rules of a configuration, and with what stands beside them.
pub(super) fn check(config: &Config, errors: &mut ConfigErrors) {
    if config.rules.is_empty() {
        return;
    }
    if !config.policies.is_empty() {
        let right = "remove the policies: a rule can say the same, and which comes first";
        errors.error("rules", "stands beside policies, of which it takes the place", right);
    }
    if config.sampling_strategy == SamplingStrategy::SpanIngest {
        errors.error("rules", "needs the whole trace, which span-ingest does not wait for", "remove sampling_strategy");
    }
    if config.sample_on_first_match {
        errors.warn("sample_on_first_match", "is without effect beside rules", "remove it: the first rule that fits decides");
    }
    for (index, rule) in config.rules.iter().enumerate() {
        let mut errors = errors.at("rules").index(index);
        rule.check(&mut errors);
        if config.rules[..index].iter().any(|other| other.name == rule.name) {
            let wrong = format!("there are two rules {}", quoted(&rule.name));
            errors.error("name", wrong, "give one of them another name");
        }
    }
    check_end(&config.rules, errors);
}

/// Something must become of what no rule fits, and the last rule must be within reach.
fn check_end(rules: &[Rule], errors: &mut ConfigErrors) {
    match rules.iter().position(Rule::is_unconditional) {
        None => {
            let right = "what no rule fits is kept; end with a rule for the rest: {name: rest, sample: 1%}";
            errors.warn("rules", "has no rule without conditions", right);
        }
        Some(last) if last + 1 < rules.len() => {
            let wrong = format!("is never reached: {} fits every trace", quoted(&rules[last].name));
            errors.at("rules").index(last + 1).error_here(wrong, "put it before that one, or remove it");
        }
        Some(_) => {}
    }
}

impl Rule {
    fn check(&self, errors: &mut ConfigErrors) {
        match self.name.as_str() {
            "" => errors.error("name", "is missing", "name the rule: metrics and explanations tell it by that"),
            NONE => errors.error("name", "is what traces are counted under that no rule fits", "give it another name"),
            _ => {}
        }
        for (key, truth, right) in [("keep", self.keep, "write drop: true"), ("drop", self.drop, "write keep: true")] {
            if truth == Some(false) {
                errors.error(key, "cannot be false", right);
            }
        }
        match [self.keep.is_some(), self.drop.is_some(), self.sample.is_some()].iter().filter(|given| **given).count() {
            1 => {}
            0 => errors.error_here("does not say what becomes of a trace", "write keep: true, drop: true or sample: 10%"),
            _ => errors.error_here("says more than one thing of what becomes of a trace", "leave one of keep, drop and sample"),
        }
        if let Some(sample) = &self.sample {
            sample.check(&mut errors.at("sample"));
        }
        if let Some(matches) = &self.matches {
            matches.check(&mut errors.at("match"));
        }
        for (key, texts) in [("when", &self.when), ("when_all", &self.when_all), ("unless", &self.unless)] {
            conditions::check(key, texts, errors);
        }
    }

    /// Whether it fits every trace.
    fn is_unconditional(&self) -> bool {
        self.matches.is_none() && !self.has_conditions()
    }

    fn has_conditions(&self) -> bool {
        [&self.when, &self.when_all, &self.unless].into_iter().any(|texts| !texts.is_empty())
    }

    /// Who votes for it.
    pub(super) fn voter(&self, matches: &mut Matches, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let fits = self.matches.as_ref().map(|matched| matches.add(matched, !self.has_conditions(), maker.looks));
        let any = |texts: &OneOrMany<String>, maker: &mut Maker<'_>| (!texts.is_empty()).then(|| some_holds(texts, maker));
        let mut needs: Vec<Box<dyn Voter>> = any(&self.when, maker).into_iter().collect();
        needs.extend(self.when_all.iter().map(|text| some_holds(std::slice::from_ref(text), maker)));
        let unless = any(&self.unless, maker);
        let verdict = match (&self.sample, self.drop) {
            (Some(sample), _) => Verdict::Sample([sample.voter(maker)]),
            (None, Some(true)) => Verdict::Drop,
            _ => Verdict::Keep,
        };
        Box::new(ByRule { fits, needs, unless, verdict })
    }
}

/// The last rule: it keeps what no other fits.
pub(super) fn none() -> Box<dyn Voter> {
    Box::new(ByRule { fits: None, needs: Vec::new(), unless: None, verdict: Verdict::Keep })
}

/// A rule, ready to vote.
struct ByRule {
    /// Some span had what `match` says; nothing where it says nothing.
    fits: Option<Bit>,
    /// Conditions that must hold, and one that must not.
    needs: Vec<Box<dyn Voter>>,
    unless: Option<Box<dyn Voter>>,
    verdict: Verdict,
}

enum Verdict {
    Keep,
    Drop,
    /// As this one says.
    Sample([Box<dyn Voter>; 1]),
}

impl ByRule {
    fn fits(&mut self, trace: &Facts<'_>) -> bool {
        let holds = |condition: &mut Box<dyn Voter>| condition.vote(trace).ballot == Ballot::Keep;
        self.fits.is_none_or(|bit| trace.seen.bits.has(bit)) && self.needs.iter_mut().all(holds) && !self.unless.as_mut().is_some_and(holds)
    }
}

impl Voter for ByRule {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        if !self.fits(trace) {
            return Vote::PASS;
        }
        match &mut self.verdict {
            Verdict::Keep => Vote::KEEP,
            Verdict::Drop => Vote::DROP,
            Verdict::Sample([sampler]) => sampler.vote(trace),
        }
    }

    fn children(&mut self) -> &mut [Box<dyn Voter>] {
        match &mut self.verdict {
            Verdict::Sample(sampler) => sampler,
            Verdict::Keep | Verdict::Drop => &mut [],
        }
    }
}

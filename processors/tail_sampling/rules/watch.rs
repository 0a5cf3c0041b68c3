//! Looks at each span for all rules at once: what they have in common is asked once, and attributes are passed over once.
//!
//! What a resource answers is known for all its spans. Most spans of most traces end there: of a rule that is about another environment
//! nothing else is asked.

use std::borrow::Cow;

use tracetailor_core::attributes::text;
use tracetailor_core::config::{Glob, OneOrMany};
use tracetailor_core::telemetry::{Context, ContextCache, Item, StatusCode, ValueRef};

use super::matches::{Match, Need};
use super::names::names_of;
use crate::tail_sampling::looks::{Looks, Watch};
use crate::tail_sampling::seen::{Bit, Bits};

/// What all rules look for.
#[derive(Default)]
pub(in crate::tail_sampling) struct Matches {
    rules: Vec<Wanted>,
    needs: Vec<Need>,
    /// Keys of attributes, the needs that ask for each, and whether those of spans count.
    keys: Vec<Key>,
    resources: ContextCache<Vec<bool>>,
    /// The context of the newest span, and what its resource answers.
    newest: Option<(u64, Vec<bool>)>,
    /// Which needs the span in hand meets.
    met: Vec<bool>,
}

/// One rule's `match`.
struct Wanted {
    bit: Bit,
    /// It asks for nothing else: once it fits, nobody behind it is asked.
    is_final: bool,
    /// Those that are known without reading the span.
    cheap: Vec<usize>,
    dear: Vec<usize>,
}

struct Key {
    key: Vec<u8>,
    needs: Vec<usize>,
    is_of_spans: bool,
}

impl Matches {
    /// Takes a rule in, and gives the bit that tells whether some span has all of it.
    pub(super) fn add(&mut self, matches: &Match, is_final: bool, looks: &mut Looks) -> Bit {
        let bit = looks.bit();
        let (mut cheap, mut dear) = (Vec::new(), Vec::new());
        for need in matches.needs() {
            let is_cheap = matches!(need, Need::Resource(..) | Need::Longer(_));
            let place = self.place_of(need);
            if is_cheap { cheap.push(place) } else { dear.push(place) }
        }
        self.rules.push(Wanted { bit, is_final, cheap, dear });
        bit
    }

    /// The place of a need; two rules that want the same share it.
    fn place_of(&mut self, need: Need) -> usize {
        if let Some(place) = self.needs.iter().position(|known| *known == need) {
            return place;
        }
        let place = self.needs.len();
        let named = match &need {
            Need::Resource(name, _) => Some((*name, false)),
            Need::Attribute(name, _) => Some((name.as_str(), true)),
            _ => None,
        };
        for (name, is_of_spans) in
            named.into_iter().flat_map(|(name, of_spans)| names_of(name).into_iter().map(move |name| (name, of_spans)))
        {
            match self.keys.iter_mut().find(|known| known.key == name.as_bytes() && known.is_of_spans == is_of_spans) {
                Some(known) => known.needs.push(place),
                None => self.keys.push(Key { key: name.as_bytes().to_vec(), needs: vec![place], is_of_spans }),
            }
        }
        self.needs.push(need);
        self.met.push(false);
        place
    }

    /// What is known from the resource and from how long the span took.
    fn meet_cheap(&mut self, span: &Item<'_>) {
        let context = span.context();
        if self.newest.as_ref().is_none_or(|(newest, _)| *newest != context.id()) {
            let Self { keys, needs, resources, .. } = self;
            let answers = resources.get(context, |context| answers_of(context, keys, needs));
            self.newest = Some((context.id(), answers.clone()));
        }
        if let Some((_, answers)) = &self.newest {
            self.met.copy_from_slice(answers);
        }
        let duration = span.head().duration_nanos();
        for (met, need) in self.met.iter_mut().zip(&self.needs) {
            *met |= matches!(need, Need::Longer(than) if duration > *than);
        }
    }

    /// Whether a rule that this span could still fulfil wants such a need.
    fn is_wanted(&self, seen: &Bits, of: impl Fn(&Need) -> bool) -> bool {
        self.open(seen).any(|rule| rule.dear.iter().any(|need| !self.met[*need] && of(&self.needs[*need])))
    }

    /// The rules that this span could fulfil, as far as it matters.
    fn open<'a>(&'a self, seen: &'a Bits) -> impl Iterator<Item = &'a Wanted> {
        let cheap_are_met = |rule: &&Wanted| rule.cheap.iter().all(|need| self.met[*need]);
        within_reach(&self.rules, seen).filter(|rule| !seen.has(rule.bit)).filter(cheap_are_met)
    }

    fn meet_name(&mut self, span: &Item<'_>) {
        let name = span.name();
        for (met, need) in self.met.iter_mut().zip(&self.needs) {
            *met |= matches!(need, Need::Name(globs) if fits(globs, &name));
        }
    }

    fn meet_error(&mut self, span: &Item<'_>) {
        let is_error = span.head().status_code() == StatusCode::Error || span.event_names().any(|name| name == EXCEPTION);
        for (met, need) in self.met.iter_mut().zip(&self.needs) {
            *met |= is_error && *need == Need::Error;
        }
    }

    fn meet_attributes(&mut self, span: &Item<'_>) {
        for attribute in span.attributes() {
            let keys = self.keys.iter().filter(|known| known.is_of_spans && known.key == attribute.key);
            for need in keys.flat_map(|known| &known.needs) {
                self.met[*need] = self.met[*need] || self.needs[*need].takes(attribute.value());
            }
        }
    }
}

/// The rules before the first that fits already.
fn within_reach<'a>(rules: &'a [Wanted], seen: &'a Bits) -> impl Iterator<Item = &'a Wanted> {
    rules.iter().take_while(|rule| !(rule.is_final && seen.has(rule.bit)))
}

/// What SDKs call the event in which they record an exception.
const EXCEPTION: &str = "exception";

impl Watch for Matches {
    fn watch(&mut self, span: &Item<'_>, seen: &mut Bits) {
        if within_reach(&self.rules, seen).all(|rule| seen.has(rule.bit)) {
            return;
        }
        self.meet_cheap(span);
        if self.open(seen).next().is_none() {
            return;
        }
        if self.is_wanted(seen, |need| matches!(need, Need::Name(_))) {
            self.meet_name(span);
        }
        if self.is_wanted(seen, |need| *need == Need::Error) {
            self.meet_error(span);
        }
        if self.is_wanted(seen, |need| matches!(need, Need::Attribute(..))) {
            self.meet_attributes(span);
        }
        for rule in &self.rules {
            if rule.cheap.iter().chain(&rule.dear).all(|need| self.met[*need]) {
                seen.set(rule.bit);
            }
        }
    }
}

impl Need {
    /// Whether a value of one of its attributes is meant.
    fn takes(&self, value: ValueRef<'_>) -> bool {
        match self {
            Need::Resource(_, globs) | Need::Attribute(_, globs) => fits(globs, &spelled(value)),
            _ => false,
        }
    }
}

/// What a resource answers by itself, for all its spans.
fn answers_of(context: &Context, keys: &[Key], needs: &[Need]) -> Vec<bool> {
    let mut answers = vec![false; needs.len()];
    for attribute in context.resource_attributes() {
        for need in keys.iter().filter(|known| known.key == attribute.key).flat_map(|known| &known.needs) {
            answers[*need] = answers[*need] || needs[*need].takes(attribute.value());
        }
    }
    answers
}

fn fits(globs: &OneOrMany<Glob>, text: &str) -> bool {
    globs.iter().any(|glob| glob.matches(text))
}

/// A value as a user would write it: numbers and truth as text.
fn spelled(value: ValueRef<'_>) -> Cow<'_, str> {
    value.text().unwrap_or_else(|| Cow::Owned(text(value)))
}

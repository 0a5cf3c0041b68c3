//! `string_attribute`: keeps traces with a text under a key: one of a list, or one that a regular expression fits.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, OneOrMany, Schema};
use tracetailor_core::ottl::functions::Pattern;
use tracetailor_core::telemetry::ValueRef;

use super::attribute::ByBit;
use super::numeric_attribute::check_key;
use super::{Block, Maker, Strictness, Voter};
use crate::tail_sampling::looks::AttributeTest;
use crate::tail_sampling::why::Told;

/// The key and the texts.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct StringAttribute {
    /// The attribute, of a span or its resource.
    pub key: String,
    /// Texts, whole and as they are; or regular expressions, which may fit anywhere in the text.
    pub values: OneOrMany<String>,
    /// Whether values are regular expressions.
    pub enabled_regex_matching: bool,
    /// For how many texts it is remembered whether a regular expression fits; 0 for 128.
    pub cache_max_size: i64,
    /// Keeps traces of which no span and no resource fits.
    pub invert_match: bool,
}

impl StringAttribute {
    /// With the place of each.
    fn texts(&self) -> impl Iterator<Item = (usize, &String)> {
        self.values.iter().enumerate().filter(|(_, value)| self.enabled_regex_matching || !value.is_empty())
    }
}

impl Block for StringAttribute {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        check_key(&self.key, errors, strictness);
        if self.texts().next().is_none() {
            strictness.doubt(errors, "values", "lists no text: nothing would fit", "list the texts that are meant");
        }
        for (index, pattern) in self.values.iter().enumerate().filter(|_| self.enabled_regex_matching) {
            if let Err(wrong) = Pattern::new(pattern) {
                errors.at("values").index(index).error_here(wrong, "the syntax is that of RE2");
            }
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let test: Box<dyn AttributeTest> = if self.enabled_regex_matching {
            let size = usize::try_from(self.cache_max_size).ok().filter(|size| *size > 0).unwrap_or(DEFAULT_CACHE);
            let patterns = self.values.iter().filter_map(|text| Pattern::new(text).ok()).collect();
            Box::new(Fits { patterns, known: Known::new(size), last: None })
        } else {
            Box::new(OneOf { texts: self.texts().map(|(place, text)| (text.as_bytes().to_vec(), place)).collect(), last: None })
        };
        Box::new(ByBit { bit: maker.looks.attribute(&self.key, test), inverted: self.invert_match })
    }
}

const DEFAULT_CACHE: usize = 128;

struct OneOf {
    texts: HashMap<Vec<u8>, usize, RandomState>,
    /// Which of them fitted last.
    last: Option<usize>,
}

impl AttributeTest for OneOf {
    fn fits_span(&mut self, value: ValueRef<'_>) -> bool {
        self.last = match value {
            ValueRef::String(text) => self.texts.get(text).copied(),
            _ => None,
        };
        self.last.is_some()
    }

    fn told(&self) -> Option<Told> {
        told(self.last, self.texts.len())
    }
}

/// Which of several rules fitted; of one there is nothing to tell.
fn told(last: Option<usize>, rules: usize) -> Option<Told> {
    last.filter(|_| rules > 1).map(|place| Told::Rule(place as u64))
}

struct Fits {
    patterns: Vec<Pattern>,
    known: Known,
    /// Which of them fitted last.
    last: Option<usize>,
}

impl AttributeTest for Fits {
    /// Of a span an empty text fits nothing.
    fn fits_span(&mut self, value: ValueRef<'_>) -> bool {
        self.last = match value {
            ValueRef::String([]) => None,
            ValueRef::String(text) => self.known.get(text, || fit(&self.patterns, value)),
            _ => None,
        };
        self.last.is_some()
    }

    /// Of a resource it may, and whatever is no text is an empty one.
    fn fits_resource(&mut self, value: ValueRef<'_>) -> bool {
        self.last = fit(&self.patterns, value);
        self.last.is_some()
    }

    fn told(&self) -> Option<Told> {
        told(self.last, self.patterns.len())
    }
}

/// Which is the first that fits.
fn fit(patterns: &[Pattern], value: ValueRef<'_>) -> Option<usize> {
    let text = value.text().unwrap_or_default();
    patterns.iter().position(|pattern| pattern.is_match(text.as_bytes()))
}

/// What is known of texts seen before: a text is known by 64 bits of a keyed hash, and the newer of two that want one place gets it.
struct Known {
    places: Vec<(u64, Option<usize>)>,
    keys: RandomState,
}

impl Known {
    fn new(size: usize) -> Self {
        Self { places: vec![(0, None); size.min(MOST_KNOWN)], keys: RandomState::default() }
    }

    fn get(&mut self, text: &[u8], find_out: impl FnOnce() -> Option<usize>) -> Option<usize> {
        // Zero marks a free place.
        let hash = self.keys.hash_one(text).max(1);
        let size = self.places.len() as u64;
        let place = usize::try_from(hash % size).unwrap_or(0);
        if self.places[place].0 != hash {
            self.places[place] = (hash, find_out());
        }
        self.places[place].1
    }
}

/// More would not be remembered faster than found out.
const MOST_KNOWN: usize = 1 << 16;

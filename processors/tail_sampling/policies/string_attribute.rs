//! `string_attribute`: keeps traces with a text under a key: one of a list, or one that a regular expression fits.

use std::collections::HashSet;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use regex::RegexSet;
use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, OneOrMany, Schema};
use tracetailor_core::telemetry::ValueRef;

use super::attribute::ByBit;
use super::numeric_attribute::check_key;
use super::{Block, Maker, Strictness, Voter};
use crate::tail_sampling::looks::AttributeTest;

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
    fn texts(&self) -> impl Iterator<Item = &String> {
        self.values.iter().filter(|value| self.enabled_regex_matching || !value.is_empty())
    }
}

impl Block for StringAttribute {
    fn check(&self, errors: &mut ConfigErrors, strictness: Strictness) {
        check_key(&self.key, errors, strictness);
        if self.texts().next().is_none() {
            strictness.doubt(errors, "values", "lists no text: nothing would fit", "list the texts that are meant");
        }
        for (index, pattern) in self.values.iter().enumerate().filter(|_| self.enabled_regex_matching) {
            if let Err(error) = regex::Regex::new(pattern) {
                let wrong = error.to_string();
                let wrong = wrong.lines().last().unwrap_or_default().trim_start_matches("error: ");
                let wrong = format!("is no regular expression: {wrong}");
                errors.at("values").index(index).error_here(wrong, "the syntax is that of RE2");
            }
        }
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let test: Box<dyn AttributeTest> = if self.enabled_regex_matching {
            let size = usize::try_from(self.cache_max_size).ok().filter(|size| *size > 0).unwrap_or(DEFAULT_CACHE);
            Box::new(Fits { patterns: RegexSet::new(self.values.iter()).unwrap_or_default(), known: Known::new(size) })
        } else {
            Box::new(OneOf { texts: self.texts().map(|text| text.as_bytes().to_vec()).collect() })
        };
        Box::new(ByBit { bit: maker.looks.attribute(&self.key, test), inverted: self.invert_match })
    }
}

const DEFAULT_CACHE: usize = 128;

struct OneOf {
    texts: HashSet<Vec<u8>, RandomState>,
}

impl AttributeTest for OneOf {
    fn fits_span(&mut self, value: ValueRef<'_>) -> bool {
        matches!(value, ValueRef::String(text) if self.texts.contains(text))
    }
}

struct Fits {
    patterns: RegexSet,
    known: Known,
}

impl AttributeTest for Fits {
    /// Of a span an empty text fits nothing.
    fn fits_span(&mut self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::String([]) => false,
            ValueRef::String(text) => self.known.get(text, || value.text().is_some_and(|text| self.patterns.is_match(&text))),
            _ => false,
        }
    }

    /// Of a resource it may, and whatever is no text is an empty one.
    fn fits_resource(&mut self, value: ValueRef<'_>) -> bool {
        self.patterns.is_match(&value.text().unwrap_or_default())
    }
}

/// What is known of texts seen before: a text is known by 64 bits of a keyed hash, and the newer of two that want one place gets it.
struct Known {
    places: Vec<(u64, bool)>,
    keys: RandomState,
}

impl Known {
    fn new(size: usize) -> Self {
        Self { places: vec![(0, false); size.min(MOST_KNOWN)], keys: RandomState::default() }
    }

    fn get(&mut self, text: &[u8], find_out: impl FnOnce() -> bool) -> bool {
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

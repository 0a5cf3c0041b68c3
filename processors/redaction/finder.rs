//! Looks for everything in a text at once: as it stands, with its escapes undone, and inside of base64.

use std::ops::Range;

use regex::bytes::Regex;

use super::detectors::Detector;
use super::encodings::{each_base64, has_base64, unescaped};
use super::needs;
use super::prefilter::{Look, Needed, Prefilter};

/// A search for one thing.
pub(super) enum Search {
    /// A detector of ours.
    Detector(&'static Detector),
    /// A user's expression.
    Pattern(Box<Regex>),
}

impl Search {
    fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        match self {
            Search::Detector(detector) => (detector.find)(text, found),
            Search::Pattern(pattern) => found.extend(pattern.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty())),
        }
    }

    fn needs(&self) -> Needed {
        match self {
            Search::Detector(detector) => detector.needs.needed(),
            Search::Pattern(pattern) => needs::of(pattern.as_str()),
        }
    }
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// Where in the text it stands, its encoding included.
    pub(super) range: Range<usize>,
    /// The number of the search that found it.
    pub(super) search: usize,
    /// What was found, where it stood encoded.
    pub(super) decoded: Option<Vec<u8>>,
    /// The searches whose findings it has taken in, a bit each: what they ask for must be done as well.
    pub(super) others: u128,
}

/// All searches, and the prefilter derived from them.
pub(super) struct Finder {
    searches: Vec<Search>,
    prefilter: Prefilter,
    /// Kept so that a search allocates nothing where nothing is found.
    found: Vec<Range<usize>>,
}

/// Within one text so many pieces of base64 are looked at.
const MOST_PIECES: usize = 1_024;

impl Finder {
    pub(super) fn new(searches: Vec<Search>) -> Self {
        let prefilter = Prefilter::of(searches.iter().map(Search::needs));
        Self { searches, prefilter, found: Vec::new() }
    }

    /// What a first look tells: the searches that are worth it. Whoever knows more takes some out.
    #[inline]
    pub(super) fn look(&self, text: &[u8]) -> Look {
        self.prefilter.look(text)
    }

    /// Whether what was told leaves nothing that `wanted` searches could find.
    #[inline]
    pub(super) fn is_done(look: Look, wanted: u128) -> bool {
        look.suspects & wanted == 0 && !look.has_escapes && !look.has_runs
    }

    /// Whether it is clear without any search that `wanted` searches find nothing.
    #[inline]
    pub(super) fn is_clear(&self, text: &[u8], wanted: u128) -> bool {
        let look = self.look(text);
        look.suspects & wanted == 0 && !look.has_escapes && !(look.has_runs && has_base64(text))
    }

    /// Finds what `wanted` searches find. Hits do not overlap and stand in order.
    pub(super) fn find(&mut self, text: &[u8], look: Look, wanted: u128) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.search(text, look.suspects & wanted, |range, search| hits.push(Hit { range, search, decoded: None, others: 0 }));
        if look.has_escapes
            && let Some(inside) = unescaped(text)
        {
            let suspects = self.prefilter.suspects(&inside.text) & wanted;
            self.search(&inside.text, suspects, |range, search| {
                let source = inside.source(&range);
                let is_encoded = text.get(source.clone()) != inside.text.get(range.clone());
                hits.push(Hit { range: source, search, decoded: is_encoded.then(|| inside.text[range].to_vec()), others: 0 });
            });
        }
        if !look.has_runs {
            return without_overlaps(hits);
        }
        let mut pieces = 0;
        each_base64(text, |run, decoded| {
            pieces += 1;
            let suspects = if pieces > MOST_PIECES { 0 } else { self.prefilter.suspects(&decoded) & wanted };
            self.search(&decoded, suspects, |range, search| {
                hits.push(Hit { range: run.clone(), search, decoded: Some(decoded[range].to_vec()), others: 0 });
            });
        });
        without_overlaps(hits)
    }

    fn search(&mut self, text: &[u8], mut suspects: u128, mut hit: impl FnMut(Range<usize>, usize)) {
        while suspects != 0 {
            let number = suspects.trailing_zeros() as usize;
            suspects &= suspects - 1;
            self.found.clear();
            self.searches[number].find(text, &mut self.found);
            self.found.drain(..).for_each(|range| hit(range, number));
        }
    }
}

/// Of hits that overlap the wider is kept, and grows over the other; of equal ones that of the search that stands first.
fn without_overlaps(mut hits: Vec<Hit>) -> Vec<Hit> {
    if hits.len() < 2 {
        return hits;
    }
    hits.sort_by_key(|hit| (hit.range.start, std::cmp::Reverse(hit.range.end), hit.search));
    let mut apart: Vec<Hit> = Vec::with_capacity(hits.len());
    for hit in hits {
        match apart.last_mut() {
            Some(last) if hit.range.start < last.range.end => {
                last.others |= 1 << hit.search;
                if hit.range.end > last.range.end {
                    last.range.end = hit.range.end;
                    last.decoded = None;
                }
            }
            _ => apart.push(hit),
        }
    }
    apart
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::redaction::detectors;

    fn finder() -> Finder {
        let mut searches: Vec<Search> = detectors::ALL.iter().map(|detector| Search::Detector(detector)).collect();
        searches.push(Search::Pattern(Box::new(Regex::new(r"TCK-\d{6}").unwrap())));
        Finder::new(searches)
    }

    fn found(text: &str) -> Vec<String> {
        let mut finder = finder();
        let look = finder.look(text.as_bytes());
        let hits = finder.find(text.as_bytes(), look, u128::MAX);
        hits.into_iter().map(|hit| text[hit.range].to_owned()).collect()
    }

    #[test]
    fn one_secret_is_found_in_every_dress() {
        for (text, expected) in [
            ("to joe@example.com now", "joe@example.com"),
            ("to joe%40example.com now", "joe%40example.com"),
            (r"{\u0022to\u0022:\u0022joe\u0040example.com\u0022}", r"joe\u0040example.com"),
            ("to am9lQGV4YW1wbGUuY29t now", "am9lQGV4YW1wbGUuY29t"),
            ("to %6a%6f%65%40%65%78%61%6d%70%6c%65%2e%63%6f%6d", "%6a%6f%65%40%65%78%61%6d%70%6c%65%2e%63%6f%6d"),
            ("see TCK-123456!", "TCK-123456"),
            ("see TCK%2D123456!", "TCK%2D123456"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_overlaps_is_one() {
        assert_eq!(found("https://joe:pw123@example.com/?sig=abc"), ["joe:pw123@example.com", "abc"]);
        assert_eq!(found("hello world"), Vec::<String>::new());
    }
}

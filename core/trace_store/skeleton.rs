//! What stays of a kept trace after it has gone: which spans it had, so that a late one finds its place.

use foldhash::quality::RandomState;
use std::hash::BuildHasher;

use crate::telemetry::SpanId;

/// Up to so many ids are kept as they are.
const EXACT: usize = 256;
/// Bits per id in a filter: one absent id in a hundred is taken for present.
const BITS_PER_ID: usize = 10;
/// Probes per id, right for ten bits.
const PROBES: u64 = 7;
/// The largest filter: 16 KiB. Beyond some 13,000 ids it errs more often.
const MOST_WORDS: usize = 2048;

/// The span ids of a kept trace, and which of them were made up for it.
///
/// Up to 256 ids it is exact; beyond that it is a filter, which never denies a span that was there and sometimes affirms one that was not.
#[derive(Debug, Default)]
pub(super) struct Skeleton {
    spans: Spans,
    placeholders: Vec<u64>,
}

#[derive(Debug)]
enum Spans {
    /// Sorted.
    Exact(Vec<u64>),
    Filter(Box<[u64]>),
}

impl Default for Spans {
    fn default() -> Self {
        Spans::Exact(Vec::new())
    }
}

impl Skeleton {
    /// Of a trace whose spans have these ids.
    pub(super) fn of(spans: impl ExactSizeIterator<Item = SpanId>, keys: &RandomState) -> Self {
        let mut skeleton = Self::default();
        if spans.len() > EXACT {
            skeleton.spans = filter_for(spans.len());
        } else if let Spans::Exact(ids) = &mut skeleton.spans {
            ids.reserve_exact(spans.len());
        }
        spans.for_each(|span| skeleton.add(span, keys));
        skeleton
    }

    /// One more span of the trace.
    pub(super) fn add(&mut self, span: SpanId, keys: &RandomState) {
        let id = u64::from_le_bytes(span.0);
        match &mut self.spans {
            Spans::Filter(words) => set(words, id, keys),
            Spans::Exact(ids) => {
                let Err(place) = ids.binary_search(&id) else { return };
                if ids.len() < EXACT {
                    ids.insert(place, id);
                    return;
                }
                let mut filter = filter_for(4 * EXACT);
                if let Spans::Filter(words) = &mut filter {
                    ids.iter().chain([&id]).for_each(|id| set(words, *id, keys));
                }
                self.spans = filter;
            }
        }
    }

    /// One more span that was made up for the trace.
    pub(super) fn add_placeholder(&mut self, span: SpanId) {
        let id = u64::from_le_bytes(span.0);
        if self.placeholders.len() < EXACT && !self.placeholders.contains(&id) {
            self.placeholders.push(id);
        }
    }

    pub(super) fn has(&self, span: SpanId, keys: &RandomState) -> bool {
        let id = u64::from_le_bytes(span.0);
        match &self.spans {
            Spans::Exact(ids) => ids.binary_search(&id).is_ok(),
            Spans::Filter(words) => places(words, id, keys).all(|(word, bit)| words[word] & bit != 0),
        }
    }

    pub(super) fn has_placeholder(&self, span: SpanId) -> bool {
        self.placeholders.contains(&u64::from_le_bytes(span.0))
    }

    /// The memory it takes.
    pub(super) fn bytes(&self) -> u64 {
        let spans = match &self.spans {
            Spans::Exact(ids) => ids.capacity(),
            Spans::Filter(words) => words.len(),
        };
        (size_of::<Self>() + (spans + self.placeholders.capacity()) * size_of::<u64>()) as u64
    }
}

fn filter_for(ids: usize) -> Spans {
    let words = (ids * BITS_PER_ID).div_ceil(64).next_power_of_two().min(MOST_WORDS);
    Spans::Filter(vec![0; words].into())
}

fn set(words: &mut [u64], id: u64, keys: &RandomState) {
    places(words, id, keys).for_each(|(word, bit)| words[word] |= bit);
}

/// Where a filter looks for an id: double hashing, over a power of two of bits. The hash is keyed, because span ids are chosen by senders.
fn places(words: &[u64], id: u64, keys: &RandomState) -> impl Iterator<Item = (usize, u64)> + use<> {
    let hash = keys.hash_one(id);
    let (first, step) = (hash & 0xffff_ffff, hash >> 32 | 1);
    let bits = words.len() as u64 * 64;
    (0..PROBES).map(move |probe| {
        let bit = first.wrapping_add(probe.wrapping_mul(step)) % bits;
        ((bit / 64) as usize, 1 << (bit % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<u64>) -> impl ExactSizeIterator<Item = SpanId> {
        range.map(|id| SpanId(id.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())).collect::<Vec<_>>().into_iter()
    }

    fn mistakes(skeleton: &Skeleton, keys: &RandomState) -> usize {
        ids(1_000_000..1_010_000).filter(|id| skeleton.has(*id, keys)).count()
    }

    #[test]
    fn few_ids_are_known_exactly() {
        let keys = RandomState::default();
        let skeleton = Skeleton::of(ids(0..200), &keys);
        assert!(ids(0..200).all(|id| skeleton.has(id, &keys)));
        assert_eq!(mistakes(&skeleton, &keys), 0);
    }

    #[test]
    fn many_ids_are_never_denied_and_seldom_affirmed_wrongly() {
        let keys = RandomState::default();
        let skeleton = Skeleton::of(ids(0..10_000), &keys);
        assert!(ids(0..10_000).all(|id| skeleton.has(id, &keys)));
        let mistakes = mistakes(&skeleton, &keys);
        assert!(mistakes < 200, "{mistakes} of 10,000");
        assert!(skeleton.bytes() <= 16 * 1024 + 64, "{} bytes", skeleton.bytes());
    }

    #[test]
    fn growing_past_the_cap_loses_nobody() {
        let keys = RandomState::default();
        let mut skeleton = Skeleton::of(ids(0..250), &keys);
        ids(250..400).for_each(|id| skeleton.add(id, &keys));
        assert!(ids(0..400).all(|id| skeleton.has(id, &keys)));
    }

    #[test]
    fn what_was_made_up_is_told_apart() {
        let keys = RandomState::default();
        let mut skeleton = Skeleton::of(ids(0..3), &keys);
        skeleton.add_placeholder(SpanId([7; 8]));
        assert!(skeleton.has_placeholder(SpanId([7; 8])) && !skeleton.has(SpanId([7; 8]), &keys));
    }
}

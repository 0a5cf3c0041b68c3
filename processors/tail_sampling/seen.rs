//! What is known of a trace that waits: some bits, its extent, its randomness. Nothing of it needs the spans again.

use smallvec::SmallVec;
use tracetailor_core::probability::Randomness;
use tracetailor_core::time::LogTime;

use super::ballot::Decision;
use super::ingest::Fragments;
use super::otelcol::Pushed;
use super::size::Sizes;
use super::why::Told;

/// A place in a trace's set of bits: the answer to one question that a policy asks of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bit(pub(super) usize);

/// A set of bits. The first 64 cost nothing beyond the word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    first: u64,
    #[expect(clippy::box_collection, reason = "a list would take three words of every trace, and is mostly empty")]
    more: Option<Box<Vec<u64>>>,
}

impl Bits {
    pub(super) fn has(&self, Bit(bit): Bit) -> bool {
        match bit.checked_sub(64) {
            None => self.first >> bit & 1 == 1,
            Some(bit) => self.more().get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1),
        }
    }

    /// Whether all those of another set are set.
    pub(super) fn has_all(&self, other: &Bits) -> bool {
        let more = other.more().iter().enumerate().all(|(place, word)| self.more().get(place).copied().unwrap_or(0) & word == *word);
        self.first & other.first == other.first && more
    }

    pub(super) fn set(&mut self, Bit(bit): Bit) {
        match bit.checked_sub(64) {
            None => self.first |= 1 << bit,
            Some(bit) => self.more_of(bit / 64 + 1)[bit / 64] |= 1 << (bit % 64),
        }
    }

    pub(super) fn add(&mut self, other: &Bits) {
        self.first |= other.first;
        if let Some(other) = &other.more {
            let more = self.more_of(other.len());
            more.iter_mut().zip(&**other).for_each(|(word, other)| *word |= other);
        }
    }

    /// Nothing is set any longer; room is kept.
    pub(super) fn clear(&mut self) {
        self.first = 0;
        self.more.iter_mut().for_each(|more| more.clear());
    }

    fn more(&self) -> &[u64] {
        self.more.as_ref().map_or(&[], |more| more.as_slice())
    }

    fn more_of(&mut self, words: usize) -> &mut [u64] {
        let more = self.more.get_or_insert_default();
        if more.len() < words {
            more.resize(words, 0);
        }
        more
    }
}

/// One trace, as far as policies need to know it.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The questions that some span, or its resource, has answered with yes.
    pub(super) bits: Bits,
    /// When its first span began and its last one ended, of those that say so.
    pub(super) extent: Extent,
    /// The smallest randomness that a span states, where somebody asks.
    pub(super) stated: Option<Randomness>,
    /// What was decided on it.
    pub(super) decision: Option<Decision>,
    /// What only some configurations need to know; nothing in the others.
    rare: Option<Box<Rare>>,
}

const _: () = assert!(size_of::<Seen>() <= 96, "it is held for every trace");

/// What only some configurations need to know of a trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Rare {
    /// The extent as the Collector keeps it.
    pub(super) running: Extent,
    /// What it measures as the Collector counts, where somebody asks.
    pub(super) sizes: Sizes,
    /// The services that it came from, where somebody asks.
    pub(super) services: Services,
    /// What decided, of some questions that were answered with yes, where somebody may ask why.
    pub(super) told: SmallVec<[(Bit, Told); 2]>,
    /// When it is to be decided because its root has come.
    pub(super) after_root: Option<LogTime>,
    /// Where the Collector is followed: whether it was pushed out, and how many spans it had when it came again.
    pub(super) pushed: Option<Pushed>,
    pub(super) evicted: u32,
    /// What its fragments were decided to be, where each is judged by itself.
    pub(super) fragments: Fragments,
}

/// Some services, each as a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Services(Vec<u64>);

/// Beyond it services are not told apart any longer.
const MOST_SERVICES: usize = 256;

impl Services {
    pub(super) fn add(&mut self, service: u64) {
        if let Err(place) = self.0.binary_search(&service)
            && self.0.len() < MOST_SERVICES
        {
            self.0.insert(place, service);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

/// What a trace is of which nothing rare is known.
static NOTHING_RARE: std::sync::LazyLock<Rare> = std::sync::LazyLock::new(Rare::default);

/// From the earliest start to the latest end, in nanoseconds since 1970; zero where nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Extent {
    /// With a span more. One without a start says nothing of when the trace began.
    pub(super) fn add(&mut self, start: u64, end: u64) {
        if start != 0 && (self.start == 0 || start < self.start) {
            self.start = start;
        }
        self.end = self.end.max(end);
    }

    /// With a span more, as the Collector does it: a start of zero holds until the next span.
    pub(super) fn add_as_otelcol(&mut self, start: u64, end: u64) {
        if self.start == 0 || start < self.start {
            self.start = start;
        }
        if self.end == 0 || end > self.end {
            self.end = end;
        }
    }

    /// In whole milliseconds, cut. Negative where a clock was wrong.
    pub(super) fn milliseconds(self) -> i64 {
        self.end.wrapping_sub(self.start).cast_signed() / 1_000_000
    }

    /// Nothing where a start or an end is not known.
    pub(super) fn nanoseconds(self) -> i64 {
        if self.start == 0 || self.end == 0 { 0 } else { i64::try_from(self.end.saturating_sub(self.start)).unwrap_or(i64::MAX) }
    }

    /// In whole milliseconds, cut; nothing where a start or an end is not known.
    pub(super) fn duration(self) -> i64 {
        if self.start == 0 || self.end == 0 { 0 } else { self.milliseconds().max(0) }
    }
}

impl Seen {
    /// What only some configurations need to know.
    pub(super) fn rare(&self) -> &Rare {
        self.rare.as_deref().unwrap_or(&NOTHING_RARE)
    }

    /// The same, to be changed.
    pub(super) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Forgets all of it, for another trace.
    pub(super) fn clear(&mut self) {
        self.bits.clear();
        (self.extent, self.stated, self.decision) = (Extent::default(), None, None);
        if let Some(rare) = &mut self.rare {
            **rare = Rare::default();
        }
    }

    /// Begins anew after it was pushed out with so many spans. When it is due stays.
    pub(super) fn come_again(&mut self, evicted: u32, pushed: Pushed) {
        let after_root = self.rare().after_root;
        self.clear();
        *self.rare_mut() = Rare { after_root, evicted, pushed: Some(pushed), ..Rare::default() };
    }

    /// Forgets what spans told so far; how large the trace is and when it is due stays.
    pub(super) fn forget_spans(&mut self) {
        self.bits.clear();
        self.extent = Extent::default();
        if let Some(rare) = &mut self.rare {
            rare.running = Extent::default();
            rare.told.clear();
        }
    }

    /// What decided that a question was answered with yes, where that is known.
    pub(super) fn told(&self, bit: Bit) -> Option<Told> {
        self.rare().told.iter().find(|(of, _)| *of == bit).map(|(_, told)| *told)
    }
}

//! Span ids that look random, never repeat, and tell which span they belong to: that is how the sink knows what is missing.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Shifts and factors of splitmix64's last step, and the factors that undo them.
const SHIFTS: [u32; 3] = [30, 27, 31];
const FACTORS: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];
const UNDO: [u64; 2] = [0x96de_1b17_3f11_9089, 0x3196_42b2_d24d_8ec3];

/// A bijection under which only zero stays zero.
pub(crate) fn scramble(number: u64) -> u64 {
    let mut n = number;
    n = (n ^ (n >> SHIFTS[0])).wrapping_mul(FACTORS[0]);
    n = (n ^ (n >> SHIFTS[1])).wrapping_mul(FACTORS[1]);
    n ^ (n >> SHIFTS[2])
}

/// The number that was scrambled into this.
pub(crate) fn unscramble(id: u64) -> u64 {
    let unshift = |n: u64, shift: u32| n ^ (n >> shift) ^ (n >> (2 * shift));
    let n = unshift(id, SHIFTS[2]).wrapping_mul(UNDO[1]);
    let n = unshift(n, SHIFTS[1]).wrapping_mul(UNDO[0]);
    unshift(n, SHIFTS[0])
}

/// The id of the span with this number, counting from zero. Zero is no id.
pub(crate) fn span_id(number: u64) -> [u8; 8] {
    scramble(number + 1).to_be_bytes()
}

/// The id of the trace with this number, counting from zero.
pub(crate) fn trace_id(number: u64) -> [u8; 16] {
    let (high, low) = (scramble(number + 1), scramble(!number));
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

/// Which spans have arrived, one bit each, filled by the sink and read by whoever waits for them.
#[derive(Debug)]
pub(crate) struct Arrivals {
    bits: Vec<AtomicU64>,
    spans: u64,
    distinct: AtomicU64,
    repeated: AtomicU64,
    foreign: AtomicU64,
    broken: AtomicU64,
}

impl Arrivals {
    pub(crate) fn of(spans: u64) -> Self {
        let words = usize::try_from(spans.div_ceil(64)).unwrap_or(usize::MAX);
        Self {
            bits: (0..words).map(|_| AtomicU64::new(0)).collect(),
            spans,
            distinct: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            foreign: AtomicU64::new(0),
            broken: AtomicU64::new(0),
        }
    }

    /// A span with this id has arrived.
    pub(crate) fn record(&self, id: [u8; 8]) {
        let number = unscramble(u64::from_be_bytes(id)).wrapping_sub(1);
        if number >= self.spans {
            self.foreign.fetch_add(1, Relaxed);
            return;
        }
        let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
        let is_new = self.bits[word].fetch_or(bit, Relaxed) & bit == 0;
        if is_new { &self.distinct } else { &self.repeated }.fetch_add(1, Relaxed);
    }

    /// A request has arrived that nobody can read.
    pub(crate) fn record_broken(&self) {
        self.broken.fetch_add(1, Relaxed);
    }

    /// Whether the span with this number has arrived.
    pub(crate) fn has(&self, number: u64) -> bool {
        self.bits.get((number / 64) as usize).is_some_and(|word| word.load(Relaxed) & 1 << (number % 64) != 0)
    }

    /// How many spans have arrived that had arrived before.
    pub(crate) fn repeated(&self) -> u64 {
        self.repeated.load(Relaxed)
    }

    /// How many spans have arrived that nobody sent, and how many requests that nobody can read.
    pub(crate) fn strange(&self) -> (u64, u64) {
        (self.foreign.load(Relaxed), self.broken.load(Relaxed))
    }

    /// How many different spans have arrived.
    pub(crate) fn distinct(&self) -> u64 {
        self.distinct.load(Relaxed)
    }

    /// What should not have arrived, in words.
    pub(crate) fn complaint(&self) -> Option<String> {
        let counts = [
            (&self.repeated, "spans arrived twice"),
            (&self.foreign, "spans that were never sent arrived"),
            (&self.broken, "requests are not OTLP"),
        ];
        let bad = counts.map(|(count, what)| (count.load(Relaxed), what)).into_iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = bad.map(|(count, what)| format!("{count} {what}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_their_number() {
        for number in (0..10_000).chain([u64::MAX, u64::MAX - 1, 1 << 40]) {
            assert_eq!(unscramble(scramble(number)), number);
        }
        assert_ne!(span_id(0), [0; 8]);
        assert_ne!(trace_id(0), trace_id(1));
    }

    #[test]
    fn every_span_counts_once_and_the_rest_is_named() {
        let arrivals = Arrivals::of(70);
        (0..70).for_each(|number| arrivals.record(span_id(number)));
        assert_eq!((arrivals.distinct(), arrivals.complaint()), (70, None));
        arrivals.record(span_id(69));
        arrivals.record(span_id(70));
        arrivals.record([0; 8]);
        assert_eq!(arrivals.distinct(), 70);
        assert_eq!(arrivals.complaint().as_deref(), Some("1 spans arrived twice, 2 spans that were never sent arrived"));
    }
}

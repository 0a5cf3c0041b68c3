//! One look at a text tells which searches are worth it: derived from what the rules need, whatever they are.
//!
//! Most texts hold nothing, and a search for each rule would cost ten times the rest of the way. So each byte is looked at once: bytes of eight classes are counted, and
//! every three neighbours are looked up in a table of bits that knows the rarest three bytes of each literal that a rule needs. What this lets pass holds nothing; what it
//! stops is searched.

/// How many bytes of eight classes a text has: a byte each, and 127 stands for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts(u64);

/// The highest bit of each of the eight.
const HIGH: u64 = 0x8080_8080_8080_8080;
const MOST: u64 = 127;

const DIGITS: u32 = 0;
const AT_SIGNS: u32 = 8;
const DOTS: u32 = 16;
const COLONS: u32 = 24;
const DASHES: u32 = 32;
const CAPITALS: u32 = 40;
const ESCAPES: u32 = 48;
const SEPARATORS: u32 = 56;

impl Counts {
    pub(super) const NONE: Counts = Counts(0);

    const fn of(count: u64, lane: u32) -> Self {
        Counts((if count > MOST { MOST } else { count }) << lane)
    }

    /// So many digits.
    pub(super) const fn digits(count: u64) -> Self {
        Counts::of(count, DIGITS)
    }

    /// So many `@`.
    pub(super) const fn at_signs(count: u64) -> Self {
        Counts::of(count, AT_SIGNS)
    }

    /// So many `:`.
    pub(super) const fn colons(count: u64) -> Self {
        Counts::of(count, COLONS)
    }

    /// So many `-`.
    pub(super) const fn dashes(count: u64) -> Self {
        Counts::of(count, DASHES)
    }

    /// So many of `:` and `-` together.
    pub(super) const fn separators(count: u64) -> Self {
        Counts::of(count, SEPARATORS)
    }

    /// And so many dots.
    pub(super) const fn dots(self_count: u64) -> Self {
        Counts::of(self_count, DOTS)
    }

    /// What a byte counts as.
    pub(super) fn of_byte(byte: u8) -> Self {
        Counts(CLASSES[usize::from(byte)])
    }

    /// Both.
    pub(super) const fn and(self, other: Counts) -> Self {
        let sum = self.0 + other.0;
        let over = sum & HIGH;
        Counts((sum | (over - (over >> 7))) & !HIGH)
    }

    /// So many times as much.
    pub(super) fn times(self, times: u32) -> Self {
        (0..times.min(MOST as u32)).fold(Counts::NONE, |sum, _| sum.and(self))
    }

    /// What both have.
    pub(super) fn least(self, other: Counts) -> Self {
        let lanes = (0..8).map(|lane| {
            let of = |counts: u64| counts >> (lane * 8) & 0xff;
            of(self.0).min(of(other.0)) << (lane * 8)
        });
        Counts(lanes.sum())
    }

    /// Whether there is as much of everything as is needed.
    #[inline(always)]
    fn reaches(self, needed: Counts) -> bool {
        ((self.0 | HIGH) - needed.0) & HIGH == HIGH
    }
}

/// What each byte counts as.
static CLASSES: [u64; 256] = {
    let mut classes = [0u64; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => 1 << DIGITS,
            b'@' => 1 << AT_SIGNS,
            b'.' => 1 << DOTS,
            b':' => 1 << COLONS | 1 << SEPARATORS,
            b'-' => 1 << DASHES | 1 << SEPARATORS,
            b'A'..=b'Z' => 1 << CAPITALS,
            b'%' | b'\\' => 1 << ESCAPES,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// What the prefilter is derived from: for each rule, the literals of which one is needed (none where any text will do), and the counts.
pub(super) struct Prefilter {
    /// A bit for the hash of each three bytes that matter: one in some 600 others has one too.
    bits: Box<[u64; TRIPLES / 64]>,
    /// Those three bytes, sorted, and the groups of rules whose literals hold them.
    triples: Vec<(u32, u32)>,
    rules: Vec<Need>,
}

#[derive(Clone, Copy)]
struct Need {
    groups: u32,
    counts: Counts,
}

const TRIPLES: usize = 1 << 16;
/// More rules than bits share them.
const GROUPS: usize = 32;

/// What a look at a text told.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// The rules worth a search, by number.
    pub(super) suspects: u128,
    /// Whether there is a `%` or a backslash.
    pub(super) has_escapes: bool,
}

impl Prefilter {
    #[cfg(test)]
    pub(super) fn new<'a>(needs: impl Iterator<Item = &'a (Vec<&'a str>, Counts)>) -> Self {
        Self::of(needs.map(|(literals, counts)| (literals.iter().map(|literal| literal.as_bytes().to_vec()).collect(), *counts)))
    }

    pub(super) fn of(needs: impl Iterator<Item = (Vec<Vec<u8>>, Counts)>) -> Self {
        let mut bits = Box::new([0u64; TRIPLES / 64]);
        let mut triples: Vec<(u32, u32)> = Vec::new();
        let mut rules = Vec::new();
        for (number, (literals, counts)) in needs.enumerate() {
            let group = 1u32 << (number % GROUPS);
            let usable = !literals.is_empty() && literals.iter().all(|literal| literal.len() >= 3);
            if usable {
                for literal in &literals {
                    let triple = rarest(literal);
                    bits[place(triple) / 64] |= 1 << (place(triple) % 64);
                    match triples.iter_mut().find(|(known, _)| *known == triple) {
                        Some((_, groups)) => *groups |= group,
                        None => triples.push((triple, group)),
                    }
                }
            }
            rules.push(Need { groups: if usable { group } else { 0 }, counts });
        }
        triples.sort_unstable();
        Self { bits, triples, rules }
    }

    /// The rules worth a search.
    pub(super) fn suspects(&self, text: &[u8]) -> u128 {
        self.look(text).suspects
    }

    /// Looks at a text.
    #[inline]
    pub(super) fn look(&self, text: &[u8]) -> Look {
        let (mut seen, mut counts, mut window) = (0u32, Counts::NONE, 0u32);
        for chunk in text.chunks(MOST as usize) {
            let mut classes = 0u64;
            for byte in chunk {
                classes += CLASSES[usize::from(*byte)];
                window = window << 8 | u32::from(*byte | FOLD);
                let place = place(window);
                if self.bits[place / 64] >> (place % 64) & 1 == 1 {
                    seen |= self.groups(window);
                }
            }
            counts = counts.and(Counts(classes));
        }
        let mut suspects = 0u128;
        for (number, rule) in self.rules.iter().enumerate() {
            let fits = (rule.groups == 0 || rule.groups & seen != 0) && counts.reaches(rule.counts);
            suspects |= u128::from(fits) << number;
        }
        let has_escapes = counts.0 >> ESCAPES & 0xff != 0;
        Look { suspects, has_escapes }
    }

    #[cold]
    fn groups(&self, window: u32) -> u32 {
        let triple = window & 0xff_ffff;
        self.triples.binary_search_by_key(&triple, |(known, _)| *known).map_or(0, |at| self.triples[at].1)
    }
}

/// Letters lose their case by it, and other bytes change in a way that is the same on both sides.
const FOLD: u8 = 0x20;

#[inline(always)]
fn place(window: u32) -> usize {
    // The topmost byte is one too many, and shifting it out costs nothing.
    ((window << 8).wrapping_mul(0x9e37_79b1) >> 16) as usize
}

/// The three bytes of a literal that prose has least often: signs and digits before letters, rare letters before others.
fn rarest(literal: &[u8]) -> u32 {
    const COMMON: &[u8] = b" etaoinsrhldcumfpgwybvkxjqz";
    let rarity = |byte: &u8| COMMON.iter().position(|common| *common == byte.to_ascii_lowercase()).unwrap_or(COMMON.len());
    let triples = literal.windows(3).max_by_key(|triple| triple.iter().map(rarity).sum::<usize>()).unwrap_or_default();
    triples.iter().fold(0, |window, byte| window << 8 | u32::from(*byte | FOLD))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(needs: &[(Vec<&str>, Counts)]) -> Prefilter {
        Prefilter::new(needs.iter())
    }

    #[test]
    fn literals_are_found_in_any_case_and_place() {
        let filter = filter(&[(vec!["Bearer"], Counts::NONE), (vec!["eyJ", "sk-"], Counts::NONE), (vec![], Counts::NONE)]);
        for (text, suspects) in [("", 0b100), ("a bearer b", 0b101), ("BEARER", 0b101), ("eyj", 0b110), ("sk-", 0b110), ("be arer", 0b100)]
        {
            assert_eq!(filter.suspects(text.as_bytes()), suspects, "{text}");
        }
        let long = format!("{}eyJ{}", "x".repeat(1_000), "y".repeat(1_000));
        assert_eq!(filter.suspects(long.as_bytes()), 0b110);
    }

    #[test]
    fn counts_reach_what_is_needed_and_no_more() {
        let filter =
            filter(&[(vec![], Counts::digits(12)), (vec![], Counts::at_signs(1).and(Counts::dots(1))), (vec![], Counts::colons(2))]);
        for (text, suspects) in [("12345678901", 0), ("123456789012", 1), ("a@b", 0), ("a@b.c", 2), ("::", 4), (":", 0)] {
            assert_eq!(filter.suspects(text.as_bytes()), suspects, "{text}");
        }
        assert_eq!(filter.suspects("1".repeat(5_000).as_bytes()), 1, "many digits are many");
    }

    #[test]
    fn counts_stop_at_127_each_by_itself() {
        let many = Counts::digits(100).and(Counts::digits(100)).and(Counts::dots(3));
        assert_eq!(many, Counts::digits(127).and(Counts::dots(3)));
        assert_eq!(many.least(Counts::digits(5)), Counts::digits(5));
        assert_eq!(Counts::digits(1).times(500), Counts::digits(127));
        assert!(Counts::of_byte(b'@').reaches(Counts::at_signs(1)));
    }
}

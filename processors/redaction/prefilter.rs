//! One look at a text tells which searches are worth it: derived from what the rules need, whatever they are.
//!
//! Most texts hold nothing, and a search for each rule would cost ten times the rest of the way. So a text is walked over once: bytes of eight classes are counted, three
//! neighbours at a time are looked up among those of the literals that rules need ([`grams`](super::grams)), and runs are noted that base64 may hide in. Only where that
//! leaves a rule that wants many digits are they looked at once more. What passes all of it holds nothing; what is stopped is searched.

use super::eight::{BLOCK, mask, numbers};
use super::grams::{self, Grams};

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
/// What is no base64.
const BREAKS: u32 = 40;
const ESCAPES: u32 = 48;
const SEPARATORS: u32 = 56;
/// All that a rule may need, what telemetry has least often first.
const BY_RARITY: [u32; 7] = [AT_SIGNS, ESCAPES, COLONS, SEPARATORS, DASHES, DOTS, DIGITS];

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
        Counts(CLASSES[usize::from(byte)] & !(0xff << BREAKS))
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
        let class = match byte as u8 {
            b'0'..=b'9' => 1 << DIGITS,
            b'@' => 1 << AT_SIGNS,
            b'.' => 1 << DOTS,
            b':' => 1 << COLONS | 1 << SEPARATORS,
            b'-' => 1 << DASHES | 1 << SEPARATORS,
            b'%' | b'\\' => 1 << ESCAPES,
            _ => 0,
        };
        let is_base64 = matches!(byte as u8, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'/' | b'-' | b'_');
        classes[byte] = if is_base64 { class } else { class | 1 << BREAKS };
        byte += 1;
    }
    classes
};

/// What a rule needs of a text.
#[derive(Clone, Debug)]
pub(super) struct Needed {
    /// One of these, in any case; none where nothing is known, and nothing is known where one of them has less than three bytes.
    pub(super) literals: Vec<Vec<u8>>,
    /// So many bytes of some classes.
    pub(super) counts: Counts,
    /// So many digits in a row, with nothing between them but what separates groups.
    pub(super) in_a_row: u32,
    /// A closer look, for texts that have all this: whether a search is worth it.
    pub(super) closer: Option<CloserLook>,
}

/// Derived from what rules need.
pub(super) struct Prefilter {
    grams: Grams,
    /// By rule.
    counts: Vec<Counts>,
    /// The rules that need no literal.
    plain: Vec<(u128, Counts)>,
    /// Of each class the least that one of those needs whose rarest it is.
    floor: Counts,
    /// Whether one of those needs nothing.
    has_any: bool,
    /// Rules that need digits in a row, and how many.
    in_a_row: Vec<(u128, u32)>,
    /// All of them.
    rows: u128,
    /// Rules that have a closer look of their own.
    closer: Vec<(u128, CloserLook)>,
}

/// Whether a search through a text is worth it.
pub(super) type CloserLook = fn(&[u8]) -> bool;

/// What a look at a text told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// The rules worth a search, by number.
    pub(super) suspects: u128,
    /// Whether there is a `%` or a backslash.
    pub(super) has_escapes: bool,
    /// Whether base64 may be there: six bytes of it in a row.
    pub(super) has_runs: bool,
}

/// What was seen on the way over a text.
#[derive(Clone, Copy)]
struct Seen {
    counts: Counts,
    /// Those of which a literal was met.
    rules: u128,
    /// Not zero where six bytes might be base64.
    solid: u64,
}

impl Prefilter {
    pub(super) fn of(needs: impl Iterator<Item = Needed>) -> Self {
        let mut filter = Self {
            grams: Grams::new(),
            counts: Vec::new(),
            plain: Vec::new(),
            floor: Counts(HIGH - (HIGH >> 7)),
            has_any: false,
            in_a_row: Vec::new(),
            rows: 0,
            closer: Vec::new(),
        };
        for (number, needed) in needs.enumerate() {
            filter.add(1 << number, needed);
        }
        filter
    }

    fn add(&mut self, rule: u128, needed: Needed) {
        self.counts.push(needed.counts);
        if needed.in_a_row > 0 {
            self.in_a_row.push((rule, needed.in_a_row));
            self.rows |= rule;
        }
        self.closer.extend(needed.closer.map(|look| (rule, look)));
        let is_usable = !needed.literals.is_empty() && needed.literals.iter().all(|literal| literal.len() >= grams::SHORTEST);
        if is_usable {
            needed.literals.iter().for_each(|literal| self.grams.add(literal, rule));
            return;
        }
        self.plain.push((rule, needed.counts));
        self.has_any |= needed.counts == Counts::NONE;
        // One class that it needs is enough to tell that it must be looked at; that one which telemetry has least often.
        let of = |counts: u64, lane: u32| counts >> lane & 0xff;
        if let Some(lane) = BY_RARITY.into_iter().find(|lane| of(needed.counts.0, *lane) > 0) {
            let least = of(needed.counts.0, lane).min(of(self.floor.0, lane));
            self.floor.0 = self.floor.0 & !(0xff << lane) | least << lane;
        }
    }

    /// The rules worth a search.
    pub(super) fn suspects(&self, text: &[u8]) -> u128 {
        self.look(text).suspects
    }

    /// Looks at a text.
    #[inline]
    pub(super) fn look(&self, text: &[u8]) -> Look {
        let seen = self.walk(text);
        let mut suspects = 0;
        if self.has_any || ((seen.counts.0 | HIGH) - self.floor.0) & HIGH != 0 {
            for (rule, needed) in &self.plain {
                suspects |= if seen.counts.reaches(*needed) { *rule } else { 0 };
            }
        }
        if seen.rules != 0 {
            suspects |= self.reached(seen.rules, seen.counts);
        }
        if suspects & self.rows != 0 {
            suspects = self.with_rows(text, suspects);
        }
        for (rule, is_worth_it) in &self.closer {
            if suspects & rule != 0 && !is_worth_it(text) {
                suspects &= !rule;
            }
        }
        Look { suspects, has_escapes: seen.counts.0 >> ESCAPES & 0xff != 0, has_runs: seen.solid != 0 }
    }

    /// Of some rules, those whose counts are reached.
    fn reached(&self, mut rules: u128, counts: Counts) -> u128 {
        let mut reached = 0;
        while rules != 0 {
            let number = rules.trailing_zeros();
            rules &= rules - 1;
            reached |= u128::from(counts.reaches(self.counts[number as usize])) << number;
        }
        reached
    }

    /// Of some rules, those that have digits enough in a row where they need any.
    fn with_rows(&self, text: &[u8], mut suspects: u128) -> u128 {
        let longest = if has_six_in_a_row(text) { digits_in_a_row(text) } else { FEW_IN_A_ROW };
        for (rule, needed) in &self.in_a_row {
            if longest < *needed {
                suspects &= !rule;
            }
        }
        suspects
    }

    #[inline]
    fn walk(&self, text: &[u8]) -> Seen {
        let mut seen = Seen { counts: Counts::NONE, rules: 0, solid: 0 };
        let mut at = 0;
        // So that no count grows over its neighbour.
        const MANY: usize = MOST as usize / STEP * STEP;
        while at + 8 <= text.len() {
            let many = &text[at..text.len().min(at + MANY + 2)];
            let mut sum = 0u64;
            let mut begin = 0;
            while let Some(eight) = many.get(begin..begin + 8).and_then(<[u8]>::first_chunk::<8>) {
                sum += self.step(u64::from_le_bytes(*eight), text, at + begin, &mut seen);
                begin += STEP;
            }
            at += begin;
            seen.counts = seen.counts.and(Counts(sum));
        }
        let rest = &text[at..];
        let eight = match text.last_chunk::<8>() {
            Some(last) => u64::from_le_bytes(*last).checked_shr(64 - rest.len() as u32 * 8).unwrap_or(0),
            None => rest.iter().rev().fold(0, |eight, byte| eight << 8 | u64::from(*byte)),
        };
        // A zero in place of what is not there counts as what is no base64, and as nothing else.
        let sum = self.step(eight, text, at, &mut seen) + class(eight >> 48);
        seen.counts = seen.counts.and(Counts(sum));
        seen
    }

    /// Six bytes of eight.
    #[inline(always)]
    fn step(&self, eight: u64, text: &[u8], at: usize, seen: &mut Seen) -> u64 {
        let sum = class(eight) + class(eight >> 8) + class(eight >> 16) + class(eight >> 24) + class(eight >> 32) + class(eight >> 40);
        seen.solid |= u64::from(sum & 0xff << BREAKS == 0);
        if self.grams.matter(eight) {
            seen.rules |= self.grams.rules(text, eight, at);
        }
        sum
    }
}

/// How many bytes are looked at in one go: a run of eleven holds such a piece, wherever it begins.
const STEP: usize = 6;

/// What the lowest byte counts as.
#[inline(always)]
fn class(bytes: u64) -> u64 {
    CLASSES[(bytes & 0xff) as usize]
}

/// So many in a row are as good as none, but for a rule that needs no more.
const FEW_IN_A_ROW: u32 = 5;

/// Whether six bytes stand in a row of which numbers may be made: of ids hardly any has so many.
fn has_six_in_a_row(text: &[u8]) -> bool {
    // Blocks overlap by five, so that no six are torn apart.
    (0..text.len()).step_by(BLOCK - 5).any(|from| {
        let one = mask(text, from, numbers);
        let two = one & one >> 1;
        two & two >> 2 & two >> 4 != 0
    })
}

/// The most digits in a row, with nothing between them but what separates groups of a number.
fn digits_in_a_row(text: &[u8]) -> u32 {
    let (mut row, mut longest) = (0, 0);
    for byte in text {
        let (digit, goes_on) = ROWS[usize::from(*byte)];
        row = (row + digit) & goes_on;
        longest = longest.max(row);
    }
    longest
}

/// Of each byte, one where it is a digit, and all bits where a number goes on behind it.
static ROWS: [(u32, u32); 256] = {
    let mut rows = [(0, 0); 256];
    let mut byte = 0;
    while byte < 256 {
        rows[byte] = match byte as u8 {
            b'0'..=b'9' => (1, u32::MAX),
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' | b'+' => (0, u32::MAX),
            _ => (0, 0),
        };
        byte += 1;
    }
    rows
};

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(needs: &[(Vec<&str>, Counts)]) -> Prefilter {
        Prefilter::of(needs.iter().map(|(literals, counts)| Needed {
            literals: literals.iter().map(|literal| literal.as_bytes().to_vec()).collect(),
            counts: *counts,
            in_a_row: 0,
            closer: None,
        }))
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
    fn digits_in_a_row_are_counted_wherever_they_stand() {
        let needs = |in_a_row| Needed { literals: Vec::new(), counts: Counts::digits(1), in_a_row, closer: None };
        let filter = Prefilter::of([needs(3), needs(6), needs(9)].into_iter());
        for before in 0..150 {
            for (digits, suspects) in [("123", 1), ("12345", 1), ("12 (34)-5.6", 3), ("+1/234567", 3), ("123456789", 7), ("12345678*9", 3)]
            {
                let text = format!("{}{digits}{}", "x".repeat(before), "y".repeat(before % 64));
                // With less than six in a row nobody counts.
                let expected = if digits.len() < 6 { 1 } else { suspects };
                assert_eq!(filter.suspects(text.as_bytes()), expected, "{text}");
            }
        }
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

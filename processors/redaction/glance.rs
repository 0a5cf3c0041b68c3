//! One glance at all of some items: whether anything stands in them that blocked values need, wherever that is.
//!
//! Where the Collector's blocked values are all that is asked for, most items hold nothing for any of them, and showing every text to them costs many times what it
//! takes to see that. So a sign is derived from each expression that every match of it holds: some letters in a row, digits in a row, or a seldom byte between such
//! as may stand beside it. Whole items are searched for signs as they lie on the wire, many at once. A sign among ids and lengths only means that the texts are looked at.

use memchr::memmem::Finder;
use regex_syntax::hir::{Hir, HirKind};
use tracetailor_core::telemetry::Telemetry;

use super::needs::{folded, ranges};

/// Glances at the items of one batch after the other.
pub(super) struct Glances {
    glance: Glance,
    /// So many bytes are looked through at once: the fewer, the more often there was something.
    reach: usize,
    /// Of this batch, the items before this one were looked through.
    seen: usize,
    /// What was looked through last.
    last: Seen,
}

#[derive(Clone, Copy, PartialEq)]
enum Seen {
    Clear,
    /// One item, with something in it.
    One,
    /// In one of several is something.
    Several,
}

/// The nearest cache holds it while one sign after the other is searched for.
const FARTHEST: usize = 16 * 1024;
/// Not even two items.
const NEAREST: usize = 256;

impl Glances {
    /// Those for some expressions; nothing where one of them has no sign.
    pub(super) fn of<'p>(patterns: impl Iterator<Item = &'p str>) -> Option<Self> {
        Some(Self { glance: Glance::of(patterns)?, reach: FARTHEST, seen: 0, last: Seen::Clear })
    }

    /// Another batch comes.
    pub(super) fn begin_batch(&mut self) {
        self.seen = 0;
    }

    /// Whether no expression can match any text of an item. Items are asked about in order.
    #[inline]
    pub(super) fn is_clear(&mut self, batch: &Telemetry, index: usize) -> bool {
        if index >= self.seen {
            self.look_on(batch, index);
        }
        match self.last {
            Seen::Clear => true,
            Seen::One => false,
            Seen::Several => self.glance.is_clear(batch.item(index).bytes()),
        }
    }

    fn look_on(&mut self, batch: &Telemetry, index: usize) {
        let (items, bytes) = batch.stretch(index, self.reach);
        self.seen = items.end;
        self.last = match self.glance.is_clear(bytes) {
            true => Seen::Clear,
            false if items.len() == 1 => Seen::One,
            false => Seen::Several,
        };
        self.reach = if self.last == Seen::Clear { (self.reach * 2).min(FARTHEST) } else { (self.reach / 4).max(NEAREST) };
    }
}

/// The signs of all expressions.
struct Glance {
    /// Letters as they are.
    letters: Vec<Finder<'static>>,
    /// The bytes of other signs that are searched for, three at a time.
    searched: Vec<[u8; 3]>,
    /// By byte, the signs that it is part of.
    signs: Vec<(u8, Sign)>,
    /// The least digits in a row that an expression needs.
    row: Option<usize>,
}

/// What every match of an expression holds.
#[derive(Clone, Debug, PartialEq)]
enum Sign {
    /// These letters, in any case or as they are; the one that is searched for stands at `rare`.
    Letters { text: Vec<u8>, rare: usize, is_any_case: bool },
    /// So many digits in a row.
    Digits(usize),
    /// A byte that has some of these before and behind it.
    Between { before: Box<[bool; 256]>, byte: u8, behind: Box<[bool; 256]> },
}

/// Fewer letters tell little.
const FEWEST_LETTERS: usize = 3;
/// Fewer digits would have to be looked for in every place.
const FEWEST_DIGITS: usize = 8;
/// With more to search for than this, looking at the texts costs no more.
const MOST_SEARCHED: usize = 8;

impl Glance {
    /// The signs of some expressions; nothing where one of them has none, so that every text must be looked at.
    fn of<'p>(patterns: impl Iterator<Item = &'p str>) -> Option<Self> {
        let (mut letters, mut signs, mut row): (Vec<Finder<'static>>, Vec<(u8, Sign)>, Option<usize>) = (Vec::new(), Vec::new(), None);
        for pattern in patterns {
            for sign in signs_of(&regex_syntax::parse(pattern).ok()?)? {
                match &sign {
                    Sign::Digits(count) => row = Some(row.map_or(*count, |row| row.min(*count))),
                    Sign::Between { byte, .. } => signs.push((*byte, sign)),
                    Sign::Letters { text, is_any_case: false, .. } => letters.push(Finder::new(text).into_owned()),
                    Sign::Letters { text, rare, .. } => {
                        signs.push((text[*rare].to_ascii_uppercase(), sign.clone()));
                        signs.push((text[*rare].to_ascii_lowercase(), sign));
                    }
                }
            }
        }
        let mut bytes: Vec<u8> = signs.iter().map(|(byte, _)| *byte).collect();
        bytes.sort_unstable();
        bytes.dedup();
        let searched = bytes.chunks(3).map(|three| std::array::from_fn(|place| three[place.min(three.len() - 1)])).collect();
        (bytes.len() + letters.len() <= MOST_SEARCHED).then_some(Self { letters, searched, signs, row })
    }

    /// Whether no expression can match any text in these bytes.
    fn is_clear(&self, bytes: &[u8]) -> bool {
        self.row.is_none_or(|row| !has_row(bytes, row))
            && self.letters.iter().all(|letters| letters.find(bytes).is_none())
            && !self.searched.iter().any(|three| self.has_sign(bytes, *three))
    }

    fn has_sign(&self, bytes: &[u8], [one, another, third]: [u8; 3]) -> bool {
        let stands = |at: usize| self.signs.iter().any(|(byte, sign)| *byte == bytes[at] && sign.stands(bytes, at));
        if one == third {
            memchr::memchr_iter(one, bytes).any(stands)
        } else {
            memchr::memchr3_iter(one, another, third, bytes).any(stands)
        }
    }
}

impl Sign {
    /// Whether it stands where its byte was found.
    fn stands(&self, bytes: &[u8], at: usize) -> bool {
        match self {
            Sign::Letters { text, rare, is_any_case } => {
                let there = at.checked_sub(*rare).and_then(|begin| bytes.get(begin..begin + text.len()));
                there.is_some_and(|there| there == text || *is_any_case && there.eq_ignore_ascii_case(text))
            }
            Sign::Digits(_) => true,
            Sign::Between { before, behind, .. } => {
                let of = |place: Option<usize>| place.and_then(|place| bytes.get(place)).map(|byte| usize::from(*byte));
                of(at.checked_sub(1)).is_some_and(|byte| before[byte]) && of(Some(at + 1)).is_some_and(|byte| behind[byte])
            }
        }
    }
}

/// Whether so many digits stand in a row: one of so many places in a row is looked at, and what is around it where that is a digit. On one side of it is at least half
/// of the row, so most are told by two more.
fn has_row(bytes: &[u8], row: usize) -> bool {
    let half = (row - 1) / 2;
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    bytes.chunks_exact(row).enumerate().any(|(number, chunk)| {
        let at = number * row + row - 1;
        chunk[row - 1].is_ascii_digit() && (is_digit(at.checked_sub(half)) || is_digit(Some(at + half))) && {
            let before = bytes[..at].iter().rev().take(row).take_while(|byte| byte.is_ascii_digit()).count();
            let behind = bytes[at..].iter().take(row).take_while(|byte| byte.is_ascii_digit()).count();
            before + behind >= row
        }
    })
}

/// Signs of which every match holds one.
fn signs_of(hir: &Hir) -> Option<Vec<Sign>> {
    match hir.kind() {
        HirKind::Capture(capture) => signs_of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => of_sequence(&[hir]).or_else(|| signs_of(&repetition.sub)),
        HirKind::Alternation(ways) => ways.iter().map(signs_of).collect::<Option<Vec<_>>>().map(|signs| signs.concat()),
        HirKind::Concat(parts) => of_sequence(&flat(parts)),
        HirKind::Literal(_) | HirKind::Class(_) => of_sequence(&[hir]),
        _ => None,
    }
}

/// What stands one behind the other, groups taken apart.
fn flat(parts: &[Hir]) -> Vec<&Hir> {
    let mut all = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Concat(inner) => all.extend(flat(inner)),
            HirKind::Capture(capture) => all.extend(flat(std::slice::from_ref(&capture.sub))),
            _ => all.push(part),
        }
    }
    all
}

/// The sign of parts that stand one behind the other: letters, digits, one of a part's own, a byte between others.
fn of_sequence(parts: &[&Hir]) -> Option<Vec<Sign>> {
    let own = |part: &&Hir| match part.kind() {
        HirKind::Alternation(_) => signs_of(part),
        HirKind::Repetition(repetition) if repetition.min > 0 => signs_of(&repetition.sub),
        _ => None,
    };
    letters(parts)
        .or_else(|| digits(parts))
        .map(|sign| vec![sign])
        .or_else(|| parts.iter().find_map(own))
        .or_else(|| between(parts).map(|sign| vec![sign]))
}

/// The most letters in a row.
fn letters(parts: &[&Hir]) -> Option<Sign> {
    let (mut best, mut run): ((Vec<u8>, bool), (Vec<u8>, bool)) = Default::default();
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) if literal.0.is_ascii() => run.0.extend_from_slice(&literal.0),
            HirKind::Class(class) if folded(class).is_some() => {
                run.0.extend(folded(class));
                run.1 = true;
            }
            _ => run = Default::default(),
        }
        if run.0.len() > best.0.len() {
            best = run.clone();
        }
    }
    let (text, is_any_case) = best;
    let rare = (0..text.len()).max_by_key(|at| seldom(text[*at], is_any_case))?;
    (text.len() >= FEWEST_LETTERS && seldom(text[rare], is_any_case) > 0).then_some(Sign::Letters { text, rare, is_any_case })
}

/// The most digits in a row.
fn digits(parts: &[&Hir]) -> Option<Sign> {
    let (mut longest, mut run) = (0, 0);
    for part in parts {
        let (kind, times) = match part.kind() {
            HirKind::Repetition(repetition) => (repetition.sub.kind(), repetition.min as usize),
            kind => (kind, 1),
        };
        let length = match kind {
            HirKind::Literal(literal) if literal.0.iter().all(u8::is_ascii_digit) => Some(literal.0.len()),
            HirKind::Class(class) if ranges(class).iter().all(|(from, to)| *from >= 0x30 && *to <= 0x39) => Some(1),
            _ => None,
        };
        run = length.map_or(0, |length| run + length * times);
        longest = longest.max(run);
    }
    (longest >= FEWEST_DIGITS).then_some(Sign::Digits(longest))
}

/// A byte that telemetry seldom has, between classes.
fn between(parts: &[&Hir]) -> Option<Sign> {
    parts.windows(3).find_map(|three| {
        let HirKind::Literal(literal) = three[1].kind() else { return None };
        let byte = *literal.0.first().filter(|byte| literal.0.len() == 1 && b"@#$^*~|<>!".contains(byte))?;
        Some(Sign::Between { before: beside(three[0])?, byte, behind: beside(three[2])? })
    })
}

/// The bytes with which a part may end or begin that is there at least once.
fn beside(part: &Hir) -> Option<Box<[bool; 256]>> {
    let class = match part.kind() {
        HirKind::Class(class) => class,
        HirKind::Repetition(repetition) if repetition.min > 0 => match repetition.sub.kind() {
            HirKind::Class(class) => class,
            _ => return None,
        },
        _ => return None,
    };
    let mut bytes = Box::new([false; 256]);
    for (from, to) in ranges(class) {
        (from..=to.min(127)).for_each(|byte| bytes[byte as usize] = true);
        if to > 127 {
            // A part of any character that is no ASCII, or of what was none and is repaired.
            bytes[128..].fill(true);
        }
    }
    Some(bytes)
}

/// How seldom telemetry has a byte.
fn seldom(byte: u8, is_any_case: bool) -> usize {
    const LETTERS: &[u8] = b"etaoinsrldcpmuhgfbywvkxzjq";
    let place = LETTERS.iter().position(|letter| *letter == byte.to_ascii_lowercase());
    match (byte, place) {
        (b'A'..=b'Z', Some(place)) if !is_any_case => 30 + place,
        (_, Some(place)) => place,
        (b'@' | b'#' | b'$' | b'^' | b'*' | b'~' | b'|' | b'<' | b'>' | b'!', _) => 40,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use regex::Regex;

    use super::*;

    const PATTERNS: [&str; 9] = [
        "4[0-9]{12}(?:[0-9]{3})?",
        "(5[1-5][0-9]{14})",
        r"[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}",
        "(?:AKIA|ASIA)[A-Z0-9]{16}",
        r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
        "(?i)bearer +[a-z]+",
        "(ab){2,}cd?|x!y",
        "[^a]#[^b]",
        "([0-9]{4}[- ]?){4}|[0-9]{9,}z?",
    ];

    fn sign(pattern: &str) -> Option<Vec<Sign>> {
        signs_of(&regex_syntax::parse(pattern).unwrap())
    }

    #[test]
    fn signs_are_what_every_match_holds() {
        let letters = |text: &str, rare, is_any_case| Sign::Letters { text: text.as_bytes().to_vec(), rare, is_any_case };
        assert_eq!(sign(PATTERNS[0]), Some(vec![Sign::Digits(13)]));
        assert_eq!(sign(PATTERNS[1]), Some(vec![Sign::Digits(16)]));
        assert!(matches!(sign(PATTERNS[2]).as_deref(), Some([Sign::Between { byte: b'@', .. }])));
        assert_eq!(sign(PATTERNS[3]), Some(vec![letters("AKIA", 1, false), letters("ASIA", 1, false)]));
        assert_eq!(sign(PATTERNS[4]), Some(vec![letters("eyJ", 2, false)]));
        assert_eq!(sign("(?i)bearer"), Some(vec![letters("bearer", 0, true)]));
        for without in ["", "a*", "[a-z]+", "ab", "a|bcd", "[0-9]{3}-[0-9]{4}", "(foo)?", "[é]@", r"\bé\b", "(?i)desks"] {
            assert_eq!(sign(without), None, "{without}");
        }
    }

    #[test]
    fn digits_are_found_wherever_they_stand() {
        for before in 0..30 {
            for count in 1..20 {
                let text = format!("{}{}{}", "x".repeat(before), "1".repeat(count), "y".repeat(before % 7));
                assert_eq!(has_row(text.as_bytes(), 8), count >= 8, "{text}");
            }
        }
        assert!(!has_row(b"1234567 1234567 1234567", 8) && !has_row(b"", 8));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        /// What a glance finds clear has no match in any part of it.
        #[test]
        fn what_is_clear_matches_nothing(pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(vec!["4", "5", "1234", "123456789012", "@", "a", "ab", "b.com", "AKIA", "ASIA", "ABCDEFGHIJKLMNOP", "eyJ", ".", "bEaReR", " x", "x!y", "#", "é", "\n", "-"]).prop_map(str::to_owned),
            "[ -~]{0,4}",
        ], 0..9)) {
            let text = pieces.concat();
            for pattern in PATTERNS {
                let Some(glance) = Glance::of([pattern].into_iter()) else { continue };
                prop_assert!(!glance.is_clear(text.as_bytes()) || !Regex::new(pattern).unwrap().is_match(&text), "{pattern} in {text:?}");
            }
        }

        /// And whatever a match is of, it is not clear.
        #[test]
        fn what_matches_is_not_clear(number in 0..PATTERNS.len(), seed in any::<u64>(), before in ".{0,20}", behind in ".{0,20}") {
            let mut runner = proptest::test_runner::TestRunner::new_with_rng(
                ProptestConfig::default(),
                proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[seed.to_le_bytes(); 4].concat()),
            );
            let made = proptest::string::string_regex(PATTERNS[number]).unwrap().new_tree(&mut runner).unwrap().current();
            if let Some(glance) = Glance::of([PATTERNS[number]].into_iter()) {
                prop_assert!(!glance.is_clear(format!("{before}{made}{behind}").as_bytes()), "{} in {made:?}", PATTERNS[number]);
            }
        }
    }
}

//! What a regular expression needs of a text: the literals of which one must be there, and how many bytes of some classes.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::prefilter::{Counts, Needed};

/// More literals than these tell little.
const MOST: usize = 64;
const SHORTEST: usize = 3;

/// Derives it. Where the expression cannot be read nothing is known, and every text is searched.
pub(super) fn of(pattern: &str) -> Needed {
    let Ok(hir) = regex_syntax::parse(pattern) else { return nothing() };
    let mut needed = walk(&hir);
    if needed.literals.iter().any(|literal| literal.len() < SHORTEST) {
        needed.literals.clear();
    }
    needed
}

fn nothing() -> Needed {
    Needed { literals: Vec::new(), counts: Counts::NONE, in_a_row: 0, closer: None }
}

fn walk(hir: &Hir) -> Needed {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let counts = literal.0.iter().fold(Counts::NONE, |sum, byte| sum.and(Counts::of_byte(*byte)));
            Needed { literals: vec![literal.0.to_vec()], counts, in_a_row: 0, closer: None }
        }
        HirKind::Class(class) => match folded(class) {
            Some(byte) => Needed { literals: vec![vec![byte]], counts: counts_of(class), in_a_row: 0, closer: None },
            None => Needed { literals: Vec::new(), counts: counts_of(class), in_a_row: 0, closer: None },
        },
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            let inner = walk(&repetition.sub);
            Needed { counts: inner.counts.times(repetition.min), literals: inner.literals, in_a_row: 0, closer: None }
        }
        HirKind::Capture(capture) => walk(&capture.sub),
        HirKind::Concat(parts) => sequence(parts),
        HirKind::Alternation(ways) => either(ways),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => nothing(),
    }
}

/// All parts are there; of their literals the longest are taken, neighbours together.
fn sequence(parts: &[Hir]) -> Needed {
    let mut counts = Counts::NONE;
    let mut best: Vec<Vec<u8>> = Vec::new();
    let mut run: Vec<u8> = Vec::new();
    let shortest = |literals: &[Vec<u8>]| literals.iter().map(Vec::len).min().unwrap_or(0);
    for part in parts {
        let needed = walk(part);
        counts = counts.and(needed.counts);
        let is_plain = matches!(part.kind(), HirKind::Literal(_) | HirKind::Class(_)) && needed.literals.len() == 1;
        if is_plain {
            run.extend_from_slice(&needed.literals[0]);
            if run.len() > shortest(&best) {
                best = vec![run.clone()];
            }
            continue;
        }
        run.clear();
        if shortest(&needed.literals) > shortest(&best) {
            best = needed.literals;
        }
    }
    Needed { literals: best, counts, in_a_row: 0, closer: None }
}

/// One of the ways is there.
fn either(ways: &[Hir]) -> Needed {
    let all: Vec<Needed> = ways.iter().map(walk).collect();
    let counts = all.iter().map(|way| way.counts).reduce(Counts::least).unwrap_or(Counts::NONE);
    let is_known = all.iter().all(|way| !way.literals.is_empty());
    let literals: Vec<Vec<u8>> = if is_known { all.into_iter().flat_map(|way| way.literals).collect() } else { Vec::new() };
    Needed { literals: if literals.len() > MOST { Vec::new() } else { literals }, counts, in_a_row: 0, closer: None }
}

/// The letter that a class of its two cases stands for.
pub(super) fn folded(class: &Class) -> Option<u8> {
    match ranges(class).as_slice() {
        [(upper, same_upper), (lower, same_lower)] if upper == same_upper && lower == same_lower => {
            let (upper, lower) = (u8::try_from(*upper).ok()?, u8::try_from(*lower).ok()?);
            (upper.is_ascii_uppercase() && lower == upper.to_ascii_lowercase()).then_some(lower)
        }
        _ => None,
    }
}

/// The first and the last of each row of characters, or bytes, of a class.
pub(super) fn ranges(class: &Class) -> Vec<(u32, u32)> {
    match class {
        Class::Unicode(class) => class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect(),
        Class::Bytes(class) => class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect(),
    }
}

/// What every byte of a class counts as.
fn counts_of(class: &Class) -> Counts {
    let ranges = ranges(class);
    if ranges.iter().any(|(_, end)| *end > 127) {
        return Counts::NONE;
    }
    let bytes = ranges.iter().flat_map(|(start, end)| *start as u8..=*end as u8);
    bytes.map(Counts::of_byte).reduce(Counts::least).unwrap_or(Counts::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(pattern: &str) -> Vec<String> {
        let mut literals: Vec<String> = of(pattern).literals.into_iter().map(|literal| String::from_utf8(literal).unwrap()).collect();
        literals.sort();
        literals
    }

    #[test]
    fn literals_and_counts_are_those_of_every_match() {
        assert_eq!(literals(r"(?:AKIA|ASIA)[A-Z0-9]{16}"), ["AKIA", "ASIA"]);
        assert_eq!(literals(r"(?i)bearer\s+\S+"), ["bearer"]);
        assert_eq!(literals(r"TCK-\d{6}"), ["TCK-"]);
        assert_eq!(literals("a|bcd"), Vec::<String>::new());
        assert_eq!(literals("(foo)?bar"), ["bar"]);
        assert_eq!(of("4[0-9]{12}(?:[0-9]{3})?").counts, Counts::digits(13));
        assert_eq!(of(r"[a-z]+@[a-z]+\.[a-z]{2,}").counts, Counts::at_signs(1).and(Counts::dots(1)));
        assert_eq!(of("x*").counts, Counts::NONE);
        assert_eq!(of(r"[0-9]{3}|[0-9]{5}x").counts, Counts::digits(3));
        assert_eq!(of("[^a]").counts, Counts::NONE);
    }
}

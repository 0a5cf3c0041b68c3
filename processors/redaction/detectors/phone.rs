//! Phone numbers: with a country's prefix, with `tel:` before them, or grouped as in North America.

use std::ops::Range;

use super::text::{each, is_word_at};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "phone",
    needs: Needs { literals: &[], counts: Counts::digits(6), in_a_row: 6, closer: None },
    find,
    samples: &["+49 30 1234567", "(555) 234-5678", "tel:5552345678"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    for at in memchr::memchr_iter(b'+', text) {
        if !is_word_at(text, at.checked_sub(1)) && text.get(at + 1).is_some_and(u8::is_ascii_digit) {
            found.extend(number(text, at + 1, 8).map(|end| at..end));
        }
    }
    each(text, b"tel:", |at| found.extend(number(text, at + 4, 6).map(|end| at + 4..end)));
    american(text, found);
}

/// Where a number of `least` to 15 digits ends that begins at `start`; between two digits stands one separator at most, or a bracket with one.
fn number(text: &[u8], start: usize, least: usize) -> Option<usize> {
    let (mut digits, mut end, mut gap) = (0, start, 0);
    for (at, byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                end = at + 1;
                gap = 0;
            }
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' if gap < 2 => gap += 1,
            b'+' if at == start => {}
            _ => break,
        }
        if digits > 15 {
            return None;
        }
    }
    (digits >= least && !is_word_at(text, Some(end))).then_some(end)
}

/// `(555) 234-5678`, `555-234-5678` and `555.234.5678`.
fn american(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while at + 12 <= text.len() {
        match american_at(text, at) {
            Some(end) => {
                found.push(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
}

fn american_at(text: &[u8], start: usize) -> Option<usize> {
    let has_bracket = text[start] == b'(';
    if !has_bracket && !text[start].is_ascii_digit() || is_joined(text, start.checked_sub(1)) {
        return None;
    }
    let area = start + usize::from(has_bracket);
    let is_group = |at: usize, length: usize| text.get(at..at + length).is_some_and(|group| group.iter().all(u8::is_ascii_digit));
    let is_code = |at: usize| is_group(at, 3) && matches!(text[at], b'2'..=b'9');
    if !is_code(area) {
        return None;
    }
    let mut at = area + 3;
    let separator = if has_bracket {
        at += usize::from(text.get(at) == Some(&b')'));
        at += usize::from(text.get(at) == Some(&b' '));
        b'-'
    } else {
        let separator = *text.get(at).filter(|byte| matches!(byte, b'-' | b'.'))?;
        at += 1;
        separator
    };
    let fits = is_code(at) && text.get(at + 3) == Some(&separator) && is_group(at + 4, 4) && !is_joined(text, Some(at + 8));
    fits.then_some(at + 8)
}

/// True where what stands there makes the number part of something longer.
fn is_joined(text: &[u8], at: Option<usize>) -> bool {
    is_word_at(text, at) || at.and_then(|at| text.get(at)).is_some_and(|byte| matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_tables;
    use super::*;

    #[test]
    fn tables() {
        assert_tables(
            &DETECTOR,
            &[
                ("+49 30 1234567", &["+49 30 1234567"]),
                ("call +14155552671.", &["+14155552671"]),
                ("call (415) 555-2671 now", &["(415) 555-2671"]),
                ("415-555-2671;415.555.2671", &["415-555-2671", "415.555.2671"]),
                ("<a href=tel:0301234567>", &["0301234567"]),
                ("+44 (0)20 7946 0958", &["+44 (0)20 7946 0958"]),
                ("TEL:555234", &["555234"]),
            ],
            &[
                "2024-01-15T10:20:30+00:00",
                "1.7e+10",
                "+1 more",
                "550e8400-e29b-41d4-a716-446655440000",
                "4155552671",
                "+12345678901234567",
                "10.20.30.40",
                "123-45-6789",
                "155-555-2671",
            ],
            &[("++14155552671", &["+14155552671"]), ("+1-415-555-2671x", &[]), ("a415-555-2671", &[])],
        );
    }
}

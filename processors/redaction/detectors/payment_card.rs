//! Numbers of payment cards: the right length for the issuer, and the check digit of Luhn.

use std::ops::Range;

use super::text::is_word_at;
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "payment_card",
    needs: Needs { literals: &[], counts: Counts::digits(12), in_a_row: 12, closer: None },
    find,
    samples: &["4111111111111111", "card 5555 5555 5555 4444.", "3782-822463-10005"],
};

/// Issuers: the first digits from and to, and how many digits their numbers have.
const ISSUERS: [(u32, u32, u32, &[usize]); 16] = [
    (4, 4, 1, &[13, 16, 18, 19]),
    (51, 55, 2, &[16]),
    (2221, 2720, 4, &[16]),
    (34, 34, 2, &[15]),
    (37, 37, 2, &[15]),
    (36, 36, 2, &[14, 16, 19]),
    (38, 39, 2, &[14, 16, 19]),
    (300, 305, 3, &[14, 16, 19]),
    (6011, 6011, 4, &[16, 19]),
    (644, 659, 3, &[16, 19]),
    (3528, 3589, 4, &[16, 19]),
    (62, 62, 2, &[16, 17, 18, 19]),
    (81, 82, 2, &[16]),
    (2200, 2204, 4, &[16, 19]),
    (6304, 6304, 4, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (5018, 5018, 4, &[12, 13, 14, 15, 16, 17, 18, 19]),
];
/// Maestro has more beginnings than belong in a table of ranges.
const MAESTRO: [u32; 7] = [5020, 5038, 5893, 6759, 6761, 6762, 6763];

/// How numbers are written in groups.
const GROUPS: [&[usize]; 6] = [&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4], &[4, 4, 5], &[6, 13]];

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(start) = text[at..].iter().position(u8::is_ascii_digit).map(|offset| at + offset) {
        let end = start + text[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        at = end;
        if is_word_at(text, start.checked_sub(1)) {
            continue;
        }
        if let Some(end) = whole(text, start, end).or_else(|| grouped(text, start, end)) {
            found.push(start..end);
            at = end;
        }
    }
}

fn whole(text: &[u8], start: usize, end: usize) -> Option<usize> {
    (!is_word_at(text, Some(end)) && is_card(&text[start..end])).then_some(end)
}

/// A number in groups, one and the same separator between them.
fn grouped(text: &[u8], start: usize, first_end: usize) -> Option<usize> {
    let separator = *text.get(first_end).filter(|byte| matches!(byte, b' ' | b'-' | b'.'))?;
    let mut digits = [0u8; 19];
    let mut length = 0;
    let mut groups = [0usize; 5];
    let mut at = start;
    for count in 0..groups.len() {
        let group = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).take(20).count();
        if group == 0 || length + group > digits.len() {
            return None;
        }
        digits[length..length + group].copy_from_slice(&text[at..at + group]);
        length += group;
        at += group;
        groups[count] = group;
        let is_form = GROUPS.contains(&&groups[..=count]) && !is_word_at(text, Some(at));
        if is_form && is_card(&digits[..length]) {
            return Some(at);
        }
        if text.get(at) != Some(&separator) {
            return None;
        }
        at += 1;
    }
    None
}

fn is_card(digits: &[u8]) -> bool {
    (12..=19).contains(&digits.len()) && has_issuer(digits) && has_check_digit(digits)
}

fn has_issuer(digits: &[u8]) -> bool {
    let first = |count: u32| digits.iter().take(count as usize).fold(0u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    let is_listed =
        |(from, to, count, lengths): &(u32, u32, u32, &[usize])| (*from..=*to).contains(&first(*count)) && lengths.contains(&digits.len());
    ISSUERS.iter().any(is_listed) || MAESTRO.contains(&first(4))
}

fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().rev().enumerate().map(|(place, digit)| weighed(place, u32::from(digit - b'0'))).sum();
    sum.is_multiple_of(10)
}

fn weighed(place: usize, digit: u32) -> u32 {
    match (place % 2, digit * 2) {
        (0, _) => digit,
        (_, doubled @ 10..) => doubled - 9,
        (_, doubled) => doubled,
    }
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
                ("4111111111111111", &["4111111111111111"]),
                ("pay with 5555-5555-5555-4444 now", &["5555-5555-5555-4444"]),
                ("amex 3782 822463 10005, visa 4012888888881881", &["3782 822463 10005", "4012888888881881"]),
                ("2223003122003222", &["2223003122003222"]),
                ("6011111111111117;3530111333300000", &["6011111111111117", "3530111333300000"]),
                ("30569309025904", &["30569309025904"]),
                ("number=4222222222222", &["4222222222222"]),
            ],
            &[
                "4111111111111112",
                "1700000000000000000",
                "1700000000000",
                "550e8400-e29b-41d4-a716-446655440000",
                "4bf92f3577b34da6a3ce929d0e0e4736",
                "9999999999999995",
                "2024-01-15 10:20:30.123456",
                "00000000-0000-4000-8000-000000000000",
                "order 123456789012345678901234567890",
                "x4111111111111111",
                "4111111111111111x",
            ],
            &[
                ("id4 4111111111111111", &["4111111111111111"]),
                ("1 2 3 4111 1111 1111 1111 5", &["4111 1111 1111 1111"]),
                ("4111.1111.1111.1111", &["4111.1111.1111.1111"]),
                ("4111 1111-1111 1111", &[]),
                ("\u{fffd}4111111111111111\u{fffd}", &["4111111111111111"]),
            ],
        );
    }
}

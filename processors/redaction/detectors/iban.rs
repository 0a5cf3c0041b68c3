//! International bank account numbers: the length of the country, and a remainder of 1 when divided by 97.

use std::ops::Range;

use super::text::is_word_at;
use super::{Detector, Needs};
use crate::redaction::eight::{BLOCK, digits, letters, mask};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "iban",
    needs: Needs { literals: &[], counts: Counts::digits(6), in_a_row: 0, closer: Some(holds_beginning) },
    find,
    samples: &["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19"],
};

/// How long the numbers of a country are.
const COUNTRIES: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
];

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while at + 15 <= text.len() {
        let is_start = text[at].is_ascii_alphabetic()
            && text[at + 1].is_ascii_alphabetic()
            && text[at + 2].is_ascii_digit()
            && text[at + 3].is_ascii_digit()
            && !is_word_at(text, at.checked_sub(1));
        match is_start.then(|| end_of(text, at)).flatten() {
            Some(end) => {
                found.push(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
}

/// Whether anywhere two letters and two digits begin a word. It is told without a branch, because most words of ids are nearly that.
fn holds_beginning(text: &[u8]) -> bool {
    // The next block begins with what had too little behind it in this one.
    (0..text.len()).step_by(BLOCK - 3).any(|from| {
        let (letters, digits) = (mask(text, from, letters), mask(text, from, digits));
        let follows_word = u64::from(is_word_at(text, from.checked_sub(1)));
        let begins = !((letters | digits) << 1 | follows_word);
        begins & letters & letters >> 1 & digits >> 2 & digits >> 3 != 0
    })
}

/// Where a number that begins at `start` ends, if it is one.
fn end_of(text: &[u8], start: usize) -> Option<usize> {
    let country = [text[start].to_ascii_uppercase(), text[start + 1].to_ascii_uppercase()];
    let wanted = COUNTRIES.binary_search_by(|(code, _)| (*code).cmp(&country)).ok().map(|place| COUNTRIES[place].1)?;
    let mut number = [0u8; 32];
    let (mut length, mut at) = (0, start);
    while length < wanted {
        match *text.get(at)? {
            byte if byte.is_ascii_alphanumeric() => {
                number[length] = byte.to_ascii_uppercase();
                length += 1;
            }
            // Groups of four.
            b' ' | b'-' if length % 4 == 0 && length > 0 && text[at - 1].is_ascii_alphanumeric() => {}
            _ => return None,
        }
        at += 1;
    }
    (!is_word_at(text, Some(at)) && remainder(&number[..wanted]) == 1).then_some(at)
}

fn remainder(number: &[u8]) -> u32 {
    let rotated = number[4..].iter().chain(&number[..4]);
    rotated.fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_tables;
    use super::*;

    #[test]
    fn beginnings_are_found_wherever_they_stand() {
        for before in 0..200 {
            for filler in ["-", "a", "1"] {
                let text = format!("{}de89{}", filler.repeat(before), "z".repeat(before % 70));
                assert_eq!(holds_beginning(text.as_bytes()), filler == "-" || before == 0, "{text}");
            }
        }
        assert!(!holds_beginning(b"") && !holds_beginning(b"de8") && !holds_beginning(b"-de-12 d1 de8"));
    }

    #[test]
    fn tables() {
        assert!(COUNTRIES.is_sorted_by_key(|(code, _)| *code));
        assert_tables(
            &DETECTOR,
            &[
                ("DE89370400440532013000", &["DE89370400440532013000"]),
                ("to GB29 NWBK 6016 1331 9268 19, please", &["GB29 NWBK 6016 1331 9268 19"]),
                ("FR1420041010050500013M02606", &["FR1420041010050500013M02606"]),
                ("no9386011117947", &["no9386011117947"]),
            ],
            &["DE89370400440532013001", "XX89370400440532013000", "DE8937040044053201300", "aDE89370400440532013000", "DE12 of 2024"],
            &[
                ("iban:DE89-3704-0044-0532-0130-00.", &["DE89-3704-0044-0532-0130-00"]),
                ("DE12DE89370400440532013000", &[]),
                ("DE12 DE89370400440532013000", &["DE89370400440532013000"]),
            ],
        );
    }
}

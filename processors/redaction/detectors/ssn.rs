//! Social security numbers of the United States, with their dashes, or behind the letters `ssn`.

use std::ops::Range;

use super::text::{each, is_word_at, run};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "ssn",
    needs: Needs { literals: &[], counts: Counts::digits(9), in_a_row: 9, closer: None },
    find,
    samples: &["123-45-6789", "ssn=123456789"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    for first in memchr::memchr_iter(b'-', text) {
        let Some(start) = first.checked_sub(3) else { continue };
        let end = start + 11;
        let Some(number) = text.get(start..end) else { break };
        let has_form = number[3] == b'-' && number[6] == b'-' && digits(number).is_some_and(is_given_out);
        if has_form && !is_joined(text, start.checked_sub(1)) && !is_joined(text, Some(end)) {
            found.push(start..end);
        }
    }
    each(text, b"ssn", |at| {
        let start = at + 3 + run(text, at + 3, |byte| matches!(byte, b' ' | b'=' | b':' | b'"' | b'#'));
        let length = run(text, start, |byte| byte.is_ascii_digit());
        let is_number = || digits(&text[start..start + 9]).is_some_and(is_given_out);
        if length == 9 && start > at + 3 && is_number() && !is_word_at(text, Some(start + 9)) {
            found.push(start..start + 9);
        }
    });
}

fn digits(text: &[u8]) -> Option<[u8; 9]> {
    let mut digits = [0; 9];
    let mut given = text.iter().filter(|byte| **byte != b'-');
    for digit in &mut digits {
        *digit = *given.next().filter(|byte| byte.is_ascii_digit())?;
    }
    given.next().is_none().then_some(digits)
}

/// Areas 000, 666 and 900 to 999 were never given out, nor were groups or serials of zeros.
fn is_given_out(digits: [u8; 9]) -> bool {
    let (area, group, serial) = (&digits[..3], &digits[3..5], &digits[5..]);
    area != b"000" && area != b"666" && area[0] != b'9' && group != b"00" && serial != b"0000"
}

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
            &[("123-45-6789", &["123-45-6789"]), ("his ssn: 123456789.", &["123456789"]), ("(078-05-1120)", &["078-05-1120"])],
            &[
                "000-12-3456",
                "666-12-3456",
                "912-34-5678",
                "123-00-6789",
                "123-45-0000",
                "123-45-67890",
                "1123-45-6789",
                "123456789",
                "2024-01-15",
            ],
            &[("123-45-6789-1", &[]), ("-123-45-6789", &[]), ("12-123-45-6789", &[])],
        );
    }
}

//! Addresses of IPv4, but those that are nobody's: loopback, unspecified, broadcast.

use std::ops::Range;

use super::text::{run, run_before};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "ipv4",
    needs: Needs { literals: &[], counts: Counts::digits(4).and(Counts::dots(3)), in_a_row: 0, closer: None },
    find,
    samples: &["203.0.113.7", "from 198.51.100.23:443"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(start) = text[at..].iter().position(u8::is_ascii_digit).map(|offset| at + offset) {
        let length = run(text, start, |byte| byte.is_ascii_digit() || byte == b'.');
        at = start + length;
        let end = start + text[start..at].iter().rposition(u8::is_ascii_digit).map_or(0, |last| last + 1);
        if !is_version(text, start) && !is_bucket(text, start, end) && is_address(&text[start..end]) && !follows_word(text, end) {
            found.push(start..end);
        }
    }
}

fn is_address(text: &[u8]) -> bool {
    let Some(parts) = parts(text) else { return false };
    !matches!(parts, [127, ..] | [0, 0, 0, 0] | [255, 255, 255, 255])
}

fn parts(text: &[u8]) -> Option<[u8; 4]> {
    let mut parts = [0u8; 4];
    let mut given = text.split(|byte| *byte == b'.');
    for part in &mut parts {
        let digits = given.next().filter(|digits| (1..=3).contains(&digits.len()))?;
        *part = std::str::from_utf8(digits).ok()?.parse().ok()?;
    }
    given.next().is_none().then_some(parts)
}

/// `Chrome/119.0.0.0`, `v1.2.3.4` and `lib-1.2.3.4` are versions.
fn is_version(text: &[u8], start: usize) -> bool {
    let before = run_before(text, start, |byte| byte.is_ascii_alphabetic() || byte == b'_');
    let slashed = text[..start].ends_with(b"/") && text[..start - 1].last().is_some_and(u8::is_ascii_alphabetic);
    before > 0 || slashed || text[..start].ends_with(b".")
}

/// What is left of an address by its bucket: `203.0.113.0/24`.
fn is_bucket(text: &[u8], start: usize, end: usize) -> bool {
    text[start..end].ends_with(b".0") && text[end..].starts_with(b"/24")
}

fn follows_word(text: &[u8], end: usize) -> bool {
    text.get(end).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

/// The network of an address, or nothing where it is none.
pub(in crate::redaction) fn bucket(text: &[u8]) -> Option<String> {
    let [a, b, c, _] = parts(text)?;
    Some(format!("{a}.{b}.{c}.0/24"))
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
                ("203.0.113.7", &["203.0.113.7"]),
                ("peer 198.51.100.23:443, 10.1.2.3", &["198.51.100.23", "10.1.2.3"]),
                ("http://203.0.113.7/x", &["203.0.113.7"]),
                ("ip=203.0.113.7.", &["203.0.113.7"]),
            ],
            &[
                "127.0.0.1",
                "0.0.0.0",
                "1.2.3",
                "1.2.3.4.5",
                "256.1.1.1",
                "Chrome/119.0.0.0",
                "v1.2.3.4",
                "203.0.113.0/24",
                "1.2.3.4a",
                "1..2.3.4",
            ],
            &[("[203.0.113.7]", &["203.0.113.7"]), ("....203.0.113.7", &[]), ("0203.0.113.7", &[])],
        );
        assert_eq!(bucket(b"203.0.113.7").as_deref(), Some("203.0.113.0/24"));
    }
}

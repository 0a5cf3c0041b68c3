//! Addresses of IPv6, but those that are nobody's.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::text::{is_word_at, run, run_before};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "ipv6",
    needs: Needs { literals: &[], counts: Counts::colons(2), in_a_row: 0, closer: None },
    find,
    samples: &["2001:db8::ff00:42:8329", "[2001:db8:0:1:1:1:1:1]:443"],
};

/// Longer ones there are not.
const LONGEST: usize = 45;

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    for colon in memchr::memchr_iter(b':', text) {
        if colon < free_from {
            continue;
        }
        let start = colon - run_before(&text[free_from..], colon - free_from, |byte| byte.is_ascii_hexdigit());
        let length = run(text, start, |byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
        let mut end = start + length;
        free_from = end;
        while end > start && (text[end - 1] == b'.' || text[start..end].ends_with(b":") && !text[start..end].ends_with(b"::")) {
            end -= 1;
        }
        let touches = is_word_at(text, start.checked_sub(1)) || is_word_at(text, Some(end)) || text[..start].ends_with(b"_");
        if !touches && !is_bucket(text, start, end) && is_address(&text[start..end]) {
            found.push(start..end);
        }
    }
}

fn is_address(text: &[u8]) -> bool {
    let Some(address) = parsed(text) else { return false };
    let groups = text.split(|byte| *byte == b':').filter(|group| !group.is_empty()).count();
    // `a::b` is a name in a program.
    let is_plain = groups >= 3 || (groups == 2 && text.iter().any(u8::is_ascii_digit) && text.len() >= 7);
    is_plain && !address.is_loopback() && !address.is_unspecified()
}

fn parsed(text: &[u8]) -> Option<Ipv6Addr> {
    if !(7..=LONGEST).contains(&text.len()) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// What is left of an address by its bucket: `2001:db8:1::/48`.
fn is_bucket(text: &[u8], start: usize, end: usize) -> bool {
    text[start..end].ends_with(b"::") && text[end..].starts_with(b"/48")
}

/// The network of an address, or nothing where it is none.
pub(in crate::redaction) fn bucket(text: &[u8]) -> Option<String> {
    let [a, b, c, ..] = parsed(text)?.segments();
    Some(format!("{a:x}:{b:x}:{c:x}::/48"))
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
                ("2001:db8::ff00:42:8329", &["2001:db8::ff00:42:8329"]),
                ("[2001:db8:0:1:1:1:1:1]:443", &["2001:db8:0:1:1:1:1:1"]),
                ("from fe80::1ff:fe23:4567:890a.", &["fe80::1ff:fe23:4567:890a"]),
                ("::ffff:203.0.113.7", &["::ffff:203.0.113.7"]),
            ],
            &[
                "::1",
                "::",
                "12:34:56",
                "std::io::Error",
                "a::b",
                "01:23:45:67:89:ab",
                "2024-01-15T10:20:30",
                "ab::cd::ef",
                "2001:db8:1::/48",
                "x::1",
            ],
            &[("2001:db8:::1", &[]), (":2001:db8::1:2:", &[]), ("addr=2001:db8::1:2,", &["2001:db8::1:2"])],
        );
        assert_eq!(bucket(b"2001:db8::ff00:42:8329").as_deref(), Some("2001:db8:0::/48"));
    }
}

//! Addresses of e-mail.

use std::ops::Range;

use super::text::{run, run_before};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "email",
    needs: Needs { literals: &[], counts: Counts::at_signs(1).and(Counts::dots(1)), in_a_row: 0, closer: None },
    find,
    samples: &["joe@example.com", "<Ann.Lee+shop@mail.example.co.uk>"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    for at in memchr::memchr_iter(b'@', text) {
        let start = at - run_before(&text[free_from..], at - free_from, is_local);
        let start = start + text[start..at].iter().take_while(|byte| matches!(byte, b'.' | b'-' | b'/' | b'\'')).count();
        if start == at {
            continue;
        }
        if let Some(length) = domain(&text[at + 1..]) {
            found.push(start..at + 1 + length);
            free_from = at + 1 + length;
        }
    }
}

/// How long the domain is that a text begins with: labels and, at the end, one of two letters or more.
fn domain(text: &[u8]) -> Option<usize> {
    let mut length = run(text, 0, |byte| byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'-' | b'.'));
    while length > 0 && matches!(text[length - 1], b'.' | b'-') {
        length -= 1;
    }
    let last = text[..length].iter().rposition(|byte| *byte == b'.')?;
    let top = &text[last + 1..length];
    (last > 0 && top.len() >= 2 && top.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)).then_some(length)
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'~' | b'!' | b'#' | b'$' | b'*')
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
                ("joe@example.com", &["joe@example.com"]),
                ("from <Ann.Lee+shop@mail.example.co.uk>.", &["Ann.Lee+shop@mail.example.co.uk"]),
                ("?user=o'neil@example.org&x=1", &["o'neil@example.org"]),
                ("jürgen@müller.de", &["jürgen@müller.de"]),
            ],
            &["lodash@4.17.21", "joe@localhost", "@example.com", "a @ b.com", "joe@", "kafka@10.0.0.1:9092", "x@y.z"],
            &[
                ("a@b.co@c.de", &["a@b.co"]),
                ("...joe@example.com...", &["joe@example.com"]),
                ("a@@b.com", &[]),
                ("mailto:joe@example.com?subject=x", &["joe@example.com"]),
            ],
        );
    }
}

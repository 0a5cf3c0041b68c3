//! Private keys in PEM: from the first line to the last, or to the end where the last is missing.

use std::ops::Range;

use super::text::each_exact;
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "private_key",
    needs: Needs { literals: &["-----begin"], counts: Counts::dashes(5), in_a_row: 0, closer: None },
    find,
    samples: &["-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\\nMIIE"],
};

/// A first line is not longer.
const LONGEST_TITLE: usize = 64;

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    each_exact(text, b"-----BEGIN ", |at| {
        let title = &text[at + 11..text.len().min(at + 11 + LONGEST_TITLE)];
        let Some(length) = memchr::memmem::find(title, b"PRIVATE KEY").filter(|_| at >= free_from) else { return };
        let behind = at + 11 + length;
        let last = memchr::memmem::find(&text[behind..], b"-----END ").map(|offset| behind + offset + 9);
        let end =
            last.map_or(text.len(), |last| memchr::memmem::find(&text[last..], b"-----").map_or(text.len(), |offset| last + offset + 5));
        found.push(at..end);
        free_from = end;
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_tables;
    use super::*;

    #[test]
    fn tables() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----";
        assert_tables(
            &DETECTOR,
            &[(key, &[key]), (&format!("a {key} b {key}."), &[key, key])],
            &["-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----", "PRIVATE KEY", "-----BEGIN"],
            &[
                ("x-----BEGIN PRIVATE KEY-----\nMIIE and no end", &["-----BEGIN PRIVATE KEY-----\nMIIE and no end"]),
                ("-----BEGIN PRIVATE KEY", &["-----BEGIN PRIVATE KEY"]),
                ("-----BEGIN OPENSSH PRIVATE KEY----------END ", &["-----BEGIN OPENSSH PRIVATE KEY----------END "]),
            ],
        );
    }
}

//! Keys of Amazon Web Services: ids by their beginnings, secret keys by the words before them.

use std::ops::Range;

use super::text::{each, each_exact, is_word_at, run, stands_alone};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "aws_key",
    needs: Needs {
        literals: &["akia", "asia", "agpa", "aida", "aroa", "aipa", "anpa", "anva", "abia", "acca", "secret"],
        counts: Counts::NONE,
        in_a_row: 0,
        closer: None,
    },
    find,
    samples: &["AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
};

const BEGINNINGS: [&[u8]; 10] = [b"AKIA", b"ASIA", b"AGPA", b"AIDA", b"AROA", b"AIPA", b"ANPA", b"ANVA", b"ABIA", b"ACCA"];

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    for beginning in BEGINNINGS {
        each_exact(text, beginning, |at| {
            let range =
                at..at + 4 + run(&text[..text.len().min(at + 25)], at + 4, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            if (20..=24).contains(&range.len()) && stands_alone(text, &range) {
                found.push(range);
            }
        });
    }
    for words in [&b"secret_access_key"[..], b"secretaccesskey", b"secret_key", b"secretkey"] {
        each(text, words, |at| {
            let behind = at + words.len();
            let start = behind + run(text, behind, |byte| matches!(byte, b' ' | b'=' | b':' | b'"' | b'\'' | b'\t' | b'>'));
            let length =
                run(&text[..text.len().min(start + 41)], start, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'='));
            if start > behind && length == 40 && !is_word_at(text, Some(start + 40)) {
                found.push(start..start + 40);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_tables;
    use super::*;

    #[test]
    fn tables() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert_tables(
            &DETECTOR,
            &[
                ("AKIAIOSFODNN7EXAMPLE", &["AKIAIOSFODNN7EXAMPLE"]),
                ("id=ASIAIOSFODNN7EXAMPLE&x", &["ASIAIOSFODNN7EXAMPLE"]),
                (&format!("aws_secret_access_key = {secret}"), &[secret]),
                (&format!("{{\"SecretAccessKey\": \"{secret}\"}}"), &[secret]),
            ],
            &[
                "AKIA",
                "AKIAIOSFODNN7EXAMPL",
                "xAKIAIOSFODNN7EXAMPLE",
                "akiaiosfodnn7example",
                "ASIA PACIFIC REGIONS ONLY",
                "secret_key = short",
                secret,
            ],
            &[("AKIAAKIAIOSFODNN7EXAMPLE", &["AKIAAKIAIOSFODNN7EXAMPLE"]), ("AKIAIOSFODNN7EXAMPLE.", &["AKIAIOSFODNN7EXAMPLE"])],
        );
    }
}

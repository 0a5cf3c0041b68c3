//! User and password in a basic authorization: base64 that holds a colon.

use std::ops::Range;

use super::text::{each, is_base64, is_word_at, run};
use super::{Detector, Needs};
use crate::redaction::encodings::base64_decoded;
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "basic_auth",
    needs: Needs { literals: &["basic"], counts: Counts::NONE },
    find,
    samples: &["Basic dXNlcjpwYXNzd29yZA=="],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    each(text, b"basic", |at| {
        if at < free_from {
            return;
        }
        let gap = run(text, at + 5, |byte| matches!(byte, b' ' | b'\t' | b':' | b'"' | b'\''));
        let start = at + 5 + gap;
        let length = run(text, start, is_base64);
        let holds = || base64_decoded(&text[start..start + length]).is_some_and(|inside| inside.contains(&b':'));
        if gap > 0 && length >= 4 && !is_word_at(text, at.checked_sub(1)) && holds() {
            free_from = start + length;
            found.push(start..free_from);
        }
    });
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
                ("Basic dXNlcjpwYXNzd29yZA==", &["dXNlcjpwYXNzd29yZA=="]),
                ("authorization=basic dXNlcjpwYXNzd29yZA", &["dXNlcjpwYXNzd29yZA"]),
            ],
            &["basic authentication", "Basic realm", "basically dXNlcjpwYXNzd29yZA==", "Basic ****"],
            &[("BASIC\tdXNlcjpwYXNzd29yZA==", &["dXNlcjpwYXNzd29yZA=="]), ("Basic ====", &[])],
        );
    }
}

//! User and password in a basic authorization: base64 that holds a colon.

use std::ops::Range;

use super::text::{behind_word, is_base64};
use super::{Detector, Needs};
use crate::redaction::encodings::base64_decoded;
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "basic_auth",
    needs: Needs { literals: &["basic"], counts: Counts::NONE, in_a_row: 0, closer: None },
    find,
    samples: &["Basic dXNlcjpwYXNzd29yZA=="],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let is_gap = |byte| matches!(byte, b' ' | b'\t' | b':' | b'"' | b'\'');
    let holds_colon = |token: &[u8]| token.len() >= 4 && base64_decoded(token).is_some_and(|inside| inside.contains(&b':'));
    behind_word(text, b"basic", is_gap, is_base64, holds_colon, found);
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

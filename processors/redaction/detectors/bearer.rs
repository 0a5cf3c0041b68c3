//! Bearer tokens: what stands behind the word in a header.

use std::ops::Range;

use super::text::{behind_word, has_digit, is_mask};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "bearer",
    needs: Needs { literals: &["bearer"], counts: Counts::NONE, in_a_row: 0, closer: None },
    find,
    samples: &["Authorization: Bearer mF_9.B5f-4.1JqM"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let is_gap = |byte| matches!(byte, b' ' | b'\t' | b':' | b'=' | b'"' | b'\'');
    let is_word = |token: &[u8]| token.len() < 20 && !has_digit(token);
    let accepts = |token: &[u8]| token.len() >= 8 && !is_word(token) && !is_mask(token);
    behind_word(text, b"bearer", is_gap, is_token, accepts, found);
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
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
                ("Authorization: Bearer mF_9.B5f-4.1JqM", &["mF_9.B5f-4.1JqM"]),
                ("bearer abcdefghijklmnopqrstuvwx", &["abcdefghijklmnopqrstuvwx"]),
                ("{\"BEARER\":\"a1b2c3d4e5\"}", &["a1b2c3d4e5"]),
            ],
            &["bearer token", "the bearer of this", "Bearer ****", "forbearer a1b2c3d4e5", "Bearer short1", "bearera1b2c3d4e5"],
            &[("Bearer  \t a1b2c3d4", &["a1b2c3d4"]), ("Bearer Bearer a1b2c3d4", &["a1b2c3d4"])],
        );
    }
}

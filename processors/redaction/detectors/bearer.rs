//! Bearer tokens: what stands behind the word in a header.

use std::ops::Range;

use super::text::{each, has_digit, is_mask, is_word_at, run};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "bearer",
    needs: Needs { literals: &["bearer"], counts: Counts::NONE },
    find,
    samples: &["Authorization: Bearer mF_9.B5f-4.1JqM"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    each(text, b"bearer", |at| {
        if at < free_from {
            return;
        }
        let gap = run(text, at + 6, |byte| matches!(byte, b' ' | b'\t' | b':' | b'=' | b'"' | b'\''));
        let start = at + 6 + gap;
        let length = run(text, start, is_token);
        let token = &text[start..start + length];
        let is_word = length < 20 && !has_digit(token);
        if gap > 0 && length >= 8 && !is_word && !is_mask(token) && !is_word_at(text, at.checked_sub(1)) {
            free_from = start + length;
            found.push(start..free_from);
        }
    });
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

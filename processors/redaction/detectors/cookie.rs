//! Cookies in headers that stand in a text: all that follows the name of the header.

use std::ops::Range;

use super::text::{each, is_mask, is_word_at, run};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "cookie",
    needs: Needs { literals: &["cookie"], counts: Counts::NONE, in_a_row: 0, closer: None },
    find,
    samples: &["Cookie: session=8f2a; theme=dark", "set-cookie: id=a3fWa; Max-Age=2592000"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    // What was looked at once need not be again: a line of nothing but names would take for ever.
    let mut free_from = 0;
    each(text, b"cookie", |at| {
        if at < free_from {
            return;
        }
        let quote = run(text, at + 6, |byte| matches!(byte, b'"' | b'\''));
        let colon = at + 6 + quote;
        let gap = run(text, colon + 1, |byte| matches!(byte, b' ' | b'\t' | b'"' | b'\''));
        let start = colon + 1 + gap;
        let length = run(text, start, |byte| !matches!(byte, b'\r' | b'\n' | b'"' | b'\''));
        let value = text.get(start..start + length).unwrap_or_default();
        free_from = if text.get(colon) == Some(&b':') { start + length } else { at };
        let is_header = text.get(colon) == Some(&b':') && !is_word_at(text, at.checked_sub(1));
        if is_header && value.contains(&b'=') && !is_mask(value) {
            found.push(start..start + length);
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
                ("Cookie: session=8f2a; theme=dark", &["session=8f2a; theme=dark"]),
                ("GET /\r\nset-cookie: id=a3fWa; Max-Age=1\r\nHost: x", &["id=a3fWa; Max-Age=1"]),
                ("{\"cookie\":\"sid=31d4d96e407aad42\"}", &["sid=31d4d96e407aad42"]),
            ],
            &["cookie jar", "a cookie: yes", "Cookie: ****", "cookies: a=b", "mycookie: a=b"],
            &[("cookie:a=", &["a="]), ("cookie:\t a=b", &["a=b"])],
        );
    }
}

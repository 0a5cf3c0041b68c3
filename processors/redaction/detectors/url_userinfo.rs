//! User and password in addresses: `https://user:password@host`.

use std::ops::Range;

use super::text::{each_exact, is_mask, run};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "url_userinfo",
    needs: Needs { literals: &[], counts: Counts::at_signs(1).and(Counts::colons(1)), in_a_row: 0, closer: None },
    find,
    samples: &["https://joe:hunter2@example.com/x", "postgres://app:s3cret@db:5432/shop"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    each_exact(text, b"://", |at| {
        let start = at + 3;
        let length =
            run(text, start, |byte| !matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>') && !byte.is_ascii_whitespace());
        let authority = &text[start..start + length];
        // A password may hold an `@`: the last one is it.
        let Some(end) = authority.iter().rposition(|byte| *byte == b'@').filter(|end| *end > 0) else { return };
        if !is_mask(&authority[..end]) {
            found.push(start..start + end);
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
                ("https://joe:hunter2@example.com/x", &["joe:hunter2"]),
                ("to postgres://app:s3cret@db:5432/shop?x=a@b", &["app:s3cret"]),
                ("http://token@host http://b:c@d", &["token", "b:c"]),
            ],
            &["https://example.com/a@b", "https://****@example.com", "joe@example.com", "https://@host", "://"],
            &[("redis://:p@ss@host", &[":p@ss"]), ("http://a:b@c@d/", &["a:b@c"]), ("x://y://z@w", &["z"])],
        );
    }
}

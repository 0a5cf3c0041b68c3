//! JSON web tokens: three or more parts of base64, of which the first begins with `{"`.

use std::ops::Range;

use super::text::{each_exact, is_url_safe, is_word_at, run};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "jwt",
    needs: Needs { literals: &["eyJ"], counts: Counts::dots(1), in_a_row: 0, closer: None },
    find,
    samples: &["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    each_exact(text, b"eyJ", |at| {
        if at < free_from || is_word_at(text, at.checked_sub(1)) {
            return;
        }
        let (mut end, mut parts) = (at, 0);
        loop {
            let length = run(text, end, |byte| is_url_safe(byte) || byte == b'=');
            end += length;
            parts += usize::from(length >= 2);
            // An unsigned token ends with a dot.
            if text.get(end) != Some(&b'.') || parts == 0 || parts > 5 {
                break;
            }
            end += 1;
        }
        while end > at && text[end - 1] == b'.' && parts < 2 {
            end -= 1;
        }
        if parts >= 2 && end - at >= 20 {
            found.push(at..end);
            free_from = end;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_tables;
    use super::*;

    #[test]
    fn tables() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
        assert_tables(
            &DETECTOR,
            &[
                (token, &[token]),
                (&format!("GET /confirm/{token}/ok"), &[token]),
                ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0In0.", &["eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0In0."]),
            ],
            &["eyJ", "eyJhbGciOiJIUzI1NiJ9", "keyJoin.of.tables.and.more", "eyJa.b"],
            &[(&format!("token={token};eyJ"), &[token]), ("eyJ.eyJ.eyJ.eyJ.eyJ.eyJ", &["eyJ.eyJ.eyJ.eyJ.eyJ.eyJ"])],
        );
    }
}

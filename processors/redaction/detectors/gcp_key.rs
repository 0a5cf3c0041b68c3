//! Keys and tokens of Google Cloud.

use std::ops::Range;

use super::text::{is_url_safe, prefixed};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "gcp_key",
    needs: Needs { literals: &["AIza", "ya29.", "GOCSPX-"], counts: Counts::NONE, in_a_row: 0, closer: None },
    find,
    samples: &["AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe", "ya29.a0AfH6SMBx-7y8Z9", "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"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    prefixed(text, "AIza", 35, is_url_safe, found);
    prefixed(text, "ya29.", 12, |byte| is_url_safe(byte) || byte == b'.', found);
    prefixed(text, "GOCSPX-", 20, is_url_safe, found);
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
                ("AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe", &["AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe"]),
                ("token ya29.a0AfH6SMBx-7y8Z9, ok", &["ya29.a0AfH6SMBx-7y8Z9"]),
                ("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", &["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"]),
            ],
            &["AIza", "AIzaShort", "xAIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe", "ya29", "GOCSPX"],
            &[("key=AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe&q=1", &["AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe"]), ("ya29.ya29.", &[])],
        );
    }
}

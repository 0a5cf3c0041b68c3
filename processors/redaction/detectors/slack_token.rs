//! Tokens and incoming webhooks of Slack.

use std::ops::Range;

use super::text::{each, is_url_safe, prefixed, run};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "slack_token",
    needs: Needs {
        literals: &["xoxa-", "xoxb-", "xoxp-", "xoxo-", "xoxs-", "xoxr-", "xoxe-", "xapp-", "hooks.slack.com"],
        counts: Counts::NONE,
        in_a_row: 0,
        closer: None,
    },
    find,
    // In two pieces, because keepers of repositories look for such texts too.
    samples: &[
        concat!("xoxb", "-2345678901-abcdefghijkl"),
        concat!("https://hooks.slack.com/services/", "T00000000/B00000000/abcdefghijklmnop"),
    ],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    for prefix in ["xoxa-", "xoxb-", "xoxp-", "xoxo-", "xoxs-", "xoxr-", "xoxe-", "xapp-"] {
        prefixed(text, prefix, 10, is_url_safe, found);
    }
    each(text, b"hooks.slack.com/services/", |at| {
        let start = at + b"hooks.slack.com/services/".len();
        let length = run(text, start, |byte| byte.is_ascii_alphanumeric() || byte == b'/');
        if length >= 12 {
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
        let token = concat!("xoxb", "-2345678901-abcdefghijkl");
        assert_tables(
            &DETECTOR,
            &[(token, &[token]), (&format!("POST {}", DETECTOR.samples[1]), &["T00000000/B00000000/abcdefghijklmnop"])],
            &["xoxb-", "xoxb-short", "axoxb-2345678901-abc", "hooks.slack.com", "hooks.slack.com/services/"],
            &[(&format!("<{token}>"), &[token]), ("xoxb-xoxb-", &[])],
        );
    }
}

//! Keys of OpenAI, and of Anthropic, whose keys begin alike.

use std::ops::Range;

use super::text::{each_exact, has_digit, is_url_safe, is_word_at, run};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "openai_key",
    needs: Needs { literals: &["sk-"], counts: Counts::dashes(1), in_a_row: 0, closer: None },
    find,
    samples: &["sk-abcdefghijklmnopqrst1234567890", "sk-proj-Ab12Cd34Ef56Gh78Ij90Kl"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    each_exact(text, b"sk-", |at| {
        if is_word_at(text, at.checked_sub(1)) || text[..at].ends_with(b"-") || text[..at].ends_with(b"_") {
            return;
        }
        let length = run(text, at + 3, is_url_safe);
        if length >= 20 && has_digit(&text[at + 3..at + 3 + length]) {
            found.push(at..at + 3 + length);
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
                ("sk-abcdefghijklmnopqrst1234567890", &["sk-abcdefghijklmnopqrst1234567890"]),
                ("key sk-proj-Ab12Cd34Ef56Gh78Ij90Kl.", &["sk-proj-Ab12Cd34Ef56Gh78Ij90Kl"]),
                ("sk-ant-api03-Ab12Cd34Ef56Gh78", &["sk-ant-api03-Ab12Cd34Ef56Gh78"]),
            ],
            &["sk-", "task-scheduler-worker-12345", "risk-abcdefghijklmnopqrst1234567890", "sk-learn-pipelines-and-models", "sk-short1"],
            &[("sk-sk-abcdefghijklmnopqrst123456", &["sk-sk-abcdefghijklmnopqrst123456"])],
        );
    }
}

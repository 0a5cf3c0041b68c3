//! Tokens of GitHub, and of GitLab.

use std::ops::Range;

use super::text::{is_url_safe, prefixed};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "github_token",
    needs: Needs {
        literals: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"],
        counts: Counts::NONE,
        in_a_row: 0,
        closer: None,
    },
    find,
    samples: &["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "glpat-AbCdEfGhIjKlMnOpQrSt"],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    for prefix in ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"] {
        prefixed(text, prefix, 30, |byte| byte.is_ascii_alphanumeric() || byte == b'_', found);
    }
    prefixed(text, "github_pat_", 22, |byte| byte.is_ascii_alphanumeric() || byte == b'_', found);
    prefixed(text, "glpat-", 20, is_url_safe, found);
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
                ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", &["ghp_16C7e42F292c6912E7710c838347Ae178B4a"]),
                ("x github_pat_11ABCDEFG0abcdefghijkl_mnop y", &["github_pat_11ABCDEFG0abcdefghijkl_mnop"]),
                ("glpat-AbCdEfGhIjKlMnOpQrSt", &["glpat-AbCdEfGhIjKlMnOpQrSt"]),
            ],
            &["ghp_", "ghp_short", "aghp_16C7e42F292c6912E7710c838347Ae178B4a", "github_pat_", "GHP_16C7e42F292c6912E7710c838347Ae178B4a"],
            &[
                ("https://ghs_16C7e42F292c6912E7710c838347Ae178B4a@github.com", &["ghs_16C7e42F292c6912E7710c838347Ae178B4a"]),
                ("ghp_ghp_ghp_", &[]),
            ],
        );
    }
}

//! Keys of Azure: of storage accounts and shared access in connection strings, and secrets of applications.

use std::ops::Range;

use super::text::{each, each_exact, is_base64, is_mask, run, run_before};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "azure_key",
    needs: Needs {
        literals: &["accountkey", "sharedaccesskey", "0Q~", "1Q~", "2Q~", "3Q~", "4Q~", "5Q~", "6Q~", "7Q~", "8Q~", "9Q~"],
        counts: Counts::NONE,
        in_a_row: 0,
        closer: None,
    },
    find,
    samples: &[
        "AccountKey=lJzRc1YdHaAA2KCNJJ1tkYwF/+mKK6Ygw0NGe170Xu592euJv2wYUtBlV8z+qnlcNQSnIYVTkLWntUO1F8j8rQ==",
        "Endpoint=sb://x/;SharedAccessKey=abcDEF0123456789abcDEF0123456789abcDEF01234=",
    ],
};

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    for name in [&b"accountkey"[..], b"sharedaccesskey"] {
        let mut free_from = 0;
        each(text, name, |at| {
            if at < free_from {
                return;
            }
            let behind = at + name.len();
            let start = behind + run(text, behind, |byte| matches!(byte, b'=' | b':' | b'"' | b' '));
            let length = run(text, start, |byte| is_base64(byte) || byte == b'%');
            free_from = start + length;
            if start > behind && length >= 16 && !is_mask(&text[start..]) {
                found.push(start..start + length);
            }
        });
    }
    each_exact(text, b"Q~", |at| {
        let before = run_before(&text[at.saturating_sub(4)..at], at.min(4), is_secret);
        let behind = run(&text[..text.len().min(at + 40)], at + 2, is_secret);
        if before >= 4 && text[at - 1].is_ascii_digit() && (31..=34).contains(&behind) {
            found.push(at - 4..at + 2 + behind);
        }
    });
}

fn is_secret(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~' | b'.' | b'-')
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_tables;
    use super::*;

    #[test]
    fn tables() {
        let key = "lJzRc1YdHaAA2KCNJJ1tkYwF/+mKK6Ygw0NGe170Xu592euJv2wYUtBlV8z+qnlcNQSnIYVTkLWntUO1F8j8rQ==";
        let secret = "abc8Q~1234567890abcdefghijklmnopqrstuvw";
        assert_tables(
            &DETECTOR,
            &[
                (&format!("AccountName=x;AccountKey={key};EndpointSuffix=y"), &[key]),
                (&format!("secret {secret}."), &[&format!("{secret}.")]),
            ],
            &["AccountKey=", "account key", "AccountKey=****", "Q~", "abc8Q~short", "SharedAccessKeyName=RootManage"],
            &[(&format!("accountkey=\"{key}\""), &[key]), (&format!("sharedaccesskey={key}"), &[key])],
        );
    }
}

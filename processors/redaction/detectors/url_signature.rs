//! Query parameters that sign an address or let whoever has it in.

use std::ops::Range;

use super::text::{is_mask, run, run_before};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "url_signature",
    needs: Needs {
        literals: &[
            "sig=",
            "signature=",
            "credential=",
            "token=",
            "accesskeyid=",
            "accessid=",
            "pair-id=",
            "policy=",
            "key=",
            "secret=",
            "password=",
            "code=",
            "auth=",
            "jwt=",
            "assertion=",
        ],
        counts: Counts::NONE,
        in_a_row: 0,
        closer: None,
    },
    find,
    samples: &["https://x/?sv=2020&sig=abc%2B123", "/o?X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0"],
};

/// In lower case; only between `?`, `&`, `;` or `#` and `=`.
const PARAMETERS: [&[u8]; 32] = [
    b"sig",
    b"signature",
    b"x-amz-signature",
    b"x-amz-credential",
    b"x-amz-security-token",
    b"x-goog-signature",
    b"x-goog-credential",
    b"awsaccesskeyid",
    b"googleaccessid",
    b"key-pair-id",
    b"policy",
    b"access_token",
    b"refresh_token",
    b"id_token",
    b"auth_token",
    b"token",
    b"api_key",
    b"apikey",
    b"api-key",
    b"subscription-key",
    b"client_secret",
    b"secret",
    b"password",
    b"passwd",
    b"pwd",
    b"auth",
    b"jwt",
    b"samlresponse",
    b"assertion",
    b"code",
    b"session_token",
    b"sas_token",
];
/// The longest of them.
const LONGEST: usize = 20;

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut free_from = 0;
    for sign in memchr::memchr_iter(b'=', text) {
        if sign < free_from {
            continue;
        }
        let window = &text[sign.saturating_sub(LONGEST + 1)..sign];
        let length = run_before(window, window.len(), |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let begins = window
            .len()
            .checked_sub(length + 1)
            .and_then(|at| window.get(at))
            .is_some_and(|byte| matches!(byte, b'?' | b'&' | b';' | b'#'));
        let name = &window[window.len() - length..];
        if !begins || !PARAMETERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            continue;
        }
        let length =
            run(text, sign + 1, |byte| !matches!(byte, b'&' | b'#' | b'"' | b'\'' | b'<' | b'>' | b';') && !byte.is_ascii_whitespace());
        let value = &text[sign + 1..sign + 1 + length];
        free_from = sign + 1 + length;
        if length > 0 && !is_mask(value) && value != b"REDACTED" {
            found.push(sign + 1..sign + 1 + length);
        }
    }
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
                ("https://x/?sv=2020&sig=abc%2B123", &["abc%2B123"]),
                ("/o?X-Amz-Credential=AKIA/x&X-Amz-Signature=fe5f&v=1", &["AKIA/x", "fe5f"]),
                ("#access_token=ya29&state=1", &["ya29"]),
            ],
            &["/x?page=2&sort=asc", "sig=abc", "/x?sig=", "/x?sig=****", "/x?sig=REDACTED", "/x?design=abc", "/x?mysig=1"],
            &[("/x?SIG=a", &["a"]), ("/x?sig=a=b", &["a=b"]), ("/x?sig=a?sig=b", &["a?sig=b"])],
        );
    }
}

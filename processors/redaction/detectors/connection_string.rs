//! Passwords in connection strings, and whatever else is written as a name, a sign and a value: `Password=…;`, `"api_key": "…"`.

use std::ops::Range;

use super::text::{each, is_mask, run};
use super::{Detector, Needs};
use crate::redaction::prefilter::Counts;

pub(super) static DETECTOR: Detector = Detector {
    name: "connection_string",
    needs: Needs {
        literals: &["passw", "pwd", "secret", "_token", "apikey", "api_key", "api-key", "credential"],
        counts: Counts::NONE,
        in_a_row: 0,
        closer: None,
    },
    find,
    samples: &["Server=db;User Id=sa;Password=hunter2;", "{\"client_secret\": \"3kfj39fkd\"}"],
};

/// Names behind which a secret stands, and whether a colon without quotes is enough of a sign.
const NAMES: [(&[u8], bool); 12] = [
    (b"password", true),
    (b"passwd", true),
    (b"passwort", true),
    (b"pwd", true),
    (b"secret", false),
    (b"access_token", true),
    (b"auth_token", true),
    (b"refresh_token", true),
    (b"api_key", true),
    (b"apikey", true),
    (b"api-key", true),
    (b"credential", false),
];

fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    for (name, takes_colon) in NAMES {
        let mut free_from = 0;
        each(text, name, |at| {
            if at < free_from {
                return;
            }
            if let Some(range) = value(text, at + name.len(), takes_colon) {
                free_from = range.end;
                found.push(range);
            }
        });
    }
}

/// The value behind a name that ends at `end`.
fn value(text: &[u8], end: usize, takes_colon: bool) -> Option<Range<usize>> {
    let closed = end + run(text, end, |byte| matches!(byte, b'"' | b'\'' | b'\\')).min(2);
    let sign = closed + run(text, closed, |byte| byte == b' ').min(1);
    let is_quoted_name = closed > end;
    match text.get(sign)? {
        b'=' => {}
        b':' if takes_colon || is_quoted_name => {}
        _ => return None,
    }
    let mut start = sign + 1 + run(text, sign + 1, |byte| matches!(byte, b' ' | b'>' | b'=')).min(2);
    let quote = match text.get(start..)? {
        [b'\\', quote @ (b'"' | b'\''), ..] => {
            start += 2;
            Some(*quote)
        }
        [quote @ (b'"' | b'\'' | b'{'), ..] => {
            start += 1;
            Some(if *quote == b'{' { b'}' } else { *quote })
        }
        _ => None,
    };
    let length = match quote {
        Some(quote) => run(text, start, |byte| byte != quote && byte != b'\n' && byte != b'\\'),
        None => run(text, start, |byte| {
            !byte.is_ascii_whitespace() && !matches!(byte, b';' | b'&' | b',' | b'"' | b'\'' | b')' | b'}' | b']' | b'<')
        }),
    };
    let value = &text[start..start + length];
    (length >= 3 && !is_mask(value) && !matches!(value, b"null" | b"true" | b"false" | b"nil" | b"None" | b"?"))
        .then_some(start..start + length)
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
                ("Server=db;User Id=sa;Password=hunter2;", &["hunter2"]),
                ("{\"client_secret\": \"3kfj39fkd\", \"x\": 1}", &["3kfj39fkd"]),
                ("user=joe password='open sesame' host=db", &["open sesame"]),
                ("login with password: hunter2", &["hunter2"]),
                ("x?api_key=abc123&y", &["abc123"]),
                ("Driver={ODBC};Pwd={p;w};", &["p;w"]),
            ],
            &["password reset", "the secret: none", "password=****", "password=?", "password:", "{\"password\": null}", "secretary=anna"],
            &[
                ("password = \"hunter2\"", &["hunter2"]),
                ("{\\\"password\\\":\\\"hunter2\\\"}", &["hunter2"]),
                ("PASSWORD=>hunter2", &["hunter2"]),
                ("password==========", &["======="]),
            ],
        );
    }
}

//! Secrets by name in JSON that stands in a text: a key that tells of a secret, and the value behind it.

use std::ops::Range;

/// A longer text is looked into as text alone.
const LONGEST: usize = 64 * 1024;

/// Whether a text begins as JSON does.
#[inline]
pub(super) fn begins(text: &[u8]) -> bool {
    matches!(text.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}

/// Calls `secret` for the value behind each key that `means`, strings and numbers; what is inside of a list or map behind such a key as well.
pub(super) fn each_named(text: &[u8], mut means: impl FnMut(&str) -> bool, mut secret: impl FnMut(Range<usize>)) {
    if !begins(text) || text.len() > LONGEST {
        return;
    }
    let mut at = 0;
    // How deep it is, and from which depth on everything is the value of a secret's key.
    let (mut depth, mut secret_from) = (0usize, usize::MAX);
    let mut is_value_of_secret = false;
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if is_value_of_secret && secret_from == usize::MAX {
                    secret_from = depth;
                }
                is_value_of_secret = false;
                at += 1;
            }
            b'}' | b']' => {
                if depth == secret_from {
                    secret_from = usize::MAX;
                }
                depth = depth.saturating_sub(1);
                is_value_of_secret = false;
                at += 1;
            }
            b'"' => {
                let (inner, end) = string(text, at);
                if is_key(text, end) {
                    is_value_of_secret = std::str::from_utf8(&text[inner]).is_ok_and(&mut means);
                } else if is_value_of_secret || depth >= secret_from {
                    if !inner.is_empty() && !text[inner.clone()].starts_with(b"****") {
                        secret(inner);
                    }
                    is_value_of_secret = false;
                }
                at = end;
            }
            b'0'..=b'9' | b'-' => {
                let length = text[at..].iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count();
                if is_value_of_secret || depth >= secret_from {
                    secret(at..at + length);
                }
                is_value_of_secret = false;
                at += length;
            }
            b',' => {
                is_value_of_secret = false;
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// What stands in the string that begins at `at`, and where it ends, quote included. What is cut off ends with the text.
fn string(text: &[u8], at: usize) -> (Range<usize>, usize) {
    let mut end = at + 1;
    while let Some(byte) = text.get(end) {
        match byte {
            b'\\' => end += 2,
            b'"' => return (at + 1..end, end + 1),
            _ => end += 1,
        }
    }
    (at + 1..text.len(), text.len())
}

fn is_key(text: &[u8], end: usize) -> bool {
    text.get(end..).unwrap_or_default().iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::each_named;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        each_named(text.as_bytes(), |key| key == "password", |range| found.push(&text[range]));
        found
    }

    #[test]
    fn values_behind_names_are_found() {
        assert_eq!(found(r#"{"user":"joe","password":"hun\"ter2","n":1}"#), [r#"hun\"ter2"#]);
        assert_eq!(found(r#" [{"password" : 1234}, {"password":null}, "password"]"#), ["1234"]);
        assert_eq!(found(r#"{"password":{"old":"a","new":["b",2]},"x":"y"}"#), ["a", "b", "2"]);
        for harmless in ["password: x", "", "{", "{\"password\"", "{\"password\":", "{\"password\":\"\"}", r#"{"password":"****"}"#, "\\"] {
            assert_eq!(found(harmless), Vec::<&str>::new(), "{harmless}");
        }
        assert_eq!(found(r#"{"password":"endless"#), ["endless"], "what is cut off is a secret as well");
    }
}

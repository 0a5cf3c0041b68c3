//! JSON with every value as `"?"`: what is left of a document is its shape.

/// The text with each value replaced, keys and structure kept, spaces gone; `None` where it is no JSON.
pub(super) fn obfuscated(text: &str) -> Option<String> {
    let body = text.trim_start();
    let value = body.trim_end_matches([' ', '\t', '\r', '\n']);
    serde_json::from_str::<serde::de::IgnoredAny>(value).ok()?;
    let mut out = String::with_capacity(text.len());
    let mut rest = value;
    // Whether the next string is a key is known by what follows it.
    while let Some(first) = rest.chars().next() {
        match first {
            '{' | '}' | '[' | ']' | ',' | ':' => {
                out.push(first);
                rest = &rest[1..];
            }
            ' ' | '\t' | '\r' | '\n' => rest = &rest[1..],
            '"' => {
                let end = string_end(rest);
                let (string, behind) = rest.split_at(end);
                out.push_str(if behind.trim_start().starts_with(':') { string } else { "\"?\"" });
                rest = behind;
            }
            _ => {
                out.push_str("\"?\"");
                rest = rest.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '+' | '.'));
            }
        }
    }
    out.push_str(&body[value.len()..]);
    Some(out)
}

/// The length of the string that a valid document begins with.
fn string_end(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

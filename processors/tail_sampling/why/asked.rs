//! What somebody pasted who asks about a trace: an id in one of the forms that are around, or something that is none.

use tracetailor_core::telemetry::TraceId;

/// What it was understood as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing: an overview is wanted.
    Nothing,
    /// A trace, and what should be said about the way it was written.
    Trace(TraceId, Option<String>),
    /// No trace, and why.
    Not(String),
}

const DIGITS: usize = 32;

/// What becomes of a header that is not in order.
const IGNORED: &str = "SDKs ignore such a header and begin a new trace";

impl Asked {
    /// Reads what was pasted.
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim().trim_matches(['"', '\'', '`']).trim();
        let lower = text.to_ascii_lowercase();
        let text =
            text.get(HEADER.len()..).filter(|_| lower.starts_with(HEADER)).unwrap_or(text).trim_start_matches([':', '=', ' ']).trim();
        if text.is_empty() {
            return Asked::Nothing;
        }
        let parts: Vec<&str> = text.split('-').collect();
        match parts.as_slice() {
            [version, trace, parent, flags, ..] if version.len() == 2 && parts.len() != 5 => header(version, trace, parent, flags),
            ["1", seconds, rest] if seconds.len() == 8 => noted(&format!("{seconds}{rest}"), "read as an id of AWS X-Ray"),
            [_, _, _, _, _] => noted(&parts.concat(), "read as a UUID"),
            _ => bare(text),
        }
    }
}

const HEADER: &str = "traceparent";

/// The four parts of a W3C `traceparent`.
fn header(version: &str, trace: &str, parent: &str, flags: &str) -> Asked {
    let is_right =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
    let id = match digits(trace) {
        Ok(id) => id,
        Err(wrong) => return Asked::Not(format!("the trace id of this traceparent is none: {wrong}; {IGNORED}")),
    };
    let wrong = if !is_right(version, 2) || version == "ff" {
        Some(format!("`{}` is no version", shown(version)))
    } else if !is_right(parent, 16) {
        Some(format!("`{}` is no span id: it has 16 digits from 0 to f in lower case", shown(parent)))
    } else if parent.bytes().all(|byte| byte == b'0') {
        Some("a span id of zeros is none".to_owned())
    } else if !is_right(flags, 2) {
        Some(format!("`{}` are no flags", shown(flags)))
    } else if !is_right(trace, DIGITS) {
        Some("digits stand in lower case in a traceparent".to_owned())
    } else {
        None
    };
    let sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
    Asked::Trace(
        id,
        Some(match wrong {
            Some(wrong) => format!("this traceparent is not in order: {wrong}; {IGNORED}, so spans of this id may be missing"),
            None if sampled => format!("the traceparent of a call of span {parent}, which was sampled where it was made"),
            None => {
                format!("the traceparent of a call of span {parent}, which was not sampled where it was made: its spans are not exported")
            }
        }),
    )
}

fn bare(text: &str) -> Asked {
    let text = text.strip_prefix("0x").unwrap_or(text);
    if text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let note = "16 digits are a span id, or a trace id of 64 bits: looked up with 16 zeros in front";
        return noted(&format!("{text:0>DIGITS$}"), note);
    }
    match digits(text) {
        Ok(id) => Asked::Trace(id, None),
        Err(wrong) => Asked::Not(format!("this is no trace id: {wrong}; {IGNORED}")),
    }
}

fn noted(text: &str, note: &str) -> Asked {
    match digits(text) {
        Ok(id) => Asked::Trace(id, Some(note.to_owned())),
        Err(wrong) => Asked::Not(format!("this is no trace id: {wrong}; {IGNORED}")),
    }
}

/// An id of 32 digits; or all that is wrong with it.
fn digits(text: &str) -> Result<TraceId, String> {
    let (count, odd) = (text.chars().count(), text.chars().find(|char| !char.is_ascii_hexdigit()));
    let length = format!("{count} {}", if count == 1 { "character" } else { "characters" });
    let odd = odd.map(|odd| if odd == ' ' { "a space is not hex".to_owned() } else { format!("`{}` is not hex", odd.escape_debug()) });
    match (count == DIGITS, odd) {
        (false, Some(odd)) => return Err(format!("{length}, {odd}")),
        (false, None) => return Err(format!("{length}, and not 32")),
        (true, Some(odd)) => return Err(odd),
        (true, None) => {}
    }
    let number = u128::from_str_radix(text, 16).map_err(|error| error.to_string())?;
    if number == 0 { Err("zeros are no id".to_owned()) } else { Ok(TraceId(number.to_be_bytes())) }
}

/// As much of a text as can be shown in a sentence.
fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn understood(text: &str) -> String {
        match Asked::of(text) {
            Asked::Nothing => "nothing".to_owned(),
            Asked::Trace(id, note) => format!("{:032x} {}", u128::from_be_bytes(id.0), note.unwrap_or_default()),
            Asked::Not(wrong) => wrong,
        }
    }

    #[test]
    fn ids_come_in_many_forms() {
        for (text, note) in [
            (ID.to_owned(), ""),
            (format!("  \"{}\"\n", ID.to_uppercase()), ""),
            (format!("0x{ID}"), ""),
            (format!("00-{ID}-00f067aa0ba902b7-01"), "the traceparent of a call of span 00f067aa0ba902b7, which was sampled"),
            (format!("traceparent: 00-{ID}-00f067aa0ba902b7-00"), "which was not sampled where it was made"),
            (format!("Traceparent=00-{ID}-00f067aa0ba902b7-01"), "which was sampled"),
            (format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()), "not in order: digits stand in lower case"),
            (format!("00-{ID}-00f067aa0ba902-01"), "not in order: `00f067aa0ba902` is no span id"),
            (format!("ff-{ID}-00f067aa0ba902b7-01"), "not in order: `ff` is no version"),
            (format!("00-{ID}-0000000000000000-01"), "not in order: a span id of zeros is none"),
            ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736".to_owned(), "read as a UUID"),
            ("1-4bf92f35-77b34da6a3ce929d0e0e4736".to_owned(), "read as an id of AWS X-Ray"),
        ] {
            let told = understood(&text);
            assert!(told.starts_with(ID) && told.contains(note), "{text}: {told}");
        }
        assert!(understood("a3ce929d0e0e4736").starts_with("0000000000000000a3ce929d0e0e4736 16 digits are a span id"));
        assert_eq!(understood("  "), "nothing");
    }

    #[test]
    fn what_is_no_id_is_told_why() {
        let ignored = "; SDKs ignore such a header and begin a new trace";
        for (text, wrong) in [
            ("4bf92f3577b34da6a3ce929d0e0e47l", "this is no trace id: 31 characters, `l` is not hex"),
            ("4bf92f3577b34da6a3ce929d0e0e473l", "this is no trace id: `l` is not hex"),
            ("4bf92f3577b34da6a3ce929d0e0e473", "this is no trace id: 31 characters, and not 32"),
            ("00000000000000000000000000000000", "this is no trace id: zeros are no id"),
            ("ä", "this is no trace id: 1 character, `ä` is not hex"),
            (
                "00-4bf92f3577b34da6a3ce929d0e0e47l-00f067aa0ba902b7-01",
                "the trace id of this traceparent is none: 31 characters, `l` is not hex",
            ),
        ] {
            assert_eq!(understood(text), format!("{wrong}{ignored}"), "{text}");
        }
        let long = "x".repeat(100_000);
        assert!(understood(&long).len() < 200 && understood(&format!("00-{ID}-{long}-01")).len() < 400);
        assert!(understood("\u{1b}[31mred").contains("\\u{1b}"), "nothing reaches a terminal as it is");
    }
}

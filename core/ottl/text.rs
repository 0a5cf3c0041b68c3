//! Values as text, as the Collector writes them where text is wanted and something else comes.

use std::borrow::Cow;
use std::fmt::Write;

use super::value::{List, Map, Value};

impl<'a> Value<'a> {
    /// As text: numbers in digits, bytes in hex, lists and maps as JSON; `None` for `nil`. Text itself is handed through.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Value::Nil => None,
            Value::String(text) => Some(text),
            Value::Bytes(bytes) => Some(hex(&bytes).into()),
            other => {
                let mut json = String::new();
                put_json(&mut json, &other);
                Some(json.into())
            }
        }
    }
}

/// Two digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or('0');
    bytes.iter().for_each(|byte| text.extend([digit(byte >> 4), digit(byte & 15)]));
    text
}

/// A value as the Collector writes one that stands in an attribute: as [`Value::into_text`] does, but bytes in base64, and `nil` as nothing.
pub(super) fn as_string(value: Value<'_>) -> String {
    match value {
        Value::Nil => String::new(),
        Value::Bytes(bytes) => base64(&bytes),
        Value::String(text) => text.into_owned(),
        other => {
            let mut json = String::new();
            put(&mut json, &other, Spelling::Attribute);
            json
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    crate::telemetry::json::put_base64(&mut text, bytes);
    String::from_utf8(text).unwrap_or_default()
}

/// The Collector has two writers of JSON.
#[derive(Clone, Copy, PartialEq)]
enum Spelling {
    /// Of what converters take for text: exponents have two digits or more, and what could be taken for HTML is escaped.
    Converter,
    /// Of what stands in attributes.
    Attribute,
}

/// A number with no digit that says nothing; very large and very small ones with an exponent and its sign.
fn put_float(text: &mut String, number: f64, spelling: Spelling) {
    let size = number.abs();
    if size == 0.0 || !size.is_finite() || (1e-6..1e21).contains(&size) {
        let _ = write!(text, "{number}");
        return;
    }
    let written = format!("{number:e}");
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    let digits = if spelling == Spelling::Converter { 2 } else { 1 };
    let _ = write!(text, "{mantissa}e{sign}{exponent:0>digits$}");
}

/// A value as JSON. Keys are sorted, as the Collector's are; bytes are base64, times RFC 3339, durations nanoseconds.
pub fn put_json(out: &mut String, value: &Value<'_>) {
    put(out, value, Spelling::Converter);
}

fn put(out: &mut String, value: &Value<'_>, spelling: Spelling) {
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(truth) => {
            let _ = write!(out, "{truth}");
        }
        Value::Int(number) | Value::Duration(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) if number.is_finite() => put_float(out, *number, spelling),
        Value::Float(_) => out.push_str("null"),
        Value::String(text) => put_quoted(out, text, spelling),
        Value::Bytes(bytes) => put_quoted(out, &base64(bytes), spelling),
        Value::List(list) => put_list(out, list, spelling),
        Value::Map(map) => put_map(out, map, spelling),
        Value::Time(nanos) => put_quoted(out, &rfc3339(*nanos), spelling),
    }
}

fn put_list(out: &mut String, list: &List<'_>, spelling: Spelling) {
    out.push('[');
    for (number, value) in list.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        put(out, &value, spelling);
    }
    out.push(']');
}

fn put_map(out: &mut String, map: &Map<'_>, spelling: Spelling) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    out.push('{');
    for (number, (key, value)) in entries.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        put_quoted(out, key, spelling);
        out.push(':');
        put(out, value, spelling);
    }
    out.push('}');
}

/// What could be taken for HTML is escaped as well, as in the Collector.
fn put_quoted(out: &mut String, text: &str, spelling: Spelling) {
    // Text has no way not to be JSON.
    let json = serde_json::to_string(text).unwrap_or_default();
    if spelling == Spelling::Attribute {
        out.push_str(&json);
        return;
    }
    for part in json.split_inclusive(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        let last = part.chars().next_back().filter(|last| matches!(last, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'));
        let plain = last.map_or(part, |last| &part[..part.len() - last.len_utf8()]);
        out.push_str(plain);
        if let Some(last) = last {
            let _ = write!(out, "\\u{:04x}", last as u32);
        }
    }
}

/// `2023-11-14T22:13:20.5Z`: in UTC, with as many digits behind the second as say something.
pub fn rfc3339(nanos: i64) -> String {
    let (seconds, rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let fraction = format!("{rest:09}");
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{dot}{fraction}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// Year, month and day of a number of days since 1970.
pub fn date(days: i64) -> (i64, u32, u32) {
    // Years that begin in March, in eras of 400 of them: leap days come last.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_text() {
        for (value, text) in [
            (Value::Int(42), "42"),
            (Value::Float(2.75), "2.75"),
            (Value::Float(1.0), "1"),
            (Value::Float(1e21), "1e+21"),
            (Value::Float(1e-7), "1e-07"),
            (Value::Float(0.0), "0"),
            (Value::list(vec![Value::text("<a&b>")]), r#"["\u003ca\u0026b\u003e"]"#),
            (Value::Bool(true), "true"),
            (Value::Bytes(Cow::Borrowed(&[1, 255])), "01ff"),
            (Value::list(vec![Value::text("a\"b"), Value::Nil]), r#"["a\"b",null]"#),
            (Value::map(vec![("b".into(), Value::Int(1)), ("a".into(), Value::list(vec![]))]), r#"{"a":[],"b":1}"#),
            (Value::Time(1_700_000_000_500_000_000), "\"2023-11-14T22:13:20.5Z\""),
            (Value::Time(-1), "\"1969-12-31T23:59:59.999999999Z\""),
        ] {
            assert_eq!(value.into_text().unwrap(), text);
        }
        assert_eq!(Value::Nil.into_text(), None);
    }
}

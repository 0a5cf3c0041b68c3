//! A value as text, as the Collector writes it: text as it is, lists and maps as JSON.

use crate::telemetry::json::put_base64;
use crate::telemetry::{Value, ValueRef};

/// The value as text.
pub fn text(value: ValueRef<'_>) -> String {
    match value.to_value() {
        Value::String(text) => text,
        Value::Empty => String::new(),
        Value::Bytes(bytes) => base64(&bytes),
        Value::Double(number) => real(number),
        other => json(other).to_string(),
    }
}

/// A number with no digit that says nothing; very large and very small ones with an exponent.
fn real(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && size.is_finite() && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    number.to_string()
}

fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Empty => serde_json::Value::Null,
        Value::Bool(truth) => truth.into(),
        Value::Int(number) => number.into(),
        // Whole ones have no point.
        Value::Double(number) => real(number).parse::<serde_json::Number>().map_or(serde_json::Value::Null, serde_json::Value::Number),
        Value::String(text) => text.into(),
        Value::Bytes(bytes) => base64(&bytes).into(),
        Value::List(values) => values.into_iter().map(json).collect::<Vec<_>>().into(),
        Value::Map(mut entries) => {
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            serde_json::Value::Object(entries.into_iter().map(|(key, value)| (key, json(value))).collect())
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    put_base64(&mut text, bytes);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        for (number, text) in [(1.0, "1"), (2.75, "2.75"), (1e21, "1e+21"), (1e-7, "1e-7"), (0.0, "0"), (123_456_789.5, "123456789.5")] {
            assert_eq!(real(number), text);
        }
    }
}

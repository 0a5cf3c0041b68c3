//! A value's SHA-256, as the Collector makes it.

use ring::digest::{SHA256, digest};

use crate::telemetry::json::put_hex;
use crate::telemetry::{Value, ValueRef};

/// The digest in lower-case hex: of text its bytes, of a boolean one byte, of a number its eight, little end first. What is anything else becomes an empty
/// text, so that nothing of it is left.
pub(super) fn hashed(value: ValueRef<'_>) -> Option<Value> {
    Some(Value::String(match value {
        ValueRef::String(text) => hex(text),
        ValueRef::Bool(truth) => hex(&[u8::from(truth)]),
        ValueRef::Int(number) => hex(&number.to_le_bytes()),
        ValueRef::Double(number) => hex(&number.to_bits().to_le_bytes()),
        ValueRef::Empty | ValueRef::Bytes(_) | ValueRef::List(_) | ValueRef::Map(_) => String::new(),
    }))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    put_hex(&mut text, digest(&SHA256, bytes).as_ref());
    String::from_utf8(text).unwrap_or_default()
}

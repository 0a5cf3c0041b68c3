//! Values: owned ones that a rule computes with, and borrowed ones that read straight from the bytes.

use std::borrow::Cow;

use super::utf8;
use super::wire::{self, Raw, entries, fields};

/// Any value that telemetry can hold: what `AnyValue` is in the protocol.
///
/// A path may also end at something that is no `AnyValue`; then numbers, times and enums read as [`Value::Int`] (64 bits kept as they are), ids as
/// [`Value::Bytes`], lists as [`Value::List`], and messages such as an event as [`Value::Map`] of their fields by name.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// There, but nothing.
    Empty,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A map, in the order written. Keys may repeat, as they may on the wire; whoever looks one up takes the first.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// How many values deep: 1 for a number, 2 for a list of numbers.
    pub fn levels(&self) -> u32 {
        match self {
            Value::List(values) => 1 + values.iter().map(Value::levels).max().unwrap_or(0),
            Value::Map(entries) => 1 + entries.iter().map(|(_, value)| value.levels()).max().unwrap_or(0),
            _ => 1,
        }
    }

    /// What it is, in a user's word.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Empty => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "a whole number",
            Value::Double(_) => "a number with a fraction",
            Value::String(_) => "a string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Double(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

/// A value read in place. Strings are bytes here: most are compared or copied and never need to be text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// There, but nothing.
    Empty,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// Text, unchecked; [`ValueRef::text`] checks it.
    String(&'a [u8]),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A list.
    List(ListRef<'a>),
    /// A map.
    Map(MapRef<'a>),
}

impl<'a> ValueRef<'a> {
    /// Reads the bytes of an `AnyValue`.
    #[inline]
    pub(crate) fn read(any_value: &'a [u8]) -> Self {
        if let [0x0a, length, text @ ..] = any_value
            && usize::from(*length) == text.len()
            && *length < 0x80
        {
            return ValueRef::String(text);
        }
        let known = |field: &wire::WireField<'_>| (1..=7).contains(&field.number);
        let Some(field) = fields(any_value).find(known) else { return ValueRef::Empty };
        match (field.number, field.raw) {
            (1, Raw::Len(text)) => ValueRef::String(text),
            (2, Raw::Varint(truth)) => ValueRef::Bool(truth != 0),
            (3, Raw::Varint(number)) => ValueRef::Int(number as i64),
            (4, Raw::Fixed64(bits)) => ValueRef::Double(f64::from_bits(bits)),
            (5, Raw::Len(list)) => ValueRef::List(ListRef(list)),
            (6, Raw::Len(map)) => ValueRef::Map(MapRef(map)),
            (7, Raw::Len(bytes)) => ValueRef::Bytes(bytes),
            _ => ValueRef::Empty,
        }
    }

    /// The text of a string, repaired where it is no UTF-8; `None` for anything else.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            ValueRef::String(bytes) => Some(utf8::repair(bytes)),
            _ => None,
        }
    }

    /// Whether it is this value, strictly.
    pub(crate) fn is(self, value: &Value) -> bool {
        match (self, value) {
            (ValueRef::String(there), Value::String(text)) => there == text.as_bytes(),
            (ValueRef::Bool(there), Value::Bool(truth)) => there == *truth,
            (ValueRef::Int(there), Value::Int(number)) => there == *number,
            (there, value) => there.to_value() == *value,
        }
    }

    /// An owned copy.
    pub fn to_value(self) -> Value {
        match self {
            ValueRef::Empty => Value::Empty,
            ValueRef::Bool(truth) => Value::Bool(truth),
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Double(number) => Value::Double(number),
            ValueRef::String(bytes) => Value::String(utf8::repair(bytes).into_owned()),
            ValueRef::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            ValueRef::List(list) => Value::List(list.iter().map(ValueRef::to_value).collect()),
            ValueRef::Map(map) => Value::Map(map.iter().map(|entry| (entry.key_text().into_owned(), entry.value().to_value())).collect()),
        }
    }
}

/// A list, read in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ListRef<'a>(pub(crate) &'a [u8]);

impl<'a> ListRef<'a> {
    /// Its values.
    pub fn iter(self) -> impl Iterator<Item = ValueRef<'a>> {
        entries(self.0, 1).map(|entry| ValueRef::read(entry.payload))
    }
}

/// A map, read in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapRef<'a>(pub(crate) &'a [u8]);

impl<'a> MapRef<'a> {
    /// Its entries.
    pub fn iter(self) -> impl Iterator<Item = Attribute<'a>> {
        entries(self.0, 1).map(|entry| Attribute::new(entry.payload))
    }

    /// The value of a key; of a repeated key, the first.
    pub fn get(self, key: &str) -> Option<ValueRef<'a>> {
        self.iter().find(|entry| entry.key == key.as_bytes()).map(|entry| entry.value())
    }
}

/// One key and its value, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// The key's bytes.
    pub key: &'a [u8],
    /// The bytes of the value's message.
    any_value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// Reads the bytes of a `KeyValue`.
    #[inline(always)]
    pub(crate) fn new(key_value: &'a [u8]) -> Self {
        Self::canonical(key_value).unwrap_or_else(|| Self::read(key_value))
    }

    #[cold]
    fn read(key_value: &'a [u8]) -> Self {
        let mut attribute = Attribute { key: &[], any_value: &[] };
        for field in fields(key_value) {
            match field.number {
                1 => attribute.key = field.raw.payload(),
                2 => attribute.any_value = field.raw.payload(),
                _ => {}
            }
        }
        attribute
    }

    /// The shape that every SDK writes: a short key, then the value, then nothing.
    #[inline(always)]
    fn canonical(key_value: &'a [u8]) -> Option<Self> {
        let [0x0a, key_length, rest @ ..] = key_value else { return None };
        let (key, value) = rest.split_at_checked(usize::from(*key_length))?;
        let (&[0x12, length], any_value) = value.split_first_chunk::<2>()? else { return None };
        let short = (*key_length | length) < 0x80 && usize::from(length) == any_value.len();
        short.then_some(Self { key, any_value })
    }

    /// The key as text, repaired where it is no UTF-8.
    pub fn key_text(&self) -> Cow<'a, str> {
        utf8::repair(self.key)
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> ValueRef<'a> {
        ValueRef::read(self.any_value)
    }

    /// The bytes of the value's message: what a processor that remembers verdicts per value hashes.
    pub fn value_bytes(&self) -> &'a [u8] {
        self.any_value
    }
}

/// Writes what an `AnyValue` message of this value holds.
pub(crate) fn put_any_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Empty => {}
        Value::String(text) => wire::put_bytes(out, 1, text.as_bytes()),
        Value::Bool(truth) => out.extend_from_slice(&[0x10, u8::from(*truth)]),
        Value::Int(number) => {
            out.push(0x18);
            wire::put_varint(out, *number as u64);
        }
        Value::Double(number) => {
            out.push(0x21);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::List(values) => wire::put_message(out, 5, |out| {
            values.iter().for_each(|value| wire::put_message(out, 1, |out| put_any_value(out, value)));
        }),
        Value::Map(entries) => wire::put_message(out, 6, |out| {
            entries.iter().for_each(|(key, value)| put_attribute(out, 1, key, value));
        }),
        Value::Bytes(bytes) => wire::put_bytes(out, 7, bytes),
    }
}

/// Writes one entry of a list of key and value.
pub(crate) fn put_attribute(out: &mut Vec<u8>, number: u32, key: &str, value: &Value) {
    wire::put_message(out, number, |out| {
        wire::put_bytes(out, 1, key.as_bytes());
        wire::put_message(out, 2, |out| put_any_value(out, value));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value {
        Value::Map(vec![
            ("text".into(), "grüß".into()),
            ("list".into(), Value::List(vec![Value::Int(-1), Value::Double(0.5), Value::Bool(false), Value::Empty])),
            ("bytes".into(), Value::Bytes(vec![0, 255])),
            ("long".into(), Value::String("x".repeat(300))),
        ])
    }

    #[test]
    fn values_come_back() {
        let mut out = Vec::new();
        put_any_value(&mut out, &sample());
        assert_eq!(ValueRef::read(&out).to_value(), sample());
        assert_eq!(sample().levels(), 3);
    }

    #[test]
    fn attributes_are_read_in_any_shape() {
        let mut out = Vec::new();
        put_attribute(&mut out, 9, "k", &Value::Int(7));
        let attribute = Attribute::new(&out[2..]);
        assert_eq!((attribute.key, attribute.value()), (&b"k"[..], ValueRef::Int(7)));
        let value_first = [0x12, 2, 0x18, 7, 0x0a, 1, b'k'];
        let attribute = Attribute::new(&value_first);
        assert_eq!((attribute.key, attribute.value()), (&b"k"[..], ValueRef::Int(7)));
        assert_eq!(Attribute::new(&[0x0a, 1, b'k']).value(), ValueRef::Empty);
    }
}

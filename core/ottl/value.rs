//! Values as expressions compute with them: borrowed where they are read from an item's bytes, owned where a function makes them.

use std::borrow::Cow;
use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::telemetry::{self, Attribute, ListRef, MapRef, ValueRef, wire};

/// What a path reads, a function gives, and a comparison compares.
///
/// `'a` is the life of the item that is read and of the expression that reads it. Cloning a borrowed value costs nothing.
#[derive(Clone, Debug, Default)]
pub enum Value<'a> {
    /// Nothing: a key that is not there, an empty value, the word `nil`.
    #[default]
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; enums too.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text. What was no UTF-8 is repaired.
    String(Cow<'a, str>),
    /// Bytes; ids too.
    Bytes(Cow<'a, [u8]>),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
    /// A moment, in nanoseconds since 1970.
    Time(i64),
    /// A length of time, in nanoseconds.
    Duration(i64),
}

/// A list, read in place or made.
#[derive(Clone, Debug)]
pub enum List<'a> {
    /// In an item's bytes.
    Read(ListRef<'a>),
    /// By a function.
    Made(Vec<Value<'a>>),
    /// By a literal, which keeps it.
    Lent(&'a [Value<'a>]),
}

/// A map, read in place or made. Keys may repeat where it is read; the first one counts.
#[derive(Clone, Debug)]
pub enum Map<'a> {
    /// In an item's bytes.
    Read(Entries<'a>),
    /// By a function.
    Made(Vec<(Cow<'a, str>, Value<'a>)>),
    /// By a literal, which keeps it.
    Lent(&'a [(Cow<'a, str>, Value<'a>)]),
}

/// The entries of a map or of a list of attributes, in the bytes of the message that holds them.
#[derive(Clone, Copy, Debug)]
pub struct Entries<'a> {
    message: &'a [u8],
    /// The number of the list's field.
    field: u32,
}

impl<'a> Entries<'a> {
    /// Those in a field of a message.
    pub(super) fn new(message: &'a [u8], field: u32) -> Self {
        Self { message, field }
    }

    /// One after the other, in the order written.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Attribute<'a>> {
        wire::entries(self.message, self.field).map(|entry| Attribute::new(entry.payload))
    }

    /// The value of a key; of a repeated key, the first.
    #[inline]
    pub fn get(self, key: &str) -> Option<ValueRef<'a>> {
        self.iter().find(|entry| entry.key == key.as_bytes()).map(|entry| entry.value())
    }
}

impl<'a> From<MapRef<'a>> for Entries<'a> {
    fn from(map: MapRef<'a>) -> Self {
        Entries::new(map.0, 1)
    }
}

/// What a value is, as far as it is known before one comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Known only when it comes: an attribute.
    Any,
    /// Nothing.
    Nil,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Float,
    /// Text.
    String,
    /// Bytes.
    Bytes,
    /// A list.
    List,
    /// A map.
    Map,
    /// A moment.
    Time,
    /// A length of time.
    Duration,
}

impl Type {
    /// In a user's word.
    pub fn name(self) -> &'static str {
        match self {
            Type::Any => "any value",
            Type::Nil => "nil",
            Type::Bool => "a boolean",
            Type::Int => "a whole number",
            Type::Float => "a number with a fraction",
            Type::String => "text",
            Type::Bytes => "bytes",
            Type::List => "a list",
            Type::Map => "a map",
            Type::Time => "a time",
            Type::Duration => "a duration",
        }
    }

    /// True for both kinds of number, which compare with each other.
    pub fn is_number(self) -> bool {
        matches!(self, Type::Int | Type::Float)
    }
}

impl<'a> Value<'a> {
    /// Text that somebody else keeps.
    pub fn text(text: &'a str) -> Self {
        Value::String(Cow::Borrowed(text))
    }

    /// A list that was made.
    pub fn list(values: Vec<Value<'a>>) -> Self {
        Value::List(List::Made(values))
    }

    /// A map that was made.
    pub fn map(entries: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        Value::Map(Map::Made(entries))
    }

    /// What it is.
    pub fn type_of(&self) -> Type {
        match self {
            Value::Nil => Type::Nil,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Float(_) => Type::Float,
            Value::String(_) => Type::String,
            Value::Bytes(_) => Type::Bytes,
            Value::List(_) => Type::List,
            Value::Map(_) => Type::Map,
            Value::Time(_) => Type::Time,
            Value::Duration(_) => Type::Duration,
        }
    }

    /// True for nothing.
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Either kind of number as one with a fraction.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The same value with nothing borrowed.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Nil => Value::Nil,
            Value::Bool(truth) => Value::Bool(truth),
            Value::Int(number) => Value::Int(number),
            Value::Float(number) => Value::Float(number),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Value::List(list) => Value::list(list.into_values().into_iter().map(Value::into_owned).collect()),
            Value::Map(map) => {
                let entries = map.into_entries().into_iter();
                Value::map(entries.map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned())).collect())
            }
            Value::Time(nanos) => Value::Time(nanos),
            Value::Duration(nanos) => Value::Duration(nanos),
        }
    }

    /// As telemetry holds it. A time or a duration has no place there and becomes an empty value, as in the Collector.
    pub fn to_telemetry(&self) -> telemetry::Value {
        match self {
            Value::Nil | Value::Time(_) | Value::Duration(_) => telemetry::Value::Empty,
            Value::Bool(truth) => telemetry::Value::Bool(*truth),
            Value::Int(number) => telemetry::Value::Int(*number),
            Value::Float(number) => telemetry::Value::Double(*number),
            Value::String(text) => telemetry::Value::String(text.as_ref().to_owned()),
            Value::Bytes(bytes) => telemetry::Value::Bytes(bytes.as_ref().to_vec()),
            Value::List(List::Read(list)) => ValueRef::List(*list).to_value(),
            Value::List(list) => telemetry::Value::List(list.iter().map(|value| value.to_telemetry()).collect()),
            Value::Map(Map::Read(map)) => {
                telemetry::Value::Map(map.iter().map(|entry| (entry.key_text().into_owned(), entry.value().to_value())).collect())
            }
            Value::Map(map) => telemetry::Value::Map(map.iter().map(|(key, value)| (key.into_owned(), value.to_telemetry())).collect()),
        }
    }

    /// The same, without a copy of text that a function made.
    pub fn into_telemetry(self) -> telemetry::Value {
        match self {
            Value::String(text) => telemetry::Value::String(text.into_owned()),
            Value::Bytes(bytes) => telemetry::Value::Bytes(bytes.into_owned()),
            other => other.to_telemetry(),
        }
    }

    /// How `self` stands to `other`; `None` where the two cannot be ordered. Whole numbers and fractions compare as fractions.
    pub fn order(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Value::Nil, Value::Nil) => Some(Ordering::Equal),
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => self.as_float()?.partial_cmp(&other.as_float()?),
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
            (Value::Time(a), Value::Time(b)) | (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// Whether `self == other` holds in an expression: different types are never equal, but for the two kinds of number.
    pub fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => self == other,
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }
}

/// Strictly the same: also the two kinds of number differ, as they do inside of lists and maps. The order of a map's keys means nothing.
impl PartialEq for Value<'_> {
    fn eq(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => false,
            (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a == b),
            (Value::Map(a), Value::Map(b)) => a.len() == b.len() && a.iter().all(|(key, value)| b.get(&key).is_some_and(|b| value == b)),
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }
}

impl<'a> From<ValueRef<'a>> for Value<'a> {
    #[inline]
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Empty => Value::Nil,
            ValueRef::Bool(truth) => Value::Bool(truth),
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Double(number) => Value::Float(number),
            ValueRef::String(bytes) => Value::String(telemetry::utf8::repair(bytes)),
            ValueRef::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
            ValueRef::List(list) => Value::List(List::Read(list)),
            ValueRef::Map(map) => Value::Map(Map::Read(map.into())),
        }
    }
}

impl<'a> From<&'a telemetry::Value> for Value<'a> {
    fn from(value: &'a telemetry::Value) -> Self {
        match value {
            telemetry::Value::Empty => Value::Nil,
            telemetry::Value::Bool(truth) => Value::Bool(*truth),
            telemetry::Value::Int(number) => Value::Int(*number),
            telemetry::Value::Double(number) => Value::Float(*number),
            telemetry::Value::String(text) => Value::text(text),
            telemetry::Value::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
            telemetry::Value::List(values) => Value::list(values.iter().map(Value::from).collect()),
            telemetry::Value::Map(entries) => {
                Value::map(entries.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), Value::from(value))).collect())
            }
        }
    }
}

impl From<telemetry::Value> for Value<'static> {
    fn from(value: telemetry::Value) -> Self {
        match value {
            telemetry::Value::Empty => Value::Nil,
            telemetry::Value::Bool(truth) => Value::Bool(truth),
            telemetry::Value::Int(number) => Value::Int(number),
            telemetry::Value::Double(number) => Value::Float(number),
            telemetry::Value::String(text) => Value::String(Cow::Owned(text)),
            telemetry::Value::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes)),
            telemetry::Value::List(values) => Value::list(values.into_iter().map(Value::from).collect()),
            telemetry::Value::Map(entries) => {
                Value::map(entries.into_iter().map(|(key, value)| (Cow::Owned(key), Value::from(value))).collect())
            }
        }
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::String(Cow::Owned(text))
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Value::Float(number)
    }
}

impl<'a> List<'a> {
    /// How many values it has.
    pub fn len(&self) -> usize {
        match self {
            List::Read(list) => list.iter().count(),
            List::Made(values) => values.len(),
            List::Lent(values) => values.len(),
        }
    }

    /// True when it has none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Its values.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + '_ {
        let (read, made) = match self {
            List::Read(list) => (Some(list.iter().map(Value::from)), None),
            List::Made(values) => (None, Some(values.iter().cloned())),
            List::Lent(values) => (None, Some(values.iter().cloned())),
        };
        read.into_iter().flatten().chain(made.into_iter().flatten())
    }

    /// One value, counted from zero.
    pub fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            List::Read(list) => list.iter().nth(index).map(Value::from),
            List::Made(values) => values.get(index).cloned(),
            List::Lent(values) => values.get(index).cloned(),
        }
    }

    /// All of them, to be changed.
    pub fn into_values(self) -> Vec<Value<'a>> {
        match self {
            List::Read(list) => list.iter().map(Value::from).collect(),
            List::Made(values) => values,
            List::Lent(values) => values.to_vec(),
        }
    }
}

impl<'a> Map<'a> {
    /// How many entries it has.
    pub fn len(&self) -> usize {
        match self {
            Map::Read(map) => map.iter().count(),
            Map::Made(entries) => entries.len(),
            Map::Lent(entries) => entries.len(),
        }
    }

    /// True when it has none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Its entries, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> + '_ {
        let (read, made) = match self {
            Map::Read(map) => (Some(map.iter().map(|entry| (entry.key_text(), Value::from(entry.value())))), None),
            Map::Made(entries) => (None, Some(entries.iter().cloned())),
            Map::Lent(entries) => (None, Some(entries.iter().cloned())),
        };
        read.into_iter().flatten().chain(made.into_iter().flatten())
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        match self {
            Map::Read(map) => map.get(key).map(Value::from),
            Map::Made(entries) => value_of(entries, key),
            Map::Lent(entries) => value_of(entries, key),
        }
    }

    /// The numbers of the entries that have a key, ascending; values are not looked at.
    pub fn places(&self, key: &str) -> SmallVec<[usize; 2]> {
        let mut places = SmallVec::new();
        match self {
            Map::Read(map) => {
                for (place, entry) in map.iter().enumerate() {
                    if entry.key == key.as_bytes() {
                        places.push(place);
                    }
                }
            }
            Map::Made(entries) => places.extend(places_in(entries, key)),
            Map::Lent(entries) => places.extend(places_in(entries, key)),
        }
        places
    }

    /// All entries, to be changed.
    pub fn into_entries(self) -> Vec<(Cow<'a, str>, Value<'a>)> {
        match self {
            Map::Read(_) => self.iter().collect(),
            Map::Made(entries) => entries,
            Map::Lent(entries) => entries.to_vec(),
        }
    }
}

fn places_in(entries: &[(Cow<'_, str>, Value<'_>)], key: &str) -> impl Iterator<Item = usize> {
    entries.iter().enumerate().filter_map(move |(place, (known, _))| (known == key).then_some(place))
}

fn value_of<'a>(entries: &[(Cow<'a, str>, Value<'a>)], key: &str) -> Option<Value<'a>> {
    entries.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
}

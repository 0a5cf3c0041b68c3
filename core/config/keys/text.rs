//! What all keys that are written as text share: how they are read, shown and described.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Deserializer, Unexpected, Visitor};

/// Why a text is not what its key takes, and what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}; {right}")]
pub struct KeyError {
    /// What is wrong: `"10" has no unit`.
    pub wrong: String,
    /// What would be right: `write 10s`.
    pub right: String,
}

impl KeyError {
    /// An error from its two halves.
    pub fn new(wrong: impl Into<String>, right: impl Into<String>) -> KeyError {
        KeyError { wrong: wrong.into(), right: right.into() }
    }

    /// The same for serde, whose errors have one text only: the halves on two lines, which the reader takes apart again.
    pub fn into_serde<E: de::Error>(self) -> E {
        E::custom(format_args!("{}\n{}", self.wrong, self.right))
    }
}

/// Reads a key that is written as text or as a bare number, with its `FromStr`.
pub(super) fn deserialize<'de, T, D>(deserializer: D, words: &'static str) -> Result<T, D::Error>
where
    T: FromStr<Err = KeyError>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(TextVisitor(words, PhantomData))
}

struct TextVisitor<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err = KeyError>> TextVisitor<T> {
    fn read<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(KeyError::into_serde)
    }
}

impl<T: FromStr<Err = KeyError>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        self.read(text)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.read(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.read(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.read(&number.to_string())
    }

    /// The Collector reads nothing as zero, which nobody means.
    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        let wrong = KeyError::new("has no value", format!("write {}, or remove the key to have its default", self.0));
        Err(wrong.into_serde())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<T, E> {
        Err(E::invalid_type(Unexpected::Bool(value), &self))
    }
}

/// Gives a type that is written as text its `Deserialize`, `Serialize` and schema: all follow from `FromStr` and `Display`.
/// `$title` is the word for it in tables of keys, `$words` what it is in a message: `a duration such as 10s`.
macro_rules! text_key {
    ($type:ty, $title:literal, $words:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                super::text::deserialize(deserializer, $words)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $title.into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "title": $title, "type": ["string", "number"] })
            }
        }
    };
}

pub(super) use text_key;

//! Lists that may be a single value: whatever can be listed can be written alone.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::config::errors::ConfigErrors;
use crate::config::reader::ONE_OR_MANY;
use crate::config::validate::Validate;

/// A list; a single value stands for a list of it. `fields: http.route` and `fields: [http.route]` are the same.
///
/// A text is one value, commas and all, since a regex or a route may hold some. Where the Collector splits at commas there is
/// [`CommaList`].
///
/// ```
/// use tracetailor_core::config::{ConfigErrors, OneOrMany, parse};
///
/// let one: OneOrMany<String> = parse("/health", "gateway.yaml", "route")?;
/// let two: OneOrMany<String> = parse("[/health, /ready]", "gateway.yaml", "route")?;
/// assert_eq!(one.as_slice(), ["/health"]);
/// assert_eq!(two.len(), 2);
/// # Ok::<(), ConfigErrors>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OneOrMany<T>(Vec<T>);

impl<T> OneOrMany<T> {
    /// As a list.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }

    /// As a slice.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for OneOrMany<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> From<Vec<T>> for OneOrMany<T> {
    fn from(list: Vec<T>) -> Self {
        Self(list)
    }
}

impl<'a, T> IntoIterator for &'a OneOrMany<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Validate> Validate for OneOrMany<T> {
    fn validate(&self, errors: &mut ConfigErrors) {
        self.0.validate(errors);
    }
}

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Our own reader knows the name and hands out a list in any case. Others (JSON, a buffer of serde's) go by what they find.
        deserializer.deserialize_newtype_struct(ONE_OR_MANY, Elements(PhantomData)).map(Self)
    }
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Elements<T> {
    fn only<E: de::Error, D: IntoDeserializer<'de, E>>(value: D) -> Result<Vec<T>, E> {
        T::deserialize(value.into_deserializer()).map(|value| vec![value])
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of them")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(elements)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(map)).map(|value| vec![value])
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        Self::only(text.to_owned())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Vec<T>, E> {
        Self::only(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Vec<T>, E> {
        Self::only(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Vec<T>, E> {
        Self::only(number)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Vec<T>, E> {
        Self::only(value)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let element = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [{ "type": "array", "items": element }, element] })
    }
}

/// A list of texts as the Collector reads its own: a list, or one text that is split at its commas and not trimmed. It is what
/// `${env:ORIGINS}` with `a,b` in it relies on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CommaList(Vec<String>);

impl Deref for CommaList {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl From<Vec<String>> for CommaList {
    fn from(list: Vec<String>) -> Self {
        Self(list)
    }
}

impl Serialize for CommaList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CommaList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Commas)
    }
}

struct Commas;

impl<'de> Visitor<'de> for Commas {
    type Value = CommaList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts: [a, b]")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<CommaList, E> {
        Ok(CommaList(if text.is_empty() { Vec::new() } else { text.split(',').map(str::to_owned).collect() }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CommaList, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(CommaList(texts))
    }

    fn visit_unit<E: de::Error>(self) -> Result<CommaList, E> {
        Ok(CommaList::default())
    }
}

impl schemars::JsonSchema for CommaList {
    fn schema_name() -> Cow<'static, str> {
        "CommaList".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "string" }] })
    }
}

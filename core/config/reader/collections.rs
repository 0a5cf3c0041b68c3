//! Lists and blocks on their way through serde, element by element and key by key.

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

use super::{Reader, Trail};
use crate::config::fault::{Fault, quoted};
use crate::config::node::{Entry, Node, Value};

/// The elements of a list.
pub(super) struct ListReader<'de, 't> {
    list: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
    trail: &'t Trail<'t>,
}

impl<'de, 't> ListReader<'de, 't> {
    pub(super) fn new(list: &'de [Node], trail: &'t Trail<'t>) -> Self {
        Self { list: list.iter().enumerate(), trail }
    }
}

impl<'de> de::SeqAccess<'de> for ListReader<'de, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, node)) = self.list.find(|(_, node)| node.value != Value::Cut) else { return Ok(None) };
        let trail = Trail::Index(self.trail, index);
        seed.deserialize(Reader { node, trail: &trail }).map(Some).map_err(|fault| fault.at(|| trail.path()))
    }
}

/// A single value where a list may stand.
pub(super) struct OnlyElement<'de, 't>(pub(super) Option<Reader<'de, 't>>);

impl<'de> de::SeqAccess<'de> for OnlyElement<'de, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.0.take().map(|reader| reader.located(seed.deserialize(reader))).transpose()
    }
}

/// The keys of a block and their values.
pub(super) struct MapReader<'de, 't> {
    entries: std::slice::Iter<'de, Entry>,
    value: Option<&'de Entry>,
    trail: &'t Trail<'t>,
}

impl<'de, 't> MapReader<'de, 't> {
    pub(super) fn new(entries: &'de [Entry], trail: &'t Trail<'t>) -> Self {
        Self { entries: entries.iter(), value: None, trail }
    }
}

impl<'de> de::MapAccess<'de> for MapReader<'de, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some(entry) = self.entries.find(|entry| entry.node.value != Value::Cut) else { return Ok(None) };
        self.value = Some(entry);
        let trail = Trail::Key(self.trail, &entry.key);
        seed.deserialize(KeyReader(&entry.key)).map(Some).map_err(|fault| fault.at(|| trail.path()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some(entry) = self.value.take() else { return Err(Fault::new("is a key without a value", "")) };
        let trail = Trail::Key(self.trail, &entry.key);
        seed.deserialize(Reader { node: &entry.node, trail: &trail }).map_err(|fault| fault.at(|| trail.path()))
    }
}

/// A key is text; one that a map has numbers for (`404: …`) is read as the number.
pub(super) struct KeyReader<'de>(pub(super) &'de str);

macro_rules! whole_number_keys {
    ($($method:ident $visit:ident $type:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.0.parse::<$type>() {
                Ok(key) => visitor.$visit(key),
                Err(_) => Err(Fault::new(format!("{} is not a whole number that fits", quoted(self.0)), "write the key as a number")),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyReader<'de> {
    type Error = Fault;

    whole_number_keys! {
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(self.0))
    }

    serde::forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

//! A choice on its way through serde: a word, or a word and what goes with it.

use serde::de::{self, DeserializeSeed, Visitor};

use super::collections::KeyReader;
use super::{Reader, Trail};
use crate::config::fault::{Fault, quoted};
use crate::config::node::{Node, Value};

/// One of the choices of an enum.
pub(super) struct Choice<'de, 't> {
    pub(super) word: &'de str,
    pub(super) content: Option<&'de Node>,
    pub(super) trail: &'t Trail<'t>,
}

impl<'de, 't> de::EnumAccess<'de> for Choice<'de, 't> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        Ok((seed.deserialize(KeyReader(self.word))?, self))
    }
}

impl<'de> Choice<'de, '_> {
    fn read<T>(self, read: impl FnOnce(Reader<'de, '_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let Some(node) = self.content else {
            return Err(Fault::new(format!("{} says not enough", quoted(self.word)), format!("write {{{}: …}}", self.word)));
        };
        let trail = Trail::Key(self.trail, self.word);
        read(Reader { node, trail: &trail })
    }
}

impl<'de> de::VariantAccess<'de> for Choice<'de, '_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.content {
            Some(node) if node.value != Value::Null && !matches!(&node.value, Value::Map(entries) if entries.is_empty()) => {
                Err(Fault::new(format!("{} takes nothing further", quoted(self.word)), format!("write {}", self.word)))
            }
            _ => Ok(()),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        self.read(|reader| reader.located(seed.deserialize(reader)))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.read(|reader| reader.list(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.read(|reader| reader.block(visitor))
    }
}

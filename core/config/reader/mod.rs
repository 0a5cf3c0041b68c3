//! From the tree as written to the types that keys have: the rules by which a value fits a key.
//!
//! They are the Collector's, as far as those are kind. A number does not become text by being quoted, nor text a number; what was written
//! without quotes is text where text is wanted, just as it was typed. A block that is empty has its defaults, a list that is null keeps
//! its own. Where the Collector takes something in silence that nobody means (a fraction cut off, a number that is too large wrapped
//! round, nothing read as zero), this says so instead.

mod choice;
mod collections;

use choice::Choice;
use collections::{ListReader, MapReader, OnlyElement};
use serde::de::{Deserializer, Visitor};

use crate::config::fault::Fault;
use crate::config::node::{Node, Value};
use crate::config::path::{Path, Step};

/// The name under which [`OneOrMany`](super::OneOrMany) asks for a list even where a single value was written.
pub(super) const ONE_OR_MANY: &str = "tracetailor::OneOrMany";

/// The name under which [`Literal`](super::Literal) asks for a value, whose spelling says what it is.
pub(super) const LITERAL: &str = "tracetailor::Literal";

/// A value that is being read, and the way to it.
#[derive(Clone, Copy)]
pub(super) struct Reader<'de, 't> {
    pub(super) node: &'de Node,
    pub(super) trail: &'t Trail<'t>,
}

/// The way to a value, as a chain on the stack: it becomes a path only when something is wrong.
#[derive(Clone, Copy)]
pub(super) enum Trail<'t> {
    Root(&'t Path),
    Key(&'t Trail<'t>, &'t str),
    Index(&'t Trail<'t>, usize),
}

impl Trail<'_> {
    pub(super) fn path(&self) -> Path {
        match self {
            Trail::Root(path) => (*path).clone(),
            Trail::Key(above, key) => above.path().key(key),
            Trail::Index(above, index) => above.path().then(Step::Index(*index)),
        }
    }
}

impl<'de> Reader<'de, '_> {
    fn wrong<T>(self, expected: &str, right: &str) -> Result<T, Fault> {
        Err(self.fault(expected, right))
    }

    fn fault(self, expected: &str, right: &str) -> Fault {
        Fault::kind_of(&self.node.value, expected, right).at(|| self.trail.path())
    }

    /// Says where a fault of this value happened.
    fn located<T>(self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| fault.at(|| self.trail.path()))
    }

    fn text(self) -> Result<&'de str, Fault> {
        match (&self.node.written, &self.node.value) {
            (Some(written), _) => Ok(written),
            (None, Value::Text(text)) => Ok(text),
            // As in the Collector, where a text key that has no value is not set.
            (None, Value::Null) => Ok(""),
            (None, Value::Bool(true)) => Ok("true"),
            (None, Value::Bool(false)) => Ok("false"),
            _ => self.wrong("text", "write text"),
        }
    }

    fn whole(self, least: i128, most: i128) -> Result<i128, Fault> {
        let found = match &self.node.value {
            Value::Whole(found) => *found,
            Value::Real(found) if found.fract() == 0.0 && found.is_finite() => {
                return self.out_of_range(least, most);
            }
            Value::Real(found) => return self.wrong("a whole number", &format!("write {:.0} or {:.0}", found.floor(), found.ceil())),
            Value::Null => return Err(self.empty("a whole number such as 100")),
            Value::Text(text) if text.parse::<f64>().is_ok() => {
                return self.wrong("a number", &format!("write {text} without quotes"));
            }
            _ => return self.wrong("a whole number", "write a whole number such as 100"),
        };
        if (least..=most).contains(&found) { Ok(found) } else { self.out_of_range(least, most) }
    }

    fn out_of_range<T>(self, least: i128, most: i128) -> Result<T, Fault> {
        self.wrong("a number that fits", &format!("write a whole number from {least} to {most}"))
    }

    fn real(self) -> Result<f64, Fault> {
        #[expect(clippy::cast_precision_loss, reason = "a float key takes a whole number as near as it can be told")]
        match &self.node.value {
            Value::Whole(found) => Ok(*found as f64),
            Value::Real(found) => Ok(*found),
            Value::Null => Err(self.empty("a number such as 0.5")),
            Value::Text(text) if text.parse::<f64>().is_ok() => self.wrong("a number", &format!("write {text} without quotes")),
            _ => self.wrong("a number", "write a number such as 0.5"),
        }
    }

    /// Whether a number was written as one with a fraction, if only of zero.
    fn has_point(self) -> bool {
        let written = self.node.written.as_deref().unwrap_or_default();
        !written.starts_with("0x") && written.contains(['.', 'e', 'E'])
    }

    fn truth(self) -> Result<bool, Fault> {
        match &self.node.value {
            Value::Bool(found) => Ok(*found),
            Value::Null => Err(self.empty("true or false")),
            Value::Text(text) => {
                let meant = match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" | "y" => "write true",
                    "false" | "no" | "off" | "n" => "write false",
                    _ => "write true or false",
                };
                self.wrong("true or false", meant)
            }
            _ => self.wrong("true or false", "write true or false"),
        }
    }

    /// The Collector reads nothing as zero, which is never what `timeout:` with nothing behind it was meant to be.
    fn empty(self, example: &str) -> Fault {
        Fault::new("has no value", format!("write {example}, or remove the key to have its default")).at(|| self.trail.path())
    }

    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::List(list) => self.located(visitor.visit_seq(ListReader::new(list, self.trail))),
            Value::Null => Err(Fault::keep_default().at(|| self.trail.path())),
            _ => self.wrong("a list", "write a list: [a, b]"),
        }
    }

    fn block<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Map(entries) => self.located(visitor.visit_map(MapReader::new(entries, self.trail))),
            Value::Null => self.located(visitor.visit_map(MapReader::new(&[], self.trail))),
            _ => self.wrong("a block of keys", "write keys and values, or {} for the defaults"),
        }
    }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $type:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let found = self.whole(<$type>::MIN.into(), <$type>::MAX.into())?;
            match <$type>::try_from(found) {
                Ok(found) => self.located(visitor.$visit(found)),
                Err(_) => self.out_of_range(<$type>::MIN.into(), <$type>::MAX.into()),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de, '_> {
    type Error = Fault;

    whole_numbers! {
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match &self.node.value {
            Value::Null | Value::Cut => visitor.visit_unit(),
            Value::Bool(found) => visitor.visit_bool(*found),
            Value::Whole(found) => match (u64::try_from(*found), i64::try_from(*found)) {
                (Ok(found), _) => visitor.visit_u64(found),
                (_, Ok(found)) => visitor.visit_i64(found),
                _ => return self.out_of_range(i64::MIN.into(), u64::MAX.into()),
            },
            Value::Real(found) => visitor.visit_f64(*found),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(_) => return self.list(visitor),
            Value::Map(_) => return self.block(visitor),
        };
        self.located(read)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.located(visitor.visit_bool(self.truth()?))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.located(visitor.visit_f64(self.real()?))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.located(visitor.visit_borrowed_str(self.text()?))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.located(if self.node.value == Value::Null { visitor.visit_none() } else { visitor.visit_some(self) })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            _ => self.wrong("empty", "leave it empty"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        match (name, &self.node.value) {
            (ONE_OR_MANY, Value::List(_) | Value::Null) => self.list(visitor),
            (ONE_OR_MANY, _) => self.located(visitor.visit_seq(OnlyElement(Some(self)))),
            (LITERAL, Value::Whole(_)) if self.has_point() => self.located(visitor.visit_f64(self.real()?)),
            (LITERAL, _) => self.deserialize_any(visitor),
            _ => self.located(visitor.visit_newtype_struct(self)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.list(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.block(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.block(visitor)
    }

    /// A choice is a word, or a block of one key: the word, and what goes with it.
    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, words: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        let choices = || format!("write {}", crate::config::fault::one_of(words.iter().copied()));
        match &self.node.value {
            Value::Map(entries) => match entries.as_slice() {
                [entry] => self.located(visitor.visit_enum(Choice { word: &entry.key, content: Some(&entry.node), trail: self.trail })),
                _ => self.wrong("one choice", &choices()),
            },
            Value::List(_) | Value::Null | Value::Cut => self.wrong("one of the choices", &choices()),
            _ => self.located(visitor.visit_enum(Choice { word: self.text()?, content: None, trail: self.trail })),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let found = self.whole(0, i128::MAX)?;
        self.located(visitor.visit_u128(found.unsigned_abs()))
    }
}

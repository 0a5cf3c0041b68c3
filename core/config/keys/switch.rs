//! A block that can be switched off and on: `false`, `true`, or what it is set to.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::config::errors::ConfigErrors;
use crate::config::validate::Validate;

/// A block that is off or on. `false` is off (so is `off` once Helm has been over it), `true`, `{}` and nothing behind the key are on with
/// the block's defaults, a block of keys is on with these. That one can say both "as usual" and "so", in one key.
///
/// It also reads the Collector's optional blocks: `enabled: false` inside one is a key of the block itself, where it has one.
///
/// ```
/// use serde::Deserialize;
/// use tracetailor_core::config::{ConfigErrors, Switch, parse};
///
/// #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct Complete {
///     quiet: u64,
/// }
///
/// assert_eq!(parse::<Switch<Complete>>("false", "f", "x")?, Switch::Off);
/// assert_eq!(parse::<Switch<Complete>>("true", "f", "x")?, Switch::On(Complete { quiet: 0 }));
/// assert_eq!(parse::<Switch<Complete>>("{quiet: 6}", "f", "x")?, Switch::On(Complete { quiet: 6 }));
/// # Ok::<(), ConfigErrors>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Switch<T> {
    /// Not wanted.
    #[default]
    Off,
    /// Wanted, and how.
    On(T),
}

impl<T> Switch<T> {
    /// How it is wanted, if it is.
    pub fn on(&self) -> Option<&T> {
        match self {
            Switch::Off => None,
            Switch::On(block) => Some(block),
        }
    }

    /// True when it is wanted.
    pub fn is_on(&self) -> bool {
        self.on().is_some()
    }
}

impl<T: Validate> Validate for Switch<T> {
    fn validate(&self, errors: &mut ConfigErrors) {
        if let Switch::On(block) = self {
            block.validate(errors);
        }
    }
}

impl<T: Serialize> Serialize for Switch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Switch::Off => serializer.serialize_bool(false),
            Switch::On(block) => block.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Switch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SwitchVisitor(PhantomData))
    }
}

struct SwitchVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for SwitchVisitor<T> {
    type Value = Switch<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or a block of keys")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Switch<T>, E> {
        Ok(if on { Switch::On(T::default()) } else { Switch::Off })
    }

    fn visit_unit<E: de::Error>(self) -> Result<Switch<T>, E> {
        Ok(Switch::On(T::default()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Switch<T>, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(map)).map(Switch::On)
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Switch<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Switch_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let block = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, block] })
    }
}

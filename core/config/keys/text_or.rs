//! What is mostly a line of text, and a block where there is more to say.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// A text, or a block of keys in its place: `conditions: ['span.name == "a"', {context: span, conditions: [...]}]`.
///
/// ```
/// use tracetailor_core::config::{ConfigErrors, Period, Schema, TextOr, parse};
///
/// #[derive(Debug, PartialEq, serde::Deserialize, Schema)]
/// #[serde(deny_unknown_fields)]
/// struct Slot {
///     from: Period,
/// }
///
/// let read: Vec<TextOr<Slot>> = parse("[noon, {from: 9h}]", "gateway.yaml", "slots")?;
/// assert_eq!(read, [TextOr::Text("noon".to_owned()), TextOr::Block(Slot { from: Period::seconds(9 * 3600) })]);
/// # Ok::<(), ConfigErrors>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextOr<T> {
    /// A line of text.
    Text(String),
    /// A block of keys.
    Block(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrVisitor(PhantomData))
    }
}

struct TextOrVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrVisitor<T> {
    type Value = TextOr<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a block of keys")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<TextOr<T>, E> {
        Ok(TextOr::Text(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<TextOr<T>, E> {
        Ok(TextOr::Text(truth.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextOr<T>, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(map)).map(TextOr::Block)
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for TextOr<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("TextOr_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let block = generator.subschema_for::<T>();
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, block] })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::TextOr;
    use crate::config::{Path, Validate, keys_of, load};

    #[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Block {
        /// The rules.
        rules: Vec<TextOr<Group>>,
    }

    #[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
    #[serde(default, deny_unknown_fields)]
    struct Group {
        /// How many.
        count: u32,
    }

    impl Validate for Block {}

    fn read(yaml: &str) -> Result<Block, String> {
        let node = load(yaml, "gateway.yaml").unwrap();
        let mut errors = crate::config::ConfigErrors::default();
        let block = node.read_valid(&Path::ROOT, &mut errors);
        errors.locate(&node, &Path::ROOT);
        block.ok_or_else(|| errors.to_string())
    }

    #[test]
    fn text_and_blocks_stand_in_one_list() {
        let rules = read("rules: [a, {count: 3}, true]").unwrap().rules;
        assert!(matches!(&rules[..], [TextOr::Text(a), TextOr::Block(Group { count: 3 }), TextOr::Text(t)] if a == "a" && t == "true"));
    }

    #[test]
    fn mistakes_inside_have_their_place() {
        assert!(read("rules:\n  - {coun: 3}").unwrap_err().contains("gateway.yaml:2:6"), "{}", read("rules:\n  - {coun: 3}").unwrap_err());
        assert!(read("rules:\n  - {count: x}").unwrap_err().contains("rules[0].count"));
        assert!(read("rules: [[a]]").is_err());
    }

    #[test]
    fn the_table_of_keys_shows_both() {
        let keys: Vec<(String, String)> = keys_of::<Block>().into_iter().map(|key| (key.name, key.kind)).collect();
        let told = [("rules", "list of text or block"), ("rules[].count", "whole number")];
        assert_eq!(keys, told.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
    }
}

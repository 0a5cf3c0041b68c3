//! Any value, as telemetry holds it: for keys that say what an attribute shall be.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::text::KeyError;
use crate::config::reader::LITERAL;
use crate::telemetry::Value;

/// A value of an attribute as it is written in YAML: text, a number, `true`, a list, a map.
///
/// Its type is what YAML says of the spelling, as in the Collector: `5` is a whole number, `5.0` and `1e3` are numbers with a fraction, `"5"` is
/// text. A date is text; the Collector refuses one without quotes.
///
/// ```
/// use tracetailor_core::config::{ConfigErrors, Literal, parse};
/// use tracetailor_core::telemetry::Value;
///
/// let read = |yaml: &str| parse::<Literal>(yaml, "gateway.yaml", "value").map(|literal| literal.0);
/// assert_eq!(read("5")?, Value::Int(5));
/// assert_eq!(read("5.0")?, Value::Double(5.0));
/// assert_eq!(read("'5'")?, Value::from("5"));
/// assert_eq!(read("[a, true]")?, Value::List(vec![Value::from("a"), Value::Bool(true)]));
/// # Ok::<(), ConfigErrors>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Literal(pub Value);

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Our own reader knows the name, and tells a whole number from one that only has no fraction. Others hand out what they find.
        deserializer.deserialize_newtype_struct(LITERAL, LiteralVisitor).map(Literal)
    }
}

struct LiteralVisitor;

impl<'de> Visitor<'de> for LiteralVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Empty)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        i64::try_from(number).map(Value::Int).map_err(|_| {
            let wrong = format!("{number} is larger than a number in an attribute can be");
            KeyError::new(wrong, "write it in quotes, as text").into_serde()
        })
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Double(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Literal(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, Literal(value))) = map.next_entry()? {
            entries.push((key, value));
        }
        Ok(Value::Map(entries))
    }
}

impl schemars::JsonSchema for Literal {
    fn schema_name() -> Cow<'static, str> {
        "Literal".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "title": "any value" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn read(yaml: &str) -> Value {
        parse::<Literal>(yaml, "config.yaml", "value").unwrap_or_else(|errors| panic!("{yaml}: {errors}")).0
    }

    #[test]
    fn types_are_those_that_yaml_tells() {
        for (yaml, value) in [
            ("yes", Value::from("yes")),
            ("false", Value::Bool(false)),
            ("0x1F", Value::Int(31)),
            ("0o17", Value::Int(15)),
            ("-7", Value::Int(-7)),
            ("1e3", Value::Double(1000.0)),
            ("1E5", Value::Double(100_000.0)),
            ("1.", Value::Double(1.0)),
            ("0x1e", Value::Int(30)),
            ("2.5", Value::Double(2.5)),
            ("1.10", Value::Double(1.1)),
            ("1.2.3", Value::from("1.2.3")),
            ("2024-01-02", Value::from("2024-01-02")),
            ("\"1e3\"", Value::from("1e3")),
            ("[a, 1, [2.0]]", Value::List(vec!["a".into(), 1.into(), Value::List(vec![2.0.into()])])),
            ("{a: 1, b: {c: ~}}", Value::Map(vec![("a".into(), 1.into()), ("b".into(), Value::Map(vec![("c".into(), Value::Empty)]))])),
            ("- ", Value::List(vec![Value::Empty])),
            ("{}", Value::Map(Vec::new())),
        ] {
            assert_eq!(read(yaml), value, "{yaml}");
        }
        assert!(matches!(read(".nan"), Value::Double(number) if number.is_nan()));
    }

    #[test]
    fn a_number_that_no_attribute_holds_is_refused() {
        let error = parse::<Literal>("18446744073709551615", "config.yaml", "value").unwrap_err().to_string();
        assert!(error.contains("is larger than a number in an attribute can be"), "{error}");
    }
}

//! How an argument becomes what its parameter takes.

use super::Takes;
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Type, Value};

impl Takes {
    /// The argument as the function gets it.
    #[inline]
    pub(in crate::ottl) fn fit<'a>(self, value: Value<'a>) -> Result<Value<'a>, EvalError> {
        match (self, value) {
            (Takes::Any | Takes::Target | Takes::MapTarget | Takes::Function, value) => Ok(value),
            (Takes::Bool, value @ Value::Bool(_)) => Ok(value),
            (Takes::Int, value @ Value::Int(_)) => Ok(value),
            (Takes::Float, value @ Value::Float(_)) => Ok(value),
            (Takes::Float, Value::Int(number)) => Ok(Value::Float(number as f64)),
            (Takes::String, value @ Value::String(_)) => Ok(value),
            (Takes::StringLike, value) => Ok(value.into_text().map_or(Value::Nil, Value::String)),
            (Takes::Bytes, value @ Value::Bytes(_)) => Ok(value),
            (Takes::List, value @ Value::List(_)) => Ok(value),
            (Takes::Map, value @ Value::Map(_)) => Ok(value),
            (Takes::Time, value @ Value::Time(_)) => Ok(value),
            (Takes::Duration, value @ Value::Duration(_)) => Ok(value),
            (takes, value) => Err(EvalError::Expected { wanted: takes.name(), got: value.type_of().name() }),
        }
    }

    /// Whether a value of that type can fit, as far as that is known.
    pub(in crate::ottl) fn can_be(self, found: Type) -> bool {
        match (self, found) {
            (_, Type::Any) | (Takes::Any | Takes::StringLike, _) => true,
            (Takes::Float, found) => found.is_number(),
            (Takes::Bool, found) => found == Type::Bool,
            (Takes::Int, found) => found == Type::Int,
            (Takes::String, found) => found == Type::String,
            (Takes::Bytes, found) => found == Type::Bytes,
            (Takes::List, found) => found == Type::List,
            (Takes::Map | Takes::MapTarget, found) => found == Type::Map,
            (Takes::Time, found) => found == Type::Time,
            (Takes::Duration, found) => found == Type::Duration,
            (Takes::Function | Takes::Target, _) => true,
        }
    }

    /// In a user's word.
    pub fn name(self) -> &'static str {
        match self {
            Takes::Any => "any value",
            Takes::Bool => "a boolean",
            Takes::Int => "a whole number",
            Takes::Float => "a number",
            Takes::String | Takes::StringLike => "text",
            Takes::Bytes => "bytes",
            Takes::List => "a list",
            Takes::Map => "a map",
            Takes::Time => "a time",
            Takes::Duration => "a duration",
            Takes::Function => "the name of a converter",
            Takes::Target => "a path that can be written to",
            Takes::MapTarget => "a path to a map that can be written to",
        }
    }
}

//! Converters that ask what a value is, or make text of it.

use super::given::expected;
use super::{Arguments, Converter, Parameter, Refusal, Run, Takes};
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[IS_BOOL, IS_DOUBLE, IS_EMPTY, IS_INT, IS_LIST, IS_MAP, IS_STRING, LEN, STRING];

const TARGET: &[Parameter] = &[Parameter::needed("target", Takes::Any)];

const IS_BOOL: Converter = asks("IsBool", |_| is(Type::Bool));
const IS_DOUBLE: Converter = asks("IsDouble", |_| is(Type::Float));
const IS_INT: Converter = asks("IsInt", |_| is(Type::Int));
const IS_LIST: Converter = asks("IsList", |_| is(Type::List));
const IS_MAP: Converter = asks("IsMap", |_| is(Type::Map));
const IS_STRING: Converter = asks("IsString", |_| is(Type::String));

const fn asks(name: &'static str, make: fn(&Arguments<'_>) -> Result<Run, Refusal>) -> Converter {
    Converter { name, parameters: TARGET, gives: Type::Bool, make }
}

fn is(wanted: Type) -> Result<Run, Refusal> {
    Ok(Run::values(move |values| Ok(Value::Bool(values[0].type_of() == wanted))))
}

/// `IsEmpty(attributes["k"])`: true of `nil`, of nothing in text, list, map or bytes, of an id of zeros, and of zero.
const IS_EMPTY: Converter = asks("IsEmpty", |_| {
    Ok(Run::values(|values| {
        Ok(Value::Bool(match &values[0] {
            Value::Nil => true,
            Value::Bool(truth) => !truth,
            Value::Int(number) | Value::Duration(number) => *number == 0,
            Value::Float(number) => *number == 0.0,
            Value::String(text) => text.is_empty(),
            Value::Bytes(bytes) => bytes.is_empty() || (matches!(bytes.len(), 8 | 16) && bytes.iter().all(|byte| *byte == 0)),
            Value::List(list) => list.is_empty(),
            Value::Map(map) => map.is_empty(),
            Value::Time(_) => false,
        }))
    }))
});

/// `Len("aé")` is 3: the bytes of text, the values of a list, the entries of a map.
const LEN: Converter = Converter {
    name: "Len",
    parameters: TARGET,
    gives: Type::Int,
    make: |_| {
        Ok(Run::values(|values| {
            let length = match &values[0] {
                Value::String(text) => text.len(),
                Value::Bytes(bytes) => bytes.len(),
                Value::List(list) => list.len(),
                Value::Map(map) => map.len(),
                other => return Err(expected(Type::String, other)),
            };
            Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
        }))
    },
};

/// `String(1.5)` is `"1.5"`; bytes in hex, lists and maps as JSON. `nil` stays `nil`.
const STRING: Converter = Converter {
    name: "String",
    parameters: &[Parameter::needed("target", Takes::StringLike)],
    gives: Type::String,
    make: |_| Ok(Run::values(|values| Ok(std::mem::take(&mut values[0])))),
};

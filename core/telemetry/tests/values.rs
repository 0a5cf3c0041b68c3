//! The part of the model that is inside of attributes and bodies: lists and maps of any values, in each other.

use super::super::Value;
use super::model::{Change, Changed, Failure, Outcome, Word};
use crate::testing::otlp::{AnyValue, ArrayValue, KeyValue, KeyValueList, Value as Any};

/// Reads a value as owned: an index into a table of strings that nobody sent says nothing.
pub(super) fn value_of(any: &AnyValue) -> Value {
    match &any.value {
        None | Some(Any::StringValueStrindex(_)) => Value::Empty,
        Some(Any::StringValue(text)) => Value::String(text.clone()),
        Some(Any::BoolValue(truth)) => Value::Bool(*truth),
        Some(Any::IntValue(number)) => Value::Int(*number),
        Some(Any::DoubleValue(number)) => Value::Double(*number),
        Some(Any::BytesValue(bytes)) => Value::Bytes(bytes.clone()),
        Some(Any::ArrayValue(list)) => Value::List(list.values.iter().map(value_of).collect()),
        Some(Any::KvlistValue(map)) => Value::Map(map.values.iter().map(entry_value).collect()),
    }
}

pub(super) fn entry_value(entry: &KeyValue) -> (String, Value) {
    (entry.key.clone(), entry.value.as_ref().map_or(Value::Empty, value_of))
}

/// Writes a value as the protocol has it.
pub(super) fn any_of(value: &Value) -> AnyValue {
    let value = match value {
        Value::Empty => None,
        Value::Bool(truth) => Some(Any::BoolValue(*truth)),
        Value::Int(number) => Some(Any::IntValue(*number)),
        Value::Double(number) => Some(Any::DoubleValue(*number)),
        Value::String(text) => Some(Any::StringValue(text.clone())),
        Value::Bytes(bytes) => Some(Any::BytesValue(bytes.clone())),
        Value::List(values) => Some(Any::ArrayValue(ArrayValue { values: values.iter().map(any_of).collect() })),
        Value::Map(entries) => {
            Some(Any::KvlistValue(KeyValueList { values: entries.iter().map(|(key, value)| entry_of(key, value)).collect() }))
        }
    };
    AnyValue { value }
}

pub(super) fn entry_of(key: &str, value: &Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(any_of(value)), ..KeyValue::default() }
}

pub(super) fn get_in_any(any: &AnyValue, path: &[Word]) -> Option<Value> {
    match (&any.value, path) {
        (_, []) => Some(value_of(any)),
        (Some(Any::KvlistValue(map)), [Word::Key(key), rest @ ..]) => get_in_entries(&map.values, key, rest),
        (Some(Any::ArrayValue(list)), [Word::Index(index), rest @ ..]) => get_in_any(list.values.get(*index)?, rest),
        _ => None,
    }
}

pub(super) fn get_in_entries(entries: &[KeyValue], key: &str, rest: &[Word]) -> Option<Value> {
    let entry = entries.iter().find(|entry| entry.key == key)?;
    get_in_any(entry.value.as_ref().unwrap_or(&AnyValue { value: None }), rest)
}

pub(super) fn append_to_any(any: &mut AnyValue, value: &Value) -> Outcome {
    match &mut any.value {
        Some(Any::ArrayValue(list)) => list.values.push(any_of(value)),
        None | Some(Any::StringValueStrindex(_)) => any.value = Some(Any::ArrayValue(ArrayValue { values: vec![any_of(value)] })),
        Some(_) => return Err(Failure::NotAList),
    }
    Ok(Changed::Yes)
}

pub(super) fn change_any(any: &mut AnyValue, path: &[Word], change: &Change) -> Outcome {
    if let Some(Any::StringValueStrindex(_)) = any.value
        && *change != Change::Delete
    {
        any.value = None;
    }
    match (&mut any.value, path, change) {
        (_, [], Change::Set(value)) => {
            *any = any_of(value);
            Ok(Changed::Yes)
        }
        (_, [], Change::Append(value)) => append_to_any(any, value),
        (Some(Any::KvlistValue(map)), [Word::Key(key), rest @ ..], _) => change_entry(&mut map.values, key, rest, change),
        (Some(Any::ArrayValue(list)), [Word::Index(index), rest @ ..], _) => match (list.values.get_mut(*index), rest, change) {
            (None, _, Change::Delete) => Ok(Changed::No),
            (None, ..) => Err(Failure::NoSuchIndex),
            (_, [], Change::Delete) => Ok(list.values.remove(*index)).map(|_| Changed::Yes),
            (Some(element), ..) => change_any(element, rest, change),
        },
        (_, _, Change::Delete) => Ok(Changed::No),
        (None, [Word::Key(key), rest @ ..], _) => {
            let mut map = KeyValueList::default();
            let outcome = change_entry(&mut map.values, key, rest, change)?;
            any.value = Some(Any::KvlistValue(map));
            Ok(outcome)
        }
        (_, [Word::Key(_), ..], _) => Err(Failure::NotAMap),
        _ => Err(Failure::NotAList),
    }
}

/// Changes the first entry of a key; where something came of it, the others of that key go.
pub(super) fn change_entry(entries: &mut Vec<KeyValue>, key: &str, rest: &[Word], change: &Change) -> Outcome {
    let place = match entries.iter().position(|entry| entry.key == key) {
        Some(place) => place,
        None if *change == Change::Delete => return Ok(Changed::No),
        None => {
            entries.push(KeyValue { key: key.to_owned(), ..KeyValue::default() });
            entries.len() - 1
        }
    };
    if rest.is_empty() && *change == Change::Delete {
        entries.retain(|entry| entry.key != key);
        return Ok(Changed::Yes);
    }
    let outcome = change_any(entries[place].value.get_or_insert_default(), rest, change)?;
    if outcome == Changed::Yes {
        let mut number = 0..;
        entries.retain(|entry| number.next() == Some(place) || entry.key != key);
    }
    Ok(outcome)
}

/// How many values deep: 1 for a number, 2 for a list of numbers.
pub(super) fn levels(any: &AnyValue) -> u32 {
    1 + match &any.value {
        Some(Any::ArrayValue(list)) => list.values.iter().map(levels).max().unwrap_or(0),
        Some(Any::KvlistValue(map)) => entries_levels(&map.values),
        _ => 0,
    }
}

pub(super) fn entries_levels(entries: &[KeyValue]) -> u32 {
    entries.iter().filter_map(|entry| entry.value.as_ref()).map(levels).max().unwrap_or(0)
}

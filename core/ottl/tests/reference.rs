//! The language as one would write it down over decoded structs: slow, without a trick, and what the evaluation on bytes is held against.
//!
//! It shares the parser, which has tests of its own, and the converters that go by values alone; names, types, comparisons, math and edits are its own.

use std::cmp::Ordering;

use crate::ottl::functions::tests::call;
use crate::ottl::tree::{Call, CompareOp, Key, MathOp, Node, Part, Statement, Term};
use crate::ottl::value::Value;
use crate::testing::otlp::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, Resource, Span, Value as Kept};

/// A span and what it shares with others, all its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct World {
    pub(super) resource: Resource,
    pub(super) scope: InstrumentationScope,
    pub(super) span: Span,
}

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Found>),
    Map(Vec<(String, Found)>),
    Time(i64),
    Duration(i64),
}

/// There is no value; why is not compared.
#[derive(Debug, PartialEq)]
pub(super) struct Error;

type Result<T> = std::result::Result<T, Error>;

/// Symbols that the generator writes.
const SYMBOLS: [(&str, i64); 3] = [("SPAN_KIND_SERVER", 2), ("SPAN_KIND_CLIENT", 3), ("STATUS_CODE_ERROR", 2)];
const KINDS: [&str; 6] = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];

impl World {
    pub(super) fn holds(&self, node: &Node) -> Result<bool> {
        match &node.term {
            Term::Bool(truth) => Ok(*truth),
            Term::Not(inner) => Ok(!self.holds(inner)?),
            Term::And(nodes) => {
                for node in nodes {
                    if !self.holds(node)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Term::Or(nodes) => {
                for node in nodes {
                    if self.holds(node)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Term::Compare(left, op, right) => Ok(compare(&self.value(left)?, *op, &self.value(right)?)),
            _ => match self.value(node)? {
                Found::Bool(truth) => Ok(truth),
                _ => Err(Error),
            },
        }
    }

    fn value(&self, node: &Node) -> Result<Found> {
        Ok(match &node.term {
            Term::Nil => Found::Nil,
            Term::Bool(truth) => Found::Bool(*truth),
            Term::Int(number) => Found::Int(*number),
            Term::Float(number) => Found::Float(*number),
            Term::Text(text) => Found::Text(text.clone()),
            Term::Bytes(bytes) => Found::Bytes(bytes.clone()),
            Term::Name(name) => Found::Int(SYMBOLS.iter().find(|(known, _)| known == name).unwrap().1),
            Term::Path(parts) => self.path(parts)?,
            Term::Call(call) => self.call(call)?,
            Term::List(nodes) => Found::List(nodes.iter().map(|node| self.value(node)).collect::<Result<_>>()?),
            Term::Map(entries) => {
                Found::Map(entries.iter().map(|(key, node)| Ok((key.clone(), self.value(node)?))).collect::<Result<_>>()?)
            }
            Term::Math(first, rest) => {
                let mut left = self.value(first)?;
                for (op, node) in rest {
                    left = math(left, *op, self.value(node)?)?;
                }
                left
            }
            Term::Minus(inner) => match self.value(inner)? {
                Found::Int(number) => Found::Int(number.wrapping_neg()),
                Found::Float(number) => Found::Float(-number),
                Found::Duration(number) => Found::Duration(number.wrapping_neg()),
                _ => return Err(Error),
            },
            other => panic!("{other:?} gives no value"),
        })
    }

    fn path(&self, parts: &[Part]) -> Result<Found> {
        let name = parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".");
        let keys: Vec<Key> = parts.last().unwrap().keys.iter().map(|(_, key)| key.clone()).collect();
        let span = &self.span;
        let status = span.status.clone().unwrap_or_default();
        Ok(match name.trim_start_matches("span.") {
            "attributes" => return enter_attributes(&span.attributes, &keys),
            "resource.attributes" => return enter_attributes(&self.resource.attributes, &keys),
            "scope.attributes" => return enter_attributes(&self.scope.attributes, &keys),
            "scope.name" => Found::Text(self.scope.name.clone()),
            "name" => Found::Text(span.name.clone()),
            "kind" => Found::Int(span.kind.into()),
            "kind.string" => Found::Text(KINDS.get(span.kind as usize).copied().unwrap_or("").to_owned()),
            "status.code" => Found::Int(status.code.into()),
            "status.message" => Found::Text(status.message),
            "start_time" => Found::Time(span.start_time_unix_nano as i64),
            "end_time" => Found::Time(span.end_time_unix_nano as i64),
            "start_time_unix_nano" => Found::Int(span.start_time_unix_nano as i64),
            "dropped_events_count" => Found::Int(span.dropped_events_count.into()),
            "trace_id" => Found::Bytes(span.trace_id.clone()),
            "parent_span_id" if span.parent_span_id.is_empty() => Found::Bytes(vec![0; 8]),
            "parent_span_id" => Found::Bytes(span.parent_span_id.clone()),
            "parent_span_id.string" if span.parent_span_id.is_empty() => Found::Text("0".repeat(16)),
            "parent_span_id.string" => Found::Text(span.parent_span_id.iter().map(|byte| format!("{byte:02x}")).collect()),
            "trace_state" if keys.is_empty() => Found::Text(span.trace_state.clone()),
            "trace_state" => {
                let [Key::Text(key)] = keys.as_slice() else { panic!("a member is entered by key") };
                let mut members = span.trace_state.split(',').filter_map(|member| member.split_once('='));
                Found::Text(members.find(|(known, _)| known == key).map_or(String::new(), |(_, value)| value.to_owned()))
            }
            other => panic!("the reference does not know {other}"),
        })
    }

    fn call(&self, called: &Call) -> Result<Found> {
        let values = called.arguments.iter().map(|(_, node)| self.value(node)).collect::<Result<Vec<_>>>()?;
        match (called.name.as_str(), values.as_slice()) {
            ("IsRootSpan", []) => Ok(Found::Bool(self.span.parent_span_id.is_empty())),
            ("IsMatch", [Found::Nil, _]) => Ok(Found::Bool(false)),
            ("IsMatch", [value, Found::Text(pattern)]) => {
                Ok(Found::Bool(regex::Regex::new(pattern).unwrap().is_match(&to_value(value).into_text().unwrap_or_default())))
            }
            (name, values) => {
                let values: Vec<Value<'static>> = values.iter().map(to_value).collect();
                call(name, &values).map(|value| to_found(&value)).map_err(|_| Error)
            }
        }
    }

    /// Runs a statement; an error leaves everything as it was.
    pub(super) fn run(&mut self, statement: &Statement) -> Result<()> {
        if let Some(condition) = &statement.condition
            && !self.holds(condition)?
        {
            return Ok(());
        }
        let argument = |number: usize| &statement.editor.arguments[number].1;
        let Term::Path(parts) = &argument(0).term else { panic!("the target is a path") };
        match statement.editor.name.as_str() {
            "set" => {
                let value = self.value(argument(1))?;
                self.set(parts, value)
            }
            "delete_key" => {
                let Found::Text(key) = self.value(argument(1))? else { return Err(Error) };
                let Found::Map(entries) = self.path(parts)? else { return Err(Error) };
                if entries.iter().all(|(known, _)| *known != key) {
                    return Ok(());
                }
                self.set(parts, Found::Map(entries.into_iter().filter(|(known, _)| *known != key).collect()))
            }
            "replace_pattern" => {
                let (Found::Text(pattern), Found::Text(with)) = (self.value(argument(1))?, self.value(argument(2))?) else {
                    return Err(Error);
                };
                let Found::Text(text) = self.path(parts)? else { return Ok(()) };
                let pattern = regex::Regex::new(&pattern).unwrap();
                if !pattern.is_match(&text) {
                    return Ok(());
                }
                self.set(parts, Found::Text(pattern.replace_all(&text, regex::NoExpand(&with)).into_owned()))
            }
            other => panic!("the reference does not know {other}"),
        }
    }

    fn set(&mut self, parts: &[Part], value: Found) -> Result<()> {
        let name = parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".");
        let keys: Vec<Key> = parts.last().unwrap().keys.iter().map(|(_, key)| key.clone()).collect();
        match (name.trim_start_matches("span."), value) {
            ("attributes", value) => set_attributes(&mut self.span.attributes, &keys, value),
            ("resource.attributes", value) => set_attributes(&mut self.resource.attributes, &keys, value),
            ("scope.attributes", value) => set_attributes(&mut self.scope.attributes, &keys, value),
            (name, value) => self.set_field(name, value),
        }
    }

    fn set_field(&mut self, name: &str, value: Found) -> Result<()> {
        match (name, value) {
            ("name", Found::Text(text)) => self.span.name = text,
            ("scope.name", Found::Text(text)) => self.scope.name = text,
            ("kind", Found::Int(kind)) => self.span.kind = i32::try_from(kind).map_err(|_| Error)?,
            ("status.message", Found::Text(text)) => self.span.status.get_or_insert_default().message = text,
            ("start_time", Found::Time(nanos)) => self.span.start_time_unix_nano = nanos as u64,
            ("dropped_events_count", Found::Int(count)) => self.span.dropped_events_count = u32::try_from(count).map_err(|_| Error)?,
            _ => return Err(Error),
        }
        Ok(())
    }
}

fn compare(left: &Found, op: CompareOp, right: &Found) -> bool {
    let float = |found: &Found| match found {
        Found::Int(number) => Some(*number as f64),
        Found::Float(number) => Some(*number),
        _ => None,
    };
    let order = match (left, right) {
        (Found::Nil, Found::Nil) => Some(Ordering::Equal),
        (Found::Bool(a), Found::Bool(b)) => Some(a.cmp(b)),
        (Found::Int(a), Found::Int(b)) | (Found::Time(a), Found::Time(b)) | (Found::Duration(a), Found::Duration(b)) => Some(a.cmp(b)),
        (Found::Text(a), Found::Text(b)) => Some(a.cmp(b)),
        (Found::Bytes(a), Found::Bytes(b)) => Some(a.cmp(b)),
        (a, b) => float(a).zip(float(b)).and_then(|(a, b)| a.partial_cmp(&b)),
    };
    let equal = order == Some(Ordering::Equal) || (matches!(left, Found::List(_) | Found::Map(_)) && same(left, right));
    match op {
        CompareOp::Equal => equal,
        CompareOp::NotEqual => !equal,
        CompareOp::Less => order == Some(Ordering::Less),
        CompareOp::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        CompareOp::Greater => order == Some(Ordering::Greater),
        CompareOp::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// Inside of lists and maps types count; the order of keys does not.
fn same(a: &Found, b: &Found) -> bool {
    match (a, b) {
        (Found::List(a), Found::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Found::Map(a), Found::Map(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.iter().find(|(known, _)| known == key).is_some_and(|(_, b)| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn math(left: Found, op: MathOp, right: Found) -> Result<Found> {
    use Found::{Duration, Float, Int, Time};
    Ok(match (left, op, right) {
        (_, MathOp::Divide, Int(0)) => return Err(Error),
        (_, MathOp::Divide, Float(0.0)) => return Err(Error),
        (Int(a), MathOp::Add, Int(b)) => Int(a.wrapping_add(b)),
        (Int(a), MathOp::Subtract, Int(b)) => Int(a.wrapping_sub(b)),
        (Int(a), MathOp::Multiply, Int(b)) => Int(a.wrapping_mul(b)),
        (Int(a), MathOp::Divide, Int(b)) => Int(a.wrapping_div(b)),
        (Int(a), op, b @ Float(_)) => math(Float(a as f64), op, b)?,
        (a @ Float(_), op, Int(b)) => math(a, op, Float(b as f64))?,
        (Float(a), MathOp::Add, Float(b)) => Float(a + b),
        (Float(a), MathOp::Subtract, Float(b)) => Float(a - b),
        (Float(a), MathOp::Multiply, Float(b)) => Float(a * b),
        (Float(a), MathOp::Divide, Float(b)) => Float(a / b),
        (Time(a), MathOp::Subtract, Time(b)) => Duration(a.wrapping_sub(b)),
        (Time(a), MathOp::Add, Duration(b)) | (Duration(a), MathOp::Add, Time(b)) => Time(a.wrapping_add(b)),
        (Time(a), MathOp::Subtract, Duration(b)) => Time(a.wrapping_sub(b)),
        (Duration(a), MathOp::Add, Duration(b)) => Duration(a.wrapping_add(b)),
        (Duration(a), MathOp::Subtract, Duration(b)) => Duration(a.wrapping_sub(b)),
        _ => return Err(Error),
    })
}

fn read(value: Option<&AnyValue>) -> Found {
    match value.and_then(|value| value.value.as_ref()) {
        None => Found::Nil,
        Some(Kept::StringValue(text)) => Found::Text(text.clone()),
        Some(Kept::BoolValue(truth)) => Found::Bool(*truth),
        Some(Kept::IntValue(number)) => Found::Int(*number),
        Some(Kept::DoubleValue(number)) => Found::Float(*number),
        Some(Kept::BytesValue(bytes)) => Found::Bytes(bytes.clone()),
        Some(Kept::ArrayValue(list)) => Found::List(list.values.iter().map(|value| read(Some(value))).collect()),
        Some(Kept::KvlistValue(map)) => read_map(&map.values),
        Some(other) => panic!("{other:?} is not made"),
    }
}

fn read_map(entries: &[KeyValue]) -> Found {
    Found::Map(entries.iter().map(|entry| (entry.key.clone(), read(entry.value.as_ref()))).collect())
}

fn enter_attributes(attributes: &[KeyValue], keys: &[Key]) -> Result<Found> {
    enter(read_map(attributes), keys)
}

fn enter(found: Found, keys: &[Key]) -> Result<Found> {
    let Some((key, rest)) = keys.split_first() else { return Ok(found) };
    match (found, key) {
        (Found::Map(entries), Key::Text(key)) => match entries.into_iter().find(|(known, _)| known == key) {
            Some((_, value)) => enter(value, rest),
            None => Ok(Found::Nil),
        },
        (Found::List(values), Key::Index(index)) => values.into_iter().nth(*index).map_or(Err(Error), |value| enter(value, rest)),
        _ => Err(Error),
    }
}

fn kept(found: &Found) -> AnyValue {
    let value = match found {
        Found::Nil | Found::Time(_) | Found::Duration(_) => return AnyValue { value: None },
        Found::Bool(truth) => Kept::BoolValue(*truth),
        Found::Int(number) => Kept::IntValue(*number),
        Found::Float(number) => Kept::DoubleValue(*number),
        Found::Text(text) => Kept::StringValue(text.clone()),
        Found::Bytes(bytes) => Kept::BytesValue(bytes.clone()),
        Found::List(values) => Kept::ArrayValue(ArrayValue { values: values.iter().map(kept).collect() }),
        Found::Map(entries) => Kept::KvlistValue(KeyValueList { values: kept_map(entries) }),
    };
    AnyValue { value: Some(value) }
}

fn kept_map(entries: &[(String, Found)]) -> Vec<KeyValue> {
    entries.iter().map(|(key, value)| KeyValue { key: key.clone(), value: Some(kept(value)), ..KeyValue::default() }).collect()
}

fn set_attributes(attributes: &mut Vec<KeyValue>, keys: &[Key], value: Found) -> Result<()> {
    let mut all = read_map(attributes);
    set_in(&mut all, keys, value)?;
    let Found::Map(entries) = &all else { return Err(Error) };
    *attributes = kept_map(entries);
    Ok(())
}

fn set_in(holder: &mut Found, keys: &[Key], value: Found) -> Result<()> {
    let Some((key, rest)) = keys.split_first() else {
        *holder = value;
        return Ok(());
    };
    if *holder == Found::Nil && matches!(key, Key::Text(_)) {
        *holder = Found::Map(Vec::new());
    }
    match (holder, key) {
        (Found::Map(entries), Key::Text(key)) => match entries.iter().position(|(known, _)| known == key) {
            Some(place) => {
                set_in(&mut entries[place].1, rest, value)?;
                // A key that stood twice stands once afterwards.
                let mut number = 0;
                entries.retain(|(known, _)| {
                    number += 1;
                    known != key || number == place + 1
                });
                Ok(())
            }
            None => {
                let mut new = Found::Nil;
                set_in(&mut new, rest, value)?;
                entries.push((key.clone(), new));
                Ok(())
            }
        },
        (Found::List(values), Key::Index(index)) => set_in(values.get_mut(*index).ok_or(Error)?, rest, value),
        _ => Err(Error),
    }
}

fn to_value(found: &Found) -> Value<'static> {
    match found {
        Found::Nil => Value::Nil,
        Found::Bool(truth) => Value::Bool(*truth),
        Found::Int(number) => Value::Int(*number),
        Found::Float(number) => Value::Float(*number),
        Found::Text(text) => Value::from(text.clone()),
        Found::Bytes(bytes) => Value::Bytes(bytes.clone().into()),
        Found::List(values) => Value::list(values.iter().map(to_value).collect()),
        Found::Map(entries) => Value::map(entries.iter().map(|(key, value)| (key.clone().into(), to_value(value))).collect()),
        Found::Time(nanos) => Value::Time(*nanos),
        Found::Duration(nanos) => Value::Duration(*nanos),
    }
}

fn to_found(value: &Value<'static>) -> Found {
    match value {
        Value::Nil => Found::Nil,
        Value::Bool(truth) => Found::Bool(*truth),
        Value::Int(number) => Found::Int(*number),
        Value::Float(number) => Found::Float(*number),
        Value::String(text) => Found::Text(text.to_string()),
        Value::Bytes(bytes) => Found::Bytes(bytes.to_vec()),
        Value::List(list) => Found::List(list.iter().map(|value| to_found(&value)).collect()),
        Value::Map(map) => Found::Map(map.iter().map(|(key, value)| (key.into_owned(), to_found(&value))).collect()),
        Value::Time(nanos) => Found::Time(*nanos),
        Value::Duration(nanos) => Found::Duration(*nanos),
    }
}

//! Editors of single values and of lists.

use super::given::{expected, int, too_many};
use super::{Edit, Editor, MOST_VALUES, Parameter, Refusal, Takes, Work};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Type, Value};

pub(super) const EDITORS: &[Editor] = &[APPEND, CLEAR, DELETE_INDEX, SET];

const TARGET: Parameter = Parameter::needed("target", Takes::Target);

/// `append(attributes["tags"], "x")`: puts values behind those of a list; what is no list becomes one.
const APPEND: Editor = Editor {
    name: "append",
    parameters: &[TARGET, Parameter::optional("value", Takes::Any), Parameter::optional("values", Takes::List)],
    make: |arguments| {
        let (has_value, has_values) = (arguments.has("value"), arguments.has("values"));
        if !has_value && !has_values {
            return Err(Refusal::whole("append lacks what is to be appended", "give a value, or values=[...]"));
        }
        Ok(Work::change(move |values| {
            let mut list = match std::mem::take(&mut values[0]) {
                Value::Nil => vec![],
                Value::List(list) => list.into_values(),
                map @ Value::Map(_) => return Err(expected(Type::List, &map)),
                other => vec![other],
            };
            if has_value {
                list.push(std::mem::take(&mut values[1]));
            }
            if let Value::List(more) = std::mem::take(&mut values[2]) {
                list.extend(more.into_values());
            }
            if list.len() > MOST_VALUES { Err(too_many()) } else { Ok(Edit::Set(Value::list(list))) }
        }))
    },
};

/// `clear(attributes["k"])`: what is there becomes what is least of its kind: `""`, 0, `false`, an empty map or list.
const CLEAR: Editor = Editor {
    name: "clear",
    parameters: &[TARGET],
    make: |_| {
        Ok(Work::change(|values| {
            Ok(Edit::Set(match &values[0] {
                Value::Nil => Value::Nil,
                Value::Bool(_) => Value::Bool(false),
                Value::Int(_) => Value::Int(0),
                Value::Float(_) => Value::Float(0.0),
                Value::String(_) => Value::text(""),
                Value::Bytes(_) => Value::Bytes(Vec::new().into()),
                Value::List(_) => Value::list(vec![]),
                Value::Map(_) => Value::map(vec![]),
                Value::Time(_) => Value::Time(0),
                Value::Duration(_) => Value::Duration(0),
            }))
        }))
    },
};

/// `delete_index(attributes["tags"], 0, 2)`: takes the values from a place up to another away, or the one at a place.
const DELETE_INDEX: Editor = Editor {
    name: "delete_index",
    parameters: &[TARGET, Parameter::needed("start_index", Takes::Int), Parameter::optional("end_index", Takes::Int)],
    make: |arguments| {
        let has_end = arguments.has("end_index");
        Ok(Work::change(move |values| {
            let (start, mut end) = (int(values, 1), int(values, 2));
            if !has_end {
                end = start.saturating_add(1);
            }
            let Value::List(list) = std::mem::take(&mut values[0]) else { return Err(EvalError::because("the target is no list")) };
            let mut list = list.into_values();
            if start == 0 && usize::try_from(end) == Ok(list.len()) {
                return Ok(Edit::Set(Value::list(vec![])));
            }
            match (usize::try_from(start), usize::try_from(end)) {
                (Ok(start), Ok(end)) if start < list.len() && start <= end && end <= list.len() => {
                    list.drain(start..end);
                    Ok(if start == end { Edit::Nothing } else { Edit::Set(Value::list(list)) })
                }
                _ => Err(EvalError::because("the list has no such places")),
            }
        }))
    },
};

/// `set(attributes["k"], value)`: puts a value there.
const SET: Editor = Editor {
    name: "set",
    parameters: &[TARGET, Parameter::needed("value", Takes::Any)],
    make: |_| Ok(Work::put(|values| Ok(Edit::Set(std::mem::take(&mut values[1]))))),
};

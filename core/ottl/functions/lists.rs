//! Converters of lists and maps.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::given::{bounded_list, expected, too_many};
use super::{Arguments, Converter, MOST_VALUES, Parameter, Refusal, Run, Takes};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{List, Map, Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[COALESCE, CONTAINS_VALUE, INDEX, KEYS, SLICE_TO_MAP, SORT, VALUES];

/// `Coalesce([attributes["a"], attributes["b"], "none"])`: the first value that is not `nil`; those behind it are not looked at.
const COALESCE: Converter = Converter {
    name: "Coalesce",
    parameters: &[Parameter::needed("values", Takes::List)],
    gives: Type::Any,
    make: |arguments| match arguments.literal("values") {
        Some(Value::List(list)) if list.is_empty() => Err(Refusal::of("values", "has no values", "write one or more")),
        _ => Ok(Run::First),
    },
};

/// `ContainsValue(["a", "b"], "b")`: whether a list holds what `==` the value.
const CONTAINS_VALUE: Converter = Converter {
    name: "ContainsValue",
    parameters: &[Parameter::needed("target", Takes::List), Parameter::needed("item", Takes::Any)],
    gives: Type::Bool,
    make: |_| {
        Ok(Run::values(|values| {
            let [Value::List(list), item] = values else { return Ok(Value::Nil) };
            Ok(Value::Bool(list.iter().any(|value| value.equals(item))))
        }))
    },
};

/// `Index("hello", "l")` is 2: where a text begins in another, in bytes, or where a value is in a list; -1 where it is not.
const INDEX: Converter = Converter {
    name: "Index",
    parameters: &[Parameter::needed("target", Takes::Any), Parameter::needed("value", Takes::Any)],
    gives: Type::Int,
    make: |_| {
        Ok(Run::values(|values| {
            let place = match &*values {
                [Value::String(text), Value::String(part)] => text.find(&**part),
                [Value::String(_), other] => return Err(expected(Type::String, other)),
                [Value::List(list), value] => list.iter().position(|known| known.equals(value)),
                [other, ..] => return Err(expected(Type::List, other)),
                [] => None,
            };
            Ok(Value::Int(place.and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)))
        }))
    },
};

const OF_MAP: &[Parameter] = &[Parameter::needed("target", Takes::Map)];

/// `Keys({"a": 1})` is `["a"]`.
const KEYS: Converter = Converter {
    name: "Keys",
    parameters: OF_MAP,
    gives: Type::List,
    make: |_| Ok(Run::values(|values| bounded_list(map(values)?.iter().map(|(key, _)| Value::String(key))))),
};

/// `Values({"a": 1})` is `[1]`.
const VALUES: Converter = Converter {
    name: "Values",
    parameters: OF_MAP,
    gives: Type::List,
    make: |_| Ok(Run::values(|values| bounded_list(map(values)?.iter().map(|(_, value)| value)))),
};

fn map<'v, 'a>(values: &'v [Value<'a>]) -> Result<&'v Map<'a>, EvalError> {
    match &values[0] {
        Value::Map(map) => Ok(map),
        other => Err(expected(Type::Map, other)),
    }
}

/// `SliceToMap(rows, ["name"], ["value"])`: a map of the values of a list, by their place, or by what stands at a path in each.
const SLICE_TO_MAP: Converter = Converter {
    name: "SliceToMap",
    parameters: &[
        Parameter::needed("target", Takes::List),
        Parameter::option("key_path", Takes::List),
        Parameter::option("value_path", Takes::List),
    ],
    gives: Type::Map,
    make: |arguments| {
        let (key_path, value_path) = (path(arguments, "key_path")?, path(arguments, "value_path")?);
        Ok(Run::values(move |values| {
            let Value::List(list) = &values[0] else { return Err(expected(Type::List, &values[0])) };
            let mut entries: Vec<(Cow<'_, str>, Value<'_>)> = vec![];
            let mut places: HashMap<Cow<'_, str>, usize> = HashMap::new();
            for (place, value) in list.iter().enumerate() {
                if place == MOST_VALUES {
                    return Err(too_many());
                }
                let key = match &key_path {
                    None => Cow::Owned(place.to_string()),
                    Some(path) => match at_path(&value, path)? {
                        Value::String(key) => key,
                        other => return Err(expected(Type::String, &other)),
                    },
                };
                let value = value_path.as_ref().map_or(Ok(value.clone()), |path| at_path(&value, path))?;
                match places.entry(key.clone()) {
                    Entry::Occupied(there) => entries[*there.get()].1 = value,
                    Entry::Vacant(free) => {
                        free.insert(entries.len());
                        entries.push((key, value));
                    }
                }
            }
            Ok(Value::map(entries))
        }))
    },
};

fn path(arguments: &Arguments<'_>, name: &'static str) -> Result<Option<Vec<String>>, Refusal> {
    let path = arguments.texts(name)?;
    match path {
        Some(path) if path.is_empty() => Err(Refusal::of(name, "is a path to nowhere", "name one key or more: [\"name\"]")),
        path => Ok(path),
    }
}

fn at_path<'a>(value: &Value<'a>, path: &[String]) -> Result<Value<'a>, EvalError> {
    let mut value = value.clone();
    for key in path {
        let Value::Map(map) = &value else { return Err(expected(Type::Map, &value)) };
        value = map.get(key).ok_or_else(|| EvalError::because("an element of the list has no such path"))?;
    }
    Ok(value)
}

/// `Sort([2, 1], "desc")`: numbers by size; where one is text, a boolean or `nil`, all by their text; lists with anything else stay as they are.
const SORT: Converter = Converter {
    name: "Sort",
    parameters: &[Parameter::needed("target", Takes::List), Parameter::option("order", Takes::String)],
    gives: Type::List,
    make: |arguments| {
        let descends = match arguments.text("order") {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => return Err(Refusal::of("order", format!("there is no order \"{other}\""), "write \"asc\" or \"desc\"")),
        };
        Ok(Run::values(move |values| {
            let Value::List(list) = std::mem::take(&mut values[0]) else { return Ok(Value::Nil) };
            Ok(Value::list(sorted(list, descends)))
        }))
    },
};

fn sorted(list: List<'_>, descends: bool) -> Vec<Value<'_>> {
    let mut values = list.into_values();
    let directed = |order: Ordering| if descends { order.reverse() } else { order };
    if values.iter().all(|value| matches!(value, Value::Int(_) | Value::Float(_))) {
        values.sort_by(|a, b| directed(by_size(a, b)));
    } else if values.iter().all(|v| matches!(v, Value::Int(_) | Value::Float(_) | Value::String(_) | Value::Bool(_) | Value::Nil)) {
        // Texts are made once, not at every comparison.
        let mut keyed: Vec<_> = values.into_iter().map(|value| (value.clone().into_text().unwrap_or_default(), value)).collect();
        keyed.sort_by(|(a, _), (b, _)| directed(a.cmp(b)));
        values = keyed.into_iter().map(|(_, value)| value).collect();
    }
    values
}

/// What is no number comes first.
fn by_size(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    a.order(b).unwrap_or_else(|| {
        let is_nan = |value: &Value<'_>| value.as_float().is_some_and(f64::is_nan);
        is_nan(b).cmp(&is_nan(a))
    })
}

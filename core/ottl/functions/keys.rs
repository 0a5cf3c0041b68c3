//! Editors that decide which keys a map keeps.

use std::collections::HashSet;

use smallvec::SmallVec;

use super::given::expected;
use super::{Edit, Editor, Entry, Parameter, Refusal, Takes, Work};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Map, Type, Value};

pub(super) const EDITORS: &[Editor] = &[DELETE_KEY, DELETE_MATCHING_KEYS, KEEP_KEYS, KEEP_MATCHING_KEYS, LIMIT];

const TARGET: Parameter = Parameter::needed("target", Takes::MapTarget);
const BY_PATTERN: &[Parameter] = &[TARGET, Parameter::known("pattern", Takes::String)];

/// `delete_key(attributes, "k")`: takes a key away.
const DELETE_KEY: Editor = Editor {
    name: "delete_key",
    parameters: &[TARGET, Parameter::needed("key", Takes::String)],
    make: |_| {
        Ok(Work::change(|values| {
            let [Value::Map(_), Value::String(key)] = values else { return Err(expected(Type::Map, &values[0])) };
            Ok(Edit::Without(std::mem::take(key)))
        }))
    },
};

/// `delete_matching_keys(attributes, "^http\\.")`: takes away the keys that a regular expression matches anywhere in.
const DELETE_MATCHING_KEYS: Editor = Editor {
    name: "delete_matching_keys",
    parameters: BY_PATTERN,
    make: |arguments| {
        let pattern = arguments.pattern("pattern")?;
        Ok(Work::change(move |values| Ok(without(target(values)?, |key| pattern.is_match(key.as_bytes())))))
    },
};

/// `keep_keys(attributes, ["k", "l"])`: takes away all keys but these.
const KEEP_KEYS: Editor = Editor {
    name: "keep_keys",
    parameters: &[TARGET, Parameter::needed("keys", Takes::List)],
    make: |arguments| {
        let known: Option<HashSet<String>> = arguments.texts("keys")?.map(|keys| keys.into_iter().collect());
        Ok(Work::change(move |values| {
            let map = target(values)?;
            if let Some(known) = &known {
                return Ok(without(map, |key| !known.contains(key)));
            }
            let Value::List(keys) = &values[1] else { return Err(expected(Type::List, &values[1])) };
            let keys: Vec<_> = keys.iter().collect();
            if let Some(other) = keys.iter().find(|key| key.as_str().is_none()) {
                return Err(expected(Type::String, other));
            }
            let keys: HashSet<&str> = keys.iter().filter_map(Value::as_str).collect();
            Ok(without(map, |key| !keys.contains(key)))
        }))
    },
};

/// `keep_matching_keys(attributes, "^http\\.")`: takes away the keys that a regular expression matches nowhere in.
const KEEP_MATCHING_KEYS: Editor = Editor {
    name: "keep_matching_keys",
    parameters: BY_PATTERN,
    make: |arguments| {
        let pattern = arguments.pattern("pattern")?;
        Ok(Work::change(move |values| Ok(without(target(values)?, |key| !pattern.is_match(key.as_bytes())))))
    },
};

/// `limit(attributes, 10, ["k"])`: keeps so many keys: those that are named, then the first ones in order.
const LIMIT: Editor = Editor {
    name: "limit",
    parameters: &[TARGET, Parameter::known("limit", Takes::Int), Parameter::known("priority_keys", Takes::List)],
    make: |arguments| {
        let limit = arguments.count("limit", usize::MAX)?.unwrap_or(0);
        let named = arguments.texts("priority_keys")?.unwrap_or_default();
        if named.len() > limit {
            let wrong = format!("{limit} is less than the {} keys that are to be kept before all others", named.len());
            return Err(Refusal::of("limit", wrong, format!("write {} or more", named.len())));
        }
        Ok(limited(limit, named))
    },
};

fn limited(limit: usize, named: Vec<String>) -> Work {
    Work::change(move |values| {
        let map = target(values)?;
        if map.len() <= limit {
            return Ok(Edit::Nothing);
        }
        let keys: HashSet<_> = map.iter().map(|(key, _)| key).collect();
        let mut kept = named.iter().filter(|key| keys.contains(key.as_str())).count();
        Ok(without(map, |key| {
            if named.iter().any(|name| name == key) {
                return false;
            }
            let goes = kept >= limit;
            kept += usize::from(!goes);
            goes
        }))
    })
}

fn target<'v, 'a>(values: &'v [Value<'a>]) -> Result<&'v Map<'a>, EvalError> {
    match &values[0] {
        Value::Map(map) => Ok(map),
        other => Err(expected(Type::Map, other)),
    }
}

/// A map without some of its keys.
fn without<'a>(map: &Map<'_>, mut goes: impl FnMut(&str) -> bool) -> Edit<'a> {
    let away: SmallVec<[(usize, Entry<'a>); 1]> =
        map.iter().enumerate().filter(|(_, (key, _))| goes(key)).map(|(place, _)| (place, Entry::Delete)).collect();
    if away.is_empty() { Edit::Nothing } else { Edit::Entries(away) }
}

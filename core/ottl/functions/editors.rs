//! Editors that put or take away single values.

use super::{Edit, Editor, Entry, Parameter, Takes, Work};
use crate::ottl::problem::EvalError;
use crate::ottl::value::Value;

pub(super) const EDITORS: &[Editor] = &[DELETE_KEY, SET];

/// `delete_key(attributes, "k")`: takes a key away.
const DELETE_KEY: Editor = Editor {
    name: "delete_key",
    parameters: &[Parameter::needed("target", Takes::MapTarget), Parameter::needed("key", Takes::String)],
    make: |_| {
        Ok(Work::change(|values| {
            let [Value::Map(map), Value::String(key)] = values else { return Err(EvalError::because("what holds the key is no map")) };
            let there = map.iter().enumerate().filter(|(_, (known, _))| known == key);
            let entries: smallvec::SmallVec<_> = there.map(|(place, _)| (place, Entry::Delete)).collect();
            Ok(if entries.is_empty() { Edit::Nothing } else { Edit::Entries(entries) })
        }))
    },
};

/// `set(attributes["k"], value)`: puts a value there.
const SET: Editor = Editor {
    name: "set",
    parameters: &[Parameter::needed("target", Takes::Target), Parameter::needed("value", Takes::Any)],
    make: |_| Ok(Work::put(|values| Ok(Edit::Set(std::mem::take(&mut values[1]))))),
};

//! A map of maps and lists as one map.

use std::borrow::Cow;
use std::collections::HashMap;

use super::given::{too_long, too_many};
use super::{MOST_BYTES, MOST_VALUES};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Map, Value};

/// The entries of a map and of what stands in it, so many levels deep.
///
/// With `resolves`, keys that come twice are told apart by a number behind the second; the values of a list then share the list's key, as in the Collector.
pub(super) fn flattened<'a>(
    map: &Map<'a>,
    prefix: &str,
    depth: usize,
    resolves: bool,
) -> Result<Vec<(Cow<'a, str>, Value<'a>)>, EvalError> {
    let mut flat = Flat { entries: vec![], places: HashMap::new(), twice: HashMap::new(), bytes: 0, depth, resolves };
    flat.map(map, prefix, 0)?;
    Ok(flat.entries.into_iter().map(|(key, value)| (Cow::Owned(key), value)).collect())
}

struct Flat<'a> {
    entries: Vec<(String, Value<'a>)>,
    places: HashMap<String, usize>,
    /// How often a key has come again.
    twice: HashMap<String, usize>,
    bytes: usize,
    depth: usize,
    resolves: bool,
}

impl<'a> Flat<'a> {
    fn map(&mut self, map: &Map<'a>, prefix: &str, level: usize) -> Result<(), EvalError> {
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
        map.iter().try_for_each(|(key, value)| self.value(format!("{prefix}{key}"), value, level))
    }

    fn value(&mut self, key: String, value: Value<'a>, level: usize) -> Result<(), EvalError> {
        match value {
            Value::Map(map) if level < self.depth => self.map(&map, &key, level + 1),
            Value::List(list) if level < self.depth => {
                for (number, value) in list.iter().enumerate() {
                    match value {
                        Value::Map(map) if level + 1 < self.depth => self.map(&map, &format!("{key}.{number}"), level + 2)?,
                        inner @ Value::List(_) if level + 1 < self.depth => self.list(&format!("{key}.{number}"), inner, level + 2)?,
                        value if self.resolves => self.put(key.clone(), value)?,
                        value => self.put(format!("{key}.{number}"), value)?,
                    }
                }
                Ok(())
            }
            value => self.put(key, value),
        }
    }

    /// A list in a list: the Collector leaves the point out before its numbers.
    fn list(&mut self, key: &str, list: Value<'a>, level: usize) -> Result<(), EvalError> {
        let Value::List(list) = list else { return Ok(()) };
        list.iter().enumerate().try_for_each(|(number, value)| self.value(format!("{key}{number}"), value, level + 1))
    }

    fn put(&mut self, key: String, value: Value<'a>) -> Result<(), EvalError> {
        let place = self.places.get(&key).copied();
        let key = match place {
            Some(_) if self.resolves => {
                let again = self.twice.entry(key.clone()).or_insert(0);
                let key = format!("{key}.{again}");
                *again += 1;
                key
            }
            Some(place) => {
                self.entries[place].1 = value;
                return Ok(());
            }
            None => key,
        };
        self.bytes += key.len();
        if self.bytes > MOST_BYTES {
            return Err(too_long());
        }
        if self.entries.len() == MOST_VALUES {
            return Err(too_many());
        }
        if let Some(place) = self.places.get(&key) {
            self.entries[*place].1 = value;
            return Ok(());
        }
        self.places.insert(key.clone(), self.entries.len());
        self.entries.push((key, value));
        Ok(())
    }
}

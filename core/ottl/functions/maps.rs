//! Editors of all values of a map.

use std::borrow::Cow;
use std::collections::HashMap;

use smallvec::SmallVec;

use super::given::{expected, too_long, too_many, whole_characters};
use super::{Arguments, Edit, Editor, Entry, MOST_BYTES, MOST_VALUES, Parameter, Refusal, Takes, Work, flatten};
use crate::ottl::problem::EvalError;
use crate::ottl::text::as_string;
use crate::ottl::value::{Map, Type, Value};

pub(super) const EDITORS: &[Editor] = &[FLATTEN, MERGE_MAPS, STRINGIFY_ALL, TRUNCATE_ALL];

const TARGET: Parameter = Parameter::needed("target", Takes::MapTarget);

/// `flatten(attributes, "p", 2)`: what stands in maps and lists gets a key of its own, such as `p.list.0.key`.
const FLATTEN: Editor = Editor {
    name: "flatten",
    parameters: &[
        TARGET,
        Parameter::option("prefix", Takes::String),
        Parameter::option("depth", Takes::Int),
        Parameter::option("resolve_conflicts", Takes::Bool),
    ],
    make: |arguments| {
        let prefix = arguments.text("prefix").unwrap_or_default().to_owned();
        let depth = match arguments.int("depth") {
            Some(depth) if depth < 1 => return Err(Refusal::of("depth", format!("{depth} levels are none"), "write 1 or more")),
            depth => depth.and_then(|depth| usize::try_from(depth).ok()).unwrap_or(usize::MAX),
        };
        let resolves = arguments.truth("resolve_conflicts").unwrap_or(false);
        Ok(Work::change(move |values| flatten::flattened(target(values)?, &prefix, depth, resolves).map(|map| Edit::Set(Value::map(map)))))
    },
};

/// How two maps become one.
#[derive(Clone, Copy, PartialEq)]
enum Strategy {
    Insert,
    Update,
    Upsert,
}

/// `merge_maps(attributes, ParseJSON(body), "upsert")`: `insert` adds keys that are not there, `update` changes those that are, `upsert` does both.
const MERGE_MAPS: Editor = Editor {
    name: "merge_maps",
    parameters: &[TARGET, Parameter::needed("source", Takes::Map), Parameter::known("strategy", Takes::String)],
    make: |arguments| {
        let strategy = match arguments.text("strategy") {
            Some("insert") => Strategy::Insert,
            Some("update") => Strategy::Update,
            Some("upsert") => Strategy::Upsert,
            other => {
                let wrong = format!("there is no strategy \"{}\"", other.unwrap_or_default());
                return Err(Refusal::of("strategy", wrong, "write \"insert\", \"update\" or \"upsert\""));
            }
        };
        Ok(Work::change(move |values| merged(values, strategy)))
    },
};

fn merged<'a>(values: &mut [Value<'a>], strategy: Strategy) -> Result<Edit<'a>, EvalError> {
    let [Value::Map(target), Value::Map(source), ..] = values else { return Err(expected(Type::Map, &values[0])) };
    let mut entries: Vec<(Cow<'a, str>, Value<'a>)> = target.iter().collect();
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
    for (place, (key, _)) in entries.iter().enumerate() {
        places.entry(key.clone()).or_insert(place);
    }
    for (key, value) in source.iter() {
        match places.get(&key) {
            Some(place) if strategy != Strategy::Insert => entries[*place].1 = value,
            None if strategy != Strategy::Update => {
                places.insert(key.clone(), entries.len());
                entries.push((key, value));
            }
            _ => {}
        }
    }
    if entries.len() > MOST_VALUES { Err(too_many()) } else { Ok(Edit::Set(Value::map(entries))) }
}

/// `stringify_all(attributes)`: whatever is no text becomes text.
const STRINGIFY_ALL: Editor = Editor {
    name: "stringify_all",
    parameters: &[TARGET],
    make: |_| {
        Ok(Work::change(|values| {
            let mut changed = SmallVec::new();
            for (place, (_, value)) in target(values)?.iter().enumerate().filter(|(_, (_, value))| value.as_str().is_none()) {
                let text = as_string(value);
                if text.len() > MOST_BYTES {
                    return Err(too_long());
                }
                changed.push((place, Entry::Set(Value::from(text))));
            }
            Ok(of_entries(changed))
        }))
    },
};

/// `truncate_all(attributes, 100)`: texts are cut to so many bytes; where that is inside of a character, before it, unless `utf8_safe` is false.
const TRUNCATE_ALL: Editor = Editor {
    name: "truncate_all",
    parameters: &[
        TARGET,
        Parameter::known("limit", Takes::Int),
        Parameter::option("utf8_safe", Takes::Bool),
        Parameter::option("truncation_marker", Takes::String),
    ],
    make: truncating,
};

fn truncating(arguments: &Arguments<'_>) -> Result<Work, Refusal> {
    let limit = arguments.count("limit", usize::MAX)?.unwrap_or(0);
    let marker = arguments.text("truncation_marker").unwrap_or_default().to_owned();
    if marker.len() > limit {
        let wrong = format!("the mark of {} bytes is longer than the {limit} bytes that texts may have", marker.len());
        return Err(Refusal::of("truncation_marker", wrong, "write a shorter mark, or a higher limit"));
    }
    let utf8_safe = arguments.truth("utf8_safe").unwrap_or(true);
    Ok(Work::change(move |values| {
        let mut changed = SmallVec::new();
        for (place, (_, value)) in target(values)?.iter().enumerate() {
            let Value::String(text) = value else { continue };
            if text.len() <= limit {
                continue;
            }
            let end = limit - marker.len();
            let kept = match &text {
                text if utf8_safe || text.is_char_boundary(end) => Cow::Borrowed(whole_characters(text, end)),
                // The half of a character that is left has no meaning, and text must have one.
                text => String::from_utf8_lossy(&text.as_bytes()[..end]),
            };
            changed.push((place, Entry::Set(Value::from(format!("{kept}{marker}")))));
        }
        Ok(of_entries(changed))
    }))
}

fn of_entries(changed: SmallVec<[(usize, Entry<'_>); 1]>) -> Edit<'_> {
    if changed.is_empty() { Edit::Nothing } else { Edit::Entries(changed) }
}

fn target<'v, 'a>(values: &'v [Value<'a>]) -> Result<&'v Map<'a>, EvalError> {
    match &values[0] {
        Value::Map(map) => Ok(map),
        other => Err(expected(Type::Map, other)),
    }
}

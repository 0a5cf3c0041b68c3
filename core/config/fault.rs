//! Why a value could not be read into the type of its key, in a user's words.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use super::nearest::nearest;
use super::node::Value;
use super::path::Path;

/// One value that could not be read. It begins without a path, because serde does not say where it is, and gets one on its way out.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: Option<Path>,
    pub(super) kind: FaultKind,
}

/// What is to be told of it.
#[derive(Debug)]
pub(super) enum FaultKind {
    /// A problem of the value.
    Wrong { wrong: String, right: String },
    /// A key that does not exist.
    Unknown { key: String, right: String },
    /// A key that must be there is not.
    Missing(&'static str),
    /// No problem: a list that is null keeps its default, so the key is to be read as if it were not there.
    KeepDefault,
}

impl Fault {
    pub(super) fn new(wrong: impl Into<String>, right: impl Into<String>) -> Fault {
        Fault { path: None, kind: FaultKind::Wrong { wrong: wrong.into(), right: right.into() } }
    }

    pub(super) fn keep_default() -> Fault {
        Fault { path: None, kind: FaultKind::KeepDefault }
    }

    /// The value is of another kind than its key takes.
    pub(super) fn kind_of(value: &Value, expected: &str, right: &str) -> Fault {
        Fault::new(format!("{}, not {expected}", describe(value)), right)
    }

    /// Says where it happened, unless somebody nearer has said so.
    #[must_use]
    pub(super) fn at(mut self, path: impl FnOnce() -> Path) -> Fault {
        self.path.get_or_insert_with(path);
        self
    }
}

/// A value in a sentence: `is the number 5`.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null | Value::Cut => "is empty".to_owned(),
        Value::Bool(value) => format!("is {value}"),
        Value::Whole(value) => format!("is the number {value}"),
        Value::Real(value) => format!("is the number {value}"),
        Value::Text(text) => format!("is the text {}", quoted(text)),
        Value::List(_) => "is a list".to_owned(),
        Value::Map(_) => "is a block of keys".to_owned(),
    }
}

/// A user's text in a message: in quotes, on one line, and not longer than it takes to recognise it.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// A list in a sentence: `a, b or c`.
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// What would be right in place of a name that is none.
pub fn suggest(name: &str, valid: &[&str]) -> String {
    // Between numbers nothing is near: 1.4 is as far from 1.0 as from 1.3.
    let near = nearest(name, valid.iter().copied()).filter(|_| name.contains(char::is_alphabetic));
    match near {
        Some(meant) if valid.len() == 1 => format!("write {meant}"),
        Some(meant) => format!("did you mean {meant}? There are {}", one_of_sorted(valid)),
        None if valid.is_empty() => "remove it".to_owned(),
        None => format!("there are {}", one_of_sorted(valid)),
    }
}

fn one_of_sorted(valid: &[&str]) -> String {
    // Of spellings that differ in case alone the lower one is enough to know.
    let mut sorted = valid.to_vec();
    sorted.sort_unstable_by_key(|name| (name.to_lowercase(), std::cmp::Reverse(*name)));
    sorted.dedup_by_key(|name| name.to_lowercase());
    sorted.join(", ")
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::Wrong { wrong, right } => write!(f, "{wrong}; {right}"),
            FaultKind::Unknown { key, right } => write!(f, "there is no key {key}; {right}"),
            FaultKind::Missing(key) => write!(f, "{key} is missing"),
            FaultKind::KeepDefault => f.write_str("is empty"),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    /// A type of ours puts what would be right on a second line; see [`KeyError`](super::KeyError).
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        match message.split_once('\n') {
            Some((wrong, right)) => Fault::new(wrong, right),
            None => Fault::new(message, ""),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = plain(&expected.to_string());
        Fault::new(format!("{}, not {expected}", found_in_words(found)), format!("write {expected}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Fault::new(format!("has {length} elements"), format!("write {}", plain(&expected.to_string())))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Fault::new(format!("{} is not a choice here", quoted(variant)), suggest(variant, expected))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Fault { path: None, kind: FaultKind::Unknown { key: field.to_owned(), right: suggest(field, expected) } }
    }

    fn missing_field(field: &'static str) -> Self {
        Fault { path: None, kind: FaultKind::Missing(field) }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Fault::new(format!("says {field} twice, under an old and a new name"), "keep one of the two")
    }
}

fn found_in_words(found: Unexpected<'_>) -> String {
    let value = match found {
        Unexpected::Bool(value) => Value::Bool(value),
        Unexpected::Unsigned(value) => Value::Whole(value.into()),
        Unexpected::Signed(value) => Value::Whole(value.into()),
        Unexpected::Float(value) => Value::Real(value),
        Unexpected::Str(text) => Value::Text(text.to_owned()),
        Unexpected::Unit | Unexpected::Option => Value::Null,
        Unexpected::Seq => Value::List(Vec::new()),
        Unexpected::Map => Value::Map(Vec::new()),
        other => return format!("is {other}"),
    };
    describe(&value)
}

/// What serde expects, without the names of Rust types, which mean nothing to a user.
fn plain(expected: &str) -> String {
    match expected {
        "a string" => "text",
        "a sequence" => "a list",
        "a map" => "a block of keys",
        "a boolean" => "true or false",
        words if words.starts_with("struct ") => "a block of keys",
        words if words.contains("enum ") => "one of the choices",
        words => words,
    }
    .to_owned()
}

//! YAML text into a tree of values with their places: the only file that knows which YAML reader we use.
//!
//! That reader is serde-saphyr. It bounds what a hostile file can cost (depth, nodes, aliases that multiply), resolves anchors and `<<`,
//! and tells line and column of every value. What it would decide and we do not let it: what a plain word or number means to a key, since
//! only the key knows.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, MessageFormatter, Options, Spanned, UserMessageFormatter};

use super::errors::{ConfigError, ConfigErrors, Severity};
use super::node::{Entry, Node, Value};
use super::path::{Path, Place};

/// Reads one YAML document. `file` is what messages call it.
///
/// Fails for text that is not YAML, with the place where it stops being that. Keys written twice are told too, all of them.
pub fn load(yaml: &str, file: &str) -> Result<Node, ConfigErrors> {
    let file: Arc<str> = file.into();
    let mut errors = ConfigErrors::default();
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(yaml, options()) {
        Ok(raw) => {
            let mut reader = Places { yaml, file, errors, path: Path::ROOT };
            let node = reader.node(raw);
            if reader.errors.is_empty() { Ok(node) } else { Err(reader.errors) }
        }
        Err(error) => {
            errors.push(syntax_error(&error, &file));
            Err(errors)
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        // Generous for a configuration, small beside what ten lines of aliases to aliases would unfold to.
        budget: serde_saphyr::budget! { max_depth: 64, max_nodes: 100_000, max_events: 400_000 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        // Told by us instead: all of them, with their paths.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        // Nobody reads them, and a block of a hundred lines that somebody put behind `#` would be too many to hold.
        emit_comments: false,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

fn syntax_error(error: &Error, file: &Arc<str>) -> ConfigError {
    let (wrong, right) = match inner(error) {
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => (
            "this unfolds to more than a configuration can need".to_owned(),
            "nest less deeply, and repeat fewer aliases (`*name`)".to_owned(),
        ),
        Error::MultipleDocuments { .. } => {
            ("a second document begins here".to_owned(), "remove the line `---`, or give the second part as a file of its own".to_owned())
        }
        Error::UnknownAnchor { .. } => {
            ("this alias (`*name`) has no anchor".to_owned(), "write `&name` before it, at what it shall repeat".to_owned())
        }
        other => (
            format!("this is not YAML: {}", UserMessageFormatter.format_message(other)),
            "look for a bracket, a quote or an indentation that is off, in this line or the one before".to_owned(),
        ),
    };
    let place = error.location().map(|location| place(file, location));
    let place = place.or_else(|| Some(Place { file: file.clone(), line: 0, column: 0 }));
    ConfigError { severity: Severity::Error, place, path: Path::ROOT, wrong, right }
}

fn inner(error: &Error) -> &Error {
    match error {
        Error::AliasError { error, .. } => inner(error),
        other => other.without_snippet(),
    }
}

fn place(file: &Arc<str>, location: Location) -> Place {
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Place { file: file.clone(), line: small(location.line()), column: small(location.column()) }
}

/// What the reader hands out, before places are files and numbers are as they were written.
enum Raw {
    Scalar(Value),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Whole(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Whole(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(number(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Raw::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

/// Whole numbers stay whole however they are spelled, up to where a float can no longer tell neighbours apart.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "no fraction, and far inside the range")]
    if value.fract() == 0.0 && value.abs() <= EXACT { Value::Whole(value as i128) } else { Value::Real(value) }
}

/// Turns the reader's spans into places and remembers how numbers were spelled.
struct Places<'a> {
    yaml: &'a str,
    file: Arc<str>,
    errors: ConfigErrors,
    path: Path,
}

impl Places<'_> {
    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        let place = place(&self.file, raw.referenced);
        match raw.value {
            Raw::List(list) => {
                let list = list.into_iter().enumerate().map(|(index, element)| self.below(self.path.index(index), element)).collect();
                Node::new(Value::List(list), place)
            }
            Raw::Map(entries) => Node::new(Value::Map(self.map(entries)), place),
            Raw::Scalar(Value::Null) => Node::new(Value::Null, place),
            Raw::Scalar(Value::Text(text)) => {
                let spelled = self.written(raw.referenced).filter(|written| *written != text).map(Into::into);
                Node { value: Value::Text(text), place, written: None, spelled }
            }
            Raw::Scalar(value) => {
                let written = self.written(raw.defined);
                let value = written.as_deref().and_then(|written| octal(written).or_else(|| too_large(written, &value))).unwrap_or(value);
                Node { value, place, written, spelled: None }
            }
        }
    }

    fn map(&mut self, raw: Vec<(Spanned<String>, Spanned<Raw>)>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::with_capacity(raw.len());
        for (key, value) in raw {
            let place = place(&self.file, key.referenced);
            let path = self.path.key(&key.value);
            if let Some(first) = entries.iter().find(|entry| entry.key == key.value) {
                let wrong = format!("this key is written twice; the first time in line {}", first.place.line);
                let right = "keep one of the two".to_owned();
                self.errors.push(ConfigError { severity: Severity::Error, place: Some(place.clone()), path: path.clone(), wrong, right });
            }
            entries.push(Entry { key: key.value, place, node: self.below(path, value) });
        }
        entries
    }

    fn below(&mut self, path: Path, raw: Spanned<Raw>) -> Node {
        let above = std::mem::replace(&mut self.path, path);
        let node = self.node(raw);
        self.path = above;
        node
    }

    fn written(&self, location: Location) -> Option<String> {
        let span = location.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let length = usize::try_from(span.byte_len()?).ok()?;
        self.yaml.get(start..start.checked_add(length)?).map(|text| text.trim().to_owned())
    }
}

/// As in the Collector, digits that come to more than any number are text: a hash that happens to read `1e10000`.
fn too_large(written: &str, value: &Value) -> Option<Value> {
    let is_infinite = matches!(value, Value::Real(value) if value.is_infinite());
    (is_infinite && written.contains(|c: char| c.is_ascii_digit())).then(|| Value::Text(written.to_owned()))
}

/// The Collector's reader takes `0755` as octal, and file modes are written so.
fn octal(written: &str) -> Option<Value> {
    let digits = written.strip_prefix('0')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    i128::from_str_radix(digits, 8).ok().map(Value::Whole)
}

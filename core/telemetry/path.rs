//! The one language of paths: where in an item, or in what it shares with others, a value stands.
//!
//! ```
//! use tracetailor_core::telemetry::{Path, Signal};
//!
//! let route = Path::parse(Signal::Traces, r#"attributes["http.route"]"#)?;
//! let service = Path::parse(Signal::Traces, r#"resource.attributes["service.name"]"#)?;
//! let cause = Path::parse(Signal::Traces, r#"events[0].attributes["exception.type"]"#)?;
//! # Ok::<(), tracetailor_core::telemetry::PathError>(())
//! ```
//!
//! Names are the protocol's: `name`, `start_time_unix_nano`, `status.code`, `body`, `severity_text`, `bucket_counts[3]`. What an item shares is
//! reached by `resource.`, `scope.` and, for points, `metric.` (temporality and monotonicity too). A key in brackets enters attributes and maps, a
//! number a list. A path is checked against the protocol's messages when it is made, so a name that does not exist is found before any item comes.

use std::fmt;

use super::schema::{self, Field, Kind, Message};
use super::{ItemKind, Level, Signal};

/// A place in the items of one signal.
#[derive(Clone)]
pub struct Path {
    text: String,
    signal: Signal,
    /// The envelope it begins in; `None` for the item itself.
    level: Option<Level>,
    /// The steps for every message that the path can begin in: points differ by their metric's type.
    steps: Vec<(&'static Message, Vec<Step>)>,
}

/// One step of a path.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Field(&'static Field),
    Key(String),
    Index(usize),
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {at} of `{path}`: {hint}")]
pub struct PathError {
    /// The text.
    pub path: String,
    /// Where in it, counting characters from 1.
    pub at: usize,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub hint: String,
}

/// What stands at a point of a path: it decides which steps may follow.
#[derive(Clone, Copy)]
enum Stand {
    Message(&'static Message),
    List(&'static Field),
    Any,
    Number,
}

/// A step as written, before its names are looked up.
#[derive(Clone, Debug)]
enum Word {
    Name(String),
    Key(String),
    Index(usize),
}

impl Path {
    /// Reads a path for the items of a signal.
    pub fn parse(signal: Signal, text: &str) -> Result<Path, PathError> {
        let mut words = words(text)?;
        let root = match words.first() {
            Some((_, Word::Name(name))) => root_of(signal, name),
            _ => None,
        };
        if root.is_some() {
            words.remove(0);
        }
        let starts = match root {
            None => ItemKind::ALL.iter().filter(|kind| kind.signal() == signal).map(|kind| (None, kind.message())).collect(),
            Some(level) => starts(signal, level, &words),
        };
        Self::compile(signal, text, &words, &starts)
    }

    fn compile(
        signal: Signal,
        text: &str,
        words: &[(usize, Word)],
        starts: &[(Option<Level>, &'static Message)],
    ) -> Result<Path, PathError> {
        let mut path = Path { text: text.to_owned(), signal, level: starts.first().and_then(|(level, _)| *level), steps: Vec::new() };
        let mut refused = None;
        for (_, message) in starts {
            if path.steps.iter().any(|(known, _)| known.is(message)) {
                continue;
            }
            match steps(text, words, message, path.level) {
                Ok(steps) => path.steps.push((message, steps)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match refused {
            // A field that only some kinds of point have is still a path: the others have nothing there.
            Some(error) if path.steps.is_empty() => Err(error),
            _ => Ok(path),
        }
    }

    /// The signal whose items it is for.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// The envelope it begins in; `None` for the item itself.
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// True when it speaks of what items share, so that its value is the same for all of a context.
    pub fn is_shared(&self) -> bool {
        self.level.is_some()
    }

    /// The steps for an item of that kind; `None` where such items have no such field.
    pub(crate) fn steps(&self, kind: ItemKind) -> Option<&[Step]> {
        let message = match self.level {
            None => kind.message(),
            Some(level) => super::context::envelope_message(kind, level),
        };
        self.steps.iter().find(|(start, _)| start.is(message)).map(|(_, steps)| steps.as_slice())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({})", self.text)
    }
}

fn root_of(signal: Signal, name: &str) -> Option<Level> {
    match name {
        "resource" => Some(Level::Resource),
        "scope" => Some(Level::Scope),
        "metric" if signal == Signal::Metrics => Some(Level::Metric),
        _ => None,
    }
}

/// The messages that a path into an envelope can begin in.
fn starts(signal: Signal, level: Level, words: &[(usize, Word)]) -> Vec<(Option<Level>, &'static Message)> {
    let kinds = || ItemKind::ALL.into_iter().filter(move |kind| kind.signal() == signal);
    let level = match (level, words.first()) {
        (Level::Metric, Some((_, Word::Name(name)))) if schema::METRIC.field_named(name).is_none() => Level::Data,
        _ => level,
    };
    kinds().map(|kind| (Some(level), super::context::envelope_message(kind, level))).collect()
}

/// Looks the words up, step by step, from the message in which they begin.
fn steps(text: &str, words: &[(usize, Word)], start: &'static Message, level: Option<Level>) -> Result<Vec<Step>, PathError> {
    let mut steps = Vec::with_capacity(words.len() + 1);
    let mut stand = Stand::Message(start);
    // `resource.attributes` stands for the resource inside of its envelope, whose own field is the schema URL.
    let inner = match level {
        Some(Level::Resource) => start.field_named("resource"),
        Some(Level::Scope) => start.field_named("scope"),
        _ => None,
    };
    let of_envelope = matches!(words.first(), Some((_, Word::Name(name))) if name == "schema_url");
    if let Some(inner) = inner.filter(|_| !of_envelope) {
        steps.push(Step::Field(inner));
        stand = stand_on(inner);
    }
    for (at, word) in words {
        let error = |problem: String, hint: String| PathError { path: text.to_owned(), at: at + 1, problem, hint };
        let step = step(stand, word, level).map_err(|(problem, hint)| error(problem, hint))?;
        stand = step.1;
        steps.push(step.0);
    }
    if steps.is_empty() {
        let hint = "name a field, such as attributes[\"key\"]".to_owned();
        return Err(PathError { path: text.to_owned(), at: 1, problem: "an empty path".to_owned(), hint });
    }
    Ok(steps)
}

fn step(stand: Stand, word: &Word, level: Option<Level>) -> Result<(Step, Stand), (String, String)> {
    match (stand, word) {
        (Stand::Message(message), Word::Name(name)) => match message.field_named(name).filter(|field| reachable(message, field, level)) {
            Some(field) => Ok((Step::Field(field), stand_on(field))),
            None => Err((format!("no field `{name}` in {}", message.name), nearest_fields(message, name))),
        },
        (Stand::List(field), Word::Key(key)) if field.is_attributes() => Ok((Step::Key(key.clone()), Stand::Any)),
        (Stand::List(field), Word::Index(index)) if !field.is_attributes() => Ok((Step::Index(*index), stand_in(field))),
        (Stand::List(field), _) if field.is_attributes() => {
            Err((format!("`{}` is entered by key", field.name), format!("write {}[\"key\"]", field.name)))
        }
        (Stand::List(field), _) => Err((format!("`{}` is a list", field.name), format!("say which one: {}[0]", field.name))),
        (Stand::Any, Word::Key(key)) => Ok((Step::Key(key.clone()), Stand::Any)),
        (Stand::Any, Word::Index(index)) => Ok((Step::Index(*index), Stand::Any)),
        (Stand::Any, Word::Name(name)) => {
            Err((format!("`.{name}` after a value"), format!("a key inside of a value is written [\"{name}\"]")))
        }
        (Stand::Message(message), _) => {
            Err((format!("brackets after a {}", message.name), "name one of its fields after a dot".to_owned()))
        }
        (Stand::Number, _) => Err(("nothing follows a plain field".to_owned(), "end the path here".to_owned())),
    }
}

/// A list of items is no field of an envelope, and an item's ids in another's list are no business of a path.
fn reachable(message: &Message, field: &Field, level: Option<Level>) -> bool {
    let is_list = match level {
        Some(Level::Resource | Level::Scope) => {
            field.number == schema::LIST && field.message().is_some() && message.field_named("schema_url").is_some()
        }
        Some(Level::Data) => field.name == "data_points",
        Some(Level::Metric) => field.presence == schema::Presence::OneOf,
        None => false,
    };
    !is_list
}

fn stand_on(field: &'static Field) -> Stand {
    if field.is_repeated() { Stand::List(field) } else { stand_in(field) }
}

fn stand_in(field: &'static Field) -> Stand {
    match field.kind {
        Kind::Message(message) if message.is(&schema::ANY_VALUE) => Stand::Any,
        Kind::Message(message) => Stand::Message(message),
        _ => Stand::Number,
    }
}

fn nearest_fields(message: &Message, name: &str) -> String {
    let mut names: Vec<&str> = message.fields.iter().map(|field| field.name).collect();
    names.sort_by_key(|candidate| distance(candidate, name));
    names.truncate(3);
    format!("nearest are {}", names.join(", "))
}

/// How many letters differ: enough to guess what was meant.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Cuts the text into words, each with the place it begins at.
fn words(text: &str) -> Result<Vec<(usize, Word)>, PathError> {
    let mut words = Vec::new();
    let mut rest = text;
    let at = |rest: &str| text[..text.len() - rest.len()].chars().count();
    let error = |rest: &str, problem: &str, hint: &str| PathError {
        path: text.to_owned(),
        at: at(rest) + 1,
        problem: problem.to_owned(),
        hint: hint.to_owned(),
    };
    while !rest.is_empty() {
        let start = at(rest);
        if let Some(inner) = rest.strip_prefix('[') {
            let (word, behind) = bracket(inner).ok_or_else(|| error(rest, "brackets that hold no key", "write [\"key\"] or [0]"))?;
            words.push((start, word));
            rest = behind;
            continue;
        }
        rest = if words.is_empty() {
            rest
        } else {
            rest.strip_prefix('.').ok_or_else(|| error(rest, "a dot or brackets are missing", "separate names by dots"))?
        };
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
        if end == 0 {
            return Err(error(rest, "a name is missing", "names are letters, digits and underscores"));
        }
        words.push((at(rest), Word::Name(rest[..end].to_owned())));
        rest = &rest[end..];
    }
    Ok(words)
}

/// A key in quotes or a number, and what follows the closing bracket.
fn bracket(inner: &str) -> Option<(Word, &str)> {
    let Some(quoted) = inner.strip_prefix('"') else {
        let (digits, behind) = inner.split_once(']')?;
        return digits.parse().ok().map(|index| (Word::Index(index), behind));
    };
    let mut key = String::new();
    let mut letters = quoted.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return quoted[place + 1..].strip_prefix(']').map(|behind| (Word::Key(key), behind)),
            '\\' => key.push(letters.next()?.1),
            letter => key.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(signal: Signal, text: &str) -> String {
        Path::parse(signal, text).map(|path| panic!("{path} is a path")).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn paths_of_every_signal() {
        for (signal, text) in [
            (Signal::Traces, "name"),
            (Signal::Traces, r#"attributes["a"]["b"][2]"#),
            (Signal::Traces, r#"attributes["with \"quotes\" and ]"]"#),
            (Signal::Traces, "status.code"),
            (Signal::Traces, r#"links[1].attributes["x"]"#),
            (Signal::Traces, "resource.schema_url"),
            (Signal::Traces, "resource.dropped_attributes_count"),
            (Signal::Traces, "scope.name"),
            (Signal::Logs, r#"body["message"]"#),
            (Signal::Metrics, "metric.name"),
            (Signal::Metrics, "metric.is_monotonic"),
            (Signal::Metrics, "bucket_counts[3]"),
            (Signal::Metrics, r#"exemplars[0].filtered_attributes["k"]"#),
        ] {
            assert_eq!(Path::parse(signal, text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn points_differ_by_type() {
        let path = Path::parse(Signal::Metrics, "attributes[\"k\"]").unwrap();
        let numbers: Vec<u32> = [ItemKind::Gauge, ItemKind::Histogram, ItemKind::ExponentialHistogram, ItemKind::Summary]
            .into_iter()
            .map(|kind| match &path.steps(kind).unwrap()[0] {
                Step::Field(field) => field.number,
                step => panic!("{step:?}"),
            })
            .collect();
        assert_eq!(numbers, [7, 9, 1, 7]);
        assert!(Path::parse(Signal::Metrics, "zero_count").unwrap().steps(ItemKind::Gauge).is_none());
    }

    #[test]
    fn what_is_no_path_says_why() {
        assert_eq!(
            error(Signal::Traces, "atributes[\"k\"]"),
            "no field `atributes` in Span at character 1 of `atributes[\"k\"]`: nearest are attributes, status, trace_id"
        );
        assert_eq!(error(Signal::Traces, "events.name"), "`events` is a list at character 8 of `events.name`: say which one: events[0]");
        assert_eq!(
            error(Signal::Traces, "attributes.k"),
            "`attributes` is entered by key at character 12 of `attributes.k`: write attributes[\"key\"]"
        );
        assert_eq!(
            error(Signal::Logs, "body.k"),
            "`.k` after a value at character 6 of `body.k`: a key inside of a value is written [\"k\"]"
        );
        assert_eq!(error(Signal::Traces, ""), "an empty path at character 1 of ``: name a field, such as attributes[\"key\"]");
        assert!(error(Signal::Traces, "metric.name").starts_with("no field `metric`"));
        assert!(error(Signal::Traces, "scope.spans").starts_with("no field `spans`"));
        assert!(error(Signal::Metrics, "metric.data_points").starts_with("no field `data_points`"));
        for text in ["attributes[", "attributes[\"k]", "attributes[-1]", "a..b", "name.x", "name[0]", "status[0]"] {
            error(Signal::Traces, text);
        }
    }
}

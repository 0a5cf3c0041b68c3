//! Where a configuration comes from: files and the other URIs that `--config` takes, and `--set`.

use std::fs;
use std::path::PathBuf;

use tracetailor_core::config::{ConfigError, ConfigErrors, Node, Path, Place, Severity, Value, load, nearest, quoted};

use super::expand::{Variables, variable_name};
use super::merge::{merge, unfold};
use super::nowhere;

/// What was asked for on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files and other URIs, in order: later ones are merged over earlier ones.
    pub configs: Vec<String>,
    /// `a.b.c=value`, merged over all of them.
    pub set: Vec<String>,
    /// Ids of components to leave out of every pipeline.
    pub leave_out: Vec<String>,
    /// Feature gates: `name` or `+name` turns one on, `-name` off.
    pub feature_gates: Vec<String>,
    /// An environment variable that is not defined is an error, not an empty text with a warning.
    pub strict: bool,
}

/// All sources as one tree, before anything in it is expanded.
pub(super) struct Read {
    pub(super) node: Node,
    pub(super) files: Vec<PathBuf>,
}

/// Larger files are refused before they are read: no configuration is so long, and a wrong path may lead to a log.
const LARGEST: u64 = 16 << 20;

impl Sources {
    /// The one configuration of a file.
    pub fn file(path: impl Into<String>) -> Self {
        Self { configs: vec![path.into()], ..Self::default() }
    }

    pub(super) fn read(&self, variables: &Variables, problems: &mut ConfigErrors) -> Read {
        let mut node = Node::new(Value::Null, nowhere(self.configs.first().map_or("--config", String::as_str)));
        let mut files = Vec::new();
        for config in &self.configs {
            match source(config, variables, &mut files) {
                Ok(Node { value: Value::Null, .. }) => {}
                Ok(found) => merge(&mut node, unfold(found), &Path::ROOT, problems),
                Err(errors) => problems.append(errors),
            }
        }
        for set in &self.set {
            match setting(set) {
                Ok(found) => merge(&mut node, found, &Path::ROOT, problems),
                Err(errors) => problems.append(errors),
            }
        }
        Read { node, files }
    }
}

/// Reads one `--config`.
fn source(uri: &str, variables: &Variables, files: &mut Vec<PathBuf>) -> Result<Node, ConfigErrors> {
    let node = match scheme(uri) {
        None | Some(("file", _)) => {
            let path = uri.strip_prefix("file:").unwrap_or(uri);
            files.push(PathBuf::from(path));
            load(&file_text(path)?, path)?
        }
        Some(("env", name)) => match (variable_name(name), variables.get(name)) {
            (Err(error), _) => return Err(problem(nowhere(uri), error.wrong, error.right)),
            (Ok(()), None) => {
                return Err(problem(nowhere(uri), format!("the environment has no variable {name}"), "set it, or name a file"));
            }
            (Ok(()), Some(text)) => load(text, uri)?,
        },
        Some(("yaml", text)) => load(text, "yaml:")?,
        Some((scheme @ ("http" | "https"), _)) => return Err(not_over_http(nowhere(uri), scheme)),
        Some((scheme, _)) => return Err(problem(nowhere(uri), unknown_scheme(scheme), scheme_hint(scheme))),
    };
    match &node.value {
        Value::Map(_) | Value::Null => Ok(node),
        other => {
            let wrong = format!("the configuration is {}, not a block of keys", other.kind());
            Err(problem(node.place.clone(), wrong, "write keys and values: receivers, exporters, service"))
        }
    }
}

/// A scheme and what follows it. It has at least two characters, so that `C:\gateway.yaml` is a file.
pub(super) fn scheme(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let valid = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
    (scheme.len() > 1 && scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(valid)).then_some((scheme, rest))
}

pub(super) fn not_over_http(place: Place, scheme: &str) -> ConfigErrors {
    let wrong = format!("the Collector reads a configuration over {scheme}; here that is planned and does not work yet");
    problem(place, wrong, "fetch it beforehand, for example with curl, and name the file")
}

pub(super) fn unknown_scheme(scheme: &str) -> String {
    format!("there is no scheme {scheme}:")
}

pub(super) fn scheme_hint(scheme: &str) -> String {
    match nearest(scheme, ["env", "file", "yaml"]) {
        Some(meant) => format!("did you mean {meant}:? There are env:, file: and yaml:"),
        None => "there are env:, file: and yaml:".to_owned(),
    }
}

/// The text of a file, whatever of the usual encodings it is in.
pub(super) fn file_text(path: &str) -> Result<String, ConfigErrors> {
    let unreadable =
        |error: std::io::Error| problem(nowhere(path), format!("cannot be read: {error}"), "name a file that is there and readable");
    let found = fs::metadata(path).map_err(unreadable)?;
    if found.is_dir() {
        return Err(problem(nowhere(path), "is a folder, not a file", "name a file in it"));
    }
    if found.len() > LARGEST {
        let wrong = format!("has {} bytes, which is more than a configuration can need", found.len());
        return Err(problem(nowhere(path), wrong, format!("name a file of at most {LARGEST} bytes")));
    }
    decode(fs::read(path).map_err(unreadable)?, path)
}

/// UTF-8 with or without its mark, and UTF-16 with it, as Windows' editors write; and line ends of every age.
fn decode(bytes: Vec<u8>, file: &str) -> Result<String, ConfigErrors> {
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        _ => match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) => return Err(not_text(error.as_bytes(), error.utf8_error().valid_up_to(), file)),
        },
    };
    let text = text.ok_or_else(|| problem(nowhere(file), "is not text", "save it as UTF-8"))?;
    Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text })
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    String::from_utf16(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<_>>()).ok()
}

fn not_text(bytes: &[u8], at: usize, file: &str) -> ConfigErrors {
    let before = &bytes[..at];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let place = Place { file: file.into(), line: small(line), column: small(column) };
    let byte = bytes.get(at).copied().unwrap_or_default();
    problem(place, format!("this is not UTF-8 text (byte 0x{byte:02x})"), "save the file as UTF-8")
}

/// `--set a.b.c=value` as the tree that it adds.
fn setting(set: &str) -> Result<Node, ConfigErrors> {
    let Some((key, text)) = set.split_once('=') else {
        let wrong = format!("{} has no value", quoted(set));
        return Err(problem(nowhere("--set"), wrong, "write the path of a key, =, and a value: --set service.lanes=2"));
    };
    let place = nowhere(&format!("--set {key}"));
    if key.trim().is_empty() {
        return Err(problem(nowhere("--set"), format!("{} names no key", quoted(set)), "write its path before the =: service.lanes=2"));
    }
    let mut node = load(text, &place.file)?;
    stand_at(&mut node, &place);
    let dotted = key.replace("::", ".");
    Ok(dotted.split('.').rev().fold(node, |node, key| {
        let entry = tracetailor_core::config::Entry { key: key.to_owned(), place: place.clone(), node };
        Node::new(Value::Map(vec![entry]), place.clone())
    }))
}

/// Gives a tree, and all that is in it, one place.
pub(super) fn stand_at(node: &mut Node, place: &Place) {
    node.place = place.clone();
    match &mut node.value {
        Value::List(list) => list.iter_mut().for_each(|element| stand_at(element, place)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.place = place.clone();
            stand_at(&mut entry.node, place);
        }),
        _ => {}
    }
}

pub(super) fn problem(place: Place, wrong: impl Into<String>, right: impl Into<String>) -> ConfigErrors {
    let mut errors = ConfigErrors::default();
    let (wrong, right) = (wrong.into(), right.into());
    errors.push(ConfigError { severity: Severity::Error, place: Some(place), path: Path::ROOT, wrong, right });
    errors
}

//! `${env:NAME}`, `${file:path}` and `${yaml:text}` into what they stand for, by the Collector's rules.
//!
//! A reference that is the whole of a value becomes what its text says as YAML, and keeps the text beside it: a key that takes text takes
//! the text, any other the value. A reference inside a longer text becomes text. Innermost references come first, and what comes out is
//! looked through again, within bounds. At the very end `$$` becomes `$`.
//!
//! In two things this is kinder than the Collector, because both spoil secrets: text that came out of a variable or a file keeps its `$$`,
//! and a single value from a file loses the line end behind it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tracetailor_core::config::{ConfigError, ConfigErrors, KeyError, Node, Path, Place, Severity, Step, Value, load, quoted};

use super::sources::{file_text, not_over_http, scheme, scheme_hint, stand_at, unknown_scheme};

/// The environment that references are looked up in.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    pub(super) fn of_this_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
                .collect(),
        )
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Variables {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// As in the Collector: so often one value is looked through again before it is given up.
const MOST_ROUNDS: usize = 1000;
/// References that one configuration may have expanded, in all. A list that refers to itself twice would never end.
const MOST_IN_ALL: usize = 20_000;
/// The longest text that may come out of references put together.
const LONGEST: usize = 4 << 20;
/// References in what references stand for. Each may hold a tree of its own, and readers go down as deep as trees are.
const DEEPEST: usize = 16;

/// Expands all values of a tree. What is wrong is told with the place of the reference; such a value is cut out, so that the rest is still
/// checked.
pub(super) fn expand(node: &mut Node, variables: &Variables, strict: bool, files: &mut Vec<PathBuf>, problems: &mut ConfigErrors) {
    let mut expansion = Expansion { variables, strict, files, problems, path: Vec::new(), left: MOST_IN_ALL, is_over: false };
    expansion.visit(node, 0);
    single_dollars(node);
}

/// Checks the name of a variable.
pub(super) fn variable_name(name: &str) -> Result<(), KeyError> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit()) {
        return Ok(());
    }
    Err(KeyError::new(format!("${{env:{name}}} names no variable that could be"), "write a letter or _, then letters, digits or _"))
}

struct Expansion<'a> {
    variables: &'a Variables,
    strict: bool,
    files: &'a mut Vec<PathBuf>,
    problems: &'a mut ConfigErrors,
    path: Vec<Step>,
    left: usize,
    /// It was too much, and that was told; what is left is only cut out.
    is_over: bool,
}

/// What a reference stands for: its text, and what the text says.
struct Found {
    text: String,
    node: Node,
}

/// Why a reference stands for nothing.
type Wrong = KeyError;

impl Expansion<'_> {
    fn visit(&mut self, node: &mut Node, depth: usize) {
        if let Value::Text(text) = &node.value
            && text.contains("${")
        {
            if self.is_over {
                node.value = Value::Cut;
                return;
            }
            let (text, place) = (text.clone(), node.place.clone());
            match self.whole(&text, &place, depth) {
                Ok(found) => *node = found,
                Err(wrong) => {
                    self.tell(Severity::Error, &place, wrong);
                    node.value = Value::Cut;
                }
            }
            return;
        }
        match &mut node.value {
            Value::List(list) => {
                for (index, element) in list.iter_mut().enumerate() {
                    self.below(Step::Index(index), element, depth);
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    self.below(Step::Key(entry.key.clone()), &mut entry.node, depth);
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, step: Step, node: &mut Node, depth: usize) {
        self.path.push(step);
        self.visit(node, depth);
        self.path.pop();
    }

    /// A text with references in it, until there are none.
    fn whole(&mut self, text: &str, place: &Place, depth: usize) -> Result<Node, Wrong> {
        let mut text = text.to_owned();
        for _ in 0..MOST_ROUNDS {
            let Some((start, end)) = find(&text) else {
                return Ok(Node::new(Value::Text(text), place.clone()));
            };
            let found = self.reference(&text[start..end], place)?;
            if (start, end) == (0, text.len()) {
                return self.typed(found, place, depth);
            }
            text.replace_range(start..end, &found.text);
            if text.len() > LONGEST {
                return Err(endless(&text));
            }
        }
        Err(endless(&text))
    }

    /// A reference that is all there is: its value, with its text beside it. Either may hold references again.
    fn typed(&mut self, found: Found, place: &Place, depth: usize) -> Result<Node, Wrong> {
        if depth > DEEPEST {
            return Err(self.too_much(&found.text));
        }
        let mut node = found.node;
        if matches!(node.value, Value::Text(_)) {
            return self.whole(&found.text, place, depth + 1);
        }
        let written = self.whole(&found.text, place, depth + 1);
        self.visit(&mut node, depth + 1);
        node.written = match written {
            Ok(Node { value: Value::Text(written), .. }) => Some(written),
            Ok(Node { written, .. }) => written,
            Err(_) => None,
        };
        Ok(node)
    }

    fn reference(&mut self, reference: &str, place: &Place) -> Result<Found, Wrong> {
        if self.left == 0 {
            return Err(self.too_much(reference));
        }
        self.left -= 1;
        let inside = &reference[2..reference.len() - 1];
        if inside.contains('$') {
            let right = "write each reference by itself, or take the dollar out of the text that stands inside";
            return Err(KeyError::new(format!("{} has a dollar sign inside", quoted(reference)), right));
        }
        match scheme(inside) {
            _ if !inside.contains(':') => self.variable(inside, place),
            Some(("env", name)) => self.variable(name, place),
            Some(("file", path)) => self.file(path, place),
            Some(("yaml", text)) => Ok(read(text, place)),
            Some((scheme @ ("http" | "https"), _)) => Err(first(not_over_http(place.clone(), scheme))),
            _ => Err(no_scheme(inside)),
        }
    }

    fn too_much(&mut self, text: &str) -> Wrong {
        self.is_over = true;
        endless(text)
    }

    fn variable(&mut self, text: &str, place: &Place) -> Result<Found, Wrong> {
        let (name, default) = match text.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (text, None),
        };
        variable_name(name)?;
        match (self.variables.get(name), default) {
            (Some(text), _) => Ok(read(text, place)),
            (None, Some("")) => Ok(Found { text: String::new(), node: Node::new(Value::Text(String::new()), place.clone()) }),
            (None, Some(default)) => Ok(read(default, place)),
            (None, None) => {
                let wrong = format!("the environment has no variable {name}");
                match self.strict {
                    true => return Err(KeyError::new(wrong, format!("set it, or write ${{env:{name}:-default}}"))),
                    false => {
                        let right = format!("set it, or write ${{env:{name}:-default}}; it is empty now");
                        self.tell(Severity::Warning, place, KeyError::new(wrong, right));
                    }
                }
                Ok(Found { text: String::new(), node: Node::new(Value::Null, place.clone()) })
            }
        }
    }

    fn file(&mut self, path: &str, place: &Place) -> Result<Found, Wrong> {
        self.files.push(PathBuf::from(path));
        let text = file_text(path).map_err(|errors| {
            let error = first(errors);
            KeyError::new(format!("the file {path} {}", error.wrong), error.right)
        })?;
        let single = text.strip_suffix('\n').unwrap_or(&text);
        match load(&text, path) {
            Ok(node) if matches!(node.value, Value::Map(_) | Value::List(_)) => Ok(Found { node, text }),
            _ => Ok(read(single, place)),
        }
    }

    fn tell(&mut self, severity: Severity, place: &Place, wrong: Wrong) {
        let path = self.path.iter().cloned().fold(Path::ROOT, |path, step| path.then(step));
        let problem = ConfigError { severity, place: Some(place.clone()), path, wrong: wrong.wrong, right: wrong.right };
        // A value is read twice, as text and for what it says; that is no second problem.
        if !self.problems.iter().any(|told| *told == problem) {
            self.problems.push(problem);
        }
    }
}

/// What a text from outside says as YAML; a text that is none says itself. Single values keep their dollars; in a block or a list they are
/// written as in any other part of a configuration.
fn read(text: &str, place: &Place) -> Found {
    let node = match load(text, "") {
        Ok(mut node) if !matches!(node.value, Value::Text(_)) => {
            stand_at(&mut node, place);
            node
        }
        _ => Node::new(Value::Text(protect(text)), place.clone()),
    };
    Found { text: protect(text), node }
}

/// The first reference that is not escaped, as the Collector finds it: up to the first `}`, from the last `${` before it.
fn find(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(close) = text[from..].find('}').map(|at| from + at) {
        if let Some(open) = text[from..close].rfind("${").map(|at| from + at) {
            let dollars = text[from..open].bytes().rev().take_while(|byte| *byte == b'$').count();
            if dollars % 2 == 0 {
                return Some((open, close + 1));
            }
        }
        from = close + 1;
    }
    None
}

/// Doubles the dollars of a text that is not ours to change, so that the last pass leaves it as it was. Those before a brace stay: they
/// begin a reference, or escape one.
fn protect(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let dollars = rest[at..].bytes().take_while(|byte| *byte == b'$').count();
        out.push_str(&rest[..at]);
        let begins_a_reference = rest[at + dollars..].starts_with('{');
        out.push_str(&"$".repeat(if begins_a_reference { dollars } else { dollars * 2 }));
        rest = &rest[at + dollars..];
    }
    out.push_str(rest);
    out
}

fn single_dollars(node: &mut Node) {
    if let Some(written) = &mut node.written {
        *written = written.replace("$$", "$");
    }
    match &mut node.value {
        Value::Text(text) if text.contains("$$") => *text = text.replace("$$", "$"),
        Value::List(list) => list.iter_mut().for_each(single_dollars),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| single_dollars(&mut entry.node)),
        _ => {}
    }
}

fn endless(text: &str) -> Wrong {
    let shown = text.find("${").map_or(text, |at| &text[at..]);
    KeyError::new(format!("{} refers to itself, or to too much", quoted(shown)), "break the circle: give one of the variables a plain text")
}

fn no_scheme(inside: &str) -> Wrong {
    let (name, rest) = inside.split_once(':').unwrap_or((inside, ""));
    if rest.starts_with('-') {
        let wrong = format!("${{{inside}}} has a default, and its variable lacks the word env:");
        return KeyError::new(wrong, format!("write ${{env:{inside}}}"));
    }
    KeyError::new(unknown_scheme(name), scheme_hint(name))
}

fn first(errors: ConfigErrors) -> KeyError {
    let first = errors.into_iter().next();
    first.map_or_else(|| KeyError::new("cannot be read", ""), |error| KeyError::new(error.wrong, error.right))
}

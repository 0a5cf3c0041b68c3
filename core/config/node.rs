//! A configuration as it was written: a tree of values, each with the place where it stands, before anybody knows what it means.

use std::fmt;

use super::inside;
use super::path::{Path, Place, Step};

/// A value and where it stands.
///
/// Files are read into this first and into config structs later, because between the two lie the steps that work on any file: expanding
/// `${env:NAME}`, merging several files, `--set`. Whatever they do, a value keeps the place it came from, so that the message about a
/// merged configuration still names the right file and line.
#[derive(Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it was written.
    pub place: Place,
    /// How it was written, where that says more than the value does: `0123`, `1.10`, `1e+06`. A key that takes text takes this, so a
    /// version or a password that happens to look like a number arrives as it was typed.
    pub written: Option<String>,
    /// Of text, how it was spelled where that is not the text itself: in quotes, over several lines. So a place inside of it can be found.
    pub spelled: Option<Box<str>>,
}

/// What a value is.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Nothing: `key:` with nothing behind, `null`, `~`.
    Null,
    /// `true` or `false`. The spellings of YAML 1.1 (`yes`, `off`) are text, as in the Collector.
    Bool(bool),
    /// A number without a fraction, however it is spelled: `100`, `0x64`, `100.0` and `1e+02` are the same. Helm and Terraform write the
    /// last two.
    Whole(i128),
    /// Any other number.
    Real(f64),
    /// Text, quoted or not.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A block of keys, in the order written.
    Map(Vec<Entry>),
    /// A hole where something unreadable was: the rest is read as if it had not been written, and list elements keep their numbers.
    Cut,
}

/// One line of a block: a key and its value.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands; the value may stand elsewhere (an alias, another file).
    pub place: Place,
    /// What it is set to.
    pub node: Node,
}

impl Node {
    /// A value that was written just so.
    pub fn new(value: Value, place: Place) -> Node {
        Node { value, place, written: None, spelled: None }
    }

    /// The value of a key, if this is a block that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The lines of the block; none where this is not one.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The place of what `path` leads to. For a value that is its key's place, which is where a reader looks first; where the path ends
    /// early, as for a key that is missing, it is the place of the last thing that is there.
    pub fn place_of(&self, path: &Path) -> Place {
        let mut node = self;
        let mut place = &self.place;
        for step in path.steps() {
            match (step, &node.value) {
                (Step::Key(key), Value::Map(_)) => match node.entry(key) {
                    Some(entry) => (node, place) = (&entry.node, &entry.place),
                    None => break,
                },
                (Step::Index(index), Value::List(list)) => match list.get(*index) {
                    Some(element) => (node, place) = (element, &element.place),
                    None => break,
                },
                // Where a list is wanted, a single text stands for a list of it.
                (Step::Index(0), Value::Text(_)) => place = &node.place,
                (Step::Inside(at), Value::Text(text)) => return inside::place(&node.place, text, node.spelled.as_deref(), *at),
                _ => break,
            }
        }
        place.clone()
    }

    /// Cuts a hole where `path` leads, and says whether there was something to cut. The whole tree is never cut.
    pub(super) fn cut(&mut self, path: &Path) -> bool {
        let mut node = self;
        for step in path.steps() {
            let next = match (step, &mut node.value) {
                (Step::Key(key), Value::Map(entries)) => {
                    entries.iter_mut().find(|entry| entry.key == *key && entry.node.value != Value::Cut).map(|entry| &mut entry.node)
                }
                (Step::Index(index), Value::List(list)) => list.get_mut(*index),
                _ => None,
            };
            let Some(next) = next else { return false };
            node = next;
        }
        let cut = !path.is_root() && node.value != Value::Cut;
        if cut {
            node.value = Value::Cut;
        }
        cut
    }
}

/// Shows the shape and never what is in it: a configuration holds passwords.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::List(list) => f.debug_list().entries(list).finish(),
            Value::Map(entries) => f.debug_map().entries(entries.iter().map(|entry| (&entry.key, &entry.node))).finish(),
            other => f.write_str(other.kind()),
        }
    }
}

impl Value {
    /// What it is in a user's words.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null | Value::Cut => "empty",
            Value::Bool(_) => "true or false",
            Value::Whole(_) | Value::Real(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a block of keys",
        }
    }
}

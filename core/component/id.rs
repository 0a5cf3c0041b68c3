//! What a component is called in the configuration: `otlp`, `otlp/edge`.

use std::fmt;
use std::str::FromStr;

use crate::config::{KeyError, quoted};

/// A type and perhaps a name. Two components of one type differ by their names.
///
/// ```
/// use tracetailor_core::component::ComponentId;
///
/// let id: ComponentId = " otlp / edge ".parse()?;
/// assert_eq!((id.kind(), id.name(), id.to_string().as_str()), ("otlp", "edge", "otlp/edge"));
/// # Ok::<(), tracetailor_core::config::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId {
    kind: String,
    name: String,
}

impl ComponentId {
    /// The id of the only one of its type. For names that are written in code; one from a user is parsed.
    pub fn of(kind: &str) -> Self {
        Self { kind: kind.to_owned(), name: String::new() }
    }

    /// The type: what it is.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The name; empty where there is none.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for ComponentId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let wrong = |what: &str, right: &str| Err(KeyError::new(format!("{} {what}", quoted(text)), right));
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) => (kind.trim(), Some(name.trim())),
            None => (text.trim(), None),
        };
        if text.trim().is_empty() {
            return wrong("is empty, and names no type", "write a type, or a type and a name: otlp, otlp/edge");
        }
        if kind.is_empty() {
            return wrong("names no type", "write a type, or a type and a name: otlp, otlp/edge");
        }
        if name == Some("") {
            return wrong("has no name behind its slash", "write a name, or remove the slash");
        }
        let name = name.unwrap_or_default();
        if !is_type(kind) {
            return wrong("is no type", "write a letter and then at most 62 letters, digits or _");
        }
        if name.chars().count() > 1024 || !name.chars().all(is_name) {
            return wrong("has a name that is none", "write at most 1024 letters, digits or marks such as - _ . : @");
        }
        Ok(Self { kind: kind.to_owned(), name: name.to_owned() })
    }
}

fn is_type(kind: &str) -> bool {
    kind.len() <= 63 && kind.starts_with(|c: char| c.is_ascii_alphabetic()) && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// As the Collector has it: neither blanks nor what Unicode calls a symbol. Of ASCII those are `$ + < = > ^ ` | ~`; beyond it letters and
/// digits are what a name is made of.
fn is_name(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_graphic() && !"$+<=>^`|~".contains(c) } else { c.is_alphanumeric() }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => f.write_str(&self.kind),
            name => write!(f, "{}/{name}", self.kind),
        }
    }
}

//! The keys of a block, told from its struct: what the documentation and the example configuration are written from.

use schemars::JsonSchema;
use serde_json::{Map, Value};

/// One key of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key; one inside a block with a dot, one inside the elements of a list with brackets: `limits.value_length`, `rules[].name`.
    pub name: String,
    /// What it takes, in a word: `duration`, `whole number`, `list of text`, `block`, or its choices.
    pub kind: String,
    /// Its default as YAML on one line; empty where it must be given or where leaving it out is a value of its own.
    pub default: String,
    /// What the field's comment says, on one line.
    pub doc: String,
    /// True when it must be given.
    pub required: bool,
}

/// The keys of a config struct, each block before its own keys, in the order of the fields.
///
/// Names, kinds and words come from the struct's schema; defaults are those of `T::default()` where the struct says `#[serde(default)]`, as
/// far as they can be shown: a type without `Serialize`, such as a secret, has none.
pub fn keys_of<T: JsonSchema>() -> Vec<Key> {
    let schema = schemars::schema_for!(T).to_value();
    let keys = Keys { definitions: schema.get("$defs").and_then(Value::as_object) };
    let mut found = Vec::new();
    keys.block(&schema, None, "", 0, &mut found);
    found
}

/// The keys as the table that a README holds under its heading "Keys".
pub fn keys_table(keys: &[Key]) -> String {
    let mut table = String::from("| key | takes | default | what it does |\n|---|---|---|---|\n");
    for key in keys {
        let default = match (key.required, key.default.as_str()) {
            (true, _) => "must be given".to_owned(),
            (false, "") => String::new(),
            (false, default) => format!("`{default}`"),
        };
        let cell = |text: &str| text.replace('|', "\\|");
        table += &format!("| `{}` | {} | {} | {} |\n", key.name, cell(&key.kind), cell(&default), cell(&key.doc));
    }
    table
}

/// Blocks inside blocks are followed so far; a block that holds itself would go on for ever.
const DEEPEST: usize = 6;

struct Keys<'a> {
    definitions: Option<&'a Map<String, Value>>,
}

impl<'a> Keys<'a> {
    /// `default` is what the block is by default where it stands; that goes before what its struct says for itself.
    fn block(&self, schema: &'a Value, default: Option<&'a Value>, prefix: &str, depth: usize, found: &mut Vec<Key>) {
        let Some(fields) = schema.get("properties").and_then(Value::as_object) else { return };
        let required = schema.get("required").and_then(Value::as_array);
        for (field, schema) in fields {
            let name = format!("{prefix}{field}");
            let kind = self.kind(schema);
            if kind == PLANNED {
                continue;
            }
            let default = default.and_then(|block| block.get(field)).or_else(|| schema.get("default"));
            let shown = default.map(one_line).unwrap_or_default();
            let doc =
                schema.get("description").or_else(|| self.resolve(schema).get("description")).and_then(Value::as_str).unwrap_or_default();
            let required = required.is_some_and(|names| names.iter().any(|name| name == field));
            found.push(Key {
                name: name.clone(),
                kind,
                default: shown,
                doc: doc.split_whitespace().collect::<Vec<_>>().join(" "),
                required,
            });
            if depth < DEEPEST
                && let Some((inner, brackets)) = self.inner(schema)
            {
                let default = default.filter(|_| brackets.is_empty());
                self.block(inner, default, &format!("{name}{brackets}."), depth + 1, found);
            }
        }
    }

    /// The block inside, where the key takes one or a list of them.
    fn inner(&self, schema: &'a Value) -> Option<(&'a Value, &'static str)> {
        let schema = self.resolve(schema);
        if schema.get("properties").is_some() {
            return Some((schema, ""));
        }
        if let Some(items) = schema.get("items") {
            return self.inner(items).map(|(inner, _)| (inner, "[]"));
        }
        self.choices(schema)?.iter().find_map(|choice| self.inner(choice))
    }

    fn choices(&self, schema: &'a Value) -> Option<&'a Vec<Value>> {
        schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array)
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix("#/$defs/"));
        name.and_then(|name| self.definitions?.get(name)).unwrap_or(schema)
    }

    fn kind(&self, schema: &'a Value) -> String {
        let schema = self.resolve(schema);
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        if let Some(constant) = text("const") {
            return format!("`{constant}`");
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            return either(words.iter().filter(|word| !word.is_null()).map(|word| format!("`{}`", one_line(word).trim_matches('"'))));
        }
        if let Some(choices) = self.choices(schema) {
            return either(
                choices.iter().filter(|choice| choice.get("type") != Some(&Value::from("null"))).map(|choice| self.kind(choice)),
            );
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
            other => other.and_then(Value::as_str).into_iter().collect(),
        };
        // Titles are the words of our own key types; a struct's title is a name of Rust's.
        if let Some(title) = text("title").filter(|_| schema.get("properties").is_none()) {
            return title.to_owned();
        }
        match types.first() {
            Some(&"string") => "text".to_owned(),
            Some(&"integer") => "whole number".to_owned(),
            Some(&"number") => "number".to_owned(),
            Some(&"boolean") => "true or false".to_owned(),
            Some(&"array") => format!("list of {}", schema.get("items").map_or("anything".to_owned(), |items| self.kind(items))),
            Some(&"object") => match schema.get("additionalProperties") {
                Some(values) if values.is_object() => format!("names to {}", self.kind(values)),
                _ => "block".to_owned(),
            },
            _ => "anything".to_owned(),
        }
    }
}

/// The title of [`Planned`](super::Planned) keys, which are not shown: they do nothing yet.
const PLANNED: &str = "planned";

fn either(kinds: impl Iterator<Item = String>) -> String {
    let mut distinct: Vec<String> = Vec::new();
    for kind in kinds {
        if !distinct.contains(&kind) {
            distinct.push(kind);
        }
    }
    distinct.join(" or ")
}

/// A default as YAML on one line. JSON is YAML; but texts that need no quotes have none, as people write them.
fn one_line(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key}: {}", one_line(value)).trim_end().to_owned());
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Text that YAML reads back as the same text.
fn is_plain(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '/');
    first
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/%+".contains(c))
        && text.parse::<f64>().is_err()
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str())
}

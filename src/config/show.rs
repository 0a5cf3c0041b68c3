//! The configuration for people: the same tree, without what must not be seen.
//!
//! What may be seen is what a struct says a key takes: a number, a choice, a duration, plain text. Everything else is hidden: what the
//! struct calls a secret, and all text whose type nobody has said, such as that of a component which could not be found. That way a new
//! key is hidden until somebody has said what it is.

use std::hash::Hasher;

use serde_json::{Map, Value as Json};
use tracetailor_core::component::{Kind, Registry};
use tracetailor_core::config::{Entry, Node, Value};
use tracetailor_processors::PROCESSORS;

use super::service::Service;
use crate::connectors::CONNECTORS;
use crate::exporters::EXPORTERS;
use crate::extensions::EXTENSIONS;
use crate::receivers::RECEIVERS;

const HIDDEN: &str = "[redacted]";

/// The tree without its secrets, with every value as its key takes it.
pub fn shown(effective: &Node) -> Node {
    let value = match &effective.value {
        Value::Map(entries) => Value::Map(entries.iter().map(section).collect()),
        other => other.clone(),
    };
    Node::new(value, effective.place.clone())
}

fn section(entry: &Entry) -> Entry {
    let node = match entry.key.as_str() {
        "receivers" => components(&RECEIVERS, &entry.node),
        "processors" => components(&PROCESSORS, &entry.node),
        "exporters" => components(&EXPORTERS, &entry.node),
        "connectors" => components(&CONNECTORS, &entry.node),
        "extensions" => components(&EXTENSIONS, &entry.node),
        "service" => {
            let schema = schemars::schema_for!(Service).to_value();
            Shower::of(&schema).node(&entry.node, Some(&schema))
        }
        _ => Shower::NOTHING_KNOWN.node(&entry.node, None),
    };
    Entry { key: entry.key.clone(), place: entry.place.clone(), node }
}

fn components<K: Kind>(registry: &Registry<K>, section: &Node) -> Node {
    let Value::Map(entries) = &section.value else { return Shower::NOTHING_KNOWN.node(section, None) };
    let shown = entries.iter().map(|entry| {
        let kind = entry.key.split('/').next().unwrap_or_default().trim();
        let schema = registry.find(kind).map(|factory| factory.schema());
        let shower = schema.as_ref().map_or(Shower::NOTHING_KNOWN, Shower::of);
        Entry { key: entry.key.clone(), place: entry.place.clone(), node: shower.node(&entry.node, schema.as_ref()) }
    });
    Node::new(Value::Map(shown.collect()), section.place.clone())
}

/// A short fingerprint of a configuration, the same on every machine and whatever the order of its keys.
///
/// Of what is [shown]: a metric has it as a label, and whoever reads that must not be able to try passwords against it.
pub fn digest(effective: &Node) -> String {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    feed(&shown(effective), &mut hash);
    format!("{:016x}", hash.finish())
}

/// Fowler, Noll and Vo's hash, 1a: simple enough to be the same everywhere and for ever.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Every value with a letter for its kind and a mark at its end, so that no two trees read alike.
fn feed(node: &Node, hash: &mut Fnv) {
    match &node.value {
        Value::Null | Value::Cut => hash.write(b"n;"),
        Value::Bool(value) => hash.write(format!("b{value};").as_bytes()),
        Value::Whole(value) => hash.write(format!("w{value};").as_bytes()),
        Value::Real(value) => hash.write(format!("r{value};").as_bytes()),
        Value::Text(text) => hash.write(format!("t{}:{text};", text.len()).as_bytes()),
        Value::List(list) => {
            hash.write(b"[");
            list.iter().for_each(|element| feed(element, hash));
            hash.write(b"]");
        }
        Value::Map(entries) => {
            let mut sorted: Vec<&Entry> = entries.iter().collect();
            sorted.sort_by(|a, b| a.key.cmp(&b.key));
            hash.write(b"{");
            for entry in sorted {
                hash.write(format!("{}:{}=", entry.key.len(), entry.key).as_bytes());
                feed(&entry.node, hash);
            }
            hash.write(b"}");
        }
    }
}

/// Goes through a tree with the schema of what it is read into beside it.
#[derive(Clone, Copy)]
struct Shower<'a> {
    definitions: Option<&'a Map<String, Json>>,
}

impl<'a> Shower<'a> {
    const NOTHING_KNOWN: Shower<'static> = Shower { definitions: None };

    fn of(schema: &'a Json) -> Self {
        Self { definitions: schema.get("$defs").and_then(Json::as_object) }
    }

    fn node(self, node: &Node, schema: Option<&'a Json>) -> Node {
        let schemas = schema.map(|schema| self.choices(schema)).unwrap_or_default();
        let is = |word: &str| schemas.iter().any(|schema| is_of_type(schema, word));
        let value = match &node.value {
            Value::List(list) => {
                let items = schemas.iter().find_map(|schema| schema.get("items"));
                // A single value may stand for a list, but then it is a choice of its own.
                Value::List(list.iter().map(|element| self.node(element, items)).collect())
            }
            Value::Map(entries) => Value::Map(entries.iter().map(|entry| self.entry(entry, &schemas)).collect()),
            Value::Text(text) if is_plain(&schemas, text) => Value::Text(without_credentials(text)),
            Value::Text(_) => Value::Text(HIDDEN.to_owned()),
            // A token may look like a number, and where text is wanted it is what was typed.
            _ if schemas.iter().any(|schema| is_secret(schema)) => Value::Text(HIDDEN.to_owned()),
            Value::Whole(_) | Value::Real(_) | Value::Bool(_) if is("string") && !is("number") && !is("integer") && !is("boolean") => {
                node.written.clone().map_or(node.value.clone(), Value::Text)
            }
            Value::Whole(_) | Value::Real(_) if schemas.is_empty() => Value::Text(HIDDEN.to_owned()),
            other => other.clone(),
        };
        Node::new(value, node.place.clone())
    }

    fn entry(self, entry: &Entry, schemas: &[&'a Json]) -> Entry {
        let key = &entry.key;
        let of_its_own = schemas.iter().find_map(|schema| schema.get("properties")?.get(key));
        let of_any = || schemas.iter().find_map(|schema| schema.get("additionalProperties").filter(|schema| schema.is_object()));
        // `oneOf` variants are blocks of one key: the choice, and what goes with it.
        let node = self.node(&entry.node, of_its_own.or_else(of_any));
        Entry { key: key.clone(), place: entry.place.clone(), node }
    }

    /// All that a schema allows, with references followed.
    fn choices(self, schema: &'a Json) -> Vec<&'a Json> {
        let mut found = Vec::new();
        self.gather(schema, 0, &mut found);
        found
    }

    fn gather(self, schema: &'a Json, depth: usize, found: &mut Vec<&'a Json>) {
        if depth > 8 {
            return;
        }
        if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            let name = reference.strip_prefix("#/$defs/").unwrap_or_default();
            if let Some(definition) = self.definitions.and_then(|definitions| definitions.get(name)) {
                self.gather(definition, depth + 1, found);
            }
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for choice in schema.get(key).and_then(Json::as_array).into_iter().flatten() {
                self.gather(choice, depth + 1, found);
            }
        }
        found.push(schema);
    }
}

fn is_of_type(schema: &Json, word: &str) -> bool {
    match schema.get("type") {
        Some(Json::String(one)) => one == word,
        Some(Json::Array(several)) => several.iter().any(|one| one == word),
        _ => false,
    }
}

fn is_secret(schema: &Json) -> bool {
    schema.get("writeOnly").and_then(Json::as_bool) == Some(true)
}

/// Text that its key's type allows to be seen.
fn is_plain(schemas: &[&Json], text: &str) -> bool {
    if schemas.iter().any(|schema| is_secret(schema)) {
        return false;
    }
    let is_a_word = |schema: &&Json| {
        let words = schema.get("enum").and_then(Json::as_array);
        schema.get("const").and_then(Json::as_str) == Some(text) || words.is_some_and(|words| words.iter().any(|word| word == text))
    };
    schemas.iter().any(|schema| is_of_type(schema, "string")) || schemas.iter().any(is_a_word)
}

/// An address may hold a password that its key's type does not know of.
fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]),
        None => text.to_owned(),
    }
}

//! What there is to configure: every component of every kind, the schema of a whole file, an example of one.

use serde_json::{Map, Value as Json, json};
use tracetailor_core::component::{Kind, Registry, Stability};
use tracetailor_core::config::{Entry, Node, Value};
use tracetailor_core::telemetry::Signal;
use tracetailor_processors::PROCESSORS;

use super::nowhere;
use super::service::Service;
use crate::connectors::CONNECTORS;
use crate::exporters::EXPORTERS;
use crate::extensions::EXTENSIONS;
use crate::receivers::RECEIVERS;

/// A component, whatever its kind.
#[derive(Clone, Debug)]
pub struct CatalogueEntry {
    /// The section that it is configured in: `exporters`.
    pub section: &'static str,
    /// The word for its kind: `exporter`.
    pub kind: &'static str,
    /// Its type.
    pub name: &'static str,
    /// Former spellings of it.
    pub aliases: &'static [&'static str],
    /// How far it can be relied on.
    pub stability: Stability,
    /// What it takes: a signal, or for a connector `traces_to_metrics`. Nothing for an extension.
    pub signals: Vec<String>,
    /// Its manual.
    pub readme: &'static str,
}

/// Every component, by kind and then by name.
pub fn entries() -> Vec<CatalogueEntry> {
    let mut all = Vec::new();
    gather(&RECEIVERS, &mut all);
    gather(&PROCESSORS, &mut all);
    gather(&EXPORTERS, &mut all);
    gather(&CONNECTORS, &mut all);
    gather(&EXTENSIONS, &mut all);
    all
}

fn gather<K: Kind>(registry: &Registry<K>, all: &mut Vec<CatalogueEntry>) {
    for factory in registry.factories {
        let signals = match K::WORD {
            "extension" => Vec::new(),
            "connector" if factory.joins.is_empty() => factory.signals.iter().map(|signal| format!("{0}_to_{0}", signal.name())).collect(),
            "connector" => factory.joins.iter().map(|(from, to)| format!("{}_to_{}", from.name(), to.name())).collect(),
            _ => factory.signals.iter().map(|signal: &Signal| signal.name().to_owned()).collect(),
        };
        all.push(CatalogueEntry {
            section: K::SECTION,
            kind: K::WORD,
            name: factory.name,
            aliases: factory.aliases,
            stability: factory.stability,
            signals,
            readme: factory.readme,
        });
    }
}

/// All of it as a tree, in the shape that the Collector's `components` has.
pub fn tree() -> Node {
    let version =
        [("command", "tracetailor"), ("description", "Tracetailor, a gateway for OpenTelemetry"), ("version", env!("CARGO_PKG_VERSION"))];
    let mut sections = vec![entry("buildinfo", map(version.map(|(key, value)| entry(key, text(value))).into()))];
    let all = entries();
    for section in ["receivers", "processors", "exporters", "connectors", "extensions"] {
        let list = all.iter().filter(|component| component.section == section).map(described).collect();
        sections.push(entry(section, node(Value::List(list))));
    }
    map(sections)
}

fn described(component: &CatalogueEntry) -> Node {
    let stability = component.stability.to_string();
    let stability = match component.signals.as_slice() {
        [] => vec![entry("extension", text(&stability))],
        signals => signals.iter().map(|signal| entry(signal, text(&stability))).collect(),
    };
    let mut keys = vec![entry("name", text(component.name))];
    if !component.aliases.is_empty() {
        keys.push(entry("aliases", node(Value::List(component.aliases.iter().map(|alias| text(alias)).collect()))));
    }
    keys.extend([entry("kind", text(component.kind)), entry("stability", map(stability))]);
    map(keys)
}

fn node(value: Value) -> Node {
    Node::new(value, nowhere("components"))
}

fn text(text: &str) -> Node {
    node(Value::Text(text.to_owned()))
}

fn map(entries: Vec<Entry>) -> Node {
    node(Value::Map(entries))
}

fn entry(key: &str, node: Node) -> Entry {
    Entry { key: key.to_owned(), place: node.place.clone(), node }
}

/// A JSON Schema of whole configuration files, which editors check and complete by.
pub fn schema() -> Json {
    let mut definitions = Map::new();
    definitions.insert("nothing".to_owned(), json!({ "type": "null" }));
    definitions.insert(
        "reference".to_owned(),
        json!({ "type": "string", "pattern": "\\$\\{", "description": "${env:NAME}, ${file:path} or ${yaml:text}" }),
    );
    let mut sections = Map::new();
    section_schema(&RECEIVERS, &mut sections, &mut definitions);
    section_schema(&PROCESSORS, &mut sections, &mut definitions);
    section_schema(&EXPORTERS, &mut sections, &mut definitions);
    section_schema(&CONNECTORS, &mut sections, &mut definitions);
    section_schema(&EXTENSIONS, &mut sections, &mut definitions);
    let mut service = schemars::schema_for!(Service).to_value();
    by_signal(&mut service);
    let service = taken_in(service, "service", &mut definitions);
    sections.insert("service".to_owned(), service);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tracetailor configuration",
        "type": "object",
        "properties": sections,
        "required": ["receivers", "exporters", "service"],
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// Ids of pipelines begin with their signal.
fn by_signal(service: &mut Json) {
    if let Some(Json::Object(pipelines)) = service.pointer_mut("/properties/pipelines")
        && let Some(pipeline) = pipelines.insert("additionalProperties".to_owned(), Json::Bool(false))
    {
        let signals = Signal::ALL.map(Signal::name).join("|");
        pipelines.insert("patternProperties".to_owned(), json!({ format!("^({signals})(/.+)?$"): pipeline }));
    }
}

fn section_schema<K: Kind>(registry: &Registry<K>, sections: &mut Map<String, Json>, definitions: &mut Map<String, Json>) {
    let mut patterns = Map::new();
    for factory in registry.factories {
        let schema = taken_in(factory.schema(), &format!("{}.{}", K::SECTION, factory.name), definitions);
        let nullable = json!({ "anyOf": [{ "type": "null" }, schema], "description": summary(factory.readme) });
        for name in std::iter::once(&factory.name).chain(factory.aliases) {
            patterns.insert(format!("^{name}(/.+)?$"), nullable.clone());
        }
    }
    let section = json!({ "type": ["object", "null"], "patternProperties": patterns, "additionalProperties": false });
    sections.insert(K::SECTION.to_owned(), section);
}

/// The first sentence of a manual.
pub(crate) fn summary(readme: &str) -> String {
    let prose = readme.lines().skip_while(|line| line.starts_with('#') || line.trim().is_empty());
    prose.take_while(|line| !line.trim().is_empty()).collect::<Vec<_>>().join(" ")
}

/// A schema as a part of the whole: its definitions move to the top, under names of their own, and wherever something other than text is
/// wanted a reference such as `${env:NAME}` may stand.
fn taken_in(mut schema: Json, prefix: &str, definitions: &mut Map<String, Json>) -> Json {
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        object.remove("title");
        if let Some(Json::Object(own)) = object.remove("$defs") {
            for (name, mut definition) in own {
                adapt(&mut definition, prefix);
                definitions.insert(format!("{prefix}.{name}"), definition);
            }
        }
    }
    adapt(&mut schema, prefix);
    schema
}

fn adapt(schema: &mut Json, prefix: &str) {
    match schema {
        Json::Array(list) => list.iter_mut().for_each(|schema| adapt(schema, prefix)),
        Json::Object(object) => {
            if let Some(Json::String(reference)) = object.get_mut("$ref") {
                *reference = reference.replace("#/$defs/", &format!("#/$defs/{prefix}."));
            }
            for (key, schema) in object.iter_mut() {
                match (key.as_str(), schema) {
                    ("properties" | "patternProperties", Json::Object(properties)) => properties.values_mut().for_each(|property| {
                        adapt(property, prefix);
                        allow_references(property);
                    }),
                    ("items" | "additionalProperties", schema) => {
                        adapt(schema, prefix);
                        allow_references(schema);
                    }
                    ("anyOf" | "oneOf" | "allOf", schema) => adapt(schema, prefix),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Also takes `${env:NAME}`, where the schema takes something else than text; and nothing, where it takes more than a single value.
fn allow_references(schema: &mut Json) {
    let Some(object) = schema.as_object() else { return };
    let takes = |word: &str| match object.get("type") {
        Some(Json::Array(several)) => several.iter().any(|one| one == word),
        one => one.is_some_and(|one| one == word),
    };
    if takes("string") || object.is_empty() || object.contains_key("not") {
        return;
    }
    let is_a_single_value = ["integer", "number", "boolean"].into_iter().any(takes);
    let description = object.get("description").cloned();
    let mut choices = vec![schema.take(), json!({ "$ref": "#/$defs/reference" })];
    if !is_a_single_value {
        choices.push(json!({ "$ref": "#/$defs/nothing" }));
    }
    *schema = json!({ "anyOf": choices });
    if let (Some(description), Some(object)) = (description, schema.as_object_mut()) {
        object.insert("description".to_owned(), description);
    }
}

/// All components as the table of README.md.
pub fn table() -> String {
    let mut table = String::from("| component | kind | signals | stability | what it does |\n|---|---|---|---|---|\n");
    for entry in entries() {
        let crate_of = if entry.section == "processors" { "" } else { "src/" };
        let manual = format!("{crate_of}{}/{}/README.md", entry.section, entry.name);
        let signals = if entry.signals.is_empty() { "-".to_owned() } else { entry.signals.join(", ").replace("_to_", " to ") };
        let former = if entry.aliases.is_empty() { String::new() } else { format!(" (formerly `{}`)", entry.aliases.join("`, `")) };
        let does = summary(entry.readme).replace('|', "\\|");
        table += &format!("| [`{}`]({manual}){former} | {} | {signals} | {} | {does} |\n", entry.name, entry.kind, entry.stability);
    }
    table
}

//! A tree as text again: YAML in the way people write it, or JSON.

use serde_json::{Map, Number, Value as Json};
use tracetailor_core::config::{Node, Value};

/// How a configuration is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// YAML, in blocks.
    #[default]
    Yaml,
    /// JSON, indented.
    Json,
}

/// Writes a tree, with a line end behind it.
pub fn print(node: &Node, format: Format) -> String {
    match format {
        Format::Yaml => {
            let mut out = String::new();
            yaml(node, 0, &mut out);
            out
        }
        Format::Json => format!("{:#}\n", json(node)),
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null | Value::Cut => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Whole(value) => match (i64::try_from(*value), u64::try_from(*value)) {
            (Ok(value), _) => value.into(),
            (_, Ok(value)) => value.into(),
            _ => Json::String(value.to_string()),
        },
        Value::Real(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(list) => Json::Array(list.iter().map(json).collect()),
        Value::Map(entries) => Json::Object(entries.iter().map(|entry| (entry.key.clone(), json(&entry.node))).collect::<Map<_, _>>()),
    }
}

/// Writes a value that begins on a line of its own.
fn yaml(node: &Node, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            for entry in entries {
                *out += &format!("{indent}{}:", scalar_text(&entry.key));
                behind(&entry.node, depth, out);
            }
        }
        Value::List(list) if !list.is_empty() => {
            for element in list {
                *out += &format!("{indent}-");
                match &element.value {
                    // The first key stands behind the dash, the others below it.
                    Value::Map(entries) if !entries.is_empty() => {
                        let mut block = String::new();
                        yaml(element, depth + 1, &mut block);
                        out.push(' ');
                        *out += block.trim_start();
                    }
                    _ => behind(element, depth, out),
                }
            }
        }
        _ => *out += &format!("{indent}{}\n", scalar(&node.value)),
    }
}

/// Writes a value behind its key or its dash.
fn behind(node: &Node, depth: usize, out: &mut String) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            yaml(node, depth + 1, out);
        }
        Value::List(list) if list.iter().all(|element| !matches!(element.value, Value::Map(_) | Value::List(_))) => {
            let elements: Vec<String> = list.iter().map(|element| scalar(&element.value)).collect();
            *out += &format!(" [{}]\n", elements.join(", "));
        }
        Value::List(_) => {
            out.push('\n');
            yaml(node, depth + 1, out);
        }
        other => *out += &format!(" {}\n", scalar(other)),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null | Value::Cut => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Whole(value) => value.to_string(),
        Value::Real(value) if value.is_nan() => ".nan".to_owned(),
        Value::Real(value) if value.is_infinite() => if *value > 0.0 { ".inf" } else { "-.inf" }.to_owned(),
        Value::Real(value) => format!("{value:?}"),
        Value::Text(text) => scalar_text(text),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
    }
}

/// Text with quotes where YAML would read something else without. A dollar is doubled, or the next reader would expand it.
fn scalar_text(text: &str) -> String {
    let text = text.replace('$', "$$");
    if is_plain(&text) { text } else { Json::String(text).to_string() }
}

/// Text that every reader of YAML reads back as the same text.
fn is_plain(text: &str) -> bool {
    if is_amount(text) {
        return true;
    }
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '_');
    first
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/%+@:".contains(c))
        && !text.ends_with(':')
        && text.parse::<f64>().is_err()
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str())
}

/// `10s`, `64MiB`, `10%`: begins as a number and is none.
fn is_amount(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < text.len() && ["ns", "us", "ms", "s", "m", "h", "%", "KiB", "MiB", "GiB", "KB", "MB", "GB"].contains(&unit)
}

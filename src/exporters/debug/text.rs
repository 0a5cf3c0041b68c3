//! Values, ids, times and attributes as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use tracetailor_core::time::{LogTime, Utc};

/// A moment of so many nanoseconds since 1970.
pub(super) fn time(nanos: u64) -> String {
    Utc::from(LogTime(nanos)).to_string()
}

/// Bytes of an id as lower-case hex; nothing for none.
pub(super) fn hex(id: &[u8]) -> String {
    if id.iter().all(|byte| *byte == 0) {
        return String::new();
    }
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value alone: text as it is, lists and maps as JSON.
pub(super) fn plain(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        None => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(other) => match json(other) {
            serde_json::Value::String(text) => text,
            json => json.to_string(),
        },
    }
}

/// A value with its type: `Str(cart)`.
pub(super) fn typed(value: Option<&AnyValue>) -> String {
    let name = match value.and_then(|value| value.value.as_ref()) {
        None => "Empty",
        Some(Value::BoolValue(_)) => "Bool",
        Some(Value::IntValue(_)) => "Int",
        Some(Value::DoubleValue(_)) => "Double",
        Some(Value::ArrayValue(_)) => "Slice",
        Some(Value::KvlistValue(_)) => "Map",
        Some(Value::BytesValue(_)) => "Bytes",
        Some(_) => "Str",
    };
    format!("{name}({})", plain(value))
}

fn json(value: &Value) -> serde_json::Value {
    let inner = |value: &AnyValue| value.value.as_ref().map_or(serde_json::Value::Null, json);
    match value {
        Value::BoolValue(value) => (*value).into(),
        Value::IntValue(value) => (*value).into(),
        Value::DoubleValue(value) => (*value).into(),
        Value::BytesValue(value) => STANDARD.encode(value).into(),
        Value::ArrayValue(list) => list.values.iter().map(inner).collect::<Vec<_>>().into(),
        Value::KvlistValue(map) => {
            let entries = map.values.iter().map(|entry| (entry.key.clone(), entry.value.as_ref().map_or(serde_json::Value::Null, inner)));
            serde_json::Value::Object(entries.collect())
        }
        Value::StringValue(value) => value.clone().into(),
        // Of profiles alone, which are no signal here.
        Value::StringValueStrindex(index) => (*index).into(),
    }
}

/// On one line, each with a blank before it: ` http.route=/cart`.
pub(super) fn on_one_line(attributes: &[KeyValue]) -> String {
    attributes.iter().map(|attribute| format!(" {}={}", attribute.key, plain(attribute.value.as_ref()))).collect()
}

/// Between braces, as metrics have them: `{host=a,zone=b}`.
pub(super) fn in_braces(attributes: &[KeyValue]) -> String {
    let all: Vec<String> = attributes.iter().map(|attribute| format!("{}={}", attribute.key, plain(attribute.value.as_ref()))).collect();
    format!("{{{}}}", all.join(","))
}

/// A line for each, below a line that says what they are of; nothing where there are none.
pub(super) fn below(title: &str, indent: &str, attributes: &[KeyValue]) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    let lines = attributes.iter().map(|attribute| format!("{indent}     -> {}: {}\n", attribute.key, typed(attribute.value.as_ref())));
    format!("{indent}{title}\n{}", lines.collect::<String>())
}

/// ` cart-lib@1.2`, or what there is of it.
pub(super) fn scope(scope: Option<&InstrumentationScope>) -> String {
    match scope {
        Some(scope) if !scope.name.is_empty() && !scope.version.is_empty() => format!(" {}@{}", scope.name, scope.version),
        Some(scope) if !scope.name.is_empty() => format!(" {}", scope.name),
        _ => String::new(),
    }
}

/// ` [https://opentelemetry.io/schemas/1.30.0]`, or nothing.
pub(super) fn schema(url: &str) -> String {
    if url.is_empty() { String::new() } else { format!(" [{url}]") }
}

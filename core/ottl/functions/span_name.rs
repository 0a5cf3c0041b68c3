//! `set_semconv_span_name`: the name that the semantic conventions give a span, derived from its attributes.

use std::borrow::Cow;

use super::{Arguments, Editor, Parameter, Refusal, Takes, Work};
use crate::ottl::problem::EvalError;
use crate::ottl::text::as_string;
use crate::ottl::value::Value;
use crate::telemetry::{self, Item, ItemKind, Path, Signal};

pub(super) const EDITORS: &[Editor] = &[SET_SEMCONV_SPAN_NAME];

/// `set_semconv_span_name("1.37.0", "original_name")`: names a span after its attributes; the name before is kept in an attribute where one is named.
const SET_SEMCONV_SPAN_NAME: Editor = Editor {
    name: "set_semconv_span_name",
    parameters: &[Parameter::known("semconv_version", Takes::String), Parameter::option("original_span_name_attribute", Takes::String)],
    make: naming,
};

/// The minor versions of the conventions, whose major is 1, that the names follow.
const MINORS: std::ops::RangeInclusive<u32> = 37..=43;

fn naming(arguments: &Arguments<'_>) -> Result<Work, Refusal> {
    let version = arguments.text("semconv_version").unwrap_or_default();
    if !is_known(version) {
        let wrong = format!("\"{version}\" is no version of the conventions that names are known of");
        return Err(Refusal::of("semconv_version", wrong, "write one from \"1.37.0\" to \"1.43.0\""));
    }
    let name = Path::parse(Signal::Traces, "name").map_err(|error| Refusal::whole(error.to_string(), ""))?;
    let original = match arguments.text("original_span_name_attribute") {
        Some("") => return Err(Refusal::of("original_span_name_attribute", "is empty", "write a key, or leave it out")),
        Some(key) => {
            let key = key.replace('\\', "\\\\").replace('"', "\\\"");
            let path = Path::parse(Signal::Traces, &format!("attributes[\"{key}\"]"));
            Some(path.map_err(|error| Refusal::of("original_span_name_attribute", error.to_string(), "write a plain key"))?)
        }
        None => None,
    };
    Ok(Work::item(move |scene, _| {
        let Some(span) = scene.item().filter(|item| item.kind() == ItemKind::Span) else {
            return Err(EvalError::because("only spans have names after the conventions"));
        };
        let (before, after) = (span.name(), derived(&span));
        let Some(after) = after.filter(|after| *after != before) else { return Ok(vec![]) };
        let mut puts = vec![(name.clone(), telemetry::Value::String(after))];
        puts.extend(original.clone().map(|path| (path, telemetry::Value::String(before.into_owned()))));
        Ok(puts)
    }))
}

/// `1.37.0`, `v1.37` and `1.37` are versions.
fn is_known(version: &str) -> bool {
    let mut numbers = version.strip_prefix('v').unwrap_or(version).splitn(3, '.').map(|number| number.parse::<u32>().ok());
    let major = numbers.next().flatten();
    let (minor, patch) = (numbers.next().flatten(), numbers.next().unwrap_or(Some(0)));
    let minor = minor.filter(|minor| MINORS.contains(minor) && (minor != MINORS.end() || patch == Some(0)));
    major == Some(1) && minor.is_some() && patch.is_some()
}

/// The name by the conventions; `None` where they have none for such a span.
fn derived(span: &Item<'_>) -> Option<String> {
    match span.head().kind {
        2 => http(span, "http.route").or_else(|| rpc(span)).or_else(|| messaging(span)),
        3 => http(span, "url.template").or_else(|| rpc(span)).or_else(|| database(span)).or_else(|| messaging(span)),
        4 | 5 => messaging(span),
        _ => None,
    }
}

/// `GET /users/{id}`.
fn http(span: &Item<'_>, subject: &str) -> Option<String> {
    let method = either(span, "http.request.method", "http.method")?;
    Some(attribute(span, subject).map_or_else(|| method.clone(), |subject| format!("{method} {subject}")))
}

/// `Service/Method`.
fn rpc(span: &Item<'_>) -> Option<String> {
    let system = either(span, "rpc.system.name", "rpc.system")?;
    let method = either(span, "rpc.method", "rpc.grpc.method");
    Some(match (either(span, "rpc.service", "rpc.grpc.service"), method) {
        (Some(service), Some(method)) => format!("{service}/{method}"),
        (Some(service), None) => format!("{service}/*"),
        (None, Some(method)) => method,
        (None, None) => system,
    })
}

/// `SELECT shop.users`.
fn database(span: &Item<'_>) -> Option<String> {
    let system = either(span, "db.system.name", "db.system")?;
    if let Some(summary) = attribute(span, "db.query.summary") {
        return Some(summary);
    }
    let operation = either(span, "db.operation.name", "db.operation").filter(|operation| !operation.is_empty());
    let target = database_target(span).filter(|target| !target.is_empty());
    Some(match (operation, target) {
        (Some(operation), Some(target)) => format!("{operation} {target}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => system,
    })
}

fn database_target(span: &Item<'_>) -> Option<String> {
    let namespace = either(span, "db.namespace", "db.name").filter(|namespace| !namespace.is_empty());
    let within = attribute(span, "db.collection.name").or_else(|| attribute(span, "db.stored_procedure.name"));
    match (namespace, within) {
        (Some(namespace), Some(within)) => Some(format!("{namespace}.{within}")),
        (Some(one), None) | (None, Some(one)) => Some(one),
        (None, None) => server(span),
    }
}

/// `send orders`.
fn messaging(span: &Item<'_>) -> Option<String> {
    let system = attribute(span, "messaging.system")?;
    let operation = either(span, "messaging.operation.name", "messaging.operation");
    Some(match (operation, destination(span).filter(|destination| !destination.is_empty())) {
        (Some(operation), Some(destination)) => format!("{operation} {destination}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => system,
    })
}

fn destination(span: &Item<'_>) -> Option<String> {
    let is_true = |key: &str| span.attribute(key) == Some(telemetry::ValueRef::Bool(true));
    if is_true("messaging.destination.temporary") {
        return Some("(temporary)".to_owned());
    }
    if is_true("messaging.destination.anonymous") {
        return Some("(anonymous)".to_owned());
    }
    attribute(span, "messaging.destination.template")
        .or_else(|| either(span, "messaging.destination.name", "messaging.destination"))
        .or_else(|| server(span))
}

fn server(span: &Item<'_>) -> Option<String> {
    let address = attribute(span, "server.address")?;
    Some(attribute(span, "server.port").map_or_else(|| address.clone(), |port| format!("{address}:{port}")))
}

/// An attribute, or what it was called once.
fn either(span: &Item<'_>, key: &str, former: &str) -> Option<String> {
    attribute(span, key).or_else(|| attribute(span, former))
}

fn attribute(span: &Item<'_>, key: &str) -> Option<String> {
    let value: Value<'_> = span.attribute(key)?.into();
    Some(match value {
        Value::String(text) => Cow::into_owned(text),
        other => as_string(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_leniently() {
        for version in ["1.37.0", "v1.37", "1.37", "1.43.0", "1.42.7"] {
            assert!(is_known(version), "{version}");
        }
        for version in ["1.36.9", "1.43.1", "1.44.0", "2.37.0", "", "1", "nonsense", "1.37.x"] {
            assert!(!is_known(version), "{version}");
        }
    }
}

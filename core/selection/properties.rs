//! One block, `include` or `exclude`, as a user writes it.

use serde::{Deserialize, Serialize};

use super::texts::{KINDS, bad_pattern};
use crate::config::{ConfigErrors, Literal, OneOrMany, Validate, one_of, quoted};
use crate::telemetry::{Signal, Value};

/// What an item must have to be meant: something of every key that is written.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Properties {
    /// How texts are compared. Must be given.
    pub match_type: Option<MatchType>,
    /// Read and without effect: regular expressions are fast here without a cache.
    pub regexp: RegexpCache,
    /// The resource's `service.name` is one of these.
    pub services: OneOrMany<String>,
    /// The span's name is one of these.
    pub span_names: OneOrMany<String>,
    /// The span's kind is one of these: `SPAN_KIND_SERVER` and its like.
    pub span_kinds: OneOrMany<String>,
    /// The item has all of these attributes.
    pub attributes: Vec<Property>,
    /// The resource has all of these attributes.
    pub resources: Vec<Property>,
    /// The instrumentation scope is all of these.
    pub libraries: Vec<Library>,
    /// The log record's body is text, and one of these.
    pub log_bodies: OneOrMany<String>,
    /// The log record's severity text is one of these.
    pub log_severity_texts: OneOrMany<String>,
    /// The log record is at least so severe.
    pub log_severity_number: Option<SeverityNumber>,
    /// The metric's name is one of these.
    pub metric_names: OneOrMany<String>,
}

/// How texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MatchType {
    /// As they are; values of attributes with their type.
    Strict,
    /// By regular expressions, which may match anywhere in the text.
    Regexp,
}

/// What the Collector keeps of regular expressions.
#[derive(Clone, Debug, Default, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegexpCache {
    /// Without effect.
    pub cacheenabled: bool,
    /// Without effect.
    pub cachemaxnumentries: u64,
}

/// An attribute.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Property {
    /// Its key.
    pub key: String,
    /// Its value; without one it need only be there.
    pub value: Option<Literal>,
}

/// An instrumentation scope.
#[derive(Clone, Debug, Default, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Library {
    /// Its name.
    pub name: String,
    /// Its version; without one, any.
    pub version: Option<String>,
}

/// How severe a log record is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SeverityNumber {
    /// At least so: 9 for info, 13 for warnings, 17 for errors.
    pub min: i32,
    /// Whether one that does not say is severe enough.
    pub match_undefined: bool,
}

impl Properties {
    /// The lists of texts, by their keys.
    fn texts(&self) -> [(&'static str, &OneOrMany<String>); 6] {
        [
            ("services", &self.services),
            ("span_names", &self.span_names),
            ("span_kinds", &self.span_kinds),
            ("log_bodies", &self.log_bodies),
            ("log_severity_texts", &self.log_severity_texts),
            ("metric_names", &self.metric_names),
        ]
    }

    /// The first key that items of a signal never have.
    pub(super) fn foreign(&self, signal: Signal) -> Option<&'static str> {
        let is_foreign = |key: &str| match signal {
            Signal::Traces => key.starts_with("log_") || key == "metric_names",
            Signal::Logs => key.starts_with("span_") || key == "metric_names" || key == "services",
            Signal::Metrics => key.starts_with("log_") || key.starts_with("span_"),
        };
        let texts = self.texts().into_iter().find(|(key, list)| !list.is_empty() && is_foreign(key)).map(|(key, _)| key);
        texts.or_else(|| (self.log_severity_number.is_some() && signal != Signal::Logs).then_some("log_severity_number"))
    }

    fn is_empty(&self) -> bool {
        self.texts().into_iter().all(|(_, list)| list.is_empty())
            && self.attributes.is_empty()
            && self.resources.is_empty()
            && self.libraries.is_empty()
            && self.log_severity_number.is_none()
    }
}

impl Validate for Properties {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.match_type.is_none() {
            errors.error("match_type", "is missing", "write strict or regexp");
        }
        if self.is_empty() {
            errors.error_here(
                "names nothing",
                "write at least one of attributes, libraries, resources, services or span_names, or remove the block",
            );
        }
        match self.match_type {
            Some(MatchType::Regexp) => self.check_patterns(errors),
            Some(MatchType::Strict) => self.check_kinds(errors),
            None => {}
        }
        for (key, list) in [("attributes", &self.attributes), ("resources", &self.resources)] {
            for (index, property) in list.iter().enumerate() {
                property.check(self.match_type, &mut errors.at(key).index(index));
            }
        }
    }
}

impl Properties {
    fn check_patterns(&self, errors: &mut ConfigErrors) {
        for (key, list) in self.texts() {
            for (index, pattern) in list.iter().enumerate() {
                if let Some(wrong) = bad_pattern(pattern) {
                    errors.at(key).index(index).error_here(wrong, "the syntax is that of RE2");
                }
            }
        }
        for (index, library) in self.libraries.iter().enumerate() {
            for (key, pattern) in [("name", Some(&library.name)), ("version", library.version.as_ref())] {
                if let Some(wrong) = pattern.and_then(|pattern| bad_pattern(pattern)) {
                    errors.at("libraries").index(index).error(key, wrong, "the syntax is that of RE2");
                }
            }
        }
    }

    fn check_kinds(&self, errors: &mut ConfigErrors) {
        for (index, kind) in self.span_kinds.iter().enumerate() {
            if !KINDS.contains(&kind.as_str()) {
                let right = format!("write {}", one_of(KINDS.iter().copied()));
                errors.at("span_kinds").index(index).error_here(format!("there is no kind {}", quoted(kind)), right);
            }
        }
    }
}

impl Property {
    fn check(&self, match_type: Option<MatchType>, errors: &mut ConfigErrors) {
        if self.key.is_empty() {
            errors.error("key", "is missing", "name an attribute");
        }
        match (match_type, self.value.as_ref().map(|literal| &literal.0)) {
            (Some(MatchType::Regexp), Some(Value::String(pattern))) => {
                if let Some(wrong) = bad_pattern(pattern) {
                    errors.error("value", wrong, "the syntax is that of RE2");
                }
            }
            (Some(MatchType::Regexp), Some(other)) => {
                errors.error(
                    "value",
                    format!("is {}", other.type_name()),
                    "write a regular expression, in quotes: it sees numbers as text",
                );
            }
            _ => {}
        }
    }
}

//! `include` and `exclude` of log records and metrics, whose keys are other ones than those of spans.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{ConfigErrors, Path, Schema, Step, Validate, quoted};
use tracetailor_core::selection::{MatchType, Properties, Property, RegexpCache, SeverityNumber};

/// What a log record must have to be meant: something of every key that is written.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct LogProperties {
    /// How texts are compared. Must be given.
    pub match_type: Option<MatchType>,
    /// The resource has all of these attributes.
    pub resource_attributes: Vec<Property>,
    /// The log record has all of these attributes.
    pub record_attributes: Vec<Property>,
    /// Its severity text is one of these.
    pub severity_texts: Vec<String>,
    /// It is at least so severe.
    pub severity_number: Option<LeastSeverity>,
    /// Its body is text, and one of these.
    pub bodies: Vec<String>,
}

/// How severe a log record is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct LeastSeverity {
    /// At least so: `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR` or `FATAL`, also with a 2, 3 or 4 behind it.
    pub min: String,
    /// Whether one that does not say is severe enough.
    pub match_undefined: bool,
}

/// What a metric must have to be meant: something of every key that is written. To be excluded, something of any.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct MetricProperties {
    /// How texts are compared. Must be given.
    pub match_type: Option<MetricMatch>,
    /// Read and without effect: regular expressions are fast here without a cache.
    pub regexp: RegexpCache,
    /// Its name is one of these.
    pub metric_names: Vec<String>,
    /// The resource has all of these attributes.
    pub resource_attributes: Vec<Property>,
    /// Not read yet: write conditions.
    pub expressions: Vec<String>,
}

/// How metrics are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum MetricMatch {
    /// By texts as they are.
    Strict,
    /// By regular expressions, which may match anywhere in the text.
    Regexp,
    /// By expressions, which do not work yet.
    Expr,
}

const SEVERITIES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

impl LeastSeverity {
    /// Its number; `None` for a word that is none.
    fn number(&self) -> Option<i32> {
        let text = self.min.to_ascii_uppercase();
        let (place, name) = SEVERITIES.iter().enumerate().find(|(_, name)| text.starts_with(**name))?;
        let step = match &text[name.len()..] {
            "" => 0,
            "2" => 1,
            "3" => 2,
            "4" => 3,
            _ => return None,
        };
        Some(i32::try_from(place).ok()? * 4 + 1 + step)
    }
}

impl LogProperties {
    /// The same as other processors write it.
    pub(super) fn properties(&self) -> Properties {
        let severity =
            |least: &LeastSeverity| SeverityNumber { min: least.number().unwrap_or_default(), match_undefined: least.match_undefined };
        Properties {
            match_type: self.match_type,
            resources: self.resource_attributes.clone(),
            attributes: self.record_attributes.clone(),
            log_severity_texts: self.severity_texts.clone().into(),
            log_severity_number: self.severity_number.as_ref().map(severity),
            log_bodies: self.bodies.clone().into(),
            ..Properties::default()
        }
    }
}

impl Validate for LogProperties {
    fn validate(&self, errors: &mut ConfigErrors) {
        if let Some(least) = self.severity_number.as_ref().filter(|least| least.number().is_none()) {
            let wrong = format!("there is no severity {}", quoted(&least.min));
            errors.at("severity_number").error(
                "min",
                wrong,
                "write TRACE, DEBUG, INFO, WARN, ERROR or FATAL, with 2, 3 or 4 behind it or without",
            );
        }
        let keys = [
            ("attributes", "record_attributes"),
            ("resources", "resource_attributes"),
            ("log_bodies", "bodies"),
            ("log_severity_texts", "severity_texts"),
        ];
        check(&self.properties(), &keys, "bodies, record_attributes, resource_attributes, severity_number or severity_texts", errors);
    }
}

impl MetricProperties {
    /// The same as other processors write it: names and resources apart, since either alone excludes.
    pub(super) fn parts(&self) -> Vec<Properties> {
        let match_type = match self.match_type {
            Some(MetricMatch::Strict) => Some(MatchType::Strict),
            Some(MetricMatch::Regexp) => Some(MatchType::Regexp),
            Some(MetricMatch::Expr) | None => None,
        };
        let mut parts = Vec::new();
        if !self.metric_names.is_empty() {
            parts.push(Properties { match_type, metric_names: self.metric_names.clone().into(), ..Properties::default() });
        }
        if !self.resource_attributes.is_empty() {
            parts.push(Properties { match_type, resources: self.resource_attributes.clone(), ..Properties::default() });
        }
        parts
    }
}

impl Validate for MetricProperties {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.match_type == Some(MetricMatch::Expr) {
            let wrong = "the Collector has expressions; here they are planned and do not work yet";
            let right = "write a condition in metric_conditions: HasLabel(\"a\") is HasAttrKeyOnDatapoint(\"a\"), in context: metric";
            return errors.error("match_type", wrong, right);
        }
        let parts = self.parts();
        for part in &parts {
            check(part, &[("resources", "resource_attributes")], "", errors);
        }
        if parts.is_empty() {
            errors.error_here("names nothing", "write metric_names or resource_attributes, or remove the block");
        }
    }
}

/// Checks a block under the keys that it was written with.
fn check(properties: &Properties, keys: &[(&str, &str)], there_are: &str, errors: &mut ConfigErrors) {
    let mut found = ConfigErrors::default();
    properties.validate(&mut found);
    for mut problem in found {
        let (mut path, mut steps) = (errors.here().clone(), problem.path.steps().iter());
        match steps.next() {
            Some(Step::Key(key)) => {
                path = path.key(keys.iter().find(|(theirs, _)| theirs == key).map_or(key.as_str(), |(_, ours)| ours));
            }
            Some(step) => path = path.then(step.clone()),
            None => problem.right = format!("write at least one of {there_are}, or remove the block"),
        }
        problem.path = steps.fold(path, |path: Path, step| path.then(step.clone()));
        errors.push(problem);
    }
}

#![doc = include_str!("README.md")]

use regex::Regex;
use serde::{Deserialize, Serialize};
use tracetailor_core::attributes::{Attributes, Of, Place};
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, NeedsRebuild, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Stability,
};
use tracetailor_core::config::{ConfigErrors, Pattern, Schema, Validate};
use tracetailor_core::selection::{Properties, Selection};
use tracetailor_core::telemetry::{EditError, ItemMut, Path, PathError, Signal, Telemetry, Value, ValueRef};

/// What the user writes.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where a name comes from, and what is taken out of it.
    pub name: Name,
    /// The status that spans get.
    pub status: Option<NewStatus>,
    /// Only to these spans.
    pub include: Option<Properties>,
    /// But not to these.
    pub exclude: Option<Properties>,
}

/// What becomes of names.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Name {
    /// The name is made of the values of these attributes, in this order. Where one is missing the name stays.
    pub from_attributes: Vec<String>,
    /// What stands between two values.
    pub separator: String,
    /// Parts of the name become attributes.
    pub to_attributes: Option<ToAttributes>,
}

/// Which parts of a name become attributes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct ToAttributes {
    /// Regular expressions: what a group named `id` matches becomes the attribute `id`, and reads `{id}` in the name from then on.
    pub rules: Vec<Pattern>,
    /// Stops at the first rule that matches.
    pub break_after_match: bool,
    /// Leaves the name as it is.
    pub keep_original_name: bool,
}

/// A status.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct NewStatus {
    /// Its code.
    pub code: Option<Code>,
    /// What it says, which only an error may.
    pub description: String,
}

/// The code of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
pub enum Code {
    /// None was given.
    Unset,
    /// It failed.
    Error,
    /// It went well.
    Ok,
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.name.is_empty() && self.status.is_none() {
            errors.error_here("does nothing", "write name with from_attributes or to_attributes, or write status");
        }
        for (index, rule) in self.name.rules().iter().enumerate() {
            if rule.regex().capture_names().skip(1).any(|name| name.is_none()) {
                let right = "write (?P<name>…), or (?:…) for a group that becomes no attribute";
                errors
                    .at("name")
                    .at("to_attributes")
                    .at("rules")
                    .index(index)
                    .warn_here("has a group without a name, which does nothing", right);
            }
        }
        if let Some(status) = &self.status {
            status.check(&mut errors.at("status"));
        }
        errors.within("include", &self.include);
        errors.within("exclude", &self.exclude);
    }
}

impl Name {
    fn rules(&self) -> &[Pattern] {
        self.to_attributes.as_ref().map_or(&[], |to| &to.rules)
    }

    fn is_empty(&self) -> bool {
        self.from_attributes.is_empty() && self.rules().is_empty()
    }
}

impl NewStatus {
    fn check(&self, errors: &mut ConfigErrors) {
        match self.code {
            None => errors.error("code", "is missing", "write Unset, Error or Ok"),
            Some(Code::Unset | Code::Ok) if !self.description.is_empty() => {
                errors.error("description", "belongs to an error", "write code: Error, or remove it");
            }
            Some(_) => {}
        }
    }
}

/// How one is made.
pub const FACTORY: ProcessorFactory =
    ProcessorFactory::of::<Span>("span", Stability::Beta, include_str!("README.md")).only_for(&[Signal::Traces]);

/// Looks at every span, and changes those that are meant.
pub struct Span {
    selection: Selection,
    /// The attributes that make a name.
    from: Vec<String>,
    separator: String,
    rules: Vec<Rule>,
    break_after_match: bool,
    keep_original_name: bool,
    status: Option<(Code, String)>,
    places: Places,
}

/// A regular expression, and the attribute that each of its named groups becomes.
struct Rule {
    pattern: Regex,
    groups: Vec<(usize, Place)>,
}

/// Where in a span it writes.
struct Places {
    name: Path,
    code: Path,
    message: Path,
}

impl Component for Span {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, _: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Ok(Box::new(Self::new(config)?))
    }
}

impl Span {
    fn new(config: &Config) -> Result<Self, BuildError> {
        let to = config.name.to_attributes.clone().unwrap_or_default();
        Ok(Self {
            selection: Selection::new(config.include.as_ref(), config.exclude.as_ref(), Signal::Traces)?,
            from: config.name.from_attributes.clone(),
            separator: config.name.separator.clone(),
            rules: to.rules.iter().map(Rule::of).collect::<Result<_, _>>()?,
            break_after_match: to.break_after_match,
            keep_original_name: to.keep_original_name,
            status: config.status.as_ref().and_then(|status| Some((status.code?, status.description.clone()))),
            places: Places::new().map_err(|error| BuildError::new(error.to_string(), "this is a bug: please report it"))?,
        })
    }
}

impl Rule {
    fn of(pattern: &Pattern) -> Result<Self, BuildError> {
        let pattern = pattern.regex().clone();
        let names = pattern.capture_names().enumerate().filter_map(|(number, name)| Some((number, name?)));
        let groups =
            names.map(|(number, name)| Ok((number, Place::of(name, Signal::Traces, Of::Item)?))).collect::<Result<_, BuildError>>()?;
        Ok(Self { pattern, groups })
    }
}

impl Places {
    fn new() -> Result<Self, PathError> {
        let place = |path| Path::parse(Signal::Traces, path);
        Ok(Self { name: place("name")?, code: place("status.code")?, message: place("status.message")? })
    }
}

impl Processor for Span {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        for index in 0..batch.len() {
            if !self.selection.means(&batch.item(index)) {
                continue;
            }
            let mut span = batch.item_mut(index);
            self.name_from_attributes(&mut span);
            self.attributes_from_name(&mut span);
            self.set_status(&mut span);
        }
        out.emit(batch);
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        *self = Self::new(config.get()?).map_err(|_| NeedsRebuild)?;
        Ok(())
    }
}

impl Span {
    fn name_from_attributes(&self, span: &mut ItemMut<'_>) {
        if self.from.is_empty() {
            return;
        }
        let values: Option<Vec<String>> = self.from.iter().map(|key| Some(text(span.item().attribute(key)?))).collect();
        if let Some(values) = values {
            written(span.set(&self.places.name, &Value::String(values.join(&self.separator))));
        }
    }

    fn attributes_from_name(&self, span: &mut ItemMut<'_>) {
        if self.rules.is_empty() {
            return;
        }
        let before = span.item().name().into_owned();
        let mut name = before.clone();
        for rule in &self.rules {
            let Some(parts) = rule.parts(&name) else { continue };
            for (_, place, text) in &parts {
                Attributes::set(span, place, &Value::from(*text));
            }
            if !self.keep_original_name {
                name = with_names_for(&parts, &name);
            }
            if self.break_after_match {
                break;
            }
        }
        if name != before {
            written(span.set(&self.places.name, &Value::String(name)));
        }
    }

    fn set_status(&self, span: &mut ItemMut<'_>) {
        let Some((code, description)) = &self.status else { return };
        let number = match code {
            Code::Unset => 0,
            Code::Ok => 1,
            Code::Error => 2,
        };
        written(span.set(&self.places.code, &Value::Int(number)));
        match description.as_str() {
            "" => written(span.delete(&self.places.message).map(drop)),
            text => written(span.set(&self.places.message, &Value::from(text))),
        }
    }
}

/// A part of a name: where it stands, what it becomes, what it says.
type Part<'a> = (std::ops::Range<usize>, &'a Place, &'a str);

impl Rule {
    /// What its groups match, in the order of the groups; `None` where the rule does not match. A group that took no part has no part.
    fn parts<'a>(&'a self, name: &'a str) -> Option<Vec<Part<'a>>> {
        let found = self.pattern.captures(name)?;
        let part = |(number, place): &'a (usize, Place)| found.get(*number).map(|part| (part.range(), place, part.as_str()));
        Some(self.groups.iter().filter_map(part).collect())
    }
}

/// The name with `{key}` in place of each part. Of a group within a group only the outer one can stand there.
fn with_names_for(parts: &[Part<'_>], name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut written_to = 0;
    for (range, place, _) in parts {
        if range.start < written_to {
            continue;
        }
        out.push_str(&name[written_to..range.start]);
        out.push('{');
        out.push_str(place.key());
        out.push('}');
        written_to = range.end;
    }
    out.push_str(&name[written_to..]);
    out
}

/// A value as it stands in a name.
fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Bool(truth) => truth.to_string(),
        ValueRef::Int(number) => number.to_string(),
        ValueRef::Double(number) => number.to_string(),
        ValueRef::String(_) => value.text().map(std::borrow::Cow::into_owned).unwrap_or_default(),
        // The Collector's words: dashboards may hold such names.
        ValueRef::Empty | ValueRef::Bytes(_) | ValueRef::List(_) | ValueRef::Map(_) => "<unknown-attribute-type>".to_owned(),
    }
}

/// What cannot be written leaves the span as it was: nothing here is deep, so that is a batch with no room for one more edit.
fn written(_: Result<(), EditError>) {}

#[cfg(test)]
mod tests;

//! The list of actions, made ready: places parsed, patterns compiled.

use std::sync::Arc;

use regex::Regex;

use super::action::{ActionKind, AttributeAction, ConvertedType};
use super::convert::converted;
use super::hash::hashed;
use super::target::{Attributes, Place};
use crate::component::BuildError;
use crate::telemetry::{Item, OnePass, Signal, Source, Telemetry, Value, ValueRef, When};

/// Whose attributes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The resource's.
    Resource,
    /// The item's own: of a span, a log record, a metric point.
    Item,
}

/// Actions, to be applied in order.
#[derive(Clone, Debug)]
pub struct Actions {
    list: Vec<Step>,
    /// All of it, where it can be done in one pass over an item.
    together: Option<OnePass>,
    of: Of,
    signal: Signal,
}

#[derive(Clone, Debug)]
enum Step {
    Put { place: Place, when: When, from: From, default: Option<Value> },
    Delete { place: Option<Place>, pattern: Option<Regex> },
    Hash { place: Option<Place>, pattern: Option<Regex> },
    Extract { place: Place, pattern: Regex, groups: Vec<(usize, Place)> },
    Convert { place: Place, to: ConvertedType },
}

#[derive(Clone, Debug)]
enum From {
    Value(Value),
    Attribute(Place),
    /// Client metadata, lower case.
    Metadata(String),
    /// Only ever the default.
    Nothing,
}

impl Actions {
    /// Makes a list ready that [is valid](crate::config::Validate).
    pub fn new(actions: &[AttributeAction], signal: Signal, of: Of) -> Result<Self, BuildError> {
        let list = actions.iter().map(|action| Step::of(action, signal, of)).collect::<Result<Vec<_>, _>>()?;
        let mut pass = OnePass::default();
        let together = list.iter().all(|step| step.is_added(&mut pass)).then_some(pass);
        Ok(Self { list, together, of, signal })
    }

    /// Does it all to the items of a batch that are meant.
    pub fn apply_to_items(&self, batch: &mut Telemetry, mut means: impl FnMut(&Item<'_>) -> bool) {
        let mut made = String::new();
        for index in 0..batch.len() {
            if !means(&batch.item(index)) {
                continue;
            }
            let is_done = self.together.as_ref().is_some_and(|together| together.run(&mut batch.item_mut(index), &mut made));
            if !is_done {
                // Who sent it is asked for only here: counting one more who holds that costs more than a plain edit.
                let source = Arc::clone(&batch.origins()[batch.origin_of(batch.item(index).head())].source);
                batch.item_mut(index).at_once(|item| self.apply(item, &source));
            }
        }
    }

    /// Whether what comes of them depends on who sent a request.
    pub fn ask_the_source(&self) -> bool {
        self.list.iter().any(|step| matches!(step, Step::Put { from: From::Metadata(_), .. }))
    }

    /// Does it all, to attributes of the kind that the list was made for.
    pub fn apply(&self, target: &mut impl Attributes, source: &Source) {
        for step in &self.list {
            match step {
                Step::Put { place, when, from, default } => put(target, source, place, *when, (from, default.as_ref())),
                Step::Delete { place, pattern } => {
                    place.iter().for_each(|place| target.delete(place));
                    self.matching(target, pattern.as_ref(), None).iter().for_each(|place| target.delete(place));
                }
                Step::Hash { place, pattern } => {
                    place.iter().for_each(|place| change(target, place, hashed));
                    let others = self.matching(target, pattern.as_ref(), place.as_ref());
                    others.iter().for_each(|place| change(target, place, hashed));
                }
                Step::Extract { place, pattern, groups } => extract(target, place, pattern, groups),
                Step::Convert { place, to } => change(target, place, |value| converted(value, *to)),
            }
        }
    }

    /// The attributes whose keys match, but one that has had its turn.
    fn matching(&self, target: &impl Attributes, pattern: Option<&Regex>, but: Option<&Place>) -> Vec<Place> {
        let Some(pattern) = pattern else { return Vec::new() };
        let mut keys = target.keys(|key| pattern.is_match(key) && but.is_none_or(|but| but.key() != key));
        keys.dedup();
        keys.iter().filter_map(|key| Place::of(key, self.signal, self.of).ok()).collect()
    }
}

impl Step {
    /// Adds what it does to a pass, and tells whether it could: where it is the same for every item, and means no place that another one means.
    fn is_added(&self, pass: &mut OnePass) -> bool {
        match self {
            Step::Put { place, when, from: From::Value(value), .. } => pass.put(place.key(), value, *when, true),
            Step::Delete { place: Some(place), pattern: None } => pass.delete(place.key()),
            _ => false,
        }
    }

    fn of(action: &AttributeAction, signal: Signal, of: Of) -> Result<Self, BuildError> {
        let place = |key: &str| Place::of(key, signal, of);
        let own = || (!action.key.is_empty()).then(|| place(&action.key)).transpose();
        let pattern = || (!action.pattern.is_empty()).then(|| compiled(&action.pattern)).transpose();
        let when = match action.action {
            Some(ActionKind::Insert) => When::Absent,
            Some(ActionKind::Update) => When::Present,
            Some(ActionKind::Upsert) => When::Always,
            Some(ActionKind::Delete) => return Ok(Step::Delete { place: own()?, pattern: pattern()? }),
            Some(ActionKind::Hash) => return Ok(Step::Hash { place: own()?, pattern: pattern()? }),
            Some(ActionKind::Extract) => {
                let pattern = compiled(&action.pattern)?;
                let names = pattern.capture_names().enumerate().filter_map(|(number, name)| Some((number, name?)));
                let groups = names.map(|(number, name)| Ok((number, place(name)?))).collect::<Result<_, BuildError>>()?;
                return Ok(Step::Extract { place: place(&action.key)?, pattern, groups });
            }
            Some(ActionKind::Convert) => {
                let to = action.converted_type.unwrap_or(ConvertedType::String);
                return Ok(Step::Convert { place: place(&action.key)?, to });
            }
            None => return Err(BuildError::new("an action is missing", "write insert, update, upsert or another")),
        };
        let from = match (&action.value, action.from_attribute.as_str(), action.from_context.strip_prefix("metadata.")) {
            (Some(value), _, _) => From::Value(value.0.clone()),
            (None, key, _) if !key.is_empty() => From::Attribute(place(key)?),
            (None, _, Some(name)) => From::Metadata(name.to_ascii_lowercase()),
            _ => From::Nothing,
        };
        Ok(Step::Put { place: place(&action.key)?, when, from, default: action.default_value.as_ref().map(|literal| literal.0.clone()) })
    }
}

fn compiled(pattern: &str) -> Result<Regex, BuildError> {
    Regex::new(pattern)
        .map_err(|error| BuildError::new(format!("{pattern} is no regular expression: {error}"), "the syntax is that of RE2"))
}

fn put(target: &mut impl Attributes, source: &Source, place: &Place, when: When, (from, default): (&From, Option<&Value>)) {
    let there = target.find(place.key());
    match (when, there) {
        (When::Absent, Some(_)) | (When::Present, None) => return,
        // What is there already costs no edit.
        (_, Some(there)) if matches!(from, From::Value(value) if there.is(value)) => return,
        _ => {}
    }
    let found = match from {
        From::Value(value) => return target.set(place, value),
        From::Attribute(other) => target.find(other.key()).map(ValueRef::to_value),
        From::Metadata(name) => metadata(source, name),
        From::Nothing => None,
    };
    if let Some(value) = found.as_ref().or(default) {
        target.set(place, value);
    }
}

/// All values that a client sent under a name, joined as the Collector joins them.
fn metadata(source: &Source, name: &str) -> Option<Value> {
    let values: Vec<&str> = source.metadata.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| Value::String(values.join(";")))
}

fn change(target: &mut impl Attributes, place: &Place, change: impl FnOnce(ValueRef<'_>) -> Option<Value>) {
    if let Some(value) = target.find(place.key()).and_then(change) {
        target.set(place, &value);
    }
}

fn extract(target: &mut impl Attributes, place: &Place, pattern: &Regex, groups: &[(usize, Place)]) {
    let Some(text) = target.find(place.key()).and_then(ValueRef::text).map(std::borrow::Cow::into_owned) else { return };
    let Some(found) = pattern.captures(&text) else { return };
    for (number, place) in groups {
        target.set(place, &Value::from(found.get(*number).map_or("", |group| group.as_str())));
    }
}

//! What kind of traffic a trace is: the values that its spans have under some keys.
//!
//! Of values only hashes are held, each with the place of its field, so that a value under one key is never taken for the same value under
//! another. Two spans with the same values tell no more than one, and the order of spans makes no difference.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::Deserializer;
use smallvec::SmallVec;
use tracetailor_core::attributes::text;
use tracetailor_core::config::OneOrMany;
use tracetailor_core::telemetry::{Attribute, Context, ContextCache, Head, Item, ValueRef};
use tracetailor_core::trace_store::Slot;

use super::super::probabilistic::fnv;

/// Fields, each with the names under which it may be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFields(Vec<Vec<String>>);

impl<'de> Deserialize<'de> for KeyFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = OneOrMany::<OneOrMany<String>>::deserialize(deserializer)?;
        Ok(Self(fields.into_vec().into_iter().map(OneOrMany::into_vec).collect()))
    }
}

impl schemars::JsonSchema for KeyFields {
    fn schema_name() -> Cow<'static, str> {
        "KeyFields".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names = schemars::json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
        schemars::json_schema!({ "title": "list of names", "type": ["array", "string"], "items": names })
    }
}

/// How Refinery writes that a field is read on the root.
const ROOT: &str = "root.";

impl KeyFields {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has_empty_name(&self) -> bool {
        self.0.iter().any(|names| names.is_empty() || names.iter().any(String::is_empty))
    }

    /// Those that Refinery would read on the root, and the others.
    pub(super) fn split_root(self) -> (Self, Self) {
        let (of_root, others): (Vec<_>, Vec<_>) = self.0.into_iter().partition(|names| names.iter().all(|name| name.starts_with(ROOT)));
        let named = |names: Vec<String>| names.into_iter().map(|name| name[ROOT.len()..].to_owned()).collect();
        (Self(of_root.into_iter().map(named).collect()), Self(others))
    }

    pub(super) fn with(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The values of these fields, `first` being the place of the first of them.
    fn find<'a>(&self, first: u16, rank: usize, attributes: impl Iterator<Item = Attribute<'a>>, best: &mut Found) {
        for attribute in attributes {
            for (place, names) in (first..).zip(&self.0) {
                let Some(name) = names.iter().position(|name| name.as_bytes() == attribute.key) else { continue };
                best.offer(place, name * 2 + rank, attribute.value());
            }
        }
    }
}

/// The best value of each field so far: its place, the rank of where it was found, its hash.
#[derive(Clone, Debug, Default)]
struct Found(SmallVec<[(u16, usize, u64); 4]>);

impl Found {
    fn offer(&mut self, place: u16, rank: usize, value: ValueRef<'_>) {
        match self.0.iter_mut().find(|(known, ..)| *known == place) {
            Some((_, known, _)) if *known <= rank => {}
            Some(found) => *found = (place, rank, hash(value)),
            None => self.0.push((place, rank, hash(value))),
        }
    }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// A number and the same number as text are one value.
fn hash(value: ValueRef<'_>) -> u64 {
    match value {
        ValueRef::String(text) => fnv(SEED, text),
        other => fnv(SEED, text(other).as_bytes()),
    }
}

/// Of one field so many values count; more tell traffic apart no better.
const MOST_VALUES: usize = 16;

/// What is known of the traces that wait.
pub(super) struct Keys {
    fields: KeyFields,
    root_fields: KeyFields,
    resources: ContextCache<Found>,
    /// By slot: the values of all fields, sorted, each once.
    values: Vec<Values>,
}

type Values = SmallVec<[(u16, u64); 3]>;

impl Keys {
    pub(super) fn new(fields: KeyFields, root_fields: KeyFields) -> Self {
        Self { fields, root_fields, resources: ContextCache::new(), values: Vec::new() }
    }

    /// A trace begins, or is gone.
    pub(super) fn open(&mut self, slot: Slot) {
        if self.values.len() <= slot.index() {
            self.values.resize_with(slot.index() + 1, Values::default);
        }
        self.values[slot.index()] = Values::default();
    }

    /// A span of it has come.
    pub(super) fn arrive(&mut self, slot: Slot, span: &Item<'_>) {
        let Self { fields, root_fields, resources, values } = self;
        let roots_begin = u16::try_from(fields.0.len()).unwrap_or(u16::MAX);
        let is_root = !root_fields.is_empty() && span.parent_span_id().is_none() && !span.head().has(Head::ODD_PARENT_ID);
        let of_resource = |context: &Context| {
            let mut found = Found::default();
            fields.find(0, IN_RESOURCE, context.resource_attributes(), &mut found);
            root_fields.find(roots_begin, IN_RESOURCE, context.resource_attributes(), &mut found);
            found
        };
        let mut found = resources.get(span.context(), |context| of_resource(context)).clone();
        fields.find(0, IN_SPAN, span.attributes(), &mut found);
        if is_root {
            root_fields.find(roots_begin, IN_SPAN, span.attributes(), &mut found);
        }
        let Some(values) = values.get_mut(slot.index()) else { return };
        for (place, _, hash) in found.0 {
            if place < roots_begin || is_root {
                add(values, (place, hash));
            }
        }
    }

    /// What kind the trace is of.
    pub(super) fn of(&self, slot: Slot) -> u64 {
        let values = self.values.get(slot.index()).map_or(&[][..], |values| values.as_slice());
        values.iter().fold(SEED, |key, (place, hash)| fnv(fnv(key, &place.to_le_bytes()), &hash.to_le_bytes()))
    }
}

/// An attribute of the span goes before one of its resource with the same name.
const IN_SPAN: usize = 0;
const IN_RESOURCE: usize = 1;

/// One more value. Of too many the smallest hashes stay, whichever came first.
fn add(values: &mut Values, value: (u16, u64)) {
    let Err(at) = values.binary_search(&value) else { return };
    values.insert(at, value);
    let first = values.partition_point(|(place, _)| *place < value.0);
    let end = values.partition_point(|(place, _)| *place <= value.0);
    if end - first > MOST_VALUES {
        values.remove(end - 1);
    }
}

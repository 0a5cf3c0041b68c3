//! What statements change: an item, an event of it, or what items share.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::functions::Entry;
use super::place::{Place, with_trace_state};
use super::problem::EvalError;
use super::scene::{Event, Scene};
use super::table::{Field, Level};
use super::tree::Key;
use super::value::Value;
use crate::telemetry::edit::{Change as Write, EditError, write};
use crate::telemetry::{Context, ItemKind, ItemMut, MOST_VALUE_LEVELS, Path, Rewrite, Source, Value as Kept, schema};
use crate::time::Clock;

/// The most bytes that one value may be given: what copies itself into itself ends here.
const MOST_BYTES: usize = 4 << 20;

/// What a group of statements is run on.
pub(super) enum Subject<'s, 'b> {
    /// What items share; changing it leads to another context.
    Context { context: Arc<Context>, is_changed: bool },
    /// An item.
    Item(&'s mut ItemMut<'b>),
    /// An event of a span. It is written back when all statements have seen it.
    Event { item: &'s mut ItemMut<'b>, index: usize, bytes: Vec<u8>, is_changed: bool },
}

/// What a statement changes, with nothing borrowed of what it changes.
#[derive(Debug)]
pub(super) enum Change<'s> {
    Nothing,
    Set(Kept),
    /// The same with what the statement says.
    Put(&'s Kept),
    /// A key of an item's attributes goes, as often as it is there.
    Without(SmallVec<[u8; 32]>),
    /// Some entries of an item's attributes: taken out, or with another value.
    Entries(Entries),
    /// Values at places that are no argument.
    Puts(Vec<(Path, Kept)>),
}

/// Entries by their number, ascending, and what becomes of them.
type Entries = SmallVec<[(usize, Option<Kept>); 1]>;

impl Change<'_> {
    /// A map without a key; nothing where the key is not there.
    pub(super) fn without(map: Value<'_>, key: &str) -> Self {
        let places = match &map {
            Value::Map(map) => map.places(key),
            _ => SmallVec::new(),
        };
        if places.is_empty() { Change::Nothing } else { Change::Set(changed_entries(map, places.into_iter().map(|place| (place, None)))) }
    }
}

impl Subject<'_, '_> {
    /// It, and all around it.
    pub(super) fn scene<'a>(&'a self, source: &'a Source, clock: &'a Clock, cache: &'a Kept) -> Scene<'a> {
        match self {
            Subject::Context { context, .. } => Scene::of_context(context, source, clock),
            Subject::Item(item) => Scene::of_item(item.item(), source, clock),
            Subject::Event { item, index, bytes, .. } => {
                Scene::of_item(item.item(), source, clock).at_event(Event { index: *index, bytes })
            }
        }
        .with_cache(cache)
    }

    /// The context, if that is what was changed.
    pub(super) fn into_changed_context(self) -> Option<Arc<Context>> {
        match self {
            Subject::Context { context, is_changed: true } => Some(context),
            _ => None,
        }
    }

    /// Makes a change at a place.
    pub(super) fn change(&mut self, place: Option<&Place>, change: Change<'_>, cache: &mut Kept) -> Result<(), EvalError> {
        match (place, change) {
            (_, Change::Nothing) => Ok(()),
            (_, Change::Puts(puts)) => puts.iter().try_for_each(|(path, value)| self.put(path, Level::Item, value)),
            (Some(place), Change::Set(value)) => self.set(place, Cow::Owned(value), cache),
            (Some(place), Change::Put(value)) => self.set(place, Cow::Borrowed(value), cache),
            (Some(_), Change::Without(key)) => self.without(&key),
            (Some(_), Change::Entries(entries)) => self.entries(entries),
            (None, _) => Err(EvalError::because("there is nothing to be changed")),
        }
    }

    fn set(&mut self, place: &Place, value: Cow<'_, Kept>, cache: &mut Kept) -> Result<(), EvalError> {
        if weight(&value) > MOST_BYTES {
            return Err(EvalError::because("the value is larger than 4 MiB"));
        }
        if value.levels() > MOST_VALUE_LEVELS {
            return Err(refused(EditError::TooDeep));
        }
        match (place.field, place.keys.first()) {
            (Field::Cache, _) => set_in(cache, &place.keys, value.into_owned()),
            (Field::TraceState, Some(Key::Text(key))) => {
                let path = place.target.as_ref().ok_or_else(nowhere)?;
                let (Some(Kept::String(state)), Kept::String(value)) = (self.get(path), &*value) else {
                    return Err(EvalError::because("a member of a trace state is text"));
                };
                self.put(path, place.level, &Kept::String(with_trace_state(&state, key, value)))
            }
            _ => self.put(place.target.as_ref().ok_or_else(nowhere)?, place.level, &value),
        }
    }

    fn get(&self, path: &Path) -> Option<Kept> {
        match self {
            Subject::Context { .. } => None,
            Subject::Item(item) | Subject::Event { item, .. } => item.get(path),
        }
    }

    fn put(&mut self, path: &Path, level: Level, value: &Kept) -> Result<(), EvalError> {
        match self {
            Subject::Context { context, is_changed } => {
                *context = context.set(path, value).map_err(refused)?;
                *is_changed = true;
                Ok(())
            }
            Subject::Event { bytes, is_changed, .. } if level == Level::Event => {
                let steps = path.steps(ItemKind::Span).and_then(|steps| steps.get(2..)).ok_or_else(nowhere)?;
                let mut written = Vec::with_capacity(bytes.len() + 32);
                write(&schema::EVENT, bytes, steps, Write::Set(value), &mut written).map_err(refused)?;
                *bytes = written;
                *is_changed = true;
                Ok(())
            }
            Subject::Item(item) | Subject::Event { item, .. } => item.set(path, value).map_err(refused),
        }
    }

    /// Takes a key out of an item's attributes.
    fn without(&mut self, key: &[u8]) -> Result<(), EvalError> {
        let (Subject::Item(item) | Subject::Event { item, .. }) = self else { return Err(nowhere()) };
        item.rewrite_attributes(|attribute| if attribute.key == key { Rewrite::Delete } else { Rewrite::Keep });
        Ok(())
    }

    /// Changes attributes of an item in one pass.
    fn entries(&mut self, mut entries: Entries) -> Result<(), EvalError> {
        let (Subject::Item(item) | Subject::Event { item, .. }) = self else { return Err(nowhere()) };
        let (mut place, mut next) = (0, 0);
        item.rewrite_attributes(|_| {
            let rewrite = match entries.get_mut(next) {
                Some((at, value)) if *at == place => {
                    next += 1;
                    value.take().map_or(Rewrite::Delete, Rewrite::Set)
                }
                _ => Rewrite::Keep,
            };
            place += 1;
            rewrite
        });
        Ok(())
    }
}

fn nowhere() -> EvalError {
    EvalError::because("there is nothing to be changed")
}

fn refused(error: EditError) -> EvalError {
    EvalError::because(error.to_string())
}

/// About how many bytes a value takes.
fn weight(value: &Kept) -> usize {
    match value {
        Kept::String(text) => text.len(),
        Kept::Bytes(bytes) => bytes.len(),
        Kept::List(values) => values.iter().map(|value| 2 + weight(value)).sum(),
        Kept::Map(entries) => entries.iter().map(|(key, value)| 6 + key.len() + weight(value)).sum(),
        _ => 9,
    }
}

/// Puts a value into the scratch map. Missing maps on the way come into being.
fn set_in(kept: &mut Kept, keys: &[Key], value: Kept) -> Result<(), EvalError> {
    let Some((key, rest)) = keys.split_first() else {
        *kept = value;
        return Ok(());
    };
    if *kept == Kept::Empty && matches!(key, Key::Text(_)) {
        *kept = Kept::Map(Vec::new());
    }
    match (kept, key) {
        (Kept::Map(entries), Key::Text(key)) => {
            let place = entries.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
                entries.push((key.clone(), Kept::Empty));
                entries.len() - 1
            });
            set_in(&mut entries[place].1, rest, value)
        }
        (Kept::List(values), Key::Index(index)) => match values.get_mut(*index) {
            Some(element) => set_in(element, rest, value),
            None => Err(EvalError::because("the list has no such element")),
        },
        _ => Err(EvalError::because("what holds the key is no map")),
    }
}

/// The entries of a map after some of them changed.
pub(super) fn changed_entries(target: Value<'_>, changes: impl IntoIterator<Item = (usize, Option<Kept>)>) -> Kept {
    let Value::Map(map) = target else { return target.to_telemetry() };
    let mut entries: Vec<Option<(String, Kept)>> = map.iter().map(|(key, value)| Some((key.into_owned(), value.to_telemetry()))).collect();
    for (place, change) in changes {
        if let Some(entry) = entries.get_mut(place) {
            *entry = entry.take().and_then(|(key, _)| Some((key, change?)));
        }
    }
    Kept::Map(entries.into_iter().flatten().collect())
}

/// What becomes of an entry, with nothing borrowed.
pub(super) fn kept(entry: Entry<'_>) -> Option<Kept> {
    match entry {
        Entry::Delete => None,
        Entry::Set(value) => Some(value.into_telemetry()),
    }
}

//! Plain edits of several statements, made in one pass over an item.
//!
//! Most groups put constants into attributes, take attributes out and replace a part of a text, always. One by one each such statement would find its place
//! anew and write all of the item again. Together they are made as the item is copied: side by side, since no two of them mean the same place.
//! An item on which one of them is not that simple after all is left to the statements themselves.

use std::sync::Arc;

use super::call::Edit;
use super::checked::{Expr, Test};
use super::functions::{MOST_BYTES, OnText, Work};
use super::place::Place;
use super::statements::Statement;
use super::table::{Field, Level};
use super::tree::Key;
use super::value::Value;
use crate::telemetry::edit::{Change, write_entry_value};
use crate::telemetry::schema::Kind;
use crate::telemetry::{
    Attribute, Item, ItemKind, ItemMut, MOST_VALUE_LEVELS, Step, Value as Kept, ValueRef, put_key_value,
    wire::{self, Raw, fields, put_bytes},
};

/// Edits of different places.
#[derive(Default)]
pub(super) struct OnePass {
    attributes: Vec<OfAttribute>,
    /// Bit `n` is set when a key has `n` bytes: most attributes are passed over by it.
    lengths: u64,
    field: Option<OfField>,
    /// What a text becomes.
    made: String,
}

struct OfAttribute {
    key: Box<[u8]>,
    what: What,
}

enum What {
    /// It gets a value. The entry stands for one that is not there.
    Put { value: Kept, entry: Vec<u8> },
    /// It goes, as often as it is there.
    Delete,
    /// Its text is rewritten.
    Text(Arc<OnText>),
}

/// A text of the item itself, by its number among the fields of this kind of item.
struct OfField {
    kind: ItemKind,
    number: u32,
    work: Arc<OnText>,
}

/// So many attributes are edited at once: a bit each.
const MOST: usize = 32;

impl OnePass {
    /// Takes in what a statement edits, and tells whether it could: where it is plain, and means no place that another one means.
    pub(super) fn takes(&mut self, statement: &Statement) -> bool {
        if !statement.tests().iter().all(|test| matches!(test, Test::Known(true))) {
            return false;
        }
        let Some(place) = statement.edit().target.as_ref().filter(|place| place.level == Level::Item) else { return false };
        if let (Work::Text(work), None, Some((kind, number))) = (&statement.edit().work, &self.field, text_field(place)) {
            self.field = Some(OfField { kind, number, work: Arc::clone(work) });
            return true;
        }
        let Some(edit) = of_attribute(statement, place) else { return false };
        if self.attributes.len() == MOST || self.attributes.iter().any(|known| known.key == edit.key) {
            return false;
        }
        self.lengths |= 1 << (edit.key.len() & 63);
        self.attributes.push(edit);
        true
    }

    /// Makes all edits, or none: then the item is as it was.
    pub(super) fn run(&mut self, item: &mut ItemMut<'_>) -> bool {
        let mut is_plain = true;
        let rewritten = item.rewrite(|item, out| {
            let written = self.write(item, out);
            is_plain = written.is_some();
            written.unwrap_or(false)
        });
        is_plain && rewritten.is_ok()
    }

    /// Appends the item as it is to be, if it is to be another; no answer where it is not that simple.
    fn write(&mut self, item: Item<'_>, out: &mut Vec<u8>) -> Option<bool> {
        let (bytes, number) = (item.bytes(), item.kind().attributes_field());
        let field = self.field.as_ref().map_or(Some(0), |field| (field.kind == item.kind()).then_some(field.number))?;
        let (mut kept_from, mut met, mut changed) = (0, 0u32, 0u32);
        let mut has_field = field == 0;
        for found in fields(bytes) {
            let Raw::Len(payload) = found.raw else { continue };
            if found.number == field {
                has_field = true;
                if self.rewritten(payload)? {
                    out.extend_from_slice(&bytes[kept_from..found.start]);
                    put_bytes(out, field, self.made.as_bytes());
                    kept_from = found.end;
                }
                continue;
            }
            if found.number != number {
                continue;
            }
            let attribute = Attribute::new(payload);
            let Some(place) = self.place(attribute.key) else { continue };
            let bit = 1 << place;
            let is_first = met & bit == 0;
            met |= bit;
            let becomes = if is_first { self.becomes(place, &attribute, payload)? } else { self.doubled(place, changed & bit != 0) };
            if becomes == Becomes::Same {
                continue;
            }
            changed |= bit;
            out.extend_from_slice(&bytes[kept_from..found.start]);
            kept_from = found.end;
            if becomes == Becomes::Other {
                self.put(place, number, &attribute, payload, out);
            }
        }
        if !has_field {
            return None;
        }
        let missing = |(place, edit): &(usize, &OfAttribute)| met >> place & 1 == 0 && matches!(edit.what, What::Put { .. });
        let is_any = kept_from > 0 || self.attributes.iter().enumerate().any(|edit| missing(&edit));
        if is_any {
            out.extend_from_slice(&bytes[kept_from..]);
            for (_, edit) in self.attributes.iter().enumerate().filter(missing) {
                if let What::Put { entry, .. } = &edit.what {
                    put_bytes(out, number, entry);
                }
            }
        }
        Some(is_any)
    }

    #[inline(always)]
    fn place(&self, key: &[u8]) -> Option<usize> {
        if self.lengths >> (key.len() & 63) & 1 == 0 {
            return None;
        }
        self.attributes.iter().position(|edit| *edit.key == *key)
    }

    /// Whether a text becomes another, which is kept; no answer where it is no UTF-8, or would be too long.
    fn rewritten(&mut self, text: &[u8]) -> Option<bool> {
        let work = &self.field.as_ref()?.work;
        self.made.clear();
        work(std::str::from_utf8(text).ok()?, &mut self.made).ok()
    }

    /// What becomes of the first attribute that has a key.
    fn becomes(&mut self, place: usize, attribute: &Attribute<'_>, entry: &[u8]) -> Option<Becomes> {
        let Self { attributes, made, .. } = self;
        Some(match &attributes.get(place)?.what {
            What::Put { .. } => Becomes::Other,
            What::Delete => Becomes::Nothing,
            What::Text(work) => {
                let ValueRef::String(text) = attribute.value() else { return Some(Becomes::Same) };
                made.clear();
                if !work(std::str::from_utf8(text).ok()?, made).ok()? {
                    return Some(Becomes::Same);
                }
                // Anything else that stands in it would have to stay.
                is_all_there_is(attribute.key, text, entry).then_some(Becomes::Other)?
            }
        })
    }

    /// And of a further one: where a value was replaced, the old one must not live on behind it.
    fn doubled(&self, place: usize, was_changed: bool) -> Becomes {
        match self.attributes.get(place).map(|edit| &edit.what) {
            Some(What::Text(_)) if !was_changed => Becomes::Same,
            _ => Becomes::Nothing,
        }
    }

    /// Writes an attribute that gets another value.
    fn put(&self, place: usize, number: u32, attribute: &Attribute<'_>, entry: &[u8], out: &mut Vec<u8>) {
        let start = wire::open(out, number);
        match self.attributes.get(place).map(|edit| &edit.what) {
            Some(What::Put { value, .. }) => {
                let written = write_entry_value(entry, &[], Change::Set(value), out);
                debug_assert_eq!(written, Ok(true), "a whole value can always be set");
            }
            _ => {
                put_bytes(out, 1, attribute.key);
                wire::put_message(out, 2, |out| put_bytes(out, 1, self.made.as_bytes()));
            }
        }
        wire::close(out, start);
    }
}

/// What becomes of an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Becomes {
    Same,
    Nothing,
    Other,
}

/// Whether an entry holds this key and this text in the order that every SDK writes, and nothing else.
fn is_all_there_is(key: &[u8], text: &[u8], entry: &[u8]) -> bool {
    let value = wire::field_length(1, text.len());
    entry.first() == Some(&0x0a) && entry.len() == wire::field_length(1, key.len()) + wire::field_length(2, value)
}

/// The text of an item that a place is: its kind and the number of its field.
fn text_field(place: &Place) -> Option<(ItemKind, u32)> {
    let path = place.path.as_ref().filter(|_| matches!(place.field, Field::Plain(_)) && place.keys.is_empty())?;
    let of_kind = |kind: ItemKind| match path.steps(kind)? {
        [Step::Field(field)] if matches!(field.kind, Kind::String) && !field.is_repeated() => Some((kind, field.number)),
        _ => None,
    };
    of_kind(ItemKind::Span).or_else(|| of_kind(ItemKind::LogRecord))
}

fn of_attribute(statement: &Statement, place: &Place) -> Option<OfAttribute> {
    let edit = statement.edit();
    if place.is_item_attributes() {
        return Some(OfAttribute { key: deleted_key(edit)?.into(), what: What::Delete });
    }
    let [Key::Text(key)] = place.keys.as_slice() else { return None };
    place.item_attribute()?;
    let what = match (&edit.work, statement.puts()) {
        (Work::Text(work), _) => What::Text(Arc::clone(work)),
        (_, Some(value)) if value.levels() + 4 < MOST_VALUE_LEVELS => {
            let mut entry = Vec::new();
            put_key_value(&mut entry, key.as_bytes(), value);
            if entry.len() > MOST_BYTES {
                return None;
            }
            What::Put { value: value.clone(), entry }
        }
        _ => return None,
    };
    Some(OfAttribute { key: key.as_bytes().into(), what })
}

/// The key that is always taken out.
fn deleted_key(edit: &Edit) -> Option<&[u8]> {
    match edit.arguments.as_slice() {
        [_, Expr::Known(Value::String(key))] if edit.editor.name == "delete_key" => Some(key.as_bytes()),
        _ => None,
    }
}

impl std::fmt::Debug for OnePass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OnePass({} attributes)", self.attributes.len())
    }
}

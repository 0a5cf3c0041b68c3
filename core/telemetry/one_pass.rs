//! Edits of several places of an item, made in one pass over it.
//!
//! Most of what users write puts constants into attributes, takes attributes out and replaces a part of a text, always. One by one each such edit would find its
//! place anew and write all of the item again. Together they are made as the item is copied: side by side, since no two of them mean the same place. An item on
//! which one of them is not that simple after all is left to be edited one by one.

use std::fmt;
use std::sync::Arc;

use super::check::MOST_VALUE_LEVELS;
use super::edit::{Change, write_entry_value};
use super::sweep::put_key_value;
use super::value::{Attribute, Value, ValueRef};
use super::wire::{self, len_fields, put_bytes};
use super::{Item, ItemKind, ItemMut};

/// Edits of different places.
#[derive(Clone, Default)]
pub(crate) struct OnePass {
    attributes: Vec<OfAttribute>,
    /// Bit `n` is set when a key has `n` bytes: most attributes are passed over by it.
    lengths: u64,
    field: Option<OfField>,
}

/// Puts what a text becomes into an empty one and tells whether it becomes anything; no answer where that is not to be known here.
pub(crate) type OnText = dyn Fn(&str, &mut String) -> Option<bool> + Send + Sync;

/// When a value is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Where the key is not there.
    Absent,
    /// Where it is there.
    Present,
    /// Always.
    Always,
}

#[derive(Clone)]
struct OfAttribute {
    key: Box<[u8]>,
    what: What,
}

#[derive(Clone)]
enum What {
    /// It gets a value; where it has that one already, it may stay. The entry stands for one that is not there.
    Put { value: Value, entry: Vec<u8>, when: When, keeps_same: bool },
    /// It goes, as often as it is there.
    Delete,
    /// Its text is rewritten.
    Text(Arc<OnText>),
}

/// A text of the item itself, by its number among the fields of this kind of item.
#[derive(Clone)]
struct OfField {
    kind: ItemKind,
    number: u32,
    work: Arc<OnText>,
}

/// So many attributes are edited at once: a bit each.
const MOST: usize = 32;
/// A longer value is put by whoever knows how long one may be.
const LONGEST: usize = 1 << 20;

impl OnePass {
    /// Puts a value. Where it is there already it is put again, unless it `keeps_same`. Like all that follow it tells whether that could be taken in.
    pub(crate) fn put(&mut self, key: &str, value: &Value, when: When, keeps_same: bool) -> bool {
        let mut entry = Vec::new();
        put_key_value(&mut entry, key.as_bytes(), value);
        let fits = entry.len() <= LONGEST && value.levels() + 4 < MOST_VALUE_LEVELS;
        fits && self.add(key, What::Put { value: value.clone(), entry, when, keeps_same })
    }

    /// Takes a key out, as often as it is there.
    pub(crate) fn delete(&mut self, key: &str) -> bool {
        self.add(key, What::Delete)
    }

    /// Rewrites the text of an attribute.
    pub(crate) fn rewrite(&mut self, key: &str, work: Arc<OnText>) -> bool {
        self.add(key, What::Text(work))
    }

    /// Rewrites a text of items of this kind; others are not for this pass.
    pub(crate) fn rewrite_field(&mut self, kind: ItemKind, number: u32, work: Arc<OnText>) -> bool {
        let is_free = self.field.is_none();
        if is_free {
            self.field = Some(OfField { kind, number, work });
        }
        is_free
    }

    fn add(&mut self, key: &str, what: What) -> bool {
        let key: Box<[u8]> = key.as_bytes().into();
        let fits = self.attributes.len() < MOST && self.attributes.iter().all(|known| known.key != key);
        if fits {
            self.lengths |= 1 << (key.len() & 63);
            self.attributes.push(OfAttribute { key, what });
        }
        fits
    }

    /// Makes all edits, or none: then the item is as it was. `made` is room for what texts become.
    pub(crate) fn run(&self, item: &mut ItemMut<'_>, made: &mut String) -> bool {
        let mut is_plain = true;
        let rewritten = item.rewrite(|item, out| {
            let written = self.write(item, made, out);
            is_plain = written.is_some();
            written.unwrap_or(false)
        });
        is_plain && rewritten.is_ok()
    }

    /// Appends the item as it is to be, if it is to be another; no answer where it is not that simple.
    fn write(&self, item: Item<'_>, made: &mut String, out: &mut Vec<u8>) -> Option<bool> {
        let (bytes, number) = (item.bytes(), item.kind().attributes_field());
        let field = self.field.as_ref().map_or(Some(0), |field| (field.kind == item.kind()).then_some(field.number))?;
        let (mut kept_from, mut met, mut changed) = (0, 0u32, 0u32);
        let mut has_field = field == 0;
        for found in len_fields(bytes) {
            let payload = found.payload;
            if found.number != number {
                if found.number == field {
                    has_field = true;
                    if rewritten(&self.field.as_ref()?.work, payload, made)? {
                        out.extend_from_slice(&bytes[kept_from..found.start]);
                        put_bytes(out, field, made.as_bytes());
                        kept_from = found.end;
                    }
                }
                continue;
            }
            let attribute = Attribute::new(payload);
            let Some(place) = self.place(attribute.key) else { continue };
            let (edit, bit) = (self.attributes.get(place)?, 1 << place);
            let is_first = met & bit == 0;
            met |= bit;
            let becomes = if is_first { edit.becomes(&attribute, payload, made)? } else { edit.doubled(changed & bit != 0) };
            if becomes == Becomes::Same {
                continue;
            }
            changed |= bit;
            out.extend_from_slice(&bytes[kept_from..found.start]);
            kept_from = found.end;
            if becomes == Becomes::Other {
                edit.put(number, &attribute, payload, made, out);
            }
        }
        has_field.then(|| self.end(&bytes[kept_from..], kept_from > 0, number, met, out))
    }

    /// Writes what is left, and what was not there; tells whether anything changes.
    fn end(&self, rest: &[u8], is_changed: bool, number: u32, met: u32, out: &mut Vec<u8>) -> bool {
        let mut missing =
            self.attributes.iter().enumerate().filter(|(place, _)| met >> place & 1 == 0).filter_map(|(_, edit)| edit.new_entry());
        let first = missing.next();
        let is_changed = is_changed || first.is_some();
        if is_changed {
            out.extend_from_slice(rest);
            first.into_iter().chain(missing).for_each(|entry| put_bytes(out, number, entry));
        }
        is_changed
    }

    #[inline(always)]
    fn place(&self, key: &[u8]) -> Option<usize> {
        if self.lengths >> (key.len() & 63) & 1 == 0 {
            return None;
        }
        self.attributes.iter().position(|edit| *edit.key == *key)
    }
}

/// What becomes of an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Becomes {
    Same,
    Nothing,
    Other,
}

impl OfAttribute {
    /// What becomes of the first attribute that has the key.
    fn becomes(&self, attribute: &Attribute<'_>, entry: &[u8], made: &mut String) -> Option<Becomes> {
        Some(match &self.what {
            What::Put { when: When::Absent, .. } => Becomes::Same,
            What::Put { value, keeps_same: true, .. } if attribute.value().is(value) => Becomes::Same,
            What::Put { .. } => Becomes::Other,
            What::Delete => Becomes::Nothing,
            What::Text(work) => {
                let ValueRef::String(text) = attribute.value() else { return Some(Becomes::Same) };
                if !rewritten(work, text, made)? {
                    return Some(Becomes::Same);
                }
                // Anything else that stands in it would have to stay.
                is_all_there_is(attribute.key, text, entry).then_some(Becomes::Other)?
            }
        })
    }

    /// And of a further one: where a value was replaced, the old one must not live on behind it.
    fn doubled(&self, was_changed: bool) -> Becomes {
        if was_changed || matches!(self.what, What::Delete) { Becomes::Nothing } else { Becomes::Same }
    }

    /// What is put where the key is not there.
    fn new_entry(&self) -> Option<&[u8]> {
        match &self.what {
            What::Put { entry, when: When::Absent | When::Always, .. } => Some(entry),
            _ => None,
        }
    }

    /// Writes an attribute that gets another value.
    fn put(&self, number: u32, attribute: &Attribute<'_>, entry: &[u8], made: &str, out: &mut Vec<u8>) {
        let start = wire::open(out, number);
        if let What::Put { value, .. } = &self.what {
            let written = write_entry_value(entry, &[], Change::Set(value), out);
            debug_assert_eq!(written, Ok(true), "a whole value can always be set");
        } else {
            put_bytes(out, 1, attribute.key);
            wire::put_message(out, 2, |out| put_bytes(out, 1, made.as_bytes()));
        }
        wire::close(out, start);
    }
}

/// Whether a text becomes another; no answer where it is no UTF-8.
fn rewritten(work: &Arc<OnText>, text: &[u8], made: &mut String) -> Option<bool> {
    made.clear();
    work(std::str::from_utf8(text).ok()?, made)
}

/// Whether an entry holds this key and this text in the order that every SDK writes, and nothing else.
fn is_all_there_is(key: &[u8], text: &[u8], entry: &[u8]) -> bool {
    let value = wire::field_length(1, text.len());
    entry.first() == Some(&0x0a) && entry.len() == wire::field_length(1, key.len()) + wire::field_length(2, value)
}

impl fmt::Debug for OnePass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnePass({} attributes)", self.attributes.len())
    }
}

//! Edits: one item of a batch, changed in place as far as anybody who reads it later can tell.
//!
//! The received bytes are never written to. The first edit copies the item, changed, into the batch's own buffer, and its head points there from then on;
//! so a later processor reads what an earlier one wrote without knowing of it, and emitting or holding it is the same copy as for any other item.

use std::sync::Arc;

use super::batch::Group;
use super::check::{Check, MOST_VALUE_LEVELS};
use super::context::{BadEnvelope, Context, envelope_message};
use super::edit::{Change, EditError, write, write_entry_value};
use super::emit::list_number;
use super::item::{EVENTS, TRACE_STATE};
use super::path::Step;
use super::value::{Attribute, put_attribute};
use super::wire::{LEN, entries, put_bytes, put_message};
use super::{Head, Item, ItemKind, Path, Telemetry, Value, heads};

/// One item of a batch, to be read and changed.
#[derive(Debug)]
pub struct ItemMut<'a> {
    batch: &'a mut Telemetry,
    index: usize,
    draft: Draft,
}

/// Where an item is while edits are made to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Draft {
    /// In the batch: every edit is kept there.
    None,
    /// In the batch, and the next edit makes a draft.
    Wanted,
    /// In the draft.
    Written,
}

/// What [`ItemMut::rewrite_attributes`] does with an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Rewrite {
    /// Leaves it.
    Keep,
    /// Takes it out.
    Delete,
    /// Gives it another value.
    Set(Value),
}

impl Telemetry {
    /// One item, to be changed.
    ///
    /// # Panics
    /// When `index` is not below [`Telemetry::len`].
    pub fn item_mut(&mut self, index: usize) -> ItemMut<'_> {
        assert!(index < self.len(), "item {index} of {}", self.len());
        ItemMut::new(self, index)
    }

    /// Changes every item in turn.
    pub fn edit_items(&mut self, mut edit: impl FnMut(&mut ItemMut<'_>)) {
        for index in 0..self.len() {
            edit(&mut ItemMut::new(self, index));
        }
    }
}

impl<'a> ItemMut<'a> {
    fn new(batch: &'a mut Telemetry, index: usize) -> Self {
        Self { batch, index, draft: Draft::None }
    }
}

impl ItemMut<'_> {
    /// The item as it is now.
    #[inline]
    pub fn item(&self) -> Item<'_> {
        let item = self.batch.item(self.index);
        if self.draft == Draft::Written { Item::new(item.head(), &self.batch.draft, item.context()) } else { item }
    }

    /// Makes several edits, of which each sees those before it, and keeps in the batch what they come to: the versions in between never leave the cache.
    pub(crate) fn at_once<T>(&mut self, edits: impl FnOnce(&mut Self) -> T) -> T {
        self.draft = Draft::Wanted;
        let done = edits(self);
        if std::mem::replace(&mut self.draft, Draft::None) == Draft::Written {
            let draft = std::mem::take(&mut self.batch.draft);
            self.keep_in_batch(&draft);
            self.batch.draft = draft;
        }
        done
    }

    /// The value at a path: `None` where nothing is there.
    pub fn get(&self, path: &Path) -> Option<Value> {
        self.item().get(path)
    }

    /// Puts a value at a path. Missing maps on the way come into being; a list must have the element that the path names.
    pub fn set(&mut self, path: &Path, value: &Value) -> Result<(), EditError> {
        self.change(path, Change::Set(value)).map(drop)
    }

    /// Adds a value behind those of a list; where nothing is, a list comes into being.
    pub fn append(&mut self, path: &Path, value: &Value) -> Result<(), EditError> {
        self.change(path, Change::Append(value)).map(drop)
    }

    /// Takes away what is at a path, and tells whether something was. Deleting what is not there is no error.
    pub fn delete(&mut self, path: &Path) -> Result<bool, EditError> {
        self.change(path, Change::Delete)
    }

    /// Looks at every attribute once and rewrites the item once, whatever was changed: how redaction works.
    pub fn rewrite_attributes(&mut self, mut rewrite: impl FnMut(&Attribute<'_>) -> Rewrite) -> bool {
        let mut scratch = std::mem::take(&mut self.batch.scratch);
        scratch.clear();
        let item = self.item();
        let (bytes, number) = (item.bytes(), item.kind().attributes_field());
        let mut kept_from = 0;
        for found in entries(bytes, number) {
            let attribute = Attribute::new(found.payload);
            let answer = rewrite(&attribute);
            if answer == Rewrite::Keep {
                continue;
            }
            scratch.extend_from_slice(&bytes[kept_from..found.start]);
            kept_from = found.end;
            if let Rewrite::Set(value) = answer {
                put_rewritten(&mut scratch, number, &attribute, found.payload, &value);
            }
        }
        let changed = kept_from > 0 && u32::try_from(self.batch.edited.len() + EDIT_PREFIX + scratch.len() + bytes.len()).is_ok();
        if changed {
            scratch.extend_from_slice(&bytes[kept_from..]);
            self.keep(&mut scratch);
        }
        self.batch.scratch = scratch;
        changed
    }

    /// Writes the item anew: `write` appends what it is to be, and tells whether it is to be anything else. What the head mirrors must stay as it is.
    pub(crate) fn rewrite(&mut self, write: impl FnOnce(Item<'_>, &mut Vec<u8>) -> bool) -> Result<bool, EditError> {
        // As long as nothing was edited, there is no room, and most sweeps need none.
        let has_room = !self.batch.edited.is_empty();
        if has_room && self.draft == Draft::None && !self.batch.heads[self.index].has(Head::EDITED) {
            return self.rewrite_received(write);
        }
        let mut scratch = std::mem::take(&mut self.batch.scratch);
        scratch.clear();
        let is_changed = write(self.item(), &mut scratch);
        let fits = u32::try_from(self.batch.edited.len() + EDIT_PREFIX + scratch.len()).is_ok();
        if is_changed && fits {
            self.keep(&mut scratch);
        }
        self.batch.scratch = scratch;
        if is_changed && !fits { Err(EditError::TooLarge) } else { Ok(is_changed) }
    }

    /// The same for an item that is as it was received: it is written where edits are kept, and not copied there.
    fn rewrite_received(&mut self, write: impl FnOnce(Item<'_>, &mut Vec<u8>) -> bool) -> Result<bool, EditError> {
        let before = self.batch.edited.len();
        let length = self.batch.heads[self.index].length as usize;
        self.batch.make_room_for_edits(self.index, EDIT_PREFIX + length);
        let mut edited = std::mem::take(&mut self.batch.edited);
        edited.extend_from_slice(&[0; EDIT_PREFIX]);
        let start = edited.len();
        let item = self.batch.item(self.index);
        let number = list_number(item.kind());
        let is_changed = write(item, &mut edited);
        let fits = u32::try_from(edited.len()).is_ok();
        if is_changed && fits {
            let length = edited.len() - start;
            put_edit_prefix(&mut edited[before..start], number, length);
            let head = &mut self.batch.heads[self.index];
            (head.offset, head.length) = (start as u32, length as u32);
            head.flags |= Head::EDITED;
            self.batch.pristine = None;
        } else {
            edited.truncate(before);
        }
        self.batch.edited = edited;
        if is_changed && !fits { Err(EditError::TooLarge) } else { Ok(is_changed) }
    }

    /// Takes events out of a span; told by their places in the list, ascending.
    pub fn delete_events(&mut self, places: &[usize]) {
        let mut scratch = std::mem::take(&mut self.batch.scratch);
        scratch.clear();
        let bytes = self.item().bytes();
        let (mut copied, mut next) = (0, 0);
        for (place, found) in entries(bytes, EVENTS).enumerate() {
            if places.get(next) == Some(&place) {
                next += 1;
                scratch.extend_from_slice(&bytes[copied..found.start]);
                copied = found.end;
            }
        }
        let fits = u32::try_from(self.batch.edited.len() + EDIT_PREFIX + bytes.len()).is_ok();
        if copied > 0 && fits && self.item().kind() == ItemKind::Span {
            scratch.extend_from_slice(&bytes[copied..]);
            self.keep(&mut scratch);
        }
        self.batch.scratch = scratch;
    }

    /// Gives some events of a span other messages; told by their places in the list, ascending.
    pub(crate) fn replace_events(&mut self, events: &[(usize, Vec<u8>)]) -> Result<(), EditError> {
        let mut scratch = std::mem::take(&mut self.batch.scratch);
        scratch.clear();
        let bytes = self.item().bytes();
        let (mut copied, mut next) = (0, 0);
        for (place, found) in entries(bytes, EVENTS).enumerate() {
            let Some((_, event)) = events.get(next).filter(|(at, _)| *at == place) else { continue };
            next += 1;
            scratch.extend_from_slice(&bytes[copied..found.start]);
            put_bytes(&mut scratch, EVENTS, event);
            copied = found.end;
        }
        scratch.extend_from_slice(&bytes[copied..]);
        let outcome = self.check_whole(&scratch);
        if outcome.is_ok() {
            self.keep(&mut scratch);
        }
        self.batch.scratch = scratch;
        outcome
    }

    fn check_whole(&self, bytes: &[u8]) -> Result<(), EditError> {
        if u32::try_from(self.batch.edited.len() + EDIT_PREFIX + bytes.len()).is_err() {
            return Err(EditError::TooLarge);
        }
        Check::default().whole(self.item().kind().message(), bytes).map_err(|_| EditError::TooDeep)
    }

    /// Gives the item another context, one that was made from its own.
    pub(crate) fn set_context(&mut self, context: &Arc<Context>) {
        self.move_to(Arc::clone(context));
    }

    fn change(&mut self, path: &Path, change: Change<'_>) -> Result<bool, EditError> {
        let kind = self.item().kind();
        let steps = path.steps(kind).ok_or(EditError::NoSuchField(kind.message().name))?;
        match path.level() {
            None => self.change_item(kind, steps, change),
            Some(_) => {
                let context = self.item().context().changed(path, change)?;
                Ok(context.map(|context| self.move_to(context)).is_some())
            }
        }
    }

    fn change_item(&mut self, kind: ItemKind, steps: &[Step], change: Change<'_>) -> Result<bool, EditError> {
        if let Change::Set(Value::String(state)) = change
            && is_trace_state(kind, steps)
            && self.takes_trace_state_behind(state)
        {
            return self.put_trace_state_behind(state);
        }
        let mut scratch = std::mem::take(&mut self.batch.scratch);
        scratch.clear();
        let outcome = self.change_into(kind, steps, change, &mut scratch);
        self.batch.scratch = scratch;
        outcome
    }

    fn change_into(&mut self, kind: ItemKind, steps: &[Step], change: Change<'_>, scratch: &mut Vec<u8>) -> Result<bool, EditError> {
        if !write(kind.message(), self.item().bytes(), steps, change, scratch)? {
            return Ok(false);
        }
        if u32::try_from(self.batch.edited.len() + EDIT_PREFIX + scratch.len()).is_err() {
            return Err(EditError::TooLarge);
        }
        if might_be_too_deep(steps, change) {
            Check::default().whole(kind.message(), scratch).map_err(|_| EditError::TooDeep)?;
        }
        let head = if is_in_head(kind, steps) { Some(self.reread(kind, scratch)?) } else { None };
        self.keep(scratch);
        let kept = &mut self.batch.heads[self.index];
        if is_trace_state(kind, steps) {
            // All that the head says of it is that there is none.
            kept.flags &= !Head::NO_TRACE_STATE;
        }
        if let Some(head) = head {
            let flags = head.flags | kept.flags & Head::EDITED;
            *kept = Head { offset: kept.offset, length: kept.length, group: kept.group, flags, ..head };
        }
        Ok(true)
    }

    /// Whether a trace state can stand behind a span's other fields, where they were received: most spans have none until they are sampled.
    fn takes_trace_state_behind(&self, state: &str) -> bool {
        let head = self.item().head();
        head.has(Head::NO_TRACE_STATE) && !head.has(Head::EDITED) && self.draft == Draft::None && !state.is_empty()
    }

    /// What any other edit would come to, with a single copy and without a look at the fields.
    fn put_trace_state_behind(&mut self, state: &str) -> Result<bool, EditError> {
        let changed = self.rewrite_received(|item, out| {
            out.extend_from_slice(item.bytes());
            put_bytes(out, TRACE_STATE, state.as_bytes());
            true
        })?;
        self.batch.heads[self.index].flags &= !Head::NO_TRACE_STATE;
        Ok(changed)
    }

    /// The head after a field of it was changed. An edit may leave an odd id odd, but not make one.
    fn reread(&self, kind: ItemKind, bytes: &[u8]) -> Result<Head, EditError> {
        const ODD: u16 = Head::ODD_SPAN_ID | Head::ODD_PARENT_ID;
        let head = heads::read(kind, bytes, &mut Check::default()).map_err(|_| EditError::BadId)?;
        let before = self.item().head().flags;
        if head.flags & ODD & !before == 0 { Ok(head) } else { Err(EditError::BadId) }
    }

    /// Makes what stands in the scratch buffer what the item is from now on.
    fn keep(&mut self, written: &mut Vec<u8>) {
        if self.draft == Draft::None {
            self.keep_in_batch(written);
        } else {
            std::mem::swap(written, &mut self.batch.draft);
            self.draft = Draft::Written;
        }
    }

    fn keep_in_batch(&mut self, bytes: &[u8]) {
        self.batch.make_room_for_edits(self.index, EDIT_PREFIX + bytes.len());
        let number = list_number(self.item().kind());
        let Telemetry { heads, edited, pristine, dead_edits, .. } = &mut *self.batch;
        *pristine = None;
        let head = &mut heads[self.index];
        let (start, before) = (head.offset as usize, head.length as usize);
        head.length = bytes.len() as u32;
        if head.has(Head::EDITED) && start + before == edited.len() {
            // The newest edit is edited again: the usual case, where one item gets all its edits before the next.
            edited.truncate(start);
        } else if head.has(Head::EDITED) && bytes.len() <= before {
            edited[start..start + bytes.len()].copy_from_slice(bytes);
            *dead_edits += before - bytes.len();
            return;
        } else {
            *dead_edits += if head.has(Head::EDITED) { before } else { 0 };
            let prefix = edited.len();
            edited.extend_from_slice(&[0; EDIT_PREFIX]);
            put_edit_prefix(&mut edited[prefix..], number, bytes.len());
        }
        head.offset = edited.len() as u32;
        head.flags |= Head::EDITED;
        edited.extend_from_slice(bytes);
        self.batch.compact_edits();
    }

    /// Gives the item another context, and leaves its neighbours theirs.
    fn move_to(&mut self, context: Arc<Context>) {
        let Telemetry { heads, groups, pristine, .. } = &mut *self.batch;
        *pristine = None;
        let head = &mut heads[self.index];
        let from = groups[head.group as usize].clone();
        let fits =
            |group: &Group| group.context.id() == context.id() && group.origin == from.origin && group.body.as_ptr() == from.body.as_ptr();
        let known = groups.iter().rev().take(MOST_LOOKED_BACK).position(fits).map(|back| groups.len() - 1 - back);
        let number = known.unwrap_or_else(|| {
            groups.push(Group { context, ..from });
            groups.len() - 1
        });
        head.group = number as u32;
    }
}

/// In front of an item that was edited stand its tag and its length, where they take so many bytes: then items that were edited one behind the other are sent so.
const EDIT_PREFIX: usize = 3;

fn put_edit_prefix(prefix: &mut [u8], number: u32, length: usize) {
    if (0x80..0x4000).contains(&length) {
        prefix.copy_from_slice(&[(number << 3) as u8 | LEN, length as u8 | 0x80, (length >> 7) as u8]);
    }
}

/// Items that move to the same context mostly do so in a row, so the group is one of the newest.
const MOST_LOOKED_BACK: usize = 64;

/// Writes an attribute with another value. What else is in its entry stays, except for a key that is no UTF-8: an edit repairs it.
fn put_rewritten(out: &mut Vec<u8>, number: u32, attribute: &Attribute<'_>, entry: &[u8], value: &Value) {
    if std::str::from_utf8(attribute.key).is_err() {
        return put_attribute(out, number, &attribute.key_text(), value);
    }
    put_message(out, number, |out| {
        let written = write_entry_value(entry, &[], Change::Set(value), out);
        debug_assert_eq!(written, Ok(true), "a whole value can always be set");
    });
}

impl Telemetry {
    /// Grows the buffer of edits for one of `more` bytes. Items are mostly edited in order, so what the edits so far take tells what all will take:
    /// the buffer is moved once, and not each time that it has doubled.
    #[inline]
    fn make_room_for_edits(&mut self, index: usize, more: usize) {
        if self.edited.capacity() - self.edited.len() < more {
            self.grow_edits(index, more);
        }
    }

    #[cold]
    fn grow_edits(&mut self, index: usize, more: usize) {
        /// As long as there is less, there is no telling.
        const TELLING: usize = 16 * 1024;
        /// A few huge items in front of many small ones must not ask for more than there is.
        const MOST_TIMES: usize = 4;
        let (before, so_far) = (self.edited.len(), self.edited.len() + more);
        // Sizes differ, so a sixteenth is added.
        let in_all = (so_far + so_far / 16).saturating_mul(self.heads.len()) / (index + 1);
        let wanted = if before < TELLING { in_all.min(TELLING + more) } else { in_all.min(so_far.saturating_mul(MOST_TIMES)) };
        self.edited.reserve(wanted.max(so_far) - before);
    }

    /// Edits that were replaced leave their bytes behind; when most of the buffer is such, the living are moved together.
    fn compact_edits(&mut self) {
        const WORTH_IT: usize = 64 * 1024;
        if self.dead_edits < WORTH_IT.max(self.edited.len() / 2) {
            return;
        }
        let mut living = Vec::with_capacity(self.edited.len() - self.dead_edits);
        for head in self.heads.iter_mut().filter(|head| head.has(Head::EDITED)) {
            let range = head.offset as usize..head.offset as usize + head.length as usize;
            head.offset = living.len() as u32;
            living.extend_from_slice(&self.edited[range]);
        }
        self.edited = living;
        self.dead_edits = 0;
    }
}

impl Context {
    /// This context with a value put at a path that begins in it. With [`Telemetry::map_contexts`], the edit is made once for all items of a context.
    pub fn set(&self, path: &Path, value: &Value) -> Result<Arc<Context>, EditError> {
        let changed = self.changed(path, Change::Set(value))?;
        // Setting always changes something, if only to what it was.
        changed.ok_or(EditError::NoSuchField("context"))
    }

    /// This context without what is at a path that begins in it; `None` where nothing is there.
    pub fn delete(&self, path: &Path) -> Result<Option<Arc<Context>>, EditError> {
        self.changed(path, Change::Delete)
    }

    pub(crate) fn changed(&self, path: &Path, change: Change<'_>) -> Result<Option<Arc<Context>>, EditError> {
        let kind = self.kind();
        let (Some(level), Some(steps)) = (path.level(), path.steps(kind)) else { return Err(EditError::NoSuchField("context")) };
        let mut envelope = Vec::new();
        if !write(envelope_message(kind, level), self.envelope(level), steps, change, &mut envelope)? {
            return Ok(None);
        }
        self.with_envelope(level, &envelope).map(Some).map_err(|bad| match bad {
            BadEnvelope::TooDeep => EditError::TooDeep,
            BadEnvelope::Malformed => EditError::TooLarge,
        })
    }
}

/// Cheap, and never wrongly false: only then is the whole item checked again.
fn might_be_too_deep(steps: &[Step], change: Change<'_>) -> bool {
    let levels = match change {
        Change::Set(value) | Change::Append(value) => value.levels() + 1,
        Change::Delete => 0,
    };
    levels as usize + steps.len() > MOST_VALUE_LEVELS as usize
}

fn first_field(steps: &[Step]) -> Option<u32> {
    match steps.first() {
        Some(Step::Field(field)) => Some(field.number),
        _ => None,
    }
}

fn is_trace_state(kind: ItemKind, steps: &[Step]) -> bool {
    kind == ItemKind::Span && first_field(steps) == Some(TRACE_STATE)
}

/// Whether the head mirrors the field that a path begins with.
fn is_in_head(kind: ItemKind, steps: &[Step]) -> bool {
    let Some(number) = first_field(steps) else { return false };
    match kind {
        ItemKind::Span => matches!(number, 1 | 2 | 4 | 6 | 7 | 8 | 15 | 16),
        ItemKind::LogRecord => matches!(number, 1 | 2 | 9 | 10 | 11),
        _ => matches!(number, 2 | 3),
    }
}

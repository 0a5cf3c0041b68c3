//! One item as a processor sees it: its head, its bytes as they are now, and its context.

use std::borrow::Cow;
use std::sync::Arc;

use super::context::Context;
use super::value::{Attribute, ValueRef};
use super::wire::{Raw, entries, fields};
use super::{Head, ItemKind, Path, SpanId, TraceId, Value, read, utf8};

/// A span, log record or metric point, read in place. Edits that were made before are in it.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    head: &'a Head,
    bytes: &'a [u8],
    context: &'a Arc<Context>,
}

impl<'a> Item<'a> {
    /// A view of an item, wherever its parts are kept: in a batch, or in a trace store.
    pub fn new(head: &'a Head, bytes: &'a [u8], context: &'a Arc<Context>) -> Self {
        Self { head, bytes, context }
    }

    /// What was parsed of it.
    pub fn head(&self) -> &'a Head {
        self.head
    }

    /// Its message's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What it shares with others.
    pub fn context(&self) -> &'a Arc<Context> {
        self.context
    }

    /// What it is.
    pub fn kind(&self) -> ItemKind {
        self.context.kind()
    }

    /// The trace it belongs to.
    pub fn trace_id(&self) -> TraceId {
        self.head.trace
    }

    /// Its own id; of a log record, the span it was written in.
    pub fn span_id(&self) -> SpanId {
        self.head.span
    }

    /// Its parent's id; none for a root.
    pub fn parent_span_id(&self) -> SpanId {
        self.head.parent
    }

    /// A span's name, a point's metric's name, a log record's event name; repaired where it is no UTF-8.
    pub fn name(&self) -> Cow<'a, str> {
        let name = match self.kind() {
            ItemKind::Span => first_payload(self.bytes, 5),
            ItemKind::LogRecord => first_payload(self.bytes, 12),
            _ => first_payload(self.context.envelope(super::Level::Metric), 1),
        };
        utf8::repair(name)
    }

    /// A span's W3C trace state as it was sent, unchecked; empty where it has none, and for all other kinds.
    pub fn trace_state(&self) -> &'a [u8] {
        let may_have_one = self.kind() == ItemKind::Span && !self.head.has(Head::NO_TRACE_STATE);
        if may_have_one { first_payload(self.bytes, TRACE_STATE) } else { &[] }
    }

    /// Its attributes, in the order written.
    #[inline]
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        entries(self.bytes, self.kind().attributes_field()).map(|entry| Attribute::new(entry.payload))
    }

    /// One attribute; of a repeated key, the first.
    #[inline]
    pub fn attribute(&self, key: &str) -> Option<ValueRef<'a>> {
        self.attributes().find(|attribute| attribute.key == key.as_bytes()).map(|attribute| attribute.value())
    }

    /// The messages of a span's events, in the order written; nothing else has any.
    pub fn events(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let events = (self.kind() == ItemKind::Span).then(|| entries(self.bytes, EVENTS).map(|entry| entry.payload));
        events.into_iter().flatten()
    }

    /// The names of a span's events, in the order written; repaired where they are no UTF-8.
    pub fn event_names(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.events().map(|event| utf8::repair(first_payload(event, 2)))
    }

    /// The message of one event of a span, counted from zero.
    pub(crate) fn event(&self, index: usize) -> Option<&'a [u8]> {
        let events = (self.kind() == ItemKind::Span).then(|| entries(self.bytes, EVENTS));
        events?.nth(index).map(|entry| entry.payload)
    }

    /// One attribute of its resource.
    pub fn resource_attribute(&self, key: &str) -> Option<ValueRef<'a>> {
        self.context.resource_attribute(key)
    }

    /// The value at a path: `None` where nothing is there.
    pub fn get(&self, path: &Path) -> Option<Value> {
        let bytes = self.begin(path);
        read::get(bytes, path.steps(self.kind())?)
    }

    /// The value at a path, read in place, where it is an attribute or part of one, or a body.
    pub fn get_ref(&self, path: &Path) -> Option<ValueRef<'a>> {
        let bytes = self.begin(path);
        read::get_ref(bytes, path.steps(self.kind())?)
    }

    /// The bytes of the message in which a path begins.
    fn begin(&self, path: &Path) -> &'a [u8] {
        path.level().map_or(self.bytes, |level| self.context.envelope(level))
    }
}

/// Number of the trace state in a span.
pub(super) const TRACE_STATE: u32 = 3;

/// Number of the list of events in a span.
pub(super) const EVENTS: u32 = 11;

/// The payload of the first field of that number.
fn first_payload(bytes: &[u8], number: u32) -> &[u8] {
    let field = fields(bytes).find(|field| field.number == number && matches!(field.raw, Raw::Len(_)));
    field.map_or(&[], |field| field.raw.payload())
}

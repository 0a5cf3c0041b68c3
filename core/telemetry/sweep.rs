//! One pass over everything in an item, or in what items share, that somebody wrote: names, messages, attributes, bodies. How redaction works.
//!
//! The pass is over bytes, and what nobody changes is not copied: the first change begins a copy, and what lies between changes is taken over as it
//! stands. Ids, times and numbers that are no attribute's value are never shown, so they cannot be changed.

use std::sync::Arc;

use super::context::Context;
use super::value::{Attribute, ValueRef, put_any_value};
use super::wire::{self, len_fields, put_bytes};
use super::{EditError, ItemKind, ItemMut, Level, Value};

/// Where a text stands, in a user's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Place {
    /// A span's name.
    Name,
    /// A span's attribute, a log record's, a metric point's.
    Attribute,
    /// A span's trace state.
    TraceState,
    /// What a span's status says.
    StatusMessage,
    /// The name of a span's event.
    EventName,
    /// An attribute of a span's event: exceptions are such.
    EventAttribute,
    /// An attribute of a span's link.
    LinkAttribute,
    /// The trace state of a span's link.
    LinkTraceState,
    /// A log record's body.
    Body,
    /// A log record's severity, as a word.
    SeverityText,
    /// An attribute of an exemplar.
    ExemplarAttribute,
    /// An attribute of the resource.
    ResourceAttribute,
    /// The names that a resource has for its entities.
    ResourceEntity,
    /// An attribute of the instrumentation scope.
    ScopeAttribute,
    /// The instrumentation scope's name.
    ScopeName,
    /// The instrumentation scope's version.
    ScopeVersion,
    /// The address of a schema.
    SchemaUrl,
    /// A metric's name.
    MetricName,
    /// A metric's description.
    MetricDescription,
    /// A metric's unit.
    MetricUnit,
    /// An entry of a metric's metadata.
    MetricMetadata,
}

impl Place {
    /// All of them, in order.
    pub const ALL: [Place; 21] = [
        Place::Name,
        Place::Attribute,
        Place::TraceState,
        Place::StatusMessage,
        Place::EventName,
        Place::EventAttribute,
        Place::LinkAttribute,
        Place::LinkTraceState,
        Place::Body,
        Place::SeverityText,
        Place::ExemplarAttribute,
        Place::ResourceAttribute,
        Place::ResourceEntity,
        Place::ScopeAttribute,
        Place::ScopeName,
        Place::ScopeVersion,
        Place::SchemaUrl,
        Place::MetricName,
        Place::MetricDescription,
        Place::MetricUnit,
        Place::MetricMetadata,
    ];

    /// Its name in configurations and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Place::Name => "name",
            Place::Attribute => "attribute",
            Place::TraceState => "trace_state",
            Place::StatusMessage => "status_message",
            Place::EventName => "event_name",
            Place::EventAttribute => "event_attribute",
            Place::LinkAttribute => "link_attribute",
            Place::LinkTraceState => "link_trace_state",
            Place::Body => "body",
            Place::SeverityText => "severity_text",
            Place::ExemplarAttribute => "exemplar_attribute",
            Place::ResourceAttribute => "resource_attribute",
            Place::ResourceEntity => "resource_entity",
            Place::ScopeAttribute => "scope_attribute",
            Place::ScopeName => "scope_name",
            Place::ScopeVersion => "scope_version",
            Place::SchemaUrl => "schema_url",
            Place::MetricName => "metric_name",
            Place::MetricDescription => "metric_description",
            Place::MetricUnit => "metric_unit",
            Place::MetricMetadata => "metric_metadata",
        }
    }
}

/// One attribute as it lies on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a>(&'a [u8]);

impl<'a> Entry<'a> {
    /// One that lies elsewhere, as [`put_key_value`] writes it.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Key and value together, unread: what a verdict is remembered by.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Key and value.
    #[inline]
    pub fn read(self) -> Attribute<'a> {
        Attribute::new(self.0)
    }
}

/// What is to become of what was shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Swept {
    /// It stays.
    Keep,
    /// It goes.
    Delete,
    /// Another attribute comes instead of it.
    Put(Vec<u8>, Value),
    /// Its bytes were written out as they are to be: with [`put_key_value`].
    Written,
}

/// Who sweeps. It is shown every text of an item in the order of the wire; what it does not care for it leaves as it is.
pub trait Sweeper {
    /// A text that stands alone. What it is to be is put into `out`, and the answer is whether anything was.
    fn text(&mut self, place: Place, text: &[u8], out: &mut Vec<u8>) -> bool;

    /// Whether it is known already that an attribute stays. Each is asked about before it is shown, so this should cost next to nothing.
    #[inline]
    fn keeps(&mut self, _place: Place, _entry: Entry<'_>) -> bool {
        false
    }

    /// An attribute.
    fn attribute(&mut self, place: Place, entry: Entry<'_>, out: &mut Vec<u8>) -> Swept;

    /// A log record's body: what it is to be, where that is something else.
    fn body(&mut self, value: ValueRef<'_>) -> Option<Value>;

    /// Something with attributes begins; `owner` can be asked for them. Attributes shown until the next [`end`](Self::end) of the same place are its.
    fn begin(&mut self, _place: Place, _owner: Owner<'_>) {}

    /// It ends, and these are added to its attributes.
    fn end(&mut self, _place: Place) -> Vec<(String, Value)> {
        Vec::new()
    }
}

/// Something that has attributes.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    bytes: &'a [u8],
    number: u32,
}

impl<'a> Owner<'a> {
    /// Its attributes, in the order written.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'a>> {
        wire::entries(self.bytes, self.number).map(|entry| Attribute::new(entry.payload))
    }

    /// One attribute; of a repeated key, the first.
    pub fn attribute(self, key: &str) -> Option<ValueRef<'a>> {
        self.attributes().find(|attribute| attribute.key == key.as_bytes()).map(|attribute| attribute.value())
    }
}

/// Appends an attribute's bytes.
pub fn put_key_value(out: &mut Vec<u8>, key: &[u8], value: &Value) {
    put_bytes(out, 1, key);
    wire::put_message(out, 2, |out| put_any_value(out, value));
}

/// What a field of a message is to a sweep.
#[derive(Clone, Copy)]
enum Part {
    Unread,
    Text(Place),
    Attributes,
    Body,
    Inner(&'static Plan),
}

/// What the fields of a message are, by number.
struct Plan {
    parts: [Part; 17],
    /// Whose the attributes are, and the number of their field; the number is zero where it has none.
    place: Place,
    attributes: u32,
}

impl Plan {
    const fn of(parts: &[(usize, Part)], place: Place) -> Plan {
        let mut plan = Plan { parts: [Part::Unread; 17], place, attributes: 0 };
        let mut at = 0;
        while at < parts.len() {
            plan.parts[parts[at].0] = parts[at].1;
            if let Part::Attributes = parts[at].1 {
                plan.attributes = parts[at].0 as u32;
            }
            at += 1;
        }
        plan
    }
}

static STATUS: Plan = Plan::of(&[(2, Part::Text(Place::StatusMessage))], Place::Attribute);
static EVENT: Plan = Plan::of(&[(2, Part::Text(Place::EventName)), (3, Part::Attributes)], Place::EventAttribute);
static LINK: Plan = Plan::of(&[(3, Part::Text(Place::LinkTraceState)), (4, Part::Attributes)], Place::LinkAttribute);
static EXEMPLAR: Plan = Plan::of(&[(7, Part::Attributes)], Place::ExemplarAttribute);
static SPAN: Plan = Plan::of(
    &[
        (3, Part::Text(Place::TraceState)),
        (5, Part::Text(Place::Name)),
        (9, Part::Attributes),
        (11, Part::Inner(&EVENT)),
        (13, Part::Inner(&LINK)),
        (15, Part::Inner(&STATUS)),
    ],
    Place::Attribute,
);
static LOG_RECORD: Plan = Plan::of(
    &[(3, Part::Text(Place::SeverityText)), (5, Part::Body), (6, Part::Attributes), (12, Part::Text(Place::EventName))],
    Place::Attribute,
);
static NUMBER: Plan = Plan::of(&[(5, Part::Inner(&EXEMPLAR)), (7, Part::Attributes)], Place::Attribute);
static HISTOGRAM: Plan = Plan::of(&[(8, Part::Inner(&EXEMPLAR)), (9, Part::Attributes)], Place::Attribute);
static EXPONENTIAL: Plan = Plan::of(&[(11, Part::Inner(&EXEMPLAR)), (1, Part::Attributes)], Place::Attribute);
static SUMMARY: Plan = Plan::of(&[(7, Part::Attributes)], Place::Attribute);
static ENTITY: Plan = Plan::of(
    &[
        (1, Part::Text(Place::SchemaUrl)),
        (2, Part::Text(Place::ResourceEntity)),
        (3, Part::Text(Place::ResourceEntity)),
        (4, Part::Text(Place::ResourceEntity)),
    ],
    Place::ResourceAttribute,
);
static RESOURCE: Plan = Plan::of(&[(1, Part::Attributes), (3, Part::Inner(&ENTITY))], Place::ResourceAttribute);
static SCOPE: Plan =
    Plan::of(&[(1, Part::Text(Place::ScopeName)), (2, Part::Text(Place::ScopeVersion)), (3, Part::Attributes)], Place::ScopeAttribute);
static RESOURCE_ENVELOPE: Plan = Plan::of(&[(1, Part::Inner(&RESOURCE)), (3, Part::Text(Place::SchemaUrl))], Place::ResourceAttribute);
static SCOPE_ENVELOPE: Plan = Plan::of(&[(1, Part::Inner(&SCOPE)), (3, Part::Text(Place::SchemaUrl))], Place::ScopeAttribute);
static METRIC: Plan = Plan::of(
    &[
        (1, Part::Text(Place::MetricName)),
        (2, Part::Text(Place::MetricDescription)),
        (3, Part::Text(Place::MetricUnit)),
        (12, Part::Attributes),
    ],
    Place::MetricMetadata,
);

fn plan_of(kind: ItemKind) -> &'static Plan {
    match kind {
        ItemKind::Span => &SPAN,
        ItemKind::LogRecord => &LOG_RECORD,
        ItemKind::Gauge | ItemKind::Sum => &NUMBER,
        ItemKind::Histogram => &HISTOGRAM,
        ItemKind::ExponentialHistogram => &EXPONENTIAL,
        ItemKind::Summary => &SUMMARY,
    }
}

/// The deepest that plans go: resource envelope, resource, entity.
const LEVELS: usize = 3;

/// The buffers of a sweep, kept so that sweeping allocates nothing where nothing is changed.
#[derive(Debug, Default)]
pub struct Sweep {
    /// What a message inside is written into before its length is known, one per level.
    inner: [Vec<u8>; LEVELS],
    /// One text or attribute as it is to be.
    piece: Vec<u8>,
}

impl Sweep {
    /// Sweeps one item, and tells whether it was changed.
    pub fn item(&mut self, item: &mut ItemMut<'_>, sweeper: &mut impl Sweeper) -> Result<bool, EditError> {
        item.rewrite(|view, out| self.message(plan_of(view.kind()), view.bytes(), out, 0, sweeper))
    }

    /// Sweeps what items share: the context as it is to be, where it is to be another.
    pub fn context(&mut self, context: &Context, sweeper: &mut impl Sweeper) -> Result<Option<Arc<Context>>, EditError> {
        let mut changed: Option<Arc<Context>> = None;
        for (level, plan) in [(Level::Resource, &RESOURCE_ENVELOPE), (Level::Scope, &SCOPE_ENVELOPE), (Level::Metric, &METRIC)] {
            let mut envelope = Vec::new();
            if self.message(plan, context.envelope(level), &mut envelope, 0, sweeper) {
                let before = changed.as_deref().unwrap_or(context);
                changed = Some(before.with_envelope(level, &envelope).map_err(|_| EditError::TooLarge)?);
            }
        }
        Ok(changed)
    }

    /// Appends the message as it is to be, if it is to be another; else what was appended is nothing.
    fn message(&mut self, plan: &Plan, bytes: &[u8], out: &mut Vec<u8>, level: usize, sweeper: &mut impl Sweeper) -> bool {
        let mut kept_from = 0;
        if plan.attributes != 0 {
            sweeper.begin(plan.place, Owner { bytes, number: plan.attributes });
        }
        for found in len_fields(bytes) {
            let payload = found.payload;
            if found.number == plan.attributes && sweeper.keeps(plan.place, Entry(payload)) {
                continue;
            }
            let part = plan.parts.get(found.number as usize).copied().unwrap_or(Part::Unread);
            let is_changed = match part {
                Part::Unread => continue,
                Part::Attributes => match self.entry(plan.place, payload, sweeper) {
                    Swept::Keep => continue,
                    Swept::Delete => {
                        out.extend_from_slice(&bytes[kept_from..found.start]);
                        kept_from = found.end;
                        continue;
                    }
                    Swept::Put(..) | Swept::Written => true,
                },
                Part::Text(place) => {
                    self.piece.clear();
                    sweeper.text(place, payload, &mut self.piece)
                }
                Part::Body => self.body(payload, sweeper),
                Part::Inner(inner) => {
                    let mut written = std::mem::take(&mut self.inner[level]);
                    written.clear();
                    let is_changed = self.message(inner, payload, &mut written, level + 1, sweeper);
                    if is_changed {
                        out.extend_from_slice(&bytes[kept_from..found.start]);
                        put_bytes(out, found.number, &written);
                        kept_from = found.end;
                    }
                    self.inner[level] = written;
                    continue;
                }
            };
            if is_changed {
                out.extend_from_slice(&bytes[kept_from..found.start]);
                put_bytes(out, found.number, &self.piece);
                kept_from = found.end;
            }
        }
        let added = if plan.attributes != 0 { sweeper.end(plan.place) } else { Vec::new() };
        if kept_from == 0 && added.is_empty() {
            return false;
        }
        out.extend_from_slice(&bytes[kept_from..]);
        for (key, value) in added {
            wire::put_message(out, plan.attributes, |out| put_key_value(out, key.as_bytes(), &value));
        }
        true
    }

    fn body(&mut self, payload: &[u8], sweeper: &mut impl Sweeper) -> bool {
        let Some(value) = sweeper.body(ValueRef::read(payload)) else { return false };
        self.piece.clear();
        put_any_value(&mut self.piece, &value);
        true
    }

    #[inline]
    fn entry(&mut self, place: Place, payload: &[u8], sweeper: &mut impl Sweeper) -> Swept {
        self.piece.clear();
        let swept = sweeper.attribute(place, Entry(payload), &mut self.piece);
        if let Swept::Put(key, value) = &swept {
            put_key_value(&mut self.piece, key, value);
        }
        swept
    }
}

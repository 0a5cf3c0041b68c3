//! What many items share: resource, scope and metric, kept once and compared by number.

use std::borrow::Cow;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::check::{Check, Fault};
use super::plain::write_plain;
use super::schema::{self, Message};
use super::value::{Attribute, ValueRef};
use super::wire::{Cursor, Malformed, entries, fields};
use super::{ItemKind, Path, Signal};

/// All bytes around an item but the list it stands in: those of its `Resource…`, its `Scope…` and, for a point, its `Metric`; unknown fields included.
///
/// A context is immutable and shared by its items; changing one item's resource gives that item another context. Equal bytes have the same context as
/// long as any item holds it, so what a processor computes from a context it can keep under [`Context::id`] and compute once.
///
/// It is a chain: a point's metric stands below a scope, that below a resource, and each is kept once.
pub struct Context {
    id: u64,
    kind: ItemKind,
    parent: Option<Arc<Context>>,
    /// The envelope at this level: every field but the list. For a metric, that of `Metric`, then that of its `Gauge`, `Sum` ...
    bytes: Box<[u8]>,
    /// Where the second envelope of a metric begins.
    data_at: usize,
    interner: Weak<Shards>,
}

/// Which level of the chain an envelope stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `ResourceSpans` and its like: resource, schema URL.
    Resource,
    /// `ScopeSpans` and its like: scope, schema URL.
    Scope,
    /// `Metric`: name, unit, metadata.
    Metric,
    /// `Gauge`, `Sum` and the others: temporality, monotonicity.
    Data,
}

impl Context {
    /// A number that no other context of this process has or will have.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What the items of this context are.
    pub fn kind(&self) -> ItemKind {
        self.kind
    }

    /// How many bytes it has, its parents' included.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.parent.as_ref().map_or(0, |parent| parent.size())
    }

    /// The next level up: of a metric its scope, of a scope its resource.
    pub(crate) fn parent(&self) -> Option<&Arc<Context>> {
        self.parent.as_ref()
    }

    /// The envelope at one level: its message's fields but the list. Empty where there is no such level.
    pub fn envelope(&self, level: Level) -> &[u8] {
        let chain = match (level, self.level()) {
            (Level::Data, Level::Metric) => return &self.bytes[self.data_at..],
            (wanted, here) if wanted == here => return &self.bytes[..self.data_at],
            _ => self.parent(),
        };
        chain.map_or(&[], |parent| parent.envelope(level))
    }

    fn level(&self) -> Level {
        match &self.parent {
            None => Level::Resource,
            Some(parent) if parent.parent.is_none() => Level::Scope,
            Some(_) => Level::Metric,
        }
    }

    /// The envelopes from the outside in: what [`Interner::intern`] makes the same context of again, in this process or another.
    pub fn envelopes(&self) -> [&[u8]; 4] {
        [Level::Resource, Level::Scope, Level::Metric, Level::Data].map(|level| self.envelope(level))
    }

    /// The attributes of the resource.
    pub fn resource_attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        let resource = fields(self.envelope(Level::Resource)).find(|field| field.number == 1);
        attributes_in(resource.map_or(&[], |field| field.raw.payload()))
    }

    /// One attribute of the resource.
    pub fn resource_attribute(&self, key: &str) -> Option<ValueRef<'_>> {
        self.resource_attributes().find(|attribute| attribute.key == key.as_bytes()).map(|attribute| attribute.value())
    }

    /// The value at a path that begins in it, read in place.
    pub(crate) fn get_ref(&self, path: &Path) -> Option<ValueRef<'_>> {
        super::read::get_ref(self.envelope(path.level()?), path.steps(self.kind)?)
    }

    /// The same context with other bytes at one level.
    pub(crate) fn with_envelope(&self, level: Level, envelope: &[u8]) -> Result<Arc<Context>, BadEnvelope> {
        let mut envelopes = self.envelopes();
        envelopes[level as usize] = envelope;
        let shards = self.interner.upgrade().unwrap_or_default();
        Interner { shards }.intern(self.kind, envelopes)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({}, {:?}, {} bytes)", self.id, self.kind, self.size())
    }
}

/// The attributes of a resource message.
fn attributes_in(resource: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    entries(resource, 1).map(|entry| Attribute::new(entry.payload))
}

/// The message an envelope is a part of.
pub(crate) fn envelope_message(kind: ItemKind, level: Level) -> &'static Message {
    match (level, kind.signal()) {
        (Level::Resource, Signal::Traces) => &schema::RESOURCE_SPANS,
        (Level::Resource, Signal::Logs) => &schema::RESOURCE_LOGS,
        (Level::Resource, Signal::Metrics) => &schema::RESOURCE_METRICS,
        (Level::Scope, Signal::Traces) => &schema::SCOPE_SPANS,
        (Level::Scope, Signal::Logs) => &schema::SCOPE_LOGS,
        (Level::Scope, Signal::Metrics) => &schema::SCOPE_METRICS,
        (Level::Metric, _) => &schema::METRIC,
        (Level::Data, _) => match kind {
            ItemKind::Sum => &schema::SUM,
            ItemKind::Histogram => &schema::HISTOGRAM,
            ItemKind::ExponentialHistogram => &schema::EXPONENTIAL_HISTOGRAM,
            ItemKind::Summary => &schema::SUMMARY,
            _ => &schema::GAUGE,
        },
    }
}

/// Where contexts with the same bytes become one. Cloning it gives another handle to the same table.
///
/// It holds no context alive. It is bounded: beyond [`Interner::MOST`] living contexts, further ones are simply not shared, which costs memory and
/// cache hits and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    shards: Arc<Shards>,
}

#[derive(Debug, Default)]
struct Shards {
    /// Ids are the process's, not the interner's: a processor's cache must not confuse two pipelines.
    hasher: RandomState,
    tables: [Mutex<Table>; SHARDS],
}

const SHARDS: usize = 16;
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

#[derive(Debug, Default)]
struct Table {
    known: HashTable<(u64, Weak<Context>)>,
    /// At this size the dead are swept out, so that sweeping costs each insertion a constant.
    sweep_at: usize,
}

/// What tells one context from another.
#[derive(Clone, Copy)]
struct Key<'a> {
    parent: Option<&'a Arc<Context>>,
    kind: ItemKind,
    bytes: &'a [u8],
    data_at: usize,
}

impl Interner {
    /// How many living contexts it shares at most.
    pub const MOST: usize = 1 << 17;

    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The context of these envelopes: resource, scope and, for points, metric and data. Odd ones are made plain.
    pub fn intern(&self, kind: ItemKind, envelopes: [&[u8]; 4]) -> Result<Arc<Context>, BadEnvelope> {
        let [resource, scope, metric, data] = envelopes;
        let resource = self.resource(kind.signal(), resource)?;
        let scope = self.scope(&resource, kind.signal(), scope)?;
        if kind.signal() == Signal::Metrics { self.metric(&scope, kind, metric, data) } else { Ok(scope) }
    }

    /// The first link of a chain.
    pub(crate) fn resource(&self, signal: Signal, envelope: &[u8]) -> Result<Arc<Context>, BadEnvelope> {
        self.link(None, anchor(signal), Level::Resource, envelope)
    }

    /// The second link: for spans and log records, the last.
    pub(crate) fn scope(&self, resource: &Arc<Context>, signal: Signal, envelope: &[u8]) -> Result<Arc<Context>, BadEnvelope> {
        self.link(Some(resource), anchor(signal), Level::Scope, envelope)
    }

    /// The third link, of points.
    pub(crate) fn metric(&self, scope: &Arc<Context>, kind: ItemKind, metric: &[u8], data: &[u8]) -> Result<Arc<Context>, BadEnvelope> {
        let mut bytes = plain(&schema::METRIC, metric)?.into_owned();
        let data_at = bytes.len();
        bytes.extend_from_slice(&plain(envelope_message(kind, Level::Data), data)?);
        Ok(self.find_or_keep(Key { parent: Some(scope), kind, bytes: &bytes, data_at }))
    }

    fn link(&self, parent: Option<&Arc<Context>>, kind: ItemKind, level: Level, envelope: &[u8]) -> Result<Arc<Context>, BadEnvelope> {
        let bytes = plain(envelope_message(kind, level), envelope)?;
        Ok(self.find_or_keep(Key { parent, kind, bytes: &bytes, data_at: bytes.len() }))
    }

    fn find_or_keep(&self, key: Key<'_>) -> Arc<Context> {
        let parent = key.parent.map_or(0, |parent| parent.id);
        let hash = self.shards.hasher.hash_one((parent, key.kind, key.data_at, key.bytes));
        let table = &self.shards.tables[hash as usize % SHARDS];
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = table.find(hash, key) {
            return known;
        }
        let context = Arc::new(Context {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            kind: key.kind,
            parent: key.parent.cloned(),
            bytes: key.bytes.into(),
            data_at: key.data_at,
            interner: Arc::downgrade(&self.shards),
        });
        table.keep(hash, &context);
        context
    }

    /// How many living contexts are shared at this moment.
    pub fn len(&self) -> usize {
        let living = |table: &Mutex<Table>| {
            let table = table.lock().unwrap_or_else(PoisonError::into_inner);
            table.known.iter().filter(|(_, context)| context.strong_count() > 0).count()
        };
        self.shards.tables.iter().map(living).sum()
    }

    /// True when no context is alive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Spans and log records are told apart by their resource already; for points the metric tells the rest.
fn anchor(signal: Signal) -> ItemKind {
    match signal {
        Signal::Traces => ItemKind::Span,
        Signal::Logs => ItemKind::LogRecord,
        Signal::Metrics => ItemKind::Gauge,
    }
}

/// The envelope in its plain form, or why no item can stand in it.
fn plain<'a>(message: &'static Message, envelope: &'a [u8]) -> Result<Cow<'a, [u8]>, BadEnvelope> {
    let mut check = Check::default();
    check.whole(message, envelope)?;
    if !check.odd {
        return Ok(Cow::Borrowed(envelope));
    }
    let mut bytes = Vec::with_capacity(envelope.len());
    write_plain(message, envelope, &mut bytes);
    Ok(Cow::Owned(bytes))
}

/// Why nothing can stand in an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEnvelope {
    /// It is no protobuf message of its type.
    #[error("the resource, scope or metric is not a valid protobuf message")]
    Malformed,
    /// Values are nested deeper than any decoder need follow.
    #[error("values in the resource, scope or metric are nested deeper than 32 levels")]
    TooDeep,
}

impl From<Fault> for BadEnvelope {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => BadEnvelope::Malformed,
            Fault::TooDeep => BadEnvelope::TooDeep,
        }
    }
}

impl Table {
    fn find(&self, hash: u64, key: Key<'_>) -> Option<Arc<Context>> {
        let same = |context: &Context| {
            context.parent.as_ref().map(|parent| parent.id) == key.parent.map(|parent| parent.id)
                && context.kind == key.kind
                && context.data_at == key.data_at
                && *context.bytes == *key.bytes
        };
        let mut found = None;
        self.known.find(hash, |(known, context)| {
            *known == hash && {
                found = context.upgrade().filter(|context| same(context));
                found.is_some()
            }
        });
        found
    }

    fn keep(&mut self, hash: u64, context: &Arc<Context>) {
        if self.known.len() >= self.sweep_at {
            self.known.retain(|(_, context)| context.strong_count() > 0);
            self.known.shrink_to(self.known.len() * 2, |(hash, _)| *hash);
            self.sweep_at = (self.known.len() * 2).max(64);
        }
        if self.known.len() < Interner::MOST / SHARDS {
            self.known.insert_unique(hash, (hash, Arc::downgrade(context)), |(hash, _)| *hash);
        }
    }
}

/// Appends the fields of a message but those of a list: what becomes an envelope.
pub(crate) fn write_envelope(bytes: &[u8], list: impl Fn(u32) -> bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(bytes);
    let mut kept_from = 0;
    while let Some(field) = cursor.field()? {
        if list(field.number) {
            if kept_from < field.start {
                out.extend_from_slice(&bytes[kept_from..field.start]);
            }
            kept_from = field.end;
        }
    }
    out.extend_from_slice(&bytes[kept_from..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::value::{Value, put_attribute};
    use super::super::wire::put_message;
    use super::*;

    fn resource(service: &str) -> Vec<u8> {
        let mut envelope = Vec::new();
        put_message(&mut envelope, 1, |out| put_attribute(out, 1, "service.name", &Value::from(service)));
        envelope
    }

    fn span_context(interner: &Interner, service: &str) -> Arc<Context> {
        interner.intern(ItemKind::Span, [&resource(service), &[], &[], &[]]).unwrap()
    }

    #[test]
    fn equal_bytes_are_one_context_while_it_lives() {
        let interner = Interner::new();
        let cart = span_context(&interner, "cart");
        assert!(Arc::ptr_eq(&cart, &span_context(&interner, "cart")));
        assert_ne!(cart.id(), span_context(&interner, "checkout").id());
        let id = cart.id();
        drop(cart);
        assert!(interner.is_empty(), "nothing is kept alive");
        assert_ne!(span_context(&interner, "cart").id(), id, "an id is never used again");
    }

    #[test]
    fn a_chain_keeps_each_link_once() {
        let interner = Interner::new();
        let big = resource(&"x".repeat(1_000));
        let points: Vec<_> =
            (0..100u8).map(|unit| interner.intern(ItemKind::Sum, [&big, &[], &[0x0a, 1, unit], &[0x18, 1]]).unwrap()).collect();
        assert_eq!(interner.len(), 102, "a resource, a scope, a hundred metrics");
        assert_eq!(points[7].envelopes(), [&big[..], &[], &[0x0a, 1, 7], &[0x18, 1]]);
        assert!(Arc::ptr_eq(points[0].parent().unwrap(), points[99].parent().unwrap()));
    }

    #[test]
    fn an_edit_makes_another_context_of_the_same_interner() {
        let interner = Interner::new();
        let cart = span_context(&interner, "Cart");
        let name = Path::parse(Signal::Traces, r#"resource.attributes["service.name"]"#).unwrap();
        let renamed = cart.set(&name, &Value::from("cart")).unwrap();
        assert_eq!(cart.resource_attribute("service.name").unwrap().to_value(), Value::from("Cart"));
        assert!(Arc::ptr_eq(&renamed, &span_context(&interner, "cart")));
        assert!(cart.delete(&Path::parse(Signal::Traces, r#"resource.attributes["none"]"#).unwrap()).unwrap().is_none());
    }

    #[test]
    fn beyond_the_bound_contexts_are_not_shared() {
        let interner = Interner::new();
        let many: Vec<_> = (0..Interner::MOST + 10).map(|number| span_context(&interner, &number.to_string())).collect();
        assert!(interner.len() <= Interner::MOST);
        let (shared, first) = (span_context(&interner, "0"), &many[0]);
        assert!(Arc::ptr_eq(&shared, first));
        drop(many);
        assert!(interner.len() <= 2, "what is left is the chain in hand");
    }

    #[test]
    fn bad_envelopes_are_refused() {
        let interner = Interner::new();
        let refused = |envelope: &[u8]| interner.intern(ItemKind::Span, [envelope, &[], &[], &[]]).unwrap_err();
        assert_eq!(refused(&[0x0a]), BadEnvelope::Malformed);
        assert_eq!(refused(&[0x18, 1]), BadEnvelope::Malformed, "a schema URL that is a number");
    }
}

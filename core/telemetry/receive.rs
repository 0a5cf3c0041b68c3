//! From the bytes of a request to a batch: one bounded walk, in which every item is checked and gets its head.
//!
//! A request that is no protobuf down to its items is refused whole. An item that is broken inside costs only itself.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::batch::Group;
use super::check::{Check, Fault, MOST_VALUE_LEVELS};
use super::context::{BadEnvelope, Context, Interner, envelope_message, write_envelope};
use super::plain::write_plain;
use super::schema::{self, LIST, POINTS};
use super::wire::{Cursor, Malformed, Raw, fields};
use super::{Head, ItemKind, Level, Origin, Signal, Telemetry, heads};

/// Reads requests into batches. One per receiver; it keeps nothing but its rules.
#[derive(Clone, Debug)]
pub struct Intake {
    interner: Interner,
    limits: Limits,
}

/// What a receiver lets in.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest item in bytes. Messages have a limit of their own, so this is off unless asked for.
    pub item_bytes: u32,
    /// What happens to spans whose own or parent's id is zero or has the wrong length.
    pub odd_ids: OddIds,
}

/// Whether spans with odd ids travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddIds {
    /// They are rejected on receipt: no back end can take them.
    Reject,
    /// They travel, flagged in their heads, because something in the pipeline repairs them.
    Flag,
}

impl Default for Limits {
    fn default() -> Self {
        Self { item_bytes: u32::MAX, odd_ids: OddIds::Reject }
    }
}

/// The request is not a message of its signal: nothing of it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The framing is broken outside of any item.
    #[error("the request is not a valid OTLP protobuf message")]
    Malformed,
    /// A body of 4 GiB or more.
    #[error("the request is larger than 4 GiB")]
    TooLarge,
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Refusal::Malformed
    }
}

/// Why one item was rejected on receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Broken framing inside the item, or in the resource, scope or metric around it.
    Malformed,
    /// Values nested deeper than any decoder need follow.
    TooDeep,
    /// Larger than the receiver's limit for an item.
    TooLarge,
    /// A span without a trace id, or an id of the wrong length.
    TraceId,
    /// A span without an id, or an id of the wrong length.
    SpanId,
    /// A parent id of the wrong length.
    ParentId,
    /// More items or contexts than a request of its size holds in good faith.
    TooMany,
    /// A metric that is of two types at once.
    Ambiguous,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 8] = [
        Reason::Malformed,
        Reason::TooDeep,
        Reason::TooLarge,
        Reason::TraceId,
        Reason::SpanId,
        Reason::ParentId,
        Reason::TooMany,
        Reason::Ambiguous,
    ];

    /// As it stands in a counter's label.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Malformed => "malformed",
            Reason::TooDeep => "too_deep",
            Reason::TooLarge => "too_large",
            Reason::TraceId => "bad_trace_id",
            Reason::SpanId => "bad_span_id",
            Reason::ParentId => "bad_parent_id",
            Reason::TooMany => "too_many",
            Reason::Ambiguous => "ambiguous_metric",
        }
    }

    /// What is wrong and what would be right, for the sender.
    pub fn explain(self) -> &'static str {
        match self {
            Reason::Malformed => "not a valid protobuf message",
            Reason::TooDeep => "values are nested deeper than 32 levels",
            Reason::TooLarge => "larger than this receiver takes",
            Reason::TraceId => "the trace id must be 16 bytes and not all zero",
            Reason::SpanId => "the span id must be 8 bytes and not all zero",
            Reason::ParentId => "the parent span id must be 8 bytes, or empty",
            Reason::TooMany => "the request holds more items or contexts than its size allows",
            Reason::Ambiguous => "a metric holds points of two types",
        }
    }
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => Reason::Malformed,
            Fault::TooDeep => Reason::TooDeep,
        }
    }
}

impl From<BadEnvelope> for Reason {
    fn from(bad: BadEnvelope) -> Self {
        match bad {
            BadEnvelope::Malformed => Reason::Malformed,
            BadEnvelope::TooDeep => Reason::TooDeep,
        }
    }
}

/// What was rejected on receipt: how many for which reason, and where the first of each stood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejections {
    counts: [u64; Reason::ALL.len()],
    first: [u64; Reason::ALL.len()],
}

impl Rejections {
    fn add(&mut self, reason: Reason, position: u64) {
        let place = reason as usize;
        if self.counts[place] == 0 {
            self.first[place] = position;
        }
        self.counts[place] += 1;
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The reasons met, how many items each, and the first of them, counting the request's items from zero.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, u64, u64)> + '_ {
        let all = Reason::ALL.into_iter().map(|reason| (reason, self.counts[reason as usize], self.first[reason as usize]));
        all.filter(|(_, count, _)| *count > 0)
    }
}

impl fmt::Display for Rejections {
    /// The message of a partial success.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (reason, count, first)) in self.iter().enumerate() {
            let comma = if place == 0 { "" } else { "; " };
            write!(f, "{comma}{count} rejected, the first at position {first}: {}", reason.explain())?;
        }
        Ok(())
    }
}

/// A request that was read, before anybody answers for it.
#[derive(Debug)]
pub struct Parsed {
    signal: Signal,
    body: Bytes,
    heads: Vec<Head>,
    contexts: Vec<Arc<Context>>,
    edited: Vec<u8>,
    /// Whether all that stands around the items can be decoded, too, even where it holds none.
    sound: bool,
    /// What was not let in.
    pub rejections: Rejections,
}

impl Parsed {
    /// How many items the request held, the rejected ones included.
    pub fn total(&self) -> u64 {
        self.heads.len() as u64 + self.rejections.total()
    }

    /// How many items were let in.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// True when no item was let in.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The batch. The origin's share must count the items that were let in, the rejected ones being settled.
    pub fn from_origin(self, origin: Origin) -> Telemetry {
        debug_assert_eq!(origin.share.count(), self.heads.len() as u64, "a share counts what it is for");
        let Parsed { signal, body, heads, contexts, edited, sound, rejections } = self;
        let groups = contexts.into_iter().map(|context| Group { context, body: body.clone(), origin: 0 }).collect();
        let pristine = (sound && rejections.total() == 0).then_some(body);
        Telemetry::assemble(signal, heads, groups, origin, edited, pristine)
    }
}

impl Intake {
    /// One for a receiver, with the table in which contexts become one.
    pub fn new(interner: Interner, limits: Limits) -> Self {
        Self { interner, limits }
    }

    /// The same with another answer to spans with odd ids: whether they may travel depends on where a request goes.
    #[must_use]
    pub fn letting(&self, odd_ids: OddIds) -> Self {
        Self { interner: self.interner.clone(), limits: Limits { odd_ids, ..self.limits } }
    }

    /// Where its contexts live.
    pub fn interner(&self) -> &Interner {
        &self.interner
    }

    /// Walks a request once. Allocates a few times per request, and per context that was not known; never per item.
    pub fn parse(&self, signal: Signal, body: Bytes) -> Result<Parsed, Refusal> {
        if u32::try_from(body.len()).is_err() {
            return Err(Refusal::TooLarge);
        }
        let mut walk = Walk {
            intake: self,
            signal,
            base: body.as_ptr() as usize,
            heads: Vec::with_capacity(likely_items(body.len())),
            contexts: Vec::new(),
            edited: Vec::new(),
            sound: true,
            rejections: Rejections::default(),
            position: 0,
            most_items: 1_024.max(body.len() / BYTES_PER_ITEM),
            most_contexts: 1_024.max(body.len() / BYTES_PER_CONTEXT),
            envelope: Vec::new(),
            data_envelope: Vec::new(),
        };
        walk.request(&body)?;
        let Walk { heads, contexts, edited, sound, rejections, .. } = walk;
        Ok(Parsed { signal, body, heads, contexts, edited, sound, rejections })
    }
}

/// A request of honest items has this many bytes for each. Below it, two bytes of input would become a head of 64.
const BYTES_PER_ITEM: usize = 16;
/// A request of honest contexts has this many bytes for each.
const BYTES_PER_CONTEXT: usize = 32;

/// Room for the heads of spans of about 256 bytes: more than most requests need, and never more than a quarter of the body.
fn likely_items(body: usize) -> usize {
    body / 256
}

/// The state of one walk through one request.
struct Walk<'a> {
    intake: &'a Intake,
    signal: Signal,
    /// Where the body begins in memory: an item's place in it is told from its slice.
    base: usize,
    heads: Vec<Head>,
    contexts: Vec<Arc<Context>>,
    edited: Vec<u8>,
    sound: bool,
    rejections: Rejections,
    /// Items met so far.
    position: u64,
    most_items: usize,
    most_contexts: usize,
    /// Scratch for the envelope in hand.
    envelope: Vec<u8>,
    data_envelope: Vec<u8>,
}

/// The context that items are read into, or why they cannot be.
type Place = Result<Arc<Context>, Reason>;

impl Walk<'_> {
    fn request(&mut self, body: &[u8]) -> Result<(), Refusal> {
        each_message(body, 1, |resource| self.resource(resource))
    }

    fn resource(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.take_envelope(bytes, |number| number == LIST)?;
        let place = self.intake.interner.resource(self.signal, &self.envelope);
        let place = self.place(place);
        each_message(bytes, LIST, |scope| self.scope(scope, &place))
    }

    fn scope(&mut self, bytes: &[u8], resource: &Place) -> Result<(), Refusal> {
        self.take_envelope(bytes, |number| number == LIST)?;
        let place = match resource {
            Ok(resource) => {
                let scope = self.intake.interner.scope(resource, self.signal, &self.envelope);
                self.place(scope)
            }
            Err(reason) => Err(*reason),
        };
        if self.signal == Signal::Metrics {
            return each_message(bytes, LIST, |metric| self.metric(metric, &place));
        }
        let group = place.and_then(|context| self.group(context));
        each_message(bytes, LIST, |item| {
            self.item(item, group);
            Ok(())
        })
    }

    /// A metric is an envelope around one of five lists of points.
    fn metric(&mut self, bytes: &[u8], scope: &Place) -> Result<(), Refusal> {
        self.take_envelope(bytes, |number| ItemKind::of_data_field(number).is_some())?;
        let data = || fields(bytes).filter_map(|field| Some((ItemKind::of_data_field(field.number)?, field)));
        let Some((holds, _)) = data().last() else {
            self.sound &= Check::default().whole(&schema::METRIC, &self.envelope).is_ok();
            return Ok(());
        };
        // Of two types the later one holds, and what came before it would be lost without a word: its points are rejected by name instead.
        let holds_from = data().filter(|(kind, _)| *kind != holds).map(|(_, field)| field.end).last().unwrap_or(0);
        self.data_envelope.clear();
        for (_, field) in data().filter(|(_, field)| field.start >= holds_from) {
            write_envelope(field.raw.payload(), |number| number == POINTS, &mut self.data_envelope)?;
        }
        let group = self.metric_group(holds, scope);
        for (kind, field) in data() {
            let Raw::Len(points) = field.raw else { return Err(Refusal::Malformed) };
            let is_lost = field.start < holds_from;
            if is_lost {
                self.sound &= Check::default().whole(envelope_message(kind, Level::Data), points).is_ok();
            }
            let group = if is_lost { Err(Reason::Ambiguous) } else { group };
            each_message(points, POINTS, |point| {
                self.item(point, group);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn metric_group(&mut self, kind: ItemKind, scope: &Place) -> Result<u32, Reason> {
        let scope = scope.as_ref().map_err(|reason| *reason)?;
        let context = self.intake.interner.metric(scope, kind, &self.envelope, &self.data_envelope);
        self.place(context).and_then(|context| self.group(context))
    }

    /// What cannot be decoded must not be sent on as it came, not even where no item stands in it.
    fn place(&mut self, context: Result<Arc<Context>, BadEnvelope>) -> Place {
        self.sound &= context.is_ok();
        context.map_err(Reason::from)
    }

    fn take_envelope(&mut self, bytes: &[u8], list: impl Fn(u32) -> bool) -> Result<(), Refusal> {
        self.envelope.clear();
        Ok(write_envelope(bytes, list, &mut self.envelope)?)
    }

    fn group(&mut self, context: Arc<Context>) -> Result<u32, Reason> {
        if self.contexts.len() >= self.most_contexts {
            return Err(Reason::TooMany);
        }
        self.contexts.push(context);
        Ok(self.contexts.len() as u32 - 1)
    }

    #[inline]
    fn item(&mut self, bytes: &[u8], group: Result<u32, Reason>) {
        match self.head(bytes, group) {
            Ok(head) => self.heads.push(head),
            Err(reason) => self.rejections.add(reason, self.position),
        }
        self.position += 1;
    }

    #[inline]
    fn head(&mut self, bytes: &[u8], group: Result<u32, Reason>) -> Result<Head, Reason> {
        let group = group?;
        if bytes.len() > self.intake.limits.item_bytes as usize {
            return Err(Reason::TooLarge);
        }
        if self.heads.len() >= self.most_items {
            return Err(Reason::TooMany);
        }
        let kind = self.contexts[group as usize].kind();
        let mut check = Check::default();
        let mut head = heads::read(kind, bytes, &mut check)?;
        if self.intake.limits.odd_ids == OddIds::Reject {
            heads::reject_odd_ids(&head)?;
        }
        head.group = group;
        head.offset = (bytes.as_ptr() as usize - self.base) as u32;
        head.length = bytes.len() as u32;
        if check.odd {
            self.make_plain(&mut head, kind, bytes);
        }
        Ok(head)
    }

    #[cold]
    fn make_plain(&mut self, head: &mut Head, kind: ItemKind, bytes: &[u8]) {
        let start = self.edited.len();
        write_plain(kind.message(), bytes, &mut self.edited);
        head.offset = start as u32;
        head.length = (self.edited.len() - start) as u32;
        head.flags |= Head::EDITED;
    }
}

/// Calls `each` with the payload of every field of that number, in a message that nobody has checked yet; other fields are stepped over.
#[inline]
fn each_message(bytes: &[u8], number: u32, mut each: impl FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let mut cursor = Cursor::new(bytes);
    while let Some(field) = cursor.field()? {
        match field.raw {
            Raw::Len(payload) if field.number == number => each(payload)?,
            _ if field.number == number => return Err(Refusal::Malformed),
            _ => {}
        }
    }
    Ok(())
}

const _: () = assert!(MOST_VALUE_LEVELS == 32, "the reason `too_deep` names the number");

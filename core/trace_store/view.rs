//! How stages see a held trace: its outline while it is open, and its spans when it is decided or sent on.

use std::ops::Deref;

use super::entries::{Entry, Slot, State};
use super::log::Log;
use super::memory::SkeletonRef;
use super::rows::Rows;
use super::segment::RecordAt;
use super::structure::Structure;
use crate::component::{Trigger, Verdict};
use crate::telemetry::{Head, Item, Origin, TraceId};
use crate::time::LogTime;

/// What is known of a trace without reading its spans.
#[derive(Clone, Copy, Debug)]
pub struct Outline<'a> {
    pub(super) slot: Slot,
    pub(super) entry: &'a Entry,
    pub(super) structure: Option<Structure<'a>>,
    pub(super) now: LogTime,
}

impl<'a> Outline<'a> {
    /// Where a stage keeps what it knows of it.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Its id.
    pub fn id(&self) -> TraceId {
        self.entry.trace
    }

    /// How many spans are held of it.
    pub fn span_count(&self) -> u32 {
        self.entry.spans
    }

    /// What it costs in the store: the bytes of its spans and some 90 for each. (The size that the Collector counts is another.)
    pub fn cost(&self) -> u64 {
        u64::from(self.entry.bytes)
    }

    /// When its first span came.
    pub fn first_seen(&self) -> LogTime {
        self.entry.first_seen
    }

    /// The time of the turn in which it is looked at: the same for all that happens in one call, and again on a replay.
    pub fn now(&self) -> LogTime {
        self.now
    }

    /// Its shape, where a stage [wants](crate::component::Wants::structure) it.
    pub fn structure(&self) -> Option<Structure<'a>> {
        self.structure
    }
}

/// A trace that is gone, for a stage that asks of one of its late spans by itself what it asks of traces.
///
/// Its outline counts that one span, and has no shape. Its slot is nobody's: a stage that keeps something by slot must not be asked.
#[derive(Clone, Debug)]
pub struct Gone(Entry);

impl Gone {
    /// The trace of a span that comes now.
    pub fn new(trace: TraceId, now: LogTime) -> Self {
        Self(Entry {
            trace,
            tail: RecordAt::NONE,
            first_seen: now,
            due: now,
            scheduled: LogTime::NEVER,
            spans: 1,
            bytes: 0,
            stamp: 0,
            generation: 0,
            state: State::Late,
        })
    }

    /// What is known of it.
    pub fn outline(&self) -> Outline<'_> {
        Outline { slot: Slot(u32::MAX), entry: &self.0, structure: None, now: self.0.first_seen }
    }
}

/// A trace whose time has come, with its spans in the order of their arrival.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    pub(super) outline: Outline<'a>,
    pub(super) log: &'a Log,
    pub(super) rows: &'a Rows,
    pub(super) records: &'a [RecordAt],
    pub(super) trigger: Trigger,
    pub(super) verdict: Option<Verdict>,
    pub(super) late: Option<Option<SkeletonRef<'a>>>,
}

impl<'a> Deref for Trace<'a> {
    type Target = Outline<'a>;

    fn deref(&self) -> &Outline<'a> {
        &self.outline
    }
}

impl<'a> Trace<'a> {
    /// How many spans it has.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True when it has none: never, as traces without spans are not held.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// One span.
    ///
    /// # Panics
    /// When `index` is not below [`Trace::len`].
    pub fn item(&self, index: usize) -> Item<'a> {
        let (head, bytes, context) = self.log.item(self.records[index]);
        Item::new(head, bytes, context)
    }

    /// Every span.
    pub fn items(&self) -> impl ExactSizeIterator<Item = Item<'a>> + use<'a> {
        let Trace { log, records, .. } = *self;
        records.iter().map(move |at| {
            let (head, bytes, context) = log.item(*at);
            Item::new(head, bytes, context)
        })
    }

    /// Every span's head.
    pub fn heads(&self) -> impl ExactSizeIterator<Item = &'a Head> + use<'a> {
        let Trace { log, records, .. } = *self;
        records.iter().map(move |at| log.item(*at).0)
    }

    /// The request that brought a span: sender, tenant, time of receipt. `None` while the batch that brought it is still being taken in.
    pub fn origin(&self, index: usize) -> Option<&'a Origin> {
        self.rows.origin(self.log.link(self.records[index]).row)
    }

    /// Why it is decided, or was. Late spans are not decided about as a trace; theirs reads [`Trigger::Deadline`].
    pub fn trigger(&self) -> Trigger {
        self.trigger
    }

    /// What was decided on it; nothing before that. Of late spans, what they follow.
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// True for late spans of a trace that is gone: these are all that is held of it, and no stage has a state under its slot.
    pub fn is_late(&self) -> bool {
        self.late.is_some()
    }

    /// Of late spans: what the trace looked like, where a stage [wants](crate::component::Wants::skeletons) to know and it is not
    /// forgotten.
    pub fn skeleton(&self) -> Option<SkeletonRef<'a>> {
        self.late.flatten()
    }
}

//! The contract of what works on whole traces: `tail_sampling`, `stitch`, `groupbytrace`.

use std::time::Duration;

use crate::ledger::Cause;
use crate::telemetry::{Item, TraceId};
use crate::time::LogTime;
use crate::trace_store::{Known, Outline, Slot, Trace, TraceOut};

/// A processor that works on whole traces.
///
/// A stage owns no buffer. Its lane's [`TraceStore`](crate::trace_store::TraceStore) holds the spans, as bytes; neighbouring stages of a
/// pipeline share one, and [`WholeTraces`](crate::trace_store::WholeTraces) leads them all through the same phases:
///
/// 1. *admit*: a trace [opens](Self::open), and each span [arrives](Self::arrive) once. This is when a stage looks into a span, while its
///    bytes are warm, and keeps a few bits under the trace's slot.
/// 2. *ready*: after each batch the stage may [wish](Self::ready_in) for an early decision, or take its wish back. The earliest of all
///    stages' wishes holds, and the wait that the user configured bounds them all.
/// 3. *verdict*: every stage [notes](Self::annotate) what it knows; then those who judge [decide](Self::decide), in the order of the
///    pipeline. The first to drop a trace ends it; if nobody judges, it is kept.
/// 4. *repair*: each stage may [finish](Self::finish) a kept trace: mark it, add what is missing, leave out what is double. All see the
///    trace as it was held, so their order does not matter.
/// 5. *emit*: the store sends it on.
/// 6. *late*: spans of a trace whose verdict is remembered follow it, unless a stage [says otherwise](Self::late). Those that are kept
///    come to `finish` too, as a trace [that is late](Trace::is_late).
///
/// After `open`, and until [`close`](Self::close), everything about a trace has the same slot. A reload, or a source that is taken away,
/// makes the store show a trace again: `open` and `arrive` are called anew, with all that is held of it, and the stage begins from nothing.
///
/// # Shutdown
///
/// A drain decides what is open with [`Trigger::Shutdown`], except traces whose senders will all send them again. A stage has nothing to do
/// for it; it owns no span.
pub trait TraceStage: Send {
    /// What the store should observe for it.
    fn wants(&self) -> Wants {
        Wants::default()
    }

    /// A trace begins in this slot. What was known under the slot is of another.
    fn open(&mut self, trace: &Outline<'_>);

    /// A span has come; the outline counts it.
    fn arrive(&mut self, trace: &Outline<'_>, span: Item<'_>);

    /// In how long the trace should be decided, from now, should nothing else come; `None` to wait as long as configured, also where there
    /// was a wish before. Asked once after each batch that brought spans of the trace.
    fn ready_in(&mut self, _trace: &Outline<'_>) -> Option<Duration> {
        None
    }

    /// Tells the other stages what it knows, before anybody decides.
    fn annotate(&mut self, _trace: &Trace<'_>, _notes: &mut Notes) {}

    /// The verdict; `None` from a stage that does not judge.
    fn decide(&mut self, _trace: &Trace<'_>, _notes: &Notes) -> Option<Verdict> {
        None
    }

    /// Repairs a trace that is kept.
    fn finish(&mut self, _trace: &Trace<'_>, _notes: &Notes, _out: &mut TraceOut<'_>) {}

    /// What is known of a trace of which spans arrive and nothing is held: by default, what the store remembers. A stage with a memory of its
    /// own answers from that; one for which a verdict does not outlast its trace answers `None`, and the spans begin a trace. Asked once for
    /// all spans of the trace in a batch.
    fn recall(&mut self, _trace: TraceId, known: Option<Known>, _now: LogTime) -> Option<Known> {
        known
    }

    /// A span of a trace that is gone, whose verdict is remembered. `None` follows what is known, or what a stage before said.
    fn late(&mut self, _known: Known, _span: Item<'_>) -> Option<Verdict> {
        None
    }

    /// The trace is gone; the slot will be another's.
    fn close(&mut self, slot: Slot);
}

/// What a stage asks the store to keep beside spans. It costs memory and time, so it is kept only where somebody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// The structure of open traces: roots, open parents, dangling calls. See [`Outline::structure`].
    pub structure: bool,
    /// A skeleton of each kept trace, for its late spans. See [`Trace::skeleton`].
    pub skeletons: bool,
}

impl Wants {
    /// What either wants.
    pub fn and(self, other: Wants) -> Wants {
        Wants { structure: self.structure || other.structure, skeletons: self.skeletons || other.skeletons }
    }
}

/// Why a trace is decided now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The wait is over.
    Deadline,
    /// A stage wished for it: the trace is complete, or its root has come.
    Wish,
    /// Memory: it was the oldest, and the budget of bytes was spent.
    Memory,
    /// It was the oldest, and there were more traces than allowed.
    Count,
    /// It alone has as many bytes as a trace may have.
    Size,
    /// The gateway stops.
    Shutdown,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Trigger; 6] = [Trigger::Deadline, Trigger::Wish, Trigger::Memory, Trigger::Count, Trigger::Size, Trigger::Shutdown];

    /// As it stands in a counter's label.
    pub fn name(self) -> &'static str {
        match self {
            Trigger::Deadline => "deadline",
            Trigger::Wish => "wish",
            Trigger::Memory => "memory",
            Trigger::Count => "count",
            Trigger::Size => "size",
            Trigger::Shutdown => "shutdown",
        }
    }

    /// True when the gateway itself cut the trace's time short, so that what is missing may be missing because of that.
    pub fn is_forced(self) -> bool {
        !matches!(self, Trigger::Deadline | Trigger::Wish)
    }
}

/// Whether a trace goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It goes on.
    Keep,
    /// It does not.
    Drop,
}

/// What was decided on a trace, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it goes on.
    pub outcome: Outcome,
    /// The rule that made it so. What is dropped is settled with it.
    pub cause: Cause,
    /// Something of the stage's own that late spans will need, such as a threshold. It is remembered for kept traces only.
    pub note: u64,
}

impl Verdict {
    /// Keep it.
    pub fn keep(cause: Cause) -> Self {
        Self { outcome: Outcome::Keep, cause, note: 0 }
    }

    /// Drop it.
    pub fn drop(cause: Cause) -> Self {
        Self { outcome: Outcome::Drop, cause, note: 0 }
    }

    /// The same with a note for late spans.
    pub fn with_note(self, note: u64) -> Self {
        Self { note, ..self }
    }

    /// Whether it is kept.
    pub fn is_keep(&self) -> bool {
        self.outcome == Outcome::Keep
    }
}

/// What stages tell each other about one trace: one field for each fact that one knows and another may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Notes {
    /// Spans whose parent is missing, by the rules of whoever repairs traces: a parent outside of the system is not missing.
    pub orphans: Option<u32>,
    /// How much of the trace is there, from 0 to 1, by the same rules.
    pub completeness: Option<f32>,
}

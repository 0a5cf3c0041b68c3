//! What the tests work at: books, requests of made-up spans, and a stage that does what it is told and writes down what it sees.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::component::{Notes, TraceStage, Trigger, Verdict, Wants};
use crate::component::{Output, Room};
use crate::ledger::{Books, Cause, Held, Line, LineName, Milestone, Receipt, Settled, Tally};
use crate::telemetry::{
    Context, Head, Interner, Item, ItemKind, Origin, Signal, Source, SourceTag, SpanId, Telemetry, TelemetryBuilder, TraceId,
};
use crate::time::LogTime;
use crate::trace_store::{Known, Outline, Slot, Trace, TraceOut};

/// A span of the tests: which trace, a number that no other span has, and how long its bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) trace: u8,
    pub(super) span: u32,
    pub(super) parent: u32,
    pub(super) length: usize,
}

impl Sent {
    pub(super) fn of(trace: u8, span: u32) -> Self {
        Self { trace, span, parent: 0, length: 40 }
    }

    pub(super) fn head(&self) -> Head {
        Head { trace: trace_id(self.trace), span: span_id(self.span), parent: span_id(self.parent), start: 1, ..Head::EMPTY }
    }

    /// A valid message: an unknown field of that length, whose content tells the span.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0xfa, 0x7f, (self.length & 0x7f) as u8 | 0x80, (self.length >> 7) as u8];
        bytes.extend((0..self.length).map(|at| (self.span as usize * 31 + at) as u8));
        bytes
    }
}

pub(super) fn trace_id(trace: u8) -> TraceId {
    TraceId([trace, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
}

pub(super) fn span_id(span: u32) -> SpanId {
    let [a, b, c, d] = span.to_le_bytes();
    SpanId([a, b, c, d, 0, 0, 0, 0])
}

pub(super) fn number(span: SpanId) -> u32 {
    u32::from_le_bytes([span.0[0], span.0[1], span.0[2], span.0[3]])
}

/// Spans that the scripted stage makes up have their numbers here, beside the first span's.
pub(super) const MADE_UP: u32 = 1 << 31;

/// The books and the senders.
pub(super) struct Bench {
    pub(super) books: Books,
    pub(super) line: Line,
    pub(super) interner: Interner,
    sender: Arc<dyn Settled>,
    replaying: Arc<dyn Settled>,
    receipts: Mutex<u64>,
}

struct Sender {
    replays: bool,
}

impl Settled for Sender {
    fn reached(&self, _key: u64, _milestone: Milestone, _tally: &Tally) {}

    fn replayable(&self) -> bool {
        self.replays
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        let books = Books::new();
        Self {
            line: books.line(LineName::Pipeline("traces".into()), Signal::Traces),
            books,
            interner: Interner::new(),
            sender: Arc::new(Sender { replays: false }),
            replaying: Arc::new(Sender { replays: true }),
            receipts: Mutex::default(),
        }
    }

    pub(super) fn held(&self) -> Held {
        self.line.held("trace_store")
    }

    pub(super) fn cause(&self, reason: &str) -> Cause {
        self.books.cause("scripted", reason)
    }

    /// The resource of this number.
    pub(super) fn context(&self, number: u8) -> Arc<Context> {
        let envelope = [0xfa, 0x7f, 1, number];
        self.interner.intern(ItemKind::Span, [&envelope, &[], &[], &[]]).unwrap()
    }

    /// A request; a source other than none can send it again.
    pub(super) fn request(&self, spans: &[Sent], partition: u32) -> Telemetry {
        let mut key = self.receipts.lock().unwrap();
        *key += 1;
        let sender = if partition == 0 { &self.sender } else { &self.replaying };
        let receipt = Receipt::open(&self.books, Arc::clone(sender), *key);
        let tag = SourceTag { partition, generation: 1 };
        let mut builder = TelemetryBuilder::new(Signal::Traces);
        let origin = builder.origin(Origin {
            share: receipt.accept(&self.line, spans.len() as u64),
            source: Arc::new(Source { tag, ..Source::default() }),
            received_at: LogTime(*key),
        });
        for span in spans {
            builder.push(&span.head(), &span.bytes(), &self.context(span.trace % 5), origin);
        }
        builder.finish()
    }
}

impl Bench {
    /// Log records, for a pipeline of logs.
    pub(super) fn logs(&self, line: &Line, count: u64) -> Telemetry {
        let mut builder = TelemetryBuilder::new(Signal::Logs);
        let share = Receipt::open(&self.books, Arc::clone(&self.sender), 0).accept(line, count);
        let origin = builder.origin(Origin { share, source: Arc::default(), received_at: LogTime(0) });
        let context = self.interner.intern(ItemKind::LogRecord, [&[], &[], &[], &[]]).unwrap();
        (0..count).for_each(|_| builder.push(&Head::EMPTY, &[], &context, origin));
        builder.finish()
    }
}

/// What a scripted stage saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Decided { trace: u8, trigger: Trigger, spans: Vec<u32> },
    Finished { trace: u8, spans: Vec<u32>, late: bool },
    Late { trace: u8, span: u32, kept: bool },
}

/// How a stage behaves; every answer follows from the trace or the span, so that a model can give it too.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) wants: Wants,
    /// Traces below this number are dropped.
    pub(super) drop_below: u8,
    /// A trace whose newest span's number divides by this wishes to be decided after `quiet`.
    pub(super) wish_every: u32,
    pub(super) quiet: Duration,
    /// Late spans whose number divides by this are kept whatever was decided.
    pub(super) keep_late_every: u32,
    /// Kept traces lose each span whose number divides by this, and get one made-up span.
    pub(super) repair_every: u32,
    pub(super) kept: Cause,
    pub(super) dropped: Cause,
    pub(super) double: Cause,
}

impl Script {
    pub(super) fn plain(bench: &Bench) -> Self {
        Self {
            wants: Wants::default(),
            drop_below: 0,
            wish_every: u32::MAX,
            quiet: Duration::ZERO,
            keep_late_every: u32::MAX,
            repair_every: u32::MAX,
            kept: bench.cause("kept"),
            dropped: bench.cause("dropped"),
            double: bench.cause("double"),
        }
    }

    pub(super) fn verdict(&self, trace: u8) -> Verdict {
        if trace < self.drop_below { Verdict::drop(self.dropped) } else { Verdict::keep(self.kept).with_note(u64::from(trace)) }
    }

    pub(super) fn wishes(&self, newest: u32) -> bool {
        newest.is_multiple_of(self.wish_every)
    }

    pub(super) fn keeps_late(&self, span: u32) -> bool {
        span.is_multiple_of(self.keep_late_every)
    }

    pub(super) fn repairs(&self, span: u32) -> bool {
        span.is_multiple_of(self.repair_every)
    }
}

/// A stage that keeps its own account of every trace, as real ones do, and checks the store's against it.
pub(super) struct Scripted {
    script: Script,
    slots: HashMap<Slot, Vec<u32>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// Where a test reads what a stage saw.
#[derive(Clone, Default)]
pub(super) struct Diary(Arc<Mutex<Vec<Seen>>>);

impl Diary {
    pub(super) fn stage(&self, script: &Script) -> Box<dyn TraceStage> {
        Box::new(Scripted { script: script.clone(), slots: HashMap::new(), seen: Arc::clone(&self.0) })
    }

    pub(super) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Scripted {
    fn write(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap()
    }

    fn check(&self, trace: &Trace<'_>) -> Vec<u32> {
        let spans: Vec<u32> = trace.items().map(|item| number(item.span_id())).collect();
        assert_eq!(self.slots.get(&trace.slot()), Some(&spans), "what arrived is what is held");
        assert_eq!(trace.span_count() as usize, spans.len());
        for (item, span) in trace.items().zip(&spans) {
            assert_eq!(item.trace_id(), trace.id());
            let length = item.bytes().len() - 4;
            assert_eq!(item.bytes(), Sent { trace: trace.id().0[0], span: *span, parent: 0, length }.bytes());
        }
        if self.script.wants.structure {
            let structure = trace.structure().expect("asked for");
            assert_eq!(structure.counts().spans as usize, spans.len());
            assert!(trace.heads().all(|head| structure.has(head.span)));
            let orphans = trace.heads().filter(|head| !head.parent.is_none() && !structure.has(head.parent)).count();
            assert_eq!(structure.counts().orphans as usize, orphans);
        }
        spans
    }
}

impl TraceStage for Scripted {
    fn wants(&self) -> Wants {
        self.script.wants
    }

    fn open(&mut self, trace: &Outline<'_>) {
        self.slots.insert(trace.slot(), Vec::new());
    }

    fn arrive(&mut self, trace: &Outline<'_>, span: Item<'_>) {
        self.slots.get_mut(&trace.slot()).expect("opened").push(number(span.span_id()));
    }

    fn ready_in(&mut self, trace: &Outline<'_>) -> Option<Duration> {
        let newest = *self.slots[&trace.slot()].last()?;
        self.script.wishes(newest).then_some(self.script.quiet)
    }

    fn annotate(&mut self, trace: &Trace<'_>, notes: &mut Notes) {
        notes.orphans = Some(trace.span_count());
    }

    fn decide(&mut self, trace: &Trace<'_>, notes: &Notes) -> Option<Verdict> {
        assert_eq!(notes.orphans, Some(trace.span_count()));
        let spans = self.check(trace);
        let seen = Seen::Decided { trace: trace.id().0[0], trigger: trace.trigger(), spans };
        self.write().push(seen);
        Some(self.script.verdict(trace.id().0[0]))
    }

    fn finish(&mut self, trace: &Trace<'_>, _notes: &Notes, out: &mut TraceOut<'_>) {
        let spans = if trace.is_late() { trace.items().map(|item| number(item.span_id())).collect() } else { self.check(trace) };
        assert_eq!(out.len(), spans.len());
        for (index, span) in spans.iter().enumerate().filter(|(_, span)| self.script.repairs(**span)) {
            assert_eq!(number(out.item(index).span_id()), *span);
            out.leave_out(index, self.script.double);
            let made = Sent { trace: trace.id().0[0], span: MADE_UP | span, parent: 0, length: 40 };
            out.add(&made.head(), &made.bytes(), trace.item(0).context());
        }
        self.write().push(Seen::Finished { trace: trace.id().0[0], spans, late: trace.is_late() });
    }

    fn late(&mut self, known: Known, span: Item<'_>) -> Option<Verdict> {
        let trace = span.trace_id().0[0];
        let span = number(span.span_id());
        self.write().push(Seen::Late { trace, span, kept: known.verdict.is_keep() });
        self.script.keeps_late(span).then_some(Verdict::keep(self.script.kept))
    }

    fn close(&mut self, slot: Slot) {
        self.slots.remove(&slot).expect("a slot is closed once, and only if it was opened");
    }
}

/// An exit with so much room, at so many milliseconds.
pub(super) fn at(milliseconds: u64, room: usize) -> Output {
    Output::new(time(milliseconds), Room { items: room, bytes: room.saturating_mul(1000) })
}

pub(super) fn time(milliseconds: u64) -> LogTime {
    LogTime(1_000_000_000) + Duration::from_millis(milliseconds)
}

//! The same gateway with plain lists and maps: what must have become of every span.

use std::collections::{HashMap, HashSet};

use super::bench::{Bench, Diary, MADE_UP, Script, Seen, Sent, at, number};
use crate::component::{Outcome, Trigger};
use crate::component::{Output, Processor, Progress};
use crate::ledger::{Column, Fate, LineName};
use crate::telemetry::{Signal, SourceTag, Telemetry};
use crate::trace_store::{Limits, TraceStore, WholeTraces};

/// A trace as a plain list of spans, each with the partition that it came from. All times in milliseconds.
#[derive(Clone, Debug)]
struct Trace {
    id: u8,
    spans: Vec<(Sent, u32)>,
    first_seen: u64,
    wish: Option<u64>,
    /// The present stages have seen it.
    shown: bool,
}

impl Trace {
    fn numbers(&self) -> Vec<u32> {
        self.spans.iter().map(|(sent, _)| sent.span).collect()
    }

    fn cost(&self) -> u64 {
        self.spans.iter().map(|(sent, _)| sent.bytes().len() as u64 + 8 + 64 + 20).sum()
    }
}

/// A kept trace, or late spans of one, waiting for room.
#[derive(Clone, Debug)]
struct Waiting {
    trace: Trace,
    late: bool,
}

/// What a store of the test is limited to.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub(super) wait: u64,
    pub(super) trace_bytes: u64,
    pub(super) most_traces: u64,
    pub(super) bytes: u64,
    pub(super) remembers: bool,
}

/// A real store and a plain one, fed with the same.
///
/// The plain one predicts every decision but those for want of memory: when those come is left to the store, and checked.
pub(super) struct World {
    pub(super) bench: Bench,
    diary: Diary,
    whole: Option<WholeTraces>,
    script: Script,
    bounds: Bounds,
    limits: Limits,
    now: u64,
    last_turn: u64,
    room: usize,
    next_span: u32,
    open: Vec<Trace>,
    waiting: Vec<Waiting>,
    verdicts: HashMap<u8, Outcome>,
    /// Finished, and to be found in the next batches.
    leaving: HashMap<u32, (Sent, u32)>,
    made: u64,
    pub(super) ends: HashMap<u32, &'static str>,
    pub(super) triggers: HashSet<Trigger>,
}

impl World {
    pub(super) fn new(bench: Bench, script: Script, bounds: Bounds, limits: Limits) -> Self {
        let diary = Diary::default();
        let store = TraceStore::new(limits.clone(), bench.held(), bench.cause("abandoned"));
        Self {
            whole: Some(WholeTraces::new(store, vec![diary.stage(&script)], bench.cause("unjudged"))),
            bench,
            diary,
            script,
            bounds,
            limits,
            now: 0,
            last_turn: 0,
            room: usize::MAX,
            next_span: 1,
            open: Vec::new(),
            waiting: Vec::new(),
            verdicts: HashMap::new(),
            leaving: HashMap::new(),
            made: 0,
            ends: HashMap::new(),
            triggers: HashSet::new(),
        }
    }

    fn whole(&mut self) -> &mut WholeTraces {
        self.whole.as_mut().expect("only away during a reload")
    }

    pub(super) fn pass(&mut self, milliseconds: u64) {
        self.now += milliseconds;
    }

    /// How many spans were moved to other segments.
    pub(super) fn relocated(&mut self) -> u64 {
        self.whole().store().relocated()
    }

    pub(super) fn set_room(&mut self, room: usize) {
        self.room = room;
    }

    /// A request of spans: trace, parent (so many numbers before), length.
    pub(super) fn send(&mut self, spans: &[(u8, u32, usize)], partition: u32) {
        let first = self.next_span;
        self.next_span += spans.len() as u32;
        let sent: Vec<Sent> = (first..)
            .zip(spans)
            .map(|(span, (trace, back, length))| Sent { trace: *trace, span, parent: span.saturating_sub(*back), length: *length })
            .collect();
        let batch = self.bench.request(&sent, partition);
        let mut expected = Vec::new();
        let mut touched = Vec::new();
        by_trace(&sent).into_iter().for_each(|sent| self.admit(sent, partition, &mut expected, &mut touched));
        touched.into_iter().for_each(|id| self.ask_wish(id, self.now));
        let mut out = at(self.now, self.room);
        self.whole().process(batch, &mut out);
        let seen = self.diary.take();
        assert!(seen.starts_with(&expected), "{seen:?} should begin with {expected:?}");
        self.follow(&seen[expected.len()..]);
        self.end_turn(out);
    }

    fn admit(&mut self, sent: Sent, partition: u32, expected: &mut Vec<Seen>, touched: &mut Vec<u8>) {
        let id = sent.trace;
        if let Some(place) = self.open.iter().position(|trace| trace.id == id && self.due(trace) <= self.now) {
            let trigger = self.trigger(&self.open[place]);
            expected.push(self.decide(place, trigger));
        }
        if let Some(kept) = self.waiting.iter_mut().find(|waiting| waiting.trace.id == id && !waiting.late) {
            kept.trace.spans.push((sent, partition));
            kept.trace.shown = true;
            return;
        }
        if !self.open.iter().any(|trace| trace.id == id) {
            if let Some(outcome) = self.verdicts.get(&id).copied() {
                expected.push(Seen::Late { trace: id, span: sent.span, kept: outcome == Outcome::Keep });
                return self.admit_late(sent, partition, outcome);
            }
            self.open.push(Trace { id, spans: Vec::new(), first_seen: self.now, wish: None, shown: true });
        }
        let place = self.open.iter().position(|trace| trace.id == id).expect("open");
        self.open[place].spans.push((sent, partition));
        self.open[place].shown = true;
        touched.push(id);
        if self.open[place].cost() > self.bounds.trace_bytes {
            expected.push(self.decide(place, Trigger::Size));
        }
    }

    fn admit_late(&mut self, sent: Sent, partition: u32, outcome: Outcome) {
        if outcome == Outcome::Drop && !self.script.keeps_late(sent.span) {
            return self.end(sent.span, "dropped");
        }
        let place = self.waiting.iter().position(|waiting| waiting.trace.id == sent.trace);
        let place = place.unwrap_or_else(|| {
            let trace = Trace { id: sent.trace, spans: Vec::new(), first_seen: self.now, wish: None, shown: true };
            self.waiting.push(Waiting { trace, late: true });
            self.waiting.len() - 1
        });
        self.waiting[place].trace.spans.push((sent, partition));
    }

    fn due(&self, trace: &Trace) -> u64 {
        trace.wish.unwrap_or(u64::MAX).min(trace.first_seen + self.bounds.wait)
    }

    fn trigger(&self, trace: &Trace) -> Trigger {
        if self.due(trace) < trace.first_seen + self.bounds.wait { Trigger::Wish } else { Trigger::Deadline }
    }

    fn ask_wish(&mut self, id: u8, now: u64) {
        let (wait, script) = (self.bounds.wait, &self.script);
        if let Some(trace) = self.open.iter_mut().find(|trace| trace.id == id) {
            let newest = trace.spans.last().expect("a span").0.span;
            let wish = script.wishes(newest).then_some(now + script.quiet.as_millis() as u64);
            trace.wish = wish.filter(|wish| *wish < trace.first_seen + wait);
        }
    }

    /// The plain verdict on an open trace, and what the stage should see of it.
    fn decide(&mut self, place: usize, trigger: Trigger) -> Seen {
        let trace = self.open.remove(place);
        let verdict = self.script.verdict(trace.id);
        self.triggers.insert(trigger);
        if self.bounds.remembers {
            self.verdicts.insert(trace.id, verdict.outcome);
        }
        let seen = Seen::Decided { trace: trace.id, trigger, spans: trace.numbers() };
        if verdict.is_keep() {
            self.waiting.push(Waiting { trace, late: false });
        } else {
            trace.numbers().into_iter().for_each(|span| self.end(span, "dropped"));
        }
        seen
    }

    fn end(&mut self, span: u32, how: &'static str) {
        assert_eq!(self.ends.insert(span, how), None, "span {span} ended twice");
    }

    /// Checks what the stage saw of decisions and repairs, and does the same to the plain store.
    fn follow(&mut self, seen: &[Seen]) {
        for seen in seen {
            match seen {
                Seen::Decided { trace, trigger, .. } => {
                    let place = self.open.iter().position(|open| open.id == *trace).expect("only open traces are decided");
                    self.check_trigger(place, *trigger);
                    assert_eq!(*seen, self.decide(place, *trigger));
                }
                Seen::Finished { trace, spans, late } => {
                    let next = self.waiting.remove(0);
                    assert_eq!((next.trace.id, next.trace.numbers(), next.late), (*trace, spans.clone(), *late));
                    next.trace.spans.into_iter().for_each(|(sent, partition)| self.finish(sent, partition));
                }
                Seen::Late { .. } => panic!("late spans are seen in the order in which they came: {seen:?}"),
            }
        }
    }

    fn check_trigger(&self, place: usize, trigger: Trigger) {
        let trace = &self.open[place];
        match trigger {
            Trigger::Deadline | Trigger::Wish => {
                assert!(self.due(trace) <= self.now);
                assert_eq!(trigger, self.trigger(trace));
            }
            Trigger::Count => assert!(place == 0 && self.open.len() as u64 > self.bounds.most_traces),
            Trigger::Memory => assert!(place == 0 && self.bounds.bytes < u64::MAX),
            Trigger::Shutdown => assert!(trace.spans.iter().any(|(_, partition)| *partition == 0)),
            Trigger::Size => panic!("a trace too large is decided when it becomes so"),
        }
    }

    fn finish(&mut self, sent: Sent, partition: u32) {
        if self.script.repairs(sent.span) {
            self.end(sent.span, "left out");
            let made = Sent { span: MADE_UP | sent.span, parent: 0, length: 40, ..sent };
            self.leaving.insert(made.span, (made, u32::MAX));
        } else {
            self.leaving.insert(sent.span, (sent, partition));
        }
    }

    pub(super) fn wake(&mut self) {
        self.open.iter().filter(|trace| !trace.shown).map(|trace| trace.id).collect::<Vec<_>>().into_iter().for_each(|id| {
            self.ask_wish(id, self.now);
        });
        self.open.iter_mut().for_each(|trace| trace.shown = true);
        for _ in 0..100 {
            let mut out = at(self.now, self.room);
            let now = out.now();
            let progress = self.whole().wake(now, &mut out);
            let seen = self.diary.take();
            self.follow(&seen);
            let stuck = !out.wants_more();
            self.end_turn(out);
            if progress == Progress::Done {
                assert!(self.open.iter().all(|trace| self.due(trace) > self.now), "a trace that is due was not decided");
                assert!(self.waiting.is_empty());
                return;
            }
            if stuck {
                return;
            }
        }
        panic!("a wake that never ends");
    }

    /// A source is taken away.
    pub(super) fn forget(&mut self, partition: u32) {
        let mut left = Vec::new();
        let mut rest = |trace: &mut Trace| {
            let before = trace.spans.len();
            trace.spans.retain(|(sent, of)| {
                let stays = *of != partition;
                if !stays {
                    left.push(sent.span);
                }
                stays
            });
            before != trace.spans.len()
        };
        let changed: Vec<u8> = self.open.iter_mut().filter_map(|trace| rest(trace).then_some(trace.id)).collect();
        for waiting in &mut self.waiting {
            rest(&mut waiting.trace);
        }
        self.open.retain(|trace| !trace.spans.is_empty());
        self.waiting.retain(|waiting| !waiting.trace.spans.is_empty());
        left.into_iter().for_each(|span| self.end(span, "left"));
        let last_turn = self.last_turn;
        for id in changed {
            self.ask_wish(id, last_turn);
            self.open.iter_mut().filter(|trace| trace.id == id).for_each(|trace| trace.shown = true);
        }
        self.whole().forget(SourceTag { partition, generation: 1 });
        assert_eq!(self.diary.take(), []);
        self.check();
    }

    /// Other stages over the same store.
    pub(super) fn reload(&mut self, script: Script) {
        self.script = script;
        let store = self.whole.take().expect("only away during a reload").into_store();
        self.whole = Some(WholeTraces::new(store, vec![self.diary.stage(&self.script)], self.bench.cause("unjudged")));
        self.open.iter_mut().for_each(|trace| trace.shown = false);
        self.check();
    }

    /// The end: everything is decided or left, and the books balance.
    pub(super) fn drain(&mut self) {
        self.room = usize::MAX;
        let replayable = |trace: &Trace| trace.spans.iter().all(|(_, partition)| *partition != 0);
        let (come_again, stay): (Vec<Trace>, Vec<Trace>) = std::mem::take(&mut self.open).into_iter().partition(replayable);
        self.open = stay;
        come_again.iter().flat_map(Trace::numbers).for_each(|span| self.end(span, "left"));
        for _ in 0..100 {
            let mut out = at(self.now, self.room);
            let progress = self.whole().drain(&mut out);
            let seen = self.diary.take();
            self.follow(&seen);
            self.end_turn(out);
            if progress == Progress::Done {
                return self.check_the_end();
            }
        }
        panic!("a drain that never ends");
    }

    fn check_the_end(&mut self) {
        assert!(self.open.is_empty() && self.waiting.is_empty());
        assert_eq!((self.whole().store().span_count(), self.whole().store().trace_count()), (0, 0));
        assert_eq!(self.whole().store().segments(), 0, "nothing is held, and nothing pinned");
        assert_eq!(self.ends.len() as u32, self.next_span - 1, "every span ended");
        let report = self.bench.books.report();
        report.assert_balanced();
        let line = report.line(&LineName::Pipeline("traces".into()), Signal::Traces).expect("used");
        let ended = |how: &[&str]| self.ends.values().filter(|end| how.contains(end)).count() as u64;
        assert_eq!(line.sums[Column::Delivered], ended(&["emitted"]) + self.made);
        assert_eq!(line.sums[Column::Created], self.made);
        assert_eq!(line.sums[Column::Dropped], ended(&["dropped", "left out"]));
        assert_eq!(line.sums[Column::Left], ended(&["left"]));
        assert_eq!(line.sums[Column::Accepted], u64::from(self.next_span - 1));
    }

    fn end_turn(&mut self, mut out: Output) {
        self.last_turn = self.now;
        let has_room = out.wants_more();
        out.take().into_iter().for_each(|batch| self.deliver(batch));
        assert!(self.leaving.is_empty(), "finished and not sent: {:?}", self.leaving);
        if has_room {
            assert!(self.waiting.is_empty(), "there is room for {:?}", self.waiting);
            assert!(self.open.len() as u64 <= self.bounds.most_traces);
            assert!(self.limits.bytes.spent() <= self.bounds.bytes || self.open.is_empty());
        }
        self.check();
    }

    /// What leaves is what was sent, under the request that it came with.
    fn deliver(&mut self, batch: Telemetry) {
        let mut counts = vec![0; batch.origins().len()];
        for item in batch.items() {
            let origin = batch.origin_of(item.head());
            counts[origin] += 1;
            let span = number(item.span_id());
            let (sent, partition) = self.leaving.remove(&span).expect("only what was finished leaves, once");
            assert_eq!(item.bytes(), sent.bytes());
            assert_eq!(item.head().parent, sent.head().parent);
            assert_eq!(item.context().id(), self.bench.context(sent.trace % 5).id());
            if span & MADE_UP != 0 {
                self.made += 1;
            } else {
                assert_eq!(batch.origins()[origin].source.tag.partition, partition);
                self.end(span, "emitted");
            }
        }
        assert!(batch.has_whole_traces());
        assert!(batch.origins().iter().zip(counts).all(|(origin, count)| origin.share.count() == count));
        batch.settle(Fate::Delivered);
    }

    /// Between turns: the store's own figures agree with each other and with the plain store's.
    fn check(&mut self) {
        let spans = |traces: &mut dyn Iterator<Item = &Trace>| traces.map(|trace| trace.spans.len()).sum::<usize>();
        let held = spans(&mut self.open.iter()) + spans(&mut self.waiting.iter().map(|waiting| &waiting.trace));
        let store = self.whole.as_ref().expect("only away during a reload").store();
        assert_eq!(store.span_count(), held as u64);
        assert_eq!(store.trace_count(), self.open.len() + self.waiting.len());
        store.check();
        let report = self.bench.books.report();
        report.assert_balanced();
    }
}

/// The order in which the spans of a request are taken in: trace by trace.
fn by_trace(sent: &[Sent]) -> Vec<Sent> {
    let first = |trace: u8| sent.iter().position(|sent| sent.trace == trace);
    let mut sorted = sent.to_vec();
    sorted.sort_by_key(|sent| first(sent.trace));
    sorted
}

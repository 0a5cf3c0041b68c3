//! The phases one by one, as whoever writes a stage meets them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::bench::{Bench, Diary, Script, Seen, Sent, at, number, span_id, time, trace_id};
use crate::component::{Notes, Output, Processor, Progress, TraceStage, Trigger, Verdict, Wants};
use crate::ledger::{Cause, Column, Fate, LineName, after_panic};
use crate::telemetry::{Item, Path, Signal, SourceTag, Telemetry, Value};
use crate::trace_store::{Budget, Limits, Outline, Remember, Slot, Trace, TraceOut, TraceStore, WholeTraces};

const WAIT: u64 = 1_000;

fn limits() -> Limits {
    let remember =
        Remember { time: Duration::from_secs(60), kept: Budget::unlimited(), dropped: Budget::unlimited(), skeletons: Budget::unlimited() };
    Limits { remember, ..Limits::with_wait(Duration::from_millis(WAIT)) }
}

fn whole(bench: &Bench, limits: Limits, stages: Vec<Box<dyn TraceStage>>) -> WholeTraces {
    WholeTraces::new(TraceStore::new(limits, bench.held(), bench.cause("abandoned")), stages, bench.cause("unjudged"))
}

fn send(bench: &Bench, whole: &mut WholeTraces, now: u64, spans: &[Sent]) -> Vec<Telemetry> {
    let mut out = at(now, usize::MAX);
    whole.process(bench.request(spans, 0), &mut out);
    out.take()
}

fn wake(whole: &mut WholeTraces, now: u64) -> Vec<Telemetry> {
    let mut out = at(now, usize::MAX);
    assert_eq!(whole.wake(time(now), &mut out), Progress::Done);
    out.take()
}

fn spans(batches: &[Telemetry]) -> Vec<u32> {
    batches.iter().flat_map(Telemetry::items).map(|item| number(item.span_id())).collect()
}

fn deliver(batches: Vec<Telemetry>) {
    batches.into_iter().for_each(|batch| batch.settle(Fate::Delivered));
}

fn finish(bench: &Bench, mut whole: WholeTraces) {
    let mut out = at(1_000_000, usize::MAX);
    while whole.drain(&mut out) == Progress::More {}
    deliver(out.take());
    bench.books.report().assert_balanced();
}

type Decide = dyn Fn(&Trace<'_>, &Notes) -> Option<Verdict> + Send;
type Finish = dyn Fn(&Trace<'_>, &Notes, &mut TraceOut<'_>) + Send;

/// Does what its functions say; by default nothing.
#[derive(Default)]
struct Made {
    wants: Wants,
    annotate: Option<fn(&Trace<'_>, &mut Notes)>,
    decide: Option<Box<Decide>>,
    finish: Option<Box<Finish>>,
}

impl TraceStage for Made {
    fn wants(&self) -> Wants {
        self.wants
    }

    fn open(&mut self, _trace: &Outline<'_>) {}

    fn arrive(&mut self, _trace: &Outline<'_>, _span: Item<'_>) {}

    fn annotate(&mut self, trace: &Trace<'_>, notes: &mut Notes) {
        if let Some(annotate) = self.annotate {
            annotate(trace, notes);
        }
    }

    fn decide(&mut self, trace: &Trace<'_>, notes: &Notes) -> Option<Verdict> {
        self.decide.as_ref().and_then(|decide| decide(trace, notes))
    }

    fn finish(&mut self, trace: &Trace<'_>, notes: &Notes, out: &mut TraceOut<'_>) {
        if let Some(finish) = &self.finish {
            finish(trace, notes, out);
        }
    }

    fn close(&mut self, _slot: Slot) {}
}

#[test]
fn a_trace_is_held_until_its_wait_is_over_and_leaves_whole() {
    let bench = Bench::new();
    let mut whole = whole(&bench, limits(), vec![]);
    assert!(send(&bench, &mut whole, 0, &[Sent::of(1, 1), Sent::of(2, 2)]).is_empty());
    assert!(send(&bench, &mut whole, 500, &[Sent::of(1, 3)]).is_empty());
    assert!(wake(&mut whole, WAIT - 1).is_empty());
    let woken = whole.wake_at().expect("something is held");
    assert!(woken >= time(WAIT) && woken < time(WAIT + 20), "within a tick of the deadline: {woken:?}");
    let batches = wake(&mut whole, WAIT);
    assert_eq!(spans(&batches), [1, 3, 2], "trace by trace");
    assert!(batches[0].has_whole_traces());
    assert_eq!(batches[0].origins().len(), 2, "of two requests");
    assert_eq!(whole.decided().by(Trigger::Deadline), 2);
    assert_eq!(whole.store().span_count(), 0);
    deliver(batches);
    finish(&bench, whole);
}

#[test]
fn a_span_that_comes_at_the_deadline_is_late_even_if_nobody_has_decided_yet() {
    let bench = Bench::new();
    let diary = Diary::default();
    let mut whole = whole(&bench, limits(), vec![diary.stage(&Script { drop_below: 5, ..Script::plain(&bench) })]);
    send(&bench, &mut whole, 0, &[Sent::of(1, 1), Sent::of(7, 2)]);
    let batches = send(&bench, &mut whole, WAIT, &[Sent::of(1, 3), Sent::of(7, 4)]);
    let seen = diary.take();
    assert_eq!(seen[0], Seen::Decided { trace: 1, trigger: Trigger::Deadline, spans: vec![1] });
    assert_eq!(seen[1], Seen::Late { trace: 1, span: 3, kept: false });
    assert_eq!(seen[2], Seen::Decided { trace: 7, trigger: Trigger::Deadline, spans: vec![2] });
    assert_eq!(spans(&batches), [2, 4], "what was kept had not gone yet and takes its own along");
    deliver(batches);
    finish(&bench, whole);
}

#[test]
fn the_earliest_wish_holds_and_can_be_taken_back() {
    let bench = Bench::new();
    let diary = Diary::default();
    let quick = Script { wish_every: 2, quiet: Duration::from_millis(10), ..Script::plain(&bench) };
    let slow = Script { wish_every: 2, quiet: Duration::from_millis(50), ..Script::plain(&bench) };
    let stages = vec![Diary::default().stage(&slow), diary.stage(&quick)];
    let mut whole = whole(&bench, limits(), stages);
    send(&bench, &mut whole, 0, &[Sent::of(9, 2)]);
    send(&bench, &mut whole, 5, &[Sent::of(9, 3)]);
    assert!(wake(&mut whole, 100).is_empty(), "the odd span took the wish back");
    send(&bench, &mut whole, 100, &[Sent::of(9, 4)]);
    assert!(wake(&mut whole, 109).is_empty());
    let batches = wake(&mut whole, 110);
    assert_eq!(spans(&batches), [2, 3, 4]);
    assert_eq!(whole.decided().by(Trigger::Wish), 1);
    deliver(batches);
    finish(&bench, whole);
}

#[test]
fn whole_traces_of_another_store_do_not_wait_again() {
    let bench = Bench::new();
    let mut first = whole(&bench, limits(), vec![]);
    send(&bench, &mut first, 0, &[Sent::of(1, 1), Sent::of(2, 2)]);
    let batches = wake(&mut first, WAIT);
    let mut second = whole(&bench, limits(), vec![]);
    for batch in batches {
        second.process(batch, &mut at(WAIT, usize::MAX));
    }
    let batches = wake(&mut second, WAIT);
    assert_eq!(spans(&batches), [1, 2]);
    deliver(batches);
    finish(&bench, first);
    finish(&bench, second);
}

#[test]
fn notes_of_all_come_before_the_verdict_of_any() {
    let bench = Bench::new();
    let (kept, dropped) = (bench.cause("kept"), bench.cause("dropped"));
    let judge = Made {
        decide: Some(Box::new(move |_, notes| Some(if notes.orphans == Some(1) { Verdict::keep(kept) } else { Verdict::drop(dropped) }))),
        ..Made::default()
    };
    let observer = Made {
        wants: Wants { structure: true, skeletons: false },
        annotate: Some(|trace, notes| notes.orphans = trace.structure().map(|structure| structure.counts().orphans)),
        ..Made::default()
    };
    // The judge stands before the observer, and hears it all the same.
    let mut whole = whole(&bench, limits(), vec![Box::new(judge), Box::new(observer)]);
    send(&bench, &mut whole, 0, &[Sent { parent: 77, ..Sent::of(1, 1) }, Sent::of(2, 2)]);
    let batches = wake(&mut whole, WAIT);
    assert_eq!(spans(&batches), [1]);
    deliver(batches);
    finish(&bench, whole);
}

#[test]
fn the_first_to_drop_ends_it_and_later_judges_are_not_asked() {
    let bench = Bench::new();
    let verdict = |verdict: Verdict| Made { decide: Some(Box::new(move |_, _| Some(verdict))), ..Made::default() };
    let never = Made { decide: Some(Box::new(|_, _| panic!("the trace is dropped already"))), ..Made::default() };
    let stages: Vec<Box<dyn TraceStage>> = vec![
        Box::new(verdict(Verdict::keep(bench.cause("first")))),
        Box::new(verdict(Verdict::drop(bench.cause("second")))),
        Box::new(never),
    ];
    let mut whole = whole(&bench, limits(), stages);
    send(&bench, &mut whole, 0, &[Sent::of(1, 1)]);
    assert!(wake(&mut whole, WAIT).is_empty());
    let report = bench.books.report();
    let cause = &report.line(&LineName::Pipeline("traces".into()), Signal::Traces).unwrap().causes[0];
    assert_eq!((cause.name.reason.as_str(), cause.units), ("second", 1));
    finish(&bench, whole);
}

#[test]
fn a_kept_trace_can_be_marked_completed_and_thinned() {
    let bench = Bench::new();
    let (double, worse) = (bench.cause("double"), bench.cause("worse"));
    let mark = Path::parse(Signal::Traces, "attributes[\"mark\"]").unwrap();
    let marking = mark.clone();
    let first = Made {
        finish: Some(Box::new(move |trace, _, out| {
            out.leave_out(1, double);
            out.edit(0).set(&marking, &Value::Int(i64::from(trace.span_count()))).unwrap();
            let made = Sent::of(1, 1000);
            out.add(&made.head(), &made.bytes(), trace.item(0).context());
        })),
        ..Made::default()
    };
    let reading = mark.clone();
    let second = Made {
        finish: Some(Box::new(move |trace, _, out| {
            assert_eq!(trace.item(0).get(&reading), None, "the trace stays as it was held");
            assert_eq!(out.item(0).get(&reading), Some(Value::Int(4)), "what leaves is as the stage before made it");
            out.leave_out(1, worse);
            out.leave_out(3, worse);
        })),
        ..Made::default()
    };
    let mut whole = whole(&bench, limits(), vec![Box::new(first), Box::new(second)]);
    send(&bench, &mut whole, 0, &[Sent::of(1, 1), Sent::of(1, 2), Sent::of(1, 3), Sent::of(1, 4)]);
    let batches = wake(&mut whole, WAIT);
    assert_eq!(spans(&batches), [1, 3, 1000]);
    assert_eq!(batches[0].item(0).get(&mark), Some(Value::Int(4)));
    deliver(batches);
    let report = bench.books.report();
    let line = report.line(&LineName::Pipeline("traces".into()), Signal::Traces).unwrap();
    let dropped = |reason: &str| line.causes.iter().find(|cause| cause.name.reason == reason).map(|cause| cause.units);
    assert_eq!((dropped("double"), dropped("worse")), (Some(1), Some(1)), "who said so first is named");
    assert_eq!((line.sums[Column::Created], line.sums[Column::Delivered]), (1, 3));
    finish(&bench, whole);
}

#[test]
fn late_spans_find_the_shape_of_their_trace() {
    let bench = Bench::new();
    let found: Arc<Mutex<Vec<(u32, bool, bool)>>> = Arc::default();
    let finding = Arc::clone(&found);
    let stage = Made {
        wants: Wants { structure: true, skeletons: true },
        finish: Some(Box::new(move |trace, _, out| {
            if !trace.is_late() {
                let made = Sent::of(1, 500);
                return out.add(&made.head(), &made.bytes(), trace.item(0).context());
            }
            assert!(trace.structure().is_none(), "late spans have no structure of their own");
            let skeleton = trace.skeleton().expect("asked for");
            let look =
                |item: Item<'_>| (number(item.span_id()), skeleton.has(item.parent_span_id()), skeleton.has_placeholder(span_id(500)));
            finding.lock().unwrap().extend(trace.items().map(look));
        })),
        ..Made::default()
    };
    let mut whole = whole(&bench, limits(), vec![Box::new(stage)]);
    send(&bench, &mut whole, 0, &[Sent::of(1, 1)]);
    deliver(wake(&mut whole, WAIT));
    let late = [Sent { parent: 1, ..Sent::of(1, 2) }, Sent { parent: 9, ..Sent::of(1, 3) }];
    deliver(send(&bench, &mut whole, WAIT + 5, &late));
    deliver(send(&bench, &mut whole, WAIT + 9, &[Sent { parent: 3, ..Sent::of(1, 4) }]));
    assert_eq!(
        *found.lock().unwrap(),
        [(2, true, true), (3, false, true), (4, true, true)],
        "a late span belongs to the shape from then on"
    );
    finish(&bench, whole);
}

#[test]
fn without_room_what_is_kept_stays_and_goes_when_there_is_some() {
    let bench = Bench::new();
    let mut whole = whole(&bench, limits(), vec![]);
    for trace in 0..10 {
        send(&bench, &mut whole, 0, &[Sent::of(trace, u32::from(trace) * 2), Sent::of(trace, u32::from(trace) * 2 + 1)]);
    }
    let mut out = at(WAIT, 5);
    assert_eq!(whole.wake(time(WAIT), &mut out), Progress::More);
    let batches = out.take();
    assert_eq!(spans(&batches), [0, 1, 2, 3, 4, 5], "a trace is not split for want of room");
    assert!(whole.wake_at().is_some_and(|at| at <= time(WAIT)), "it asks for more room at once");
    deliver(batches);
    let batches = wake(&mut whole, WAIT);
    assert_eq!(spans(&batches).len(), 14);
    deliver(batches);
    finish(&bench, whole);
}

#[test]
fn other_signals_pass() {
    let bench = Bench::new();
    let mut whole = whole(&bench, limits(), vec![]);
    let mut out = at(0, usize::MAX);
    let line = bench.books.line(LineName::Pipeline("logs".into()), Signal::Logs);
    whole.process(bench.logs(&line, 3), &mut out);
    let batches = out.take();
    assert_eq!(batches[0].len(), 3);
    deliver(batches);
    finish(&bench, whole);
}

#[test]
fn a_store_that_is_dropped_gives_up_what_it_holds_and_says_so() {
    let bench = Bench::new();
    let mut store = whole(&bench, limits(), vec![]);
    send(&bench, &mut store, 0, &[Sent::of(1, 1), Sent::of(2, 2)]);
    store.process(bench.request(&[Sent::of(3, 3)], 1), &mut at(0, usize::MAX));
    drop(store);
    let report = bench.books.report();
    report.assert_balanced();
    let line = report.line(&LineName::Pipeline("traces".into()), Signal::Traces).unwrap();
    assert_eq!((line.sums[Column::Rejected], line.sums[Column::Left], line.held_units()), (2, 1, 0));
}

#[test]
fn after_a_panic_what_it_held_counts_as_lost_to_the_panic() {
    let bench = Bench::new();
    let mut store = whole(&bench, limits(), vec![]);
    send(&bench, &mut store, 0, &[Sent::of(1, 1)]);
    after_panic(|| drop(store));
    let report = bench.books.report();
    let line = report.line(&LineName::Pipeline("traces".into()), Signal::Traces).unwrap();
    assert_eq!((line.sums[Column::Lost], line.causes[0].name.reason.as_str()), (1, "panic"));
}

#[test]
fn a_span_count_that_does_not_fit_the_shares_is_noticed() {
    let bench = Bench::new();
    let mut whole = whole(&bench, limits(), vec![]);
    send(&bench, &mut whole, 0, &[Sent::of(1, 1)]);
    assert_eq!(whole.store().audit(), Ok(()));
    let slot = whole.store.entries.in_use().next().expect("held");
    whole.store.walk(slot, &mut whole.records);
    let row = whole.store.log.link(whole.records[0]).row;
    whole.store.rows.hold(row);
    assert!(whole.store().audit().is_err(), "a record that no share counts");
    whole.store.rows.end(row, Fate::Left);
    after_panic(|| drop(whole));
}

#[test]
fn a_source_that_is_taken_away_leaves_the_rest_of_a_trace_as_if_it_had_never_come() {
    let bench = Bench::new();
    let diary = Diary::default();
    let wants = Wants { structure: true, skeletons: false };
    let mut whole = whole(&bench, limits(), vec![diary.stage(&Script { wants, ..Script::plain(&bench) })]);
    send(&bench, &mut whole, 0, &[Sent::of(1, 1)]);
    whole.process(bench.request(&[Sent::of(1, 2), Sent::of(2, 3)], 4), &mut at(0, usize::MAX));
    send(&bench, &mut whole, 0, &[Sent { parent: 2, ..Sent::of(1, 5) }]);
    whole.forget(SourceTag { partition: 4, generation: 1 });
    assert_eq!((whole.store().span_count(), whole.store().trace_count()), (2, 1));
    let batches = wake(&mut whole, WAIT);
    assert_eq!(spans(&batches), [1, 5]);
    assert_eq!(diary.take()[0], Seen::Decided { trace: 1, trigger: Trigger::Deadline, spans: vec![1, 5] });
    deliver(batches);
    finish(&bench, whole);
}

#[test]
fn a_slice_that_is_over_is_gone_on_with_and_nothing_is_decided_twice() {
    let bench = Bench::new();
    let mut whole = whole(&bench, limits(), vec![]);
    for trace in 0..100 {
        send(&bench, &mut whole, 0, &[Sent::of(trace, u32::from(trace))]);
    }
    // A clock that has run past the end of the slice before it began.
    let clock = crate::time::Clock::by_hand(time(WAIT + 1));
    let mut out = Output::new(time(WAIT), crate::component::Room::ENOUGH).until(clock, time(WAIT));
    assert_eq!(whole.wake(time(WAIT), &mut out), Progress::More);
    assert!(out.take().is_empty());
    let batches = wake(&mut whole, WAIT);
    assert_eq!(spans(&batches).len(), 100);
    deliver(batches);
    finish(&bench, whole);
}

#[test]
fn what_a_stage_sees_tells_who_sent_it() {
    let bench = Bench::new();
    let kept: Cause = bench.cause("kept");
    let judge = Made {
        decide: Some(Box::new(move |trace, _| {
            assert_eq!((trace.id(), trace.first_seen(), trace.len()), (trace_id(1), time(0), 1));
            assert_eq!(trace.origin(0).map(|origin| origin.source.tag.partition), Some(6));
            assert_eq!(trace.cost(), 44 + 92);
            Some(Verdict::keep(kept))
        })),
        ..Made::default()
    };
    let mut whole = whole(&bench, limits(), vec![Box::new(judge)]);
    whole.process(bench.request(&[Sent::of(1, 1)], 6), &mut at(0, usize::MAX));
    deliver(wake(&mut whole, WAIT));
    finish(&bench, whole);
}

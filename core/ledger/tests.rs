//! One test per promise of the ledger; random lives against a model, real threads and the cost are in files of their own.

mod books;
mod cost;
mod crashes;
mod model;
mod threads;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use super::*;
use crate::telemetry::Signal;

/// A receiver that writes down what it is told.
#[derive(Default)]
struct Recorder {
    told: Mutex<Vec<(u64, Milestone, Tally)>>,
    replayable: bool,
}

impl Settled for Recorder {
    fn reached(&self, key: u64, milestone: Milestone, tally: &Tally) {
        self.told.lock().unwrap().push((key, milestone, *tally));
    }

    fn replayable(&self) -> bool {
        self.replayable
    }
}

impl Recorder {
    fn told(&self) -> Vec<(u64, Milestone, Tally)> {
        self.told.lock().unwrap().clone()
    }

    fn milestones(&self) -> Vec<Milestone> {
        self.told().into_iter().map(|(_, milestone, _)| milestone).collect()
    }

    fn last(&self) -> Tally {
        self.told().last().unwrap().2
    }
}

/// Books with a pipeline and two exporters, and a receiver.
struct Desk {
    books: Books,
    pipeline: Line,
    tempo: Line,
    jaeger: Line,
    rule: Cause,
    client: Arc<Recorder>,
}

impl Desk {
    fn new() -> Self {
        Self::with(Recorder::default())
    }

    fn with(client: Recorder) -> Self {
        let books = Books::new();
        let line = |name| books.line(name, Signal::Traces);
        let pipeline = line(LineName::Pipeline("traces".into()));
        let (tempo, jaeger) = (line(LineName::Exporter("tempo".into())), line(LineName::Exporter("jaeger".into())));
        let rule = books.cause("filter", "rule");
        Self { books, pipeline, tempo, jaeger, rule, client: Arc::new(client) }
    }

    fn open(&self) -> Receipt {
        Receipt::open(&self.books, self.client.clone(), 7)
    }

    /// A request whose handle is closed already.
    fn accept(&self, n: u64) -> Share {
        self.open().accept(&self.pipeline, n)
    }

    fn line(&self, line: &Line) -> LineReport {
        self.books.report().line(line.name(), line.signal()).unwrap().clone()
    }

    fn sum(&self, line: &Line, column: Column) -> u64 {
        self.line(line).sums[column]
    }

    /// Everything has ended, everybody knows, and the books balance.
    fn assert_settled(&self) {
        assert_eq!(self.client.milestones(), Milestone::ALL);
        assert_eq!(self.books.open_receipts(), 0);
        self.books.report().assert_balanced();
    }
}

/// Whether it panics. Crashes are made with `resume_unwind`, which leaves no message among the output.
fn crash<R>(f: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(f()))).is_err()
}

#[test]
fn a_receipt_without_units_settles_when_it_is_closed() {
    for accepted in [None, Some(0)] {
        let desk = Desk::new();
        let receipt = desk.open();
        let share = accepted.map(|n| receipt.accept(&desk.pipeline, n));
        assert_eq!(desk.client.told(), []);
        receipt.close();
        assert_eq!(desk.client.last(), Tally::default());
        drop(share);
        desk.assert_settled();
    }
}

#[test]
fn nothing_is_reached_while_the_handle_is_open() {
    let desk = Desk::new();
    let receipt = desk.open();
    receipt.accept(&desk.pipeline, 3).settle(Fate::Delivered);
    receipt.accept(&desk.pipeline, 4).settle(Fate::Delivered);
    assert_eq!(desk.client.told(), []);
    drop(receipt);
    assert_eq!(desk.client.last(), Tally { delivered: 7, ..Tally::default() });
    desk.assert_settled();
}

#[test]
fn a_milestone_waits_for_the_last_share_and_tells_what_had_ended_by_then() {
    let desk = Desk::new();
    let mut queued = desk.accept(10);
    let refused = queued.take(4);
    queued.accepted();
    assert_eq!(desk.client.told(), [], "four have been accepted by nobody");
    refused.settle(Fate::Rejected { cause: desk.rule, retry: Retry::Later });
    let rejected = Tally { rejected_retryable: 4, ..Tally::default() };
    assert_eq!(desk.client.told(), [(7, Milestone::Accepted, rejected)]);
    queued.accepted();
    queued.durable();
    assert_eq!(desk.client.milestones(), [Milestone::Accepted, Milestone::Durable]);
    queued.settle(Fate::Delivered);
    assert_eq!(desk.client.last(), Tally { delivered: 6, ..rejected });
    desk.assert_settled();
}

#[test]
fn what_is_durable_is_accepted() {
    let desk = Desk::new();
    let mut share = desk.accept(1);
    share.durable();
    assert_eq!(desk.client.milestones(), [Milestone::Accepted, Milestone::Durable]);
    share.settle(Fate::Stored);
    desk.assert_settled();
}

#[test]
fn a_copy_has_passed_what_its_original_has() {
    let desk = Desk::new();
    let mut share = desk.accept(5);
    share.accepted();
    let copy = share.copy();
    share.durable();
    assert_eq!(desk.client.milestones(), [Milestone::Accepted], "the copy is not durable");
    copy.settle(Fate::Delivered);
    assert_eq!(desk.client.milestones(), [Milestone::Accepted, Milestone::Durable]);
    share.settle(Fate::Delivered);
    desk.assert_settled();
}

#[test]
fn a_copy_of_what_nobody_has_accepted_is_waited_for() {
    let desk = Desk::new();
    let mut share = desk.accept(5);
    let mut copy = share.copy();
    share.accepted();
    assert_eq!(desk.client.told(), []);
    copy.accepted();
    assert_eq!(desk.client.milestones(), [Milestone::Accepted]);
    share.settle(Fate::Delivered);
    copy.settle(Fate::Delivered);
    desk.assert_settled();
}

#[test]
fn every_fate_has_its_column_its_cause_and_its_place_in_the_tally() {
    type Make = fn(Cause) -> Fate;
    let none = Tally::default();
    let table: [(Make, Column, Option<&str>, Tally); 9] = [
        (|_| Fate::Delivered, Column::Delivered, None, Tally { delivered: 3, ..none }),
        (Fate::Dropped, Column::Dropped, Some("why"), Tally { dropped: 3, ..none }),
        (|cause| Fate::Rejected { cause, retry: Retry::Later }, Column::Rejected, Some("why"), Tally { rejected_retryable: 3, ..none }),
        (|cause| Fate::Rejected { cause, retry: Retry::Never }, Column::Rejected, Some("why"), Tally { rejected_for_good: 3, ..none }),
        (Fate::Failed, Column::Failed, Some("why"), Tally { failed: 3, ..none }),
        (Fate::DeadLettered, Column::DeadLettered, Some("why"), Tally { dead_lettered: 3, ..none }),
        (|_| Fate::Stored, Column::Stored, None, Tally { stored: 3, ..none }),
        (|_| Fate::Left, Column::Left, None, Tally { left: 3, ..none }),
        (Fate::Lost, Column::Lost, Some("why"), Tally { lost: 3, ..none }),
    ];
    for (make, column, reason, tally) in table {
        let desk = Desk::with(Recorder { replayable: true, ..Recorder::default() });
        let fate = make(desk.books.cause("otlp", "why"));
        desk.accept(3).settle(fate);
        let line = desk.line(&desk.pipeline);
        assert_eq!((line.sums[column], line.sums.side(Side::Out)), (3, 3), "{fate:?}");
        let causes: Vec<_> = line.causes.iter().map(|cause| (cause.column, &*cause.name.reason, cause.units)).collect();
        assert_eq!(causes, Vec::from_iter(reason.map(|reason| (column, reason, 3))));
        assert_eq!((desk.client.last(), tally.total()), (tally, 3), "{fate:?}");
        desk.assert_settled();
    }
}

#[test]
fn each_exporter_has_its_own_line_behind_the_fan_out() {
    let desk = Desk::new();
    let mut to_tempo = desk.accept(10);
    to_tempo.settle_some(2, Fate::Dropped(desk.rule));
    let mut to_jaeger = to_tempo.copy();
    to_tempo.enter(&desk.tempo);
    to_jaeger.enter(&desk.jaeger);
    to_jaeger.enter(&desk.jaeger);
    to_tempo.create(1);
    to_tempo.settle(Fate::Delivered);
    to_jaeger.settle(Fate::Failed(desk.books.cause("jaeger", "timeout")));
    desk.assert_settled();

    let text = desk.books.report().to_string();
    let rows: Vec<String> = text.lines().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "line signal accepted created copied moved_in moved_out delivered dropped failed held residual",
        "pipeline traces traces 10 0 8 0 16 0 2 0 0 0",
        "dropped by filter, rule: 2",
        "exporter jaeger traces 0 0 0 8 0 0 0 8 0 0",
        "failed by jaeger, timeout: 8",
        "exporter tempo traces 0 1 0 8 0 9 0 0 0 0",
        "receipts open: 0",
    ];
    assert_eq!(rows, expected);
    let total = desk.books.report().total(Signal::Traces);
    assert_eq!((total.side(Side::In), total.side(Side::Out)), (10 + 1 + 8 + 16, 2 + 9 + 8 + 16));
}

#[test]
fn one_receipt_may_be_accepted_into_several_lines() {
    let desk = Desk::new();
    let other = desk.books.line(LineName::Pipeline("traces/archive".into()), Signal::Traces);
    let receipt = desk.open();
    let (edge, archive) = (receipt.accept(&desk.pipeline, 5), receipt.accept(&other, 5));
    receipt.close();
    edge.settle(Fate::Dropped(desk.rule));
    assert_eq!(desk.books.open_receipts(), 1);
    archive.settle(Fate::Delivered);
    assert_eq!(desk.client.last(), Tally { dropped: 5, delivered: 5, ..Tally::default() });
    desk.assert_settled();
}

#[test]
fn shares_join_only_their_like() {
    let desk = Desk::new();
    let mut share = desk.accept(9);
    let id = share.receipt_id();
    let same = share.take(2);
    assert_eq!((share.count(), same.count(), same.receipt_id()), (7, 2, id));
    share.join(same).unwrap();
    assert_eq!(share.count(), 9);

    let mut accepted = share.take(1);
    accepted.accepted();
    let accepted = share.join(accepted).unwrap_err();
    let mut elsewhere = share.take(1);
    elsewhere.enter(&desk.tempo);
    let elsewhere = share.join(elsewhere).unwrap_err();
    let stranger = share.join(desk.accept(1)).unwrap_err();
    assert_ne!(stranger.receipt_id(), id);
    for rest in [share, accepted, elsewhere, stranger] {
        rest.settle(Fate::Delivered);
    }
    assert_eq!(desk.books.open_receipts(), 0);
    desk.books.report().assert_balanced();
}

#[test]
fn what_is_created_is_waited_for_like_its_neighbours() {
    let desk = Desk::new();
    let mut share = desk.accept(2);
    share.create(1);
    share.settle_some(2, Fate::Delivered);
    assert_eq!(desk.client.told(), []);
    share.settle(Fate::Delivered);
    assert_eq!(desk.client.last(), Tally { delivered: 3, ..Tally::default() });
    desk.assert_settled();
}

#[test]
fn what_is_created_on_an_empty_share_takes_back_no_milestone() {
    let desk = Desk::new();
    let mut share = desk.accept(2);
    let mut rest = share.take(2);
    rest.accepted();
    share.create(3);
    rest.settle(Fate::Delivered);
    assert_eq!(desk.client.milestones(), [Milestone::Accepted], "three that were created are not durable");
    share.durable();
    assert_eq!(desk.client.milestones(), [Milestone::Accepted, Milestone::Durable]);
    share.settle(Fate::Delivered);
    desk.assert_settled();
}

#[test]
fn what_is_created_for_a_settled_receipt_is_nobodys() {
    let desk = Desk::new();
    let mut share = desk.accept(2);
    let id = share.receipt_id();
    share.settle_some(2, Fate::Delivered);
    assert_eq!(desk.client.milestones(), Milestone::ALL);
    share.create(3);
    assert_ne!(share.receipt_id(), id);
    assert_eq!(desk.books.open_receipts(), 1);
    share.settle(Fate::Delivered);
    assert_eq!(desk.sum(&desk.pipeline, Column::Delivered), 5);
    desk.assert_settled();
}

#[test]
fn what_nobody_can_replay_cannot_be_left() {
    let desk = Desk::new();
    let share = desk.accept(2);
    assert!(!share.replayable());
    share.settle(Fate::Left);
    assert_eq!(desk.client.last(), Tally { lost: 2, ..Tally::default() });
    assert_eq!(desk.line(&desk.pipeline).causes[0].name.reason, "not_replayable");
    desk.assert_settled();
}

#[test]
fn what_is_abandoned_is_left_where_it_can_be_replayed_and_else_rejected() {
    let none = Tally::default();
    for (replayable, tally) in [(true, Tally { left: 2, ..none }), (false, Tally { rejected_retryable: 2, ..none })] {
        let desk = Desk::with(Recorder { replayable, ..Recorder::default() });
        desk.accept(2).abandon(desk.books.cause("queue", "shutdown"));
        assert_eq!(desk.client.last(), tally);
        desk.assert_settled();
    }
}

#[test]
fn a_receiver_may_use_the_books_when_it_is_told() {
    /// Looks at the books, and opens its next receipt, from inside the call.
    struct Curious(Books, Line, Mutex<Vec<u64>>);
    impl Settled for Curious {
        fn reached(&self, _: u64, _: Milestone, tally: &Tally) {
            let report = self.0.report();
            assert_eq!(report.lines[0].sums[Column::Delivered], tally.delivered, "the books are up to date");
            self.0.cause("curious", "again");
            self.0.line(LineName::Exporter("curious".into()), Signal::Traces);
            Receipt::open(&self.0, Arc::new(Nobody), 0).accept(&self.1, 0).settle(Fate::Delivered);
            self.2.lock().unwrap().push(report.open_receipts);
        }
    }
    let desk = Desk::new();
    let curious = Arc::new(Curious(desk.books.clone(), desk.pipeline.clone(), Mutex::default()));
    Receipt::open(&desk.books, curious.clone(), 1).accept(&desk.pipeline, 2).settle(Fate::Delivered);
    assert_eq!(*curious.2.lock().unwrap(), [1, 1, 1], "a receipt is open until its receiver knows");
    assert_eq!(desk.books.open_receipts(), 0);
}

//! The books: lines, causes, gauges, and what is said when they do not balance.

use super::*;

#[test]
fn held_is_what_stores_and_queues_say() {
    let desk = Desk::new();
    let share = desk.accept(10);
    assert_eq!(desk.line(&desk.pipeline).residual(), 10, "ten are on their way");
    let lanes = [desk.pipeline.held("store"), desk.pipeline.held("store")];
    let queue = desk.pipeline.held("queue");
    lanes[0].set(3);
    lanes[1].add(4);
    queue.add(5);
    queue.sub(2);
    let line = desk.line(&desk.pipeline);
    let held = |name: &str, units| HeldReport { name: name.into(), units };
    assert_eq!((line.held.clone(), line.residual()), (vec![held("queue", 3), held("store", 7)], 0));
    drop(lanes);
    assert_eq!(desk.line(&desk.pipeline).held, [held("queue", 3)], "a gauge goes with its store");
    queue.set(0);
    share.settle(Fate::Delivered);
    desk.assert_settled();
}

#[test]
fn the_line_that_is_off_is_named() {
    let desk = Desk::new();
    let stuck = desk.jaeger.held("queue");
    desk.accept(4).settle(Fate::Delivered);
    stuck.add(1);
    let error = desk.books.report().balanced().unwrap_err();
    assert_eq!(error.to_string(), "exporter jaeger, Traces: 0 in, 0 out, 1 held: -1 unaccounted for");
    assert!(crash(|| desk.books.report().assert_balanced()));
}

#[test]
fn a_unit_that_moves_into_other_books_is_missed() {
    let desk = Desk::new();
    let other = Desk::new();
    let mut share = desk.accept(4);
    share.enter(&other.tempo);
    share.settle(Fate::Delivered);
    let missed = Unbalanced::Moves { signal: Signal::Traces, moved_out: 4, moved_in: 0 };
    assert_eq!(desk.books.report().balanced(), Err(missed));
}

#[test]
fn names_are_looked_up_once_and_their_number_is_bounded() {
    let books = Books::new();
    let first = books.cause("filter", "rule");
    assert_eq!(books.cause("filter", "rule"), first);
    assert_ne!(books.cause("filter/2", "rule"), first);
    let numbers: Vec<Cause> = (0..Cause::MAX).map(|n| books.cause("filter", &n.to_string())).collect();
    assert_eq!(numbers.last(), Some(&Cause::OVERFLOW));
    assert_eq!(books.cause("filter", "rule"), first, "what was known stays known");
    let name = books.cause_name(first);
    assert_eq!((&*name.component, &*name.reason), ("filter", "rule"));

    // The last number there is, and the overflow, are counted like any other.
    let line = books.line(LineName::Pipeline("logs".into()), Signal::Logs);
    let last = *numbers.iter().rfind(|cause| **cause != Cause::OVERFLOW).unwrap();
    let mut share = Receipt::open(&books, Arc::new(Nobody), 0).accept(&line, 3);
    share.settle_some(1, Fate::Dropped(last));
    share.settle(Fate::Dropped(Cause::OVERFLOW));
    let report = books.report();
    report.assert_balanced();
    let mut counted: Vec<_> = report.lines[0].causes.iter().map(|cause| (&*cause.name.component, cause.units)).collect();
    counted.sort_unstable();
    assert_eq!(counted, [("filter", 1), ("ledger", 2)]);
}

#[test]
fn a_line_is_found_again_by_name_and_signal() {
    let desk = Desk::new();
    let again = desk.books.line(LineName::Pipeline("traces".into()), Signal::Traces);
    desk.open().accept(&again, 2).settle(Fate::Delivered);
    assert_eq!(desk.sum(&desk.pipeline, Column::Accepted), 2);
    desk.books.line(LineName::Pipeline("traces".into()), Signal::Logs);
    assert_eq!(desk.books.report().lines.len(), 4);
}

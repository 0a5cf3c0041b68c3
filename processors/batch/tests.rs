//! Sizes, times, metadata, and that nothing is lost whatever happens in whichever lane.

mod lanes;

use std::time::Duration;

use tracetailor_core::component::Room;
use tracetailor_core::ledger::{Column, Milestone};
use tracetailor_core::telemetry::{Signal, Source, SourceTag};
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;
use tracetailor_core::testing::{Driver, assert_manual, log, logs, run_stories, span, traces};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

/// A request of so many spans whose names are numbers.
fn numbered(numbers: std::ops::Range<usize>) -> ExportTraceServiceRequest {
    traces(numbers.map(|number| span(&format!("{number:06}"))))
}

/// How many spans each request had that was sent.
fn sizes(driver: &mut Driver) -> Vec<usize> {
    let of = |request: ExportTraceServiceRequest| request.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum();
    let sent = driver.sink_mut().take();
    sent.into_iter()
        .map(|request| match request {
            tracetailor_core::telemetry::Decoded::Traces(request) => of(request),
            other => panic!("a span was sent as {other:?}"),
        })
        .collect()
}

#[test]
fn what_is_too_large_is_split_and_what_is_too_little_waits() {
    let mut driver = Driver::of(&FACTORY, "{send_batch_size: 10, send_batch_max_size: 15, timeout: 1s}");
    driver.receive(numbered(0..9));
    assert_eq!((sizes(&mut driver), driver.held()), (vec![], 9));
    driver.receive(numbered(9..40));
    // As the Collector: as long as there is enough, at most so many; the rest waits anew.
    assert_eq!((sizes(&mut driver), driver.held()), (vec![15, 15, 10], 0));
    driver.receive(numbered(40..62));
    assert_eq!((sizes(&mut driver), driver.held()), (vec![15], 7));
    driver.turn(Duration::from_millis(999));
    assert_eq!(driver.held(), 7);
    driver.turn(Duration::from_millis(1));
    assert_eq!((sizes(&mut driver), driver.held()), (vec![7], 0));
    assert_eq!(driver.counted("otelcol_processor_batch_batch_size_trigger_send"), 4);
    assert_eq!(driver.counted("otelcol_processor_batch_timeout_trigger_send"), 1);
    driver.finish();
}

#[test]
fn exact_sizes_are_kept() {
    let mut driver = Driver::of(&FACTORY, "{send_batch_size: 10, send_batch_max_size: 10}");
    driver.receive(numbered(0..10));
    driver.receive(numbered(10..30));
    assert_eq!((sizes(&mut driver), driver.held()), (vec![10, 10, 10], 0));
    driver.finish();
}

#[test]
fn without_a_size_or_a_timeout_everything_leaves_at_once() {
    for yaml in ["{timeout: 0s, send_batch_max_size: 10000}", "{send_batch_size: 0, send_batch_max_size: 10000}", "timeout: 0s"] {
        let mut driver = Driver::of(&FACTORY, yaml);
        driver.receive(numbered(0..3));
        assert_eq!((sizes(&mut driver), driver.held(), driver.wake_at()), (vec![3], 0, None), "{yaml}");
        assert_eq!(driver.inlet().answer(0).milestones, Milestone::ALL, "{yaml}");
        driver.finish();
    }
    let mut driver = Driver::of(&FACTORY, "{timeout: 0s, send_batch_size: 0, send_batch_max_size: 2}");
    driver.receive(numbered(0..5));
    assert_eq!(sizes(&mut driver), [2, 2, 1]);
    driver.finish();
}

#[test]
fn who_sent_what_waits_has_an_answer_before_it_leaves() {
    let mut driver = Driver::of(&FACTORY, "timeout: 1s");
    driver.receive(numbered(0..3));
    assert_eq!(driver.inlet().answer(0).milestones, [Milestone::Accepted]);
    driver.turn(Duration::from_secs(1));
    assert!(driver.inlet().answer(0).is_settled());
    driver.finish();
}

#[test]
fn what_was_received_byte_for_byte_leaves_so() {
    let mut driver = Driver::of(&FACTORY, "send_batch_size: 4");
    let before: Vec<u8> =
        [numbered(0..2), numbered(2..4)].into_iter().flat_map(|r| tracetailor_core::telemetry::Decoded::from(r).encode()).collect();
    driver.receive(numbered(0..2));
    driver.receive(numbered(2..4));
    assert_eq!(driver.sink_mut().take_bytes(), before);
    driver.finish();
}

fn from(metadata: &[(&str, &str)]) -> Source {
    let metadata = metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Source { receiver: "test".to_owned(), metadata, ..Source::default() }
}

#[test]
fn metadata_that_differs_is_never_mixed() {
    let mut driver = Driver::of(&FACTORY, "{send_batch_size: 4, metadata_keys: [X-Tenant], metadata_cardinality_limit: 2}");
    for (tenant, numbers) in [("a", 0..2), ("b", 2..4), ("a", 4..6)] {
        driver.inlet().set_source(from(&[("x-tenant", tenant), ("x-other", "ignored")]));
        driver.receive(numbered(numbers));
    }
    assert_eq!((sizes(&mut driver), driver.held()), (vec![4], 2));
    // `a` has left, so there is a place for one that sent none; then for no third.
    driver.inlet().set_source(from(&[]));
    driver.receive(numbered(6..7));
    driver.inlet().set_source(from(&[("x-tenant", "a"), ("x-tenant", "b")]));
    driver.receive(numbered(7..8));
    assert_eq!(driver.ended(Column::Rejected, "too_many_metadata_values"), 1);
    assert_eq!(driver.inlet().answer(4).tally.rejected_retryable, 1);
    assert_eq!(driver.held(), 3);
    driver.turn(Duration::from_millis(200));
    assert_eq!(sizes(&mut driver), [2, 1]);
    driver.finish();
}

#[test]
fn metadata_without_a_limit_has_none() {
    let mut driver = Driver::of(&FACTORY, "{metadata_keys: [x], metadata_cardinality_limit: 0}");
    for number in 0..2000 {
        driver.inlet().set_source(from(&[("x", &number.to_string())]));
        driver.receive(numbered(number..number + 1));
    }
    assert_eq!(driver.held(), 2000);
    driver.turn(Duration::from_millis(200));
    assert_eq!(sizes(&mut driver).len(), 2000);
    driver.finish();
}

#[test]
fn a_partition_that_is_taken_away_takes_its_part_along() {
    let mut driver = Driver::of(&FACTORY, "timeout: 1s");
    let (kept, taken) = (SourceTag { partition: 1, generation: 1 }, SourceTag { partition: 2, generation: 1 });
    driver.receive_from(kept, numbered(0..2));
    driver.receive_from(taken, numbered(2..5));
    driver.forget(taken);
    assert_eq!(driver.held(), 2);
    driver.forget(kept);
    assert_eq!(driver.held(), 0);
    driver.turn(Duration::from_secs(2));
    assert!(driver.finish().sent().is_empty());
}

#[test]
fn without_room_it_waits_on() {
    let mut driver = Driver::of(&FACTORY, "{metadata_keys: [x], timeout: 1s}");
    for value in ["a", "b", "c"] {
        driver.inlet().set_source(from(&[("x", value)]));
        driver.receive(numbered(0..1));
    }
    driver.set_room(Room::NONE);
    driver.turn(Duration::from_secs(1));
    assert_eq!(driver.held(), 3);
    let _more = driver.wake_slice(Room { items: 1, bytes: usize::MAX });
    assert_eq!(driver.held(), 2);
    driver.set_room(Room::ENOUGH);
    driver.wake();
    assert_eq!(driver.held(), 0);
    driver.finish();
}

#[test]
fn a_lane_without_time_says_so() {
    let mut driver = Driver::of(&FACTORY, "timeout: 1h");
    driver.receive(numbered(0..3));
    let books = driver.books().clone();
    driver.give_up();
    let report = books.report();
    report.assert_balanced();
    assert_eq!(report.total(Signal::Traces)[Column::Rejected], 3);
}

#[test]
fn logs_are_gathered_alike() {
    let mut driver = Driver::of_signal(Signal::Logs, &FACTORY, "send_batch_size: 2");
    driver.receive(logs([log("a")]));
    driver.receive(logs([log("b")]));
    assert_eq!(driver.sink().sent().len(), 1);
    driver.finish();
}

#[track_caller]
fn refused(yaml: &str) -> String {
    FACTORY.parse(yaml).expect_err(yaml).to_string()
}

#[test]
fn what_cannot_be_meant_is_refused() {
    assert!(refused("{send_batch_size: 10, send_batch_max_size: 9}").contains("is less than the send_batch_size of 10"));
    assert!(refused("{metadata_keys: [a, A]}").contains("names a twice"));
    assert!(refused("{timeout: -1s}").contains("negative"));
    assert!(refused("{send_batch_sise: 10}").contains("send_batch_size"));
    assert!(FACTORY.parse("{send_batch_size: 0, send_batch_max_size: 0}").is_ok());
}

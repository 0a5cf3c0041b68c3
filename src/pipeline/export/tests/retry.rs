//! Attempts, waits and giving up.

use std::time::Duration;

use tracetailor_core::component::{Delivered, Failing};
use tracetailor_core::config::{Period, RetryOnFailure, SendingQueue};
use tracetailor_core::ledger::{Column, Milestone, Tally};

use super::desk::{Desk, Panics, Says, SaysAfter, TAKES, busy, delivery, refuses, seconds};

fn quick() -> RetryOnFailure {
    RetryOnFailure {
        initial_interval: Period::millis(200),
        max_interval: Period::millis(500),
        max_elapsed_time: Period::seconds(2),
        randomization_factor: 0.0,
        ..RetryOnFailure::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_is_delivered_once() {
    let mut desk = Desk::new(Some(delivery()), |_, _| TAKES);
    desk.push(&["a", "b"]);
    assert_eq!(desk.inlet.answer(0).milestones, [Milestone::Accepted], "queued is accepted");
    desk.wait(0.001).await;
    assert_eq!((desk.times(), desk.taken()), (vec![0.0], vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!((desk.sum(Column::Delivered), desk.counted("otelcol_exporter_sent_spans")), (2, 2));
    desk.assert_settled();
    desk.close(1.0).await;
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_later_is_tried_again() {
    let mut desk = Desk::new(Some(delivery()), |call, _| if call < 3 { busy() } else { TAKES });
    desk.push(&["a"]);
    desk.wait(60.0).await;
    assert_eq!(desk.times(), [0.0, 5.0, 12.5, 23.75]);
    assert_eq!(desk.sum(Column::Delivered), 1);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_before_an_attempt_that_would_come_too_late() {
    let keys = RetryOnFailure { max_interval: Period::seconds(10), max_elapsed_time: Period::seconds(20), ..delivery().retry_on_failure };
    let mut desk =
        Desk::new(Some(super::desk::delivery()).map(|all| tracetailor_core::config::Delivery { retry_on_failure: keys, ..all }), |_, _| {
            busy()
        });
    desk.push(&["a", "b"]);
    desk.wait(60.0).await;
    assert_eq!(desk.times(), [0.0, 5.0, 12.5]);
    assert_eq!(desk.reasons(Column::Failed), [("retries_exhausted".to_owned(), 2)]);
    assert_eq!(desk.counted("otelcol_exporter_send_failed_spans"), 2);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn retry_off_makes_one_attempt() {
    let mut all = delivery();
    all.retry_on_failure.enabled = false;
    let mut desk = Desk::new(Some(all), |_, _| busy());
    desk.push(&["a"]);
    desk.wait(60.0).await;
    assert_eq!((desk.times(), desk.reasons(Column::Failed)), (vec![0.0], vec![("not_retried".to_owned(), 1)]));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_waited_for_unless_it_is_longer_than_what_is_left() {
    let hint = |seconds| refuses(Failing::Retry { after: Some(Duration::from_secs(seconds)) });
    for (after, times) in [(1, vec![0.0, 1.0]), (60, vec![0.0])] {
        let mut all = delivery();
        all.retry_on_failure = quick();
        let mut desk = Desk::new(Some(all), move |call, _| if call == 0 { hint(after) } else { TAKES });
        desk.push(&["a"]);
        desk.wait(120.0).await;
        assert_eq!(desk.times(), times, "Retry-After: {after}");
        desk.assert_settled();
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_its_time() {
    let mut all = delivery();
    all.timeout = Period::seconds(2);
    let mut desk = Desk::new(Some(all), |call, _| if call == 0 { SaysAfter(seconds(30.0), Ok(Delivered::ALL)) } else { TAKES });
    desk.push(&["a"]);
    desk.wait(60.0).await;
    assert_eq!(desk.times(), [0.0, 7.0]);
    assert_eq!(desk.taken(), ["a"]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_zero_is_none() {
    let mut all = delivery();
    all.timeout = Period::ZERO;
    let mut desk = Desk::new(Some(all), |_, _| SaysAfter(seconds(3000.0), Ok(Delivered::ALL)));
    desk.push(&["a"]);
    desk.wait(3001.0).await;
    assert_eq!((desk.times(), desk.sum(Column::Delivered)), (vec![0.0], 1));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_its_request_and_nothing_else() {
    let mut desk = Desk::new(Some(delivery()), |_, names| if names[0] == "bad" { Panics } else { TAKES });
    desk.push(&["bad", "worse"]);
    desk.push(&["good"]);
    desk.wait(60.0).await;
    assert_eq!(desk.reasons(Column::Failed), [("panic".to_owned(), 2)]);
    assert_eq!((desk.taken(), desk.counted("tracetailor_panics_total")), (vec!["good".to_owned()], 1));
    desk.assert_settled();
    desk.close(1.0).await;
}

#[tokio::test(start_paused = true)]
async fn a_partial_success_is_counted_and_not_repeated() {
    let partial = |rejected| Says(Ok(Delivered { rejected, message: "too old".to_owned() }));
    for (rejected, failed) in [(0, 0), (1, 1), (2, 2), (200, 2)] {
        let mut desk = Desk::new(Some(delivery()), move |_, _| partial(rejected));
        desk.push(&["a", "b"]);
        desk.wait(60.0).await;
        assert_eq!((desk.times(), desk.sum(Column::Failed), desk.sum(Column::Delivered)), (vec![0.0], failed, 2 - failed));
        assert_eq!(desk.counted("otelcol_exporter_sent_spans"), 2 - failed);
        desk.assert_settled();
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_the_sender_waits_for_the_answer() {
    let direct = || tracetailor_core::config::Delivery { sending_queue: SendingQueue::off(), retry_on_failure: quick(), ..delivery() };
    let mut desk = Desk::new(Some(direct()), |call, _| if call == 0 { busy() } else { TAKES });
    desk.push(&["a"]);
    desk.wait(0.1).await;
    assert_eq!(desk.inlet.answer(0).milestones, [], "nobody has it yet");
    desk.wait(10.0).await;
    assert_eq!((desk.times(), desk.inlet.answer(0).tally), (vec![0.0, 0.2], Tally { delivered: 1, ..Tally::default() }));
    desk.assert_settled();

    let mut desk = Desk::new(Some(direct()), |_, _| busy());
    desk.push(&["a"]);
    desk.wait(10.0).await;
    assert_eq!(desk.inlet.answer(0).tally, Tally { rejected_retryable: 1, ..Tally::default() });
    assert_eq!(desk.reasons(Column::Rejected), [("retries_exhausted".to_owned(), 1)]);
    desk.assert_settled();

    for failing in [Failing::Invalid, Failing::TooLarge, Failing::Denied] {
        let mut desk = Desk::new(Some(direct()), move |_, _| refuses(failing));
        desk.push(&["a"]);
        desk.wait(10.0).await;
        assert_eq!((desk.times(), desk.inlet.answer(0).tally), (vec![0.0], Tally { failed: 1, ..Tally::default() }), "{failing}");
        desk.assert_settled();
    }
}

#[tokio::test(start_paused = true)]
async fn an_exporter_with_nothing_around_it_is_asked_once_and_at_once() {
    let mut desk = Desk::new(None, |_, names| if names[0] == "slow" { SaysAfter(seconds(100.0), Ok(Delivered::ALL)) } else { busy() });
    for _ in 0..50 {
        desk.push(&["slow"]);
    }
    desk.push(&["a"]);
    desk.wait(99.0).await;
    assert_eq!(desk.calls().len(), 51);
    assert_eq!(desk.inlet.answer(50).tally, Tally { rejected_retryable: 1, ..Tally::default() });
    desk.wait(2.0).await;
    assert_eq!(desk.sum(Column::Delivered), 50);
    desk.assert_settled();
}

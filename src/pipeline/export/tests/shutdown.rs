//! No more input: what waits is sent, once each, and at the deadline the rest is given up and counted.

use tracetailor_core::component::{Delivered, Failing};
use tracetailor_core::config::{Delivery, Period, SendingQueue};
use tracetailor_core::ledger::{Column, Tally};
use tracetailor_core::telemetry::SourceTag;

use super::desk::{Desk, SaysAfter, TAKES, busy, delivery, refuses, seconds};

fn one_consumer() -> Delivery {
    Delivery { sending_queue: SendingQueue { num_consumers: 1, ..SendingQueue::default() }, ..delivery() }
}

#[tokio::test(start_paused = true)]
async fn nothing_left_is_through_at_once() {
    let mut desk = Desk::new(Some(delivery()), |_, _| TAKES);
    desk.wait(0.5).await;
    assert!(desk.close(30.0).await < 0.001);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_sent() {
    let mut desk = Desk::new(Some(one_consumer()), |_, _| SaysAfter(seconds(1.0), Ok(Delivered::ALL)));
    for _ in 0..5 {
        desk.push(&["a"]);
    }
    desk.wait(0.5).await;
    let took = desk.close(30.0).await;
    assert!((4.0..5.0).contains(&took), "{took}");
    assert_eq!(desk.taken().len(), 5);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_waits_for_its_retry_is_made_at_once() {
    let mut desk = Desk::new(Some(one_consumer()), |call, _| if call == 0 { busy() } else { TAKES });
    for name in ["a", "b", "c"] {
        desk.push(&[name]);
    }
    desk.wait(0.5).await;
    assert!(desk.close(30.0).await < 0.001);
    assert_eq!((desk.taken().len(), desk.times()), (3, vec![0.0, 0.5, 0.5, 0.5]));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_dead_destination_is_asked_once_for_each_request() {
    for failing in [Failing::Retry { after: None }, Failing::Denied] {
        let mut desk = Desk::new(Some(one_consumer()), move |_, _| refuses(failing));
        for _ in 0..10 {
            desk.push(&["a"]);
        }
        desk.wait(0.5).await;
        assert!(desk.close(30.0).await < 0.001, "the breaker holds nothing up");
        assert_eq!((desk.calls().len(), desk.reasons(Column::Failed)), (11, vec![("shutdown".to_owned(), 10)]), "{failing}");
        desk.assert_settled();
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_only_what_is_under_way_goes_on() {
    let mut desk = Desk::new(Some(one_consumer()), |_, _| SaysAfter(seconds(4.0), Ok(Delivered::ALL)));
    desk.inlet.set_tag(SourceTag::NONE);
    for name in ["a", "b", "c"] {
        desk.push(&[name]);
    }
    desk.inlet.set_tag(SourceTag { partition: 1, generation: 1 });
    desk.push(&["replayed", "later"]);
    desk.wait(1.0).await;
    let took = desk.close(5.0).await;
    assert_eq!(took, 7.0, "the second request was under way");
    assert_eq!(desk.taken(), ["a", "b"]);
    assert_eq!((desk.reasons(Column::Failed), desk.sum(Column::Left)), (vec![("shutdown".to_owned(), 1)], 2));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_timeout_is_cut_at_the_deadline() {
    let mut desk =
        Desk::new(Some(Delivery { timeout: Period::ZERO, ..one_consumer() }), |_, _| SaysAfter(seconds(1e6), Ok(Delivered::ALL)));
    desk.push(&["a"]);
    desk.wait(1.0).await;
    assert_eq!(desk.close(5.0).await, 5.0);
    assert_eq!(desk.reasons(Column::Failed), [("shutdown".to_owned(), 1)]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn who_still_waits_for_an_answer_may_try_again() {
    let direct = Delivery { sending_queue: SendingQueue::off(), ..delivery() };
    let mut desk = Desk::new(Some(direct), |_, _| busy());
    desk.push(&["a"]);
    desk.wait(1.0).await;
    assert!(desk.close(30.0).await < 0.001);
    assert_eq!(desk.inlet.answer(0).tally, Tally { rejected_retryable: 1, ..Tally::default() });
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn what_comes_too_late_is_turned_away() {
    let mut desk = Desk::new(Some(delivery()), |_, _| TAKES);
    desk.close(1.0).await;
    assert!(desk.export.room().is_used_up());
    desk.push(&["a"]);
    assert_eq!(desk.inlet.answer(0).tally, Tally { rejected_retryable: 1, ..Tally::default() });
    desk.assert_settled();
}

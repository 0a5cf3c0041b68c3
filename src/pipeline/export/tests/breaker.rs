//! A destination that fails is left alone, and loses nothing by it.

use tracetailor_core::component::{Delivered, Failing};
use tracetailor_core::config::{CircuitBreaker, CoolDown, Delivery, Period, SendingQueue};
use tracetailor_core::ledger::Column;

use super::desk::{Desk, SaysAfter, TAKES, busy, delivery, refuses, seconds};

const STATE: &str = "tracetailor_exporter_circuit_state";

fn with_consumers(num_consumers: u32) -> Delivery {
    Delivery { sending_queue: SendingQueue { num_consumers, ..SendingQueue::default() }, ..delivery() }
}

#[tokio::test(start_paused = true)]
async fn after_failures_in_a_row_data_waits_until_one_request_has_passed() {
    let slow = || SaysAfter(seconds(1.0), Ok(Delivered::ALL));
    let mut desk = Desk::new(Some(with_consumers(5)), move |call, _| match call {
        0..=5 => busy(),
        6 => slow(),
        _ => TAKES,
    });
    for number in 0..20 {
        desk.push(&[&format!("{number:02}")]);
    }
    desk.wait(1.0).await;
    assert_eq!((desk.calls().len(), desk.level(STATE)), (5, 1), "five failures open it");
    assert_eq!(desk.level("otelcol_exporter_queue_size"), 20);
    desk.wait(29.5).await;
    assert_eq!((desk.calls().len(), desk.level(STATE)), (6, 1), "one asked at 30 s and failed");
    desk.wait(30.0).await;
    assert_eq!((desk.calls().len(), desk.level(STATE)), (7, 2), "one asks again, the others wait for it");
    desk.wait(1.0).await;
    assert_eq!((desk.taken().len(), desk.level(STATE)), (20, 0));
    assert_eq!(&desk.times()[5..8], [30.0, 60.0, 61.0]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn it_never_opens_where_it_is_off() {
    let off = CircuitBreaker { failures: 0, ..CircuitBreaker::default() };
    let mut desk = Desk::new(Some(Delivery { circuit_breaker: off, ..with_consumers(1) }), |call, _| if call < 8 { busy() } else { TAKES });
    desk.push(&["a"]);
    desk.wait(600.0).await;
    assert_eq!(desk.times(), [0.0, 5.0, 12.5, 23.75, 40.625, 65.938, 95.938, 125.938, 155.938]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn time_spent_waiting_for_it_ends_no_request_without_one_more_attempt() {
    let mut all = with_consumers(2);
    all.circuit_breaker = CircuitBreaker { failures: 2, open_for: Period::seconds(30) };
    all.retry_on_failure.max_elapsed_time = Period::seconds(10);
    all.retry_on_failure.max_interval = Period::seconds(10);
    let mut desk = Desk::new(Some(all), |call, _| if call < 2 { busy() } else { TAKES });
    desk.push(&["a"]);
    desk.push(&["b"]);
    desk.wait(60.0).await;
    assert_eq!((desk.times(), desk.taken().len()), (vec![0.0, 0.0, 30.0, 30.0], 2));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_denial_cools_down_as_a_whole() {
    let mut desk = Desk::new(Some(with_consumers(1)), |call, _| if call == 0 { refuses(Failing::Denied) } else { TAKES });
    desk.push(&["a", "b", "c", "d"]);
    desk.push(&["e"]);
    desk.wait(29.0).await;
    assert_eq!((desk.sizes(), desk.level(STATE), desk.sum(Column::Failed)), (vec![4], 1, 0), "not taken apart");
    desk.wait(2.0).await;
    assert_eq!((desk.sizes(), desk.times()), (vec![4, 4, 1], vec![0.0, 30.0, 30.0]));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_denial_that_is_not_retried_still_spares_the_others() {
    let mut all = with_consumers(1);
    all.retry_on_failure.enabled = false;
    let mut desk = Desk::new(Some(all), |call, _| if call == 0 { refuses(Failing::Denied) } else { TAKES });
    desk.push(&["a"]);
    desk.push(&["b"]);
    desk.wait(60.0).await;
    assert_eq!((desk.times(), desk.taken()), (vec![0.0, 30.0], vec!["b".to_owned()]));
    assert_eq!(desk.reasons(Column::Failed), [("denied".to_owned(), 1)]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn after_a_reload_the_destination_is_asked_at_once() {
    let mut desk = Desk::new(Some(with_consumers(1)), |call, _| if call == 0 { refuses(Failing::Denied) } else { TAKES });
    desk.push(&["a"]);
    desk.push(&["b"]);
    desk.wait(7.0).await;
    assert_eq!(desk.level(STATE), 1);
    desk.export.reconfigure(Some(&with_consumers(1)));
    desk.wait(0.001).await;
    assert_eq!((desk.times(), desk.level(STATE)), (vec![0.0, 7.0, 7.0], 0));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn it_is_left_alone_after_so_many_refusals_where_that_is_set() {
    let cool_down = Some(CoolDown { refusals: 3, duration: Period::seconds(60) });
    let refusing = |call, _: &[String]| if call < 3 { refuses(Failing::Denied) } else { TAKES };
    let mut desk = Desk::new(Some(Delivery { cool_down, ..with_consumers(3) }), refusing);
    ["a", "b", "c", "d"].iter().for_each(|name| desk.push(&[*name]));
    desk.wait(1.0).await;
    assert_eq!((desk.calls().len(), desk.level(STATE)), (3, 1));
    desk.wait(100.0).await;
    assert_eq!((desk.times()[3], desk.taken().len()), (60.0, 4), "what waited is not lost");
    desk.assert_settled();
}

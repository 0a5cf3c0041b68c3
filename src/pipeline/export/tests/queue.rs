//! What fits, what waits, who sends it.

use tracetailor_core::component::Delivered;
use tracetailor_core::config::{Delivery, SendingQueue, Sizer};
use tracetailor_core::ledger::{Column, Milestone, Tally};
use tracetailor_core::testing::Inlet;

use super::super::Full;
use super::desk::{Desk, SaysAfter, TAKES, busy, delivery, seconds};
use crate::pipeline::Memory;

fn queue(sending_queue: SendingQueue) -> Delivery {
    Delivery { sending_queue, ..delivery() }
}

fn slow() -> super::desk::Reaction {
    SaysAfter(seconds(1.0), Ok(Delivered::ALL))
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_takes_room_until_it_has_ended() {
    let mut desk = Desk::new(Some(queue(SendingQueue { num_consumers: 1, queue_size: 1, ..SendingQueue::default() })), |_, _| slow());
    desk.push(&["a"]);
    desk.wait(0.5).await;
    assert!(desk.export.room().is_used_up());
    desk.push(&["b", "c"]);
    assert_eq!(desk.inlet.answer(1).tally, Tally { rejected_retryable: 2, ..Tally::default() });
    assert_eq!(desk.counted("otelcol_exporter_enqueue_failed_spans"), 2);
    desk.wait(1.0).await;
    desk.push(&["d"]);
    desk.wait(2.0).await;
    assert_eq!(desk.taken(), ["a", "d"]);
    assert_eq!(desk.reasons(Column::Rejected), [("queue_full".to_owned(), 2)]);
    desk.assert_settled();
}

/// A processor that gathers has answered for what it holds: there is nobody left to turn it away to.
#[tokio::test(start_paused = true)]
async fn what_clients_have_an_answer_for_is_taken_also_by_a_full_queue() {
    let mut desk = Desk::new(Some(queue(SendingQueue { num_consumers: 1, queue_size: 1, ..SendingQueue::default() })), |_, _| slow());
    desk.push(&["a"]);
    desk.wait(0.5).await;
    for name in ["b", "c"] {
        let mut held = desk.request(&[name]);
        held.each_share(|share| share.accepted());
        desk.export.push(0, held);
    }
    assert!(desk.export.room().is_used_up());
    desk.push(&["d"]);
    desk.wait(4.0).await;
    assert_eq!(desk.taken(), ["a", "b", "c"]);
    assert_eq!(desk.reasons(Column::Rejected), [("queue_full".to_owned(), 1)]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn items_are_counted_where_the_sizer_says_so() {
    let keys = SendingQueue { num_consumers: 1, queue_size: 5, sizer: Sizer::Items, ..SendingQueue::default() };
    let mut desk = Desk::new(Some(queue(keys)), |_, _| slow());
    desk.push(&["a", "b", "c"]);
    assert_eq!((desk.export.room().fits(2, 1000), desk.export.room().fits(3, 1000)), (true, false));
    desk.push(&["d", "e"]);
    desk.push(&["f"]);
    desk.wait(3.0).await;
    assert_eq!(desk.taken(), ["a", "b", "c", "d", "e"]);
    desk.push(&["a", "b", "c", "d", "e", "f"]);
    assert_eq!(desk.inlet.answer(3).tally, Tally { rejected_for_good: 6, ..Tally::default() }, "it would never fit");
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn memory_bounds_queues_whatever_they_count() {
    let memory = Memory::new(1_000, 1_000);
    let mut desk = Desk::with(Inlet::new(), Some(delivery()), memory.clone(), 1, |_, _| slow());
    let whole = memory.queue_room();
    desk.push(&["a", "b", "c", "d", "e", "f"]);
    assert!(desk.export.room().is_used_up() && memory.queue_room() == 0, "the last to come may overshoot");
    desk.push(&["g"]);
    assert_eq!(desk.reasons(Column::Rejected), [("queues_memory_full".to_owned(), 1)]);
    assert_eq!(desk.export.full(), Some(Full::Memory));
    desk.wait(2.0).await;
    assert_eq!((desk.taken().len(), memory.queue_room(), memory.held()), (6, whole, 0));
    desk.inlet.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn bytes_are_counted_where_the_sizer_says_so() {
    let mut inlet = Inlet::new();
    let size = {
        let request = inlet.receive(tracetailor_core::testing::traces([tracetailor_core::testing::span("a").service("shop")]));
        let size = request.emitted_bound() as u64;
        request.settle(tracetailor_core::ledger::Fate::Delivered);
        size
    };
    let keys = SendingQueue { num_consumers: 1, queue_size: 2 * size, sizer: Sizer::Bytes, ..SendingQueue::default() };
    let mut desk = Desk::with(inlet, Some(queue(keys)), Memory::default(), 1, |_, _| slow());
    for name in ["a", "b", "c"] {
        desk.push(&[name]);
    }
    desk.wait(3.0).await;
    assert_eq!((desk.taken().len(), desk.sum(Column::Rejected)), (2, 1));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn so_many_requests_are_under_way_at_once_in_their_order() {
    let mut desk = Desk::new(Some(queue(SendingQueue { num_consumers: 2, ..SendingQueue::default() })), |_, _| slow());
    for name in ["a", "b", "c", "d", "e"] {
        desk.push(&[name]);
    }
    desk.wait(10.0).await;
    assert_eq!(desk.times(), [0.0, 0.0, 1.0, 1.0, 2.0]);
    let order: Vec<String> = desk.calls().into_iter().flat_map(|call| call.names).collect();
    assert_eq!(order, ["a", "b", "c", "d", "e"]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn all_lanes_together_have_so_many_consumers() {
    let keys = SendingQueue { num_consumers: 3, ..SendingQueue::default() };
    let mut desk = Desk::with(Inlet::new(), Some(queue(keys)), Memory::default(), 4, |_, _| slow());
    for lane in 0..12 {
        let batch = desk.request(&["a"]);
        desk.export.push(lane % 4, batch);
    }
    desk.wait(0.5).await;
    assert_eq!(desk.calls().len(), 3);
    desk.wait(10.0).await;
    assert_eq!(desk.times(), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0]);
    desk.close(1.0).await;
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn wait_for_result_accepts_only_what_has_ended() {
    let keys = SendingQueue { wait_for_result: true, ..SendingQueue::default() };
    let mut desk = Desk::new(Some(queue(keys.clone())), |_, _| slow());
    desk.push(&["a"]);
    desk.wait(0.5).await;
    assert_eq!(desk.inlet.answer(0).milestones, []);
    desk.wait(1.0).await;
    assert_eq!(desk.inlet.answer(0).milestones, Milestone::ALL);

    let mut all = queue(keys);
    all.retry_on_failure.enabled = false;
    let mut desk = Desk::new(Some(all), |_, _| busy());
    desk.push(&["a"]);
    desk.wait(0.5).await;
    assert_eq!(desk.inlet.answer(0).tally, Tally { rejected_retryable: 1, ..Tally::default() });
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_room_is_told_of_it() {
    let keys = SendingQueue { queue_size: 1, block_on_overflow: true, ..SendingQueue::default() };
    let mut desk = Desk::new(Some(queue(keys)), |_, _| slow());
    assert!(desk.export.blocks_on_overflow());
    desk.export.room_made().await;
    desk.push(&["a"]);
    let export = desk.export.clone();
    let waiting = tokio::spawn(async move { export.room_made().await });
    desk.wait(0.5).await;
    assert!(!waiting.is_finished());
    desk.wait(1.0).await;
    assert!(waiting.is_finished());
    assert!(!desk.export.room().is_used_up());
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn other_settings_hold_for_what_waits() {
    let one = SendingQueue { num_consumers: 1, ..SendingQueue::default() };
    let mut desk = Desk::new(Some(queue(one)), |_, _| slow());
    for name in ["a", "b", "c", "d"] {
        desk.push(&[name]);
    }
    desk.wait(0.5).await;
    desk.export.reconfigure(Some(&queue(SendingQueue { num_consumers: 10, ..SendingQueue::default() })));
    desk.wait(10.0).await;
    assert_eq!(desk.times(), [0.0, 0.5, 0.5, 0.5]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn requests_are_split_at_their_largest_size() {
    let all = Delivery { max_request_bytes: tracetailor_core::config::ByteSize::bytes(300), ..delivery() };
    let mut desk = Desk::new(Some(all), |_, _| TAKES);
    desk.push(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
    desk.wait(1.0).await;
    assert_eq!(desk.taken().len(), 10);
    assert!(desk.sizes().len() > 1 && desk.sizes().iter().all(|size| *size <= 5), "{:?}", desk.sizes());
    desk.assert_settled();
}

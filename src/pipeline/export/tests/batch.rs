//! Gathering small batches, and splitting large ones.

use std::collections::BTreeSet;

use tracetailor_core::config::{Delivery, Period, QueueBatch, QueuePartition, SendingQueue, Sizer, Switch};
use tracetailor_core::telemetry::Source;
use tracetailor_core::testing::Inlet;

use super::desk::{Desk, TAKES, delivery};
use crate::pipeline::Memory;

fn batching(batch: QueueBatch) -> Delivery {
    Delivery { sending_queue: SendingQueue { batch: Switch::On(batch), ..SendingQueue::default() }, ..delivery() }
}

fn of_four() -> QueueBatch {
    QueueBatch { min_size: 4, ..QueueBatch::default() }
}

#[tokio::test(start_paused = true)]
async fn what_is_small_waits_for_company_or_its_time() {
    let mut desk = Desk::new(Some(batching(of_four())), |_, _| TAKES);
    desk.push(&["a", "b"]);
    desk.wait(0.1).await;
    desk.push(&["c"]);
    desk.wait(0.05).await;
    assert_eq!(desk.calls(), []);
    desk.wait(0.1).await;
    assert_eq!((desk.times(), desk.sizes()), (vec![0.2], vec![3]), "flushed after 200 ms");
    desk.push(&["d", "e"]);
    desk.push(&["f", "g", "h"]);
    desk.wait(0.001).await;
    assert_eq!(desk.sizes(), [3, 5], "large enough, so sent at once");
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_of_all_lanes() {
    let mut desk = Desk::with(Inlet::new(), Some(batching(of_four())), Memory::default(), 2, |_, _| TAKES);
    for lane in [0, 1, 0, 1] {
        let batch = desk.request(&["a"]);
        desk.export.push(lane, batch);
    }
    desk.wait(0.001).await;
    assert_eq!(desk.sizes(), [4]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_least_size_of_zero_waits_for_nobody() {
    let keys = QueueBatch { min_size: 0, flush_timeout: Period::seconds(5), ..QueueBatch::default() };
    let mut desk = Desk::new(Some(batching(keys)), |_, _| TAKES);
    desk.push(&["a", "b"]);
    desk.wait(0.3).await;
    desk.push(&["c", "d"]);
    desk.wait(0.001).await;
    assert_eq!((desk.times(), desk.sizes()), (vec![0.0, 0.3], vec![2, 2]));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_split_and_what_is_left_over_waits() {
    let keys = QueueBatch { min_size: 3, max_size: 4, ..QueueBatch::default() };
    let mut desk = Desk::new(Some(batching(keys)), |_, _| TAKES);
    desk.push(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
    desk.wait(0.001).await;
    assert_eq!(desk.sizes(), [4, 4]);
    assert_eq!(desk.export.room().batches, 999, "the request is here until its last part has gone");
    desk.push(&["k"]);
    desk.wait(0.001).await;
    assert_eq!(desk.sizes(), [4, 4, 3], "with what came since");
    assert_eq!(desk.taken().len(), 11);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn bytes_bound_a_batch_where_the_sizer_says_so() {
    let keys = QueueBatch { min_size: 300, max_size: 400, sizer: Some(Sizer::Bytes), ..QueueBatch::default() };
    let mut desk = Desk::new(Some(batching(keys)), |_, _| TAKES);
    desk.push(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]);
    desk.wait(0.001).await;
    assert!(!desk.calls().is_empty());
    desk.wait(1.0).await;
    assert!(desk.sizes().iter().all(|size| *size <= 7) && desk.sizes().len() <= 3, "{:?}", desk.sizes());
    assert_eq!(desk.taken().len(), 12);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn partitions_are_never_mixed() {
    let partition = QueuePartition { metadata_keys: vec!["X-Tenant".to_owned()].into() };
    let mut desk = Desk::new(Some(batching(QueueBatch { partition, ..of_four() })), |_, _| TAKES);
    let tenants = [Some("red"), Some("blue"), Some(""), None];
    let of = |tenant: Option<&str>| {
        let metadata = tenant.map(|tenant| ("x-tenant".to_owned(), tenant.to_owned())).into_iter().collect();
        Source { receiver: "test".to_owned(), metadata, ..Source::default() }
    };
    for round in 0..2 {
        for (number, tenant) in tenants.into_iter().enumerate() {
            desk.inlet.set_source(of(tenant));
            desk.push(&[&format!("{number} {round}")]);
        }
    }
    // What a pipeline merged comes apart again.
    desk.inlet.set_source(of(tenants[0]));
    let mut mixed = desk.request(&["0 2", "0 3"]);
    desk.inlet.set_source(of(tenants[1]));
    mixed.append(desk.request(&["1 2"])).unwrap();
    desk.export.push(0, mixed);
    desk.wait(1.0).await;

    let of_call = |names: &[String]| names.iter().map(|name| name[..1].to_owned()).collect::<BTreeSet<_>>();
    assert!(desk.calls().iter().all(|call| of_call(&call.names).len() == 1), "{:?}", desk.calls());
    let mut sizes = desk.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 2, 3, 4]);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn what_has_gathered_is_sent_at_the_end() {
    let mut desk = Desk::new(Some(batching(QueueBatch::default())), |_, _| TAKES);
    desk.push(&["a", "b"]);
    assert!(desk.close(5.0).await < 0.1);
    assert_eq!(desk.taken(), ["a", "b"]);
    desk.assert_settled();
}

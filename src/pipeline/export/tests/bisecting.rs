//! Batches that are bad, too large, or refused whatever is in them.

use std::collections::BTreeSet;

use tracetailor_core::component::Failing;
use tracetailor_core::config::{DeadLetter, Delivery, Period};
use tracetailor_core::ledger::Column;

use super::desk::{Desk, Reaction, TAKES, busy, delivery, refuses};

/// A destination that calls every request bad that has one of these in it.
fn minds(bad: &[usize]) -> impl FnMut(usize, &[String]) -> Reaction + Send + 'static {
    let bad: BTreeSet<String> = bad.iter().map(|number| number.to_string()).collect();
    move |_, names| if names.iter().any(|name| bad.contains(name)) { refuses(Failing::Invalid) } else { TAKES }
}

fn push_numbers(desk: &mut Desk, count: usize) {
    let names: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    desk.push(&names.iter().map(String::as_str).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn only_the_culprits_are_set_aside() {
    let table: [(usize, &[usize]); 9] = [
        (1, &[0]),
        (2, &[1]),
        (100, &[0]),
        (100, &[99]),
        (100, &[57]),
        (1000, &[0, 1, 2]),
        (1000, &[3, 500, 999]),
        (8192, &[0]),
        (64, &[0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 33]),
    ];
    for (count, bad) in table {
        let mut desk = Desk::new(Some(delivery()), minds(bad));
        push_numbers(&mut desk, count);
        desk.wait(0.001).await;
        let name = format!("{bad:?} of {count}");
        assert_eq!(desk.reasons(Column::Failed), [("invalid".to_owned(), bad.len() as u64)], "{name}");
        assert_eq!(desk.taken().len(), count - bad.len(), "{name}");
        let (k, n) = (bad.len() as f64, count as f64);
        let most = 2.0 * k * (n / k).log2().ceil() + 2.0 * k;
        assert!(desk.calls().len() as f64 <= most, "{name}: {} sends, not more than {most}", desk.calls().len());
        assert_eq!(desk.level("tracetailor_exporter_circuit_state"), 0, "{name}");
        desk.assert_settled();
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_passes_nobody_is_blamed() {
    let mut desk = Desk::new(Some(delivery()), |call, _| if call < 25 { refuses(Failing::Invalid) } else { TAKES });
    push_numbers(&mut desk, 1000);
    desk.wait(0.001).await;
    assert_eq!(desk.calls().len(), 24);
    assert_eq!((desk.sum(Column::Failed), desk.level("tracetailor_exporter_circuit_state")), (0, 1));
    desk.wait(60.0).await;
    assert_eq!(desk.times()[24], 30.0, "after the cool-down");
    assert_eq!((desk.sum(Column::Delivered), desk.taken().len()), (1000, 1000));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_never_takes_anything_ends_it_as_denied() {
    let mut all = delivery();
    all.retry_on_failure.max_elapsed_time = Period::seconds(40);
    let mut desk = Desk::new(Some(all), |_, _| refuses(Failing::Invalid));
    push_numbers(&mut desk, 1000);
    desk.wait(600.0).await;
    assert_eq!(desk.reasons(Column::Failed), [("denied".to_owned(), 1000)]);
    assert!(desk.calls().len() <= 72, "{}", desk.calls().len());
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn one_bad_request_among_good_ones_is_bad_as_a_whole() {
    let mut all = delivery();
    all.sending_queue.num_consumers = 1;
    let mut desk = Desk::new(Some(all), minds(&[0, 1, 2, 3, 4, 5, 6, 7]));
    for _ in 0..5 {
        desk.push(&["good"]);
        push_numbers(&mut desk, 8);
    }
    desk.wait(0.001).await;
    assert_eq!((desk.reasons(Column::Failed), desk.taken().len()), (vec![("invalid".to_owned(), 40)], 5));
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn many_bad_requests_in_a_row_are_a_destination_that_takes_nothing() {
    let mut all = delivery();
    all.sending_queue.num_consumers = 1;
    let mut desk = Desk::new(Some(all), |_, _| refuses(Failing::Invalid));
    for _ in 0..100 {
        desk.push(&["a"]);
    }
    desk.wait(1.0).await;
    assert_eq!((desk.calls().len(), desk.reasons(Column::Failed)), (24, vec![("invalid".to_owned(), 23)]));
    assert_eq!(desk.level("tracetailor_exporter_circuit_state"), 1);
    desk.close(5.0).await;
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_halved_until_it_fits() {
    let mut desk = Desk::new(Some(delivery()), |_, names| match names.len() {
        _ if names == ["7"] => refuses(Failing::TooLarge),
        0..=3 if !names.contains(&"7".to_owned()) => TAKES,
        _ => refuses(Failing::TooLarge),
    });
    push_numbers(&mut desk, 20);
    desk.wait(0.001).await;
    assert_eq!(desk.reasons(Column::Failed), [("too_large".to_owned(), 1)]);
    assert_eq!(desk.taken().len(), 19);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_part_that_may_pass_later_is_tried_again_alone() {
    let mut desk = Desk::new(Some(delivery()), |call, names| match names.len() {
        4 => refuses(Failing::Invalid),
        2 if call == 1 => busy(),
        _ => TAKES,
    });
    push_numbers(&mut desk, 4);
    desk.wait(60.0).await;
    assert_eq!((desk.sizes(), desk.times()), (vec![4, 2, 2, 2], vec![0.0, 0.0, 5.0, 5.0]));
    assert_eq!(desk.taken().len(), 4);
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn culprits_are_written_where_a_person_can_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let dead_letter = Some(DeadLetter { path: path.to_str().unwrap().to_owned() });
    let mut desk = Desk::new(Some(Delivery { dead_letter, ..delivery() }), minds(&[3, 5]));
    push_numbers(&mut desk, 8);
    while desk.inlet.books().open_receipts() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(desk.reasons(Column::DeadLettered), [("invalid".to_owned(), 2)]);
    let text = std::fs::read_to_string(&path).unwrap();
    let letters: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = letters.iter().map(|letter| &letter["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"]).collect();
    assert_eq!(names, ["3", "5"]);
    assert!(letters.iter().all(|letter| letter["exporter"] == "otlp" && letter["reason"] == "said no (bad data)"), "{text}");
    let read = tracetailor_core::telemetry::json::to_protobuf(
        desk.export.line().signal(),
        text.lines().next().unwrap().as_bytes(),
        &mut Vec::new(),
    );
    assert_eq!(read.unwrap().count, 0, "it is OTLP");
    desk.assert_settled();
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_written_is_a_failure() {
    let dead_letter = Some(DeadLetter { path: "/no/such/folder/dead.jsonl".to_owned() });
    let mut desk = Desk::new(Some(Delivery { dead_letter, ..delivery() }), minds(&[1]));
    push_numbers(&mut desk, 2);
    while desk.inlet.books().open_receipts() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((desk.sum(Column::DeadLettered), desk.reasons(Column::Failed)), (0, vec![("invalid".to_owned(), 1)]));
    desk.assert_settled();
}

//! Any requests, any answers, any settings: nothing is lost, nothing is delivered twice, and the books say the same.

use std::collections::BTreeSet;
use std::time::Duration;

use tracetailor_core::component::{Delivered, ExportError, Failing};
use tracetailor_core::config::{ByteSize, CircuitBreaker, Delivery, Period, QueueBatch, RetryOnFailure, SendingQueue, Sizer, Switch};
use tracetailor_core::ledger::{Column, LineName};
use tracetailor_core::telemetry::Signal;
use tracetailor_core::testing::{Dice, Inlet};

use super::desk::{Desk, Panics, Reaction, Says, SaysAfter, delivery};
use crate::pipeline::Memory;

/// How hard a destination is to please.
#[derive(Clone, Copy)]
struct Mood {
    busy: u32,
    slow: u32,
    panics: u32,
    denies: u32,
    /// One in so many items is bad.
    bad_one_in: u64,
    most_items: usize,
}

fn reacts(mut dice: Dice, mood: Mood) -> impl FnMut(usize, &[String]) -> Reaction + Send + 'static {
    let fails = |failing| Err(ExportError::new(failing, "no"));
    move |_, names| {
        let is_bad = |name: &String| name.parse::<u64>().unwrap() % mood.bad_one_in == 0;
        let said = match () {
            () if names.len() > mood.most_items => fails(Failing::TooLarge),
            () if names.iter().any(is_bad) => fails(Failing::Invalid),
            () if dice.percent(mood.denies) => fails(Failing::Denied),
            () if dice.percent(mood.busy) => {
                fails(Failing::Retry { after: dice.percent(20).then(|| Duration::from_secs(dice.between(0, 20))) })
            }
            () if dice.percent(mood.panics) => return Panics,
            () if dice.percent(5) => Ok(Delivered { rejected: 0, message: "well".to_owned() }),
            () => Ok(Delivered::ALL),
        };
        if dice.percent(mood.slow) { SaysAfter(Duration::from_millis(dice.between(1, 4900)), said) } else { Says(said) }
    }
}

fn settings(dice: &mut Dice) -> Delivery {
    let sizer = [Sizer::Requests, Sizer::Items, Sizer::Bytes][dice.below(3)];
    let min_size = dice.between(0, 40);
    let max_size = if dice.percent(50) { min_size.max(1) + dice.between(0, 10) } else { 0 };
    let flush_timeout = Period::millis(dice.between(1, 500) as u32);
    let batch = QueueBatch { min_size, max_size, flush_timeout, sizer: Some(Sizer::Items), ..QueueBatch::default() };
    Delivery {
        cool_down: None,
        sending_queue: SendingQueue {
            enabled: dice.percent(85),
            num_consumers: dice.between(1, 5) as u32,
            queue_size: match sizer {
                Sizer::Requests => dice.between(1, 30),
                Sizer::Items => dice.between(10, 300),
                Sizer::Bytes => dice.between(1_000, 30_000),
            },
            sizer,
            wait_for_result: dice.percent(15),
            batch: if dice.percent(50) { Switch::On(batch) } else { Switch::Off },
            ..SendingQueue::default()
        },
        retry_on_failure: RetryOnFailure {
            enabled: dice.percent(90),
            max_elapsed_time: Period::seconds(dice.between(30, 300) as u32),
            ..RetryOnFailure::default()
        },
        circuit_breaker: CircuitBreaker { failures: dice.below(6) as u32, open_for: Period::seconds(dice.between(1, 30) as u32) },
        max_request_bytes: if dice.percent(30) { ByteSize::bytes(dice.between(100, 3000)) } else { ByteSize::mib(4) },
        ..delivery()
    }
}

fn mood(dice: &mut Dice) -> Mood {
    let some = |dice: &mut Dice, most| if dice.percent(50) { 0 } else { dice.between(1, most) as u32 };
    Mood {
        busy: some(dice, 80),
        slow: some(dice, 100),
        panics: some(dice, 5),
        denies: some(dice, 10),
        bad_one_in: if dice.percent(60) { u64::MAX } else { dice.between(2, 200) },
        most_items: if dice.percent(70) { usize::MAX } else { dice.between(1, 20) as usize },
    }
}

async fn run(seed: u64) {
    let mut dice = Dice::new(seed);
    let (settings, mood, lanes) = (settings(&mut dice), mood(&mut dice), 1 + dice.below(3));
    let about = format!("seed {seed}: {settings:?}");
    let mut desk = Desk::with(Inlet::new(), Some(settings), Memory::default(), lanes, reacts(Dice::new(seed ^ 1), mood));
    let mut next = 1u64;
    for _ in 0..dice.between(1, 60) {
        let names: Vec<String> = (0..dice.between(1, 30)).map(|offset| (next + offset).to_string()).collect();
        next += names.len() as u64;
        let batch = desk.request(&names.iter().map(String::as_str).collect::<Vec<_>>());
        desk.export.push(dice.below(lanes), batch);
        if dice.percent(50) {
            desk.wait(dice.between(0, 3000) as f64 / 1000.0).await;
        }
        desk.inlet.books().report();
    }
    if dice.percent(50) {
        desk.wait(dice.between(0, 2000) as f64).await;
    }
    desk.close(dice.between(0, 40) as f64).await;
    desk.assert_settled();

    let report = desk.inlet.books().report();
    let line = report.line(&LineName::Exporter("otlp".to_owned()), Signal::Traces).unwrap();
    let (taken, items) = (desk.taken(), next - 1);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len(), "delivered twice: {about}");
    assert_eq!(line.sums[Column::Delivered], taken.len() as u64, "{about}\n{report}");
    let ended = [Column::Delivered, Column::Failed, Column::Rejected].map(|column| line.sums[column]).iter().sum::<u64>();
    assert_eq!(ended, items, "{about}\n{report}");
    let counted = ["sent", "send_failed", "enqueue_failed"].map(|name| desk.counted(&format!("otelcol_exporter_{name}_spans")));
    assert_eq!(counted.iter().sum::<u64>(), items, "{about}");
    assert_eq!((desk.level("otelcol_exporter_queue_size"), desk.level("otelcol_exporter_in_flight_requests")), (0, 0), "{about}");
}

#[test]
fn the_books_balance_whatever_happens() {
    for seed in 0..400 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(seed));
    }
}

//! The same on real threads: receivers, lanes and exporters at once, while somebody reads the books.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use proptest::prelude::*;

use super::*;

const REQUESTS: u64 = 30;

/// Numbers without pattern: enough to vary what a thread does.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Receives: each request is split over both lanes, some of it rejected at once.
fn receive(desk: &Desk, lanes: &[Sender<Share>], dice: &mut Dice, first_key: u64) {
    for key in first_key..first_key + REQUESTS {
        let receipt = Receipt::open(&desk.books, desk.client.clone(), key);
        let mut share = receipt.accept(&desk.pipeline, dice.roll(100));
        share.settle_some(share.count().min(dice.roll(3)), Fate::Rejected { cause: desk.rule, retry: Retry::Never });
        let part = share.take(dice.roll(share.count() + 1));
        for (lane, share) in lanes.iter().zip([part, share]) {
            lane.send(share).unwrap();
        }
        receipt.close();
    }
}

/// A lane: drops some, holds some until the next batch, sends the others to both exporters.
fn lane(desk: &Desk, input: &Receiver<Share>, exporters: &[Sender<Share>], dice: &mut Dice) {
    let gauge = desk.pipeline.held("store");
    let mut store: Vec<Share> = Vec::new();
    for mut share in input {
        let waiting = store.pop();
        gauge.sub(waiting.as_ref().map_or(0, Share::count));
        waiting.into_iter().for_each(|share| forward(desk, exporters, share));

        share.settle_some(dice.roll(share.count() + 1), Fate::Dropped(desk.rule));
        share.create(dice.roll(2));
        let mut kept = share.take(dice.roll(share.count() + 1));
        kept.accepted();
        gauge.add(kept.count());
        store.push(kept);
        forward(desk, exporters, share);
    }
    for share in store {
        gauge.sub(share.count());
        forward(desk, exporters, share);
    }
}

fn forward(desk: &Desk, exporters: &[Sender<Share>], mut share: Share) {
    let mut copy = share.copy();
    share.enter(&desk.tempo);
    copy.enter(&desk.jaeger);
    for (exporter, share) in exporters.iter().zip([share, copy]) {
        exporter.send(share).unwrap();
    }
}

/// An exporter: a queue that accepts, then delivers, fails, or crashes.
fn export(desk: &Desk, input: &Receiver<Share>, dice: &mut Dice) {
    for mut share in input {
        share.accepted();
        match dice.roll(4) {
            0 => share.settle(Fate::Failed(desk.rule)),
            1 => drop(crash(|| {
                let _share = share;
                resume_unwind(Box::new("an exporter's bug"))
            })),
            _ => {
                share.settle_some(share.count() / 2, Fate::DeadLettered(desk.rule));
                share.durable();
                share.settle(Fate::Delivered);
            }
        }
    }
}

/// Two receivers, two lanes, two exporters; this thread reads until all is done.
fn run(desk: &Desk, seed: u64) {
    let working = AtomicBool::new(true);
    let (into_lanes, lanes): (Vec<_>, Vec<_>) = (0..2).map(|_| channel::<Share>()).unzip();
    let (into_exporters, exporters): (Vec<_>, Vec<_>) = (0..2).map(|_| channel::<Share>()).unzip();
    let dice = |n| Dice(seed.wrapping_add(n));
    thread::scope(|scope| {
        for n in 0..2 {
            let senders = into_lanes.clone();
            scope.spawn(move || receive(desk, &senders, &mut dice(n), n * REQUESTS));
        }
        for (n, input) in (2..).zip(lanes) {
            let senders = into_exporters.clone();
            scope.spawn(move || lane(desk, &input, &senders, &mut dice(n)));
        }
        drop((into_lanes, into_exporters));
        let reader = scope.spawn(|| {
            while working.load(Ordering::Acquire) {
                let report = desk.books.report();
                assert!(report.lines.iter().all(|line| line.residual() >= 0), "a unit was seen to go before it came\n{report}");
                let total = report.total(Signal::Traces);
                assert!(total[Column::MovedIn] >= total[Column::MovedOut], "a unit was seen in neither of two lines\n{report}");
            }
        });
        let exporters: Vec<_> = (4..).zip(exporters).map(|(n, input)| scope.spawn(move || export(desk, &input, &mut dice(n)))).collect();
        exporters.into_iter().for_each(|exporter| exporter.join().unwrap());
        working.store(false, Ordering::Release);
        reader.join().unwrap();
    });
}

fn check(desk: &Desk) {
    let report = desk.books.report();
    report.assert_balanced();
    assert_eq!(report.open_receipts, 0);
    let told = desk.client.told();
    let mut settled = Sums::default();
    for key in 0..2 * REQUESTS {
        let of_key: Vec<_> = told.iter().filter(|(of, ..)| *of == key).collect();
        assert_eq!(of_key.iter().map(|(_, milestone, _)| *milestone).collect::<Vec<_>>(), Milestone::ALL);
        let tally = of_key[2].2;
        settled[Column::Delivered] += tally.delivered;
        settled[Column::Dropped] += tally.dropped;
        settled[Column::Rejected] += tally.rejected_for_good;
        settled[Column::Failed] += tally.failed;
        settled[Column::DeadLettered] += tally.dead_lettered;
        settled[Column::Lost] += tally.lost;
    }
    // What was created on an empty share of a settled receipt is nobody's: in the books, in no receiver's tally.
    let total = report.total(Signal::Traces);
    let ended = |sums: &Sums| sums.side(Side::Out) - sums[Column::MovedOut];
    assert_eq!(ended(&total), total.side(Side::In) - total[Column::MovedIn]);
    assert!(ended(&settled) <= ended(&total));
    assert!(ended(&total) - ended(&settled) <= 2 * total[Column::Created], "only created units, and their copies, may be nobody's");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn threads_settle_every_unit_once(seed in any::<u64>()) {
        let desk = Desk::new();
        run(&desk, seed);
        check(&desk);
    }
}

//! What the ledger costs a span, printed and held below its bound. The bench of the same name measures it with more care.

use std::time::Instant;

use super::*;

const SPANS: u64 = 1_000;

/// The shortest of several runs: whatever else the machine does can only make a run longer.
fn ns_per_span(desk: &Desk, life: impl Fn(&Desk, Arc<dyn Settled>)) -> f64 {
    const REQUESTS: u32 = 200;
    let nobody: Arc<dyn Settled> = Arc::new(Nobody);
    let run = || {
        #[expect(clippy::disallowed_methods, reason = "a cost is measured on the machine's own clock")]
        let start = Instant::now();
        for _ in 0..REQUESTS {
            life(desk, nobody.clone());
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(REQUESTS) / SPANS as f64
    };
    (0..50).map(|_| run()).fold(f64::INFINITY, f64::min)
}

/// Received, queued, moved to one exporter, delivered.
fn straight_through(desk: &Desk, origin: Arc<dyn Settled>) {
    let receipt = Receipt::open(&desk.books, origin, 0);
    let mut share = receipt.accept(&desk.pipeline, SPANS);
    receipt.close();
    share.accepted();
    share.enter(&desk.tempo);
    share.settle(Fate::Delivered);
}

/// Split into eight lanes; in each some are dropped, and the others go to two exporters.
fn split_and_copied(desk: &Desk, origin: Arc<dyn Settled>) {
    let receipt = Receipt::open(&desk.books, origin, 0);
    let mut share = receipt.accept(&desk.pipeline, SPANS);
    receipt.close();
    for _ in 0..8 {
        let mut part = share.take(SPANS / 8);
        part.accepted();
        part.settle_some(25, Fate::Dropped(desk.rule));
        let mut copy = part.copy();
        part.enter(&desk.tempo);
        copy.enter(&desk.jaeger);
        part.settle(Fate::Delivered);
        copy.settle(Fate::Delivered);
    }
}

#[test]
fn a_span_costs_less_than_five_nanoseconds() {
    let desk = Desk::new();
    for (name, life) in [("straight through", straight_through as fn(&Desk, _)), ("split in 8, copied to 2", split_and_copied)] {
        let cost = ns_per_span(&desk, life);
        println!("ledger, {name}: {cost:.2} ns per span at {SPANS} spans per request");
        assert!(cost <= 5.0, "{name} costs {cost:.2} ns per span");
    }
    assert_eq!(desk.books.open_receipts(), 0);
    desk.books.report().assert_balanced();
}

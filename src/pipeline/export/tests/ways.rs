//! An exporter with several destinations: each waits for itself, and what waits follows where they go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tracetailor_core::component::{BoxFuture, BuildContext, Delivered, ExportError, Exporter, Failing, Parcel};
use tracetailor_core::config::Delivery;
use tracetailor_core::ledger::{Cause, Column, Fate, LineName};
use tracetailor_core::telemetry::{Signal, Telemetry};
use tracetailor_core::testing::{Inlet, span, traces};

use super::desk::{delivery, seconds};
use crate::pipeline::Memory;
use crate::pipeline::export::Export;

/// Where spans of a name go, who is away, and what each got.
#[derive(Default)]
struct Table {
    goes: BTreeMap<String, u32>,
    away: Vec<u32>,
    got: BTreeMap<u32, Vec<String>>,
    unwanted: Option<Cause>,
    there_are: usize,
}

#[derive(Clone, Default)]
struct Switchboard(Arc<(Mutex<Table>, Notify)>);

impl Switchboard {
    fn change(&self, change: impl FnOnce(&mut Table)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_waiters();
    }

    fn goes(&self, name: &str) -> u32 {
        self.0.0.lock().unwrap().goes.get(name).copied().unwrap_or_default()
    }

    fn got(&self, way: u32) -> Vec<String> {
        let mut got = self.0.0.lock().unwrap().got.get(&way).cloned().unwrap_or_default();
        got.sort();
        got
    }
}

impl Exporter for Switchboard {
    fn prepare(&self, mut batch: Telemetry) -> Vec<Parcel> {
        let cause = self.0.0.lock().unwrap().unwanted.unwrap();
        batch.settle_items(Fate::Dropped(cause), |span| span.name() == "unwanted");
        let parts = batch.split(3, |span| self.goes(&span.name()) as usize);
        parts.into_iter().enumerate().map(|(way, batch)| Parcel { way: way as u32, batch }).collect()
    }

    fn ways(&self) -> usize {
        self.0.0.lock().unwrap().there_are
    }

    fn rerouted(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.1.notified())
    }

    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            let names: Vec<String> = batch.items().map(|item| item.name().into_owned()).collect();
            let way = self.goes(&names[0]);
            if names.iter().any(|name| self.goes(name) != way) {
                return Err(ExportError::new(Failing::Elsewhere, "moved"));
            }
            let mut table = self.0.0.lock().unwrap();
            if table.away.contains(&way) {
                return Err(ExportError::retry("away"));
            }
            table.got.entry(way).or_default().extend(names);
            Ok(Delivered::ALL)
        })
    }
}

struct Rig {
    inlet: Inlet,
    board: Switchboard,
    export: Arc<Export>,
    memory: Memory,
    serving: tokio::task::JoinHandle<()>,
}

impl Rig {
    fn new(delivery: &Delivery, goes: &[(&str, u32)]) -> Self {
        Self::within(Memory::default(), delivery, goes)
    }

    fn within(memory: Memory, delivery: &Delivery, goes: &[(&str, u32)]) -> Self {
        let (inlet, board) = (Inlet::new(), Switchboard::default());
        board.change(|table| table.there_are = goes.iter().map(|(_, way)| way).collect::<std::collections::BTreeSet<_>>().len());
        board.change(|table| table.goes = goes.iter().map(|(name, way)| ((*name).to_owned(), *way)).collect());
        board.change(|table| table.unwanted = Some(inlet.books().cause("spread", "unwanted")));
        let context = BuildContext { books: inlet.books().clone(), clock: inlet.clock().clone(), ..BuildContext::alone("spread") };
        let export = Export::new(&context.id, Signal::Traces, Some(delivery), &context, &memory, 1);
        let serving = tokio::spawn(export.clone().serve(0, Box::new(board.clone())));
        Self { inlet, board, export, memory, serving }
    }

    fn push(&mut self, names: &[&str]) {
        let batch = self.inlet.receive(traces(names.iter().map(|name| span(name))));
        self.export.push(0, batch);
    }

    /// Nothing more comes, and nothing is left.
    async fn close(mut self) -> u64 {
        self.export.close(self.inlet.clock().now() + seconds(5.0));
        (&mut self.serving).await.unwrap();
        self.inlet.assert_settled();
        assert_eq!(self.memory.queue_room(), self.memory.queue_limit(), "memory was not given back");
        self.sum(Column::Failed)
    }

    fn sum(&self, column: Column) -> u64 {
        let report = self.inlet.books().report();
        report.line(&LineName::Exporter("spread".to_owned()), Signal::Traces).map_or(0, |line| line.sums[column])
    }

    /// As lanes do it: as soon as there is work.
    async fn push_and_serve(&mut self, names: &[&str]) {
        self.push(names);
        tokio::time::sleep(seconds(0.001)).await;
    }
}

fn room_for(requests: u64) -> Delivery {
    let mut delivery = delivery();
    delivery.sending_queue.queue_size = requests;
    delivery
}

#[tokio::test(start_paused = true)]
async fn one_that_is_away_holds_up_nobody_else() {
    let mut rig = Rig::new(&delivery(), &[("a", 1), ("b", 2)]);
    rig.board.change(|table| table.away = vec![2]);
    for _ in 0..50 {
        rig.push(&["a", "b"]);
    }
    tokio::time::sleep(seconds(1.0)).await;
    assert_eq!((rig.board.got(1).len(), rig.board.got(2).len()), (50, 0));
    rig.board.change(|table| table.away.clear());
    tokio::time::sleep(seconds(100.0)).await;
    assert_eq!(rig.board.got(2).len(), 50);
    assert_eq!(rig.close().await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_one_that_leaves_goes_elsewhere_at_once() {
    let mut rig = Rig::new(&delivery(), &[("a", 2), ("b", 2), ("c", 1)]);
    rig.board.change(|table| table.away = vec![2]);
    for _ in 0..50 {
        rig.push(&["a", "b", "c"]);
    }
    tokio::time::sleep(seconds(1.0)).await;
    assert_eq!((rig.board.got(1).len(), rig.board.got(2).len()), (50, 0));
    rig.board.change(|table| table.goes = [("a".to_owned(), 1), ("b".to_owned(), 0)].into());
    tokio::time::sleep(seconds(0.01)).await;
    assert_eq!((rig.board.got(0).len(), rig.board.got(1).len(), rig.board.got(2).len()), (50, 100, 0), "also what had begun");
    assert_eq!(rig.close().await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_exporter_takes_out_is_queued_nowhere() {
    let mut rig = Rig::new(&delivery(), &[]);
    rig.push(&["unwanted", "a"]);
    rig.push(&["unwanted"]);
    tokio::time::sleep(seconds(0.01)).await;
    assert_eq!(rig.board.got(0), ["a"]);
    assert_eq!(rig.close().await, 0);
}

#[tokio::test(start_paused = true)]
async fn ways_are_never_mixed_in_one_request() {
    let mut all = delivery();
    all.sending_queue.batch = tracetailor_core::config::Switch::On(tracetailor_core::config::QueueBatch::default());
    let mut rig = Rig::new(&all, &[("a", 1), ("b", 2)]);
    for _ in 0..20 {
        rig.push(&["a", "b"]);
    }
    tokio::time::sleep(seconds(1.0)).await;
    assert_eq!((rig.board.got(1).len(), rig.board.got(2).len()), (20, 20));
    assert_eq!(rig.close().await, 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_away_fills_its_own_room_and_no_other() {
    let mut rig = Rig::new(&room_for(10), &[("a", 1), ("b", 2)]);
    rig.board.change(|table| table.away = vec![2]);
    for _ in 0..50 {
        rig.push_and_serve(&["a", "b"]).await;
    }
    assert_eq!((rig.board.got(1).len(), rig.sum(Column::Rejected)), (50, 40), "what its room does not hold is turned away, and counted");
    assert_eq!((rig.export.full(), rig.export.room().batches), (None, 10), "the other's is free");
    rig.board.change(|table| table.away.clear());
    tokio::time::sleep(seconds(100.0)).await;
    assert_eq!(rig.board.got(2).len(), 10, "what waited for it has arrived");
    assert_eq!(rig.export.room().batches, 20);
    assert_eq!(rig.close().await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_a_room_of_its_own_goes_elsewhere_when_its_back_end_leaves() {
    let mut rig = Rig::new(&room_for(10), &[("a", 1), ("b", 2)]);
    rig.board.change(|table| table.away = vec![2]);
    for _ in 0..10 {
        rig.push_and_serve(&["a", "b"]).await;
    }
    assert_eq!((rig.board.got(1).len(), rig.sum(Column::Rejected)), (10, 0));
    rig.board.change(|table| {
        table.goes = [("a".to_owned(), 1), ("b".to_owned(), 1)].into();
        table.there_are = 1;
    });
    tokio::time::sleep(seconds(0.01)).await;
    assert_eq!((rig.board.got(1).len(), rig.export.room().batches), (20, 10));
    assert_eq!(rig.close().await, 0);
}

#[tokio::test(start_paused = true)]
async fn senders_that_wait_wait_for_the_fullest() {
    let mut delivery = room_for(10);
    delivery.sending_queue.block_on_overflow = true;
    let mut rig = Rig::new(&delivery, &[("a", 1), ("b", 2)]);
    rig.board.change(|table| table.away = vec![2]);
    for _ in 0..10 {
        assert!(!rig.export.room().is_used_up());
        rig.push_and_serve(&["a", "b"]).await;
    }
    assert!(rig.export.room().is_used_up());
    rig.board.change(|table| table.away.clear());
    tokio::time::sleep(seconds(100.0)).await;
    assert_eq!((rig.board.got(2).len(), rig.sum(Column::Rejected)), (10, 0));
    assert_eq!(rig.close().await, 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_away_takes_no_more_than_its_part_of_the_memory() {
    let mut probe = Inlet::new();
    // As large as it is when it has been put on its way.
    let mut parts = probe.receive(traces([span("b")])).split(2, |_| 1);
    let size = parts[1].pinned() as u64;
    parts.drain(..).for_each(|part| part.settle(Fate::Delivered));
    // Queues may hold 30 % of it: twenty such batches, and each of two ways ten.
    let mut rig = Rig::within(Memory::new(size * 20 * 100 / 30 + 100, u64::MAX), &room_for(1000), &[("a", 1), ("b", 2)]);
    rig.board.change(|table| table.away = vec![2]);
    for _ in 0..50 {
        rig.push_and_serve(&["b"]).await;
        rig.push_and_serve(&["a"]).await;
    }
    assert_eq!((rig.board.got(1).len(), rig.sum(Column::Rejected)), (50, 40));
    rig.board.change(|table| table.away.clear());
    tokio::time::sleep(seconds(100.0)).await;
    assert_eq!(rig.board.got(2).len(), 10);
    assert_eq!(rig.close().await, 0);
}

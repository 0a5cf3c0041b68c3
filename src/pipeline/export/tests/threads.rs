//! Lanes as they are: threads that push into one queue and serve it at the same time.

use std::sync::Arc;
use std::thread;

use tokio::task::yield_now;
use tracetailor_core::component::{BoxFuture, BuildContext, Delivered, ExportError, Exporter};
use tracetailor_core::config::{Delivery, SendingQueue};
use tracetailor_core::ledger::Column;
use tracetailor_core::telemetry::{Signal, Telemetry};
use tracetailor_core::testing::{Dice, Inlet, span, traces};

use super::desk::delivery;
use crate::pipeline::Memory;
use crate::pipeline::export::Export;

const LANES: usize = 3;
const BATCHES: usize = 400;

/// A destination that takes everything, some of it only after others had their turn.
struct Taking(std::sync::Mutex<Dice>);

impl Exporter for Taking {
    fn export<'a>(&'a self, _batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        let turns = self.0.lock().unwrap().below(4);
        Box::pin(async move {
            for _ in 0..turns {
                yield_now().await;
            }
            Ok(Delivered::ALL)
        })
    }
}

fn lane(export: Arc<Export>, number: usize, batches: Vec<Telemetry>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let taking = Box::new(Taking(std::sync::Mutex::new(Dice::new(number as u64))));
        let serving = tokio::spawn(export.clone().serve(number, taking));
        for batch in batches {
            while export.room().is_used_up() {
                export.room_made().await;
            }
            export.push(number, batch);
            yield_now().await;
        }
        serving.await.unwrap();
    });
}

#[test]
fn lanes_push_and_serve_at_the_same_time() {
    let mut inlet = Inlet::new();
    let context = BuildContext { books: inlet.books().clone(), clock: inlet.clock().clone(), ..BuildContext::alone("otlp") };
    let sending_queue = SendingQueue { num_consumers: 4, queue_size: 50, ..SendingQueue::default() };
    let settings = Delivery { sending_queue, ..delivery() };
    let export = Export::new(&context.id, Signal::Traces, Some(&settings), &context, &Memory::unlimited(), LANES);
    let lanes: Vec<_> = (0..LANES)
        .map(|number| {
            let batches: Vec<Telemetry> = (0..BATCHES).map(|_| inlet.receive(traces([span("a"), span("b")]))).collect();
            let export = export.clone();
            thread::spawn(move || lane(export, number, batches))
        })
        .collect();
    let pushed = (LANES * BATCHES * 2) as u64;
    let ended = || {
        let report = inlet.books().report();
        let line = report.line(export.line().name(), Signal::Traces).unwrap();
        line.sums[Column::Delivered] + line.sums[Column::Rejected]
    };
    while ended() < pushed {
        thread::yield_now();
    }
    export.close(inlet.clock().now());
    lanes.into_iter().for_each(|lane| lane.join().unwrap());
    inlet.assert_settled();
    assert!(inlet.books().report().line(export.line().name(), Signal::Traces).unwrap().sums[Column::Delivered] > pushed / 2);
}

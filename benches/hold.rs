//! What it costs to hold whole traces: every span taken in, and dropped or sent on when its trace is decided. Parsing stands beside it, and is
//! in every way below it.
//!
//! Traces of eight spans come in four requests of two spans each; so many are held at any moment that neither spans nor entries stay in the
//! nearest caches.

mod held;
#[expect(dead_code, reason = "it measures holding, and needs no other half of a comparison")]
mod yardstick;

use std::hint::black_box;
use std::time::Duration;

use held::{Gateway, Judge, Requests};
use tracetailor_core::component::Wants;
use tracetailor_core::component::{Output, Processor, Room};
use tracetailor_core::ledger::Fate;
use tracetailor_core::testing::Payload;
use tracetailor_core::time::LogTime;
use yardstick::{Way, compare};

/// Spans held at any moment.
const HELD: usize = 200_000;
/// One request comes in each turn.
const TURN: Duration = Duration::from_millis(17);

fn main() {
    compare("hold", ways);
}

fn ways(payload: &Payload) -> Vec<Way> {
    let dropping = Judge::default();
    let keeping = Judge { keeps: true, ..dropping };
    let structure = Wants { structure: true, ..Wants::default() };
    let skeletons = Wants { skeletons: true, ..Wants::default() };
    vec![
        Way::new("copy the request, new trace ids", copy_each(payload)),
        Way::new("parse", parse_each(payload)),
        Way::new("parse, hold, drop", hold_each(payload, dropping)),
        Way::new("parse, hold, emit", hold_each(payload, keeping)),
        Way::new("parse, hold, observe structure, drop", hold_each(payload, Judge { wants: structure, ..dropping })),
        Way::new("parse, hold, emit, keep skeletons", hold_each(payload, Judge { wants: skeletons, ..keeping })),
    ]
}

fn copy_each(payload: &Payload) -> impl FnMut() + 'static {
    let mut requests = Requests::new(payload);
    move || drop(black_box(requests.next()))
}

fn parse_each(payload: &Payload) -> impl FnMut() + 'static {
    let mut requests = Requests::new(payload);
    let gateway = Gateway::new();
    move || gateway.receive(requests.next()).settle(Fate::Delivered)
}

fn hold_each(payload: &Payload, judge: Judge) -> impl FnMut() + 'static {
    let mut requests = Requests::new(payload);
    let gateway = Gateway::new();
    let turns = u32::try_from(HELD / payload.items).unwrap_or(u32::MAX);
    let mut whole = gateway.whole_traces(TURN * turns, judge);
    let mut now = LogTime(1 << 60);
    move || {
        now = now + TURN;
        let mut out = Output::new(now, Room::ENOUGH);
        whole.process(gateway.receive(requests.next()), &mut out);
        let _ = whole.wake(now, &mut out);
        out.take().into_iter().for_each(|batch| batch.settle(Fate::Delivered));
    }
}

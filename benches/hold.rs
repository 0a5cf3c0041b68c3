//! What it costs to hold whole traces: every span taken in, and dropped or sent on when its trace is decided. Parsing stands beside it, and
//! is in every way below it.
//!
//! Traces of eight spans come in four requests of two spans each; so many are held at any moment that neither spans nor entries stay in the
//! nearest caches.

mod held;
#[expect(dead_code, reason = "it measures holding, and needs no other half of a comparison")]
mod yardstick;

use std::hint::black_box;

use held::{Gateway, Judge, Requests, each_turn, parse_each, wait};
use tracetailor_core::component::Wants;
use tracetailor_core::testing::Payload;
use yardstick::{Way, compare};

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

fn hold_each(payload: &Payload, judge: Judge) -> impl FnMut() + 'static {
    let gateway = Gateway::new();
    let whole = gateway.whole_traces(wait(payload), judge);
    each_turn(payload, gateway, Box::new(whole))
}

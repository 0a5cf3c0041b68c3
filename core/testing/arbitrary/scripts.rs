//! Arbitrary lives of a processor.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::driver::{Script, Step};
use super::{Wild, logs, metrics, traces};
use crate::component::Room;
use crate::telemetry::{Decoded, Signal, SourceTag};

const MILLISECONDS: [u64; 7] = [0, 1, 999, 1_000, 5_000, 31_000, 3_600_000];

/// Up to `most` things that happen to a processor of a signal: mostly requests and time, now and then lack of room, or a partition that is
/// taken away. Traces have few ids, so that their spans come in several requests.
pub fn scripts(signal: Signal, wild: &Wild, most: usize) -> BoxedStrategy<Script> {
    (vec(step(signal, wild), 0..=most), vec(room(), 0..3)).prop_map(|(steps, last_slices)| Script { steps, last_slices }).boxed()
}

fn step(signal: Signal, wild: &Wild) -> BoxedStrategy<Step> {
    let request = request(signal, wild);
    let time = select(&MILLISECONDS[..]).prop_map(Duration::from_millis);
    prop_oneof![
        6 => request.clone().prop_map(Step::Receive),
        2 => (tag(), request).prop_map(|(tag, request)| Step::ReceiveFrom(tag, request)),
        4 => time.clone().prop_map(Step::Turn),
        2 => time.prop_map(Step::TurnAsleep),
        2 => room().prop_map(Step::Slice),
        1 => room().prop_map(Step::Room),
        1 => tag().prop_map(Step::Forget),
    ]
    .boxed()
}

fn request(signal: Signal, wild: &Wild) -> BoxedStrategy<Decoded> {
    match signal {
        Signal::Traces => traces(wild).prop_map(Decoded::Traces).boxed(),
        Signal::Logs => logs(wild).prop_map(Decoded::Logs).boxed(),
        Signal::Metrics => metrics(wild).prop_map(Decoded::Metrics).boxed(),
    }
}

fn tag() -> impl Strategy<Value = SourceTag> + Clone {
    (1_u32..3, 1_u32..3).prop_map(|(partition, generation)| SourceTag { partition, generation })
}

fn room() -> impl Strategy<Value = Room> + Clone {
    let some = (1_usize..5, 1_usize..2_000).prop_map(|(items, bytes)| Room { items, bytes });
    prop_oneof![2 => Just(Room::ENOUGH), 1 => Just(Room::NONE), 2 => some]
}

//! A request that puts a message into a queue, whose consumer puts one into the next.

use tracetailor_core::telemetry::SpanKind;

use crate::truth::{Draft, TrueSpan};

const MILLISECOND: i64 = 1_000_000;

/// One order.
pub(super) fn trace(world: u64, seed: u64) -> Vec<TrueSpan> {
    let mut draft = Draft::new(seed.wrapping_mul(15_485_863) + world, 120);
    draft.is_shared = world % 2 == 1;
    let root = draft.begin(None, (0, 0), SpanKind::Server, 0);
    let end = work(&mut draft, root, (0, 0), 0, 0);
    draft.end(root, end);
    draft.spans
}

/// What a service does with a request or a message.
fn work(draft: &mut Draft, parent: usize, process: (u32, u32), start: i64, depth: u32) -> i64 {
    let mut now = start;
    for _ in 0..draft.dice.between(1, 3) {
        now += draft.micros(100, 2_000);
        match draft.dice.below(4) {
            0 => {
                let span = draft.begin(Some(parent), process, SpanKind::Internal, now);
                let end = if depth < 4 && !draft.is_full() { work(draft, span, process, now, depth + 2) } else { now + MILLISECOND };
                now = draft.end(span, end);
            }
            1 => now = call(draft, parent, process, now, depth),
            _ if depth < 5 && !draft.is_full() => now = send(draft, parent, process, now, depth),
            _ => now += draft.micros(100, 2_000),
        }
    }
    now
}

fn call(draft: &mut Draft, parent: usize, process: (u32, u32), start: i64, depth: u32) -> i64 {
    let client = draft.begin(Some(parent), process, SpanKind::Client, start);
    let called = (20 + draft.dice.below(5) as u32, draft.dice.below(2) as u32);
    let arrived = start + draft.network();
    let server = draft.begin(Some(client), called, SpanKind::Server, arrived);
    let served = if depth < 3 && !draft.is_full() { work(draft, server, called, arrived, depth + 2) } else { arrived + MILLISECOND };
    let end = draft.end(server, served) + draft.network();
    draft.end(client, end)
}

/// A message goes on its way at once; whoever takes it does so later.
fn send(draft: &mut Draft, parent: usize, process: (u32, u32), start: i64, depth: u32) -> i64 {
    let topic = 1 + u64::from(process.0) * 2 + draft.dice.between(0, 1);
    let producer = draft.begin(Some(parent), process, SpanKind::Producer, start);
    draft.spans[producer].topic = topic;
    let sent = start + draft.micros(100, 1_500);
    draft.end(producer, sent);
    // In every other world somebody else may listen, too.
    let listeners = if draft.is_shared && draft.dice.percent(50) { 2 } else { 1 };
    for listener in 0..listeners {
        let consumer_process = (1 + (topic as u32 + listener * 5) % 12, draft.dice.below(3) as u32);
        let begins = sent + draft.micros(3_000, 60_000);
        let consumer = draft.begin(Some(producer), consumer_process, SpanKind::Consumer, begins);
        draft.spans[consumer].topic = topic;
        let end = work(draft, consumer, consumer_process, begins, depth + 1);
        draft.end(consumer, end);
    }
    sent
}

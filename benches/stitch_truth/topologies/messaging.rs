//! Producers with several consumers, which take their time and outlive whoever sent them something.

use tracetailor_core::telemetry::SpanKind;

use crate::truth::{Draft, TrueSpan};

struct World {
    /// Of each topic, the services that consume it.
    consumers: Vec<Vec<u32>>,
}

/// One event and all that came of it.
pub(super) fn trace(world: u64, seed: u64) -> Vec<TrueSpan> {
    let mut dice = tracetailor_core::testing::Dice::new(world.wrapping_mul(6_700_417) + 3);
    let consumers = (0..10).map(|_| (0..dice.between(1, 3)).map(|_| 5 + dice.below(15) as u32).collect()).collect();
    let world = World { consumers };
    let mut draft = Draft::new(seed.wrapping_mul(86_028_121), 200);
    let process = (draft.dice.below(4) as u32, 0);
    let root = draft.begin(None, process, SpanKind::Server, 0);
    let end = handle(&mut draft, &world, root, process, 0, 0);
    draft.end(root, end);
    draft.spans
}

fn handle(draft: &mut Draft, world: &World, parent: usize, process: (u32, u32), start: i64, depth: u32) -> i64 {
    let mut now = start + draft.micros(50, 3_000);
    for _ in 0..draft.dice.between(1, 3) {
        if draft.is_full() {
            return now;
        }
        match draft.dice.below(8) {
            0 | 1 => {
                let span = draft.begin(Some(parent), process, SpanKind::Internal, now);
                let end = if depth < 5 { handle(draft, world, span, process, now, depth + 1) } else { now + 700_000 };
                now = draft.end(span, end);
            }
            2 | 3 => now = ask(draft, world, parent, process, now, depth),
            4 => {
                let span = draft.begin(Some(parent), process, SpanKind::Client, now);
                draft.spans[span].is_leaf = true;
                let end = now + draft.micros(300, 9_000);
                now = draft.end(span, end);
            }
            _ if depth < 4 => now = publish(draft, world, parent, process, now, depth),
            _ => now += draft.micros(100, 5_000),
        }
        now += draft.micros(10, 900);
    }
    now
}

fn ask(draft: &mut Draft, world: &World, parent: usize, process: (u32, u32), start: i64, depth: u32) -> i64 {
    let client = draft.begin(Some(parent), process, SpanKind::Client, start);
    let called = (30 + draft.dice.below(6) as u32, draft.dice.below(2) as u32);
    draft.spans[client].target = Some(called.0).filter(|service| service.is_multiple_of(2));
    let there = start + draft.network();
    let server = draft.begin(Some(client), called, SpanKind::Server, there);
    let end = if depth < 4 { handle(draft, world, server, called, there, depth + 2) } else { there + 900_000 };
    let back = draft.end(server, end) + draft.network();
    draft.end(client, back)
}

fn publish(draft: &mut Draft, world: &World, parent: usize, process: (u32, u32), start: i64, depth: u32) -> i64 {
    let topic = draft.dice.below(world.consumers.len());
    let producer = draft.begin(Some(parent), process, SpanKind::Producer, start);
    // One system in two names its topics in its spans.
    let told = if topic.is_multiple_of(2) { topic as u64 + 1 } else { 0 };
    draft.spans[producer].topic = told;
    let sent = start + draft.micros(80, 2_500);
    draft.end(producer, sent);
    for service in &world.consumers[topic] {
        if draft.is_full() {
            break;
        }
        let consumer_process = (*service, draft.dice.below(3) as u32);
        let begins = sent + 10_000_000 + draft.micros(1_000, 80_000);
        let consumer = draft.begin(Some(producer), consumer_process, SpanKind::Consumer, begins);
        draft.spans[consumer].topic = told;
        let end = handle(draft, world, consumer, consumer_process, begins, depth + 1);
        // A batch consumer goes on with the other messages of its batch.
        let more = if draft.dice.percent(20) { draft.micros(1_000, 20_000) } else { 20_000 };
        draft.end(consumer, end + more);
    }
    sent
}

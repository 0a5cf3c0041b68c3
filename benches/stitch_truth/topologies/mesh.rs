//! Services that call each other as chance has it, where calls fail, are repeated, doubled, and given up.

use tracetailor_core::telemetry::SpanKind;

use crate::truth::{Draft, TrueSpan};

const SERVICES: usize = 12;

/// One request.
pub(super) fn trace(world: u64, seed: u64) -> Vec<TrueSpan> {
    let mut draft = Draft::new(seed.wrapping_mul(32_452_843).wrapping_add(world.wrapping_mul(97)), 250);
    serve(&mut draft, None, (world as u32 % 3, 0), 0, 0);
    draft.spans
}

fn serve(draft: &mut Draft, caller: Option<usize>, process: (u32, u32), start: i64, depth: u32) -> i64 {
    let span = draft.begin(caller, process, SpanKind::Server, start);
    let mut now = start + draft.micros(20, 800);
    if depth > 0 && draft.dice.percent(20) {
        // It was in the cache.
        return draft.end(span, now);
    }
    let mut latest = now;
    for _ in 0..draft.dice.between(0, if depth > 6 { 1 } else { 4 }) {
        if draft.is_full() {
            break;
        }
        let end = step(draft, span, process, now, depth);
        latest = latest.max(end);
        // Mostly one after the other, sometimes the next begins while this one runs.
        now = if draft.dice.percent(70) { end } else { now + draft.micros(10, 300) };
    }
    let rest = draft.micros(20, 600);
    draft.end(span, latest + rest)
}

fn step(draft: &mut Draft, parent: usize, process: (u32, u32), start: i64, depth: u32) -> i64 {
    match draft.dice.below(10) {
        0..=2 => {
            let span = draft.begin(Some(parent), process, SpanKind::Internal, start);
            let begun = start + draft.micros(5, 400);
            let end = if depth < 8 && !draft.is_full() { step(draft, span, process, begun, depth + 1) } else { begun + 200_000 };
            draft.end(span, end)
        }
        3 => {
            let span = draft.begin(Some(parent), process, SpanKind::Client, start);
            draft.spans[span].is_leaf = draft.dice.percent(90);
            let end = start + draft.micros(150, 8_000);
            draft.end(span, end)
        }
        4 => retried(draft, parent, process, start, depth),
        5 => hedged(draft, parent, process, start, depth),
        _ => {
            let called = anybody(draft, process);
            call(draft, parent, process, called, start, depth)
        }
    }
}

fn anybody(draft: &mut Draft, process: (u32, u32)) -> (u32, u32) {
    let service = draft.dice.below(SERVICES) as u32;
    let service = if service == process.0 { (service + 1) % SERVICES as u32 } else { service };
    (service, draft.dice.below(4) as u32)
}

fn call(draft: &mut Draft, parent: usize, process: (u32, u32), called: (u32, u32), start: i64, depth: u32) -> i64 {
    let client = draft.begin(Some(parent), process, SpanKind::Client, start);
    // Every third service is called by a name that is not its own.
    draft.spans[client].target = Some(called.0).filter(|service| !service.is_multiple_of(3));
    let there = start + draft.network();
    let served = if depth < 9 { serve(draft, Some(client), called, there, depth + 1) } else { there };
    let back = served + draft.network();
    draft.end(client, back)
}

/// The first answer is an error, and so perhaps the second.
fn retried(draft: &mut Draft, parent: usize, process: (u32, u32), start: i64, depth: u32) -> i64 {
    let (service, instance) = anybody(draft, process);
    let mut now = start;
    for attempt in 0..draft.dice.between(2, 3) as u32 {
        now = call(draft, parent, process, (service, (instance + attempt) % 4), now, depth.max(5)) + draft.micros(200, 4_000);
    }
    now
}

/// Two are asked, the slower is given up: its caller does not wait for it.
fn hedged(draft: &mut Draft, parent: usize, process: (u32, u32), start: i64, depth: u32) -> i64 {
    let (service, instance) = anybody(draft, process);
    let first = draft.spans.len();
    let one = call(draft, parent, process, (service, instance), start, depth.max(5));
    if draft.is_full() {
        return one;
    }
    let second = draft.spans.len();
    let later = start + draft.micros(500, 3_000);
    let other = call(draft, parent, process, (service, (instance + 1) % 4), later, depth.max(5));
    let won = one.min(other);
    let slower = if one > other { first } else { second };
    draft.end(slower, won);
    won
}

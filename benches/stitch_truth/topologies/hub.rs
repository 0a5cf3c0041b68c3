//! A gateway that asks many at once, each of which works for a while inside.

use tracetailor_core::telemetry::SpanKind;

use crate::truth::{Draft, TrueSpan};

/// One request.
pub(super) fn trace(world: u64, seed: u64) -> Vec<TrueSpan> {
    let mut draft = Draft::new(seed.wrapping_mul(49_979_687).wrapping_add(world), 250);
    let gateway = (0, world as u32 % 2);
    let root = draft.begin(None, gateway, SpanKind::Server, 0);
    let mut now = draft.micros(50, 500);
    let mut latest = now;
    for round in 0..draft.dice.between(1, 3) {
        let begun = draft.begin(Some(root), gateway, SpanKind::Internal, now);
        for _ in 0..draft.dice.between(2, if round == 0 { 25 } else { 8 }) {
            if draft.is_full() {
                break;
            }
            let begins = now + draft.micros(5, 900);
            latest = latest.max(ask(&mut draft, begun, gateway, begins, world));
        }
        now = draft.end(begun, latest + 50_000) + draft.micros(20, 300);
    }
    draft.end(root, now + 100_000);
    draft.spans
}

fn ask(draft: &mut Draft, parent: usize, gateway: (u32, u32), start: i64, world: u64) -> i64 {
    let service = 1 + draft.dice.below(20) as u32;
    let process = (service, draft.dice.below(3) as u32);
    let client = draft.begin(Some(parent), gateway, SpanKind::Client, start);
    draft.spans[client].target = Some(service).filter(|service| (u64::from(*service) + world).is_multiple_of(2));
    let there = start + draft.network();
    let server = draft.begin(Some(client), process, SpanKind::Server, there);
    let depth = draft.dice.between(1, 6);
    let end = inside(draft, server, process, there, depth);
    let rest = draft.micros(20, 200);
    let end = draft.end(server, end + rest) + draft.network();
    draft.end(client, end)
}

/// Work within work; two pieces of it may run at once.
fn inside(draft: &mut Draft, parent: usize, process: (u32, u32), start: i64, depth: u64) -> i64 {
    let mut now = start + draft.micros(20, 400);
    if depth == 0 || draft.is_full() {
        return now + draft.micros(100, 9_000);
    }
    let pieces = if draft.dice.percent(25) { 2 } else { 1 };
    let mut latest = now;
    for _ in 0..pieces {
        let kind = if depth == 1 && draft.dice.percent(50) { SpanKind::Client } else { SpanKind::Internal };
        let span = draft.begin(Some(parent), process, kind, now);
        let end = match kind {
            SpanKind::Client => {
                draft.spans[span].is_leaf = true;
                now + draft.micros(200, 6_000)
            }
            _ => inside(draft, span, process, now, depth - 1) + draft.micros(10, 100),
        };
        latest = latest.max(draft.end(span, end));
        now += draft.micros(10, 2_000);
    }
    latest
}

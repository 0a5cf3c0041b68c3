//! A search that asks its shards all at once, some of them in the same process, and each shard its disks.

use tracetailor_core::telemetry::SpanKind;

use crate::truth::{Draft, TrueSpan};

/// One search.
pub(super) fn trace(world: u64, seed: u64) -> Vec<TrueSpan> {
    let mut draft = Draft::new(seed.wrapping_mul(122_949_823).wrapping_add(world), 220);
    let names = world.is_multiple_of(2);
    let front = (0, draft.dice.below(2) as u32);
    let root = draft.begin(None, front, SpanKind::Server, 0);
    let mut now = draft.micros(30, 700);
    let planning = draft.begin(Some(root), front, SpanKind::Internal, now);
    now += draft.micros(100, 1_000);
    draft.end(planning, now);
    let scatter = draft.begin(Some(root), front, SpanKind::Internal, now);
    let shards = draft.dice.between(3, 16);
    let mut latest = now;
    for _ in 0..shards {
        let begins = now + draft.micros(2, 250);
        latest = latest.max(shard(&mut draft, scatter, front, begins, names));
    }
    now = draft.end(scatter, latest + 20_000) + draft.micros(5, 90);
    if draft.dice.percent(60) {
        // What was found is read one after the other.
        for _ in 0..draft.dice.between(1, 5) {
            now = shard(&mut draft, root, front, now, names) + draft.micros(10, 300);
        }
    }
    let rest = draft.micros(10, 500);
    draft.end(root, now + rest);
    draft.spans
}

fn shard(draft: &mut Draft, parent: usize, front: (u32, u32), start: i64, names: bool) -> i64 {
    if draft.is_full() {
        return start;
    }
    let client = draft.begin(Some(parent), front, SpanKind::Client, start);
    // Three processes hold all shards.
    let process = (1 + draft.dice.below(2) as u32, draft.dice.below(3) as u32);
    draft.spans[client].target = names.then_some(process.0);
    let arrived = start + draft.network();
    let server = draft.begin(Some(client), process, SpanKind::Server, arrived);
    let mut now = arrived + draft.micros(10, 200);
    let reading = draft.begin(Some(server), process, SpanKind::Internal, now);
    let mut latest = now;
    for _ in 0..draft.dice.between(1, 4) {
        let disk = draft.begin(Some(reading), process, SpanKind::Internal, now);
        let block = now + draft.micros(10, 60);
        let checked = draft.begin(Some(disk), process, SpanKind::Internal, block);
        let read = block + draft.micros(50, 4_000);
        let end = draft.end(checked, read) + draft.micros(5, 40);
        latest = latest.max(draft.end(disk, end));
        now = if draft.dice.percent(50) { latest } else { now + draft.micros(5, 100) };
    }
    let sorted = draft.end(reading, latest + 10_000) + draft.micros(10, 400);
    let end = draft.end(server, sorted) + draft.network();
    draft.end(client, end)
}

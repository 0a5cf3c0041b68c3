//! Services with fixed ways: each operation is a list of steps, and every trace that comes through it takes the same ones.

use tracetailor_core::telemetry::SpanKind;
use tracetailor_core::testing::Dice;

use crate::truth::{Draft, TrueSpan};

const SERVICES: u32 = 16;
const INSTANCES: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Work,
    Inside(Vec<Step>),
    Call(usize),
    AtOnce(Vec<usize>),
    Forget(usize),
    Database,
}

struct Operation {
    service: u32,
    steps: Vec<Step>,
}

/// Operations call those further down only, so that no trace is endless.
fn world(seed: u64) -> (Vec<Operation>, Vec<bool>) {
    let mut dice = Dice::new(seed.wrapping_mul(7919) + 17);
    let count = SERVICES as usize * 2;
    let operations = (0..count).map(|number| Operation { service: number as u32 / 2, steps: steps(&mut dice, number, count, 0) });
    let operations = operations.collect();
    (operations, (0..SERVICES).map(|_| dice.percent(50)).collect())
}

fn steps(dice: &mut Dice, number: usize, count: usize, depth: u32) -> Vec<Step> {
    let further = |dice: &mut Dice| (number / 2 + 1) * 2 + dice.below(8);
    (0..dice.between(1, 4))
        .map(|_| match dice.below(10) {
            0 | 1 => Step::Work,
            2 | 3 if depth < 2 => Step::Inside(steps(dice, number, count, depth + 1)),
            4 => Step::Database,
            5 => Step::AtOnce((0..dice.between(2, 4)).map(|_| further(dice)).filter(|next| *next < count).collect()),
            6 => Some(further(dice)).filter(|next| *next < count).map_or(Step::Work, Step::Forget),
            _ => Some(further(dice)).filter(|next| *next < count).map_or(Step::Database, Step::Call),
        })
        .collect()
}

struct Run<'a> {
    draft: Draft,
    operations: &'a [Operation],
    names_targets: &'a [bool],
}

/// One request.
pub(super) fn trace(world_seed: u64, seed: u64) -> Vec<TrueSpan> {
    let (operations, names_targets) = world(world_seed);
    let mut run =
        Run { draft: Draft::new(seed.wrapping_mul(104_729) + world_seed, 250), operations: &operations, names_targets: &names_targets };
    let first = run.draft.dice.below(4);
    run.serve(None, first, 0);
    run.draft.spans
}

impl Run<'_> {
    fn serve(&mut self, caller: Option<usize>, operation: usize, start: i64) -> i64 {
        let Operation { service, steps } = &self.operations[operation];
        let process = (*service, self.draft.dice.below(INSTANCES) as u32);
        let span = self.draft.begin(caller, process, SpanKind::Server, start);
        let end = self.steps(span, process, steps, start);
        let rest = self.draft.micros(20, 400);
        self.draft.end(span, end + rest)
    }

    fn steps(&mut self, parent: usize, process: (u32, u32), steps: &[Step], start: i64) -> i64 {
        let mut now = start;
        for step in steps {
            now += self.draft.micros(10, 500);
            if self.draft.is_full() {
                return now;
            }
            now = match step {
                Step::Work => now + self.draft.micros(50, 3_000),
                Step::Inside(steps) => {
                    let span = self.draft.begin(Some(parent), process, SpanKind::Internal, now);
                    let end = self.steps(span, process, steps, now) + self.draft.micros(10, 200);
                    self.draft.end(span, end)
                }
                Step::Call(next) => self.call(parent, process, *next, now),
                Step::AtOnce(all) => all.iter().map(|next| self.call(parent, process, *next, now)).max().unwrap_or(now),
                Step::Forget(next) => {
                    self.call(parent, process, *next, now);
                    now
                }
                Step::Database => {
                    let span = self.draft.begin(Some(parent), process, SpanKind::Client, now);
                    self.draft.spans[span].is_leaf = true;
                    let end = now + self.draft.micros(200, 5_000);
                    self.draft.end(span, end)
                }
            };
        }
        now
    }

    fn call(&mut self, parent: usize, process: (u32, u32), operation: usize, start: i64) -> i64 {
        if self.draft.is_full() {
            return start;
        }
        let span = self.draft.begin(Some(parent), process, SpanKind::Client, start);
        let called = self.operations[operation].service;
        self.draft.spans[span].target = self.names_targets[called as usize].then_some(called);
        let there = start + self.draft.network();
        let end = self.serve(Some(span), operation, there) + self.draft.network();
        self.draft.end(span, end)
    }
}

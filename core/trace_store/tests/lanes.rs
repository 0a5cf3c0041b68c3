//! Several lanes under limits that a user wrote once.

use std::time::Duration;

use proptest::prelude::*;

use super::bench::{Bench, Diary, Script, Sent, at};
use crate::component::{Output, Processor, Progress, Trigger};
use crate::ledger::Fate;
use crate::trace_store::{Budget, Limits, Remember, TraceStore, WholeTraces};

fn lane(bench: &Bench, limits: &Limits, script: &Script) -> WholeTraces {
    let store = TraceStore::new(limits.clone(), bench.held(), bench.cause("abandoned"));
    WholeTraces::new(store, vec![Diary::default().stage(script)], bench.cause("unjudged"))
}

fn deliver(mut out: Output) {
    out.take().into_iter().for_each(|batch| batch.settle(Fate::Delivered));
}

fn drain(bench: &Bench, lanes: Vec<WholeTraces>) {
    for mut lane in lanes {
        let mut out = at(0, usize::MAX);
        while lane.drain(&mut out) == Progress::More {}
        deliver(out);
    }
    bench.books.report().assert_balanced();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// However the traffic falls on lanes, all together never hold more than one of them might.
    #[test]
    fn limits_are_exact_at_any_number_of_lanes(
        lanes in 1usize..9,
        traces in 1u64..20,
        bytes in 5_000u64..40_000,
        remembered in 1u64..20,
        sent in proptest::collection::vec((any::<usize>(), 0u8..60, 1u32..6), 1..120),
    ) {
        let bench = Bench::new();
        let limits = Limits {
            bytes: Budget::new(bytes),
            traces: Budget::new(traces),
            remember: Remember {
                time: Duration::from_secs(60),
                kept: Budget::new(remembered),
                dropped: Budget::new(remembered),
                skeletons: Budget::unlimited(),
            },
            ..Limits::with_wait(Duration::from_secs(10))
        };
        let script = Script { drop_below: 30, ..Script::plain(&bench) };
        let mut lanes: Vec<WholeTraces> = (0..lanes).map(|_| lane(&bench, &limits, &script)).collect();
        let mut span = 0;
        for (which, trace, spans) in sent {
            let which = which % lanes.len();
            let request: Vec<Sent> = (1..=spans).map(|n| Sent { length: 200, ..Sent::of(trace, span + n) }).collect();
            span += spans;
            let mut out = at(0, usize::MAX);
            lanes[which].process(bench.request(&request, 0), &mut out);
            deliver(out);
            let held: u64 = lanes.iter().map(|lane| lane.store().trace_count() as u64).sum();
            let cost: u64 = lanes.iter().map(|lane| lane.store().cost()).sum();
            let known: (u64, u64) = lanes.iter().map(|lane| lane.store().remembered()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            prop_assert!(held <= traces, "{} traces of {}", held, traces);
            prop_assert!(cost <= bytes, "{} bytes of {}", cost, bytes);
            prop_assert!(known.0 <= remembered && known.1 <= remembered, "{:?} verdicts of {}", known, remembered);
        }
        drain(&bench, lanes);
        prop_assert_eq!((limits.bytes.spent(), limits.traces.spent()), (0, 0));
    }
}

#[test]
fn a_lower_limit_after_a_reload_is_met_at_the_next_turn() {
    let bench = Bench::new();
    let limits = Limits::with_wait(Duration::from_secs(10));
    let mut lane = lane(&bench, &limits, &Script::plain(&bench));
    for trace in 0..50 {
        lane.process(bench.request(&[Sent::of(trace, 1 + u32::from(trace))], 0), &mut at(0, usize::MAX));
    }
    let mut store = lane.into_store();
    store.set_limits(Limits { traces: Budget::new(10), ..limits });
    let diary = Diary::default();
    let mut lane = WholeTraces::new(store, vec![diary.stage(&Script::plain(&bench))], bench.cause("unjudged"));
    let mut out = at(1, usize::MAX);
    assert_eq!(lane.wake(out.now(), &mut out), Progress::Done);
    assert_eq!((lane.store().trace_count(), lane.decided().by(Trigger::Count)), (10, 40));
    deliver(out);
    drain(&bench, vec![lane]);
}

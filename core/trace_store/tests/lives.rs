//! Any life that a lane can give a processor: arbitrary requests, busy and idle lanes, no room, partitions that go elsewhere.

use std::time::Duration;

use proptest::prelude::*;

use crate::component::ProcessorContext;
use crate::telemetry::Signal;
use crate::testing::arbitrary::{Wild, scripts};
use crate::testing::{Driver, trace_of};
use crate::trace_store::{Budget, Limits, Remember, TraceStore, WholeTraces};

/// Small requests, of which a life can have many.
fn small() -> Wild {
    Wild { groups: 2, items: 4, entries: 2, depth: 1, ..Wild::default() }
}

fn limits(bytes: u64) -> Limits {
    let remember = Remember { time: Duration::from_secs(20), kept: Budget::new(5), dropped: Budget::new(5), skeletons: Budget::new(1_000) };
    Limits { bytes: Budget::new(bytes), remember, ..Limits::with_wait(Duration::from_secs(5)) }
}

fn driver(limits: &Limits) -> Driver {
    Driver::with("whole", |context: &ProcessorContext| {
        let store = TraceStore::new(limits.clone(), context.line.held("trace_store"), context.cause("no_time"));
        Box::new(WholeTraces::new(store, vec![], context.cause("unjudged")))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn keeps_the_contract_of_a_processor(script in scripts(Signal::Traces, &small(), 20), bytes in 2_000u64..100_000) {
        let limits = limits(bytes);
        driver(&limits).play(script);
        prop_assert_eq!((limits.bytes.spent(), limits.traces.spent()), (0, 0));
    }

    /// A lane that has no time left drops it as it is.
    #[test]
    fn can_be_dropped_at_any_moment(script in scripts(Signal::Traces, &small(), 20)) {
        let limits = limits(u64::MAX);
        let mut driver = driver(&limits);
        script.steps.into_iter().for_each(|step| driver.step(step));
        driver.give_up();
        prop_assert_eq!((limits.bytes.spent(), limits.traces.spent()), (0, 0));
    }
}

#[test]
fn a_trace_in_two_requests_leaves_as_one() {
    let mut driver = driver(&limits(u64::MAX));
    driver.receive(trace_of("a -> b").request());
    driver.turn(Duration::from_secs(4));
    driver.receive(trace_of("c").request());
    assert_eq!((driver.held(), driver.sink().span_names().len()), (3, 0));
    driver.turn(Duration::from_secs(2));
    assert_eq!(driver.finish().span_names(), ["a", "b", "c"]);
}

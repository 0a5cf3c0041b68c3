//! Waiting, making room, and what the planner is told.

use std::time::Duration;

use tracetailor_core::component::{Part, ProcessorContext};
use tracetailor_core::telemetry::Signal;
use tracetailor_core::testing::{Driver, assert_manual, run_stories, span, traces};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

fn receive(driver: &mut Driver, trace: u64, name: &str) {
    driver.receive(traces([span(name).trace(trace)]));
}

#[test]
fn a_trace_leaves_in_one_piece_and_begins_anew() {
    let mut driver = Driver::of(&FACTORY, "wait_duration: 2s");
    receive(&mut driver, 1, "a");
    driver.turn(Duration::from_secs(1));
    receive(&mut driver, 1, "b");
    receive(&mut driver, 2, "c");
    driver.turn(Duration::from_millis(1_100));
    assert_eq!(driver.sink().span_names(), ["a", "b"], "the first span's time counts");
    receive(&mut driver, 1, "late");
    assert_eq!(driver.held(), 2);
    driver.turn(Duration::from_millis(1_000));
    assert_eq!(driver.sink().span_names(), ["a", "b", "c"]);
    driver.turn(Duration::from_millis(1_100));
    assert_eq!(driver.counted("otelcol_processor_groupbytrace_traces_released"), 3);
    assert_eq!(driver.counted("otelcol_processor_groupbytrace_spans_released"), 4);
    assert_eq!(driver.finish().span_names(), ["a", "b", "c", "late"]);
}

#[test]
fn who_makes_room_is_not_lost() {
    let mut driver = Driver::of(&FACTORY, "{wait_duration: 1h, num_traces: 2}");
    for trace in 1..=5 {
        receive(&mut driver, trace, &format!("span {trace}"));
    }
    driver.turn(Duration::from_secs(1));
    assert_eq!(driver.sink().span_names(), ["span 1", "span 2", "span 3"], "the oldest leave early");
    assert_eq!(driver.counted("otelcol_processor_groupbytrace_traces_evicted"), 3);
    let levels = driver.context().counters.read();
    let level = |name: &str| levels.iter().find(|series| series.name.ends_with(name)).map(|series| series.level());
    assert_eq!(level("groupbytrace_num_traces_in_memory"), Some(2));
    assert_eq!(level("groupbytrace_conf_num_traces"), Some(2));
    assert_eq!(driver.finish().spans().len(), 5);
}

#[test]
fn shutdown_does_not_wait() {
    let mut driver = Driver::of(&FACTORY, "wait_duration: 1h");
    receive(&mut driver, 1, "a");
    driver.drain();
    assert_eq!(driver.counted("otelcol_processor_groupbytrace_traces_evicted"), 0);
    assert_eq!(driver.finish().span_names(), ["a"]);
}

#[test]
fn the_planner_is_told_what_to_hold_and_how_long() {
    let Part::Stage(stage) = FACTORY.part else { panic!("it works on whole traces") };
    let context = ProcessorContext::alone("groupbytrace");
    let parsed = FACTORY.parse("{wait_duration: 3s, num_traces: 7}").unwrap();
    let (one, other) = (stage(&parsed.config, &context).unwrap(), stage(&parsed.config, &context).unwrap());
    assert_eq!((one.limits.wait, one.limits.traces.limit(), one.unjudged), (Duration::from_secs(3), 7, "released"));
    let mut claim = one.limits.traces.claim();
    claim.add(3);
    claim.publish();
    assert_eq!(other.limits.traces.spent(), 3, "lanes share one limit");
    assert_eq!(FACTORY.signals, [Signal::Traces]);
}

#[test]
fn what_the_collector_does_not_do_either_is_refused() {
    let refused = |yaml: &str| FACTORY.parse(yaml).expect_err(yaml).to_string();
    assert!(refused("store_on_disk: true").contains("groupbytrace.store_on_disk: is not supported"));
    assert!(refused("discard_orphans: true").contains("groupbytrace.discard_orphans: is not supported"));
    assert!(refused("num_traces: 0").contains("must be positive"));
    assert!(FACTORY.parse("{store_on_disk: false, discard_orphans: false, num_workers: 4}").is_ok());
}

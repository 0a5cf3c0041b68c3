//! When traces are decided.

use super::*;

#[test]
fn a_trace_waits_from_its_first_span_to_the_millisecond() {
    let mut driver = driver("decision_wait: 300ms", ALL);
    receive(&mut driver, [of(1, "a")]);
    seconds(&mut driver, 0.2);
    receive(&mut driver, [of(1, "b")]);
    seconds(&mut driver, 0.09);
    assert_eq!(out(&driver), Vec::<String>::new());
    seconds(&mut driver, 0.03);
    assert_eq!(out(&driver), ["a", "b"]);
    driver.finish();
}

#[test]
fn the_collector_waits_in_slots_of_a_second() {
    // The clock stands at a full second in the beginning.
    for (wait, after, due) in [("0s", 0.3, 2.0), ("1s", 0.3, 2.0), ("2900ms", 0.3, 3.0), ("500ms", 0.0, 1.0), ("2s", 0.999, 3.0)] {
        let mut driver = driver(&format!("compatibility: otelcol, decision_wait: {wait}"), ALL);
        seconds(&mut driver, after);
        receive(&mut driver, [of(1, "a")]);
        seconds(&mut driver, due - after - 0.01);
        assert_eq!(out(&driver), Vec::<String>::new(), "{wait} after {after}");
        seconds(&mut driver, 0.03);
        assert_eq!(out(&driver), ["a"], "{wait} after {after}");
        driver.finish();
    }
}

#[test]
fn a_root_makes_it_soon_and_never_later() {
    let keys = "decision_wait: 10s, decision_wait_after_root_received: 500ms";
    let mut one = driver(keys, ALL);
    receive(&mut one, [of(1, "child").parent("root")]);
    seconds(&mut one, 3.0);
    receive(&mut one, [of(1, "root")]);
    seconds(&mut one, 0.4);
    receive(&mut one, [of(1, "second root"), of(1, "other").parent("root")]);
    assert_eq!(out(&one), Vec::<String>::new());
    seconds(&mut one, 0.12);
    assert_eq!(out(&one).len(), 4, "a second root does not make it later");
    one.finish();

    let mut other = driver(keys, ALL);
    receive(&mut other, [of(1, "child").parent("root")]);
    seconds(&mut other, 9.9);
    receive(&mut other, [of(1, "root").parent([0u8; 8])]);
    seconds(&mut other, 0.12);
    assert_eq!(out(&other), ["child", "root"], "ten seconds are over; and a parent of zeros is none");
    other.finish();
}

#[test]
fn a_fraction_of_a_second_after_the_root_is_none_for_the_collector() {
    let keys = "compatibility: otelcol, decision_wait: 10s, decision_wait_after_root_received: 900ms";
    let mut driver = driver(keys, ALL);
    seconds(&mut driver, 0.5);
    receive(&mut driver, [of(1, "root")]);
    seconds(&mut driver, 0.45);
    assert_eq!(out(&driver), Vec::<String>::new());
    seconds(&mut driver, 0.08);
    assert_eq!(out(&driver), ["root"], "with the next tick");
    driver.finish();
}

#[test]
fn what_waits_at_shutdown_is_decided_or_dropped() {
    for (keys, kept) in [("decision_wait: 1h", 1), ("decision_wait: 1h, drop_pending_traces_on_shutdown: true", 0)] {
        let mut driver = driver(keys, ERRORS);
        receive(&mut driver, [of(1, "a"), failed(2, "b")]);
        driver.drain();
        let dropped = driver.ended(Column::Dropped, "pending_at_shutdown");
        assert_eq!((out(&driver).len(), dropped), (kept, 2 * (1 - kept as u64)), "{keys}");
        driver.finish();
    }
}

#[test]
fn what_is_counted_of_decisions() {
    let mut driver = driver("decision_wait: 1s", ERRORS);
    receive(&mut driver, [of(1, "a"), failed(2, "b"), of(2, "c"), of(3, "d")]);
    assert_eq!(counted(&driver, "new_trace_id_received", &[]), 3);
    let level = |driver: &Driver| driver.context().counters.read().iter().find(|s| s.name.ends_with("traces_on_memory")).unwrap().level();
    assert_eq!(level(&driver), 3);
    seconds(&mut driver, 1.1);
    assert_eq!(level(&driver), 0);
    let decided = [("decision", "sampled"), ("sampled", "true")];
    assert_eq!(counted(&driver, "global_count_traces_sampled", &decided), 1);
    assert_eq!(counted(&driver, "global_count_traces_sampled", &[("decision", "not_sampled")]), 2);
    assert_eq!(counted(&driver, "count_traces_sampled", &[("policy", "errors"), ("decision", "sampled")]), 1);
    assert_eq!(counted(&driver, "count_spans_sampled", &[("policy", "errors"), ("decision", "sampled")]), 2);
    assert_eq!(counted(&driver, "sampling_policy_execution_count", &[("policy", "errors")]), 3);
    assert_eq!(counted(&driver, "sampling_trace_removal_age", &[]), 3);
    assert_eq!(counted(&driver, "sampling_decision_timer_latency", &[]), 3);
    assert_eq!(driver.ended(Column::Dropped, "not_sampled"), 2);
    assert_eq!(driver.counted("tracetailor_sampling_decisions_total"), 3);
    driver.finish();
}

#[test]
fn an_instance_is_told_apart() {
    let parsed = FACTORY.parse(&format!("{{decision_wait: 1s, {ERRORS}}}")).unwrap();
    let mut driver = Driver::with("tail_sampling/strict", |context| parsed.build(context).unwrap());
    receive(&mut driver, [of(1, "a")]);
    seconds(&mut driver, 1.1);
    let labels = [("policy", "strict.errors"), ("processor", "tail_sampling/strict")];
    assert_eq!(counted(&driver, "count_traces_sampled", &labels), 1);
    driver.finish();
}

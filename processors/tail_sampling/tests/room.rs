//! Too many traces, too many bytes, a trace that is too large.

use super::*;

#[test]
fn the_oldest_is_decided_early_on_what_it_has() {
    let mut driver = driver("decision_wait: 1h, num_traces: 2", ERRORS);
    receive(&mut driver, [failed(1, "a")]);
    receive(&mut driver, [of(2, "b")]);
    receive(&mut driver, [of(3, "c")]);
    receive(&mut driver, [of(4, "d")]);
    assert_eq!(out(&driver), ["a"]);
    assert_eq!(driver.ended(Column::Dropped, "not_sampled"), 1);
    assert_eq!(counted(&driver, "sampling_trace_dropped_too_early", &[]), 2);
    receive(&mut driver, [of(1, "late")]);
    assert_eq!(driver.finish().span_names(), ["a", "late"], "and what comes later follows");
}

#[test]
fn the_collector_loses_the_oldest_and_keeps_its_deadline() {
    let mut driver = driver("compatibility: otelcol, decision_wait: 2s, num_traces: 2", ALL);
    receive(&mut driver, [of(1, "a")]);
    receive(&mut driver, [of(2, "b")]);
    receive(&mut driver, [of(3, "c")]);
    seconds(&mut driver, 1.0);
    receive(&mut driver, [of(1, "a again")]);
    seconds(&mut driver, 1.1);
    assert_eq!(out(&driver), ["a again", "c"], "the second made room for the first, which is decided in its old time");
    assert_eq!(driver.ended(Column::Dropped, "evicted"), 2);
    assert_eq!(counted(&driver, "sampling_trace_dropped_too_early", &[]), 1, "one had nothing left");
    assert_eq!(counted(&driver, "new_trace_id_received", &[]), 4);
    driver.finish();
}

#[test]
fn decided_traces_take_room_in_the_collector() {
    let mut one = driver("compatibility: otelcol, decision_wait: 1s, num_traces: 1", ALL);
    receive(&mut one, [of(1, "a")]);
    seconds(&mut one, 1.1);
    receive(&mut one, [of(2, "b")]);
    receive(&mut one, [of(1, "a anew")]);
    seconds(&mut one, 1.1);
    assert_eq!(one.finish().span_names(), ["a", "a anew"]);

    // With a cache for the outcome they take none.
    let keys = "compatibility: otelcol, decision_wait: 1s, num_traces: 1, decision_cache: {sampled_cache_size: 5}";
    let mut other = driver(keys, ALL);
    receive(&mut other, [of(1, "a")]);
    seconds(&mut other, 1.1);
    receive(&mut other, [of(2, "b")]);
    receive(&mut other, [of(1, "late")]);
    seconds(&mut other, 1.1);
    assert_eq!(other.finish().span_names(), ["a", "b", "late"]);
}

#[test]
fn bytes_are_bounded_and_the_oldest_pay() {
    let mut driver = driver("decision_wait: 1h, max_buffered_bytes: 64KiB", ERRORS);
    for trace in 1..=200 {
        receive(&mut driver, [failed(trace, "x").attribute("filler", &*"y".repeat(1000))]);
    }
    let held = driver.held();
    assert!((20..=70).contains(&held), "{held}");
    assert_eq!(out(&driver).len(), 200 - usize::try_from(held).unwrap(), "what left early is decided, not lost");
    assert!(counted(&driver, "sampling_trace_dropped_too_early", &[]) > 100);
    driver.finish();
}

#[test]
fn a_giant_does_not_push_out_the_others() {
    let mut driver = driver("decision_wait: 1h, max_buffered_bytes: 64KiB", ERRORS);
    receive(&mut driver, [of(1, "small")]);
    for n in 0..100 {
        let span = failed(2, "giant").id(n + 1).attribute("filler", &*"y".repeat(1000));
        receive(&mut driver, [span]);
    }
    assert_eq!(driver.held(), 1, "the small one still waits; the giant was decided early, and the rest of it follows");
    assert_eq!(out(&driver).len(), 100);
    let sized: u64 = driver.context().counters.read().iter().filter(|s| s.labels.iter().any(|(_, v)| v == "size")).map(|s| s.count()).sum();
    assert_eq!(sized, 1);
    driver.finish();
}

/// Of 56 bytes for the span, 2 for its tag and length, and those of what stands around it.
#[test]
fn a_trace_may_be_so_large_and_no_larger() {
    let size = 2 + 2 + 2 + (2 + 56);
    for (most, kept) in [(size, true), (size - 1, false)] {
        let mut driver = driver(&format!("decision_wait: 1s, maximum_trace_size_bytes: {most}"), ALL);
        receive(&mut driver, [of(1, "op").change(|span| span.kind = 2)]);
        seconds(&mut driver, 1.1);
        receive(&mut driver, [of(1, "op").id(9)]);
        assert_eq!(out(&driver).len(), 2 * usize::from(kept), "{most}: what comes later follows, however large");
        assert_eq!(counted(&driver, "traces_dropped_too_large", &[]), u64::from(!kept));
        assert_eq!(counted(&driver, "global_count_traces_sampled", &[]), u64::from(kept));
        assert_eq!(counted(&driver, "count_bytes_sampled", &[("policy", "all"), ("decision", "sampled")]), if kept { 66 } else { 0 });
        assert_eq!(driver.ended(Column::Dropped, "too_large"), 2 * u64::from(!kept));
        driver.finish();
    }
}

#[test]
fn two_requests_are_two_fragments() {
    // Each fragment of one span measures 64: together 128, though as one they would be fewer.
    for (most, kept) in [(128, true), (127, false)] {
        let mut driver = driver(&format!("decision_wait: 1s, maximum_trace_size_bytes: {most}"), ALL);
        receive(&mut driver, [of(1, "op").change(|span| span.kind = 2)]);
        receive(&mut driver, [of(1, "op").id(9).change(|span| span.kind = 2)]);
        seconds(&mut driver, 1.1);
        assert_eq!(out(&driver).is_empty(), !kept, "{most}");
        driver.finish();
    }
}

#[test]
fn where_senders_wait_nothing_is_decided_early() {
    for compatibility in ["tracetailor", "otelcol"] {
        let keys = format!("compatibility: {compatibility}, decision_wait: 1s, num_traces: 2, block_on_overflow: true");
        let mut driver = driver(&keys, ALL);
        receive(&mut driver, [of(1, "a"), of(2, "b")]);
        let gate = driver.context().shared.gate();
        assert!(gate.is_used_up(), "senders wait now");
        // What had been let in before.
        receive(&mut driver, [of(3, "c")]);
        assert_eq!(out(&driver), Vec::<String>::new());
        seconds(&mut driver, 2.1);
        assert_eq!((out(&driver).len(), gate.is_used_up()), (3, false), "caches or not, room is made");
        driver.finish();
    }
    let without = driver("decision_wait: 1s, num_traces: 2", ALL);
    assert_eq!(without.context().shared.gate().limit(), u64::MAX);
    without.finish();
}

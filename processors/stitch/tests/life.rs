//! Waiting, late spans, limits, and traces that were cut short.

use std::time::Duration;

use tracetailor_core::ledger::Column;
use tracetailor_core::testing::otlp::{Span, SpanKind, Value};
use tracetailor_core::testing::{Built, Driver, SpanDraft, span, traces};

use super::FACTORY;

fn mark(span: &Span, key: &str) -> Option<Value> {
    let key = format!("tracetailor.stitch.{key}");
    span.attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value
}

fn text(span: &Span, key: &str) -> Option<String> {
    match mark(span, key) {
        Some(Value::StringValue(text)) => Some(text),
        _ => None,
    }
}

fn root() -> Built<SpanDraft> {
    span("root").service("shop").id(1).kind(SpanKind::Server).times(0, 100)
}

fn call() -> Built<SpanDraft> {
    span("call").service("shop").id(2).parent(1).kind(SpanKind::Client).times(10, 90)
}

fn work() -> Built<SpanDraft> {
    span("work").service("payment").id(4).parent(3).times(30, 60)
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name}"))
}

#[test]
fn a_complete_trace_does_not_wait_longer_than_it_is_quiet() {
    let mut driver = Driver::of(&FACTORY, "{wait: 30s, quiet: 1s}");
    driver.receive(traces([root()]));
    driver.turn(Duration::from_millis(800));
    driver.receive(traces([call()]));
    driver.turn(Duration::from_millis(800));
    assert_eq!(driver.sink().spans().len(), 0, "a new span begins the quiet anew");
    driver.turn(Duration::from_millis(400));
    assert_eq!(driver.sink().spans().len(), 2);
    driver.receive(traces([root().trace(2), work().trace(2)]));
    driver.turn(Duration::from_secs(29));
    assert_eq!(driver.sink().spans().len(), 2, "one that owes a parent waits");
    assert_eq!(driver.finish().spans().len(), 4);
}

#[test]
fn late_spans_follow_supersede_or_are_orphans() {
    let mut driver = Driver::of(&FACTORY, "{mode: placeholder, wait: 2s}");
    driver.receive(traces([root(), call(), work()]));
    driver.turn(Duration::from_secs(3));
    assert_eq!(driver.sink_mut().take().len(), 1);
    driver.receive(traces([span("serve").service("payment").id(3).parent(2).kind(SpanKind::Server).times(20, 80)]));
    driver.receive(traces([span("more").service("payment").id(5).parent(4).times(35, 40)]));
    driver.receive(traces([span("lost").service("mail").id(7).parent(6).times(50, 55)]));
    driver.receive(traces([span("lost, too").service("mail").id(8).parent(6).times(56, 58)]));
    driver.turn(Duration::from_millis(100));
    assert_eq!(driver.counted("tracetailor_stitch_late_spans_total"), 4);
    let spans = driver.finish().spans();
    assert_eq!(text(named(&spans, "serve"), "reason").as_deref(), Some("supersedes_placeholder"));
    assert_eq!(text(named(&spans, "more"), "reason").as_deref(), Some("late"));
    let made: Vec<&Span> = spans.iter().filter(|span| span.name == "(missing span)").collect();
    assert_eq!(made.len(), 1, "for two orphans of one parent that come one after the other: {made:?}");
    assert_eq!(text(made[0], "missing_span_id").as_deref(), Some("0000000000000006"));
}

#[test]
fn whoever_is_cut_short_is_marked_and_not_filled() {
    let mut driver = Driver::of(&FACTORY, "{mode: placeholder, wait: 1h}");
    driver.receive(traces([root(), call(), work()]));
    driver.drain();
    assert_eq!(driver.counted("tracetailor_stitch_made_spans_total"), 0);
    let spans = driver.finish().spans();
    assert_eq!(spans.len(), 3);
    assert_eq!(mark(named(&spans, "root"), "complete"), Some(Value::BoolValue(false)));
    assert_eq!(mark(named(&spans, "work"), "orphan"), Some(Value::BoolValue(true)));
}

#[test]
fn above_a_limit_a_trace_is_marked_and_not_filled() {
    for yaml in
        ["{mode: placeholder, wait: 1s, placeholders: {per_trace: 2}}", "{mode: placeholder, wait: 1s, placeholders: {per_second: 2}}"]
    {
        let mut driver = Driver::of(&FACTORY, yaml);
        let orphans = (0..3_u64).map(|number| span(&format!("orphan {number}")).service("a").parent(100 + number).times(5, 6));
        driver.receive(traces(orphans.chain([root()])));
        driver.turn(Duration::from_secs(2));
        assert_eq!(driver.counted("tracetailor_stitch_made_spans_total"), 0, "{yaml}");
        let spans = driver.finish().spans();
        assert_eq!(spans.iter().filter(|span| mark(span, "orphan").is_some()).count(), 3, "{yaml}");
    }
}

#[test]
fn doubles_are_in_the_books() {
    let mut driver = Driver::of(&FACTORY, "wait: 1s");
    driver.receive(traces([root(), call()]));
    driver.receive(traces([root(), call()]));
    driver.turn(Duration::from_secs(2));
    assert_eq!(driver.ended(Column::Dropped, "duplicate"), 2);
    assert_eq!(driver.finish().spans().len(), 2);
}

#[test]
fn ids_made_to_hurt_cost_little() {
    let mut driver = Driver::of(&FACTORY, "{mode: placeholder, wait: 1s}");
    let deep = (0..3_000_u64).map(|number| span("deep").service("a").id(10_000 + number).parent(10_001 + number).times(number % 50, 60));
    let wide = (0..3_000_u64).map(|number| span("wide").service("b").id(20_000 + number).parent(30_000 + number).times(number % 50, 60));
    driver.receive(traces(deep.chain(wide)));
    driver.turn(Duration::from_secs(2));
    assert_eq!(driver.counted("tracetailor_stitch_made_spans_total"), 0);
    assert_eq!(driver.finish().spans().len(), 6_000);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let refused = |yaml: &str| FACTORY.parse(yaml).expect_err(yaml).to_string();
    assert!(refused("wait: 0s").contains("stitch.wait: must be positive"));
    assert!(refused("{wait: 1s, quiet: 2s}").contains("stitch.quiet: must be shorter than wait (1s)"));
    assert!(refused("roots: {several: join}").contains("stitch.roots.several: join needs a synthetic root"));
    assert!(refused("{mode: placeholder, placeholders: {name: \"\"}}").contains("stitch.placeholders.name: must not be empty"));
    assert!(refused("{mode: placeholder, placeholders: {per_trace: 20000}}").contains("must not be above 10000"));
    assert!(refused("clock_tolerance: soon").contains("clock_tolerance"));
    assert!(refused("learn: {tables: 0}").contains("stitch.learn.tables: must be between 1 and 1000000"));
    assert!(refused("ids: {zero_span_id: keep}").contains("zero_span_id"));
    assert!(refused("ids: {short_trace_ids: split}").contains("short_trace_ids"));
    assert!(FACTORY.parse("{clock_tolerance: 5ms, mode: reparent}").is_ok());
}

fn nameless(name: &str) -> Built<SpanDraft> {
    span(name).service("shop").parent(1).times(20, 30).id(&[0; 8][..])
}

#[test]
fn ids_are_given_where_spans_come_without_one_and_only_there() {
    let mends = |yaml: &str| FACTORY.mends_ids(&FACTORY.parse(yaml).expect(yaml).config);
    assert!(mends("{}") && mends("mode: placeholder"));
    assert!(!mends("mode: none") && !mends("ids: {zero_span_id: reject}"));
}

#[test]
fn a_span_without_an_id_gets_the_same_one_late_as_in_time() {
    let id_of = |late: bool| {
        let mut driver = Driver::of(&FACTORY, "wait: 2s");
        driver.receive(traces([root()]));
        if late {
            driver.turn(Duration::from_secs(3));
        }
        driver.receive(traces([
            nameless("zero"),
            span("short").service("shop").id(9).times(1, 2).change(|span| span.parent_span_id = vec![7; 3]),
        ]));
        driver.turn(Duration::from_secs(3));
        let spans = driver.finish().spans();
        assert_eq!(spans.len(), 3);
        assert!(spans.iter().all(|span| span.span_id.len() == 8 && span.span_id != [0; 8]), "{spans:?}");
        assert_eq!(text(named(&spans, "zero"), "original_span_id").as_deref(), Some("0000000000000000"));
        assert!(named(&spans, "short").parent_span_id.is_empty());
        assert_eq!(text(named(&spans, "short"), "original_parent_span_id").as_deref(), Some("070707"));
        named(&spans, "zero").span_id.clone()
    };
    assert_eq!(id_of(false), id_of(true));
}

#[test]
fn where_nothing_is_mended_nothing_without_an_id_leaves() {
    let mut driver = Driver::of(&FACTORY, "{mode: none, wait: 1s}");
    driver.receive(traces([root(), nameless("zero")]));
    driver.turn(Duration::from_secs(2));
    assert_eq!(driver.ended(Column::Dropped, "no_span_id"), 1);
    assert_eq!(driver.finish().spans().len(), 1);
}

const LONG: [u8; 16] = [9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 5];
const SHORT: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];

fn in_two_forms(long_first: bool) -> Vec<tracetailor_core::testing::otlp::ExportTraceServiceRequest> {
    let long = traces([root().trace(&LONG[..]), work().trace(&LONG[..])]);
    let short = traces([call().trace(&SHORT[..]), span("serve").service("payment").id(3).parent(2).times(20, 80).trace(&SHORT[..])]);
    if long_first { vec![long, short] } else { vec![short, long] }
}

#[test]
fn short_trace_ids_are_told_and_left_as_they_are() {
    let mut driver = Driver::of(&FACTORY, "{mode: placeholder, wait: 1s}");
    in_two_forms(false).into_iter().for_each(|request| driver.receive(request));
    driver.receive(traces([root().trace(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1][..])]));
    driver.turn(Duration::from_secs(2));
    let series = driver.context().counters.read();
    let outcome = |of: &str| {
        let is_it = |series: &&tracetailor_core::component::Series| {
            series.name == "tracetailor_stitch_short_trace_ids_total" && series.labels.iter().any(|(_, value)| value == of)
        };
        series.iter().filter(is_it).map(tracetailor_core::component::Series::count).sum::<u64>()
    };
    assert_eq!([outcome("alone"), outcome("beside_long"), outcome("joined")], [1, 1, 0]);
    let spans = driver.finish().spans();
    assert!(spans.iter().all(|span| text(span, "original_trace_id").is_none()));
    assert!(spans.iter().any(|span| span.name == "(missing span)"), "the hole is filled: nobody said that the two are one");
}

#[test]
fn short_trace_ids_become_long_ones_and_no_half_is_filled() {
    for long_first in [true, false] {
        let mut driver = Driver::of(&FACTORY, "{mode: placeholder, wait: 1s, ids: {short_trace_ids: join}}");
        in_two_forms(long_first).into_iter().for_each(|request| driver.receive(request));
        driver.turn(Duration::from_secs(2));
        driver.receive(traces([span("late").service("payment").id(8).parent(7).times(20, 80).trace(&SHORT[..])]));
        driver.turn(Duration::from_secs(1));
        let spans = driver.finish().spans();
        assert_eq!(spans.len(), 5, "nothing is made: {spans:?}");
        assert!(spans.iter().all(|span| span.trace_id == LONG), "{spans:?}");
        let original = |name: &str| text(named(&spans, name), "original_trace_id");
        assert_eq!(original("call").as_deref(), Some("00000000000000000000000000000005"));
        assert_eq!((original("late").is_some(), original("root")), (true, None));
        assert!(spans.iter().all(|span| mark(span, "orphan").is_none()), "the parent is in the other half");
    }
}

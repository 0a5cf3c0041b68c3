//! The builders build what they say.

use super::otlp::{Data, SpanKind, Value};
use super::*;

#[test]
fn spans_are_grouped_by_resource_and_scope_in_order_of_appearance() {
    let request = traces([
        span("a").service("web").scope("http", "1"),
        span("b").service("cart").scope("http", "1"),
        span("c").service("web").scope("jdbc", "1"),
        span("d").service("web").scope("http", "1"),
    ]);
    let names: Vec<Vec<Vec<&str>>> = request
        .resource_spans
        .iter()
        .map(|resource| resource.scope_spans.iter().map(|scope| scope.spans.iter().map(|span| span.name.as_str()).collect()).collect())
        .collect();
    assert_eq!(names, [vec![vec!["a", "d"], vec!["c"]], vec![vec!["b"]]]);
}

#[test]
fn a_span_is_what_its_builder_says() {
    let built = span("GET /cart")
        .trace("checkout")
        .id(7)
        .parent("frontend")
        .kind(SpanKind::Server)
        .times(5, 25)
        .attribute("http.route", "/cart")
        .attribute("tags", list(["a", "b"]))
        .attribute("odd", map([("k", Option::<Value>::None)]))
        .event(6, "cache.miss", [attribute("key", "cart:7")])
        .link("other", 9)
        .status_error("timed out")
        .build();
    assert_eq!(built.trace_id, trace_id("checkout").0);
    assert_eq!((built.span_id, built.parent_span_id), (7_u64.to_be_bytes().to_vec(), span_id("frontend").0.to_vec()));
    assert_eq!(built.end_time_unix_nano - built.start_time_unix_nano, 20_000_000);
    assert_eq!(built.start_time_unix_nano, START.0 + 5_000_000);
    assert_eq!((built.attributes.len(), built.events.len(), built.links.len()), (3, 1, 1));
    assert_eq!(built.status.unwrap().code, 2);
}

#[test]
fn spans_that_share_a_name_have_ids_of_their_own() {
    let request = traces([span("GET"), span("GET"), span("GET").trace(2)]);
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans[0].span_id, span_id("GET").0);
    assert_eq!(spans[1].span_id, span_id("GET#2").0);
    assert_eq!(spans[2].span_id, span_id("GET").0);
}

#[test]
fn log_records_are_what_their_builders_say() {
    let request = logs([log("empty").service("cart").severity(9).trace("checkout").span("a").event_name("cart.empty").times(1, 2)]);
    let record = &request.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!(record.body, Some("empty".into_value()));
    assert_eq!(record.trace_id, trace_id("checkout").0);
    assert_eq!(record.observed_time_unix_nano - record.time_unix_nano, 1_000_000);
}

#[test]
fn metrics_of_five_kinds_take_points() {
    let request = metrics([
        gauge("queue").value(7).attribute("host", "a").value(0.5).flags(1),
        sum("requests").delta().value(3).times(0, 60_000).exemplar(1.0, "checkout", "a"),
        histogram("duration").buckets(12.0, &[1.0, 5.0], &[3, 2, 1]),
        exponential_histogram("size").exponential(9.0, 2, -3, &[1, 0, 4]),
        summary("pause").quantiles(10, 4.0, &[(0.5, 0.2), (0.99, 1.0)]),
    ]);
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    assert_eq!(metrics.len(), 5);
    let Some(Data::Gauge(gauge)) = &metrics[0].data else { panic!("the first is a gauge") };
    assert_eq!((gauge.data_points[0].attributes.len(), gauge.data_points[1].flags), (1, 1));
    let Some(Data::Histogram(histogram)) = &metrics[2].data else { panic!("the third is a histogram") };
    assert_eq!(histogram.data_points[0].count, 6);
}

#[test]
#[should_panic(expected = "neither a gauge nor a sum")]
fn a_point_of_the_wrong_kind_is_the_test_authors_mistake() {
    let _ = summary("pause").value(1);
}

fn parents(text: &str) -> Vec<(String, Option<String>)> {
    let request = trace_of(text).request();
    let spans: Vec<_> = request.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans).collect();
    let name = |id: &[u8]| {
        let known = ["a", "b", "c", "d", "x"].into_iter().find(|name| span_id(*name).0 == *id);
        known.map(str::to_owned)
    };
    spans.iter().map(|span| (span.name.clone(), name(&span.parent_span_id))).collect()
}

#[test]
fn a_drawing_says_who_is_below_whom() {
    let pair = |name: &str, parent: &str| (name.to_owned(), (!parent.is_empty()).then(|| parent.to_owned()));
    assert_eq!(parents("a -> b -> c"), [pair("a", ""), pair("b", "a"), pair("c", "b")]);
    assert_eq!(parents("a -> b, c; b -> d"), [pair("a", ""), pair("b", "a"), pair("c", "a"), pair("d", "b")]);
    assert_eq!(parents("a; x -> b"), [pair("a", ""), pair("x", ""), pair("b", "x")]);
    assert_eq!(parents("a -> [b] -> c"), [pair("a", ""), pair("c", "b")]);
    assert_eq!(parents("a -> b -> a"), [pair("a", "b"), pair("b", "a")]);
}

#[test]
fn parents_enclose_their_children_and_siblings_follow_each_other() {
    let spans = trace_of("a -> b, c; b -> d").spans();
    let times = |name: &str| {
        let span = &spans.iter().find(|span| span.name() == name).unwrap().item.span;
        (span.start_time_unix_nano, span.end_time_unix_nano)
    };
    assert!(times("a").0 < times("b").0 && times("b").0 < times("d").0);
    assert!(times("d").1 < times("b").1 && times("b").1 <= times("c").0 && times("c").1 < times("a").1);
}

#[test]
fn services_make_clients_and_servers() {
    let spans = trace_of("a@web -> b@cart -> c@cart").spans();
    let kinds: Vec<i32> = spans.iter().map(|span| span.item.span.kind).collect();
    assert_eq!(kinds, [SpanKind::Client as i32, SpanKind::Server as i32, SpanKind::Internal as i32]);
}

#[test]
fn a_trace_can_be_sent_in_any_order() {
    let names: Vec<String> = trace_of("a -> b -> c").in_order(&["c", "a", "b"]).spans().iter().map(|span| span.name().to_owned()).collect();
    assert_eq!(names, ["c", "a", "b"]);
}

#[test]
fn every_odd_shape_has_spans_and_a_name_of_its_own() {
    let shapes = odd_shapes();
    let names: std::collections::HashSet<_> = shapes.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), shapes.len());
    assert!(shapes.into_iter().all(|(_, trace)| !trace.request().resource_spans.is_empty()));
}

#[test]
fn what_an_inlet_takes_in_a_sink_shows_again() {
    let mut inlet = Inlet::new();
    let mut sink = Sink::new(inlet.books());
    let request = trace_of("a@web -> b@cart; a -> c@cart").request();
    let batch = inlet.receive(request.clone());
    assert_eq!(batch.origins()[0].received_at, START);
    sink.deliver(batch);
    assert_eq!(sink.traces(), request);
    assert_eq!(sink.span_names(), ["a", "b", "c"]);
    assert_eq!(inlet.answer(0).tally.delivered, 3);
    inlet.assert_settled();
}

#[test]
fn what_an_inlet_rejects_is_in_the_answer_and_in_the_books() {
    let limits = crate::telemetry::Limits::default();
    let mut inlet = Inlet::with(crate::ledger::Books::new(), crate::time::Clock::by_hand(START), limits);
    let mut sink = Sink::new(inlet.books());
    sink.deliver(inlet.receive(trace_of("a -> b").change("b", |span| span.id(0)).request()));
    assert_eq!(sink.span_names(), ["a"]);
    assert_eq!((inlet.answer(0).tally.delivered, inlet.answer(0).tally.rejected_for_good), (1, 1));
    inlet.assert_settled();
}

#[test]
fn every_odd_shape_comes_through_untouched_and_accounted_for() {
    for (name, trace) in odd_shapes() {
        let mut inlet = Inlet::new();
        let mut sink = Sink::new(inlet.books());
        let request = trace.request();
        sink.deliver(inlet.receive(request.clone()));
        assert_eq!(sink.traces(), request, "{name}");
        inlet.assert_settled();
    }
}

#[test]
#[should_panic(expected = "requests still wait for an end")]
fn a_batch_that_somebody_keeps_is_not_settled() {
    let mut inlet = Inlet::new();
    let batch = inlet.receive(trace_of("a").request());
    let held = inlet.line(batch.signal()).held("store");
    held.set(batch.len() as u64);
    inlet.assert_settled();
}

//! The page, finding by finding: what goes in, and what whoever runs the gateway reads.

use std::time::Duration;

use serde_json::Value;
use tracetailor_core::component::Series;
use tracetailor_core::testing::otlp::SpanKind;
use tracetailor_core::testing::{Built, Driver, SpanDraft, span, traces};

use super::super::FACTORY;

fn page(driver: &Driver) -> Value {
    let (_, report) = driver.context().reports.of("health/traces").remove(0);
    report.json("")
}

fn text(driver: &Driver) -> String {
    let (_, report) = driver.context().reports.of("health/traces").remove(0);
    report.text("")
}

/// The findings of a kind: whom they are about, how often they were seen, and out of how many.
fn found(driver: &Driver, kind: &str) -> Vec<(Vec<String>, u64, u64)> {
    let page = page(driver);
    let findings = page["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == kind);
    findings
        .map(|finding| {
            let services = finding["services"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
            (services.collect(), finding["count"].as_u64().unwrap(), finding["of"].as_u64().unwrap())
        })
        .collect()
}

fn says(driver: &Driver, what: &str) {
    let text = text(driver);
    assert!(text.contains(what), "{what:?} is not in\n{text}");
}

fn one(services: &[&str], count: u64, of: u64) -> Vec<(Vec<String>, u64, u64)> {
    vec![(services.iter().map(|name| (*name).to_owned()).collect(), count, of)]
}

/// A driver that has seen these traces and decided them.
fn seen(trace_count: u64, mut spans: impl FnMut(u64) -> Vec<Built<SpanDraft>>) -> Driver {
    let mut driver = Driver::of(&FACTORY, "wait: 1s");
    for trace in 1..=trace_count {
        driver.receive(traces(spans(trace).into_iter().map(|span| span.trace(trace))));
    }
    driver.turn(Duration::from_secs(2));
    driver.sink_mut().take();
    driver
}

fn root(service: &str) -> Built<SpanDraft> {
    span("root").service(service).id(1).kind(SpanKind::Server).times(0, 100)
}

/// A call from the root, meant for somebody.
fn call(service: &str, to: &str) -> Built<SpanDraft> {
    span("call").service(service).id(2).parent(1).kind(SpanKind::Client).times(10, 90).attribute("peer.service", to)
}

fn served(service: &str) -> Built<SpanDraft> {
    span("serve").service(service).id(3).parent(2).kind(SpanKind::Server).times(20, 80)
}

#[test]
fn before_anything_was_seen_the_page_says_so() {
    let driver = Driver::of(&FACTORY, "{}");
    assert_eq!(text(&driver), "no trace has been decided yet\n");
}

#[test]
fn whole_traces_are_nothing_to_worry_about() {
    let driver = seen(10, |_| vec![root("shop"), call("shop", "payment"), served("payment")]);
    says(&driver, "10 traces, 100 % of them complete; 0 spans without their parent");
    says(&driver, "nothing looks wrong");
    let page = page(&driver);
    assert_eq!(
        (&page["edges"][0]["from"], &page["edges"][0]["to"], &page["edges"][0]["answered"]),
        (&"shop".into(), &"payment".into(), &10.into())
    );
}

#[test]
fn traces_are_seen_whether_they_are_kept_or_not_and_whatever_the_mode_repairs() {
    let mut driver = Driver::of(&FACTORY, "{mode: placeholder, wait: 1s}");
    driver.receive(traces([root("shop"), served("payment")]));
    driver.turn(Duration::from_secs(2));
    assert_eq!(page(&driver)["complete"], 0);
    let mut silent = Driver::of(&FACTORY, "{mode: none, wait: 1s}");
    silent.receive(traces([root("shop")]));
    silent.turn(Duration::from_secs(2));
    assert_eq!(page(&silent)["traces"], 0);
}

#[test]
fn context_lost_between_two_services() {
    let driver = seen(40, |trace| {
        let mut spans = vec![root("shop"), call("shop", "payment")];
        // A service must have been seen for a call to be known to be meant for it.
        spans.extend((trace % 4 == 1).then(|| served("payment")));
        spans
    });
    assert_eq!(found(&driver, "lost_between"), one(&["shop", "payment"], 30, 40));
    says(&driver, "context lost between shop and payment: 30 of 40 calls have no span of payment below them");
}

#[test]
fn a_call_to_what_never_reports_is_no_finding() {
    let driver = seen(40, |_| vec![root("shop"), call("shop", "partner.example.com")]);
    assert!(found(&driver, "lost_between").is_empty());
    assert_eq!(page(&driver)["services"][0]["unanswered"], 40);
}

#[test]
fn context_lost_before_a_service() {
    let driver = seen(40, |trace| match trace % 4 {
        0 => vec![root("payment")],
        _ => vec![root("shop"), call("shop", "payment"), served("payment")],
    });
    assert_eq!(found(&driver, "lost_before"), one(&["payment"], 10, 40));
    assert_eq!(found(&driver, "alone"), one(&["payment"], 10, 40));
    says(&driver, "context lost before payment: 10 of 40 requests begin a trace there, the others continue one");
}

#[test]
fn orphans_are_told_by_the_edge_that_broke() {
    let driver = seen(8, |_| {
        let inner = span("inner").service("payment").id(5).parent(4).times(30, 40);
        vec![root("shop"), call("shop", "payment"), served("payment").parent(9), inner]
    });
    let mut orphans = found(&driver, "orphans");
    orphans.sort();
    assert_eq!(orphans, [one(&["payment", "payment"], 8, 16), one(&["shop", "payment"], 8, 16)].concat());
    says(&driver, "8 requests from shop to payment name a parent that did not come");
    says(&driver, "spans of payment are missing: 8 spans name a parent in payment that did not come");
    assert_eq!(driver.counted("tracetailor_stitch_service_traces_total"), 16);
    let orphaned = |series: &Series| series.labels.iter().any(|(_, value)| value == "orphaned");
    let series = driver.context().counters.read();
    let edges = series.iter().filter(|series| series.name == "tracetailor_stitch_edge_calls_total" && orphaned(series));
    assert_eq!(edges.map(Series::count).sum::<u64>(), 16);
}

#[test]
fn two_roots_are_told_by_whom() {
    let driver = seen(7, |_| vec![root("shop"), root("edge").id(7).times(5, 95)]);
    assert_eq!(found(&driver, "two_roots"), one(&["shop", "edge"], 7, 7));
    says(&driver, "7 traces begin twice, in shop and in edge");
}

#[test]
fn names_that_differ_only_in_case_or_punctuation() {
    let driver = seen(2, |_| vec![root("Cart-API"), span("other").service("cart_api").id(5).parent(1)]);
    assert_eq!(found(&driver, "names_alike"), one(&["Cart-API", "cart_api"], 4, 4));
}

#[test]
fn ids_that_are_wrong_are_told_by_kind() {
    let driver = seen(3, |_| {
        vec![
            root("shop"),
            span("zero").service("shop").parent(1).id(&[0; 8][..]),
            span("own").service("shop").id(6).parent(6),
            span("short").service("shop").id(7).change(|span| span.parent_span_id = vec![1; 3]),
        ]
    });
    for kind in ["zero or of the wrong length", "their own id as their parent's", "a parent id of the wrong length"] {
        says(&driver, kind);
    }
    assert_eq!(found(&driver, "invalid_ids").len(), 3);
}

/// An id whose last eight bytes are this part of the highest.
fn part(part: f64, number: u64) -> [u8; 16] {
    let lower = ((part * u64::MAX as f64) as u64) & !0xfff | number;
    (u128::from(number + 1) << 64 | u128::from(lower)).to_be_bytes()
}

#[test]
fn whoever_is_sampled_at_its_head_is_told_with_its_rate() {
    let mut driver = Driver::of(&FACTORY, "wait: 1s");
    let tenth = |number: u64| (number * 389 % 1_000) as f64 / 1_000.0;
    for number in 0..1_000_u64 {
        let id = part(tenth(number), number);
        let mut spans = vec![root("shop"), call("shop", "payment")];
        spans.extend((tenth(number) < 0.1).then(|| served("payment")));
        driver.receive(traces(spans.into_iter().map(|span| span.trace(&id[..]))));
    }
    driver.turn(Duration::from_secs(2));
    assert_eq!(found(&driver, "head_sampled"), one(&["shop", "payment"], 100, 1_000));
    says(&driver, "payment is sampled at its head, about 9.9 %");
    assert!(found(&driver, "lost_between").is_empty(), "its holes are no loss");
}

#[test]
fn what_is_missing_by_chance_is_not_sampled_at_its_head() {
    let mut driver = Driver::of(&FACTORY, "wait: 1s");
    for number in 0..1_000_u64 {
        let id = part((number * 389 % 1_000) as f64 / 1_000.0, number);
        let mut spans = vec![root("shop"), call("shop", "payment")];
        spans.extend((number % 10 == 0).then(|| served("payment")));
        driver.receive(traces(spans.into_iter().map(|span| span.trace(&id[..]))));
    }
    driver.turn(Duration::from_secs(2));
    assert!(found(&driver, "head_sampled").is_empty());
    assert_eq!(found(&driver, "lost_between"), one(&["shop", "payment"], 900, 1_000));
}

#[test]
fn captured_headers_tell_the_fault_and_the_lost_parent() {
    let header = "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01";
    let driver = seen(3, |_| vec![root("shop").attribute("http.request.header.traceparent", header)]);
    assert_eq!(found(&driver, "upper_case"), one(&["shop"], 3, 3));
    says(&driver, "its hex digits are in upper case");
    says(&driver, "the lost parent is 00f067aa0ba902b7");
    let driver = seen(1, |_| {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        vec![root("shop").attribute("rpc.request.metadata.traceparent", header).attribute("rpc.request.metadata.tracestate", "")]
    });
    assert_eq!((found(&driver, "not_continued").len(), found(&driver, "tracestate_empty").len()), (1, 1));
}

#[test]
fn a_trace_that_this_gateway_cut_short_tells_nothing_of_its_senders() {
    let mut driver = Driver::of(&FACTORY, "wait: 1h");
    driver.receive(traces([root("shop"), served("payment")]));
    driver.drain();
    assert_eq!((page(&driver)["traces"].clone(), page(&driver)["cut_short"].clone()), (0.into(), 1.into()));
}

#[test]
fn tables_are_bounded() {
    let mut driver = Driver::of(&FACTORY, "{wait: 1s, learn: {tables: 10}}");
    for trace in 1..=100_u64 {
        let mut spans = vec![root(&format!("caller {trace}")), call(&format!("caller {trace}"), "x"), served(&format!("called {trace}"))];
        spans.push(root(&format!("second {trace}")).id(9));
        driver.receive(traces(spans.into_iter().map(|span| span.trace(trace))));
    }
    driver.turn(Duration::from_secs(2));
    let page = page(&driver);
    assert!(page["services"].as_array().unwrap().len() <= 10 && page["edges"].as_array().unwrap().len() <= 10);
    assert!(page["beyond"].as_u64().unwrap() > 0);
    assert_eq!(page["traces"], 100);
}

/// Shop calls payment through a proxy that reports nothing.
fn through_a_proxy(driver: &mut Driver, trace: u64) {
    let spans = [root("shop"), call("shop", "payment"), served("payment").parent(1_000 + trace)];
    driver.receive(traces(spans.into_iter().map(|span| span.trace(trace))));
}

#[test]
fn a_proxy_that_never_reports_is_learned_and_not_waited_for() {
    let mut driver = Driver::of(&FACTORY, "{wait: 10s, quiet: 1s}");
    for trace in 1..=80 {
        through_a_proxy(&mut driver, trace);
    }
    driver.turn(Duration::from_secs(9));
    assert_eq!(driver.sink().sent().len(), 0, "nobody knows yet");
    driver.turn(Duration::from_secs(2));
    driver.sink_mut().take();
    // One of those that are not looked at whatever was learned.
    let trace = (0x100 * 3) + 7;
    through_a_proxy(&mut driver, trace);
    driver.turn(Duration::from_millis(1_200));
    assert_eq!(driver.sink().spans().len(), 3, "it leaves when it is quiet");
    says(&driver, "something between shop and payment passes the context on and reports nothing; it is not waited for");
    assert!(found(&driver, "orphans").is_empty());
    // A trace that lacks another parent waits for it.
    let spans = [root("shop"), call("shop", "payment"), served("payment").parent(55), span("x").service("payment").id(8).parent(66)];
    driver.receive(traces(spans.into_iter().map(|span| span.trace(trace + 1))));
    driver.turn(Duration::from_secs(5));
    assert_eq!(driver.sink().spans().len(), 3);
}

#[test]
fn with_hops_off_nothing_is_learned() {
    let mut driver = Driver::of(&FACTORY, "{wait: 10s, quiet: 1s, learn: {hops: false}}");
    (1..=80).for_each(|trace| through_a_proxy(&mut driver, trace));
    driver.turn(Duration::from_secs(11));
    driver.sink_mut().take();
    through_a_proxy(&mut driver, 0x307);
    driver.turn(Duration::from_secs(5));
    assert_eq!(driver.sink().sent().len(), 0);
    assert!(found(&driver, "uninstrumented_hop").is_empty());
}

#[test]
fn a_browser_that_never_reports_is_not_waited_for() {
    let mut driver = Driver::of(&FACTORY, "{wait: 10s, quiet: 1s}");
    for trace in 1..=80 {
        driver.receive(traces([root("shop").parent(5_000 + trace).trace(trace)]));
    }
    driver.turn(Duration::from_secs(11));
    driver.sink_mut().take();
    driver.receive(traces([root("shop").parent(77).trace(0x307)]));
    driver.turn(Duration::from_millis(1_200));
    assert_eq!(driver.sink().spans().len(), 1);
    says(&driver, "whoever calls shop from outside begins the trace and reports nothing");
}

#[test]
fn clocks_that_differ_are_told_and_no_time_is_changed() {
    let mut driver = Driver::of(&FACTORY, "{mode: placeholder, wait: 1s}");
    for trace in 1..=50_u64 {
        let here = |span: Built<SpanDraft>, name: &str| span.resource("service.instance.id", name).trace(trace * 8);
        let spans = [here(root("shop"), "a"), here(call("shop", "payment"), "a"), here(served("payment").times(520, 580), "b")];
        driver.receive(traces(spans));
    }
    driver.turn(Duration::from_secs(2));
    let page = page(&driver);
    let skew = page["clocks"][0]["microseconds"].as_i64().unwrap();
    assert_eq!(skew.abs(), 500_000, "{page}");
    says(&driver, "the clock of payment/b is some 500.0 ms ahead of that of shop/a");
    let series = driver.context().counters.read();
    let gauge = series.iter().find(|series| series.name == "tracetailor_stitch_clock_skew_microseconds").expect("a gauge");
    assert_eq!(gauge.level().abs(), 500_000);
    let spans = driver.finish().spans();
    let served = spans.iter().find(|span| span.name == "serve").expect("it is there");
    assert_eq!(served.end_time_unix_nano - served.start_time_unix_nano, 60_000_000);
    assert_eq!(served.start_time_unix_nano % 1_000_000_000, 520_000_000);
}

#[test]
fn what_senders_call_their_services_makes_no_flood_of_series() {
    let driver = seen(300, |trace| vec![root(&format!("service {trace}"))]);
    let series = driver.context().counters.read();
    let of_services = series.iter().filter(|series| series.name == "tracetailor_stitch_service_traces_total");
    let names: std::collections::BTreeSet<&String> =
        of_services.clone().flat_map(|series| &series.labels).map(|(_, value)| value).collect();
    // 200 services, all others, the component, and two outcomes.
    assert_eq!(names.len(), 204);
    assert_eq!(of_services.map(Series::count).sum::<u64>(), 300);
}

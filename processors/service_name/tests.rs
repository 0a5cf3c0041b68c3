//! What becomes of names, and what is told of them.

use std::sync::Arc;

use tracetailor_core::component::Report;
use tracetailor_core::ledger::Column;
use tracetailor_core::testing::otlp::SpanKind;
use tracetailor_core::testing::{Built, Driver, Sink, SpanDraft, assert_manual, run_stories, span, traces};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

fn of(name: &str) -> Built<SpanDraft> {
    span("GET").service(name)
}

/// An attribute of every resource that was sent, as text.
fn sent(sink: &Sink, key: &str) -> Vec<String> {
    let mut all = Vec::new();
    for resource in sink.traces().resource_spans {
        let attributes = resource.resource.unwrap_or_default().attributes;
        let found = attributes.into_iter().find(|attribute| attribute.key == key);
        let text = found.and_then(|attribute| attribute.value?.value).map(|value| format!("{value:?}")).unwrap_or_default();
        all.push(text.trim_start_matches("StringValue(\"").trim_end_matches("\")").to_owned());
    }
    all
}

/// What the page says.
fn page(driver: &Driver) -> (serde_json::Value, String) {
    let (id, report) = driver.context().reports.of("services").remove(0);
    assert_eq!(id.to_string(), "service_name");
    (report.json(""), report.text(""))
}

fn counted(driver: &Driver, outcome: &str) -> u64 {
    let series = driver.context().counters.read();
    let is_it = |label: &(String, String)| label.0 == "outcome" && label.1 == outcome;
    series.iter().filter(|series| series.labels.iter().any(is_it)).map(|series| series.count()).sum()
}

fn in_namespace(name: &str, namespace: &str) -> Built<SpanDraft> {
    of(name).resource("service.namespace", namespace)
}

#[test]
fn the_later_of_two_different_services_keeps_its_name_or_not() {
    for (choice, names) in
        [("keep", vec!["auth", "Auth", "auth"]), ("merge", vec!["auth", "auth", "auth"]), ("error", vec!["auth", "auth"])]
    {
        let mut driver = Driver::of(&FACTORY, &format!("{{case: kebab, on_collision: {choice}}}"));
        for span in [in_namespace("auth", "shop"), in_namespace("Auth", "bank"), in_namespace("Auth", "shop")] {
            driver.receive(traces([span]));
        }
        assert_eq!(counted(&driver, "collided"), 1, "{choice}");
        let page = page(&driver).0;
        assert_eq!(page["collisions"], serde_json::json!([{ "came_as": "Auth", "name": "auth" }]), "{choice}");
        assert_eq!(driver.ended(Column::Rejected, "name_collision"), u64::from(choice == "error"));
        assert_eq!(sent(&driver.finish(), "service.name"), names, "{choice}");
    }
}

#[test]
fn only_what_both_say_makes_two_services_different() {
    let workload = |name: &str, namespace: &str, deployment: &str| {
        of(name).resource("k8s.namespace.name", namespace).resource("k8s.deployment.name", deployment)
    };
    for (one, other, differ) in [
        (in_namespace("auth", "a"), of("Auth"), false),
        (in_namespace("auth", "a"), in_namespace("Auth", "a"), false),
        (workload("auth", "a", "x"), workload("Auth", "a", "y"), true),
        (workload("auth", "a", "x"), workload("Auth", "b", "x"), true),
        (workload("auth", "a", "x"), of("Auth").resource("k8s.namespace.name", "b"), false),
        (of("auth").resource("k8s.pod.name", "x"), of("Auth").resource("k8s.pod.name", "y"), false),
        (of("auth").resource("service.instance.id", "x"), of("Auth").resource("service.instance.id", "y"), false),
    ] {
        let mut driver = Driver::of(&FACTORY, "case: kebab");
        driver.receive(traces([one]));
        driver.receive(traces([other]));
        assert_eq!(counted(&driver, "collided"), u64::from(differ));
        driver.finish();
    }
}

#[test]
fn suggesting_changes_nothing_and_prints_the_table() {
    let mut driver = Driver::of(&FACTORY, "{mode: suggest, case: kebab, peers: true}");
    let call = of("UserAuth").kind(SpanKind::Client).attribute("peer.service", "Cart_API");
    driver.receive(traces([call, of("user_auth"), of("user-auth"), of("cart")]));
    let (_, text) = page(&driver);
    assert!(
        text.ends_with("the table of aliases that makes the names one:\n\naliases:\n  \"user-auth\": [\"UserAuth\", \"user_auth\"]\n"),
        "{text}"
    );
    assert!(text.contains("names that differ only in case or punctuation: UserAuth, user-auth, user_auth\n"), "{text}");
    let sink = driver.finish();
    assert_eq!(sent(&sink, "service.name"), ["UserAuth", "user_auth", "user-auth", "cart"]);
    assert!(format!("{:?}", sink.spans()).contains("Cart_API"));
}

#[test]
fn names_that_are_alike_are_reported_though_none_is_changed() {
    let mut driver = Driver::of(&FACTORY, "{}");
    driver.receive(traces([of("api_gateway"), of("api-gateway"), of("cart")]));
    driver.receive(traces([of("api-gateway")]));
    let (json, _) = page(&driver);
    assert_eq!(json["alike"], serde_json::json!([["api-gateway", "api_gateway"]]));
    assert_eq!(json["aliases"], serde_json::json!({ "api-gateway": ["api_gateway"] }));
    let gauges = driver.context().counters.read();
    let variants = gauges.iter().find(|series| series.name == "tracetailor_service_name_variants").unwrap();
    assert_eq!(variants.reading, tracetailor_core::component::Reading::Level(1));
    assert_eq!(counted(&driver, "kept"), 4);
    assert_eq!(sent(&driver.finish(), "service.name"), ["api_gateway", "api-gateway", "cart", "api-gateway"]);
}

#[test]
fn one_process_with_several_names_and_one_service_with_several_sdks_are_told() {
    let mut driver = Driver::of(&FACTORY, "{}");
    let pod = |name: &str, sdk: &str| of(name).resource("k8s.pod.name", "cart-0").resource("telemetry.sdk.language", sdk);
    driver.receive(traces([pod("cart", "java"), pod("cart-worker", "java"), of("cart").resource("telemetry.sdk.language", "nodejs")]));
    let (json, text) = page(&driver);
    assert_eq!(json["processes_with_several_names"], serde_json::json!([{ "process": "cart-0", "names": ["cart", "cart-worker"] }]));
    assert_eq!(json["services_with_several_sdks"], serde_json::json!({ "cart": ["java", "nodejs"] }));
    assert!(text.contains("cart comes from several SDKs: java, nodejs\n"), "{text}");
    driver.finish();
}

#[test]
fn what_it_was_called_first_is_kept() {
    let mut driver = Driver::of(&FACTORY, "case: kebab");
    driver.receive(traces([of("UserAuth").resource("tracetailor.service_name.original", "LegacyAuth")]));
    driver.receive(traces([span("GET").resource("k8s.deployment.name", "Cart")]));
    let sink = driver.finish();
    assert_eq!(sent(&sink, "service.name"), ["user-auth", "cart"]);
    assert_eq!(sent(&sink, "tracetailor.service_name.original"), ["LegacyAuth", ""]);
    let mut driver = Driver::of(&FACTORY, "{case: kebab, keep_original: false}");
    driver.receive(traces([of("UserAuth")]));
    assert!(!format!("{:?}", driver.finish().traces()).contains("original"));
}

#[test]
fn only_callers_name_their_peers_anew() {
    let mut driver = Driver::of(&FACTORY, "{peers: true, aliases: {auth: [legacy]}, strip: {suffixes: [environment]}}");
    let call =
        |kind: SpanKind, peer: &str| of("cart").resource("deployment.environment", "blue").kind(kind).attribute("peer.service", peer);
    driver.receive(traces([
        call(SpanKind::Client, "legacy"),
        call(SpanKind::Client, "stock-blue"),
        call(SpanKind::Client, "unknown"),
        call(SpanKind::Server, "legacy"),
    ]));
    let peers: Vec<String> = driver.finish().spans().iter().map(|span| format!("{:?}", span.attributes[0].value)).collect();
    for (peer, name) in peers.iter().zip(["auth", "stock", "unknown", "legacy"]) {
        assert!(peer.contains(&format!("\"{name}\"")), "{peer} is not {name}");
    }
}

#[test]
fn another_configuration_leads_elsewhere() {
    let mut driver = Driver::of(&FACTORY, "{}");
    driver.receive(traces([of("UserAuth")]));
    assert!(driver.reconfigure("case: snake").is_ok());
    driver.receive(traces([of("UserAuth")]));
    assert_eq!(sent(&driver.finish(), "service.name"), ["UserAuth", "user_auth"]);
}

#[test]
fn a_flood_of_names_costs_bounded_memory_and_is_told() {
    let mut driver = Driver::of(&FACTORY, "case: kebab");
    for round in 0..12 {
        driver.receive(traces((0..1_000).map(|n| of(&format!("Service{round}x{n}")))));
    }
    let (json, text) = page(&driver);
    assert_eq!(json["services"].as_array().unwrap().len(), super::seen::MOST);
    assert!(json["beyond"].as_u64().unwrap() >= 2_000 && text.contains("there was no place for"), "{}", json["beyond"]);
    assert_eq!(driver.finish().spans().len(), 12_000);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let said = |config: &str| FACTORY.parse(config).map(drop).unwrap_err().to_string();
    assert!(said("aliases: {a: [b], c: [b]}").contains("\"b\" stands under \"a\" already"));
    assert!(said("aliases: {a: [b], b: [c]}").contains("\"b\" is a right name itself"));
    assert!(said("strip: {prefixes: [domain]}").contains("domain stands at the end of names"));
    assert!(said("strip: {suffixes: ['']}").contains("is empty"));
    assert!(said("rules: [{pattern: '^a-(.+)$', name: '$2'}]").contains("the pattern has no group \"2\""));
    assert!(said("rules: [{pattern: '^a-(?P<x>.+)$', name: '$xs'}]").contains("write ${x}x where a letter follows"));
    assert!(said("rules: [{pattern: 'a', name: ''}]").contains("is empty"));
}

/// Lanes share what they know: a service is one, wherever its spans go.
#[test]
fn lanes_know_of_one_another() {
    let context = tracetailor_core::component::ProcessorContext::alone("service_name");
    let parsed = FACTORY.parse("case: kebab").unwrap();
    let _lanes: Vec<_> =
        (0..2).map(|index| parsed.build(&context.in_lane(tracetailor_core::component::Lane { index, count: 2 })).unwrap()).collect();
    let reports: Vec<Arc<dyn Report>> = context.reports.of("services").into_iter().map(|(_, report)| report).collect();
    assert_eq!(reports.len(), 1);
}

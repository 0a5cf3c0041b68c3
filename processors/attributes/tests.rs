//! Which items are changed, and how.

use tracetailor_core::component::ProcessorContext;
use tracetailor_core::telemetry::{Decoded, Signal, Source};
use tracetailor_core::testing::{Driver, assert_manual, run_recorded, run_stories, span, traces};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

#[test]
fn it_does_what_the_collector_was_seen_to_do() {
    let different = [
        ("from-context-client-address", "the address of a client is planned"),
        ("from-context-auth-without-auth", "what an authenticator knows is planned"),
        ("hash-key-and-pattern-hits-twice", "a hash of a hash is of no use"),
        ("refused-value-that-looks-like-a-date", "a date is text"),
        ("value-from-environment-int", "variables are expanded before a processor reads its block"),
    ];
    run_recorded(&FACTORY, include_str!("collector.json"), &different);
}

#[test]
fn what_a_client_says_of_itself_is_put_on_its_own_items() {
    let mut driver = Driver::of(&FACTORY, "actions: [{key: team, from_context: metadata.x-team, action: insert}]");
    let source = |team: &str| Source { metadata: vec![("x-team".to_owned(), team.to_owned())], ..Source::default() };
    for (name, team) in [("a", "shop"), ("b", "stock")] {
        driver.inlet().set_source(source(team));
        driver.receive(traces([span(name)]));
    }
    let spans = driver.finish().spans();
    let told: Vec<String> = spans.iter().map(|span| format!("{} {:?}", span.name, span.attributes[0].value)).collect();
    assert!(told[0].starts_with("a ") && told[0].contains("\"shop\"") && told[1].contains("\"stock\""), "{told:?}");
}

#[test]
fn what_is_not_meant_leaves_byte_for_byte() {
    let mut driver = Driver::of(&FACTORY, "{actions: [{key: k, action: delete}], exclude: {match_type: regexp, span_names: [a]}}");
    let request = traces([span("a").attribute("k", 1), span("other")]);
    let before = Decoded::from(request.clone()).encode();
    driver.receive(request);
    assert_eq!(driver.sink_mut().take_bytes(), before);
    assert!(driver.reconfigure("actions: [{key: k, action: delete}]").is_ok());
    driver.receive(traces([span("a").attribute("k", 1)]));
    assert!(driver.finish().spans()[0].attributes.is_empty());
}

#[test]
fn what_the_signal_does_not_have_is_refused_when_it_is_built() {
    let parsed = FACTORY.parse("{actions: [{key: k, action: delete}], include: {match_type: strict, log_bodies: [x]}}").unwrap();
    let context = ProcessorContext::alone("attributes");
    assert_eq!(context.line.signal(), Signal::Traces);
    assert!(parsed.build(&context).err().unwrap().wrong.contains("log_bodies is nothing that spans have"));
}

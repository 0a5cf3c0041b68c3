//! What becomes of resources, and how often that is worked out.

use tracetailor_core::telemetry::{Signal, Source};
use tracetailor_core::testing::otlp::ExportTraceServiceRequest;
use tracetailor_core::testing::{Driver, assert_manual, gauge, metrics, run_recorded, run_stories, span, traces};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

#[test]
fn it_does_what_the_collector_was_seen_to_do() {
    run_recorded(&FACTORY, include_str!("collector.json"), &[]);
}

fn teams(request: &ExportTraceServiceRequest) -> Vec<Option<String>> {
    let team = |attributes: &[tracetailor_core::testing::otlp::KeyValue]| {
        let found = attributes.iter().find(|attribute| attribute.key == "team");
        found.map(|attribute| format!("{:?}", attribute.value.as_ref().and_then(|value| value.value.clone())))
    };
    request.resource_spans.iter().map(|group| team(group.resource.as_ref().map_or(&[][..], |resource| &resource.attributes))).collect()
}

#[test]
fn what_a_client_says_of_itself_is_put_on_its_own_resources() {
    let mut driver =
        Driver::of(&FACTORY, "attributes: [{key: team, from_context: metadata.X-Team, default_value: nobody, action: upsert}]");
    for metadata in [vec![("x-team", "shop")], vec![], vec![("x-team", "a"), ("x-team", "b")]] {
        let metadata = metadata.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        driver.inlet().set_source(Source { receiver: "test".to_owned(), metadata, ..Source::default() });
        driver.receive(traces([span("a").service("cart")]));
    }
    let sent = driver.finish().traces();
    let told = teams(&sent);
    for (told, team) in told.iter().zip(["shop", "nobody", "a;b"]) {
        assert_eq!(told.as_deref(), Some(format!("Some(StringValue({team:?}))").as_str()));
    }
    assert_eq!(told.len(), 3);
}

#[test]
fn what_is_as_it_should_be_leaves_byte_for_byte() {
    let mut driver = Driver::of(&FACTORY, "attributes: [{key: service.name, value: cart, action: upsert}, {key: x, action: delete}]");
    let request = traces([span("a").service("cart")]);
    let before = tracetailor_core::telemetry::Decoded::from(request.clone()).encode();
    driver.receive(request);
    assert_eq!(driver.sink_mut().take_bytes(), before);
    driver.finish();
}

#[test]
fn a_resource_that_was_not_sent_comes_into_being() {
    let mut driver = Driver::of_signal(Signal::Metrics, &FACTORY, "attributes: [{key: a, value: [1, {b: c}], action: insert}]");
    driver.receive(metrics([gauge("queue").value(7)]));
    let sent = driver.finish().metrics();
    assert_eq!(sent.resource_metrics[0].resource.as_ref().unwrap().attributes[0].key, "a");
}

#[test]
fn another_configuration_is_taken_on() {
    let mut driver = Driver::of(&FACTORY, "attributes: [{key: team, value: 1, action: insert}]");
    driver.receive(traces([span("a").service("cart")]));
    assert!(driver.reconfigure("attributes: [{key: team, value: true, action: insert}]").is_ok());
    driver.receive(traces([span("b").service("cart")]));
    let told = teams(&driver.finish().traces());
    assert_eq!(told, [Some("Some(IntValue(1))".to_owned()), Some("Some(BoolValue(true))".to_owned())]);
}

#[test]
fn without_an_action_there_is_nothing_to_do() {
    let errors = FACTORY.parse("attributes: []").unwrap_err().to_string();
    assert!(errors.contains("resource.attributes: is missing"), "{errors}");
    let errors = FACTORY.parse("attributes: [{key: a, action: delete}, {key: b, action: insert}]").unwrap_err().to_string();
    assert!(errors.contains("attributes[1]: insert \"b\" with what?"), "{errors}");
}

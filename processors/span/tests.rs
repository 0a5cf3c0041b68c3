//! What becomes of names and statuses.

use tracetailor_core::telemetry::Decoded;
use tracetailor_core::testing::{Driver, assert_manual, run_recorded, run_stories, span, traces};

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

fn names(config: &str, name: &str) -> (String, Vec<String>) {
    let mut driver = Driver::of(&FACTORY, config);
    driver.receive(traces([span(name)]));
    let spans = driver.finish().spans();
    (spans[0].name.clone(), spans[0].attributes.iter().map(|attribute| attribute.key.clone()).collect())
}

#[test]
fn a_group_that_takes_no_part_changes_nothing() {
    let (name, keys) = names(r"name: {to_attributes: {rules: ['/doc/(?P<opt>zz)?(?P<id>\d+)']}}", "/doc/17");
    assert_eq!((name.as_str(), keys), ("/doc/{id}", vec!["id".to_owned()]));
}

#[test]
fn of_a_group_within_a_group_the_outer_one_stands_in_the_name() {
    let (name, keys) = names(r"name: {to_attributes: {rules: ['/(?P<all>v(?P<version>\d))/']}}", "/v1/x");
    assert_eq!((name.as_str(), keys), ("/{all}/x", vec!["all".to_owned(), "version".to_owned()]));
}

#[test]
fn rules_see_what_earlier_ones_left() {
    let rules = r"name: {to_attributes: {rules: ['/(?P<id>\d+)', '/(?P<second>\d+)$'], keep_original_name: KEEP}}";
    let (name, keys) = names(&rules.replace("KEEP", "false"), "/1/2");
    assert_eq!((name.as_str(), keys), ("/{id}/{second}", vec!["id".to_owned(), "second".to_owned()]));
    let (name, _) = names(&rules.replace("KEEP", "true"), "/1/2");
    assert_eq!(name, "/1/2");
}

#[test]
fn what_is_not_meant_leaves_byte_for_byte() {
    let mut driver = Driver::of(&FACTORY, "{status: {code: Ok}, exclude: {match_type: strict, span_names: [a]}}");
    let request = traces([span("a").attribute("k", 1)]);
    let before = Decoded::from(request.clone()).encode();
    driver.receive(request);
    assert_eq!(driver.sink_mut().take_bytes(), before);
    assert!(driver.reconfigure("status: {code: Error, description: broken}").is_ok());
    driver.receive(traces([span("a")]));
    let spans = driver.finish().spans();
    let status = spans[0].status.clone().unwrap_or_default();
    assert_eq!((status.code, status.message.as_str()), (2, "broken"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let said = |config: &str| FACTORY.parse(config).map(drop).unwrap_err().to_string();
    assert!(said("{}").contains("does nothing"));
    assert!(said("status: {code: Ok, description: fine}").contains("belongs to an error"));
    assert!(said("status: {description: fine}").contains("is missing"));
    assert!(said("name: {to_attributes: {rules: ['(']}}").contains("is no regular expression"));
}

//! Actions on the attributes of items, and what of them cannot be meant. What a Collector was seen to do is with the processors.

use super::{Actions, AttributeAction, Of, ResourceAttributes};
use crate::config::{ConfigErrors, Path, Validate, parse};
use crate::ledger::Fate;
use crate::telemetry::{Signal, Source, Telemetry, Value};
use crate::testing::{Inlet, attribute, span, traces};

fn read(yaml: &str) -> Vec<AttributeAction> {
    parse(yaml, "config.yaml", "actions").unwrap_or_else(|errors| panic!("{yaml}: {errors}"))
}

/// What becomes of the attributes of a span.
fn applied(yaml: &str, attributes: &[(&str, &str)]) -> Vec<(String, Value)> {
    let mut inlet = Inlet::new();
    let all = attributes.iter().map(|(key, value)| attribute(*key, *value)).collect();
    let mut batch: Telemetry = inlet.receive(traces([span("a").change(|span| span.attributes = all)]));
    let actions = Actions::new(&read(yaml), Signal::Traces, Of::Item).unwrap();
    batch.edit_items(|item| actions.apply(item, &Source::default()));
    let found = batch.item(0).attributes().map(|found| (found.key_text().into_owned(), found.value().to_value())).collect();
    batch.settle(Fate::Delivered);
    found
}

fn owned(entries: &[(&str, Value)]) -> Vec<(String, Value)> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

#[test]
fn a_pattern_finds_every_key_that_it_matches() {
    let found = applied("[{pattern: '^k', action: delete}]", &[("k1", "v"), ("other", "v"), ("k2", "v"), ("k1", "again")]);
    assert_eq!(found, owned(&[("other", "v".into())]));
    let quoted = applied("[{pattern: '\"', action: delete}]", &[("a\"b\\c", "v"), ("d", "v")]);
    assert_eq!(quoted, owned(&[("d", "v".into())]));
}

#[test]
fn what_is_named_and_matched_is_hashed_once() {
    let once = applied("[{key: s, action: hash}]", &[("s", "Hello World")]);
    assert_eq!(applied("[{key: s, pattern: '^s$', action: hash}]", &[("s", "Hello World")]), once);
    assert_eq!(once[0].1, Value::from("a591a6d40bf420404a011733cfb7b190d62c65bf0bcda32b57b277d9ad9f146e"));
}

#[test]
fn a_default_stands_in_for_what_is_missing() {
    let yaml = "[{key: a, from_attribute: none, default_value: 5, action: insert}, {key: b, from_attribute: none, action: insert}]";
    assert_eq!(applied(yaml, &[]), owned(&[("a", 5.into())]));
    assert_eq!(applied("[{key: a, default_value: x, action: upsert}]", &[]), owned(&[("a", "x".into())]));
}

#[test]
fn values_become_text_as_the_collector_writes_it() {
    let yaml = "[{key: v, value: {b: [1.0, true, ~, 1e21], a: x}, action: insert}, {key: v, action: convert, converted_type: string}]";
    assert_eq!(applied(yaml, &[]), owned(&[("v", r#"{"a":"x","b":[1,true,null,1e+21]}"#.into())]));
    let yaml = "[{key: v, value: 2.50, action: insert}, {key: v, action: convert, converted_type: string}]";
    assert_eq!(applied(yaml, &[]), owned(&[("v", "2.5".into())]));
}

#[test]
fn a_resource_that_stays_as_it_is_is_told_so() {
    let mut inlet = Inlet::new();
    let batch = inlet.receive(traces([span("a").service("cart")]));
    let actions = |yaml: &str| Actions::new(&read(yaml), Signal::Traces, Of::Resource).unwrap();
    let changed = |yaml: &str| {
        let mut attributes = ResourceAttributes::of(batch.item(0).context());
        actions(yaml).apply(&mut attributes, &Source::default());
        attributes.changed()
    };
    assert!(changed("[{key: service.name, value: cart, action: upsert}, {key: none, action: delete}]").is_none());
    let shop = changed("[{key: service.name, value: shop, action: update}]").unwrap();
    assert_eq!(shop.resource_attribute("service.name").unwrap().to_value(), Value::from("shop"));
    batch.settle(Fate::Delivered);
}

fn refused(yaml: &str) -> String {
    let mut errors = ConfigErrors::default();
    let actions = match parse::<Vec<AttributeAction>>(yaml, "config.yaml", "actions") {
        Ok(actions) => actions,
        Err(errors) => return errors.to_string(),
    };
    actions.validate(&mut errors.below(Path::ROOT));
    errors.to_string()
}

#[test]
fn what_cannot_be_meant_is_told() {
    for (yaml, told) in [
        ("[{key: a}]", "[0].action: is missing"),
        ("[{key: a, value: 1, action: rename}]", "there is no action \"rename\""),
        ("[{value: 1, action: insert}]", "[0].key: is missing"),
        ("[{key: a, action: insert}]", "insert \"a\" with what?"),
        ("[{key: a, value: ~, action: insert}]", "insert \"a\" with what?"),
        ("[{key: a, value: 1, from_attribute: b, action: insert}]", "from_attribute: stands beside value"),
        ("[{key: a, value: 1, pattern: x, action: insert}]", "pattern: is not for insert"),
        ("[{key: a, value: 1, converted_type: int, action: insert}]", "converted_type: is not for insert"),
        ("[{key: a, value: 1, action: delete}]", "value: is not for delete"),
        ("[{key: a, default_value: 1, action: hash}]", "default_value: is not for hash"),
        ("[{pattern: '[', action: delete}]", "pattern: is no regular expression: unclosed character class"),
        ("[{key: a, action: extract}]", "pattern: is missing"),
        ("[{key: a, pattern: x, action: extract}]", "pattern: has no group"),
        ("[{key: a, pattern: '(?P<b>.)(.)', action: extract}]", "pattern: has a group without a name"),
        ("[{key: a, action: convert}]", "converted_type: is missing"),
        ("[{key: a, from_context: client.address, action: insert}]", "here it is planned"),
        ("[{key: a, from_context: cookie, action: insert}]", "there is no \"cookie\""),
        ("[{key: a, from_context: metadata., action: insert}]", "there is no \"metadata.\""),
        ("[{key: a, value: 18446744073709551615, action: insert}]", "is larger than a number in an attribute can be"),
    ] {
        let found = refused(yaml);
        assert!(found.contains(told), "{yaml}: {found}");
    }
    assert_eq!(refused("[{key: a, value: 1, action: UPSERT}, {key: b, pattern: c, action: Delete}]"), "");
}

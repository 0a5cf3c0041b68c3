//! What blocks mean, one key at a time. What a Collector was seen to do is with the processors.

use super::{Properties, Selection};
use crate::config::{ConfigErrors, Path, Validate, parse};
use crate::ledger::Fate;
use crate::telemetry::{Decoded, Signal, Telemetry};
use crate::testing::otlp::SpanKind;
use crate::testing::{Inlet, log, logs, span, traces};

fn read(yaml: &str) -> Properties {
    parse(yaml, "config.yaml", "include").unwrap_or_else(|errors| panic!("{yaml}: {errors}"))
}

/// The names of the items that are meant.
fn meant(request: impl Into<Decoded>, include: Option<&str>, exclude: Option<&str>) -> Vec<String> {
    let mut inlet = Inlet::new();
    let batch: Telemetry = inlet.receive(request);
    let (include, exclude) = (include.map(read), exclude.map(read));
    let mut selection = Selection::new(include.as_ref(), exclude.as_ref(), batch.signal()).unwrap();
    let found = batch.items().filter(|item| selection.means(item)).map(|item| item.name().into_owned()).collect();
    batch.settle(Fate::Delivered);
    found
}

fn request() -> Decoded {
    traces([
        span("a").service("cart").scope("http", "1.2").kind(SpanKind::Server).attribute("n", 5).attribute("t", "yes"),
        span("b").service("shop").scope("jdbc", "2.0").kind(SpanKind::Client).attribute("n", 6),
        span("c").resource("env", "prod"),
    ])
    .into()
}

#[test]
fn every_key_asks_for_itself() {
    for (yaml, names) in [
        ("{match_type: strict, services: cart}", "a"),
        ("{match_type: strict, services: [cart, shop]}", "a b"),
        ("{match_type: strict, services: ['']}", "c"),
        ("{match_type: regexp, services: ['^(?:cart)?$']}", "a c"),
        ("{match_type: regexp, span_names: ['[bc]']}", "b c"),
        ("{match_type: strict, span_kinds: [SPAN_KIND_CLIENT]}", "b"),
        ("{match_type: regexp, span_kinds: [SERVER]}", "a"),
        ("{match_type: strict, attributes: [{key: n}]}", "a b"),
        ("{match_type: strict, attributes: [{key: n, value: 5}]}", "a"),
        ("{match_type: strict, attributes: [{key: n, value: '5'}]}", ""),
        ("{match_type: strict, attributes: [{key: n}, {key: t}]}", "a"),
        ("{match_type: regexp, attributes: [{key: n, value: '^6$'}]}", "b"),
        ("{match_type: strict, resources: [{key: env, value: prod}]}", "c"),
        ("{match_type: strict, libraries: [{name: http}]}", "a"),
        ("{match_type: strict, libraries: [{name: http, version: '2'}]}", ""),
        ("{match_type: regexp, libraries: [{name: '^j', version: '^2'}]}", "b"),
        ("{match_type: strict, libraries: [{name: http}, {name: jdbc}]}", ""),
        ("{match_type: strict, services: [cart], span_names: [b]}", ""),
    ] {
        let names: Vec<&str> = names.split_whitespace().collect();
        assert_eq!(meant(request(), Some(yaml), None), names, "{yaml}");
        let others: Vec<&str> = ["a", "b", "c"].into_iter().filter(|name| !names.contains(name)).collect();
        assert_eq!(meant(request(), None, Some(yaml)), others, "excluded: {yaml}");
    }
    let both = meant(request(), Some("{match_type: strict, attributes: [{key: n}]}"), Some("{match_type: strict, services: [cart]}"));
    assert_eq!(both, ["b"]);
}

#[test]
fn log_records_have_bodies_and_severities() {
    let records = || logs([log("x").event_name("warn").severity(13), log("y").event_name("info").severity(9), log("z").event_name("none")]);
    for (yaml, names) in [
        ("{match_type: strict, log_bodies: [x]}", vec!["warn"]),
        ("{match_type: regexp, log_bodies: ['[yz]']}", vec!["info", "none"]),
        ("{match_type: strict, log_severity_number: {min: 9}}", vec!["warn", "info"]),
        ("{match_type: strict, log_severity_number: {min: 13, match_undefined: true}}", vec!["warn", "none"]),
        ("{match_type: strict, log_severity_texts: ['']}", vec!["warn", "info", "none"]),
    ] {
        assert_eq!(meant(records(), Some(yaml), None), names, "{yaml}");
    }
}

#[test]
fn what_a_signal_does_not_have_is_refused() {
    for (signal, yaml) in [
        (Signal::Traces, "{match_type: strict, log_bodies: [x]}"),
        (Signal::Logs, "{match_type: strict, span_names: [x]}"),
        (Signal::Metrics, "{match_type: strict, log_severity_number: {min: 1}}"),
    ] {
        assert!(Selection::new(Some(&read(yaml)), None, signal).is_err(), "{yaml}");
    }
}

#[test]
fn what_cannot_be_meant_is_told() {
    for (yaml, told) in [
        ("{services: [a]}", "match_type: is missing"),
        ("{match_type: strict}", "names nothing"),
        ("{match_type: regexp, services: ['(']}", "services[0]: is no regular expression"),
        ("{match_type: regexp, libraries: [{name: '['}]}", "libraries[0].name: is no regular expression"),
        ("{match_type: strict, span_kinds: [SERVER]}", "span_kinds[0]: there is no kind \"SERVER\""),
        ("{match_type: regexp, attributes: [{key: n, value: 5}]}", "attributes[0].value: is a whole number"),
        ("{match_type: strict, attributes: [{value: 5}]}", "attributes[0].key: is missing"),
    ] {
        let mut errors = ConfigErrors::default();
        read(yaml).validate(&mut errors.below(Path::ROOT));
        let found = errors.to_string();
        assert!(found.contains(told), "{yaml}: {found}");
    }
}

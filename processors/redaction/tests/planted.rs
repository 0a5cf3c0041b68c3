//! Secrets of fifty kinds, planted in every place in five dresses: none of them leaves.

use tracetailor_core::telemetry::Decoded;
use tracetailor_core::testing::otlp::{EntityRef, KeyValue};
use tracetailor_core::testing::{Dice, Driver, attribute, bytes, gauge, histogram, list, log, logs, map, metrics, span, traces};

use super::super::FACTORY;
use super::dress::{DRESSES, readable};
use super::secrets;

const EVERYTHING: &str = "{allow_all_keys: true, presets: [secrets, pci, gdpr, genai], locales: [us]}";

/// A text with a secret in it, in all shapes that a value can have.
fn shapes(text: &str) -> Vec<KeyValue> {
    vec![
        attribute("text", text),
        attribute("bytes", bytes(text.as_bytes())),
        attribute("list", list([list(["fine", text])])),
        attribute("map", map([("inner", map([("deep", text)]))])),
        attribute(format!("key {text}"), "value"),
        attribute("gen_ai.prompt", format!("say it: {text}")),
        attribute("db.query.text", format!("SELECT a FROM t WHERE b = '{}'", text.replace('\'', ""))),
    ]
}

fn in_traces(text: &str) -> Decoded {
    let mut span = span(&format!("GET {text}")).trace_state("a=1").status_error(&format!("failed: {text}"));
    span = span.event(1, &format!("told {text}"), shapes(text)).exception("java.lang.Error", &format!("at x ({text})"));
    span = span.link(9, 9).change(|span| {
        span.attributes = shapes(text);
        span.trace_state = format!("vendor={text}");
        span.links[0].attributes = shapes(text);
        span.links[0].trace_state = format!("vendor={text}");
    });
    let mut request = traces([span]);
    for resource in &mut request.resource_spans {
        resource.schema_url = format!("https://x/?q={text}");
        let inner = resource.resource.get_or_insert_default();
        inner.attributes = shapes(text);
        inner.entity_refs = vec![EntityRef { r#type: text.to_owned(), id_keys: vec![text.to_owned()], ..EntityRef::default() }];
        for scope in &mut resource.scope_spans {
            scope.schema_url = format!("https://x/?q={text}");
            let inner = scope.scope.get_or_insert_default();
            (inner.name, inner.version, inner.attributes) = (text.to_owned(), text.to_owned(), shapes(text));
        }
    }
    Decoded::from(request)
}

fn in_logs(text: &str) -> Decoded {
    let body = |shape: usize| match shape {
        0 => bytes(text.as_bytes()),
        1 => list([map([("a", text)])]),
        _ => map([("a", list(["b", text]))]),
    };
    let record = |body| {
        log(body).severity_text(&format!("WARN {text}")).event_name(&format!("e {text}")).change(|log| log.attributes = shapes(text))
    };
    Decoded::from(logs([
        record(tracetailor_core::testing::IntoValue::into_value(format!("line {text}"))),
        record(body(0)),
        record(body(1)),
        record(body(2)),
    ]))
}

fn in_metrics(text: &str) -> Decoded {
    let exemplars = |point: &mut Vec<tracetailor_core::testing::otlp::Exemplar>| {
        point.iter_mut().for_each(|one| one.filtered_attributes = shapes(text))
    };
    let one = gauge(&format!("g {text}"))
        .described(&format!("u {text}"), &format!("d {text}"))
        .metadata("m", text)
        .value(1.0)
        .exemplar(1.0, 1, 1);
    let one = one.change(|metric| {
        use tracetailor_core::testing::otlp::Data;
        if let Some(Data::Gauge(gauge)) = &mut metric.data {
            gauge.data_points.iter_mut().for_each(|point| {
                point.attributes = shapes(text);
                exemplars(&mut point.exemplars);
            });
        }
    });
    let other = histogram("h").buckets(1.0, &[1.0], &[1, 1]).attribute("a", text).exemplar(1.0, 1, 1);
    Decoded::from(metrics([one, other]))
}

#[test]
fn no_secret_of_any_kind_leaves_from_any_place_in_any_dress() {
    let mut dice = Dice::new(8);
    let all = secrets::all(&mut dice);
    assert!(all.len() >= 50, "{} kinds", all.len());
    let mut leaks = Vec::new();
    for planted in &all {
        for (dress, put_on) in DRESSES {
            let text = put_on(&planted.text);
            for (signal, request) in [("traces", in_traces(&text)), ("logs", in_logs(&text)), ("metrics", in_metrics(&text))] {
                let mut driver = Driver::of_signal(request.signal(), &FACTORY, EVERYTHING);
                driver.receive(request);
                let sent = driver.finish().take_bytes();
                assert!(!sent.is_empty());
                let secret = planted.secret.as_bytes();
                let is_seen = |readable: &Vec<u8>| memchr::memmem::find(readable, secret).is_some();
                let seen = readable(&sent).into_iter().filter(is_seen).count();
                if seen > 0 {
                    leaks.push(format!("{} as {dress} in {signal}: {text}", planted.kind));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

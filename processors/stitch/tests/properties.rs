//! What holds for every trace, however broken: a forest comes out, every change can be undone, order does not matter, and a second time changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use proptest::prelude::*;
use prost::Message as _;
use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, ResourceSpans, Span, SpanKind, Value};
use tracetailor_core::testing::{Driver, span, traces};

use super::FACTORY;

/// A span of a broken trace: ids from a small set, so that they clash, ring and miss.
#[derive(Clone, Debug)]
struct Broken {
    id: u8,
    parent: u8,
    service: u8,
    kind: i32,
    start: u64,
    length: u64,
    remote: u8,
}

fn broken() -> impl Strategy<Value = Broken> {
    (0..14_u8, 0..18_u8, 0..4_u8, 0..6_i32, 0..60_u64, 0..60_u64, 0..4_u8)
        .prop_map(|(id, parent, service, kind, start, length, remote)| Broken { id, parent, service, kind, start, length, remote })
}

fn id_bytes(id: u8) -> Vec<u8> {
    vec![id; 8]
}

fn request(spans: &[Broken]) -> ExportTraceServiceRequest {
    traces(spans.iter().enumerate().map(|(number, broken)| {
        let Broken { id, parent, service, kind, start, length, remote } = broken.clone();
        // The last few are one span, byte for byte.
        let name = if id == 13 { "same".to_owned() } else { format!("span {number}") };
        span(&name)
            .service(&format!("service {service}"))
            .times(start, start + length)
            .flags([0, 0, 256, 768][remote as usize])
            .change(move |span| {
                span.kind = kind;
                if id == 13 {
                    (span.kind, span.start_time_unix_nano, span.end_time_unix_nano, span.flags) = (1, 5, 9, 0);
                }
                span.parent_span_id = if parent == 0 { Vec::new() } else { id_bytes(if id == 13 { 3 } else { parent }) };
            })
            .id(&id_bytes(id.max(1))[..])
    }))
}

const MODES: [&str; 6] = [
    "{mode: annotate}",
    "{mode: placeholder}",
    "{mode: placeholder, placeholders: {id: derived}, roots: {several: join}}",
    "{mode: placeholder, entry_parent: missing}",
    "{mode: reparent}",
    "{mode: none}",
];

/// What comes out of batches that come one after the other.
fn stitched(yaml: &str, batches: Vec<ExportTraceServiceRequest>) -> ExportTraceServiceRequest {
    let mut driver = Driver::of(&FACTORY, yaml);
    for batch in batches {
        driver.receive(batch);
    }
    driver.turn(Duration::from_secs(11));
    driver.finish().traces()
}

/// All spans, each with its resource's service and its scope.
fn spans(request: &ExportTraceServiceRequest) -> Vec<(String, String, Span)> {
    let of_resource = |resource: &ResourceSpans| {
        let attributes = resource.resource.clone().map(|resource| resource.attributes).unwrap_or_default();
        let service = attributes.iter().map(|attribute| format!("{attribute:?}")).collect::<String>();
        resource
            .scope_spans
            .iter()
            .flat_map(|scope| {
                let name = scope.scope.clone().map(|scope| scope.name).unwrap_or_default();
                scope.spans.iter().map(move |span| (name.clone(), span.clone()))
            })
            .map(|(scope, span)| (service.clone(), scope, span))
            .collect::<Vec<_>>()
    };
    request.resource_spans.iter().flat_map(of_resource).collect()
}

fn set(request: &ExportTraceServiceRequest) -> Vec<String> {
    let mut all: Vec<String> = spans(request).into_iter().map(|(service, scope, span)| format!("{service} {scope} {span:?}")).collect();
    all.sort();
    all
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Takes back what the marks say.
fn undone(mut span: Span) -> Option<Vec<u8>> {
    let marks: BTreeMap<String, Value> = span
        .attributes
        .iter()
        .filter_map(|attribute| {
            let key = attribute.key.strip_prefix("tracetailor.stitch.")?.to_owned();
            Some((key, attribute.value.clone()?.value?))
        })
        .collect();
    if marks.contains_key("synthetic") {
        return None;
    }
    let text = |key: &str| match marks.get(key) {
        Some(Value::StringValue(text)) => Some(unhex(text)),
        _ => None,
    };
    if let Some(trace) = text("original_trace_id") {
        span.trace_id = trace;
    }
    if let Some(parent) = text("original_parent_span_id") {
        span.parent_span_id = parent;
    }
    if let Some(id) = text("original_span_id") {
        span.span_id = id;
    }
    span.attributes.retain(|attribute| !attribute.key.starts_with("tracetailor.stitch."));
    Some(span.encode_to_vec())
}

/// Whether ids stand once, and nobody stands above itself.
fn assert_forest(request: &ExportTraceServiceRequest) {
    let mut parents: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    for (_, _, span) in spans(request) {
        assert!(span.span_id.len() == 8 && span.span_id != [0; 8], "{span:?} can travel");
        assert!(parents.insert(span.span_id.clone(), span.parent_span_id.clone()).is_none(), "an id stands twice: {span:?}");
    }
    for begin in parents.keys() {
        let mut at = begin;
        for _ in 0..=parents.len() {
            match parents.get(at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        assert!(!parents.contains_key(at), "somebody stands above itself");
    }
}

/// The same spans as a request each, or some together: names go by the place in the list, so they are made first.
fn split(request: &ExportTraceServiceRequest, keys: &[u64]) -> Vec<ExportTraceServiceRequest> {
    let mut all: Vec<(u64, ResourceSpans)> = Vec::new();
    for resource in &request.resource_spans {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                let mut scope = scope.clone();
                scope.spans = vec![span.clone()];
                let key = keys[all.len() % keys.len()].rotate_left(all.len() as u32 * 11);
                all.push((key, ResourceSpans { scope_spans: vec![scope], ..resource.clone() }));
            }
        }
    }
    all.sort_by_key(|(key, _)| *key);
    let pieces: Vec<ResourceSpans> = all.into_iter().map(|(_, piece)| piece).collect();
    let size = 1 + keys[0] as usize % 5;
    pieces.chunks(size).map(|chunk| ExportTraceServiceRequest { resource_spans: chunk.to_vec() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_forest_comes_out_and_everything_can_be_undone(list in proptest::collection::vec(broken(), 1..16), mode in 0..5_usize) {
        let received = request(&list);
        let out = stitched(MODES[mode], vec![received.clone()]);
        assert_forest(&out);
        let came: BTreeSet<Vec<u8>> = spans(&received).into_iter().map(|(_, _, span)| span.encode_to_vec()).collect();
        let restored: Vec<Vec<u8>> = spans(&out).into_iter().filter_map(|(_, _, span)| undone(span)).collect();
        let distinct: BTreeSet<Vec<u8>> = restored.iter().cloned().collect();
        prop_assert!(distinct.is_subset(&came), "what is undone is what came");
        // Only unfinished versions and doubles are left out; here a span of no length may be such a version.
        let unfinished = spans(&received).iter().any(|(_, _, span)| span.end_time_unix_nano <= span.start_time_unix_nano);
        prop_assert!(unfinished || distinct == came, "nothing that is there once is lost");
    }

    #[test]
    fn order_and_batches_do_not_matter(list in proptest::collection::vec(broken(), 1..16), keys in proptest::collection::vec(any::<u64>(), 3..9), mode in 0..6_usize) {
        let received = request(&list);
        let at_once = stitched(MODES[mode], vec![received.clone()]);
        let in_pieces = stitched(MODES[mode], split(&received, &keys));
        prop_assert_eq!(set(&at_once), set(&in_pieces));
    }

    #[test]
    fn a_second_time_changes_nothing(list in proptest::collection::vec(broken(), 1..16), mode in 0..6_usize) {
        let once = stitched(MODES[mode], vec![request(&list)]);
        let twice = stitched(MODES[mode], vec![once.clone()]);
        prop_assert_eq!(set(&once), set(&twice));
    }
}

/// A driver that has learned from other traffic: parents that never come below a root, and above all.
fn taught(yaml: &str) -> Driver {
    let mut driver = Driver::of(&FACTORY, yaml);
    for trace in 1_000..1_200_u64 {
        let of = |name: &str, service: u64| span(name).trace(trace).service(&format!("service {service}")).kind(SpanKind::Server);
        driver.receive(traces([of("root", 0).id(1).times(0, 50), of("behind a proxy", trace % 2 + 1).id(2).parent(77).times(3, 9)]));
        driver.receive(traces([of("below a browser", 3).trace(trace + 1_000).id(1).parent(78).times(0, 50)]));
    }
    driver.turn(Duration::from_secs(11));
    driver.sink_mut().take();
    driver
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_was_learned_from_other_traffic_changes_no_span(list in proptest::collection::vec(broken(), 1..16), mode in 0..6_usize) {
        let yaml = MODES[mode].replacen('{', "{quiet: 3s, ", 1);
        let received = request(&list);
        let mut taught = taught(&yaml);
        taught.receive(received.clone());
        taught.turn(Duration::from_secs(11));
        prop_assert_eq!(set(&taught.finish().traces()), set(&stitched(&yaml, vec![received])));
    }
}

#[test]
fn what_was_learned_ends_the_waiting_early() {
    let mut driver = taught("{quiet: 3s}");
    let late = |driver: &mut Driver, parent: u64| {
        driver.receive(traces([span("below a browser").trace(0x307).service("service 3").kind(SpanKind::Server).parent(parent)]));
        driver.turn(Duration::from_secs(4));
        driver.sink().sent().len()
    };
    assert_eq!(late(&mut driver, 78), 1);
    assert_eq!(late(&mut Driver::of(&FACTORY, "{quiet: 3s}"), 78), 0);
}

//! Arbitrary bytes, broken JSON, floods and towers: nothing panics, hangs or grows beyond a small multiple of what came in.

use proptest::prelude::*;
use proptest::test_runner::Config;
use prost::Message as _;

use super::*;
use crate::telemetry::json::text::Text;
use crate::testing::arbitrary::{self, Wild, damage_seed};
use crate::testing::fuzz;
use crate::testing::wire::{self, damage};

/// How much larger the output may be: eight bytes for a digit and a comma, and the rest for growing a vector.
const MOST_GROWTH: usize = 8;

/// Of what JSON is made.
const TOKENS: [&str; 15] = ["{", "}", "[", "]", ",", ":", "\"", "\\", "1", "-", ".", "e", "null", "true", " "];

/// Of what OTLP/JSON is made.
const PHRASES: [&str; 10] = [
    r#""resourceSpans":["#,
    r#""scopeSpans":["#,
    r#""spans":["#,
    r#""name":"#,
    r#""traceId":"ab""#,
    "{}",
    r#""\u00e4""#,
    r#""\ud800""#,
    "1e5",
    "-0.5",
];

/// Arbitrary text that is now and then nearly right.
fn almost_json() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        4 => prop::sample::select(&TOKENS[..]).prop_map(str::to_owned),
        3 => prop::sample::select(&PHRASES[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

/// A request in JSON in which some bytes were overwritten, cut out or doubled.
fn broken_json() -> impl Strategy<Value = Vec<u8>> {
    let cuts = prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, prop::sample::select(&b"\"\\{}[],:0e-.x\xff\x01"[..])), 1..4);
    (arbitrary::metrics(&Wild::odd()), cuts).prop_map(|(request, cuts)| {
        let mut json = write(&request).into_bytes();
        for (index, what, byte) in cuts {
            if json.is_empty() {
                break;
            }
            let at = index.index(json.len());
            match what {
                0 => json[at] = byte,
                1 => json.insert(at, byte),
                2 => json.truncate(at + 1),
                _ => drop(json.drain(at..(at + 7).min(json.len()))),
            }
        }
        json
    })
}

proptest! {
    #![proptest_config(Config::with_cases(10_000))]

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz::json(&bytes);
        for signal in Signal::ALL {
            let mut json = Vec::new();
            if from_protobuf(signal, &bytes, &mut json).is_ok() {
                prop_assert!(to_protobuf(signal, &json, &mut Vec::new()).is_ok());
            }
        }
    }

    #[test]
    fn text_that_is_almost_json_does_no_harm(text in almost_json()) {
        fuzz::json(text.as_bytes());
    }

    #[test]
    fn json_is_what_any_other_reader_takes_for_it(text in almost_json()) {
        let mut ours = Text::new(&text);
        let accepted = ours.skip().and_then(|()| ours.end()).is_ok();
        // A byte order mark at the front is the one thing that only we read.
        prop_assume!(!text.starts_with('\u{feff}'));
        prop_assert_eq!(accepted, serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
    }
}

proptest! {
    #![proptest_config(Config::with_cases(3_000))]

    #[test]
    fn broken_json_does_no_harm(json in broken_json()) {
        fuzz::json(&json);
    }

    #[test]
    fn damaged_protobuf_does_no_harm(request in arbitrary::traces(&Wild::odd()), seed in damage_seed()) {
        let bytes = damage(wire::Message::Traces, &request.encode_to_vec(), seed);
        let mut json = Vec::new();
        if from_protobuf(Signal::Traces, &bytes, &mut json).is_ok() {
            fuzz::json(&json);
        }
    }
}

/// Runs on a stack much smaller than any thread of ours has.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 * 1024).spawn(test).unwrap().join().unwrap();
}

#[test]
fn towers_do_not_exhaust_the_stack() {
    on_a_small_stack(|| {
        for (open, close) in
            [("[", "]"), ("{\"a\":", "}"), ("{\"arrayValue\":{\"values\":[", "]}}"), ("{\"kvlistValue\":{\"values\":[{\"value\":", "}]}}")]
        {
            let tower = format!("{}null{}", open.repeat(100_000), close.repeat(100_000));
            let json = request_of(&format!(r#"{{"attributes":[{{"value":{tower}}}],"unknown":{tower}}}"#));
            let (request, rejected) = read_some::<ExportTraceServiceRequest>(json.as_bytes());
            assert_eq!(
                (request.resource_spans[0].scope_spans[0].spans.len() as u64 + rejected.count, rejected.reasons.len() as u64),
                (1, rejected.count)
            );
            assert!(to_protobuf(Signal::Traces, open.repeat(100_000).as_bytes(), &mut Vec::new()).is_err());
        }
        let bytes = wire::nested_in_span(100_000, wire::Nesting::Map);
        assert!(from_protobuf(Signal::Traces, &bytes, &mut Vec::new()).is_err());
        let bytes = wire::nested_in_span(32, wire::Nesting::Map);
        assert!(from_protobuf(Signal::Traces, &bytes, &mut Vec::new()).is_ok());
    });
}

#[test]
fn output_is_a_small_multiple_of_the_input() {
    let point = |list: &str| metric_request(&format!(r#"{{"histogram":{{"dataPoints":[{{{list}}}]}}}}"#));
    let ones = vec!["1"; 100_000].join(",");
    let empty = vec!["{}"; 100_000].join(",");
    for json in [
        point(&format!(r#""bucketCounts":[{ones}]"#)),
        point(&format!(r#""explicitBounds":[{ones}]"#)),
        point(&vec![r#""count":1"#; 100_000].join(",")),
        point(&format!(r#""exemplars":[{empty}],"attributes":[{empty}]"#)),
        metric_request(&empty),
        format!(r#"{{"resourceMetrics":[{empty}]}}"#),
    ] {
        let mut out = Vec::new();
        assert_eq!(to_protobuf(Signal::Metrics, json.as_bytes(), &mut out), Ok(Rejected::default()));
        assert!(out.capacity() <= MOST_GROWTH * json.len(), "{} from {}", out.capacity(), json.len());
    }
}

/// The deepest that we let pass lies a little beyond what prost decodes where most messages lie around it.
#[test]
fn the_deepest_map_in_an_exemplar_does_no_harm() {
    let map = r#"{"kvlistValue":{"values":[{"value":"#;
    let tower = format!("{}{{\"intValue\":1}}{}", map.repeat(31), "}]}}".repeat(31));
    let exemplar = format!(r#"{{"filteredAttributes":[{{"value":{tower}}}]}}"#);
    let json = metric_request(&format!(r#"{{"gauge":{{"dataPoints":[{{"exemplars":[{exemplar}]}}]}}}}"#));
    assert_eq!(to_protobuf(Signal::Metrics, json.as_bytes(), &mut Vec::new()), Ok(Rejected::default()));
    fuzz::json(json.as_bytes());
}

/// Members of a oneof that replace each other move only what lies between them, so many of them are no more work than few.
#[test]
fn a_member_replaced_again_and_again_is_no_trap() {
    let members = r#""asInt":1,"asDouble":1,"exemplars":[{}],"#.repeat(50_000);
    let json = metric_request(&format!(r#"{{"gauge":{{"dataPoints":[{{{members}"flags":1}}]}}}}"#));
    let mut out = Vec::new();
    to_protobuf(Signal::Metrics, json.as_bytes(), &mut out).unwrap();
    assert!(out.len() < 50_000 * 2 + 50);
}

/// A message in a hundred thousand pieces, each of which holds more pieces.
#[test]
fn a_message_in_many_pieces_is_written_once() {
    let status = [0x7a, 4, 0x12, 2, b'o', b'k'].repeat(100_000);
    let mut json = Vec::new();
    crate::telemetry::json::message_to_json(&crate::telemetry::schema::SPAN, &status, &mut json).unwrap();
    assert_eq!(json, br#"{"status":{"message":"ok"}}"#);
}

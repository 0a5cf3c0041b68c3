//! What is refused as a whole, what costs one item, and what is said about it.

use super::*;
use crate::telemetry::json::{JsonError, Reason};
use crate::testing::otlp::ExportMetricsServiceRequest;

fn refused(signal: Signal, json: &str) -> JsonError {
    let mut out = vec![1, 2, 3];
    let error = to_protobuf(signal, json.as_bytes(), &mut out).unwrap_err();
    assert_eq!(out, [1, 2, 3], "nothing is appended");
    error
}

/// What is said about a span of which only this one is rejected.
fn complaint(span: &str) -> String {
    let json = request_of(&format!(r#"{{"name":"before"}},{span},{{"name":"behind"}}"#));
    let (request, rejected) = read_some::<ExportTraceServiceRequest>(json.as_bytes());
    let names: Vec<&str> = request.resource_spans[0].scope_spans[0].spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["before", "behind"], "{span}");
    assert_eq!((rejected.count, rejected.reasons.len()), (1, 1));
    let reason = rejected.reasons[0].to_string();
    reason.strip_prefix("resourceSpans[0].scopeSpans[0].spans[1]").unwrap().to_owned()
}

#[test]
fn what_is_no_json_is_refused_with_its_place_and_what_would_be_right() {
    for (json, error) in [
        ("", "line 1 column 1: expected a value"),
        ("{", "line 1 column 2: expected a key in double quotes"),
        ("\n {a", "line 2 column 3: expected a key in double quotes"),
        ("{\"a\"\n1}", "line 2 column 1: expected `:` behind the key"),
        ("{\"a\":1,}", "line 1 column 8: expected a key in double quotes"),
        ("{\"a\":1 \"b\":2}", "line 1 column 8: expected `,` or `}`"),
        ("{\"a\":[1,]}", "line 1 column 9: expected a value"),
        ("{\"a\":[1", "line 1 column 8: expected `,` or `]`"),
        ("{\"a\":[,1]}", "line 1 column 7: expected a value"),
        ("{\"a\":tru}", "line 1 column 6: expected `true`, `false` or `null`"),
        ("{\"a\":01}", "line 1 column 6: expected a number such as -1.5e3"),
        ("{\"a\":-}", "line 1 column 6: expected a number such as -1.5e3"),
        ("{\"a\":1x}", "line 1 column 7: expected `,` or `}`"),
        ("{\"a\":'b'}", "line 1 column 6: expected a value"),
        ("{\"a\":\"b", "line 1 column 8: expected `\"` at the end of the string"),
        ("{\"a\":\"b\nc\"}", "line 1 column 8: expected control characters in a string as escapes, such as `\\n`"),
        (
            "{\"a\":\"\\x\"}",
            "line 1 column 7: expected one of `\"`, `\\`, `/`, `b`, `f`, `n`, `r`, `t` or `u` and four hex digits behind `\\`",
        ),
        ("{} {}", "line 1 column 4: expected nothing behind the request"),
        ("{\"resourceSpans\":[{}]", "line 1 column 22: expected `,` or `}`"),
    ] {
        assert_eq!(refused(Signal::Traces, json).to_string(), error, "{json}");
    }
    let inside_an_item = request_of(r#"{"name":"a"},{"name":}"#);
    assert_eq!(refused(Signal::Traces, &inside_an_item).to_string(), "line 1 column 65: expected a value");
    let behind_a_fault = request_of(r#"{"name":5,"x":{]}"#);
    assert_eq!(refused(Signal::Traces, &behind_a_fault).problem, "expected a key in double quotes");
}

#[test]
fn what_cannot_be_counted_is_refused() {
    for (json, error) in [
        ("[]", "line 1 column 1: is a list; expected an object"),
        ("5", "line 1 column 1: is a number; expected an object"),
        ("{\"resourceSpans\": {}}", "line 1 column 19: resourceSpans: is an object; expected a list"),
        ("{\"resourceSpans\":[{},\nnull]}", "line 2 column 1: resourceSpans[1]: is null; expected an object"),
        ("{\"resourceSpans\":[{\"scopeSpans\":[true]}]}", "line 1 column 34: resourceSpans[0].scopeSpans[0]: is true; expected an object"),
        (
            "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":\"\"}]}]}",
            "line 1 column 43: resourceSpans[0].scopeSpans[0].spans: is a string; expected a list",
        ),
    ] {
        assert_eq!(refused(Signal::Traces, json).to_string(), error);
    }
    let gauge = refused(Signal::Metrics, &metric_request(r#"{"gauge":false}"#));
    assert_eq!(gauge.problem, "resourceMetrics[0].scopeMetrics[0].metrics[0].gauge: is false; expected an object");
}

#[test]
fn a_wrong_id_costs_its_span() {
    let trace_id = |id: &str| complaint(&format!(r#"{{"traceId":{id}}}"#));
    assert_eq!(trace_id("\"5b8efcf0d364977faf9b8efcf0d3649\""), ".traceId: has 31 hex digits; expected 32");
    assert_eq!(trace_id("\"0x8efcf0d364977faf9b8efcf0d36497\""), ".traceId: is not hex; expected 32 hex digits");
    assert_eq!(trace_id("\"5b8efcf0-d364-977f-af9b-8efcf0d36497\""), ".traceId: is not hex; expected 32 hex digits");
    assert_eq!(trace_id("1234"), ".traceId: is a number; expected 32 hex digits");
    let base64 = ".traceId: looks like base64 (protobuf's own JSON form); OTLP/JSON wants 32 hex digits";
    for id in ["W478 8NNkl3+vm478 8NNklw==", "W4788NNkl3-vm4788NNklw==", "W4788NNkl3+vm4788NNklw"] {
        assert_eq!(trace_id(&format!("\"{}\"", id.replace(' ', ""))), base64);
    }
    assert_eq!(
        complaint(r#"{"spanId":"7uGbfsPBsXQ="}"#),
        ".spanId: looks like base64 (protobuf's own JSON form); OTLP/JSON wants 16 hex digits"
    );
    assert_eq!(complaint(r#"{"links":[{},{"spanId":"xyz"}]}"#), ".links[1].spanId: is not hex; expected 16 hex digits");
}

#[test]
fn a_wrong_value_costs_its_span() {
    for (json, reason) in [
        ("5", ": is a number; expected an object"),
        ("null", ": is null; expected an object"),
        (r#"{"name":5}"#, ".name: is a number; expected a string"),
        (r#"{"startTimeUnixNano":-1}"#, ".startTimeUnixNano: is out of range; expected a whole number from 0 to 18446744073709551615"),
        (r#"{"startTimeUnixNano":"1e20"}"#, ".startTimeUnixNano: is out of range; expected a whole number from 0 to 18446744073709551615"),
        (
            r#"{"startTimeUnixNano":1.5}"#,
            ".startTimeUnixNano: is not a whole number; expected a whole number from 0 to 18446744073709551615",
        ),
        (
            r#"{"startTimeUnixNano":" 1"}"#,
            ".startTimeUnixNano: is a string that is no number; expected a whole number from 0 to 18446744073709551615",
        ),
        (r#"{"startTimeUnixNano":true}"#, ".startTimeUnixNano: is true; expected a whole number from 0 to 18446744073709551615"),
        (r#"{"flags":4294967296}"#, ".flags: is out of range; expected a whole number from 0 to 4294967295"),
        (r#"{"droppedEventsCount":-1}"#, ".droppedEventsCount: is out of range; expected a whole number from 0 to 4294967295"),
        (r#"{"kind":2147483648}"#, ".kind: is out of range; expected a number, or a name such as SPAN_KIND_INTERNAL"),
        (r#"{"kind":"CLIENT"}"#, ".kind: is a string that is no number; expected a number, or a name such as SPAN_KIND_INTERNAL"),
        (r#"{"attributes":{"key":"a"}}"#, ".attributes: is an object; expected a list"),
        (r#"{"attributes":[null]}"#, ".attributes[0]: is null; expected an object"),
        (r#"{"attributes":[{"key":"a"},{"value":"b"}]}"#, ".attributes[1].value: is a string; expected an object"),
        (r#"{"attributes":[{"value":{"boolValue":"true"}}]}"#, ".attributes[0].value.boolValue: is a string; expected true or false"),
        (
            r#"{"attributes":[{"value":{"intValue":9223372036854775808}}]}"#,
            ".attributes[0].value.intValue: is out of range; expected a whole number from -9223372036854775808 to 9223372036854775807",
        ),
        (
            r#"{"attributes":[{"value":{"doubleValue":1e400}}]}"#,
            ".attributes[0].value.doubleValue: is out of range; expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
        ),
        (
            r#"{"attributes":[{"value":{"doubleValue":"nan"}}]}"#,
            ".attributes[0].value.doubleValue: is a string that is no number; expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
        ),
        (r#"{"attributes":[{"value":{"bytesValue":"a"}}]}"#, ".attributes[0].value.bytesValue: is not base64; expected a string in base64"),
        (
            r#"{"events":[{},{"attributes":[{"value":{"arrayValue":{"values":[{},{"kvlistValue":[]}]}}}]}]}"#,
            ".events[1].attributes[0].value.arrayValue.values[1].kvlistValue: is a list; expected an object",
        ),
    ] {
        assert_eq!(complaint(json), reason);
    }
}

/// An `AnyValue` of so many levels, lists and maps by turns.
fn deep(levels: usize) -> String {
    let mut json = r#"{"intValue":1}"#.to_owned();
    for level in 1..levels {
        json = if level % 2 == 0 {
            format!(r#"{{"arrayValue":{{"values":[{json}]}}}}"#)
        } else {
            format!(r#"{{"kvlistValue":{{"values":[{{"key":"k","value":{json}}}]}}}}"#)
        };
    }
    json
}

#[test]
fn values_may_nest_32_levels_deep() {
    assert!(log(&format!(r#"{{"body":{}}}"#, deep(32))).body.is_some());
    let too_deep = complaint(&format!(r#"{{"attributes":[{{"value":{}}}]}}"#, deep(33)));
    assert!(too_deep.ends_with(".value: is a value nested too deep; expected 32 levels at most"), "{too_deep}");
    assert!(complaint(&format!(r#"{{"attributes":[{{"value":{}}}]}}"#, deep(10_000))).ends_with("expected 32 levels at most"));
    let side_by_side = format!(r#"{{"attributes":[{{"value":{0}}},{{"value":{0}}},{{"value":{0}}}]}}"#, deep(32));
    assert_eq!(span(&side_by_side).attributes.len(), 3, "depth, not number");
}

#[test]
fn what_items_share_costs_all_of_them_when_it_is_wrong() {
    let json = r#"{"resourceSpans":[
        {"scopeSpans":[{"spans":[{},{"name":1},{}]},{"spans":[{}]}],"resource":{"attributes":[{"key":7}]}},
        {"scopeSpans":[{"scope":{"name":[]},"spans":[{},{}]},{"spans":[{"name":"kept"}]}]},
        {"resource":false}
    ]}"#;
    let (request, rejected) = read_some::<ExportTraceServiceRequest>(json.as_bytes());
    assert_eq!(write(&request), r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"kept"}]}]}]}"#);
    assert_eq!(rejected.count, 4 + 2);
    let reasons: Vec<String> = rejected.reasons.iter().map(Reason::to_string).collect();
    assert_eq!(
        reasons,
        [
            "resourceSpans[0].scopeSpans[0].spans[1].name: is a number; expected a string",
            "resourceSpans[0].resource.attributes[0].key: is a number; expected a string",
            "resourceSpans[1].scopeSpans[0].scope.name: is a list; expected a string",
            "resourceSpans[2].resource: is false; expected an object",
        ]
    );
}

#[test]
fn a_metric_is_rejected_with_its_points_and_a_point_alone() {
    let json = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"a","gauge":{"dataPoints":[{"asInt":"1"},{"asInt":true},{"asInt":"3"}]}},
        {"name":4,"sum":{"dataPoints":[{},{}]}},
        {"name":"c","sum":{"dataPoints":[{},{}],"isMonotonic":"yes"}},
        {"name":"d","gauge":{"dataPoints":[{}]},"sum":{"dataPoints":[{},{}]}}
    ]}]}]}"#;
    let (request, rejected) = read_some::<ExportMetricsServiceRequest>(json.as_bytes());
    let kept = r#"{"name":"a","gauge":{"dataPoints":[{"asInt":"1"},{"asInt":"3"}]}},{"name":"c"}"#;
    assert_eq!(write(&request), metric_request(kept));
    assert_eq!(rejected.count, 1 + 2 + 2 + 3);
    let metric = "resourceMetrics[0].scopeMetrics[0].metrics";
    let reasons: Vec<String> = rejected.reasons.iter().map(Reason::to_string).collect();
    assert_eq!(
        reasons,
        [
            format!("{metric}[0].gauge.dataPoints[1].asInt: is true; expected a whole number from {} to {}", i64::MIN, i64::MAX),
            format!("{metric}[1].name: is a number; expected a string"),
            format!("{metric}[2].sum.isMonotonic: is a string; expected true or false"),
            format!("{metric}[3].sum: is a second type of data; expected a metric to have one"),
        ]
    );
}

#[test]
fn only_the_first_reasons_are_kept() {
    let spans = vec![r#"{"name":1}"#; 1_000].join(",");
    let (_, rejected) = read_some::<ExportTraceServiceRequest>(request_of(&spans).as_bytes());
    assert_eq!((rejected.count, rejected.reasons.len()), (1_000, 5));
    assert_eq!(rejected.reasons[4].path, "resourceSpans[0].scopeSpans[0].spans[4].name");
}

//! What is accepted, and what is written: rule by rule.

use prost::Message as _;

use super::*;
use crate::telemetry::json::{Undecodable, message_to_json};
use crate::telemetry::{schema, utf8};
use crate::testing::otlp::{
    ArrayValue, Data, ExportMetricsServiceRequest, KeyValue, KeyValueList, exemplar, number_data_point, number_data_point::Value as Number,
};
use crate::testing::wire::{self, Nesting, nested};

const TRACE: [u8; 16] = [0x5b, 0x8e, 0xfc, 0xf0, 0xd3, 0x64, 0x97, 0x7f, 0xaf, 0x9b, 0x8e, 0xfc, 0xf0, 0xd3, 0x64, 0x97];

#[test]
fn a_request_of_nodes_exporter_is_read() {
    let json = include_bytes!("node_traces.json");
    let request: ExportTraceServiceRequest = read(json);
    let resource = &request.resource_spans[0];
    assert_eq!(resource.resource.as_ref().unwrap().attributes.len(), 5);
    let scope = &resource.scope_spans[0];
    assert_eq!(scope.scope.as_ref().unwrap().name, "@opentelemetry/instrumentation-http");
    let span = &scope.spans[0];
    assert_eq!((span.trace_id.len(), span.span_id.len(), span.parent_span_id.len()), (16, 8, 0));
    assert_eq!((span.name.as_str(), span.kind, span.start_time_unix_nano), ("GET", 3, 1_763_722_000_117_000_000));
    assert_eq!(
        span.attributes[2],
        KeyValue { key: "http.response.status_code".into(), value: Some(value(Value::IntValue(200))), key_strindex: 0 }
    );
    assert_eq!((span.events.len(), span.links.len(), span.flags), (1, 1, 257));
    assert_eq!(read::<ExportTraceServiceRequest>(write(&request).as_bytes()), request);
}

#[test]
fn ids_are_hex_in_either_case_and_may_be_empty() {
    for id in ["5b8efcf0d364977faf9b8efcf0d36497", "5B8EFCF0D364977FAF9B8EFCF0D36497", "5b8efcf0d364977fAF9B8EFCF0D36497"] {
        let span = span(&format!(r#"{{"traceId":"{id}","spanId":"EEE19B7ec3c1b174","parentSpanId":""}}"#));
        assert_eq!(span.trace_id, TRACE);
        assert_eq!(span.span_id, [0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x74]);
        assert!(span.parent_span_id.is_empty());
    }
}

#[test]
fn a_parent_of_zeros_is_none() {
    let span = span(r#"{"traceId":"5b8efcf0d364977faf9b8efcf0d36497","spanId":"eee19b7ec3c1b174","parentSpanId":"0000000000000000"}"#);
    assert!(span.parent_span_id.is_empty());
}

#[test]
fn ids_of_any_whole_number_of_bytes_are_for_the_check_on_receipt() {
    for (id, bytes) in [
        ("00000000000000000000000000000000", &[0; 16][..]),
        ("ab", &[0xab]),
        ("0102030405060708090a0b0c", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    ] {
        assert_eq!(span(&format!(r#"{{"traceId":"{id}"}}"#)).trace_id, bytes);
    }
}

#[test]
fn names_are_accepted_in_both_spellings() {
    let camel = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceState":"a=b","startTimeUnixNano":"7"}]}],"schemaUrl":"s"}]}"#;
    let snake = r#"{"resource_spans":[{"scope_spans":[{"spans":[{"trace_state":"a=b","start_time_unix_nano":"7"}]}],"schema_url":"s"}]}"#;
    let request: ExportTraceServiceRequest = read(camel.as_bytes());
    assert_eq!(request.resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano, 7);
    assert_eq!(read::<ExportTraceServiceRequest>(snake.as_bytes()), request);
    assert_eq!(write(&request), camel);
}

#[test]
fn keys_may_hold_escapes_and_text_may_have_space_and_a_byte_order_mark() {
    let json = "\u{feff} {\t\"resource\\u0053pans\" :\r\n[ { } , {\"scopeSpans\" : [ ] } ] }\n ";
    assert_eq!(read::<ExportTraceServiceRequest>(json.as_bytes()).resource_spans.len(), 2);
}

#[test]
fn unknown_fields_and_nulls_are_ignored() {
    assert_eq!(
        span(r#"{"a":[{"b":[[],{},1e999,"\ud83d\ude00",true,false,null]}],"name":"n"}"#),
        Span { name: "n".into(), ..Span::default() }
    );
    assert_eq!(span(r#"{"kind":null,"status":null,"attributes":null,"traceId":null}"#), Span::default());
    assert_eq!(read::<ExportTraceServiceRequest>(br#"{"resourceSpans":null,"partialSuccess":{}}"#), ExportTraceServiceRequest::default());
    assert_eq!(metric(r#"{"gauge":null,"sum":{}}"#).data, Some(Data::Sum(Default::default())));
    assert_eq!(span(r#"{"name":"n","name":null}"#).name, "n");
    assert_eq!(body(r#"{"stringValue":null}"#), None);
}

#[test]
fn integers_are_numbers_or_strings_of_any_exact_spelling() {
    for number in ["7", "\"7\"", "7.0", "\"7.00\"", "0.7e1", "70E-1", "\"7e0\""] {
        assert_eq!(
            span(&format!(r#"{{"startTimeUnixNano":{number},"flags":{number},"droppedEventsCount":{number}}}"#)).start_time_unix_nano,
            7
        );
        assert_eq!(body(&format!(r#"{{"intValue":{number}}}"#)), Some(Value::IntValue(7)));
        assert_eq!(span(&format!(r#"{{"kind":{number}}}"#)).kind, 7, "an enum may have numbers without a name");
    }
    for (number, exact) in
        [("9223372036854775807", i64::MAX), ("\"-9223372036854775808\"", i64::MIN), ("9007199254740993", 9_007_199_254_740_993)]
    {
        assert_eq!(body(&format!(r#"{{"intValue":{number}}}"#)), Some(Value::IntValue(exact)));
    }
    assert_eq!(span(r#"{"endTimeUnixNano":18446744073709551615}"#).end_time_unix_nano, u64::MAX);
}

#[test]
fn signed_integers_keep_their_sign() {
    let metric =
        metric(r#"{"exponentialHistogram":{"dataPoints":[{"scale":-3,"negative":{"offset":"-2147483648","bucketCounts":[1,"2"]}}]}}"#);
    let Some(Data::ExponentialHistogram(histogram)) = metric.data else { panic!() };
    let point = &histogram.data_points[0];
    assert_eq!((point.scale, point.negative.as_ref().unwrap().offset), (-3, i32::MIN));
    assert_eq!(point.negative.as_ref().unwrap().bucket_counts, [1, 2]);
    assert_eq!(body(r#"{"stringValueStrindex":-1}"#), Some(Value::StringValueStrindex(-1)));
    assert_eq!(span(r#"{"kind":-1}"#).kind, -1);
}

#[test]
fn enums_are_integers_or_names() {
    for kind in ["3", "\"3\"", "\"SPAN_KIND_CLIENT\""] {
        assert_eq!(span(&format!(r#"{{"kind":{kind},"status":{{"code":"STATUS_CODE_ERROR"}}}}"#)).kind, 3);
    }
    assert_eq!(log(r#"{"severityNumber":"SEVERITY_NUMBER_WARN2"}"#).severity_number, 14);
}

#[test]
fn doubles_are_numbers_or_strings() {
    for (json, double) in [
        ("1", 1.0),
        ("-0.0", -0.0),
        ("\"2.5e3\"", 2500.0),
        ("\"Infinity\"", f64::INFINITY),
        ("\"-Infinity\"", f64::NEG_INFINITY),
        ("5e-324", 5e-324),
        ("1.7976931348623157e308", f64::MAX),
        ("0.1000000000000000055511151231257827021181583404541015625", 0.1),
        ("9007199254740993", 9_007_199_254_740_992.0),
    ] {
        assert_eq!(body(&format!(r#"{{"doubleValue":{json}}}"#)), Some(Value::DoubleValue(double)), "{json}");
    }
    let Some(Value::DoubleValue(nan)) = body(r#"{"doubleValue":"NaN"}"#) else { panic!() };
    assert!(nan.is_nan());
}

#[test]
fn doubles_are_written_in_their_shortest_form() {
    for (double, json) in
        [(0.0, "0.0"), (1.0, "1.0"), (0.1, "0.1"), (1e300, "1e300"), (f64::NAN, "\"NaN\""), (f64::NEG_INFINITY, "\"-Infinity\"")]
    {
        let mut out = Vec::new();
        message_to_json(&schema::ANY_VALUE, &value(Value::DoubleValue(double)).encode_to_vec(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap().replace("e+", "e"), format!(r#"{{"doubleValue":{json}}}"#));
    }
}

#[test]
fn bytes_are_base64_of_either_alphabet() {
    for text in ["+/8A", "-_8A", "-/8A"] {
        assert_eq!(body(&format!(r#"{{"bytesValue":"{text}"}}"#)), Some(Value::BytesValue(vec![0xfb, 0xff, 0])));
    }
    for text in ["+w==", "+w", "\\u002bw"] {
        assert_eq!(body(&format!(r#"{{"bytesValue":"{text}"}}"#)), Some(Value::BytesValue(vec![0xfb])));
    }
    assert_eq!(body(r#"{"bytesValue":""}"#), Some(Value::BytesValue(Vec::new())));
}

#[test]
fn strings_are_unescaped() {
    let text = r#"{"stringValue":"\"\\\/\b\f\n\r\t\u00e4\u20ac\ud83d\ude00 grüße €"}"#;
    assert_eq!(body(text), Some(Value::StringValue("\"\\/\u{8}\u{c}\n\r\tä€😀 grüße €".to_owned())));
    assert_eq!(span(r#"{"name":"a\u0000b"}"#).name, "a\0b");
}

#[test]
fn half_a_surrogate_pair_and_bad_utf8_are_repaired_and_counted() {
    let before = utf8::repairs();
    for text in [r"x\ud83d", r"x\ude00", r"x\ud83d\u0041", r"x\ud83dA", r"x\ud83d\n", r"x\ud83d\ud83d\ude00"] {
        let name = span(&format!(r#"{{"name":"{text}"}}"#)).name;
        assert!(name.starts_with("x\u{fffd}"), "{name}");
    }
    assert_eq!(span(r#"{"name":"x\ud83d\ud83d\ude00"}"#).name, "x\u{fffd}😀");
    let json = request_of(r#"{"name":"x?y"}"#).replace('?', "\u{1}").into_bytes();
    let json: Vec<u8> = json.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let request: ExportTraceServiceRequest = read(&json);
    assert_eq!(request.resource_spans[0].scope_spans[0].spans[0].name, "x\u{fffd}y");
    assert!(utf8::repairs() >= before + 8);
}

#[test]
fn zero_is_absent_except_where_the_protocol_tells_them_apart() {
    let mut bytes = Vec::new();
    let json = request_of(r#"{"name":"","kind":0,"flags":0,"traceId":"","startTimeUnixNano":"0","attributes":[],"droppedLinksCount":0}"#);
    to_protobuf(Signal::Traces, json.as_bytes(), &mut bytes).unwrap();
    assert_eq!(bytes, [0x0a, 4, 0x12, 2, 0x12, 0], "an empty span");
    let empty_status = span(r#"{"status":{}}"#);
    assert_eq!(empty_status.status, Some(Default::default()));
    for (json, explicit) in [
        (r#"{"stringValue":""}"#, Value::StringValue(String::new())),
        (r#"{"boolValue":false}"#, Value::BoolValue(false)),
        (r#"{"intValue":"0"}"#, Value::IntValue(0)),
        (r#"{"doubleValue":0.0}"#, Value::DoubleValue(0.0)),
        (r#"{"arrayValue":{}}"#, Value::ArrayValue(ArrayValue::default())),
        (r#"{"kvlistValue":{}}"#, Value::KvlistValue(KeyValueList::default())),
        (r#"{"bytesValue":""}"#, Value::BytesValue(Vec::new())),
    ] {
        assert_eq!(body(json), Some(explicit.clone()));
        let mut written = Vec::new();
        message_to_json(&schema::ANY_VALUE, &value(explicit).encode_to_vec(), &mut written).unwrap();
        assert_eq!(written, json.as_bytes());
    }
    let histogram = r#"{"histogram":{"dataPoints":[{"sum":0.0,"min":0.0}]}}"#;
    let Some(Data::Histogram(data)) = metric(histogram).data else { panic!() };
    assert_eq!((data.data_points[0].sum, data.data_points[0].min, data.data_points[0].max), (Some(0.0), Some(0.0), None));
}

#[test]
fn a_null_in_a_list_of_values_is_an_empty_value() {
    let values = [AnyValue::default(), value(Value::IntValue(1)), AnyValue::default()].to_vec();
    assert_eq!(body(r#"{"arrayValue":{"values":[null,{"intValue":1},{}]}}"#), Some(Value::ArrayValue(ArrayValue { values })));
}

#[test]
fn a_key_given_twice_overrides_appends_or_merges() {
    assert_eq!(span(r#"{"name":"a","name":"b"}"#).name, "b");
    assert_eq!(span(r#"{"name":"a","name":"","kind":2,"kind":0}"#), Span::default());
    assert_eq!(span(r#"{"attributes":[{"key":"a"}],"attributes":[{"key":"b"}]}"#).attributes.len(), 2);
    let status = span(r#"{"status":{"message":"m"},"status":{"code":2}}"#).status.unwrap();
    assert_eq!((status.message.as_str(), status.code), ("m", 2));
}

#[test]
fn the_last_member_of_a_oneof_wins() {
    assert_eq!(body(r#"{"stringValue":"a","intValue":0}"#), Some(Value::IntValue(0)));
    assert_eq!(body(r#"{"arrayValue":{"values":[{}]},"arrayValue":{}}"#), Some(Value::ArrayValue(ArrayValue::default())));
    let json =
        r#"{"gauge":{"dataPoints":[{"asInt":"1","timeUnixNano":"5","asDouble":2,"exemplars":[{"asDouble":1,"asInt":3}],"asInt":4}]}}"#;
    let Some(Data::Gauge(gauge)) = metric(json).data else { panic!() };
    assert_eq!(gauge.data_points[0].value, Some(number_data_point::Value::AsInt(4)));
    assert_eq!(gauge.data_points[0].time_unix_nano, 5);
    assert_eq!(gauge.data_points[0].exemplars[0].value, Some(exemplar::Value::AsInt(3)));
    let mut bytes = Vec::new();
    to_protobuf(Signal::Metrics, metric_request(r#"{"gauge":{"dataPoints":[{"asInt":"1","asDouble":2}]}}"#).as_bytes(), &mut bytes)
        .unwrap();
    assert_eq!(bytes.len(), 9 + 2 * 5, "only one of the two is written");
}

#[test]
fn metrics_are_written_as_the_specification_shows_them() {
    let lines = r#"{"name":"my.counter","unit":"1","sum":{"dataPoints":[
        {"startTimeUnixNano":"1544712660300000000","timeUnixNano":"1544712660300000000","asDouble":5.0,
        "attributes":[{"key":"my.counter.attr","value":{"stringValue":"some@value"}}]}
        ],"aggregationTemporality":1,"isMonotonic":true}}"#;
    let json = metric_request(&lines.replace(char::is_whitespace, "").replace('@', " "));
    let request: ExportMetricsServiceRequest = read(json.as_bytes());
    let Some(Data::Sum(sum)) = &request.resource_metrics[0].scope_metrics[0].metrics[0].data else { panic!() };
    assert_eq!(sum.data_points[0].value, Some(Number::AsDouble(5.0)));
    assert_eq!(write(&request), json);
}

#[test]
fn what_has_no_name_is_left_out_and_what_is_not_utf8_is_repaired() {
    let mut out = Vec::new();
    message_to_json(&schema::SPAN, &[0x2a, 3, b'a', 0xff, b'b', 0xa2, 0x06, 1, b'x', 0xf8, 0x7f, 5], &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "{\"name\":\"a\u{fffd}b\"}");
}

#[test]
fn bytes_that_are_no_such_message_are_refused() {
    for bytes in [&[0x0a][..], &[0x0a, 5, 1], &[0x28, 1], &[0x3c], &[0x48, 0]] {
        let mut out = vec![7];
        assert_eq!(message_to_json(&schema::SPAN, bytes, &mut out), Err(Undecodable::Malformed), "{bytes:?}");
        assert_eq!(out, [7]);
    }
    assert_eq!(message_to_json(&schema::HISTOGRAM_POINT, &[0x32, 3, 1, 2, 3], &mut Vec::new()), Err(Undecodable::Malformed));
}

#[test]
fn what_passed_the_check_on_receipt_is_written_and_what_is_deeper_is_not() {
    for how in [Nesting::List, Nesting::Map] {
        assert_eq!(message_to_json(&schema::ANY_VALUE, &nested(32, how), &mut Vec::new()), Ok(()));
        assert_eq!(message_to_json(&schema::ANY_VALUE, &nested(5_000, how), &mut Vec::new()), Err(Undecodable::TooDeep));
    }
    let bytes = wire::nested_in_span(5_000, Nesting::List);
    assert_eq!(from_protobuf(Signal::Traces, &bytes, &mut Vec::new()), Err(Undecodable::TooDeep));
}

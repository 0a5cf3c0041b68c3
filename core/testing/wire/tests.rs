//! Rewriting keeps the meaning and changes the bytes; damage is mostly seen; nesting is as deep as it says.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::Config;
use prost::Message as _;

use super::{Damage, Freedom, Message, Nesting, Rewrite, damage, damage_by, nested, nested_in_span, rewrite};
use crate::testing::arbitrary::{self, Wild};
use crate::testing::otlp::{
    AnyValue, ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest, LogRecord, Resource, Span, Value,
};
use crate::testing::{Payload, list};

fn small() -> Wild {
    Wild { groups: 1, items: 2, entries: 2, ..Wild::odd() }
}

proptest! {
    #![proptest_config(Config::with_cases(10_000))]

    #[test]
    fn rewritten_spans_mean_the_same(request in arbitrary::traces(&small()), how in arbitrary::rewrites()) {
        let bytes = rewrite(Message::Traces, &request.encode_to_vec(), &how);
        prop_assert_eq!(ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap(), request);
    }

    #[test]
    fn rewritten_log_records_mean_the_same(request in arbitrary::logs(&small()), how in arbitrary::rewrites()) {
        let bytes = rewrite(Message::Logs, &request.encode_to_vec(), &how);
        prop_assert_eq!(ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap(), request);
    }

    #[test]
    fn rewritten_metrics_mean_the_same(request in arbitrary::metrics(&small()), how in arbitrary::rewrites()) {
        let bytes = rewrite(Message::Metrics, &request.encode_to_vec(), &how);
        prop_assert_eq!(ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap(), request);
    }

    #[test]
    fn damage_of_any_kind_can_be_done_to_anything(request in arbitrary::traces(&small()), seed in arbitrary::damage_seed()) {
        let bytes = request.encode_to_vec();
        for kind in Damage::ALL {
            let broken = damage_by(kind, Message::Traces, &bytes, seed);
            prop_assert_eq!(&broken, &damage_by(kind, Message::Traces, &bytes, seed));
        }
    }
}

fn request() -> Vec<u8> {
    Payload { items: 30, ..Payload::STANDARD }.traces(0).encode_to_vec()
}

#[test]
fn without_freedoms_the_bytes_stay_as_they_are() {
    let nothing = Rewrite { freedoms: Vec::new(), percent: 100, seed: 1 };
    let payload = Payload { items: 100, ..Payload::STANDARD };
    for (message, bytes) in [
        (Message::Traces, payload.traces(0).encode_to_vec()),
        (Message::Logs, payload.logs(0).encode_to_vec()),
        (Message::Metrics, payload.metrics(0).encode_to_vec()),
    ] {
        assert!(rewrite(message, &bytes, &nothing) == bytes, "{message:?}");
    }
}

#[test]
fn each_freedom_changes_the_bytes() {
    let metrics = Payload { items: 100, ..Payload::STANDARD }.metrics(0).encode_to_vec();
    for freedom in Freedom::ALL {
        let rewritten = rewrite(Message::Metrics, &metrics, &Rewrite::only(freedom, 7));
        assert!(rewritten != metrics, "{freedom:?}");
        let meant = ExportMetricsServiceRequest::decode(metrics.as_slice()).unwrap();
        assert!(ExportMetricsServiceRequest::decode(rewritten.as_slice()).unwrap() == meant, "{freedom:?}");
    }
}

#[test]
fn one_item_can_be_rewritten_by_itself() {
    let payload = Payload::STANDARD;
    let all = Rewrite::all(3);
    let resource_spans = &payload.traces(0).resource_spans[0];
    let span = &resource_spans.scope_spans[0].spans[0];
    assert_eq!(&Span::decode(rewrite(Message::Span, &span.encode_to_vec(), &all).as_slice()).unwrap(), span);
    let resource = resource_spans.resource.as_ref().unwrap();
    assert_eq!(&Resource::decode(rewrite(Message::Resource, &resource.encode_to_vec(), &all).as_slice()).unwrap(), resource);
    let record = &payload.logs(0).resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!(&LogRecord::decode(rewrite(Message::LogRecord, &record.encode_to_vec(), &all).as_slice()).unwrap(), record);
    let value = list(["a", "b"]);
    assert_eq!(AnyValue::decode(rewrite(Message::AnyValue, &value.encode_to_vec(), &all).as_slice()).unwrap(), value);
}

#[test]
fn most_damage_is_more_than_another_value() {
    let bytes = request();
    let refused = (0..1_000).filter(|&seed| ExportTraceServiceRequest::decode(damage(Message::Traces, &bytes, seed).as_slice()).is_err());
    let refused = refused.count();
    assert!((500..1_000).contains(&refused), "{refused} of 1,000 were refused");
}

#[test]
fn damage_that_breaks_the_frame_is_refused_wherever_it_is_done() {
    let bytes = request();
    for kind in [Damage::LengthHuge, Damage::FieldZero, Damage::EndlessVarint, Damage::OpenGroup] {
        for seed in 0..200 {
            let broken = damage_by(kind, Message::Traces, &bytes, seed);
            assert!(ExportTraceServiceRequest::decode(broken.as_slice()).is_err(), "{kind:?} with seed {seed}");
        }
    }
}

#[test]
fn every_kind_of_damage_changes_the_bytes() {
    let bytes = request();
    let broken: HashSet<Vec<u8>> = Damage::ALL.iter().map(|&kind| damage_by(kind, Message::Traces, &bytes, 11)).collect();
    assert_eq!(broken.len(), Damage::ALL.len());
    assert!(!broken.contains(&bytes));
}

#[test]
fn nesting_is_as_deep_as_it_says() {
    let mut value = AnyValue::decode(nested(20, Nesting::List).as_slice()).unwrap();
    for _ in 0..20 {
        let Some(Value::ArrayValue(mut list)) = value.value else { panic!("a list") };
        value = list.values.remove(0);
    }
    assert_eq!(value.value, Some(Value::BoolValue(true)));
    let mut value = AnyValue::decode(nested(20, Nesting::Map).as_slice()).unwrap();
    for _ in 0..20 {
        let Some(Value::KvlistValue(mut map)) = value.value else { panic!("a map") };
        value = map.values.remove(0).value.unwrap();
    }
    assert_eq!(value.value, Some(Value::BoolValue(true)));
    assert_eq!(AnyValue::decode(nested(20, Nesting::Group).as_slice()).unwrap(), AnyValue::default());
}

#[test]
fn a_deeply_nested_attribute_is_cheap_to_send() {
    assert!((30_000..40_000).contains(&nested(5_000, Nesting::List).len()), "{}", nested(5_000, Nesting::List).len());
    let request = ExportTraceServiceRequest::decode(nested_in_span(10, Nesting::Map).as_slice()).unwrap();
    let span = &request.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!((span.trace_id.len(), span.span_id.len(), span.attributes.len()), (16, 8, 1));
    for how in [Nesting::List, Nesting::Map, Nesting::Group] {
        assert!(ExportTraceServiceRequest::decode(nested_in_span(5_000, how).as_slice()).is_err(), "{how:?}: prost stops at 100");
    }
}

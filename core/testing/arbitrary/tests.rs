//! Arbitrary telemetry is valid, and holds what one writes tests against it for.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use prost::Message as _;

use super::*;
use crate::testing::otlp::{Data, Span, Value};

fn spans(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans)
}

/// So many values, the same in every run.
fn samples<T: std::fmt::Debug>(count: usize, strategy: &BoxedStrategy<T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

proptest! {
    #![proptest_config(Config::with_cases(1_000))]

    #[test]
    fn what_is_encoded_decodes_to_the_same(traces in traces(&Wild::odd()), logs in logs(&Wild::odd()), metrics in metrics(&Wild::odd())) {
        prop_assert_eq!(&ExportTraceServiceRequest::decode(traces.encode_to_vec().as_slice()).unwrap(), &traces);
        prop_assert_eq!(&ExportLogsServiceRequest::decode(logs.encode_to_vec().as_slice()).unwrap(), &logs);
        prop_assert_eq!(&ExportMetricsServiceRequest::decode(metrics.encode_to_vec().as_slice()).unwrap(), &metrics);
    }

    #[test]
    fn ids_are_valid_by_default(request in traces(&Wild::default())) {
        for span in spans(&request) {
            prop_assert!(span.trace_id.len() == 16 && span.trace_id != [0; 16]);
            prop_assert!(span.span_id.len() == 8 && span.span_id != [0; 8]);
            prop_assert!(matches!(span.parent_span_id.len(), 0 | 8) && span.parent_span_id != [0; 8]);
        }
    }
}

#[test]
fn odd_ids_occur_when_asked_for() {
    let requests = samples(300, &traces(&Wild::odd()));
    let lengths: HashSet<usize> = requests.iter().flat_map(spans).map(|span| span.span_id.len()).collect();
    assert!(lengths.len() > 5, "{lengths:?}");
    assert!(requests.iter().flat_map(spans).any(|span| span.trace_id == [0; 16]));
}

#[test]
fn every_kind_of_value_and_of_metric_occurs() {
    let values = samples(1_000, &any_value(&Wild::default()));
    let kinds: HashSet<_> = values.iter().map(|value| value.value.as_ref().map(std::mem::discriminant::<Value>)).collect();
    assert_eq!(kinds.len(), 9, "eight kinds, and none");
    let requests = samples(300, &metrics(&Wild::default()));
    let metrics = requests.iter().flat_map(|request| &request.resource_metrics).flat_map(|resource| &resource.scope_metrics);
    let kinds: HashSet<_> =
        metrics.flat_map(|scope| &scope.metrics).map(|metric| metric.data.as_ref().map(std::mem::discriminant::<Data>)).collect();
    assert_eq!(kinds.len(), 6, "five kinds, and none");
}

#[test]
fn keys_repeat_and_enum_numbers_are_sometimes_unknown() {
    let requests = samples(300, &traces(&Wild::default()));
    let all = || requests.iter().flat_map(spans);
    let repeats = |span: &Span| {
        let keys: HashSet<_> = span.attributes.iter().map(|attribute| &attribute.key).collect();
        keys.len() < span.attributes.len()
    };
    assert!(all().any(repeats));
    assert!(all().any(|span| !(0..=5).contains(&span.kind)));
    assert!(all().any(|span| span.attributes.iter().any(|attribute| attribute.value.is_none())));
    assert!(requests.iter().flat_map(|request| &request.resource_spans).any(|resource| resource.resource.is_none()));
}

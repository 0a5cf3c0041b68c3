//! The payload is what figures are stated for, so its size and shape are held here.

use std::collections::HashMap;
use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::Payload;
use crate::testing::otlp::{Data, ExportTraceServiceRequest, Span};

fn spans(request: &ExportTraceServiceRequest) -> Vec<&Span> {
    request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans).collect()
}

fn gzipped(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().len()
}

#[test]
fn the_standard_payload_has_the_shape_that_figures_are_stated_for() {
    let request = Payload::STANDARD.traces(0);
    let spans = spans(&request);
    assert_eq!(spans.len(), 1_000);
    assert_eq!(request.resource_spans.len(), 10);
    assert!(request.resource_spans.iter().all(|resource| resource.scope_spans.len() == 2));
    assert!(spans.iter().all(|span| span.attributes.len() == 10));
    let mut traces: HashMap<&[u8], usize> = HashMap::new();
    spans.iter().for_each(|span| *traces.entry(&span.trace_id).or_default() += 1);
    assert_eq!(traces.len(), 125);
    assert!(traces.values().all(|&size| size == 8));
    assert_eq!(spans.iter().filter(|span| span.status.is_some() && span.events.len() == 1).count(), 20);
}

#[test]
fn every_trace_is_whole_and_its_ids_are_its_own() {
    let request = Payload::STANDARD.traces(3);
    let spans = spans(&request);
    let by_id: HashMap<&[u8], &Span> = spans.iter().map(|span| (span.span_id.as_slice(), *span)).collect();
    assert_eq!(by_id.len(), 1_000);
    let (roots, below): (Vec<&Span>, Vec<&Span>) = spans.into_iter().partition(|span| span.parent_span_id.is_empty());
    assert_eq!(roots.len(), 125);
    assert!(below.iter().all(|span| by_id[span.parent_span_id.as_slice()].trace_id == span.trace_id));
}

#[test]
fn a_span_takes_the_bytes_that_it_should_and_compresses_as_real_ones_do() {
    let requests = Payload::STANDARD.encoded_traces();
    let bytes: usize = requests.iter().map(Vec::len).sum();
    let per_span = bytes as f64 / 8_000.0;
    let ratio = bytes as f64 / requests.iter().map(|request| gzipped(request)).sum::<usize>() as f64;
    println!("{per_span:.1} bytes per span, gzip -6 makes them {ratio:.2} times smaller");
    assert!((500.0..540.0).contains(&per_span), "{per_span}");
    assert!((3.2..3.8).contains(&ratio), "{ratio}");
}

#[test]
fn requests_repeat_by_seed_and_index_and_differ_between_them() {
    let payload = Payload::STANDARD;
    assert_eq!(payload.encoded_traces(), payload.encoded_traces());
    let requests = payload.encoded_traces();
    assert_eq!(requests.len(), 8);
    assert_eq!(Payload { items: 10, ..payload.clone() }.encoded_traces().len(), 800);
    assert!((1..8).all(|index| requests[0] != requests[index]));
    assert_ne!(payload.traces(0), Payload { seed: 1, ..payload }.traces(0));
}

#[test]
fn a_sweep_gets_what_it_asks_for() {
    for items in [0, 1, 7, 100, 8_192] {
        let request = Payload { items, attributes: 25, spans_per_trace: 5, resources: 3, scopes: 1, ..Payload::STANDARD }.traces(0);
        let spans = spans(&request);
        assert_eq!(spans.len(), items);
        assert!(spans.iter().all(|span| span.attributes.len() == 25));
        assert!(request.resource_spans.len() <= 3.min(items));
        assert!(request.resource_spans.iter().all(|resource| resource.scope_spans.len() == 1));
    }
}

#[test]
fn a_small_request_comes_from_one_process() {
    let resources = |items| Payload::of(items).traces(0).resource_spans.len();
    assert_eq!([1, 10, 100, 300, 1_000, 8_192].map(resources), [1, 1, 1, 3, 10, 10]);
}

#[test]
fn logs_are_lines_of_text_with_a_few_attributes() {
    let payload = Payload::STANDARD;
    let request = payload.logs(0);
    let records: Vec<_> =
        request.resource_logs.iter().flat_map(|resource| &resource.scope_logs).flat_map(|scope| &scope.log_records).collect();
    assert_eq!(records.len(), 1_000);
    assert_eq!(request.resource_logs.len(), 10);
    assert_eq!(records.iter().filter(|record| record.severity_number == 17).count(), 20);
    let bytes: usize = payload.encoded_logs().iter().map(Vec::len).sum();
    println!("{} bytes per record", bytes / 8_000);
    assert!((250..350).contains(&(bytes / 8_000)), "{}", bytes / 8_000);
}

#[test]
fn metrics_are_of_all_five_kinds() {
    let payload = Payload::STANDARD;
    let request = payload.metrics(0);
    let metrics: Vec<_> =
        request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics).collect();
    let mut kinds = [0; 5];
    for metric in &metrics {
        match metric.data.as_ref().unwrap() {
            Data::Gauge(gauge) => kinds[0] += gauge.data_points.len(),
            Data::Sum(sum) => kinds[1] += sum.data_points.len(),
            Data::Histogram(histogram) => kinds[2] += histogram.data_points.len(),
            Data::ExponentialHistogram(histogram) => kinds[3] += histogram.data_points.len(),
            Data::Summary(summary) => kinds[4] += summary.data_points.len(),
        }
    }
    assert_eq!(kinds, [200; 5]);
    let bytes: usize = payload.encoded_metrics().iter().map(Vec::len).sum();
    println!("{} bytes per point", bytes / 8_000);
    assert!((200..350).contains(&(bytes / 8_000)), "{}", bytes / 8_000);
}

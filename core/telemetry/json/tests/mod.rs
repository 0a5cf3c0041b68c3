//! JSON to protobuf and back: against prost's structs, against their own JSON, and rule by rule.

mod hostile;
mod oracle;
mod rejected;
mod rules;

use super::{Rejected, from_protobuf, to_protobuf};
use crate::telemetry::Signal;
use crate::testing::otlp::{AnyValue, ExportTraceServiceRequest, LogRecord, Metric, Span, Value};

/// What a request of any signal is decoded to.
trait Request: prost::Message + std::fmt::Debug + Default + PartialEq + Clone + serde::Serialize + serde::de::DeserializeOwned {
    const SIGNAL: Signal;
}

impl Request for ExportTraceServiceRequest {
    const SIGNAL: Signal = Signal::Traces;
}

impl Request for crate::testing::otlp::ExportLogsServiceRequest {
    const SIGNAL: Signal = Signal::Logs;
}

impl Request for crate::testing::otlp::ExportMetricsServiceRequest {
    const SIGNAL: Signal = Signal::Metrics;
}

/// Reads JSON in which nothing is to be rejected.
fn read<R: Request>(json: &[u8]) -> R {
    let (request, rejected) = read_some(json);
    assert_eq!(rejected, Rejected::default(), "{}", String::from_utf8_lossy(json));
    request
}

fn read_some<R: Request>(json: &[u8]) -> (R, Rejected) {
    let mut bytes = Vec::new();
    let rejected = to_protobuf(R::SIGNAL, json, &mut bytes).unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(json)));
    (R::decode(&*bytes).unwrap(), rejected)
}

fn write<R: Request>(request: &R) -> String {
    write_bytes(R::SIGNAL, &request.encode_to_vec())
}

fn write_bytes(signal: Signal, bytes: &[u8]) -> String {
    let mut json = Vec::new();
    from_protobuf(signal, bytes, &mut json).unwrap();
    String::from_utf8(json).unwrap()
}

/// A request of one span, given its JSON.
fn request_of(span: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#)
}

fn span(json: &str) -> Span {
    let request: ExportTraceServiceRequest = read(request_of(json).as_bytes());
    request.resource_spans[0].scope_spans[0].spans[0].clone()
}

fn log(json: &str) -> LogRecord {
    let json = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{json}]}}]}}]}}"#);
    let request: crate::testing::otlp::ExportLogsServiceRequest = read(json.as_bytes());
    request.resource_logs[0].scope_logs[0].log_records[0].clone()
}

fn metric_request(metric: &str) -> String {
    format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#)
}

fn metric(json: &str) -> Metric {
    let request: crate::testing::otlp::ExportMetricsServiceRequest = read(metric_request(json).as_bytes());
    request.resource_metrics[0].scope_metrics[0].metrics[0].clone()
}

/// What the body of a log record becomes.
fn body(json: &str) -> Option<Value> {
    log(&format!(r#"{{"body":{json}}}"#)).body.unwrap().value
}

fn value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

//! Log records and requests of them, spelled out: `logs([log("cart is empty").severity(9).trace("checkout")])`.

use super::built::{Built, grouped};
use super::ids::{IntoSpanId, IntoTraceId};
use super::otlp::{ExportLogsServiceRequest, LogRecord, ResourceLogs, ScopeLogs};
use super::spans::nanos;
use super::value::{IntoValue, attribute};

/// A record with this body, of time 0 and no severity, that belongs to no trace.
pub fn log(body: impl IntoValue) -> Built<LogRecord> {
    let record =
        LogRecord { time_unix_nano: nanos(0), observed_time_unix_nano: nanos(0), body: Some(body.into_value()), ..LogRecord::default() };
    Built::new(record)
}

/// A request of these records, grouped by resource and scope in the order of first appearance.
pub fn logs(records: impl IntoIterator<Item = Built<LogRecord>>) -> ExportLogsServiceRequest {
    let resource_logs = grouped(records).into_iter().map(|(place, scopes)| ResourceLogs {
        resource: place.resource,
        schema_url: place.resource_schema_url,
        scope_logs: scopes
            .into_iter()
            .map(|(place, log_records)| ScopeLogs { scope: place.scope, schema_url: place.scope_schema_url, log_records })
            .collect(),
    });
    ExportLogsServiceRequest { resource_logs: resource_logs.collect() }
}

impl Built<LogRecord> {
    /// The record as it stands.
    pub fn build(self) -> LogRecord {
        self.item
    }

    /// The trace it names.
    pub fn trace(mut self, id: impl IntoTraceId) -> Self {
        self.item.trace_id = id.trace_id_bytes();
        self
    }

    /// The span it names.
    pub fn span(mut self, id: impl IntoSpanId) -> Self {
        self.item.span_id = id.span_id_bytes();
        self
    }

    /// Its severity number (9 is info, 17 is error).
    pub fn severity(mut self, number: i32) -> Self {
        self.item.severity_number = number;
        self
    }

    /// Its severity as the source spells it.
    pub fn severity_text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.item.severity_text);
        self
    }

    /// When it happened and when it was seen, in milliseconds after [`START`](super::START).
    pub fn times(mut self, time: u64, observed: u64) -> Self {
        self.item.time_unix_nano = nanos(time);
        self.item.observed_time_unix_nano = nanos(observed);
        self
    }

    /// One more attribute.
    pub fn attribute(mut self, key: &str, value: impl IntoValue) -> Self {
        self.item.attributes.push(attribute(key, value));
        self
    }

    /// The event's name.
    pub fn event_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.item.event_name);
        self
    }

    /// Any other change, on the struct itself.
    pub fn change(mut self, change: impl FnOnce(&mut LogRecord)) -> Self {
        change(&mut self.item);
        self
    }
}

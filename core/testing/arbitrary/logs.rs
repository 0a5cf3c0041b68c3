//! Arbitrary log records.

use proptest::option;
use proptest::prelude::*;

use super::super::otlp::{ExportLogsServiceRequest, LogRecord, ResourceLogs, ScopeLogs};
use super::Wild;
use super::common::{any_value, attributes, count, enumeration, few, optional_id, resource, scope, text, time};

pub(super) fn request(wild: &Wild) -> BoxedStrategy<ExportLogsServiceRequest> {
    let scopes = (scope(wild), few(record(wild), wild.items), text()).prop_map(|(scope, log_records, schema_url)| ScopeLogs {
        scope,
        log_records,
        schema_url,
    });
    let resources = (resource(wild), few(scopes, wild.groups), text()).prop_map(|(resource, scope_logs, schema_url)| ResourceLogs {
        resource,
        scope_logs,
        schema_url,
    });
    few(resources, wild.groups).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs }).boxed()
}

fn record(wild: &Wild) -> BoxedStrategy<LogRecord> {
    let ids = (optional_id(16, wild.ids), optional_id(8, wild.ids));
    let severity = (enumeration(24), text(), text());
    let contents = (option::of(any_value(wild)), attributes(wild), count(), any::<u32>());
    (time(), time(), ids, severity, contents)
        .prop_map(|(time_unix_nano, observed_time_unix_nano, (trace_id, span_id), severity, contents)| LogRecord {
            time_unix_nano,
            observed_time_unix_nano,
            severity_number: severity.0,
            severity_text: severity.1,
            event_name: severity.2,
            body: contents.0,
            attributes: contents.1,
            dropped_attributes_count: contents.2,
            flags: contents.3,
            trace_id,
            span_id,
        })
        .boxed()
}

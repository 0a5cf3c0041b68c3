//! `verbosity: detailed`: every field of every item, a line each.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, span::SpanKind, status::StatusCode};
use tracetailor_core::telemetry::Decoded;

use super::points;
use super::text::{below, hex, time, typed};

/// The lines, without the last line's end.
pub(super) fn text(decoded: &Decoded) -> String {
    let mut text: String = match decoded {
        Decoded::Traces(request) => request.resource_spans.iter().enumerate().map(resource_spans).collect(),
        Decoded::Logs(request) => request.resource_logs.iter().enumerate().map(resource_logs).collect(),
        Decoded::Metrics(request) => request.resource_metrics.iter().enumerate().map(resource_metrics).collect(),
    };
    text.truncate(text.trim_end_matches('\n').len());
    text
}

fn resource_lines(title: &str, index: usize, resource: Option<&Resource>, url: &str) -> String {
    let attributes = resource.map(|resource| below("Resource attributes:", "", &resource.attributes)).unwrap_or_default();
    format!("{title} #{index}\nResource SchemaURL: {url}\n{attributes}")
}

fn scope_lines(title: &str, index: usize, scope: Option<&InstrumentationScope>, url: &str) -> String {
    let unnamed = InstrumentationScope::default();
    let scope = scope.unwrap_or(&unnamed);
    let attributes = below("InstrumentationScope attributes:", "", &scope.attributes);
    let InstrumentationScope { name, version, .. } = scope;
    format!("{title} #{index}\n{title} SchemaURL: {url}\nInstrumentationScope {name} {version}\n{attributes}")
}

fn resource_spans((index, group): (usize, &ResourceSpans)) -> String {
    let scopes = group.scope_spans.iter().enumerate().map(|(index, group)| {
        let spans = group.spans.iter().enumerate().map(span);
        scope_lines("ScopeSpans", index, group.scope.as_ref(), &group.schema_url) + &spans.collect::<String>()
    });
    resource_lines("ResourceSpans", index, group.resource.as_ref(), &group.schema_url) + &scopes.collect::<String>()
}

fn resource_logs((index, group): (usize, &ResourceLogs)) -> String {
    let scopes = group.scope_logs.iter().enumerate().map(|(index, group)| {
        let records = group.log_records.iter().enumerate().map(record);
        scope_lines("ScopeLogs", index, group.scope.as_ref(), &group.schema_url) + &records.collect::<String>()
    });
    resource_lines("ResourceLog", index, group.resource.as_ref(), &group.schema_url) + &scopes.collect::<String>()
}

fn resource_metrics((index, group): (usize, &ResourceMetrics)) -> String {
    let scopes = group.scope_metrics.iter().enumerate().map(|(index, group)| {
        let metrics = group.metrics.iter().enumerate().map(metric);
        scope_lines("ScopeMetrics", index, group.scope.as_ref(), &group.schema_url) + &metrics.collect::<String>()
    });
    resource_lines("ResourceMetrics", index, group.resource.as_ref(), &group.schema_url) + &scopes.collect::<String>()
}

fn span((index, span): (usize, &Span)) -> String {
    let kind = match span.kind() {
        SpanKind::Unspecified => "Unspecified",
        SpanKind::Internal => "Internal",
        SpanKind::Server => "Server",
        SpanKind::Client => "Client",
        SpanKind::Producer => "Producer",
        SpanKind::Consumer => "Consumer",
    };
    let status = span.status.clone().unwrap_or_default();
    let code = match status.code() {
        StatusCode::Unset => "Unset",
        StatusCode::Ok => "Ok",
        StatusCode::Error => "Error",
    };
    let fields = [
        ("Trace ID", hex(&span.trace_id)),
        ("Parent ID", hex(&span.parent_span_id)),
        ("ID", hex(&span.span_id)),
        ("Name", span.name.clone()),
        ("Kind", kind.to_owned()),
        ("TraceState", span.trace_state.clone()),
        ("Start time", time(span.start_time_unix_nano)),
        ("End time", time(span.end_time_unix_nano)),
        ("Status code", code.to_owned()),
        ("Status message", status.message),
    ];
    let fields = fields.into_iter().filter(|(name, text)| *name != "TraceState" || !text.is_empty());
    let fields: String = fields.map(|(name, text)| format!("    {name:<15}: {text}\n")).collect();
    let dropped = [
        ("DroppedAttributesCount", span.dropped_attributes_count),
        ("DroppedEventsCount", span.dropped_events_count),
        ("DroppedLinksCount", span.dropped_links_count),
    ];
    let dropped: String =
        dropped.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("    {name:<15}: {count}\n")).collect();
    format!("Span #{index}\n{fields}{dropped}{}{}{}", below("Attributes:", "", &span.attributes), events(span), links(span))
}

fn events(span: &Span) -> String {
    let one = |(index, event): (usize, &opentelemetry_proto::tonic::trace::v1::span::Event)| {
        let attributes = below("     -> Attributes::", "     ", &event.attributes).replacen("     ", "", 1);
        let dropped = event.dropped_attributes_count;
        format!(
            "SpanEvent #{index}\n     -> Name: {}\n     -> Timestamp: {}\n     -> DroppedAttributesCount: {dropped}\n{attributes}",
            event.name,
            time(event.time_unix_nano)
        )
    };
    if span.events.is_empty() {
        return String::new();
    }
    format!("Events:\n{}", span.events.iter().enumerate().map(one).collect::<String>())
}

fn links(span: &Span) -> String {
    let one = |(index, link): (usize, &opentelemetry_proto::tonic::trace::v1::span::Link)| {
        let attributes = below("     -> Attributes::", "     ", &link.attributes).replacen("     ", "", 1);
        let (trace, id, state, dropped) = (hex(&link.trace_id), hex(&link.span_id), &link.trace_state, link.dropped_attributes_count);
        format!(
            "SpanLink #{index}\n     -> Trace ID: {trace}\n     -> ID: {id}\n     -> TraceState: {state}\n     \
             -> DroppedAttributesCount: {dropped}\n{attributes}"
        )
    };
    if span.links.is_empty() {
        return String::new();
    }
    format!("Links:\n{}", span.links.iter().enumerate().map(one).collect::<String>())
}

fn record((index, record): (usize, &LogRecord)) -> String {
    let event = if record.event_name.is_empty() { String::new() } else { format!("EventName: {}\n", record.event_name) };
    format!(
        "LogRecord #{index}\nObservedTimestamp: {}\nTimestamp: {}\nSeverityText: {}\nSeverityNumber: {}({})\n{event}Body: {}\n{}Trace ID: \
         {}\nSpan ID: {}\nFlags: {}\n",
        time(record.observed_time_unix_nano),
        time(record.time_unix_nano),
        record.severity_text,
        severity(record.severity_number()),
        record.severity_number,
        typed(record.body.as_ref()),
        below("Attributes:", "", &record.attributes),
        hex(&record.trace_id),
        hex(&record.span_id),
        record.flags,
    )
}

/// `Info2`, as it is written elsewhere than in the protocol.
fn severity(number: SeverityNumber) -> String {
    let name = number.as_str_name().trim_start_matches("SEVERITY_NUMBER_").to_ascii_lowercase();
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn metric((index, metric): (usize, &Metric)) -> String {
    let points = points::of(metric);
    let points = points.iter().enumerate().map(|(index, point)| format!("{} #{index}\n{}", point.title(), point.in_detail()));
    format!("Metric #{index}\n{}{}", points::descriptor(metric), points.collect::<String>())
}

//! `verbosity: normal`: a line for each resource, scope and item.

use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use tracetailor_core::telemetry::Decoded;

use super::points::{self, Point};
use super::text::{hex, in_braces, on_one_line, plain, schema, scope};

/// The lines, without the last line's end.
pub(super) fn text(decoded: &Decoded) -> String {
    let mut text = match decoded {
        Decoded::Traces(request) => request
            .resource_spans
            .iter()
            .enumerate()
            .map(|(index, group)| {
                let scopes = group.scope_spans.iter().enumerate().map(|(index, group)| {
                    let spans = group.spans.iter().map(|span| {
                        let (trace, id) = (hex(&span.trace_id), hex(&span.span_id));
                        format!("{} {trace} {id}{}\n", span.name, on_one_line(&span.attributes))
                    });
                    scope_line("ScopeTraces", index, group.scope.as_ref(), &group.schema_url) + &spans.collect::<String>()
                });
                resource_line("ResourceTraces", index, group.resource.as_ref(), &group.schema_url) + &scopes.collect::<String>()
            })
            .collect::<String>(),
        Decoded::Logs(request) => request
            .resource_logs
            .iter()
            .enumerate()
            .map(|(index, group)| {
                let scopes = group.scope_logs.iter().enumerate().map(|(index, group)| {
                    let records = group.log_records.iter();
                    let records = records.map(|record| format!("{}{}\n", plain(record.body.as_ref()), on_one_line(&record.attributes)));
                    scope_line("ScopeLog", index, group.scope.as_ref(), &group.schema_url) + &records.collect::<String>()
                });
                resource_line("ResourceLog", index, group.resource.as_ref(), &group.schema_url) + &scopes.collect::<String>()
            })
            .collect(),
        Decoded::Metrics(request) => request
            .resource_metrics
            .iter()
            .enumerate()
            .map(|(index, group)| {
                let scopes = group.scope_metrics.iter().enumerate().map(|(index, group)| {
                    let points =
                        group.metrics.iter().flat_map(|metric| points::of(metric).into_iter().map(|point| line(&metric.name, &point)));
                    scope_line("ScopeMetrics", index, group.scope.as_ref(), &group.schema_url) + &points.collect::<String>()
                });
                resource_line("ResourceMetrics", index, group.resource.as_ref(), &group.schema_url) + &scopes.collect::<String>()
            })
            .collect(),
    };
    text.truncate(text.trim_end_matches('\n').len());
    text
}

fn resource_line(title: &str, index: usize, resource: Option<&Resource>, url: &str) -> String {
    let attributes: &[KeyValue] = resource.map_or(&[], |resource| &resource.attributes);
    format!("{title} #{index}{}{}\n", schema(url), on_one_line(attributes))
}

fn scope_line(title: &str, index: usize, of: Option<&InstrumentationScope>, url: &str) -> String {
    let attributes: &[KeyValue] = of.map_or(&[], |scope| &scope.attributes);
    format!("{title} #{index}{}{}{}\n", scope(of), schema(url), on_one_line(attributes))
}

fn line(metric: &str, point: &Point<'_>) -> String {
    format!("{metric}{}{}\n", in_braces(point.attributes()), point.on_one_line())
}

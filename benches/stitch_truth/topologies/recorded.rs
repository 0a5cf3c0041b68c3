//! Traces from files: OTLP as JSON, a request on each line, as the `file` exporter writes it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use prost::Message as _;
use tracetailor_core::telemetry::{Signal, SpanKind, json};
use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, KeyValue, Span, Value};

use crate::truth::TrueSpan;

/// The traces in all files of a folder that are whole: one root, and nobody's parent missing.
pub(crate) fn read(folder: &Path) -> std::io::Result<Vec<Vec<TrueSpan>>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json" || extension == "jsonl"));
    files.sort();
    let mut traces: Vec<(Vec<u8>, Vec<Recorded>)> = Vec::new();
    let mut places = HashMap::new();
    for file in files {
        for line in std::fs::read_to_string(file)?.lines().filter(|line| !line.trim().is_empty()) {
            for span in spans_of(line).map_err(std::io::Error::other)? {
                let place = *places.entry(span.span.trace_id.clone()).or_insert_with(|| {
                    traces.push((span.span.trace_id.clone(), Vec::new()));
                    traces.len() - 1
                });
                traces[place].1.push(span);
            }
        }
    }
    Ok(traces.into_iter().filter_map(|(_, spans)| truth_of(&spans)).collect())
}

struct Recorded {
    span: Span,
    service: String,
    instance: String,
}

fn spans_of(line: &str) -> Result<Vec<Recorded>, String> {
    let mut bytes = Vec::new();
    json::to_protobuf(Signal::Traces, line.as_bytes(), &mut bytes).map_err(|error| error.to_string())?;
    let request = ExportTraceServiceRequest::decode(&bytes[..]).map_err(|error| error.to_string())?;
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = text(&attributes, &["service.name"]);
        let instance = text(&attributes, &["service.instance.id", "k8s.pod.name", "host.name"]);
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Recorded { span, service: service.clone(), instance: instance.clone() });
        }
    }
    Ok(spans)
}

fn text(attributes: &[KeyValue], keys: &[&str]) -> String {
    let value = |key: &&str| attributes.iter().find(|attribute| attribute.key == **key).and_then(|attribute| attribute.value.clone());
    match keys.iter().find_map(value).and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        _ => String::new(),
    }
}

/// Recorded times are taken for true: of what was recorded on one machine they are.
fn truth_of(recorded: &[Recorded]) -> Option<Vec<TrueSpan>> {
    let places: HashMap<&[u8], usize> = recorded.iter().enumerate().map(|(at, found)| (&found.span.span_id[..], at)).collect();
    let mut services: Vec<&str> = recorded.iter().map(|found| &found.service[..]).collect();
    services.sort_unstable();
    services.dedup();
    let number = |name: &str| services.binary_search(&name).ok().map(|at| at as u32);
    let mut instances: Vec<(&str, &str)> = recorded.iter().map(|found| (&found.service[..], &found.instance[..])).collect();
    instances.sort_unstable();
    instances.dedup();
    let begin = recorded.iter().map(|found| found.span.start_time_unix_nano).min()?;
    let mut roots = 0;
    let mut trace = Vec::with_capacity(recorded.len());
    for found in recorded {
        let span = &found.span;
        let parent = match span.parent_span_id.is_empty() {
            true => None,
            false => Some(*places.get(&span.parent_span_id[..])?),
        };
        roots += usize::from(parent.is_none());
        let target = text(&span.attributes, &["peer.service", "server.address"]);
        let topic = text(&span.attributes, &["messaging.destination.name"]);
        trace.push(TrueSpan {
            parent,
            service: number(&found.service)?,
            instance: instances.binary_search(&(&found.service, &found.instance)).ok()? as u32,
            kind: kind(span.kind),
            start: (span.start_time_unix_nano - begin) as i64,
            end: (span.end_time_unix_nano - begin) as i64,
            target: number(&target),
            topic: topic.bytes().fold(0, |hash, byte| hash * 31 + u64::from(byte)),
            is_leaf: !text(&span.attributes, &["db.system", "db.system.name"]).is_empty(),
        });
    }
    (roots == 1 && trace.len() > 5).then_some(trace)
}

fn kind(kind: i32) -> SpanKind {
    [SpanKind::Unspecified, SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer]
        .get(kind as usize)
        .copied()
        .unwrap_or(SpanKind::Unspecified)
}

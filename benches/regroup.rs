//! What it costs to put the spans of each trace together and send them on, which is what sampling by traces does to everything it keeps.

mod yardstick;

use std::collections::HashMap;
use std::hint::black_box;

use bytes::Bytes;
use foldhash::fast::RandomState;
use prost::Message;
use tracetailor_core::ledger::Fate;
use tracetailor_core::telemetry::{Telemetry, Traces};
use tracetailor_core::testing::Payload;
use tracetailor_core::testing::otlp::{ExportTraceServiceRequest, ResourceSpans, ScopeSpans, Span};
use yardstick::ours::{Gateway, cycle_bytes};
use yardstick::{Way, compare, cycle, memcpy};

fn main() {
    compare("regroup", ways);
}

fn ways(payload: &Payload) -> Vec<Way> {
    let requests = payload.encoded_traces();
    vec![
        memcpy(&requests),
        Way::new("structs: group, encode as one request", cycle(&requests, encoded(1, emit_one))),
        Way::new("structs: group, encode a request per trace", cycle(&requests, encoded(1, emit_each))),
        Way::new("structs: group, encode one trace in ten", cycle(&requests, encoded(10, emit_one))),
        Way::new("structs: group", cycle(&requests, |request| drop(black_box(Grouped::from(decode(request)))))),
        Way::instead_of(
            "structs: group, encode as one request",
            "bytes: group, emit as one request",
            cycle_bytes(&requests, one_request()),
        ),
        Way::instead_of(
            "structs: group, encode a request per trace",
            "bytes: group, emit a request per trace",
            cycle_bytes(&requests, request_per_trace()),
        ),
        Way::instead_of(
            "structs: group, encode one trace in ten",
            "bytes: group, emit one trace in ten",
            cycle_bytes(&requests, one_in_ten()),
        ),
        Way::instead_of("structs: group", "bytes: group", cycle_bytes(&requests, grouped())),
    ]
}

#[expect(clippy::expect_used, reason = "the payload is valid, or there is nothing to measure")]
fn decode(request: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(request).expect("the payload is valid")
}

/// Decodes, groups, keeps one trace in so many, and encodes what is kept.
fn encoded(one_in: usize, emit: fn(Grouped, &mut Vec<u8>)) -> impl FnMut(&[u8]) {
    let mut out = Vec::new();
    move |request| {
        out.clear();
        let mut grouped = Grouped::from(decode(request));
        let mut ordinal = 0;
        grouped.traces.retain(|_| {
            ordinal += 1;
            (ordinal - 1) % one_in == 0
        });
        emit(grouped, &mut out);
        black_box(&out);
    }
}

/// A request taken apart: the traces in order of appearance, their spans moved, each with the number of the context it came under.
struct Grouped {
    resources: Vec<ResourceSpans>,
    scopes: Vec<(usize, ScopeSpans)>,
    traces: Vec<Vec<(usize, Span)>>,
}

impl From<ExportTraceServiceRequest> for Grouped {
    fn from(request: ExportTraceServiceRequest) -> Self {
        let mut grouped = Self { resources: Vec::new(), scopes: Vec::new(), traces: Vec::new() };
        let mut known: HashMap<Vec<u8>, usize, RandomState> = HashMap::default();
        for mut resource in request.resource_spans {
            for mut scope in std::mem::take(&mut resource.scope_spans) {
                for span in std::mem::take(&mut scope.spans) {
                    let trace = known.get(&span.trace_id).copied().unwrap_or_else(|| {
                        known.insert(span.trace_id.clone(), grouped.traces.len());
                        grouped.traces.push(Vec::new());
                        grouped.traces.len() - 1
                    });
                    grouped.traces[trace].push((grouped.scopes.len(), span));
                }
                grouped.scopes.push((grouped.resources.len(), scope));
            }
            grouped.resources.push(resource);
        }
        grouped
    }
}

/// One request: every context once, under it its spans in the order of their traces.
fn emit_one(mut grouped: Grouped, out: &mut Vec<u8>) {
    for (context, span) in grouped.traces.into_iter().flatten() {
        grouped.scopes[context].1.spans.push(span);
    }
    for (resource, scope) in grouped.scopes {
        if !scope.spans.is_empty() {
            grouped.resources[resource].scope_spans.push(scope);
        }
    }
    grouped.resources.retain(|resource| !resource.scope_spans.is_empty());
    ExportTraceServiceRequest { resource_spans: grouped.resources }.encode_raw(out);
}

/// A request per trace: every trace carries its own copy of the contexts it stands under.
fn emit_each(grouped: Grouped, out: &mut Vec<u8>) {
    for spans in grouped.traces {
        let mut resource_spans: Vec<ResourceSpans> = Vec::new();
        let mut previous = None;
        for (context, span) in spans {
            if previous != Some(context) {
                let (resource, scope) = &grouped.scopes[context];
                resource_spans.push(ResourceSpans { scope_spans: vec![scope.clone()], ..grouped.resources[*resource].clone() });
                previous = Some(context);
            }
            if let Some(scope) = resource_spans.last_mut().and_then(|resource| resource.scope_spans.last_mut()) {
                scope.spans.push(span);
            }
        }
        ExportTraceServiceRequest { resource_spans }.encode_raw(out);
    }
}

fn one_request() -> impl FnMut(Bytes) {
    let (gateway, mut traces, mut out) = (Gateway::new(), Traces::new(), Vec::new());
    move |request| {
        let mut batch = gateway.receive(request);
        traces.group(&batch);
        batch.gather(&traces);
        gateway.send(batch, &mut out);
    }
}

fn request_per_trace() -> impl FnMut(Bytes) {
    let (gateway, mut traces, mut out) = (Gateway::new(), Traces::new(), Vec::new());
    let mut run_of = Vec::new();
    move |request| {
        let batch = gateway.receive(request);
        number_by_trace(&batch, &mut traces, &mut run_of);
        let mut item = 0;
        let parts = batch.split(traces.len(), |_| {
            item += 1;
            run_of[item - 1]
        });
        parts.into_iter().for_each(|part| gateway.send(part, &mut out));
    }
}

fn one_in_ten() -> impl FnMut(Bytes) {
    let (gateway, mut traces, mut out) = (Gateway::new(), Traces::new(), Vec::new());
    let mut run_of = Vec::new();
    let not_sampled = gateway.books.cause("tail_sampling", "not_sampled");
    move |request| {
        let mut batch = gateway.receive(request);
        number_by_trace(&batch, &mut traces, &mut run_of);
        let mut item = 0;
        batch.drop_items(not_sampled, |_| {
            item += 1;
            run_of[item - 1] % 10 != 0
        });
        gateway.send(batch, &mut out);
    }
}

/// The number of the trace that each item belongs to.
fn number_by_trace(batch: &Telemetry, traces: &mut Traces, run_of: &mut Vec<usize>) {
    traces.group(batch);
    run_of.clear();
    run_of.resize(batch.len(), 0);
    for (run, (_, items)) in traces.iter().enumerate() {
        items.iter().for_each(|item| run_of[*item as usize] = run);
    }
}

fn grouped() -> impl FnMut(Bytes) {
    let (gateway, mut traces) = (Gateway::new(), Traces::new());
    move |request| {
        let batch = gateway.receive(request);
        traces.group(&batch);
        black_box(&traces);
        batch.settle(Fate::Delivered);
    }
}

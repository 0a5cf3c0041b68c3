//! The language as its users see it: what holds for an item, what statements make of one, what is refused and where.

mod agreement;
mod conditions;
mod generator;
mod reference;
mod refusals;
mod statements;

use super::*;
use crate::ledger::Fate;
use crate::telemetry::{Signal, Telemetry};
use crate::testing::otlp::ExportTraceServiceRequest;
use crate::testing::{Inlet, IntoValue, attribute, list, map, span, traces};

/// Spans to ask about: a server span with values of every kind, a child of it, one with nothing.
fn sample() -> ExportTraceServiceRequest {
    let full = span("GET /user/17")
        .trace(0x0af7_u64)
        .id(1)
        .service("shop")
        .kind(crate::testing::otlp::SpanKind::Server)
        .scope("lib", "1.2")
        .scope_attribute("sc", "x")
        .resource("env", "prod")
        .trace_state("k1=v1,k2=v2")
        .change(|span| {
            span.start_time_unix_nano = 1_700_000_000_000_000_000;
            span.end_time_unix_nano = 1_700_000_001_500_000_000;
            span.attributes = vec![
                attribute("s", "Hello World"),
                attribute("i", 42),
                attribute("d", 2.75),
                attribute("b", true),
                attribute("l", list(["a", "b", "c"])),
                attribute("m", map([("x", 1.into_value()), ("y", map([("z", "deep")]))])),
                attribute("code", "200"),
            ];
        })
        .event(1, "exception", [attribute("exception.type", "Timeout")])
        .event(2, "retry", []);
    traces([full])
}

/// Calls `work` with a batch, and has it settled.
fn with<T>(request: ExportTraceServiceRequest, work: impl FnOnce(&mut Telemetry, &mut Inlet) -> T) -> T {
    let mut inlet = Inlet::new();
    let mut batch = inlet.receive(request);
    let outcome = work(&mut batch, &mut inlet);
    batch.settle(Fate::Delivered);
    outcome
}

//! The traces that `send` sends: an order that goes through three services, whole, and with one fault each.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tracetailor_core::time::LogTime;

/// A trace, and what it shows.
#[derive(Debug)]
pub(super) struct Sample {
    trace: [u8; 16],
    /// In a few words.
    pub(super) story: &'static str,
    /// Spans by the service that made them.
    spans: Vec<(&'static str, Span)>,
}

impl Sample {
    /// The trace's id as people write it.
    pub(super) fn id(&self) -> String {
        self.trace.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn span(&mut self, name: &str) -> Option<&mut Span> {
        self.spans.iter_mut().map(|(_, span)| span).find(|span| span.name == name)
    }
}

/// The whole trace; with the broken ones behind it, if they are wanted. They have just ended, so that a search finds them.
pub(super) fn samples(now: LogTime, broken: bool) -> Vec<Sample> {
    let mut samples = vec![whole("an order through three services, whole", now)];
    if !broken {
        return samples;
    }
    let mut with = |story, fault: fn(&mut Sample)| {
        let mut sample = whole(story, now);
        fault(&mut sample);
        samples.push(sample);
    };
    with("an orphan: the span between checkout and payment is missing", |sample| {
        sample.spans.retain(|(_, span)| span.name != "POST payment")
    });
    with("no root: what the shop's front made is missing", |sample| sample.spans.retain(|(service, _)| *service != "shop-front"));
    with("a parent of eight zeros where there should be none", |sample| {
        if let Some(root) = sample.span("GET /order") {
            root.parent_span_id = vec![0; 8];
        }
    });
    with("two spans with one id", |sample| {
        let id = sample.span("POST /checkout").map(|span| span.span_id.clone()).unwrap_or_default();
        if let Some(other) = sample.span("POST payment") {
            other.parent_span_id.clone_from(&id);
            other.span_id = id;
        }
    });
    with("two roots: checkout began a trace of its own under the same id", |sample| {
        if let Some(span) = sample.span("POST /checkout") {
            span.parent_span_id.clear();
        }
    });
    with("a clock that is five minutes behind, at payment", |sample| {
        if let Some(span) = sample.span("POST /payment") {
            span.start_time_unix_nano -= 300_000_000_000;
            span.end_time_unix_nano -= 300_000_000_000;
        }
    });
    with("a service without a name", |sample| {
        sample.spans.iter_mut().for_each(|(service, _)| {
            if *service == "payment" {
                *service = ""
            }
        })
    });
    samples
}

fn whole(story: &'static str, now: LogTime) -> Sample {
    let trace: [u8; 16] = rand::random();
    let id = || rand::random::<[u8; 8]>().map(|byte| byte | 1).to_vec();
    let [front, to_checkout, checkout, to_payment, payment] = [id(), id(), id(), id(), id()];
    let span = |name: &str, kind: SpanKind, id: &[u8], parent: &[u8], from: u64, to: u64| Span {
        trace_id: trace.to_vec(),
        span_id: id.to_vec(),
        parent_span_id: parent.to_vec(),
        name: name.to_owned(),
        kind: kind as i32,
        start_time_unix_nano: now.0.saturating_sub((200 - from) * 1_000_000),
        end_time_unix_nano: now.0.saturating_sub((200 - to) * 1_000_000),
        attributes: vec![attribute("tracetailor.send", "sample")],
        ..Span::default()
    };
    let spans = vec![
        ("shop-front", span("GET /order", SpanKind::Server, &front, &[], 0, 180)),
        ("shop-front", span("POST checkout", SpanKind::Client, &to_checkout, &front, 10, 170)),
        ("checkout", span("POST /checkout", SpanKind::Server, &checkout, &to_checkout, 20, 160)),
        ("checkout", span("POST payment", SpanKind::Client, &to_payment, &checkout, 40, 150)),
        ("payment", span("POST /payment", SpanKind::Server, &payment, &to_payment, 50, 140)),
    ];
    Sample { trace, story, spans }
}

/// All of them in one request.
pub(super) fn request(samples: &[Sample]) -> Vec<u8> {
    let spans = samples.iter().flat_map(|sample| &sample.spans);
    let resource_spans = spans.map(|(service, span)| {
        let attributes = if service.is_empty() { Vec::new() } else { vec![attribute("service.name", service)] };
        let scope = InstrumentationScope { name: "tracetailor send".to_owned(), ..InstrumentationScope::default() };
        ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans: vec![span.clone()], ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }.encode_to_vec()
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

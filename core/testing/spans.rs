//! Spans and requests of them, spelled out: `traces([span("GET /cart").service("cart").times(0, 120)])`.

use std::collections::HashSet;
use std::time::Duration;

use super::built::{Built, grouped};
use super::ids::{IntoSpanId, IntoTraceId};
use super::otlp::{Event, ExportTraceServiceRequest, KeyValue, Link, ResourceSpans, ScopeSpans, Span, SpanKind, Status, StatusCode};
use super::value::{IntoValue, attribute};
use crate::time::LogTime;

/// When the builders' time begins: every millisecond given to them counts from here.
pub const START: LogTime = LogTime(1_700_000_000_000_000_000);

/// Nanoseconds since 1970 of a moment so many milliseconds after [`START`].
pub(super) fn nanos(milliseconds: u64) -> u64 {
    (START + Duration::from_millis(milliseconds)).0
}

/// A span whose id is that of its name until a test gives it one.
#[derive(Clone, Debug)]
pub struct SpanDraft {
    /// The span; its id is filled in when the request is made.
    pub span: Span,
    id: Option<Vec<u8>>,
}

/// A span of trace 1 that lasts from 0 to 10 ms, without parent, kind or attributes.
pub fn span(name: &str) -> Built<SpanDraft> {
    let span = Span {
        trace_id: 1_u64.trace_id_bytes(),
        name: name.to_owned(),
        start_time_unix_nano: nanos(0),
        end_time_unix_nano: nanos(10),
        ..Span::default()
    };
    Built::new(SpanDraft { span, id: None })
}

/// A request of these spans, grouped by resource and scope in the order of first appearance. Spans of one trace that share a name and were
/// given no id get ids of their own: the second `GET` is `"GET#2"`.
pub fn traces(spans: impl IntoIterator<Item = Built<SpanDraft>>) -> ExportTraceServiceRequest {
    let mut taken = HashSet::new();
    let spans = spans.into_iter().map(|built| Built { item: named(built.item, &mut taken), place: built.place });
    let resource_spans = grouped(spans).into_iter().map(|(place, scopes)| ResourceSpans {
        resource: place.resource,
        schema_url: place.resource_schema_url,
        scope_spans: scopes
            .into_iter()
            .map(|(place, spans)| ScopeSpans { scope: place.scope, schema_url: place.scope_schema_url, spans })
            .collect(),
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn named(draft: SpanDraft, taken: &mut HashSet<(Vec<u8>, Vec<u8>)>) -> Span {
    let SpanDraft { mut span, id } = draft;
    span.span_id = id.unwrap_or_else(|| {
        let mut id = span.name.as_str().span_id_bytes();
        let mut count = 1;
        while taken.contains(&(span.trace_id.clone(), id.clone())) {
            count += 1;
            id = format!("{}#{count}", span.name).as_str().span_id_bytes();
        }
        id
    });
    taken.insert((span.trace_id.clone(), span.span_id.clone()));
    span
}

impl Built<SpanDraft> {
    /// The span as it stands.
    pub fn build(self) -> Span {
        named(self.item, &mut HashSet::new())
    }

    /// The trace it belongs to: a number, a name, or bytes.
    pub fn trace(mut self, id: impl IntoTraceId) -> Self {
        self.item.span.trace_id = id.trace_id_bytes();
        self
    }

    /// Its own id, instead of the one its name gives.
    pub fn id(mut self, id: impl IntoSpanId) -> Self {
        self.item.id = Some(id.span_id_bytes());
        self
    }

    /// The span above it, by name, number or bytes.
    pub fn parent(mut self, id: impl IntoSpanId) -> Self {
        self.item.span.parent_span_id = id.span_id_bytes();
        self
    }

    /// What it is to its neighbours.
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.item.span.kind = kind.into();
        self
    }

    /// When it began and ended, in milliseconds after [`START`].
    pub fn times(self, start: u64, end: u64) -> Self {
        self.times_nanos(nanos(start), nanos(end))
    }

    /// When it began and ended, in nanoseconds since 1970, for times that make no sense.
    pub fn times_nanos(mut self, start: u64, end: u64) -> Self {
        self.item.span.start_time_unix_nano = start;
        self.item.span.end_time_unix_nano = end;
        self
    }

    /// One more attribute.
    pub fn attribute(mut self, key: &str, value: impl IntoValue) -> Self {
        self.item.span.attributes.push(attribute(key, value));
        self
    }

    /// One more event, so many milliseconds after [`START`].
    pub fn event(mut self, at: u64, name: &str, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        let attributes = attributes.into_iter().collect();
        self.item.span.events.push(Event { time_unix_nano: nanos(at), name: name.to_owned(), attributes, dropped_attributes_count: 0 });
        self
    }

    /// An exception event as the language agents write it.
    pub fn exception(self, kind: &str, message: &str) -> Self {
        self.event(0, "exception", [attribute("exception.type", kind), attribute("exception.message", message)])
    }

    /// A link to a span of another trace (or of this one).
    pub fn link(mut self, trace: impl IntoTraceId, span: impl IntoSpanId) -> Self {
        self.item.span.links.push(Link { trace_id: trace.trace_id_bytes(), span_id: span.span_id_bytes(), ..Link::default() });
        self
    }

    /// It failed, and this is what it says of it.
    pub fn status_error(mut self, message: &str) -> Self {
        self.item.span.status = Some(Status { message: message.to_owned(), code: StatusCode::Error.into() });
        self
    }

    /// It says that it went well.
    pub fn status_ok(mut self) -> Self {
        self.item.span.status = Some(Status { message: String::new(), code: StatusCode::Ok.into() });
        self
    }

    /// Its W3C trace state.
    pub fn trace_state(mut self, state: &str) -> Self {
        state.clone_into(&mut self.item.span.trace_state);
        self
    }

    /// Its flags: the W3C flags in the low byte, 256 for "remoteness is known", 512 for "the parent is remote".
    pub fn flags(mut self, flags: u32) -> Self {
        self.item.span.flags = flags;
        self
    }

    /// Any other change, on the struct itself.
    pub fn change(mut self, change: impl FnOnce(&mut Span)) -> Self {
        change(&mut self.item.span);
        self
    }

    /// The name it was built with.
    pub fn name(&self) -> &str {
        &self.item.span.name
    }
}

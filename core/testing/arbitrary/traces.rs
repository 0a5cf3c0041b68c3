//! Arbitrary spans.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::otlp::{Event, ExportTraceServiceRequest, Link, ResourceSpans, ScopeSpans, Span, Status};
use super::Wild;
use super::common::{attributes, count, enumeration, few, id, optional_id, resource, scope, text, time};

pub(super) fn request(wild: &Wild) -> BoxedStrategy<ExportTraceServiceRequest> {
    let scopes =
        (scope(wild), few(span(wild), wild.items), text()).prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resources = (resource(wild), few(scopes, wild.groups), text()).prop_map(|(resource, scope_spans, schema_url)| ResourceSpans {
        resource,
        scope_spans,
        schema_url,
    });
    few(resources, wild.groups).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans }).boxed()
}

fn span(wild: &Wild) -> BoxedStrategy<Span> {
    let ids = (id(16, wild.ids), id(8, wild.ids), optional_id(8, wild.ids));
    let names = (text(), text(), enumeration(5), time(), time(), status());
    let contents = (attributes(wild), vec(event(wild), 0..=wild.entries), vec(link(wild), 0..=wild.entries));
    let counts = (count(), count(), count(), any::<u32>());
    (ids, names, contents, counts)
        .prop_map(|(ids, (name, trace_state, kind, start, end, status), (attributes, events, links), counts)| Span {
            trace_id: ids.0,
            span_id: ids.1,
            parent_span_id: ids.2,
            trace_state,
            flags: counts.3,
            name,
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes,
            dropped_attributes_count: counts.0,
            events,
            dropped_events_count: counts.1,
            links,
            dropped_links_count: counts.2,
            status,
        })
        .boxed()
}

fn status() -> impl Strategy<Value = Option<Status>> {
    option::of((text(), enumeration(2)).prop_map(|(message, code)| Status { message, code }))
}

fn event(wild: &Wild) -> impl Strategy<Value = Event> + use<> {
    (time(), text(), attributes(wild), count()).prop_map(|(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count,
    })
}

fn link(wild: &Wild) -> impl Strategy<Value = Link> + use<> {
    let ids = (optional_id(16, wild.ids), optional_id(8, wild.ids));
    (ids, text(), attributes(wild), count(), any::<u32>()).prop_map(
        |((trace_id, span_id), trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

//! Decoded items as plain trees of named fields: what the model of edits works on. Written from the protocol's definition, field by field.

use super::super::{Decoded, ItemKind, Value};
use super::model::{Fields, Node, Takes};
use crate::testing::otlp::{
    AnyValue, Buckets, Data, EntityRef, Event, Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, InstrumentationScope, KeyValue,
    Link, LogRecord, Metric, NumberDataPoint, Resource, Span, Status, SummaryDataPoint, ValueAtQuantile, exemplar, number_data_point,
};

/// One item with all around it that a path can reach.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Thing {
    pub(super) kind: ItemKind,
    /// Its own fields.
    pub(super) own: Fields,
    /// The resource and its schema URL.
    pub(super) resource: (Node, Node),
    /// The scope and its schema URL.
    pub(super) scope: (Node, Node),
    /// A point's metric.
    pub(super) metric: Fields,
}

/// The messages that can come into being by an edit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Make {
    Status,
    Event,
    Link,
    Exemplar,
    Buckets,
    Quantile,
    Resource,
    Scope,
    EntityRef,
}

impl Make {
    /// The message with nothing in it.
    pub(super) fn empty(self) -> Fields {
        match self {
            Make::Status => Status::default().into(),
            Make::Event => Event::default().into(),
            Make::Link => Link::default().into(),
            Make::Exemplar => Exemplar::default().into(),
            Make::Buckets => Buckets::default().into(),
            Make::Quantile => ValueAtQuantile::default().into(),
            Make::Resource => Resource::default().into(),
            Make::Scope => InstrumentationScope::default().into(),
            Make::EntityRef => EntityRef::default().into(),
        }
    }
}

/// All items of a request, in order.
pub(super) fn things(request: Decoded) -> Vec<Thing> {
    let mut things = Vec::new();
    let around = |resource: Option<Resource>, url: String| (Node::message(Make::Resource, resource), text(url));
    let within = |scope: Option<InstrumentationScope>, url: String| (Node::message(Make::Scope, scope), text(url));
    match request {
        Decoded::Traces(request) => {
            for of_resource in request.resource_spans {
                let resource = around(of_resource.resource, of_resource.schema_url);
                for of_scope in of_resource.scope_spans {
                    let scope = within(of_scope.scope, of_scope.schema_url);
                    let spans = of_scope.spans.into_iter().map(|span| (ItemKind::Span, span.into()));
                    things.extend(spans.map(|(kind, own)| Thing::new(kind, own, &resource, &scope, Fields::default())));
                }
            }
        }
        Decoded::Logs(request) => {
            for of_resource in request.resource_logs {
                let resource = around(of_resource.resource, of_resource.schema_url);
                for of_scope in of_resource.scope_logs {
                    let scope = within(of_scope.scope, of_scope.schema_url);
                    let records = of_scope.log_records.into_iter().map(|record| (ItemKind::LogRecord, record.into()));
                    things.extend(records.map(|(kind, own)| Thing::new(kind, own, &resource, &scope, Fields::default())));
                }
            }
        }
        Decoded::Metrics(request) => {
            for of_resource in request.resource_metrics {
                let resource = around(of_resource.resource, of_resource.schema_url);
                for of_scope in of_resource.scope_metrics {
                    let scope = within(of_scope.scope, of_scope.schema_url);
                    for mut metric in of_scope.metrics {
                        let (kind, points, of_data) = points(metric.data.take());
                        let fields: Fields = metric.into();
                        let metric = Fields([fields.0, of_data].concat());
                        things.extend(points.into_iter().map(|own| Thing::new(kind, own, &resource, &scope, metric.clone())));
                    }
                }
            }
        }
    }
    things
}

impl Thing {
    fn new(kind: ItemKind, own: Fields, resource: &(Node, Node), scope: &(Node, Node), metric: Fields) -> Thing {
        Thing { kind, own, resource: resource.clone(), scope: scope.clone(), metric }
    }
}

type Named = (&'static str, Node);

/// A metric's points, and the fields beside them.
fn points(data: Option<Data>) -> (ItemKind, Vec<Fields>, Vec<Named>) {
    let temporality = |number: i32| ("aggregation_temporality", int32(number));
    match data {
        None => (ItemKind::Gauge, Vec::new(), Vec::new()),
        Some(Data::Gauge(data)) => (ItemKind::Gauge, each(data.data_points), Vec::new()),
        Some(Data::Sum(data)) => {
            let monotonic = Node::Plain(Takes::Bool, Value::Bool(data.is_monotonic));
            (ItemKind::Sum, each(data.data_points), vec![temporality(data.aggregation_temporality), ("is_monotonic", monotonic)])
        }
        Some(Data::Histogram(data)) => (ItemKind::Histogram, each(data.data_points), vec![temporality(data.aggregation_temporality)]),
        Some(Data::ExponentialHistogram(data)) => {
            (ItemKind::ExponentialHistogram, each(data.data_points), vec![temporality(data.aggregation_temporality)])
        }
        Some(Data::Summary(data)) => (ItemKind::Summary, each(data.data_points), Vec::new()),
    }
}

fn each<M: Into<Fields>>(messages: Vec<M>) -> Vec<Fields> {
    messages.into_iter().map(Into::into).collect()
}

impl Node {
    fn message<M: Into<Fields>>(make: Make, message: Option<M>) -> Node {
        Node::Message(make, message.map(Into::into))
    }

    fn messages<M: Into<Fields>>(make: Make, messages: Vec<M>) -> Node {
        Node::Messages(make, each(messages))
    }
}

fn text(text: String) -> Node {
    Node::Plain(Takes::Text, Value::String(text))
}

fn id(length: usize, id: Vec<u8>) -> Node {
    Node::Plain(Takes::Id(length), Value::Bytes(id))
}

fn int32(number: i32) -> Node {
    Node::Plain(Takes::Int32, Value::Int(number.into()))
}

fn uint32(number: u32) -> Node {
    Node::Plain(Takes::UInt32, Value::Int(number.into()))
}

fn bits64(number: u64) -> Node {
    Node::Plain(Takes::Bits64, Value::Int(number as i64))
}

fn double(number: f64) -> Node {
    Node::Plain(Takes::Double, Value::Double(number))
}

fn maybe(number: Option<f64>) -> Node {
    Node::Maybe(Takes::Double, number.map(Value::Double))
}

fn attributes(attributes: Vec<KeyValue>) -> Node {
    Node::Attributes(attributes)
}

fn counts(counts: Vec<u64>) -> Node {
    Node::Numbers(Takes::Bits64, counts.into_iter().map(|count| Value::Int(count as i64)).collect())
}

fn texts(texts: Vec<String>) -> Node {
    Node::Numbers(Takes::Text, texts.into_iter().map(Value::String).collect())
}

fn body(body: Option<AnyValue>) -> Node {
    Node::Any(body)
}

/// The two members of a number's oneof.
fn number(as_double: Option<f64>, as_int: Option<i64>) -> (Node, Node) {
    (Node::OneOf(Takes::Double, as_double.map(Value::Double)), Node::OneOf(Takes::Bits64, as_int.map(Value::Int)))
}

/// `fields!(message: name => conversion, ...)`, in the order of the fields' numbers.
macro_rules! fields {
    ($($message:ident { $($name:ident => $convert:expr),* $(,)? })*) => {$(
        impl From<$message> for Fields {
            fn from(message: $message) -> Fields {
                Fields(vec![$((stringify!($name), $convert(message.$name))),*])
            }
        }
    )*};
}

fields! {
    Status { message => text, code => int32 }
    Event { time_unix_nano => bits64, name => text, attributes => attributes, dropped_attributes_count => uint32 }
    Link {
        trace_id => |bytes| id(16, bytes), span_id => |bytes| id(8, bytes), trace_state => text, attributes => attributes,
        dropped_attributes_count => uint32, flags => uint32,
    }
    Span {
        trace_id => |bytes| id(16, bytes), span_id => |bytes| id(8, bytes), trace_state => text, parent_span_id => |bytes| id(8, bytes),
        name => text, kind => int32, start_time_unix_nano => bits64, end_time_unix_nano => bits64, attributes => attributes,
        dropped_attributes_count => uint32, events => |events| Node::messages(Make::Event, events), dropped_events_count => uint32,
        links => |links| Node::messages(Make::Link, links), dropped_links_count => uint32,
        status => |status| Node::message(Make::Status, status), flags => uint32,
    }
    LogRecord {
        time_unix_nano => bits64, severity_number => int32, severity_text => text, body => body, attributes => attributes,
        dropped_attributes_count => uint32, flags => uint32, trace_id => |bytes| id(16, bytes), span_id => |bytes| id(8, bytes),
        observed_time_unix_nano => bits64, event_name => text,
    }
    HistogramDataPoint {
        start_time_unix_nano => bits64, time_unix_nano => bits64, count => bits64, sum => maybe, bucket_counts => counts,
        explicit_bounds => |bounds: Vec<f64>| Node::Numbers(Takes::Double, bounds.into_iter().map(Value::Double).collect()),
        exemplars => |exemplars| Node::messages(Make::Exemplar, exemplars), attributes => attributes, flags => uint32, min => maybe,
        max => maybe,
    }
    ExponentialHistogramDataPoint {
        attributes => attributes, start_time_unix_nano => bits64, time_unix_nano => bits64, count => bits64, sum => maybe, scale => int32,
        zero_count => bits64, positive => |buckets| Node::message(Make::Buckets, buckets),
        negative => |buckets| Node::message(Make::Buckets, buckets), flags => uint32,
        exemplars => |exemplars| Node::messages(Make::Exemplar, exemplars), min => maybe, max => maybe, zero_threshold => double,
    }
    Buckets { offset => int32, bucket_counts => counts }
    SummaryDataPoint {
        start_time_unix_nano => bits64, time_unix_nano => bits64, count => bits64, sum => double,
        quantile_values => |quantiles| Node::messages(Make::Quantile, quantiles), attributes => attributes, flags => uint32,
    }
    ValueAtQuantile { quantile => double, value => double }
    Metric { name => text, description => text, unit => text, metadata => attributes }
    Resource {
        attributes => attributes, dropped_attributes_count => uint32,
        entity_refs => |entities| Node::messages(Make::EntityRef, entities),
    }
    InstrumentationScope { name => text, version => text, attributes => attributes, dropped_attributes_count => uint32 }
}

impl From<NumberDataPoint> for Fields {
    fn from(point: NumberDataPoint) -> Fields {
        let (as_double, as_int) = match point.value {
            None => number(None, None),
            Some(number_data_point::Value::AsDouble(value)) => number(Some(value), None),
            Some(number_data_point::Value::AsInt(value)) => number(None, Some(value)),
        };
        Fields(vec![
            ("start_time_unix_nano", bits64(point.start_time_unix_nano)),
            ("time_unix_nano", bits64(point.time_unix_nano)),
            ("as_double", as_double),
            ("exemplars", Node::messages(Make::Exemplar, point.exemplars)),
            ("as_int", as_int),
            ("attributes", attributes(point.attributes)),
            ("flags", uint32(point.flags)),
        ])
    }
}

impl From<Exemplar> for Fields {
    fn from(exemplar: Exemplar) -> Fields {
        let (as_double, as_int) = match exemplar.value {
            None => number(None, None),
            Some(exemplar::Value::AsDouble(value)) => number(Some(value), None),
            Some(exemplar::Value::AsInt(value)) => number(None, Some(value)),
        };
        Fields(vec![
            ("time_unix_nano", bits64(exemplar.time_unix_nano)),
            ("as_double", as_double),
            ("span_id", id(8, exemplar.span_id)),
            ("trace_id", id(16, exemplar.trace_id)),
            ("as_int", as_int),
            ("filtered_attributes", attributes(exemplar.filtered_attributes)),
        ])
    }
}

impl From<EntityRef> for Fields {
    fn from(entity: EntityRef) -> Fields {
        Fields(vec![
            ("schema_url", text(entity.schema_url)),
            ("type", text(entity.r#type)),
            ("id_keys", texts(entity.id_keys)),
            ("description_keys", texts(entity.description_keys)),
        ])
    }
}

//! The messages of OTLP as tables: what field has which number, name and type.
//!
//! One description serves the check on receipt, the path language, and the conversion from and to JSON, so they cannot disagree.
//! Names are the protocol's own. A field that is not here is unknown: it is carried along and never read.

use super::ItemKind;
use super::json::Key;

/// One message of the protocol.
#[derive(Debug)]
pub struct Message {
    /// Its name in the protocol.
    pub name: &'static str,
    /// Its fields, by number.
    pub fields: &'static [Field],
    /// Field number to place in `fields`.
    places: [u8; MOST_FIELDS],
}

const MOST_FIELDS: usize = 17;
const ABSENT: u8 = u8::MAX;

/// One field of a message.
#[derive(Debug)]
pub struct Field {
    /// Its number on the wire.
    pub number: u32,
    /// Its name in the protocol: `start_time_unix_nano`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// How often.
    pub presence: Presence,
    /// Its name in JSON.
    pub(crate) key: Key,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `bool`.
    Bool,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `uint32`.
    UInt32,
    /// `uint64`.
    UInt64,
    /// `sint32`, zigzag.
    SInt32,
    /// An enum: its names by number. Other numbers are valid too.
    Enum(&'static [(i32, &'static str)]),
    /// `fixed32`.
    Fixed32,
    /// `fixed64`.
    Fixed64,
    /// `sfixed64`.
    SFixed64,
    /// `double`.
    Double,
    /// `string`.
    String,
    /// `bytes`, in base64 where it becomes JSON.
    Bytes,
    /// `bytes` that are an id of so many bytes, in hex where it becomes JSON.
    Id(usize),
    /// A message.
    Message(&'static Message),
}

/// How often a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Once; its zero value is not written.
    Implicit,
    /// Once or not at all, and zero is not the same as absent (every singular message is such a field).
    Explicit,
    /// One of several, which shut each other out.
    OneOf,
    /// Any number of times; numbers packed into one field, though each alone must be read as well.
    Repeated,
}

impl Message {
    const fn new(name: &'static str, fields: &'static [Field]) -> Self {
        let mut places = [ABSENT; MOST_FIELDS];
        let mut place = 0;
        while place < fields.len() {
            places[fields[place].number as usize] = place as u8;
            place += 1;
        }
        Self { name, fields, places }
    }

    /// The field of that number.
    #[inline]
    pub fn field(&self, number: u32) -> Option<&'static Field> {
        let place = *self.places.get(number as usize)?;
        self.fields.get(usize::from(place))
    }

    /// The field of that name, as in the protocol.
    pub fn field_named(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// True for the message itself, not one that looks like it.
    pub fn is(&self, other: &Message) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Field {
    const fn new(number: u32, name: &'static str, kind: Kind, presence: Presence) -> Self {
        Self { number, name, kind, presence, key: Key::new(name) }
    }

    /// The message this field holds, if it holds one.
    pub fn message(&self) -> Option<&'static Message> {
        match self.kind {
            Kind::Message(message) => Some(message),
            _ => None,
        }
    }

    /// Its bit in a set of the fields of a message that were met. The members of a oneof shut each other out, so they share the bit that no
    /// number has.
    #[inline]
    pub(crate) fn singular_bit(&self) -> u32 {
        if self.presence == Presence::OneOf { 1 } else { 1 << self.number }
    }

    /// True where it may stand any number of times.
    pub fn is_repeated(&self) -> bool {
        self.presence == Presence::Repeated
    }

    /// True for a list of key and value, which a path enters by key.
    pub fn is_attributes(&self) -> bool {
        self.is_repeated() && self.message().is_some_and(|message| message.is(&KEY_VALUE))
    }

    /// The wire type a single value of it has.
    #[inline]
    pub(crate) fn wire_type(&self) -> u8 {
        match self.kind {
            Kind::Bool | Kind::Int32 | Kind::Int64 | Kind::UInt32 | Kind::UInt64 | Kind::SInt32 | Kind::Enum(_) => super::wire::VARINT,
            Kind::Fixed32 => super::wire::FIXED32,
            Kind::Fixed64 | Kind::SFixed64 | Kind::Double => super::wire::FIXED64,
            Kind::String | Kind::Bytes | Kind::Id(_) | Kind::Message(_) => super::wire::LEN,
        }
    }
}

const fn one(number: u32, name: &'static str, kind: Kind) -> Field {
    let presence = if matches!(kind, Kind::Message(_)) { Presence::Explicit } else { Presence::Implicit };
    Field::new(number, name, kind, presence)
}

const fn optional(number: u32, name: &'static str, kind: Kind) -> Field {
    Field::new(number, name, kind, Presence::Explicit)
}

const fn one_of(number: u32, name: &'static str, kind: Kind) -> Field {
    Field::new(number, name, kind, Presence::OneOf)
}

const fn many(number: u32, name: &'static str, kind: Kind) -> Field {
    Field::new(number, name, kind, Presence::Repeated)
}

macro_rules! messages {
    ($($(#[doc = $doc:literal])* $name:ident $protocol:literal { $($field:expr,)* })*) => {$(
        $(#[doc = $doc])*
        pub static $name: Message = {
            static FIELDS: &[Field] = &[$($field),*];
            Message::new($protocol, FIELDS)
        };
    )*};
}

use Kind::{Bool, Bytes, Double, Enum, Fixed32, Fixed64, Id, Int32, Int64, SFixed64, SInt32, String, UInt32, UInt64};

/// Bytes of a trace id.
pub const TRACE_ID: usize = 16;
/// Bytes of a span id.
pub const SPAN_ID: usize = 8;

/// What a span is to its neighbours.
pub static SPAN_KINDS: &[(i32, &str)] = &[
    (0, "SPAN_KIND_UNSPECIFIED"),
    (1, "SPAN_KIND_INTERNAL"),
    (2, "SPAN_KIND_SERVER"),
    (3, "SPAN_KIND_CLIENT"),
    (4, "SPAN_KIND_PRODUCER"),
    (5, "SPAN_KIND_CONSUMER"),
];

/// How a span ended.
pub static STATUS_CODES: &[(i32, &str)] = &[(0, "STATUS_CODE_UNSET"), (1, "STATUS_CODE_OK"), (2, "STATUS_CODE_ERROR")];

/// Whether a sum or histogram counts from the last point or from the beginning.
pub static TEMPORALITIES: &[(i32, &str)] =
    &[(0, "AGGREGATION_TEMPORALITY_UNSPECIFIED"), (1, "AGGREGATION_TEMPORALITY_DELTA"), (2, "AGGREGATION_TEMPORALITY_CUMULATIVE")];

/// How grave a log record is.
pub static SEVERITIES: &[(i32, &str)] = &[
    (0, "SEVERITY_NUMBER_UNSPECIFIED"),
    (1, "SEVERITY_NUMBER_TRACE"),
    (2, "SEVERITY_NUMBER_TRACE2"),
    (3, "SEVERITY_NUMBER_TRACE3"),
    (4, "SEVERITY_NUMBER_TRACE4"),
    (5, "SEVERITY_NUMBER_DEBUG"),
    (6, "SEVERITY_NUMBER_DEBUG2"),
    (7, "SEVERITY_NUMBER_DEBUG3"),
    (8, "SEVERITY_NUMBER_DEBUG4"),
    (9, "SEVERITY_NUMBER_INFO"),
    (10, "SEVERITY_NUMBER_INFO2"),
    (11, "SEVERITY_NUMBER_INFO3"),
    (12, "SEVERITY_NUMBER_INFO4"),
    (13, "SEVERITY_NUMBER_WARN"),
    (14, "SEVERITY_NUMBER_WARN2"),
    (15, "SEVERITY_NUMBER_WARN3"),
    (16, "SEVERITY_NUMBER_WARN4"),
    (17, "SEVERITY_NUMBER_ERROR"),
    (18, "SEVERITY_NUMBER_ERROR2"),
    (19, "SEVERITY_NUMBER_ERROR3"),
    (20, "SEVERITY_NUMBER_ERROR4"),
    (21, "SEVERITY_NUMBER_FATAL"),
    (22, "SEVERITY_NUMBER_FATAL2"),
    (23, "SEVERITY_NUMBER_FATAL3"),
    (24, "SEVERITY_NUMBER_FATAL4"),
];

messages! {
    /// `AnyValue`: one of seven types, or nothing.
    ANY_VALUE "AnyValue" {
        one_of(1, "string_value", String),
        one_of(2, "bool_value", Bool),
        one_of(3, "int_value", Int64),
        one_of(4, "double_value", Double),
        one_of(5, "array_value", Kind::Message(&ARRAY_VALUE)),
        one_of(6, "kvlist_value", Kind::Message(&KEY_VALUE_LIST)),
        one_of(7, "bytes_value", Bytes),
        one_of(8, "string_value_strindex", Int32),
    }
    /// `ArrayValue`.
    ARRAY_VALUE "ArrayValue" {
        many(1, "values", Kind::Message(&ANY_VALUE)),
    }
    /// `KeyValueList`.
    KEY_VALUE_LIST "KeyValueList" {
        many(1, "values", Kind::Message(&KEY_VALUE)),
    }
    /// `KeyValue`: one attribute.
    KEY_VALUE "KeyValue" {
        one(1, "key", String),
        one(2, "value", Kind::Message(&ANY_VALUE)),
        one(3, "key_strindex", Int32),
    }
    /// `InstrumentationScope`.
    SCOPE "InstrumentationScope" {
        one(1, "name", String),
        one(2, "version", String),
        many(3, "attributes", Kind::Message(&KEY_VALUE)),
        one(4, "dropped_attributes_count", UInt32),
    }
    /// `EntityRef`.
    ENTITY_REF "EntityRef" {
        one(1, "schema_url", String),
        one(2, "type", String),
        many(3, "id_keys", String),
        many(4, "description_keys", String),
    }
    /// `Resource`.
    RESOURCE "Resource" {
        many(1, "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "dropped_attributes_count", UInt32),
        many(3, "entity_refs", Kind::Message(&ENTITY_REF)),
    }
    /// `Span`.
    SPAN "Span" {
        one(1, "trace_id", Id(TRACE_ID)),
        one(2, "span_id", Id(SPAN_ID)),
        one(3, "trace_state", String),
        one(4, "parent_span_id", Id(SPAN_ID)),
        one(5, "name", String),
        one(6, "kind", Enum(SPAN_KINDS)),
        one(7, "start_time_unix_nano", Fixed64),
        one(8, "end_time_unix_nano", Fixed64),
        many(9, "attributes", Kind::Message(&KEY_VALUE)),
        one(10, "dropped_attributes_count", UInt32),
        many(11, "events", Kind::Message(&EVENT)),
        one(12, "dropped_events_count", UInt32),
        many(13, "links", Kind::Message(&LINK)),
        one(14, "dropped_links_count", UInt32),
        one(15, "status", Kind::Message(&STATUS)),
        one(16, "flags", Fixed32),
    }
    /// `Span.Event`.
    EVENT "Event" {
        one(1, "time_unix_nano", Fixed64),
        one(2, "name", String),
        many(3, "attributes", Kind::Message(&KEY_VALUE)),
        one(4, "dropped_attributes_count", UInt32),
    }
    /// `Span.Link`.
    LINK "Link" {
        one(1, "trace_id", Id(TRACE_ID)),
        one(2, "span_id", Id(SPAN_ID)),
        one(3, "trace_state", String),
        many(4, "attributes", Kind::Message(&KEY_VALUE)),
        one(5, "dropped_attributes_count", UInt32),
        one(6, "flags", Fixed32),
    }
    /// `Status`.
    STATUS "Status" {
        one(2, "message", String),
        one(3, "code", Enum(STATUS_CODES)),
    }
    /// `LogRecord`.
    LOG_RECORD "LogRecord" {
        one(1, "time_unix_nano", Fixed64),
        one(2, "severity_number", Enum(SEVERITIES)),
        one(3, "severity_text", String),
        one(5, "body", Kind::Message(&ANY_VALUE)),
        many(6, "attributes", Kind::Message(&KEY_VALUE)),
        one(7, "dropped_attributes_count", UInt32),
        one(8, "flags", Fixed32),
        one(9, "trace_id", Id(TRACE_ID)),
        one(10, "span_id", Id(SPAN_ID)),
        one(11, "observed_time_unix_nano", Fixed64),
        one(12, "event_name", String),
    }
    /// `Metric`.
    METRIC "Metric" {
        one(1, "name", String),
        one(2, "description", String),
        one(3, "unit", String),
        one_of(5, "gauge", Kind::Message(&GAUGE)),
        one_of(7, "sum", Kind::Message(&SUM)),
        one_of(9, "histogram", Kind::Message(&HISTOGRAM)),
        one_of(10, "exponential_histogram", Kind::Message(&EXPONENTIAL_HISTOGRAM)),
        one_of(11, "summary", Kind::Message(&SUMMARY)),
        many(12, "metadata", Kind::Message(&KEY_VALUE)),
    }
    /// `Gauge`.
    GAUGE "Gauge" {
        many(1, "data_points", Kind::Message(&NUMBER_POINT)),
    }
    /// `Sum`.
    SUM "Sum" {
        many(1, "data_points", Kind::Message(&NUMBER_POINT)),
        one(2, "aggregation_temporality", Enum(TEMPORALITIES)),
        one(3, "is_monotonic", Bool),
    }
    /// `Histogram`.
    HISTOGRAM "Histogram" {
        many(1, "data_points", Kind::Message(&HISTOGRAM_POINT)),
        one(2, "aggregation_temporality", Enum(TEMPORALITIES)),
    }
    /// `ExponentialHistogram`.
    EXPONENTIAL_HISTOGRAM "ExponentialHistogram" {
        many(1, "data_points", Kind::Message(&EXPONENTIAL_HISTOGRAM_POINT)),
        one(2, "aggregation_temporality", Enum(TEMPORALITIES)),
    }
    /// `Summary`.
    SUMMARY "Summary" {
        many(1, "data_points", Kind::Message(&SUMMARY_POINT)),
    }
    /// `NumberDataPoint`.
    NUMBER_POINT "NumberDataPoint" {
        one(2, "start_time_unix_nano", Fixed64),
        one(3, "time_unix_nano", Fixed64),
        one_of(4, "as_double", Double),
        many(5, "exemplars", Kind::Message(&EXEMPLAR)),
        one_of(6, "as_int", SFixed64),
        many(7, "attributes", Kind::Message(&KEY_VALUE)),
        one(8, "flags", UInt32),
    }
    /// `HistogramDataPoint`.
    HISTOGRAM_POINT "HistogramDataPoint" {
        one(2, "start_time_unix_nano", Fixed64),
        one(3, "time_unix_nano", Fixed64),
        one(4, "count", Fixed64),
        optional(5, "sum", Double),
        many(6, "bucket_counts", Fixed64),
        many(7, "explicit_bounds", Double),
        many(8, "exemplars", Kind::Message(&EXEMPLAR)),
        many(9, "attributes", Kind::Message(&KEY_VALUE)),
        one(10, "flags", UInt32),
        optional(11, "min", Double),
        optional(12, "max", Double),
    }
    /// `ExponentialHistogramDataPoint`.
    EXPONENTIAL_HISTOGRAM_POINT "ExponentialHistogramDataPoint" {
        many(1, "attributes", Kind::Message(&KEY_VALUE)),
        one(2, "start_time_unix_nano", Fixed64),
        one(3, "time_unix_nano", Fixed64),
        one(4, "count", Fixed64),
        optional(5, "sum", Double),
        one(6, "scale", SInt32),
        one(7, "zero_count", Fixed64),
        one(8, "positive", Kind::Message(&BUCKETS)),
        one(9, "negative", Kind::Message(&BUCKETS)),
        one(10, "flags", UInt32),
        many(11, "exemplars", Kind::Message(&EXEMPLAR)),
        optional(12, "min", Double),
        optional(13, "max", Double),
        one(14, "zero_threshold", Double),
    }
    /// `ExponentialHistogramDataPoint.Buckets`.
    BUCKETS "Buckets" {
        one(1, "offset", SInt32),
        many(2, "bucket_counts", UInt64),
    }
    /// `SummaryDataPoint`.
    SUMMARY_POINT "SummaryDataPoint" {
        one(2, "start_time_unix_nano", Fixed64),
        one(3, "time_unix_nano", Fixed64),
        one(4, "count", Fixed64),
        one(5, "sum", Double),
        many(6, "quantile_values", Kind::Message(&QUANTILE)),
        many(7, "attributes", Kind::Message(&KEY_VALUE)),
        one(8, "flags", UInt32),
    }
    /// `SummaryDataPoint.ValueAtQuantile`.
    QUANTILE "ValueAtQuantile" {
        one(1, "quantile", Double),
        one(2, "value", Double),
    }
    /// `Exemplar`.
    EXEMPLAR "Exemplar" {
        one(2, "time_unix_nano", Fixed64),
        one_of(3, "as_double", Double),
        one(4, "span_id", Id(SPAN_ID)),
        one(5, "trace_id", Id(TRACE_ID)),
        one_of(6, "as_int", SFixed64),
        many(7, "filtered_attributes", Kind::Message(&KEY_VALUE)),
    }
    /// `ResourceSpans`.
    RESOURCE_SPANS "ResourceSpans" {
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scope_spans", Kind::Message(&SCOPE_SPANS)),
        one(3, "schema_url", String),
    }
    /// `ScopeSpans`.
    SCOPE_SPANS "ScopeSpans" {
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "spans", Kind::Message(&SPAN)),
        one(3, "schema_url", String),
    }
    /// `ResourceLogs`.
    RESOURCE_LOGS "ResourceLogs" {
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scope_logs", Kind::Message(&SCOPE_LOGS)),
        one(3, "schema_url", String),
    }
    /// `ScopeLogs`.
    SCOPE_LOGS "ScopeLogs" {
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "log_records", Kind::Message(&LOG_RECORD)),
        one(3, "schema_url", String),
    }
    /// `ResourceMetrics`.
    RESOURCE_METRICS "ResourceMetrics" {
        one(1, "resource", Kind::Message(&RESOURCE)),
        many(2, "scope_metrics", Kind::Message(&SCOPE_METRICS)),
        one(3, "schema_url", String),
    }
    /// `ScopeMetrics`.
    SCOPE_METRICS "ScopeMetrics" {
        one(1, "scope", Kind::Message(&SCOPE)),
        many(2, "metrics", Kind::Message(&METRIC)),
        one(3, "schema_url", String),
    }
    /// `ExportTraceServiceRequest`, and `TracesData`, which has the same bytes.
    TRACES_REQUEST "ExportTraceServiceRequest" {
        many(1, "resource_spans", Kind::Message(&RESOURCE_SPANS)),
    }
    /// `ExportLogsServiceRequest`, and `LogsData`.
    LOGS_REQUEST "ExportLogsServiceRequest" {
        many(1, "resource_logs", Kind::Message(&RESOURCE_LOGS)),
    }
    /// `ExportMetricsServiceRequest`, and `MetricsData`.
    METRICS_REQUEST "ExportMetricsServiceRequest" {
        many(1, "resource_metrics", Kind::Message(&RESOURCE_METRICS)),
    }
}

/// Number of the list of scopes in a `Resource…` message, and of the list of items (or metrics) in a `Scope…` message.
pub(crate) const LIST: u32 = 2;
/// Number of the list of points in `Gauge`, `Sum` and the others.
pub(crate) const POINTS: u32 = 1;

impl super::Signal {
    /// The message that a whole request of this signal is.
    pub fn request(self) -> &'static Message {
        match self {
            super::Signal::Traces => &TRACES_REQUEST,
            super::Signal::Logs => &LOGS_REQUEST,
            super::Signal::Metrics => &METRICS_REQUEST,
        }
    }
}

impl ItemKind {
    /// The message that an item of this kind is.
    pub fn message(self) -> &'static Message {
        match self {
            ItemKind::Span => &SPAN,
            ItemKind::LogRecord => &LOG_RECORD,
            ItemKind::Gauge | ItemKind::Sum => &NUMBER_POINT,
            ItemKind::Histogram => &HISTOGRAM_POINT,
            ItemKind::ExponentialHistogram => &EXPONENTIAL_HISTOGRAM_POINT,
            ItemKind::Summary => &SUMMARY_POINT,
        }
    }

    /// For points, the field of `Metric` that holds them.
    pub(crate) fn data_field(self) -> Option<u32> {
        match self {
            ItemKind::Span | ItemKind::LogRecord => None,
            ItemKind::Gauge => Some(5),
            ItemKind::Sum => Some(7),
            ItemKind::Histogram => Some(9),
            ItemKind::ExponentialHistogram => Some(10),
            ItemKind::Summary => Some(11),
        }
    }

    /// The kind of point that lies in a field of `Metric`.
    pub(crate) fn of_data_field(number: u32) -> Option<ItemKind> {
        ItemKind::ALL.into_iter().find(|kind| kind.data_field() == Some(number))
    }

    /// Number of the attributes in an item of this kind.
    pub(crate) fn attributes_field(self) -> u32 {
        match self {
            ItemKind::Span | ItemKind::Histogram => 9,
            ItemKind::LogRecord => 6,
            ItemKind::Gauge | ItemKind::Sum | ItemKind::Summary => 7,
            ItemKind::ExponentialHistogram => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_sorted_and_found() {
        for message in [&SPAN, &LOG_RECORD, &METRIC, &ANY_VALUE, &EXPONENTIAL_HISTOGRAM_POINT] {
            assert!(message.fields.is_sorted_by_key(|field| field.number), "{}", message.name);
            for field in message.fields {
                assert!(std::ptr::eq(message.field(field.number).unwrap(), field));
                assert!(std::ptr::eq(message.field_named(field.name).unwrap(), field));
            }
            assert!(message.field(99).is_none());
        }
        assert!(STATUS.field(1).is_none(), "reserved");
    }

    #[test]
    fn items_know_their_attributes() {
        for kind in ItemKind::ALL {
            let field = kind.message().field(kind.attributes_field()).unwrap();
            assert_eq!(field.name, "attributes");
            assert!(field.is_attributes());
        }
    }
}

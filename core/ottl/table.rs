//! The paths that an expression may name: one table per context, the built-in ones and those that a caller brings.

use super::value::Type;
use crate::telemetry::{Signal, schema};

/// Where a context stands: what is further in sees what is further out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// What a caller knows beside the items: `trace.duration`.
    Facts,
    /// Resource.
    Resource,
    /// Instrumentation scope.
    Scope,
    /// Metric, without its points.
    Metric,
    /// Span, log record or point.
    Item,
    /// An event of a span.
    Event,
}

/// The contexts that an expression may speak of.
///
/// ```
/// use tracetailor_core::ottl::{Contexts, Table, Type};
/// use tracetailor_core::telemetry::Signal;
///
/// // A caller that knows more than items say adds a table; what it knows comes with the scene, as `Facts`.
/// let trace = Table::of_facts("trace", [("duration", Type::Duration), ("span_count", Type::Int)]);
/// let contexts = Contexts::of(Signal::Traces).with(trace);
/// # let _ = contexts;
/// ```
#[derive(Clone, Debug)]
pub struct Contexts {
    pub(super) signal: Signal,
    pub(super) tables: Vec<Table>,
}

/// One context: its name, and its paths with what they give.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) name: &'static str,
    pub(super) alias: &'static str,
    pub(super) level: Level,
    pub(super) paths: Vec<PathOf>,
}

/// One path of a context.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathOf {
    /// Dotted, without the context: `status.code`.
    pub(super) name: &'static str,
    pub(super) gives: Type,
    pub(super) field: Field,
}

/// What stands behind a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    /// A field as telemetry's own paths read it.
    Plain(&'static str),
    /// A list of attributes, entered by key.
    Attributes(&'static str),
    /// Nanoseconds, as a moment.
    Time(&'static str),
    /// An id of so many bytes; zeros where there is none.
    Id(&'static str, usize),
    /// The same in hex.
    Hex(&'static str, usize),
    /// A span's kind in a word.
    KindName,
    /// The same as the protocol spells it.
    KindSymbol,
    /// W3C trace state, entered by key.
    TraceState,
    /// A log record's body, entered by key or index.
    Body,
    /// The same as text.
    BodyText,
    /// A number of a point that may hold another kind of number; zero then.
    Number(&'static str),
    /// What kind of metric it is, as the Collector counts them.
    MetricType,
    /// An event's place in its span.
    EventIndex,
    /// What the caller knows, by its number.
    Fact(usize),
    /// The scratch map.
    Cache,
    /// What the client sent along: lists of texts by key.
    Metadata,
}

impl Contexts {
    /// Those of a signal.
    pub fn of(signal: Signal) -> Self {
        let (items, alias, paths): (&'static str, &'static str, &[PathOf]) = match signal {
            Signal::Traces => ("span", "", SPAN),
            Signal::Logs => ("log", "", LOG),
            Signal::Metrics => ("datapoint", "", DATAPOINT),
        };
        let mut tables = vec![
            Table::built_in("resource", "", Level::Resource, RESOURCE),
            Table::built_in("scope", "instrumentation_scope", Level::Scope, SCOPE),
        ];
        if signal == Signal::Metrics {
            tables.push(Table::built_in("metric", "", Level::Metric, METRIC));
        }
        tables.push(Table::built_in(items, alias, Level::Item, paths));
        if signal == Signal::Traces {
            tables.push(Table::built_in("spanevent", "", Level::Event, SPAN_EVENT));
        }
        Self { signal, tables }
    }

    /// The same, and one more.
    #[must_use]
    pub fn with(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    /// The names of the contexts, from the outside in.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.tables.iter().map(|table| table.name)
    }

    /// The level of the context of that name.
    pub fn level(&self, name: &str) -> Option<Level> {
        self.table(name).map(|table| table.level)
    }

    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name || (table.alias == name && !name.is_empty()))
    }

    /// The table of a level. Several tables of facts share one level; then it is the first.
    pub(super) fn at(&self, level: Level) -> Option<&Table> {
        self.tables.iter().find(|table| table.level == level)
    }
}

impl Table {
    /// What a caller knows: names, which may have dots, and what they give. [`Facts`](super::Facts) has the values, by place in this list.
    pub fn of_facts(name: &'static str, paths: impl IntoIterator<Item = (&'static str, Type)>) -> Self {
        let paths = paths.into_iter().enumerate().map(|(number, (name, gives))| PathOf { name, gives, field: Field::Fact(number) });
        Self { name, alias: "", level: Level::Facts, paths: paths.collect() }
    }

    fn built_in(name: &'static str, alias: &'static str, level: Level, paths: &[PathOf]) -> Self {
        let cache = PathOf { name: "cache", gives: Type::Map, field: Field::Cache };
        Self { name, alias, level, paths: paths.iter().copied().chain([cache]).collect() }
    }
}

const fn path(name: &'static str, gives: Type, field: Field) -> PathOf {
    PathOf { name, gives, field }
}

const fn plain(name: &'static str, gives: Type) -> PathOf {
    PathOf { name, gives, field: Field::Plain(name) }
}

const RESOURCE: &[PathOf] = &[
    path("attributes", Type::Map, Field::Attributes("resource.attributes")),
    path("dropped_attributes_count", Type::Int, Field::Plain("resource.dropped_attributes_count")),
    path("schema_url", Type::String, Field::Plain("resource.schema_url")),
];

const SCOPE: &[PathOf] = &[
    path("attributes", Type::Map, Field::Attributes("scope.attributes")),
    path("dropped_attributes_count", Type::Int, Field::Plain("scope.dropped_attributes_count")),
    path("name", Type::String, Field::Plain("scope.name")),
    path("schema_url", Type::String, Field::Plain("scope.schema_url")),
    path("version", Type::String, Field::Plain("scope.version")),
];

const SPAN: &[PathOf] = &[
    path("attributes", Type::Map, Field::Attributes("attributes")),
    plain("dropped_attributes_count", Type::Int),
    plain("dropped_events_count", Type::Int),
    plain("dropped_links_count", Type::Int),
    path("end_time", Type::Time, Field::Time("end_time_unix_nano")),
    plain("end_time_unix_nano", Type::Int),
    plain("events", Type::List),
    plain("flags", Type::Int),
    plain("kind", Type::Int),
    path("kind.deprecated_string", Type::String, Field::KindSymbol),
    path("kind.string", Type::String, Field::KindName),
    plain("links", Type::List),
    plain("name", Type::String),
    path("parent_span_id", Type::Bytes, Field::Id("parent_span_id", schema::SPAN_ID)),
    path("parent_span_id.string", Type::String, Field::Hex("parent_span_id", schema::SPAN_ID)),
    path("span_id", Type::Bytes, Field::Id("span_id", schema::SPAN_ID)),
    path("span_id.string", Type::String, Field::Hex("span_id", schema::SPAN_ID)),
    path("start_time", Type::Time, Field::Time("start_time_unix_nano")),
    plain("start_time_unix_nano", Type::Int),
    plain("status", Type::Map),
    plain("status.code", Type::Int),
    plain("status.message", Type::String),
    path("trace_id", Type::Bytes, Field::Id("trace_id", schema::TRACE_ID)),
    path("trace_id.string", Type::String, Field::Hex("trace_id", schema::TRACE_ID)),
    path("trace_state", Type::String, Field::TraceState),
];

/// The paths of an event are written as those of the span's first one: which one it is comes with the scene.
const SPAN_EVENT: &[PathOf] = &[
    path("attributes", Type::Map, Field::Attributes("events[0].attributes")),
    path("dropped_attributes_count", Type::Int, Field::Plain("events[0].dropped_attributes_count")),
    path("event_index", Type::Int, Field::EventIndex),
    path("name", Type::String, Field::Plain("events[0].name")),
    path("time", Type::Time, Field::Time("events[0].time_unix_nano")),
    path("time_unix_nano", Type::Int, Field::Plain("events[0].time_unix_nano")),
];

const LOG: &[PathOf] = &[
    path("attributes", Type::Map, Field::Attributes("attributes")),
    path("body", Type::Any, Field::Body),
    path("body.string", Type::String, Field::BodyText),
    plain("dropped_attributes_count", Type::Int),
    plain("event_name", Type::String),
    plain("flags", Type::Int),
    path("observed_time", Type::Time, Field::Time("observed_time_unix_nano")),
    plain("observed_time_unix_nano", Type::Int),
    plain("severity_number", Type::Int),
    plain("severity_text", Type::String),
    path("span_id", Type::Bytes, Field::Id("span_id", schema::SPAN_ID)),
    path("span_id.string", Type::String, Field::Hex("span_id", schema::SPAN_ID)),
    path("time", Type::Time, Field::Time("time_unix_nano")),
    plain("time_unix_nano", Type::Int),
    path("trace_id", Type::Bytes, Field::Id("trace_id", schema::TRACE_ID)),
    path("trace_id.string", Type::String, Field::Hex("trace_id", schema::TRACE_ID)),
];

const METRIC: &[PathOf] = &[
    path("aggregation_temporality", Type::Int, Field::Plain("metric.aggregation_temporality")),
    path("description", Type::String, Field::Plain("metric.description")),
    path("is_monotonic", Type::Bool, Field::Plain("metric.is_monotonic")),
    path("metadata", Type::Map, Field::Attributes("metric.metadata")),
    path("name", Type::String, Field::Plain("metric.name")),
    path("type", Type::Int, Field::MetricType),
    path("unit", Type::String, Field::Plain("metric.unit")),
];

const DATAPOINT: &[PathOf] = &[
    path("attributes", Type::Map, Field::Attributes("attributes")),
    plain("bucket_counts", Type::List),
    plain("count", Type::Int),
    plain("exemplars", Type::List),
    plain("explicit_bounds", Type::List),
    plain("flags", Type::Int),
    plain("max", Type::Float),
    plain("min", Type::Float),
    plain("negative", Type::Map),
    plain("negative.bucket_counts", Type::List),
    plain("negative.offset", Type::Int),
    plain("positive", Type::Map),
    plain("positive.bucket_counts", Type::List),
    plain("positive.offset", Type::Int),
    plain("quantile_values", Type::List),
    plain("scale", Type::Int),
    path("start_time", Type::Time, Field::Time("start_time_unix_nano")),
    plain("start_time_unix_nano", Type::Int),
    plain("sum", Type::Float),
    path("time", Type::Time, Field::Time("time_unix_nano")),
    plain("time_unix_nano", Type::Int),
    path("value_double", Type::Float, Field::Number("as_double")),
    path("value_int", Type::Int, Field::Number("as_int")),
    plain("zero_count", Type::Int),
    plain("zero_threshold", Type::Float),
];

/// What the client sent along with its request; the same for every signal and every context.
pub(super) const REQUEST: &[PathOf] =
    &[path("client.metadata", Type::Map, Field::Metadata), path("grpc.metadata", Type::Map, Field::Metadata)];

/// Paths of the request that the Collector has.
pub(super) const REQUEST_PLANNED: &[&str] = &["client.addr", "client.auth.attributes"];

/// The kinds of metric, as the Collector counts them.
const METRIC_TYPES: &[(i32, &str)] = &[
    (0, "METRIC_DATA_TYPE_NONE"),
    (1, "METRIC_DATA_TYPE_GAUGE"),
    (2, "METRIC_DATA_TYPE_SUM"),
    (3, "METRIC_DATA_TYPE_HISTOGRAM"),
    (4, "METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM"),
    (5, "METRIC_DATA_TYPE_SUMMARY"),
];
const POINT_FLAGS: &[(i32, &str)] = &[(0, "FLAG_NONE"), (1, "FLAG_NO_RECORDED_VALUE")];

/// The words for numbers that a signal's expressions may use.
pub(super) fn enums(signal: Signal) -> impl Iterator<Item = (&'static str, i64)> {
    let lists: Vec<&[(i32, &'static str)]> = match signal {
        Signal::Traces => vec![schema::SPAN_KINDS, schema::STATUS_CODES],
        Signal::Logs => vec![schema::SEVERITIES],
        Signal::Metrics => vec![METRIC_TYPES, schema::TEMPORALITIES, POINT_FLAGS],
    };
    lists.into_iter().flatten().map(|(number, name)| (*name, i64::from(*number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Path;

    #[test]
    fn tables_are_sorted_and_lead_somewhere() {
        for signal in Signal::ALL {
            for table in Contexts::of(signal).tables {
                assert!(table.paths[..table.paths.len() - 1].is_sorted_by_key(|path| path.name), "{}", table.name);
                for path in table.paths {
                    if let Field::Plain(text) | Field::Attributes(text) | Field::Time(text) | Field::Id(text, _) | Field::Number(text) =
                        path.field
                    {
                        assert!(Path::parse(signal, text).is_ok(), "{text}");
                    }
                }
            }
        }
    }
}

//! The messages of OTLP as tables: what a field's number means. Written from the protocol's definition, not from any code of this project.

use super::Message;

/// The fields of one message.
pub(super) struct Table {
    /// In the order of the definition.
    pub(super) fields: &'static [Field],
}

/// One field of a message.
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) label: Label,
    pub(super) kind: Kind,
}

/// How often a field may occur, and what several occurrences mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// The last one counts (of messages: all are merged); absent means the default.
    Single,
    /// As `Single`, but absent is not the default.
    Optional,
    /// One of several fields of which the last one sent counts.
    OneOf,
    /// All count, in order.
    Repeated,
}

/// What a field's bytes are.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A 64-bit number.
    Int64,
    /// A number of which the low 32 bits count.
    Int32,
    /// A number of which only being zero or not counts.
    Bool,
    /// Eight bytes.
    Fixed64,
    /// Four bytes.
    Fixed32,
    /// Text or bytes.
    Bytes,
    /// A message.
    Message(&'static Table),
}

impl Table {
    pub(super) fn field(&self, number: u32) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.number == number)
    }
}

pub(super) fn table(message: Message) -> &'static Table {
    match message {
        Message::Traces => &TRACES,
        Message::Logs => &LOGS,
        Message::Metrics => &METRICS,
        Message::Span => &SPAN,
        Message::LogRecord => &LOG_RECORD,
        Message::Resource => &RESOURCE,
        Message::AnyValue => &ANY_VALUE,
    }
}

use Kind::{Bool, Bytes, Fixed32, Fixed64, Int32, Int64};
use Label::{OneOf, Optional, Repeated, Single};

const fn f(number: u32, label: Label, kind: Kind) -> Field {
    Field { number, label, kind }
}

macro_rules! tables {
    ($($name:ident = [$($number:literal $label:ident $kind:expr),* $(,)?];)*) => {
        $(static $name: Table = Table { fields: &[$(f($number, $label, $kind)),*] };)*
    };
}

const fn m(table: &'static Table) -> Kind {
    Kind::Message(table)
}

tables! {
    ANY_VALUE = [
        1 OneOf Bytes, 2 OneOf Bool, 3 OneOf Int64, 4 OneOf Fixed64, 5 OneOf m(&ARRAY_VALUE), 6 OneOf m(&KEY_VALUE_LIST), 7 OneOf Bytes,
        8 OneOf Int32,
    ];
    ARRAY_VALUE = [1 Repeated m(&ANY_VALUE)];
    KEY_VALUE_LIST = [1 Repeated m(&KEY_VALUE)];
    KEY_VALUE = [1 Single Bytes, 2 Single m(&ANY_VALUE), 3 Single Int32];
    SCOPE = [1 Single Bytes, 2 Single Bytes, 3 Repeated m(&KEY_VALUE), 4 Single Int32];
    ENTITY_REF = [1 Single Bytes, 2 Single Bytes, 3 Repeated Bytes, 4 Repeated Bytes];
    RESOURCE = [1 Repeated m(&KEY_VALUE), 2 Single Int32, 3 Repeated m(&ENTITY_REF)];

    TRACES = [1 Repeated m(&RESOURCE_SPANS)];
    RESOURCE_SPANS = [1 Single m(&RESOURCE), 2 Repeated m(&SCOPE_SPANS), 3 Single Bytes];
    SCOPE_SPANS = [1 Single m(&SCOPE), 2 Repeated m(&SPAN), 3 Single Bytes];
    SPAN = [
        1 Single Bytes, 2 Single Bytes, 3 Single Bytes, 4 Single Bytes, 5 Single Bytes, 6 Single Int32, 7 Single Fixed64, 8 Single Fixed64,
        9 Repeated m(&KEY_VALUE), 10 Single Int32, 11 Repeated m(&EVENT), 12 Single Int32, 13 Repeated m(&LINK), 14 Single Int32,
        15 Single m(&STATUS), 16 Single Fixed32,
    ];
    EVENT = [1 Single Fixed64, 2 Single Bytes, 3 Repeated m(&KEY_VALUE), 4 Single Int32];
    LINK = [1 Single Bytes, 2 Single Bytes, 3 Single Bytes, 4 Repeated m(&KEY_VALUE), 5 Single Int32, 6 Single Fixed32];
    STATUS = [2 Single Bytes, 3 Single Int32];

    LOGS = [1 Repeated m(&RESOURCE_LOGS)];
    RESOURCE_LOGS = [1 Single m(&RESOURCE), 2 Repeated m(&SCOPE_LOGS), 3 Single Bytes];
    SCOPE_LOGS = [1 Single m(&SCOPE), 2 Repeated m(&LOG_RECORD), 3 Single Bytes];
    LOG_RECORD = [
        1 Single Fixed64, 2 Single Int32, 3 Single Bytes, 5 Single m(&ANY_VALUE), 6 Repeated m(&KEY_VALUE), 7 Single Int32,
        8 Single Fixed32, 9 Single Bytes, 10 Single Bytes, 11 Single Fixed64, 12 Single Bytes,
    ];

    METRICS = [1 Repeated m(&RESOURCE_METRICS)];
    RESOURCE_METRICS = [1 Single m(&RESOURCE), 2 Repeated m(&SCOPE_METRICS), 3 Single Bytes];
    SCOPE_METRICS = [1 Single m(&SCOPE), 2 Repeated m(&METRIC), 3 Single Bytes];
    METRIC = [
        1 Single Bytes, 2 Single Bytes, 3 Single Bytes, 5 OneOf m(&GAUGE), 7 OneOf m(&SUM), 9 OneOf m(&HISTOGRAM),
        10 OneOf m(&EXPONENTIAL_HISTOGRAM), 11 OneOf m(&SUMMARY), 12 Repeated m(&KEY_VALUE),
    ];
    GAUGE = [1 Repeated m(&NUMBER_POINT)];
    SUM = [1 Repeated m(&NUMBER_POINT), 2 Single Int32, 3 Single Bool];
    HISTOGRAM = [1 Repeated m(&HISTOGRAM_POINT), 2 Single Int32];
    EXPONENTIAL_HISTOGRAM = [1 Repeated m(&EXPONENTIAL_POINT), 2 Single Int32];
    SUMMARY = [1 Repeated m(&SUMMARY_POINT)];
    NUMBER_POINT = [
        2 Single Fixed64, 3 Single Fixed64, 4 OneOf Fixed64, 5 Repeated m(&EXEMPLAR), 6 OneOf Fixed64, 7 Repeated m(&KEY_VALUE),
        8 Single Int32,
    ];
    HISTOGRAM_POINT = [
        2 Single Fixed64, 3 Single Fixed64, 4 Single Fixed64, 5 Optional Fixed64, 6 Repeated Fixed64, 7 Repeated Fixed64,
        8 Repeated m(&EXEMPLAR), 9 Repeated m(&KEY_VALUE), 10 Single Int32, 11 Optional Fixed64, 12 Optional Fixed64,
    ];
    EXPONENTIAL_POINT = [
        1 Repeated m(&KEY_VALUE), 2 Single Fixed64, 3 Single Fixed64, 4 Single Fixed64, 5 Optional Fixed64, 6 Single Int32,
        7 Single Fixed64, 8 Single m(&BUCKETS), 9 Single m(&BUCKETS), 10 Single Int32, 11 Repeated m(&EXEMPLAR), 12 Optional Fixed64,
        13 Optional Fixed64, 14 Single Fixed64,
    ];
    BUCKETS = [1 Single Int32, 2 Repeated Int64];
    SUMMARY_POINT = [
        2 Single Fixed64, 3 Single Fixed64, 4 Single Fixed64, 5 Single Fixed64, 6 Repeated m(&QUANTILE), 7 Repeated m(&KEY_VALUE),
        8 Single Int32,
    ];
    QUANTILE = [1 Single Fixed64, 2 Single Fixed64];
    EXEMPLAR = [
        2 Single Fixed64, 3 OneOf Fixed64, 4 Single Bytes, 5 Single Bytes, 6 OneOf Fixed64, 7 Repeated m(&KEY_VALUE),
    ];
}

//! The 64 bytes that are parsed of every item on receipt: ids, times, kind, and where its bytes lie.

use std::fmt;

/// A trace id: 16 bytes, all zero for "none" (a span always has one, a log record may).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TraceId(pub [u8; 16]);

/// A span id: 8 bytes, all zero for "none".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SpanId(pub [u8; 8]);

impl TraceId {
    /// No trace.
    pub const NONE: TraceId = TraceId([0; 16]);

    /// True when all bytes are zero.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

impl SpanId {
    /// No span.
    pub const NONE: SpanId = SpanId([0; 8]);

    /// True when all bytes are zero.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a span is to its neighbours. Numbers beyond the five that are defined read as `Unspecified`; the bytes keep them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are OpenTelemetry's own")]
pub enum SpanKind {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

/// How a span ended. Numbers beyond the three that are defined read as `Unset`; the bytes keep them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are OpenTelemetry's own")]
pub enum StatusCode {
    Unset,
    Ok,
    Error,
}

/// The head of one item. One layout serves the three signals, so that batches, stores and queues need not care which it is:
///
/// | field | span | log record | metric point |
/// |---|---|---|---|
/// | `trace`, `span` | its ids | the ids it names, if any | none |
/// | `parent` | its parent's id | none | none |
/// | `start` | start time | time | start time |
/// | `end` | end time | observed time | time |
/// | `kind` | span kind | severity number | none |
/// | `status` | status code | 0 | 0 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Trace id.
    pub trace: TraceId,
    /// Span id.
    pub span: SpanId,
    /// Parent span id; none for a root.
    pub parent: SpanId,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// Where the item's bytes begin: in its group's body, or in the batch's edits once [`Head::EDITED`] is set.
    pub offset: u32,
    /// How many bytes the item has.
    pub length: u32,
    /// The group it belongs to: which context, which body, which origin.
    pub group: u32,
    /// See the table above.
    pub kind: u8,
    /// See the table above.
    pub status: u8,
    /// The `Head::…` bits.
    pub flags: u16,
}

impl Head {
    /// The item's bytes were edited since it was received.
    pub const EDITED: u16 = 1;
    /// The span id is zero or not eight bytes long: travels only where something will repair it.
    pub const ODD_SPAN_ID: u16 = 1 << 1;
    /// The parent id is neither empty nor eight bytes long.
    pub const ODD_PARENT_ID: u16 = 1 << 2;
    /// The sender says whether the parent is in another process.
    pub const REMOTE_KNOWN: u16 = 1 << 3;
    /// The parent is in another process (only with [`Head::REMOTE_KNOWN`]).
    pub const REMOTE: u16 = 1 << 4;
    /// The W3C `sampled` flag.
    pub const SAMPLED: u16 = 1 << 5;
    /// The span has no trace state, as nearly all have none: who asks for one need not look through the bytes. Unset, it may have one.
    pub const NO_TRACE_STATE: u16 = 1 << 6;

    /// A head with nothing in it.
    pub const EMPTY: Head = Head {
        trace: TraceId::NONE,
        span: SpanId::NONE,
        parent: SpanId::NONE,
        start: 0,
        end: 0,
        offset: 0,
        length: 0,
        group: 0,
        kind: 0,
        status: 0,
        flags: 0,
    };

    /// True when the bit (or all of the bits) is set.
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag == flag
    }

    /// A span's kind.
    pub fn span_kind(&self) -> SpanKind {
        match self.kind {
            1 => SpanKind::Internal,
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Unspecified,
        }
    }

    /// A span's status.
    pub fn status_code(&self) -> StatusCode {
        match self.status {
            1 => StatusCode::Ok,
            2 => StatusCode::Error,
            _ => StatusCode::Unset,
        }
    }

    /// End minus start, never below zero: clocks lie, and an underflow would make a span 584 years long.
    pub fn duration_nanos(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

const _: () = assert!(size_of::<Head>() == 64, "a head is one cache line");

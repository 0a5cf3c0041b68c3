//! OTLP bytes rewritten without changing what they mean, or damaged on purpose.
//!
//! A sender may put the fields of a message in any order, split a message into two that a reader merges, write a number in more bytes than
//! it needs, and send fields that nobody knows yet. [`rewrite`] does all of that to bytes that prost encoded; [`damage`] makes of them what
//! no sender should send; [`nested`] builds values as deep as one likes.

mod damage;
mod nesting;
mod rewrite;
mod schema;
mod tree;

pub use damage::{Damage, damage, damage_by};
pub use nesting::{Nesting, nested, nested_in_span};
pub use rewrite::{Freedom, Rewrite, rewrite};

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// An `ExportTraceServiceRequest`.
    Traces,
    /// An `ExportLogsServiceRequest`.
    Logs,
    /// An `ExportMetricsServiceRequest`.
    Metrics,
    /// One `Span`.
    Span,
    /// One `LogRecord`.
    LogRecord,
    /// One `Resource`.
    Resource,
    /// One `AnyValue`.
    AnyValue,
}

#[cfg(test)]
mod tests;

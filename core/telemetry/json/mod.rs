//! OTLP/JSON to protobuf and back, by the tables of the [`schema`](super::schema): no message has code of its own.
//!
//! Reading writes protobuf straight from the text. The rules are those of the OTLP specification and, where it is silent, of protobuf's
//! own JSON mapping; whatever a reasonable sender might mean is accepted:
//!
//! - Keys are lowerCamelCase; the protocol's own snake_case names are read too. Unknown keys are ignored, `null` means absent.
//! - Trace and span ids are hex in either case, every other `bytes` field is base64 in either alphabet, padded or not.
//! - Integers may be numbers or strings, also spelled `1.0` or `1e3` if that is exact; enums may be integers or names; doubles may be
//!   numbers, strings of numbers, `"NaN"`, `"Infinity"` or `"-Infinity"`.
//! - A key given twice does what it does in the Collector: of two scalars, or two members of a oneof, the last wins; lists are appended;
//!   messages are merged. A metric with two types of data is rejected, because the points of one of them would go missing.
//! - What is not UTF-8, and half a surrogate pair, becomes U+FFFD and is [counted](super::utf8::repairs).
//!
//! Bad input costs only itself. Text that is no JSON, or has no list where the items should be, is refused as a whole, because nobody can
//! tell what it held. A wrong value inside an item (a span, a log record, a metric point) rejects that item. A wrong value in what items
//! share (resource, scope, metric) rejects all of those. An id of whole bytes is passed on, however many bytes it is: the check on receipt
//! judges it as it does in protobuf.
//!
//! Writing gives compact JSON: fields by number, ids in lower-case hex, 64-bit integers as strings, enums as integers, doubles in their
//! shortest form, nothing for zero unless the protocol tells zero from absent. Fields that the tables do not know have no name and are
//! left out.
//!
//! The text is read by a reader of our own instead of serde's: there a number too large or half a surrogate pair ends the whole
//! request, the depth is bounded for all of it at once, and doubles are rounded unless that is asked for.

mod encoding;
mod key;
mod number;
mod place;
mod read;
mod text;
mod value;
mod write;

use std::fmt;

use super::schema::Message;
use super::{MOST_VALUE_LEVELS, Signal};

pub(crate) use encoding::{put_base64, put_hex};
pub(crate) use key::Key;

/// How many reasons are kept: enough to find the fault in a sender, few enough to send back.
const MOST_REASONS: usize = 5;

/// A request that cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} column {column}: {problem}")]
pub struct JsonError {
    /// Line of the text, from 1.
    pub line: usize,
    /// Byte of the line, from 1.
    pub column: usize,
    /// What would be right there.
    pub problem: String,
}

/// Protobuf bytes that are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// The bytes are no such message.
    #[error("the bytes are not a protobuf message of this type")]
    Malformed,
    /// Values nest deeper than the check on receipt lets pass.
    #[error("values nest too deep")]
    TooDeep,
}

/// What was left out of a request, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// How many items: spans, log records or metric points.
    pub count: u64,
    /// The first few reasons. There may be one without an item: a broken resource that had none.
    pub reasons: Vec<Reason>,
}

/// Why something was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Where, such as `resourceSpans[0].scopeSpans[1].spans[3].traceId`.
    pub path: String,
    /// What is wrong there, and what would be right.
    pub problem: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { out.write_str(&self.problem) } else { write!(out, "{}: {}", self.path, self.problem) }
    }
}

impl Rejected {
    fn note(&mut self, reason: Reason) {
        if self.reasons.len() < MOST_REASONS {
            self.reasons.push(reason);
        }
    }
}

/// Appends the protobuf bytes of a request in JSON. On an error nothing is appended.
pub fn to_protobuf(signal: Signal, json: &[u8], out: &mut Vec<u8>) -> Result<Rejected, JsonError> {
    read::request(signal.request(), json, out)
}

/// Appends a request in JSON, given its protobuf bytes. On an error nothing is appended.
pub fn from_protobuf(signal: Signal, request: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
    message_to_json(signal.request(), request, out)
}

/// Appends any message in JSON, such as a single item, given its protobuf bytes. On an error nothing is appended.
pub fn message_to_json(message: &'static Message, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Undecodable> {
    write::message(message, bytes, out)
}

#[cfg(test)]
mod tests;

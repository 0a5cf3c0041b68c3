//! The data model: telemetry as the bytes it came in, beside a small parsed head per item.
//!
//! A request is walked once. The walk checks it as strictly as a decoder would, and keeps of every item a [`Head`] of 64 bytes: ids, times, kind,
//! status, and where its bytes lie. Nothing else is decoded until somebody reads it, and what nobody edits is never encoded again.
//!
//! ```
//! use std::sync::Arc;
//! use tracetailor_core::ledger::{Books, Fate, LineName, Nobody, Receipt};
//! use tracetailor_core::telemetry::{Intake, Interner, Limits, Origin, Path, Signal, Source, Value};
//! use tracetailor_core::time::LogTime;
//! # use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::{ResourceSpans, ScopeSpans, Span}};
//! # use prost::Message;
//! # let span = |id: u8| Span { trace_id: vec![7; 16], span_id: vec![id; 8], name: "GET /cart".into(), ..Default::default() };
//! # let scope = ScopeSpans { spans: vec![span(1), span(2)], ..Default::default() };
//! # let resource = ResourceSpans { scope_spans: vec![scope], ..Default::default() };
//! # let request = prost::bytes::Bytes::from(ExportTraceServiceRequest { resource_spans: vec![resource] }.encode_to_vec());
//! # let books = Books::new();
//! # let line = books.line(LineName::Pipeline("traces".into()), Signal::Traces);
//! // A receiver reads a request and answers for its items.
//! let intake = Intake::new(Interner::new(), Limits::default());
//! let parsed = intake.parse(Signal::Traces, request.clone())?;
//! let share = Receipt::open(&books, Arc::new(Nobody), 0).accept(&line, parsed.total());
//! let mut batch = parsed.from_origin(Origin { share, source: Arc::new(Source::default()), received_at: LogTime(0) });
//!
//! // Untouched, it leaves as it came.
//! assert_eq!(batch.to_bytes(), request);
//!
//! // A processor edits through paths; whoever reads later reads the edit.
//! let name = Path::parse(Signal::Traces, "name")?;
//! batch.edit_items(|span| assert!(span.set(&name, &Value::from("GET /{page}")).is_ok()));
//! assert_eq!(batch.item(0).name(), "GET /{page}");
//!
//! // Whoever has a batch says what becomes of it.
//! batch.settle(Fate::Delivered);
//! books.report().assert_balanced();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In reading order:
//!
//! 1. [`Signal`] and [`ItemKind`]: traces, logs and metrics are one type here, because most of what a gateway does is the same for all three.
//! 2. [`Head`]: what is parsed of every item. [`Context`]: what many items share, kept once, compared by number.
//! 3. [`Intake`]: from the bytes of a request to a batch. One broken item costs only itself; [`Rejections`] says which and why.
//! 4. [`Telemetry`]: the batch. [`Origin`]: the requests it was made of, and who waits to hear what becomes of them.
//! 5. [`Item`]: one span, log record or point, read in place. [`Value`] and [`ValueRef`]: what is read.
//! 6. [`Path`]: the one language of places. [`ItemMut`]: edits through it. [`Sweep`]: a pass over every text there is.
//! 7. [`Traces`], [`Telemetry::split`], [`Telemetry::append`]: regrouping. [`Telemetry::emit`]: back to bytes.
//! 8. [`schema`]: the protocol's messages as tables, which all of this is driven by. [`json`]: OTLP/JSON. [`Decoded`]: structs, for edges and tests.
//!
//! Three things hold everywhere. *Nothing recurses deeper than a sender is allowed to nest* ([`MOST_VALUE_LEVELS`]). *What the check let in, every
//! later reader can read*: a message with singular fields given twice is made plain on receipt, so the first occurrence is the only one. *A
//! string is bytes until it is read*; [`utf8`] repairs and counts what is none.

mod batch;
mod check;
mod context;
mod context_cache;
mod decoded;
mod depth;
pub(crate) mod edit;
mod emit;
mod head;
mod heads;
mod item;
mod item_mut;
pub mod json;
pub mod measure;
mod new_span;
mod one_pass;
mod origin;
mod path;
mod plain;
pub(crate) mod read;
mod receive;
pub mod schema;
mod signal;
mod split;
mod sweep;
mod traces;
pub mod utf8;
mod value;
pub(crate) mod wire;

pub use batch::{Telemetry, TelemetryBuilder};
pub use check::MOST_VALUE_LEVELS;
pub use context::{BadEnvelope, Context, Interner, Level};
pub use context_cache::ContextCache;
pub use decoded::Decoded;
pub use edit::EditError;
pub use head::{Head, SpanId, SpanKind, StatusCode, TraceId};
pub use item::Item;
pub use item_mut::{ItemMut, Rewrite};
pub use new_span::NewSpan;
pub(crate) use one_pass::{OnText, OnePass, When};
pub use origin::{Origin, Source, SourceTag};
pub(crate) use path::Step;
pub use path::{Path, PathError};
pub use receive::{Intake, Limits, OddIds, Parsed, Reason, Refusal, Rejections};
pub use signal::{ItemKind, Signal};
pub use split::SignalsDiffer;
pub use sweep::{Entry, Owner, Place, Sweep, Sweeper, Swept, put_key_value};
pub use traces::Traces;
pub use value::{Attribute, ListRef, MapRef, Value, ValueRef};

#[cfg(test)]
mod tests;

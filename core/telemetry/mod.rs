//! The data model: telemetry as the bytes it came in, beside a small parsed head per item.

mod head;
pub mod json;
mod origin;
pub mod schema;
mod signal;
pub mod utf8;
mod wire;

pub use head::{Head, SpanId, SpanKind, StatusCode, TraceId};
pub use origin::{Origin, Source, SourceTag};
pub use signal::{ItemKind, Signal};

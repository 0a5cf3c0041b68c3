//! The data model: telemetry as the bytes it came in, beside a small parsed head per item.

mod batch;
mod check;
mod context;
mod decoded;
mod edit;
mod emit;
mod head;
mod heads;
mod item;
mod item_mut;
mod origin;
mod path;
mod plain;
mod read;
mod receive;
pub mod schema;
mod signal;
mod split;
pub mod utf8;
mod value;
mod wire;

pub use batch::{Telemetry, TelemetryBuilder};
pub use check::MOST_VALUE_LEVELS;
pub use context::{BadEnvelope, Context, Interner, Level};
pub use decoded::Decoded;
pub use edit::EditError;
pub use head::{Head, SpanId, SpanKind, StatusCode, TraceId};
pub use item::Item;
pub use item_mut::{ItemMut, Rewrite};
pub use origin::{Origin, Source, SourceTag};
pub use path::{Path, PathError};
pub use receive::{Intake, Limits, OddIds, Parsed, Reason, Refusal, Rejections};
pub use signal::{ItemKind, Signal};
pub use split::SignalsDiffer;
pub use value::{Attribute, ListRef, MapRef, Value, ValueRef};

//! What tests are written with: builders, shapes of traces, realistic payloads, arbitrary telemetry, and bytes rewritten or damaged on purpose.
//!
//! Nothing here shares code with what it tests: requests are built as `opentelemetry-proto`'s structs and encoded by prost, and the walker
//! that rewrites bytes knows the wire from a table of its own.
//!
//! | to get | use |
//! |---|---|
//! | a span, a log record, a metric, spelled out | [`span`], [`log`], [`gauge`], [`sum`], [`histogram`], [`exponential_histogram`], [`summary`] |
//! | a request of them | [`traces`], [`logs`], [`metrics`] |
//! | a trace of a certain shape | [`trace_of`], [`odd_shapes`] |
//! | a processor run as a lane runs it | [`Driver`], [`Script`] |
//! | a README's stories, run; its table of keys, checked | [`run_stories`], [`assert_manual`] |
//! | what is wrong with a block, as a user is told | [`problems`] |
//! | cases recorded from a real Collector, run | [`run_recorded`] |
//! | what stands before and behind a processor | [`Inlet`], [`Sink`] |
//! | what production sends, for measuring | [`Payload`] |
//! | anything that is valid | [`arbitrary`] |
//! | the same meaning in other bytes, or broken bytes | [`wire`] |

pub mod arbitrary;
mod built;
mod dice;
mod driver;
pub mod fuzz;
mod ids;
mod inlet;
mod logs;
mod manual;
mod metrics;
pub mod otlp;
mod payload;
mod shapes;
mod sink;
mod spans;
mod story;
mod value;
pub mod wire;

pub use built::{Built, Place};
pub use dice::Dice;
pub use driver::{Driver, Script, Step};
pub use ids::{IntoSpanId, IntoTraceId, span_id, trace_id};
pub use inlet::{Answer, Inlet};
pub use logs::{log, logs};
pub use manual::{assert_manual, problems};
pub use metrics::{IntoNumber, exponential_histogram, gauge, histogram, metrics, sum, summary};
pub use payload::Payload;
pub use shapes::{Trace, odd_shapes, trace_of};
pub use sink::Sink;
pub use spans::{START, SpanDraft, span, traces};
pub use story::{Story, run_recorded, run_stories};
pub use value::{IntoValue, attribute, bytes, list, map};

#[cfg(test)]
mod tests;

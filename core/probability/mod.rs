//! Consistent probability sampling: numbers that travel with a trace, so that every stage decides alike and what is kept can be counted back.
//!
//! A trace has a [`Randomness`] R of 56 bits, a stage a [`Threshold`] T, and what has R ≥ T is kept. Whoever keeps something writes its threshold into
//! [`OtelState`], the OpenTelemetry member of the trace state (`ot=th:8;rv:…`); whoever reads it knows that a span with T stands for 2⁵⁶ ∕ (2⁵⁶ − T).
//! A stage may raise a threshold, never lower it.
//!
//! ```
//! use tracetailor_core::probability::{OtelState, Randomness, Threshold};
//! use tracetailor_core::telemetry::TraceId;
//!
//! let half = Threshold::of(0.5, 4);
//! let trace = TraceId(0x0af7651916cd43dd_00900000_00000000_u128.to_be_bytes());
//! assert!(half.keeps(Randomness::of(trace)));
//!
//! let mut state = OtelState::read("vendor=1,ot=th:4")?;
//! assert_eq!(state.threshold().map(Threshold::probability), Some(0.75));
//! state.set_threshold(half);
//! assert_eq!(state.to_string(), "ot=th:8,vendor=1");
//! # Ok::<(), tracetailor_core::probability::BadState>(())
//! ```

mod randomness;
mod state;
mod threshold;

pub use randomness::Randomness;
pub use state::{BadState, OtelState};
pub use threshold::Threshold;

#[cfg(test)]
mod tests;

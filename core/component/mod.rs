//! The contracts: what a component is, one page per kind.

mod trace_stage;

pub use trace_stage::{Notes, Outcome, TraceStage, Trigger, Verdict, Wants};

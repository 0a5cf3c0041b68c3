//! The parts that the gateway itself plays for some components: what it must know of them beyond how to build one.

use std::time::Duration;

use super::context::ProcessorContext;
use super::error::{BuildError, NeedsRebuild};
use super::factory::AnyConfig;
use super::trace_stage::TraceStage;
use crate::config::Delivery;
use crate::trace_store::Limits;

/// What a [`Factory`](super::Factory) says of a component that is more than a box in a row. Only the planner asks, so that no part of the
/// gateway needs to know a component by its name.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// A box in a row.
    Plain,
    /// A processor that limits what is admitted: the planner hoists it out of the pipeline, to where memory is asked for. In the pipeline it
    /// passes everything on.
    Limiter(fn(&AnyConfig) -> Result<MemoryLimit, NeedsRebuild>),
    /// A processor that works on whole traces: neighbours in a pipeline share one store.
    Stage(fn(&AnyConfig, &ProcessorContext) -> Result<StagePart, BuildError>),
    /// A processor that may leave out single items, as its configuration tells: in front of one that [judges whole
    /// traces](super::JUDGES_WHOLE_TRACES) it makes holes in them.
    Sieve(fn(&AnyConfig) -> bool),
    /// An exporter with a queue before it, retries, and the rest of what is written once around exporters.
    Delivering(fn(&AnyConfig) -> Result<Delivery, NeedsRebuild>),
}

/// How much memory may be held, as `memory_limiter` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// Above this nothing is admitted, and caches are let go.
    pub hard: Memory,
    /// So much below the hard limit admission begins to refuse; a fifth of it unless set.
    pub spike: Option<Memory>,
    /// How often what the process really takes is looked at, beside what is counted.
    pub check_interval: Duration,
}

/// An amount of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// So many bytes.
    Bytes(u64),
    /// So many hundredths of what this process may use: of its cgroup, or of the machine.
    Percent(u8),
}

/// One stage that works on whole traces, and what it asks of the store it will stand on.
pub struct StagePart {
    /// The stage, for one lane.
    pub stage: Box<dyn TraceStage>,
    /// How much the store may hold and for how long. Budgets in it are [shared](super::BuildContext::share) by the lanes. Of neighbours the
    /// longest wait and the smallest limits hold; where `bytes` is unlimited the gateway sets its own share.
    pub limits: Limits,
    /// What traces are kept for where no stage judges: `released`.
    pub unjudged: &'static str,
}

#![doc = include_str!("README.md")]

use serde::Deserialize;
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, Notes, Part, Processor, ProcessorContext, ProcessorFactory, Processors, Stability, StagePart,
    TraceStage,
};
use tracetailor_core::config::{ConfigErrors, Period, Schema, Validate};
use tracetailor_core::telemetry::{Item, Signal};
use tracetailor_core::trace_store::{Budget, Limits, Outline, Slot, Trace, TraceOut, TraceStore, WholeTraces};

mod counts;

use counts::Counts;

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a trace is held, from its first span.
    pub wait_duration: Period,
    /// How many traces are held at most; beyond it the oldest leave early.
    pub num_traces: u64,
    /// Read and without effect: the lanes share the work.
    pub num_workers: u32,
    /// Not supported, neither here nor in the Collector.
    pub discard_orphans: bool,
    /// Not supported, neither here nor in the Collector.
    pub store_on_disk: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { wait_duration: Period::seconds(1), num_traces: 1_000_000, num_workers: 1, discard_orphans: false, store_on_disk: false }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.num_traces == 0 {
            errors.error("num_traces", "must be positive: no trace could wait", "write a number such as 1000000");
        }
        for (key, wanted) in [("discard_orphans", self.discard_orphans), ("store_on_disk", self.store_on_disk)] {
            if wanted {
                errors.error(key, "is not supported, neither here nor in the Collector", "remove it");
            }
        }
    }
}

/// How one is made, and what stage it stands for.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<GroupByTrace>("groupbytrace", Stability::Beta, include_str!("README.md"))
    .only_for(&[Signal::Traces])
    .playing(Part::Stage(stage));

/// What traces are kept for.
const RELEASED: &str = "released";

fn stage(config: &AnyConfig, context: &ProcessorContext) -> Result<StagePart, BuildError> {
    let config: &Config =
        config.get().map_err(|_| BuildError::new("this is no configuration of groupbytrace", "this is a bug: please report it"))?;
    Ok(config.stage(context))
}

impl Config {
    fn stage(&self, context: &ProcessorContext) -> StagePart {
        // What a user wrote is for all lanes together.
        let traces = context.share("traces", || Budget::new(self.num_traces));
        traces.set_limit(self.num_traces);
        let limits = Limits { traces: Budget::clone(&traces), ..Limits::with_wait(self.wait_duration.get()) };
        let counts = Counts::new(context, self.num_traces);
        StagePart { stage: Box::new(GroupByTrace { counts }), limits, unjudged: RELEASED }
    }
}

/// Judges nothing and repairs nothing: that a trace is held until its time has come is what the store does for every stage.
pub struct GroupByTrace {
    counts: Counts,
}

impl Component for GroupByTrace {
    type Kind = Processors;
    type Config = Config;

    /// As a box of its own, with a store of its own.
    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        let StagePart { stage, limits, unjudged } = config.stage(context);
        let store = TraceStore::new(limits, context.line.held("groupbytrace"), context.cause("no_time"));
        Ok(Box::new(WholeTraces::new(store, vec![stage], context.cause(unjudged))))
    }
}

impl TraceStage for GroupByTrace {
    fn open(&mut self, trace: &Outline<'_>) {
        self.counts.opened(trace.slot());
    }

    fn arrive(&mut self, _trace: &Outline<'_>, _span: Item<'_>) {}

    fn finish(&mut self, trace: &Trace<'_>, _notes: &Notes, _out: &mut TraceOut<'_>) {
        self.counts.released(trace.trigger(), trace.len() as u64);
    }

    fn close(&mut self, slot: Slot) {
        self.counts.closed(slot);
    }
}

#[cfg(test)]
mod tests;

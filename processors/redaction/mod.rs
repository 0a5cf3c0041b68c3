#![doc = include_str!("README.md")]

mod actions;
mod collector;
mod config;
mod detectors;
mod eight;
mod encodings;
mod finder;
mod glance;
mod grams;
mod hand;
mod hem;
mod json;
mod keys;
mod needs;
mod ours;
mod prefilter;
mod proof;
mod report;
mod rules;
mod skip;
mod sql;
mod verdicts;

use tracetailor_core::component::{
    AnyConfig, BuildError, Component, NeedsRebuild, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Stability,
};
use tracetailor_core::telemetry::Telemetry;

pub use actions::tokens;
pub use collector::{DbSanitizer, HashFunction, SqlSanitizer, Summary, UrlSanitizer};
pub use config::{Action, Config, Fold, Hmac, ItemLimits, KeyRule, Locale, Mode, PatternRule, Preset, PreviousKey};
use hem::Hem;

/// How one is made.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<Redaction>("redaction", Stability::Beta, include_str!("README.md"));

/// Sweeps every item, and every context once for all items that share it.
pub struct Redaction {
    hem: Hem,
    context: ProcessorContext,
}

impl Component for Redaction {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Ok(Box::new(Self { hem: Hem::new(config, context)?, context: context.clone() }))
    }
}

impl Processor for Redaction {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        self.hem.look(&batch, out.now());
        self.hem.contexts(&mut batch);
        self.hem.items(&mut batch);
        self.hem.settle(&mut batch);
        out.emit(batch);
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        self.hem = Hem::new(config.get()?, &self.context).map_err(|_| NeedsRebuild)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

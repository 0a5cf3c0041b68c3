#![doc = include_str!("README.md")]

use serde::Deserialize;
use tracetailor_core::attributes::{Actions, AttributeAction, Of};
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, NeedsRebuild, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Stability,
};
use tracetailor_core::config::{ConfigErrors, Schema, Validate};
use tracetailor_core::selection::{Properties, Selection};
use tracetailor_core::telemetry::{Signal, Telemetry};

/// What the user writes.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What is done, in this order. Must hold something.
    pub actions: Vec<AttributeAction>,
    /// Only to these items.
    pub include: Option<Properties>,
    /// But not to these.
    pub exclude: Option<Properties>,
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.actions.is_empty() {
            errors.error("actions", "is missing", "write at least one action, or remove the processor");
        }
        errors.within("actions", &self.actions);
        errors.within("include", &self.include);
        errors.within("exclude", &self.exclude);
    }
}

/// How one is made.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<Attributes>("attributes", Stability::Beta, include_str!("README.md"));

/// Looks at every item, and changes those that are meant.
pub struct Attributes {
    signal: Signal,
    actions: Actions,
    selection: Selection,
}

impl Component for Attributes {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Ok(Box::new(Self::new(config, context.line.signal())?))
    }
}

impl Attributes {
    fn new(config: &Config, signal: Signal) -> Result<Self, BuildError> {
        let actions = Actions::new(&config.actions, signal, Of::Item)?;
        let selection = Selection::new(config.include.as_ref(), config.exclude.as_ref(), signal)?;
        Ok(Self { signal, actions, selection })
    }
}

impl Processor for Attributes {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        let Self { actions, selection, .. } = self;
        actions.apply_to_items(&mut batch, |item| selection.means(item));
        out.emit(batch);
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        *self = Self::new(config.get()?, self.signal).map_err(|_| NeedsRebuild)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

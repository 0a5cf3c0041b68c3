#![doc = include_str!("README.md")]

use std::sync::Arc;

use serde::Deserialize;
use tracetailor_core::attributes::{Actions, AttributeAction, Of, ResourceAttributes};
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, NeedsRebuild, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Stability,
};
use tracetailor_core::config::{ConfigErrors, Schema, Validate};
use tracetailor_core::telemetry::{Context, ContextCache, Signal, Source, Telemetry};

/// What the user writes.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What is done, in this order. Must hold something.
    pub attributes: Vec<AttributeAction>,
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.attributes.is_empty() {
            errors.error("attributes", "is missing", "write at least one action, or remove the processor");
        }
        errors.within("attributes", &self.attributes);
    }
}

/// How one is made.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<Resource>("resource", Stability::Beta, include_str!("README.md"));

/// Works on contexts: once for each resource that is new, and not for each of its items.
pub struct Resource {
    signal: Signal,
    actions: Actions,
    /// What resources become. Not used where that depends on who sent them.
    known: ContextCache<Option<Arc<Context>>>,
}

impl Component for Resource {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        let signal = context.line.signal();
        let actions = Actions::new(&config.attributes, signal, Of::Resource)?;
        Ok(Box::new(Self { signal, actions, known: ContextCache::lingering() }))
    }
}

impl Processor for Resource {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        let Self { actions, known, .. } = self;
        if actions.ask_the_source() {
            batch.map_contexts_by_source(|context, source| changed(actions, context, source));
        } else {
            let nobody = Source::default();
            batch.map_contexts(|context| known.get(context, |context| changed(actions, context, &nobody)).clone());
        }
        out.emit(batch);
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        let config: &Config = config.get()?;
        self.actions = Actions::new(&config.attributes, self.signal, Of::Resource).map_err(|_| NeedsRebuild)?;
        self.known = ContextCache::lingering();
        Ok(())
    }
}

/// What a resource becomes; `None` where that is what it is.
fn changed(actions: &Actions, context: &Arc<Context>, source: &Source) -> Option<Arc<Context>> {
    let mut attributes = ResourceAttributes::of(context);
    actions.apply(&mut attributes, source);
    attributes.changed()
}

#[cfg(test)]
mod tests;

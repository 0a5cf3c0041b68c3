#![doc = include_str!("README.md")]

use serde::Deserialize;
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, Connector, ConnectorFactory, Connectors, LaneContext, NeedsRebuild, Routes, Stability,
};
use tracetailor_core::config::{Schema, Validate};
use tracetailor_core::ledger::{Cause, Fate};
use tracetailor_core::telemetry::Telemetry;

/// What the user writes: nothing.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

impl Validate for Config {}

/// How one is made.
pub const FACTORY: ConnectorFactory = ConnectorFactory::of::<Forward>("forward", Stability::Stable, include_str!("README.md"));

/// Leads every pipeline that ends in it into every pipeline of its signal that it begins.
pub struct Forward {
    /// For what comes of a signal that it leads nowhere, which no valid configuration has.
    nowhere: Cause,
}

impl Component for Forward {
    type Kind = Connectors;
    type Config = Config;

    fn build(_config: &Config, context: &LaneContext) -> Result<Box<dyn Connector>, BuildError> {
        Ok(Box::new(Self { nowhere: context.cause("no_pipeline") }))
    }
}

impl Connector for Forward {
    fn forward(&mut self, mut batch: Telemetry, routes: &mut Routes) {
        let fitting = |route: &usize| routes.line(*route).signal() == batch.signal();
        let fitting: Vec<usize> = (0..routes.pipelines().count()).filter(fitting).collect();
        match fitting.split_last() {
            None => batch.settle(Fate::Failed(self.nowhere)),
            Some((last, others)) => {
                others.iter().for_each(|route| routes.emit(*route, batch.copy()));
                routes.emit(*last, batch);
            }
        }
    }

    fn reconfigure(&mut self, _config: &AnyConfig) -> Result<(), NeedsRebuild> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;

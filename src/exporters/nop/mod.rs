#![doc = include_str!("README.md")]

use serde::Deserialize;
use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, Delivered, ExportError, Exporter, ExporterFactory, Exporters, Stability,
};
use tracetailor_core::config::{Schema, Validate};
use tracetailor_core::telemetry::Telemetry;

/// What the user writes: nothing.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {}

impl Validate for Config {}

/// How one is made.
pub const FACTORY: ExporterFactory = ExporterFactory::of::<Nop>("nop", Stability::Stable, include_str!("README.md"));

/// The end of the road.
pub struct Nop;

impl Component for Nop {
    type Kind = Exporters;
    type Config = Config;

    fn build(_config: &Config, _context: &BuildContext) -> Result<Box<dyn Exporter>, BuildError> {
        Ok(Box::new(Self))
    }
}

impl Exporter for Nop {
    fn export<'a>(&'a self, _batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(std::future::ready(Ok(Delivered::ALL)))
    }
}

#[cfg(test)]
mod tests;

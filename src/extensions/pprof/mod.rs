#![doc = include_str!("README.md")]

use serde::Deserialize;
use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, Extension, ExtensionContext, ExtensionFactory, Extensions, RunError, Stability,
};
use tracetailor_core::config::{ConfigErrors, Schema, Unused, Validate};

/// What the user writes.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Unused: nobody listens.
    pub endpoint: Unused,
    /// Unused: a profile of waiting for locks in Go.
    pub block_profile_fraction: Unused,
    /// Unused: a profile of waiting for locks in Go.
    pub mutex_profile_fraction: Unused,
    /// Unused: no profile is written.
    pub save_to_file: Unused,
    /// Unused: nobody is connected to.
    pub dialer: Unused,
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        let instead = "remove it; perf record -g -p PID profiles the gateway, and the page of metrics tells what it costs";
        errors.warn_here("profiles of Go have no counterpart here, and nobody listens", instead);
    }
}

/// How one is made.
pub const FACTORY: ExtensionFactory = ExtensionFactory::of::<Pprof>("pprof", Stability::Stable, include_str!("README.md"));

/// Nothing: a profile of a program in Go is what the Collector serves there.
pub struct Pprof;

impl Component for Pprof {
    type Kind = Extensions;
    type Config = Config;

    fn build(_config: &Config, _context: &BuildContext) -> Result<Box<dyn Extension>, BuildError> {
        Ok(Box::new(Self))
    }
}

impl Extension for Pprof {
    fn run(self: Box<Self>, context: ExtensionContext) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            context.stop.asked().await;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;

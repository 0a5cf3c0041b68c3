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
    /// Unused: the variables of a program in Go.
    pub expvar: Unused,
    /// Unused: nobody listens.
    pub transport: Unused,
    /// Unused: nobody listens.
    pub tls: Unused,
    /// Unused: nobody listens.
    pub cors: Unused,
    /// Unused: nobody listens.
    pub auth: Unused,
    /// Unused: nobody listens.
    pub max_request_body_size: Unused,
    /// Unused: nobody listens.
    pub include_metadata: Unused,
    /// Unused: nobody listens.
    pub response_headers: Unused,
    /// Unused: nobody listens.
    pub compression_algorithms: Unused,
    /// Unused: nobody listens.
    pub read_timeout: Unused,
    /// Unused: nobody listens.
    pub read_header_timeout: Unused,
    /// Unused: nobody listens.
    pub write_timeout: Unused,
    /// Unused: nobody listens.
    pub idle_timeout: Unused,
    /// Unused: nobody listens.
    pub keep_alives_enabled: Unused,
    /// Unused: nobody listens.
    pub keepalive: Unused,
    /// Unused: nobody listens.
    pub middlewares: Unused,
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        let instead = "remove it; the admin extension at 127.0.0.1:8889 has /ledger and /config, and :8888/metrics has the rest";
        errors.warn_here("these pages are not served here, and nobody listens", instead);
    }
}

/// How one is made.
pub const FACTORY: ExtensionFactory = ExtensionFactory::of::<Zpages>("zpages", Stability::Stable, include_str!("README.md"));

/// Nothing: the pages of the admin extension and the metrics are where the Collector's zpages lead.
pub struct Zpages;

impl Component for Zpages {
    type Kind = Extensions;
    type Config = Config;

    fn build(_config: &Config, _context: &BuildContext) -> Result<Box<dyn Extension>, BuildError> {
        Ok(Box::new(Self))
    }
}

impl Extension for Zpages {
    fn run(self: Box<Self>, context: ExtensionContext) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            context.stop.asked().await;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;

#![doc = include_str!("README.md")]

use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, Delivered, ExportError, Exporter, ExporterFactory, Exporters, Parcel, Part, Stability,
};
use tracetailor_core::telemetry::Telemetry;
pub use tracetailor_net::otlp::http::Config;
use tracetailor_net::otlp::http::OtlpHttp as Sender;

/// How it is made.
pub const FACTORY: ExporterFactory = ExporterFactory::of::<OtlpHttp>("otlp_http", Stability::Beta, include_str!("README.md"))
    .formerly(&["otlphttp"])
    .playing(Part::Delivering(|config| Ok(config.get::<Config>()?.delivery())));

/// Sends batches as they are.
pub struct OtlpHttp {
    sender: Sender,
}

impl Component for OtlpHttp {
    type Kind = Exporters;
    type Config = Config;

    fn build(config: &Config, context: &BuildContext) -> Result<Box<dyn Exporter>, BuildError> {
        Ok(Box::new(Self { sender: Sender::new(config, context)? }))
    }
}

impl Exporter for OtlpHttp {
    fn prepare(&self, batch: Telemetry) -> Vec<Parcel> {
        self.sender.prepare(batch)
    }

    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(self.sender.send(batch))
    }
}

#[cfg(test)]
mod tests;

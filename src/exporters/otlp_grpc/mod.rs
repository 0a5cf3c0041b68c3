#![doc = include_str!("README.md")]

use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, Delivered, ExportError, Exporter, ExporterFactory, Exporters, Parcel, Part, Stability,
};
use tracetailor_core::telemetry::Telemetry;
pub use tracetailor_net::otlp::grpc::Config;
use tracetailor_net::otlp::grpc::OtlpGrpc as Sender;

/// How it is made.
pub const FACTORY: ExporterFactory = ExporterFactory::of::<OtlpGrpc>("otlp_grpc", Stability::Beta, include_str!("README.md"))
    .formerly(&["otlp"])
    .playing(Part::Delivering(|config| Ok(config.get::<Config>()?.delivery())));

/// Sends batches as they are.
pub struct OtlpGrpc {
    sender: Sender,
}

impl Component for OtlpGrpc {
    type Kind = Exporters;
    type Config = Config;

    fn build(config: &Config, context: &BuildContext) -> Result<Box<dyn Exporter>, BuildError> {
        Ok(Box::new(Self { sender: Sender::new(config, context)? }))
    }
}

impl Exporter for OtlpGrpc {
    fn prepare(&self, batch: Telemetry) -> Vec<Parcel> {
        self.sender.prepare(batch)
    }

    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(self.sender.send(batch))
    }
}

#[cfg(test)]
mod tests;

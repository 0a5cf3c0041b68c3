#![doc = include_str!("README.md")]

mod config;
mod names;
mod place;
mod transport;

use std::time::Duration;

use http::HeaderMap;
use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, Delivered, ExportError, Exporter, ExporterFactory, Exporters, Failing, Parcel, Part,
    Stability,
};
use tracetailor_core::config::{KeyError, Period, Secret};
use tracetailor_core::telemetry::{Signal, Telemetry};
use tracetailor_net::otlp::grpc::OtlpGrpc;
use tracetailor_net::otlp::http::OtlpHttp;

use config::MOST_BYTES;
pub use config::{Config, Protocol, RateLimiter};
use names::Names;
pub use transport::Transport;

/// How it is made.
pub const FACTORY: ExporterFactory = ExporterFactory::of::<Coralogix>("coralogix", Stability::Beta, include_str!("README.md"))
    .playing(Part::Delivering(|config| Ok(config.get::<Config>()?.delivery())));

/// Names what it gets, and sends it to the ingress of a region.
pub struct Coralogix {
    names: Names,
    /// In the order of [`Signal::ALL`]; none where no endpoint was given.
    roads: [Option<Road>; 3],
}

/// How a signal travels.
struct Road {
    sender: Sender,
    /// A limit of time of its own.
    limit: Option<Duration>,
}

enum Sender {
    Grpc(OtlpGrpc),
    Http(OtlpHttp),
}

impl Component for Coralogix {
    type Kind = Exporters;
    type Config = Config;

    fn build(config: &Config, context: &BuildContext) -> Result<Box<dyn Exporter>, BuildError> {
        let road = |signal| config.endpoint(signal).map(|endpoint| Road::new(config, signal, &endpoint, context)).transpose();
        let roads = [road(Signal::ALL[0])?, road(Signal::ALL[1])?, road(Signal::ALL[2])?];
        Ok(Box::new(Self { names: Names::new(config)?, roads }))
    }
}

impl Road {
    fn new(config: &Config, signal: Signal, endpoint: &str, context: &BuildContext) -> Result<Self, BuildError> {
        let transport = config.transport(signal);
        let bearer = Secret::from(format!("Bearer {}", config.private_key.expose()));
        let headers = transport.headers.clone().with("authorization", bearer);
        let limit = transport.limit(config.protocol);
        let within = limit.map_or(config.timeout, |_| shorter(config.timeout, transport.timeout));
        let wrong = |error: KeyError| BuildError::new(error.wrong, error.right);
        let sender = match config.protocol {
            Protocol::Grpc => Sender::Grpc(OtlpGrpc::new(&transport.grpc(endpoint, headers, within).map_err(wrong)?, context)?),
            Protocol::Http => Sender::Http(OtlpHttp::new(&transport.http(endpoint, headers, within).map_err(wrong)?, context)?),
        };
        Ok(Self { sender, limit })
    }

    async fn send(&self, batch: &Telemetry) -> Result<Delivered, ExportError> {
        let sent = async {
            match &self.sender {
                Sender::Grpc(sender) => sender.send_with(batch, HeaderMap::new(), MOST_BYTES).await,
                Sender::Http(sender) => sender.send_with(batch, HeaderMap::new(), MOST_BYTES).await,
            }
        };
        let Some(limit) = self.limit else { return sent.await };
        tokio::time::timeout(limit, sent).await.unwrap_or_else(|_| Err(ExportError::retry(format!("no answer within {limit:?}"))))
    }
}

fn shorter(one: Period, other: Period) -> Period {
    if one.is_zero() { other } else { one.min(other) }
}

impl Exporter for Coralogix {
    fn prepare(&self, mut batch: Telemetry) -> Vec<Parcel> {
        self.names.write_on(&mut batch);
        names::apart(batch).into_iter().map(|batch| Parcel { way: 0, batch }).collect()
    }

    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            let Some(road) = &self.roads[batch.signal() as usize] else { return Err(nowhere(batch.signal())) };
            road.send(batch).await.map_err(explained)
        })
    }
}

fn nowhere(signal: Signal) -> ExportError {
    let message = format!("there is no endpoint for {0}: add domain, or {0}: {{endpoint: …}}", signal.name());
    ExportError::new(Failing::Denied, message)
}

/// The gRPC status codes of a key that is not taken.
const PERMISSION_DENIED: i32 = 7;
const UNAUTHENTICATED: i32 = 16;

/// What an answer of Coralogix mostly means, said along with it.
fn explained(error: ExportError) -> ExportError {
    let hint = match (error.failing, error.code) {
        (Failing::Denied, Some(PERMISSION_DENIED | UNAUTHENTICATED)) => {
            "is private_key the Send-Your-Data key of a team, and is domain the region of that team?"
        }
        (Failing::Denied, _) => "is the quota of the team used up?",
        _ => return error,
    };
    ExportError { message: format!("{}; {hint}", error.message), ..error }
}

#[cfg(test)]
mod tests;

#![doc = include_str!("README.md")]

mod answer;
mod config;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, Delivered, ExportError, Exporter, ExporterFactory, Exporters, Part, Stability,
};
use tracetailor_core::config::Backend;
use tracetailor_core::telemetry::{Signal, Telemetry};
use tracetailor_net::buffers::Buffers;
use tracetailor_net::client::{Client, Protocol, Proxy, Route, Settings, Signer, process_environment, user_agent};
use tracetailor_net::compress::Compressors;
use tracetailor_net::grpc::{Code, PREFIX, put_prefix};

pub use config::{Balancer, Compression, Config, KeepaliveKeys};

/// How it is made.
pub const FACTORY: ExporterFactory = ExporterFactory::of::<OtlpGrpc>("otlp_grpc", Stability::Beta, include_str!("README.md"))
    .formerly(&["otlp"])
    .playing(Part::Delivering(|config| Ok(config.get::<Config>()?.delivery())));

/// Sends requests of OTLP as unary calls of gRPC, on connections of its own lane.
pub struct OtlpGrpc {
    client: Client,
    /// Where each signal goes, in the order of [`Signal::ALL`].
    routes: [Route; 3],
    compressors: Option<Arc<Compressors>>,
    signer: Signer,
    backend: Option<Backend>,
    wait_for_ready: bool,
}

impl Component for OtlpGrpc {
    type Kind = Exporters;
    type Config = Config;

    fn build(config: &Config, context: &BuildContext) -> Result<Box<dyn Exporter>, BuildError> {
        let missing = || BuildError::new("endpoint is missing", "write where to send to");
        let endpoint = config.endpoint.as_ref().ok_or_else(missing)?;
        let settings = Settings {
            balance: config.balancer_name.into(),
            keepalive: config.keepalive.on().map(|keys| (*keys).into()),
            ..Settings::new(endpoint.address.clone(), Protocol::Http2, context.clock.clone()).within(config.timeout.into())
        };
        let settings = settings.by_way_of(Proxy::of_grpc_to(&endpoint.address, &process_environment)?)?;
        let settings = if config.is_encrypted() { settings.encrypted(&config.tls)? } else { settings };
        Ok(Box::new(Self {
            routes: routes(config)?,
            client: Client::new(settings),
            compressors: Option::from(config.compression).map(|coding| Arc::new(Compressors::new(coding, None))),
            signer: Signer::of(config.auth.as_ref(), &context.services)?,
            backend: config.backend,
            wait_for_ready: config.wait_for_ready,
        }))
    }
}

fn routes(config: &Config) -> Result<[Route; 3], BuildError> {
    let address = config.endpoint.as_ref().map(|endpoint| endpoint.address.clone());
    // Who stands on the certificate is who is asked.
    let named = if config.authority.is_empty() && config.is_encrypted() { &config.tls.server_name_override } else { &config.authority };
    let authority = match (named.as_str(), address) {
        ("", Some(address)) => tracetailor_net::client::authority(&address),
        (authority, _) => authority.to_owned(),
    };
    let scheme = if config.is_encrypted() { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP };
    let headers = headers(config);
    let route = |signal: Signal| {
        let route = Route::new(scheme.clone(), &authority, service(signal), headers.clone());
        route.map_err(|_| BuildError::new(format!("{authority:?} is no name of a host"), "write host:port"))
    };
    Ok([route(Signal::ALL[0])?, route(Signal::ALL[1])?, route(Signal::ALL[2])?])
}

/// The method that takes a signal.
fn service(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    }
}

/// What all requests carry. Names that gRPC itself needs cannot be taken by the user.
fn headers(config: &Config) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let agent = if config.user_agent.is_empty() { user_agent() } else { config.user_agent.clone() };
    if let Ok(agent) = HeaderValue::from_str(&agent) {
        headers.insert(header::USER_AGENT, agent);
    }
    config.headers.put_into(&mut headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    if let Some(coding) = Option::<tracetailor_net::compress::Coding>::from(config.compression) {
        headers.insert(HeaderName::from_static("grpc-encoding"), coding.header());
    }
    let millis = Duration::from(config.timeout).as_millis();
    // Eight digits are all that gRPC allows; nobody means a longer one.
    if (1..100_000_000).contains(&millis)
        && let Ok(timeout) = HeaderValue::from_str(&format!("{millis}m"))
    {
        headers.insert(HeaderName::from_static("grpc-timeout"), timeout);
    }
    headers
}

impl Exporter for OtlpGrpc {
    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            let route = &self.routes[batch.signal() as usize];
            let body = self.body(batch).await?;
            let signed = self.signer.sign(route, &body).await.map_err(|error| ExportError::retry(error.to_string()))?;
            loop {
                match self.client.post(route, signed.clone(), body.clone()).await {
                    Ok(answer) => return answer::outcome(answer, self.backend),
                    // The attempt's own timeout ends this.
                    Err(error) if self.wait_for_ready && error.is_unreached() => tokio::time::sleep(Duration::from_secs(1)).await,
                    Err(error) => return Err(ExportError::retry(error.to_string()).with_code(Code::UNAVAILABLE.0)),
                }
            }
        })
    }
}

impl OtlpGrpc {
    /// The message with its prefix, as it is sent.
    async fn body(&self, batch: &Telemetry) -> Result<Bytes, ExportError> {
        let mut body = Buffers::of_this_lane().take(PREFIX + likely_size(batch));
        body.resize(PREFIX, 0);
        batch.emit(&mut body);
        if let Some(compressors) = &self.compressors {
            let mut packed = Buffers::of_this_lane().take(body.len() / 3);
            packed.resize(PREFIX, 0);
            body = compressors
                .pack(body, PREFIX, packed)
                .await
                .map_err(|error| ExportError::retry(format!("the request cannot be compressed: {error}")))?;
        }
        put_prefix(&mut body, self.compressors.is_some());
        Ok(body.freeze())
    }
}

/// What a batch will mostly come to: its items, and a little for what they share.
fn likely_size(batch: &Telemetry) -> usize {
    let items = batch.size();
    items + items / 8 + 4096
}

#[cfg(test)]
mod tests;

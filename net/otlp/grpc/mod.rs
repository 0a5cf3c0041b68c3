//! Requests of OTLP as unary calls of gRPC.

mod answer;
mod config;

use std::sync::Arc;
use std::time::Duration;

use crate::buffers::Buffers;
use crate::client::{Client, Protocol, Proxy, Route, Settings, Signer, process_environment, user_agent};
use crate::compress::Compressors;
use crate::grpc::{Code, PREFIX, put_prefix};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tracetailor_core::component::{BuildContext, BuildError, Delivered, ExportError, Parcel};
use tracetailor_core::config::Backend;
use tracetailor_core::telemetry::{Signal, Telemetry};

use super::profile::{Profile, meant};
use super::{likely_size, refuse_larger};

pub use config::{Balancer, Compression, Config, KeepaliveKeys};

/// Sends requests of OTLP as unary calls of gRPC, on connections of its own lane.
pub struct OtlpGrpc {
    client: Client,
    /// Where each signal goes, in the order of [`Signal::ALL`].
    routes: [Route; 3],
    compressors: Option<Arc<Compressors>>,
    signer: Signer,
    backend: Option<Backend>,
    profile: Option<Profile>,
    wait_for_ready: bool,
}

impl OtlpGrpc {
    /// A sender that goes by these keys. Nothing is connected yet.
    pub fn new(config: &Config, context: &BuildContext) -> Result<Self, BuildError> {
        let missing = || BuildError::new("endpoint is missing", "write where to send to");
        let endpoint = config.endpoint.as_ref().ok_or_else(missing)?;
        let settings = Settings {
            balance: config.balancer_name.into(),
            keepalive: config.keepalive.on().map(|keys| (*keys).into()),
            ..Settings::new(endpoint.address.clone(), Protocol::Http2, context.clock.clone()).within(config.timeout.into())
        };
        let settings = settings.by_way_of(Proxy::of_grpc_to(&endpoint.address, &process_environment)?)?;
        let settings = if config.is_encrypted() { settings.encrypted(&config.tls)? } else { settings };
        Ok(Self {
            routes: routes(config)?,
            client: Client::new(settings),
            compressors: Option::from(config.compression).map(|coding| Arc::new(Compressors::new(coding, None))),
            signer: Signer::of(config.auth.as_ref(), &context.services)?,
            backend: config.backend,
            profile: Profile::of(config.backend, context),
            wait_for_ready: config.wait_for_ready,
        })
    }
}

fn routes(config: &Config) -> Result<[Route; 3], BuildError> {
    let address = config.endpoint.as_ref().map(|endpoint| endpoint.address.clone());
    // Who stands on the certificate is who is asked.
    let named = if config.authority.is_empty() && config.is_encrypted() { &config.tls.server_name_override } else { &config.authority };
    let authority = match (named.as_str(), address) {
        ("", Some(address)) => crate::client::authority(&address),
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
    if let Some(coding) = Option::<crate::compress::Coding>::from(config.compression) {
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

impl OtlpGrpc {
    /// Gets a batch ready for the back end that the keys name.
    pub fn prepare(&self, batch: Telemetry) -> Vec<Parcel> {
        match &self.profile {
            Some(profile) => profile.prepare(batch),
            None => vec![Parcel { way: 0, batch }],
        }
    }

    /// Sends a batch, once.
    pub async fn send(&self, batch: &Telemetry) -> Result<Delivered, ExportError> {
        self.send_with(batch, HeaderMap::new(), usize::MAX).await
    }

    /// The same with headers of this one request, and not at all where it comes to more bytes than `most` before compression.
    pub async fn send_with(&self, batch: &Telemetry, more: HeaderMap, most: usize) -> Result<Delivered, ExportError> {
        let route = &self.routes[batch.signal() as usize];
        let body = self.body(batch, most).await?;
        let mut headers = self.signer.sign(route, &body).await.map_err(|error| ExportError::retry(error.to_string()))?;
        headers.extend(more);
        loop {
            match self.client.post(route, headers.clone(), body.clone()).await {
                Ok(answer) => {
                    let outcome = answer::outcome(answer).inspect(|_| self.profile.iter().for_each(|profile| profile.delivered(batch)));
                    return outcome.map_err(|error| meant(error, self.backend));
                }
                // The attempt's own timeout ends this.
                Err(error) if self.wait_for_ready && error.is_unreached() => tokio::time::sleep(Duration::from_secs(1)).await,
                Err(error) => return Err(ExportError::retry(error.to_string()).with_code(Code::UNAVAILABLE.0)),
            }
        }
    }
}

impl OtlpGrpc {
    /// The message with its prefix, as it is sent.
    async fn body(&self, batch: &Telemetry, most: usize) -> Result<Bytes, ExportError> {
        let mut body = Buffers::of_this_lane().take(PREFIX + likely_size(batch));
        body.resize(PREFIX, 0);
        batch.emit(&mut body);
        refuse_larger(body.len() - PREFIX, most)?;
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

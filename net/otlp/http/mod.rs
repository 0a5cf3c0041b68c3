//! Requests of OTLP, posted over HTTP.

mod answer;
mod config;

use std::sync::Arc;
use std::time::Duration;

use crate::buffers::Buffers;
use crate::client::{Client, Keepalive, Protocol, Proxy, Route, Settings, Signer, Url, authority, process_environment, user_agent};
use crate::compress::{Coding, Compressors};
use crate::grpc::Code;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use tracetailor_core::component::{BuildContext, BuildError, Delivered, ExportError, Failing, Parcel};
use tracetailor_core::config::{Address, Backend};
use tracetailor_core::telemetry::{Signal, Telemetry, json};
use tracetailor_core::time::Clock;

use super::profile::{Profile, meant};
use super::{likely_size, refuse_larger};

pub use config::{Compression, CompressionParams, Config, Encoding};

/// Posts requests of OTLP over HTTP, on connections of its own lane.
pub struct OtlpHttp {
    /// Where each signal goes, in the order of [`Signal::ALL`]; nowhere, where no endpoint was given for it.
    destinations: [Option<Destination>; 3],
    compressors: Option<Arc<Compressors>>,
    encoding: Encoding,
    signer: Signer,
    backend: Option<Backend>,
    profile: Option<Profile>,
    clock: Clock,
}

/// Where a signal goes. Signals of one address share a client.
struct Destination {
    client: Client,
    route: Route,
    /// The address as it may be shown.
    shown: String,
}

impl OtlpHttp {
    /// A sender that goes by these keys. Nothing is connected yet.
    pub fn new(config: &Config, context: &BuildContext) -> Result<Self, BuildError> {
        let mut clients = Vec::new();
        let mut destination = |signal| config.url_of(signal).map(|url| Destination::of(&url, config, context, &mut clients)).transpose();
        Ok(Self {
            destinations: [destination(Signal::ALL[0])?, destination(Signal::ALL[1])?, destination(Signal::ALL[2])?],
            compressors: Option::from(config.compression).map(|coding| Arc::new(Compressors::new(coding, config.compression_params.level))),
            encoding: config.encoding,
            signer: Signer::of(config.auth.as_ref(), &context.services)?,
            backend: config.backend,
            profile: Profile::of(config.backend, context),
            clock: context.clock.clone(),
        })
    }
}

/// Clients that there are already, by where they connect to.
type Clients = Vec<((Address, bool), Client)>;

impl Destination {
    fn of(url: &Url, config: &Config, context: &BuildContext, clients: &mut Clients) -> Result<Self, BuildError> {
        let place = (url.address().clone(), url.is_encrypted());
        let client = match clients.iter().find(|(other, _)| *other == place) {
            Some((_, client)) => client.clone(),
            None => {
                let client = Client::new(settings(url, config, context)?);
                clients.push((place, client.clone()));
                client
            }
        };
        let scheme = if url.is_encrypted() { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP };
        let host = config.headers.get("host").map_or_else(|| authority(url.address()), |host| host.expose().to_owned());
        let route = Route::new(scheme, &host, &url.target(), headers(url, config));
        let route = route.map_err(|_| BuildError::new(format!("{url} is no address to post to"), "write http://host:port"))?;
        Ok(Self { client, route, shown: url.to_string() })
    }
}

fn settings(url: &Url, config: &Config, context: &BuildContext) -> Result<Settings, BuildError> {
    let protocol = if config.force_attempt_http2 { Protocol::Negotiated } else { Protocol::Http1 };
    let ping = Duration::from(config.http2_read_idle_timeout);
    let most_idle = match (config.disable_keep_alives, config.max_idle_conns_per_host, config.max_idle_conns) {
        (true, _, _) => 0,
        (false, 0, 0) => usize::MAX,
        (false, 0, all) => all as usize,
        (false, of_host, _) => of_host as usize,
    };
    let settings = Settings {
        most_idle,
        idle_timeout: config.idle_conn_timeout.into(),
        most_connections: (config.max_conns_per_host > 0).then_some(config.max_conns_per_host as usize),
        keepalive: (!ping.is_zero()).then(|| Keepalive { time: ping, timeout: config.http2_ping_timeout.into(), while_idle: true }),
        ..Settings::new(url.address().clone(), protocol, context.clock.clone()).within(config.timeout.into())
    };
    let proxy = Proxy::to(url.address(), url.is_encrypted(), &config.proxy_url, &process_environment)?;
    let settings = settings.by_way_of(proxy)?;
    // `insecure: true` does not turn off what https:// asks for.
    if url.is_encrypted() { settings.encrypted(&config.tls) } else { Ok(settings) }
}

/// What all requests to a URL carry. What says how the body is written cannot be taken by the user.
fn headers(url: &Url, config: &Config) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(agent) = HeaderValue::from_str(&user_agent()) {
        headers.insert(header::USER_AGENT, agent);
    }
    if let Some(authorization) = url.authorization() {
        headers.insert(header::AUTHORIZATION, authorization);
    }
    config.headers.put_into(&mut headers);
    headers.remove(header::HOST);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(config.encoding.content_type()));
    if let Some(coding) = Option::<Coding>::from(config.compression) {
        headers.insert(header::CONTENT_ENCODING, coding.header());
    }
    headers
}

impl Encoding {
    fn content_type(self) -> &'static str {
        match self {
            Encoding::Proto => "application/x-protobuf",
            Encoding::Json => "application/json",
        }
    }
}

impl OtlpHttp {
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
        let unreached = |error: crate::client::ClientError| ExportError::retry(error.to_string()).with_code(Code::UNAVAILABLE.0);
        let destination = self.destinations[batch.signal() as usize].as_ref().ok_or_else(|| nowhere(batch.signal()))?;
        let body = self.body(batch, most).await?;
        let mut headers = self.signer.sign(&destination.route, &body).await.map_err(unreached)?;
        headers.extend(more);
        let answer = destination.client.post(&destination.route, headers, body).await.map_err(unreached)?;
        let outcome = answer::outcome(&answer, &destination.shown, self.backend, self.clock.now());
        outcome.inspect(|_| self.profile.iter().for_each(|profile| profile.delivered(batch))).map_err(|error| meant(error, self.backend))
    }
}

fn nowhere(signal: Signal) -> ExportError {
    ExportError::new(Failing::Denied, format!("there is no endpoint for {0}: add {0}_endpoint, or endpoint", signal.name()))
}

impl OtlpHttp {
    /// The body as it is sent.
    async fn body(&self, batch: &Telemetry, most: usize) -> Result<Bytes, ExportError> {
        let mut body = Buffers::of_this_lane().take(likely_size(batch));
        batch.emit(&mut body);
        refuse_larger(body.len(), most)?;
        if self.encoding == Encoding::Json {
            let protobuf = body;
            body = Buffers::of_this_lane().take(protobuf.len() * 2);
            json::from_protobuf(batch.signal(), &protobuf, &mut body)
                .map_err(|error| ExportError::new(Failing::Invalid, error.to_string()))?;
        }
        if let Some(compressors) = &self.compressors {
            let packed = Buffers::of_this_lane().take(body.len() / 3);
            let failed = |error| ExportError::retry(format!("the request cannot be compressed: {error}"));
            body = compressors.pack(body, 0, packed).await.map_err(failed)?;
        }
        Ok(body.freeze())
    }
}

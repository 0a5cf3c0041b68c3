#![doc = include_str!("README.md")]

mod cors;
mod counts;
mod grpc;
mod http;
mod intake;
mod keys;
mod outcome;
mod port;
mod sender;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, Receiver, ReceiverContext, ReceiverFactory, Receivers, RunError, Stability,
};
use tracetailor_core::config::{Address, Auth, Endpoint, Period, ServerTls};
use tracetailor_core::ledger::Milestone;
use tracetailor_core::telemetry::{Intake, Limits as ItemLimits, Reason, Signal, Source};
use tracetailor_net::decompress::Packing;
use tracetailor_net::server::{KeepAlive, Limits, Listener, Server, Tls};

pub use keys::{Answer, Config, Cors, EnforcementPolicy, Grpc, Http, Keepalive, Protocols, ServerParameters, Transport};

use cors::Cors as CorsRules;
use counts::Counts;
use intake::Inlet;
use port::{Port, Protocol};
use sender::{Checked, Door, Lift};

/// How it is made.
pub const FACTORY: ReceiverFactory = ReceiverFactory::of::<Otlp>("otlp", Stability::Beta, include_str!("README.md"));

/// Takes OTLP in, over gRPC and HTTP.
#[derive(Debug)]
pub struct Otlp {
    config: Config,
    grpc_auth: Option<Checked>,
    http_auth: Option<Checked>,
    lifts: Arc<Vec<Lift>>,
}

impl Component for Otlp {
    type Kind = Receivers;
    type Config = Config;

    fn build(config: &Config, context: &BuildContext) -> Result<Box<dyn Receiver>, BuildError> {
        Ok(Box::new(Otlp::new(config, context)?))
    }
}

impl Receiver for Otlp {
    fn run(self: Box<Self>, context: ReceiverContext) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let ports = self.open()?;
            self.serve(ports, context).await
        })
    }
}

/// The sockets of a receiver. Both are open before either is served: a receiver that begins, begins whole.
struct Ports {
    grpc: Option<(Listener, Option<Tls>)>,
    http: Option<(Listener, Option<Tls>)>,
}

impl Ports {
    /// Their numbers, where they have some.
    fn numbers(&self) -> (Option<u16>, Option<u16>) {
        let number = |port: &Option<(Listener, Option<Tls>)>| port.as_ref().and_then(|(listener, _)| listener.port());
        (number(&self.grpc), number(&self.http))
    }
}

impl Otlp {
    fn new(config: &Config, context: &BuildContext) -> Result<Self, BuildError> {
        let auth = |auth: Option<&Auth>| auth.map(|auth| Checked::new(auth, &context.services)).transpose();
        let grpc_auth = auth(config.protocols.grpc.on().and_then(|grpc| grpc.auth.as_ref()))?;
        let http_auth = auth(config.protocols.http.on().and_then(|http| http.auth.as_ref()))?;
        let lifts = Arc::new(Lift::all(&config.metadata_attributes)?);
        Ok(Otlp { config: config.clone(), grpc_auth, http_auth, lifts })
    }

    fn open(&self) -> Result<Ports, RunError> {
        let Protocols { grpc, http } = &self.config.protocols;
        let grpc = grpc.on().map(|grpc| listen(&grpc.endpoint, grpc.transport, grpc.tls.as_ref())).transpose()?;
        let http = http.on().map(|http| listen(&http.endpoint, http.transport, http.tls.as_ref())).transpose()?;
        Ok(Ports { grpc, http })
    }

    async fn serve(&self, ports: Ports, context: ReceiverContext) -> Result<(), RunError> {
        let inlet = Arc::new(self.inlet(&context));
        let numbers = ports.numbers();
        let serve_grpc = async {
            let (Some(grpc), Some((listener, tls))) = (self.config.protocols.grpc.on(), ports.grpc) else { return Ok(()) };
            tracing::info!(receiver = %context.id, protocol = "grpc", endpoint = %listener, "listening");
            let handler = Arc::new(self.grpc_port(grpc, numbers.1, inlet.clone(), &context));
            Server { listener, tls, limits: grpc_limits(grpc), handler }.serve(&context.lanes, &context.stop).await
        };
        let serve_http = async {
            let (Some(http), Some((listener, tls))) = (self.config.protocols.http.on(), ports.http) else { return Ok(()) };
            tracing::info!(receiver = %context.id, protocol = "http", endpoint = %listener, "listening");
            let handler = Arc::new(self.http_port(http, numbers.0, inlet.clone(), &context));
            Server { listener, tls, limits: http_limits(http), handler }.serve(&context.lanes, &context.stop).await
        };
        tokio::try_join!(serve_grpc, serve_http)?;
        Ok(())
    }

    fn inlet(&self, context: &ReceiverContext) -> Inlet {
        let mut limits = ItemLimits::default();
        if !self.config.max_item_size.is_zero() {
            limits.item_bytes = u32::try_from(self.config.max_item_size.get()).unwrap_or(u32::MAX);
        }
        Inlet {
            outlet: context.outlet.clone(),
            books: context.books.clone(),
            clock: context.clock.clone(),
            intake: Intake::new(context.interner.clone(), limits),
            milestone: match self.config.answer {
                Answer::Accepted => Milestone::Accepted,
                Answer::Durable => Milestone::Durable,
                Answer::Delivered => Milestone::Settled,
            },
            admission_wait: self.config.admission_wait.get(),
            lifts: self.lifts.clone(),
            causes: Reason::ALL.map(|reason| context.cause(reason.name())),
        }
    }

    fn grpc_port(&self, grpc: &Grpc, other: Option<u16>, inlet: Arc<Inlet>, context: &ReceiverContext) -> Port {
        let mib = if grpc.max_recv_msg_size_mib == 0 { 4 } else { grpc.max_recv_msg_size_mib };
        Port {
            protocol: Protocol::Grpc,
            limit: (mib as usize) << 20,
            stall: None,
            other,
            paths: Vec::new(),
            packings: GRPC_PACKINGS.to_vec(),
            ..self.port(inlet, "grpc", self.grpc_auth.clone(), grpc.include_metadata, context)
        }
    }

    /// What both ports have in common.
    fn port(&self, inlet: Arc<Inlet>, transport: &str, auth: Option<Checked>, include_metadata: bool, context: &ReceiverContext) -> Port {
        let plain = Arc::new(Source { receiver: context.id.to_string(), ..Source::default() });
        Port {
            protocol: Protocol::Grpc,
            inlet,
            door: Door { plain, auth, include_metadata, lifts: self.lifts.clone() },
            limit: 0,
            stall: None,
            other: None,
            paths: Vec::new(),
            taken: Signal::ALL.map(|signal| context.outlet.takes(signal)),
            packings: Vec::new(),
            cors: None,
            response_headers: HeaderMap::new(),
            counts: Counts::new(context, transport, context.lanes.count()),
        }
    }

    fn http_port(&self, http: &Http, other: Option<u16>, inlet: Arc<Inlet>, context: &ReceiverContext) -> Port {
        let limit = if http.max_request_body_size.is_zero() { 20 << 20 } else { http.max_request_body_size.as_usize() };
        let path = |path: &str| format!("/{}", path.trim_start_matches('/'));
        Port {
            protocol: Protocol::Http,
            limit,
            stall: given(http.read_timeout),
            other,
            paths: vec![
                (path(&http.traces_url_path), Signal::Traces),
                (path(&http.metrics_url_path), Signal::Metrics),
                (path(&http.logs_url_path), Signal::Logs),
            ],
            packings: packings(http),
            cors: http.cors.as_ref().and_then(CorsRules::new),
            response_headers: response_headers(http),
            ..self.port(inlet, "http", self.http_auth.clone(), http.include_metadata, context)
        }
    }
}

/// The names of compressions in gRPC.
const GRPC_PACKINGS: [(&str, Packing); 3] = [("gzip", Packing::Gzip), ("snappy", Packing::Snappy), ("zstd", Packing::Zstd)];

/// Their names in HTTP.
const HTTP_PACKINGS: [(&str, Packing); 6] = [
    ("gzip", Packing::Gzip),
    ("zstd", Packing::Zstd),
    ("zlib", Packing::Zlib),
    ("deflate", Packing::Zlib),
    ("snappy", Packing::Snappy),
    ("x-snappy-framed", Packing::Snappy),
];

/// Those that the configuration lets in.
fn packings(http: &Http) -> Vec<(&'static str, Packing)> {
    let is_taken = |name: &str| http.compression_algorithms.as_ref().is_none_or(|taken| taken.iter().any(|known| known == name));
    HTTP_PACKINGS.into_iter().filter(|(name, _)| is_taken(name)).collect()
}

/// With `transport: unix` the endpoint is the path of a socket.
fn listen(endpoint: &Endpoint, transport: Transport, tls: Option<&ServerTls>) -> Result<(Listener, Option<Tls>), RunError> {
    let tls = tls.map(Tls::new).transpose()?;
    let listener = match (&endpoint.address, transport) {
        (Address::Tcp { .. }, Transport::Unix) => Listener::bind(&format!("unix:{}", endpoint.as_str()).parse()?)?,
        _ => Listener::bind(endpoint)?,
    };
    Ok((listener, tls))
}

fn given(period: Period) -> Option<Duration> {
    (!period.is_zero()).then(|| period.get())
}

fn grpc_limits(grpc: &Grpc) -> Limits {
    let server = &grpc.keepalive.server_parameters;
    Limits {
        connections: grpc.max_connections.max(1) as usize,
        idle: given(server.max_connection_idle),
        age: given(server.max_connection_age),
        age_grace: given(server.max_connection_age_grace),
        streams: if grpc.max_concurrent_streams == 0 { 100 } else { grpc.max_concurrent_streams },
        ping: given(server.time).map(|time| (time, server.timeout.get())),
        ..Limits::default()
    }
}

fn http_limits(http: &Http) -> Limits {
    let default = Limits::default();
    Limits {
        connections: http.max_connections.max(1) as usize,
        headers_within: given(http.read_header_timeout).or(default.headers_within),
        idle: given(http.idle_timeout),
        keep_alive: if http.keep_alives_enabled { KeepAlive::On } else { KeepAlive::Off },
        ..default
    }
}

fn response_headers(http: &Http) -> HeaderMap {
    let header =
        |(name, value): (&String, &String)| Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?));
    http.response_headers.iter().filter_map(header).collect()
}

#[cfg(test)]
mod tests;

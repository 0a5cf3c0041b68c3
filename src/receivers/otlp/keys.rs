//! What the user writes under `receivers: otlp:`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{
    Address, Auth, ByteSize, CommaList, ConfigErrors, Endpoint, Period, Planned, Schema, ServerTls, Switch, Validate,
};

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What is spoken. At least one of the two; nothing behind its name takes it as it is by default.
    pub protocols: Protocols,
    /// When a client gets its answer: once everything is taken into memory, or once everything has come to its end.
    pub answer: Answer,
    /// How long a request waits for room before it is refused; never longer than its client waits for an answer.
    pub admission_wait: Period,
    /// Request headers that become resource attributes, by header: what tells tenants apart survives that requests are merged.
    pub metadata_attributes: BTreeMap<String, String>,
    /// The largest span, log record or point that is taken; 0 takes what fits into a message.
    pub max_item_size: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            protocols: Protocols::default(),
            answer: Answer::default(),
            admission_wait: Period::seconds(3),
            metadata_attributes: BTreeMap::new(),
            max_item_size: ByteSize::default(),
        }
    }
}

/// When a client gets its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Once everything is held or queued.
    #[default]
    Accepted,
    /// Planned: once everything is safe from a crash.
    Durable,
    /// Once everything is delivered, dropped by a rule, or refused for good.
    Delivered,
}

/// What is spoken.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Protocols {
    /// OTLP over gRPC.
    pub grpc: Switch<Grpc>,
    /// OTLP over HTTP, in protobuf or JSON.
    pub http: Switch<Http>,
}

/// How a socket is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Over the network.
    #[default]
    Tcp,
    /// Over the network, IPv4 alone.
    Tcp4,
    /// Over the network, IPv6 alone.
    Tcp6,
    /// Over a file; the endpoint is its path.
    Unix,
}

/// OTLP over gRPC.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Grpc {
    /// Where to listen. In a container this is 0.0.0.0:4317, or nobody outside reaches it.
    pub endpoint: Endpoint,
    /// How it is reached.
    pub transport: Transport,
    /// Certificates, to speak TLS.
    pub tls: Option<ServerTls>,
    /// The largest message in MiB, before and after it is decompressed; 0 stands for 4.
    pub max_recv_msg_size_mib: u32,
    /// How many requests one connection may have open; 0 stands for 100.
    pub max_concurrent_streams: u32,
    /// Taken and not used: buffers are as large as what comes.
    pub read_buffer_size: ByteSize,
    /// Taken and not used: buffers are as large as what is answered.
    pub write_buffer_size: ByteSize,
    /// How long connections last.
    pub keepalive: Keepalive,
    /// Which extension checks who sends.
    pub auth: Option<Auth>,
    /// Keep the metadata of requests, for processors that ask for it.
    pub include_metadata: bool,
    /// How many connections may be open; the next one waits.
    pub max_connections: u32,
    /// Planned: extensions that stand before the receiver.
    pub middlewares: Planned,
}

impl Default for Grpc {
    fn default() -> Self {
        Self {
            endpoint: local(4317),
            transport: Transport::Tcp,
            tls: None,
            max_recv_msg_size_mib: 4,
            max_concurrent_streams: 100,
            read_buffer_size: ByteSize::kib(512),
            write_buffer_size: ByteSize::default(),
            keepalive: Keepalive::default(),
            auth: None,
            include_metadata: false,
            max_connections: MOST_CONNECTIONS,
            middlewares: Planned::default(),
        }
    }
}

/// How long gRPC connections last.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Keepalive {
    /// What the server does of itself.
    pub server_parameters: ServerParameters,
    /// What a client may do.
    pub enforcement_policy: EnforcementPolicy,
}

/// What the server does of itself.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerParameters {
    /// Close a connection that had no request for so long; 0s for never.
    pub max_connection_idle: Period,
    /// Close a connection that is so old, so that clients spread over all gateways again; 0s for never.
    pub max_connection_age: Period,
    /// How long its last requests may then take; 0s for as long as they need.
    pub max_connection_age_grace: Period,
    /// Ask a silent client after so long whether it is there.
    pub time: Period,
    /// How long it may take to say so.
    pub timeout: Period,
}

impl Default for ServerParameters {
    fn default() -> Self {
        Self {
            max_connection_idle: Period::ZERO,
            max_connection_age: Period::ZERO,
            max_connection_age_grace: Period::ZERO,
            time: Period::seconds(7200),
            timeout: Period::seconds(20),
        }
    }
}

/// What a client may do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct EnforcementPolicy {
    /// Taken and not enforced: a client that asks often whether we are there is answered.
    pub min_time: Period,
    /// Taken and not enforced: so is one that asks without a request.
    pub permit_without_stream: bool,
}

impl Default for EnforcementPolicy {
    fn default() -> Self {
        Self { min_time: Period::seconds(300), permit_without_stream: false }
    }
}

/// OTLP over HTTP.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where to listen. In a container this is 0.0.0.0:4318, or nobody outside reaches it.
    pub endpoint: Endpoint,
    /// How it is reached.
    pub transport: Transport,
    /// Certificates, to speak TLS.
    pub tls: Option<ServerTls>,
    /// What web pages of other origins may do.
    pub cors: Option<Cors>,
    /// Which extension checks who sends.
    pub auth: Option<Auth>,
    /// The largest body, before and after it is decompressed; 0 stands for 20 MiB.
    pub max_request_body_size: ByteSize,
    /// Keep the headers of requests, for processors that ask for them.
    pub include_metadata: bool,
    /// Headers of every answer.
    pub response_headers: BTreeMap<String, String>,
    /// Values of content-encoding that are taken; an empty text stands for none.
    pub compression_algorithms: Option<Vec<String>>,
    /// How long reading a body may stall; 0s stands for 30s.
    pub read_timeout: Period,
    /// How long the headers of a request may take; 0s stands for 10s.
    pub read_header_timeout: Period,
    /// Taken and not used: an answer is a few bytes.
    pub write_timeout: Period,
    /// Close a connection that had no request for so long; 0s for never.
    pub idle_timeout: Period,
    /// Whether a connection serves more than one request.
    pub keep_alives_enabled: bool,
    /// The path for traces.
    pub traces_url_path: String,
    /// The path for metrics.
    pub metrics_url_path: String,
    /// The path for logs.
    pub logs_url_path: String,
    /// How many connections may be open; the next one waits.
    pub max_connections: u32,
    /// Planned: extensions that stand before the receiver.
    pub middlewares: Planned,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            endpoint: local(4318),
            transport: Transport::Tcp,
            tls: None,
            cors: None,
            auth: None,
            max_request_body_size: ByteSize::mib(20),
            include_metadata: false,
            response_headers: BTreeMap::new(),
            compression_algorithms: None,
            read_timeout: Period::ZERO,
            read_header_timeout: Period::ZERO,
            write_timeout: Period::ZERO,
            idle_timeout: Period::seconds(60),
            keep_alives_enabled: true,
            traces_url_path: "/v1/traces".to_owned(),
            metrics_url_path: "/v1/metrics".to_owned(),
            logs_url_path: "/v1/logs".to_owned(),
            max_connections: MOST_CONNECTIONS,
            middlewares: Planned::default(),
        }
    }
}

/// What web pages of other origins may do.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Origins that may send, each with as many `*` in it as need be; none sends nothing.
    pub allowed_origins: CommaList,
    /// Headers that they may send. A list of your own replaces the usual one: without content-type in it no browser can send.
    pub allowed_headers: CommaList,
    /// Headers of answers that they may read.
    pub exposed_headers: CommaList,
    /// For how many seconds a browser may remember all this; 0 leaves it to the browser.
    pub max_age: u32,
}

const MOST_CONNECTIONS: u32 = 10_000;

/// Reachable from this machine alone, as the Collector has it.
fn local(port: u16) -> Endpoint {
    #[expect(clippy::expect_used, reason = "an address of this form is always one")]
    format!("localhost:{port}").parse().expect("an address")
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        let Protocols { grpc, http } = &self.protocols;
        if !grpc.is_on() && !http.is_on() {
            errors.error("protocols", "must specify at least one protocol", "write grpc: or http: below protocols, or both");
        }
        if self.answer == Answer::Durable {
            errors.error("answer", "durable is planned and does not work yet", "write accepted or delivered");
        }
        if let (Switch::On(grpc), Switch::On(http)) = (grpc, http)
            && grpc.endpoint.address == http.endpoint.address
            && !matches!(grpc.endpoint.address, Address::Tcp { port: 0, .. })
        {
            errors.at("protocols").at("http").error(
                "endpoint",
                "is the endpoint of grpc as well",
                "write another port: 4318 is the usual one for HTTP",
            );
        }
        let mut protocols = errors.at("protocols");
        protocols.within("grpc", grpc);
        protocols.within("http", http);
    }
}

impl Validate for Grpc {
    fn validate(&self, errors: &mut ConfigErrors) {
        validate_endpoint(&self.endpoint, self.transport, errors);
        errors.within("tls", &self.tls);
        errors.within("auth", &self.auth);
        errors.planned("middlewares", self.middlewares, "remove it");
        if self.keepalive.enforcement_policy != EnforcementPolicy::default() {
            let wrong = "has no effect here: pings are answered however often they come, and cost next to nothing";
            errors.at("keepalive").warn("enforcement_policy", wrong, "remove it, or leave it for the day that the file goes back");
        }
    }
}

impl Validate for Http {
    fn validate(&self, errors: &mut ConfigErrors) {
        validate_endpoint(&self.endpoint, self.transport, errors);
        errors.within("tls", &self.tls);
        errors.within("auth", &self.auth);
        errors.planned("middlewares", self.middlewares, "remove it");
        for (key, path) in [
            ("traces_url_path", &self.traces_url_path),
            ("metrics_url_path", &self.metrics_url_path),
            ("logs_url_path", &self.logs_url_path),
        ] {
            if path.is_empty() || path.contains(|c: char| c.is_whitespace() || c.is_control() || "?#%".contains(c)) {
                errors.error(key, "is no path", "write one such as /v1/traces");
            }
        }
        for name in self.response_headers.keys() {
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                errors.at("response_headers").error(name, "is no name of a header", "write one such as X-Served-By");
            }
        }
    }
}

fn validate_endpoint(endpoint: &Endpoint, transport: Transport, errors: &mut ConfigErrors) {
    // With `transport: unix` the endpoint is a bare path, which is no host and port.
    if transport != Transport::Unix
        && let Err(error) = endpoint.listens()
    {
        errors.error("endpoint", error.wrong, error.right);
    }
}

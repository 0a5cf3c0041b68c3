//! The keys of the exporter, and what of them cannot be meant.

use crate::client::{Balance, Headers, Keepalive};
use crate::compress::Coding;
use serde::{Deserialize, Serialize};
use tracetailor_core::config::{
    Auth, Backend, ByteSize, CircuitBreaker, ClientTls, ConfigErrors, DeadLetter, Delivery, Endpoint, Period, Planned, RetryOnFailure,
    Schema, Scheme, SendingQueue, Switch, Validate,
};

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to: `host:port`, with or without `https://` or `dns:///` before it, or `unix:` and a path.
    pub endpoint: Option<Endpoint>,
    /// How requests are compressed.
    pub compression: Compression,
    /// TLS is on unless `insecure: true` stands here.
    pub tls: ClientTls,
    /// Headers of every request.
    pub headers: Headers,
    /// Who signs requests.
    pub auth: Option<Auth>,
    /// How long one attempt may take; 0s for no limit.
    pub timeout: Period,
    /// What is done about failures that may pass.
    pub retry_on_failure: RetryOnFailure,
    /// Where telemetry waits.
    pub sending_queue: SendingQueue,
    /// When to leave the destination alone.
    pub circuit_breaker: CircuitBreaker,
    /// Where what nobody takes is written.
    pub dead_letter: Option<DeadLetter>,
    /// The most bytes of one request before compression; larger ones are split. 0 for no limit.
    pub max_request_bytes: ByteSize,
    /// What the destination is, where that changes limits and how its answers are read: tempo, jaeger or coralogix.
    pub backend: Option<Backend>,
    /// Pings that find dead connections; off unless the block is there.
    pub keepalive: Switch<KeepaliveKeys>,
    /// How requests are spread over the addresses of a name.
    pub balancer_name: Balancer,
    /// Waits for a connection until the timeout, instead of failing at once.
    pub wait_for_ready: bool,
    /// What to say in `:authority` in place of the endpoint.
    pub authority: String,
    /// What to say in `user-agent`.
    pub user_agent: String,
    /// Accepted from the Collector; buffers here fit themselves.
    pub read_buffer_size: u64,
    /// Accepted from the Collector; buffers here fit themselves.
    pub write_buffer_size: u64,
    /// Planned: extensions that stand between.
    pub middlewares: Planned,
}

/// How requests are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// At the least effort, which costs a third of the usual one.
    #[default]
    Gzip,
    /// Cheaper and smaller than gzip, where the destination takes it.
    Zstd,
    /// Cheapest of all.
    Snappy,
    /// Not at all.
    #[serde(alias = "")]
    None,
}

/// How requests are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Balancer {
    /// One after the other over all addresses.
    #[default]
    #[serde(alias = "")]
    RoundRobin,
    /// The first address that answers.
    PickFirst,
}

/// Pings of HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct KeepaliveKeys {
    /// After so long without a word.
    pub time: Period,
    /// An answer must come within this.
    pub timeout: Period,
    /// Also while no request is under way.
    pub permit_without_stream: bool,
}

impl Default for KeepaliveKeys {
    fn default() -> Self {
        Self { time: Period::seconds(10), timeout: Period::seconds(10), permit_without_stream: false }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            compression: Compression::default(),
            tls: ClientTls::default(),
            headers: Headers::default(),
            auth: None,
            timeout: Period::seconds(5),
            retry_on_failure: RetryOnFailure::default(),
            sending_queue: SendingQueue::default(),
            circuit_breaker: CircuitBreaker::default(),
            dead_letter: None,
            max_request_bytes: ByteSize::mib(4),
            backend: None,
            keepalive: Switch::Off,
            balancer_name: Balancer::default(),
            wait_for_ready: false,
            authority: String::new(),
            user_agent: String::new(),
            read_buffer_size: 0,
            write_buffer_size: 512 << 10,
            middlewares: Planned::default(),
        }
    }
}

impl Config {
    /// What stands around the exporter.
    pub fn delivery(&self) -> Delivery {
        // Coralogix takes more, and recommends this.
        let recommended = self.backend == Some(Backend::Coralogix) && self.max_request_bytes == ByteSize::mib(4);
        Delivery {
            cool_down: None,
            timeout: self.timeout,
            retry_on_failure: self.retry_on_failure,
            sending_queue: self.sending_queue.clone(),
            circuit_breaker: self.circuit_breaker,
            dead_letter: self.dead_letter.clone(),
            max_request_bytes: if recommended { ByteSize::mib(2) } else { self.max_request_bytes },
        }
    }

    /// Whether connections are encrypted: `https://` says so whatever else is written, `http://` does not turn it off.
    pub fn is_encrypted(&self) -> bool {
        !self.tls.insecure || self.endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme == Some(Scheme::Https))
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        match &self.endpoint {
            None => errors.error_here("endpoint is missing", "write where to send to, such as endpoint: tempo:4317"),
            Some(endpoint) => check_endpoint(endpoint, self.tls.insecure, errors),
        }
        errors.within("tls", &self.tls);
        errors.within("headers", &self.headers);
        errors.within("auth", &self.auth);
        self.delivery().validate(errors);
        super::super::profile::check(self.backend, self.delivery().max_request_bytes, true, &self.headers, errors);
        if self.keepalive.on().is_some_and(|keepalive| keepalive.time.is_zero()) {
            errors.at("keepalive").error("time", "must be positive: it would ping without end", "write a duration such as 10s");
        }
        if !self.authority.is_empty() && self.authority.parse::<http::uri::Authority>().is_err() {
            errors.error("authority", "is no name of a host", "write host or host:port");
        }
        if !self.user_agent.is_empty() && http::HeaderValue::from_str(&self.user_agent).is_err() {
            errors.error("user_agent", "has a character that no header can have", "write printable text");
        }
        errors.planned("middlewares", self.middlewares, "remove it: requests then go straight to the endpoint");
    }
}

fn check_endpoint(endpoint: &Endpoint, insecure: bool, errors: &mut ConfigErrors) {
    if !endpoint.path.is_empty() {
        let wrong = format!("has {:?} behind its port, and gRPC has no paths", endpoint.path);
        errors.error("endpoint", wrong, format!("write {}, or use otlp_http", endpoint.address));
        return;
    }
    let has_port = endpoint.as_str().rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
    if matches!(endpoint.scheme, Some(Scheme::Http | Scheme::Https)) && !has_port {
        errors.error("endpoint", "has no port", format!("write {}:4317, or the port that the destination has for gRPC", endpoint.as_str()));
    }
    if endpoint.scheme == Some(Scheme::Http) && !insecure {
        errors.warn("endpoint", "http:// does not turn TLS off here", "add tls: {insecure: true} to send in the clear");
    }
}

impl From<Compression> for Option<Coding> {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::Gzip => Some(Coding::Gzip),
            Compression::Zstd => Some(Coding::Zstd),
            Compression::Snappy => Some(Coding::SnappyGrpc),
            Compression::None => None,
        }
    }
}

impl From<Balancer> for Balance {
    fn from(balancer: Balancer) -> Self {
        match balancer {
            Balancer::RoundRobin => Balance::RoundRobin,
            Balancer::PickFirst => Balance::PickFirst,
        }
    }
}

impl From<KeepaliveKeys> for Keepalive {
    fn from(keys: KeepaliveKeys) -> Self {
        Keepalive { time: keys.time.into(), timeout: keys.timeout.into(), while_idle: keys.permit_without_stream }
    }
}

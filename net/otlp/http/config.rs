//! The keys of the exporter, and what of them cannot be meant.

use crate::client::{Headers, Url};
use crate::compress::Coding;
use serde::{Deserialize, Serialize};
use tracetailor_core::config::{
    Auth, Backend, ByteSize, CircuitBreaker, ClientTls, ConfigErrors, DeadLetter, Delivery, Period, Planned, RetryOnFailure, Schema,
    Secret, SendingQueue, Validate,
};
use tracetailor_core::telemetry::Signal;

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to: `https://host:port`, perhaps with a path. Each signal's own path (`/v1/traces`) is put behind it.
    pub endpoint: Option<Url>,
    /// Where traces go, as it stands here.
    pub traces_endpoint: Option<Url>,
    /// Where metrics go, as it stands here.
    pub metrics_endpoint: Option<Url>,
    /// Where logs go, as it stands here.
    pub logs_endpoint: Option<Url>,
    /// Accepted from the Collector; there are no profiles here.
    pub profiles_endpoint: String,
    /// How requests are written.
    pub encoding: Encoding,
    /// How requests are compressed.
    pub compression: Compression,
    /// With how much effort.
    pub compression_params: CompressionParams,
    /// The proxy to go through, in place of those that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name.
    pub proxy_url: Secret,
    /// How connections to `https://` are made.
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
    /// How many unused connections are kept; 0 for no limit.
    pub max_idle_conns: u32,
    /// The same for one host, which is all there is here; 0 for no limit of its own.
    pub max_idle_conns_per_host: u32,
    /// How many requests are under way at once in each lane; 0 for no limit.
    pub max_conns_per_host: u32,
    /// After how long an unused connection is closed.
    pub idle_conn_timeout: Period,
    /// Makes a connection for each request.
    pub disable_keep_alives: bool,
    /// Pings an HTTP/2 connection that was silent for so long; 0s for never.
    pub http2_read_idle_timeout: Period,
    /// How long to wait for the answer to such a ping.
    pub http2_ping_timeout: Period,
    /// Speaks HTTP/2 where the server behind TLS offers it.
    pub force_attempt_http2: bool,
    /// Accepted from the Collector; buffers here fit themselves.
    pub read_buffer_size: u64,
    /// Accepted from the Collector; buffers here fit themselves.
    pub write_buffer_size: u64,
    /// Planned: cookies.
    pub cookies: Planned,
    /// Planned: extensions that stand between.
    pub middlewares: Planned,
}

/// How requests are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Protobuf, as telemetry is held: nothing is written anew.
    #[default]
    Proto,
    /// OTLP's JSON.
    Json,
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
    /// Cheapest of all, as a bare block.
    Snappy,
    /// The same in frames.
    #[serde(rename = "x-snappy-framed")]
    SnappyFramed,
    /// Like gzip in another frame.
    Deflate,
    /// The same under another name.
    Zlib,
    /// Planned.
    Lz4,
    /// Not at all.
    #[serde(alias = "")]
    None,
}

/// How much effort compression takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct CompressionParams {
    /// For gzip, zlib and deflate 1 to 9, for zstd 1 to 22; 1 unless set.
    pub level: Option<i32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            traces_endpoint: None,
            metrics_endpoint: None,
            logs_endpoint: None,
            profiles_endpoint: String::new(),
            encoding: Encoding::default(),
            compression: Compression::default(),
            compression_params: CompressionParams::default(),
            proxy_url: Secret::default(),
            tls: ClientTls::default(),
            headers: Headers::default(),
            auth: None,
            timeout: Period::seconds(30),
            retry_on_failure: RetryOnFailure::default(),
            sending_queue: SendingQueue::default(),
            circuit_breaker: CircuitBreaker::default(),
            dead_letter: None,
            max_request_bytes: ByteSize::mib(4),
            backend: None,
            max_idle_conns: 100,
            max_idle_conns_per_host: 0,
            max_conns_per_host: 0,
            idle_conn_timeout: Period::seconds(90),
            disable_keep_alives: false,
            http2_read_idle_timeout: Period::seconds(0),
            http2_ping_timeout: Period::seconds(15),
            force_attempt_http2: true,
            read_buffer_size: 0,
            write_buffer_size: 512 << 10,
            cookies: Planned::default(),
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

    /// Where a signal goes; None where neither its own endpoint nor a common one was given.
    pub fn url_of(&self, signal: Signal) -> Option<Url> {
        let (own, path) = match signal {
            Signal::Traces => (&self.traces_endpoint, "/v1/traces"),
            Signal::Logs => (&self.logs_endpoint, "/v1/logs"),
            Signal::Metrics => (&self.metrics_endpoint, "/v1/metrics"),
        };
        own.clone().or_else(|| self.endpoint.as_ref().map(|base| base.below(path)))
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if Signal::ALL.iter().all(|signal| self.url_of(*signal).is_none()) {
            errors.error_here("endpoint is missing", "write where to send to, such as endpoint: http://tempo:4318");
        }
        if let Some(base) = &self.endpoint {
            check_base(base, errors);
        }
        errors.within("tls", &self.tls);
        errors.within("headers", &self.headers);
        errors.within("auth", &self.auth);
        self.delivery().validate(errors);
        super::super::profile::check(self.backend, self.delivery().max_request_bytes, false, &self.headers, errors);
        self.check_compression(errors);
        errors.planned(
            "cookies",
            self.cookies,
            "remove it: a back end that needs cookies to find its replica is best spoken to without a balancer",
        );
        errors.planned("middlewares", self.middlewares, "remove it: requests then go straight to the endpoint");
    }
}

impl Config {
    fn check_compression(&self, errors: &mut ConfigErrors) {
        if self.compression == Compression::Lz4 {
            errors.error(
                "compression",
                "the Collector has lz4; here it is planned and does not work yet",
                "write snappy, which costs as little, or zstd, which is smaller",
            );
        }
        let Some(level) = self.compression_params.level else { return };
        let allowed = match self.compression {
            Compression::Gzip | Compression::Deflate | Compression::Zlib => -2..=9,
            Compression::Zstd => -7..=22,
            _ => 0..=0,
        };
        if !allowed.contains(&level) {
            let wrong = format!("{level} is no level of this compression");
            let right = if *allowed.end() == 0 { "remove it".to_owned() } else { format!("write 1 to {}", allowed.end()) };
            errors.at("compression_params").error("level", wrong, right);
        }
    }
}

/// The path of a signal is put behind the endpoint, which is easily forgotten.
fn check_base(base: &Url, errors: &mut ConfigErrors) {
    let path = base.path().trim_end_matches('/');
    for (signal, end) in [("traces", "/v1/traces"), ("metrics", "/v1/metrics"), ("logs", "/v1/logs")] {
        if path.ends_with(end) {
            let right = format!("remove {end}, or write it as {signal}_endpoint");
            errors.warn("endpoint", format!("ends in {end}, and requests will go to {end}{end}"), right);
        }
    }
}

impl From<Compression> for Option<Coding> {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::Gzip => Some(Coding::Gzip),
            Compression::Zstd => Some(Coding::Zstd),
            Compression::Snappy => Some(Coding::Snappy),
            Compression::SnappyFramed => Some(Coding::SnappyFramed),
            Compression::Deflate => Some(Coding::Deflate),
            Compression::Zlib => Some(Coding::Zlib),
            Compression::None | Compression::Lz4 => None,
        }
    }
}

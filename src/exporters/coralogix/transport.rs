//! How requests travel: one block for all signals, and one for each that differs from it.

use serde::Deserialize;
use tracetailor_core::config::{Auth, ClientTls, ConfigErrors, Period, Planned, Schema, Secret, Switch, Validate};
use tracetailor_net::client::Headers;
use tracetailor_net::otlp::{grpc, http};

use super::config::Protocol;
use super::place::with_scheme;

/// The keys of a connection.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Transport {
    /// Where to, in place of the domain's ingress: `host:port`.
    pub endpoint: String,
    /// How requests are compressed; gzip unless set.
    pub compression: Option<grpc::Compression>,
    /// How connections are encrypted.
    pub tls: ClientTls,
    /// Headers of every request.
    pub headers: Headers,
    /// Who signs requests.
    pub auth: Option<Auth>,
    /// Pings that find dead connections; off unless the block is there. With gRPC alone.
    pub keepalive: Switch<grpc::KeepaliveKeys>,
    /// How requests are spread over the addresses of a name; round_robin unless set. With gRPC alone.
    pub balancer_name: Option<grpc::Balancer>,
    /// Waits for a connection until the timeout, instead of failing at once. With gRPC alone.
    pub wait_for_ready: bool,
    /// What to say in `:authority` in place of the endpoint. With gRPC alone.
    pub authority: String,
    /// What to say in `user-agent`. With gRPC alone.
    pub user_agent: String,
    /// The proxy to go through, in place of those that HTTPS_PROXY and NO_PROXY name. With HTTP alone.
    pub proxy_url: Secret,
    /// How long one attempt may take, where that is less than `timeout` of the exporter; 0s for no limit. With HTTP alone.
    pub timeout: Period,
    /// Accepted from the Collector; answers are read compressed or not.
    pub accept_encoding: String,
    /// Accepted from the Collector; buffers here fit themselves.
    pub read_buffer_size: u64,
    /// Accepted from the Collector; buffers here fit themselves.
    pub write_buffer_size: u64,
    /// Planned: extensions that stand between.
    pub middlewares: Planned,
}

impl Transport {
    /// Whether it says where to: the Collector takes a bare scheme for nothing.
    pub(super) fn has_endpoint(&self) -> bool {
        !matches!(self.endpoint.as_str(), "" | "https://" | "http://")
    }

    /// This one, and what it leaves open as in `base`. Headers are of both; `tls` is one block or the other.
    pub(super) fn over(&self, base: &Transport) -> Transport {
        let own = self.clone();
        let has_tls = self.tls.insecure || self.tls.insecure_skip_verify || !self.tls.ca_file.is_empty() || !self.tls.ca_pem.is_empty();
        let text = |own: String, base: &String| if own.is_empty() { base.clone() } else { own };
        Transport {
            endpoint: own.endpoint,
            compression: own.compression.or(base.compression),
            tls: if has_tls { own.tls } else { base.tls.clone() },
            headers: base.headers.clone().and(&self.headers),
            auth: own.auth.or_else(|| base.auth.clone()),
            keepalive: if own.keepalive.is_on() { own.keepalive } else { base.keepalive },
            balancer_name: own.balancer_name.or(base.balancer_name),
            wait_for_ready: own.wait_for_ready || base.wait_for_ready,
            authority: text(own.authority, &base.authority),
            user_agent: text(own.user_agent, &base.user_agent),
            proxy_url: if own.proxy_url.is_empty() { base.proxy_url.clone() } else { own.proxy_url },
            timeout: if own.timeout.is_zero() { base.timeout } else { own.timeout },
            ..Transport::default()
        }
    }

    /// The same as keys of the exporter over gRPC.
    pub(super) fn grpc(
        self,
        endpoint: &str,
        headers: Headers,
        timeout: Period,
    ) -> Result<grpc::Config, tracetailor_core::config::KeyError> {
        Ok(grpc::Config {
            endpoint: Some(endpoint.parse()?),
            compression: self.compression.unwrap_or_default(),
            tls: self.tls,
            headers,
            auth: self.auth,
            keepalive: self.keepalive,
            balancer_name: self.balancer_name.unwrap_or_default(),
            wait_for_ready: self.wait_for_ready,
            authority: self.authority,
            user_agent: self.user_agent,
            timeout,
            ..grpc::Config::default()
        })
    }

    /// The same as keys of the exporter over HTTP.
    pub(super) fn http(
        self,
        endpoint: &str,
        headers: Headers,
        timeout: Period,
    ) -> Result<http::Config, tracetailor_core::config::KeyError> {
        Ok(http::Config {
            endpoint: Some(with_scheme(endpoint, self.tls.insecure).parse()?),
            compression: match self.compression.unwrap_or_default() {
                grpc::Compression::Gzip => http::Compression::Gzip,
                grpc::Compression::Zstd => http::Compression::Zstd,
                grpc::Compression::Snappy => http::Compression::Snappy,
                grpc::Compression::None => http::Compression::None,
            },
            tls: self.tls,
            headers,
            auth: self.auth,
            proxy_url: self.proxy_url,
            timeout,
            ..http::Config::default()
        })
    }

    /// How long one attempt may take beside the exporter's own limit.
    pub(super) fn limit(&self, protocol: Protocol) -> Option<std::time::Duration> {
        (protocol == Protocol::Http && !self.timeout.is_zero()).then(|| self.timeout.get())
    }
}

impl Validate for Transport {
    fn validate(&self, errors: &mut ConfigErrors) {
        errors.within("tls", &self.tls);
        errors.within("headers", &self.headers);
        errors.within("auth", &self.auth);
        if self.headers.get("authorization").is_some() {
            errors.at("headers").warn("authorization", "is replaced: private_key says who sends", "remove it");
        }
        if self.keepalive.on().is_some_and(|keepalive| keepalive.time.is_zero()) {
            errors.at("keepalive").error("time", "must be positive: it would ping without end", "write a duration such as 10s");
        }
        errors.planned("middlewares", self.middlewares, "remove it: requests then go straight to the endpoint");
    }
}

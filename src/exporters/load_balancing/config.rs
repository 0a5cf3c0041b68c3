//! The keys of the exporter, and what of them cannot be meant.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{
    CommaList, ConfigErrors, Delivery, Endpoint, Period, Planned, RetryOnFailure, Schema, SendingQueue, Validate,
};
use tracetailor_core::telemetry::Signal;
use tracetailor_net::otlp::grpc;

/// What the user writes.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What stays together: `traceID` or `service`; unset, traces and logs go by the trace, metrics by the service.
    pub routing_key: Option<RoutingKey>,
    /// Planned: attributes to route by.
    pub routing_attributes: Planned,
    /// How to speak to the back ends.
    pub protocol: Protocols,
    /// Who the back ends are.
    pub resolver: Resolver,
    /// How long one attempt may take; as in `protocol.otlp` unless set.
    pub timeout: Option<Period>,
    /// What is done about failures that may pass; as in `protocol.otlp` unless set.
    pub retry_on_failure: Option<RetryOnFailure>,
    /// Where telemetry waits, before it is known to whom it goes; as in `protocol.otlp` unless set.
    pub sending_queue: Option<SendingQueue>,
}

/// What stays together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
pub enum RoutingKey {
    /// All of a trace.
    #[serde(rename = "traceID")]
    TraceId,
    /// All of a service.
    #[serde(rename = "service")]
    Service,
    /// Planned.
    #[serde(rename = "attributes")]
    Attributes,
    /// Planned.
    #[serde(rename = "resource")]
    Resource,
    /// Planned.
    #[serde(rename = "metric")]
    Metric,
    /// Planned.
    #[serde(rename = "streamID")]
    StreamId,
}

/// How to speak to the back ends.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Protocols {
    /// The keys of the exporter `otlp_grpc`; its endpoint is each back end's in turn.
    pub otlp: grpc::Config,
}

/// Who the back ends are: one of these.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Resolver {
    /// A list.
    pub r#static: Option<StaticKeys>,
    /// All addresses of a name, looked up again and again: a headless service.
    pub dns: Option<DnsKeys>,
    /// Planned: the endpoints of a service, as Kubernetes tells them.
    pub k8s: Planned,
    /// Planned: AWS Cloud Map.
    pub aws_cloud_map: Planned,
}

/// A list of back ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct StaticKeys {
    /// The back ends: `host:port`, or `host` for port 4317.
    pub hostnames: CommaList,
}

/// A name that stands for all back ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct DnsKeys {
    /// The name.
    pub hostname: String,
    /// The port of all of them.
    pub port: String,
    /// After how long it is looked up again.
    pub interval: Period,
    /// How long a look-up may take.
    pub timeout: Period,
}

impl Default for DnsKeys {
    fn default() -> Self {
        Self { hostname: String::new(), port: "4317".to_owned(), interval: Period::seconds(5), timeout: Period::seconds(1) }
    }
}

impl Config {
    /// What stands around the exporter. It stands before it is known where anything goes, so that nothing waits for one back end alone
    /// that another could take.
    pub fn delivery(&self) -> Delivery {
        let otlp = self.protocol.otlp.delivery();
        Delivery {
            timeout: self.timeout.unwrap_or(otlp.timeout),
            retry_on_failure: self.retry_on_failure.unwrap_or(otlp.retry_on_failure),
            sending_queue: self.sending_queue.clone().unwrap_or(otlp.sending_queue),
            ..otlp
        }
    }

    /// What stays together of a signal.
    pub(super) fn goes_by(&self, signal: Signal) -> RoutingKey {
        match (self.routing_key, signal) {
            // Metrics have no trace.
            (Some(RoutingKey::TraceId) | None, Signal::Metrics) => RoutingKey::Service,
            (Some(key), _) => key,
            (None, _) => RoutingKey::TraceId,
        }
    }
}

/// A back end as an endpoint: the Collector adds the port where there is none.
pub(super) fn with_port(back_end: &str) -> String {
    let (_, port) = back_end.rsplit_once(':').unwrap_or_default();
    let is_address = back_end.parse::<std::net::Ipv6Addr>().is_ok();
    match (is_address, port.parse::<u16>()) {
        (true, _) => format!("[{back_end}]:4317"),
        (false, Ok(_)) => back_end.to_owned(),
        (false, Err(_)) => format!("{}:4317", back_end.trim_end_matches(':')),
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if let Some(key @ (RoutingKey::Attributes | RoutingKey::Resource | RoutingKey::Metric | RoutingKey::StreamId)) = self.routing_key {
            let wrong = format!("the Collector has {}; here it is planned and does not work yet", key.word());
            errors.error("routing_key", wrong, "write traceID or service");
        }
        errors.planned("routing_attributes", self.routing_attributes, "remove it, and route by traceID or service");
        self.resolver.validate(&mut errors.at("resolver"));
        self.check_protocol(&mut errors.at("protocol").at("otlp"));
        self.delivery().validate(errors);
    }
}

impl RoutingKey {
    fn word(self) -> &'static str {
        match self {
            RoutingKey::TraceId => "traceID",
            RoutingKey::Service => "service",
            RoutingKey::Attributes => "attributes",
            RoutingKey::Resource => "resource",
            RoutingKey::Metric => "metric",
            RoutingKey::StreamId => "streamID",
        }
    }
}

impl Config {
    fn check_protocol(&self, errors: &mut ConfigErrors) {
        let otlp = &self.protocol.otlp;
        if otlp.endpoint.is_some() {
            errors.warn("endpoint", "is not used: the resolver says who the back ends are", "remove it");
        }
        if otlp.backend.is_some() {
            errors.warn("backend", "is not used: back ends that share traces among them are gateways", "remove it");
        }
        let any = grpc::Config { endpoint: "back-end:4317".parse().ok(), backend: None, ..otlp.clone() };
        any.validate(errors);
    }
}

impl Validate for Resolver {
    fn validate(&self, errors: &mut ConfigErrors) {
        let headless = "write dns: {hostname: samplers.observability.svc.cluster.local} with the name of a headless service";
        errors.planned("k8s", self.k8s, headless);
        errors.planned("aws_cloud_map", self.aws_cloud_map, "write dns with a name that has all back ends as its addresses");
        match (&self.r#static, &self.dns) {
            (None, None) if errors.has_errors() => {}
            (None, None) => {
                errors.error_here("names no back ends", "write static: {hostnames: [sampler-1:4317]}, or dns: {hostname: samplers}")
            }
            (Some(_), Some(_)) => errors.error_here("has two lists of back ends", "keep static or dns"),
            (Some(list), None) => list.validate(&mut errors.at("static")),
            (None, Some(dns)) => dns.validate(&mut errors.at("dns")),
        }
    }
}

impl Validate for StaticKeys {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.hostnames.is_empty() {
            errors.error_here("hostnames is missing", "write hostnames: [sampler-1:4317, sampler-2:4317]");
        }
        for host in self.hostnames.iter() {
            if let Err(wrong) = with_port(host).parse::<Endpoint>() {
                errors.error("hostnames", wrong.wrong, wrong.right);
            }
        }
        let mut sorted: Vec<&String> = self.hostnames.iter().collect();
        sorted.sort();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            errors.error("hostnames", format!("names {} twice", twice[0]), "name each back end once");
        }
    }
}

impl Validate for DnsKeys {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.hostname.is_empty() {
            errors.error_here("hostname is missing", "write the name of a headless service");
        }
        if !self.port.is_empty() && self.port.parse::<u16>().is_err() {
            errors.error("port", "is no port", "write a number such as 4317");
        }
        for (key, period) in [("interval", self.interval), ("timeout", self.timeout)] {
            if period.is_zero() {
                errors.error(key, "must be positive", "write a duration such as 5s");
            }
        }
    }
}

//! The keys of the exporter, and what of them cannot be meant.

use serde::{Deserialize, Serialize};
use tracetailor_core::config::{
    ByteSize, CircuitBreaker, CommaList, ConfigErrors, CoolDown, DeadLetter, Delivery, Period, RetryOnFailure, Schema, Secret,
    SendingQueue, Unused, Validate,
};
use tracetailor_core::telemetry::Signal;

use super::place;
use super::transport::Transport;

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The region's domain, such as `eu1.coralogix.com`: requests go to `ingress.<domain>:443`.
    pub domain: String,
    /// Goes by way of AWS PrivateLink: to `ingress.private.<domain>:443`.
    pub private_link: bool,
    /// What is spoken.
    pub protocol: Protocol,
    /// The Send-Your-Data key of the team.
    pub private_key: Secret,
    /// The application of what has none by its attributes.
    pub application_name: String,
    /// The subsystem of what has none by its attributes.
    pub subsystem_name: String,
    /// Resource attributes that name the application: the first that is not empty does.
    pub application_name_attributes: CommaList,
    /// Resource attributes that name the subsystem: the first that is not empty does.
    pub subsystem_name_attributes: CommaList,
    /// How requests travel, whatever the signal.
    pub domain_settings: Transport,
    /// How traces travel, where that differs.
    pub traces: Transport,
    /// How metrics travel, where that differs.
    pub metrics: Transport,
    /// How logs travel, where that differs.
    pub logs: Transport,
    /// Accepted from the Collector; there are no profiles here.
    pub profiles: Unused,
    /// How long one attempt may take; 0s for no limit.
    pub timeout: Period,
    /// What is done about failures that may pass.
    pub retry_on_failure: RetryOnFailure,
    /// Where telemetry waits.
    pub sending_queue: SendingQueue,
    /// When to leave Coralogix alone, since it takes nothing from us.
    pub rate_limiter: RateLimiter,
    /// When to leave it alone, since it cannot be reached or fails.
    pub circuit_breaker: CircuitBreaker,
    /// Where what it does not take is written.
    pub dead_letter: Option<DeadLetter>,
    /// The most bytes of one request before compression; larger ones are split. Coralogix recommends 2 MB, and takes no more than 10 MB.
    pub max_request_bytes: ByteSize,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// OTLP over gRPC.
    #[default]
    Grpc,
    /// OTLP as protobuf over HTTP.
    Http,
}

/// Leaving Coralogix alone that refuses everything: the key is wrong, the team is another region's, the quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimiter {
    /// Off: after one such answer it is left alone for as long as `circuit_breaker.open_for` says.
    pub enabled: bool,
    /// After how many such answers in a row.
    pub threshold: u32,
    /// For how long. What comes meanwhile waits in the queue.
    pub duration: Period,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self { enabled: true, threshold: 10, duration: Period::seconds(60) }
    }
}

/// What Coralogix takes at the most in one request, before compression.
pub(super) const MOST_BYTES: usize = 10_000_000;

impl Default for Config {
    fn default() -> Self {
        Self {
            domain: String::new(),
            private_link: false,
            protocol: Protocol::default(),
            private_key: Secret::default(),
            application_name: String::new(),
            subsystem_name: String::new(),
            application_name_attributes: CommaList::default(),
            subsystem_name_attributes: CommaList::default(),
            domain_settings: Transport::default(),
            traces: Transport::default(),
            metrics: Transport::default(),
            logs: Transport::default(),
            profiles: Unused::default(),
            timeout: Period::seconds(5),
            retry_on_failure: RetryOnFailure::default(),
            sending_queue: SendingQueue::default(),
            rate_limiter: RateLimiter::default(),
            circuit_breaker: CircuitBreaker::default(),
            dead_letter: None,
            max_request_bytes: ByteSize::mib(2),
        }
    }
}

impl Config {
    /// What stands around the exporter.
    pub fn delivery(&self) -> Delivery {
        let limiter = self.rate_limiter;
        Delivery {
            timeout: self.timeout,
            retry_on_failure: self.retry_on_failure,
            sending_queue: self.sending_queue.clone(),
            circuit_breaker: self.circuit_breaker,
            cool_down: limiter.enabled.then_some(CoolDown { refusals: limiter.threshold, duration: limiter.duration }),
            dead_letter: self.dead_letter.clone(),
            max_request_bytes: self.max_request_bytes,
        }
    }

    /// How a signal travels, all told.
    pub(super) fn transport(&self, signal: Signal) -> Transport {
        self.own(signal).over(&self.domain_settings)
    }

    fn own(&self, signal: Signal) -> &Transport {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Logs => &self.logs,
            Signal::Metrics => &self.metrics,
        }
    }

    /// Where a signal goes: its own endpoint, else the region's ingress. None where neither is given.
    pub(super) fn endpoint(&self, signal: Signal) -> Option<String> {
        let own = self.own(signal);
        match own.has_endpoint() {
            true => Some(own.endpoint.clone()),
            false => (!self.domain.is_empty()).then(|| place::ingress(&self.domain, self.private_link)),
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if Signal::ALL.iter().all(|signal| self.endpoint(*signal).is_none()) {
            errors
                .error_here("neither domain nor the endpoint of a signal is given", "write the region, such as domain: eu1.coralogix.com");
        }
        if !self.domain.is_empty() {
            place::check_domain(&self.domain, errors);
        }
        self.check_key(errors);
        if self.application_name.is_empty() {
            let right = "write application_name: what telemetry belongs to whose attributes name no application";
            errors.error_here("application_name is missing", right);
        }
        if !self.domain_settings.endpoint.is_empty() {
            errors.at("domain_settings").warn("endpoint", "is not used: the domain says where to", "write it as traces: {endpoint: …}");
        }
        errors.within("domain_settings", &self.domain_settings);
        for signal in Signal::ALL {
            let own = self.own(signal);
            let mut errors = errors.at(signal.name());
            own.validate(&mut errors);
            if own.has_endpoint() {
                place::check_endpoint(&own.endpoint, self.protocol, &mut errors);
            }
        }
        self.delivery().validate(errors);
        self.check_limits(errors);
    }
}

impl Config {
    fn check_key(&self, errors: &mut ConfigErrors) {
        let key = &self.private_key;
        if key.is_empty() {
            errors.error_here(
                "private_key is missing",
                "write private_key: ${env:CORALOGIX_PRIVATE_KEY}, the Send-Your-Data key of the team",
            );
        } else if key.has_line_break() {
            errors.error("private_key", "has a line break in it", "remove it: a file with a key often ends with one");
        } else if tracetailor_net::client::header_value(key).is_err() {
            errors.error("private_key", "has a character in it that no header can have", "write the key as Coralogix shows it");
        } else if key.expose().trim_start().to_ascii_lowercase().starts_with("bearer ") {
            errors.error("private_key", "begins with Bearer, which is put before it here", "write the key alone");
        }
    }

    fn check_limits(&self, errors: &mut ConfigErrors) {
        if self.rate_limiter.enabled && self.rate_limiter.threshold == 0 {
            errors.at("rate_limiter").error("threshold", "must be positive", "write a number such as 10, or enabled: false");
        }
        if self.rate_limiter.enabled && self.rate_limiter.duration.is_zero() {
            errors.at("rate_limiter").error("duration", "must be positive", "write a duration such as 1m, or enabled: false");
        }
        let most = self.max_request_bytes;
        if most.is_zero() || most.as_usize() > MOST_BYTES {
            errors.error("max_request_bytes", "is more than Coralogix takes: 10 MB before compression", "write 2MiB, which it recommends");
        }
    }
}

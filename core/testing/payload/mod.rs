//! What production sends, made up: requests whose size, shape and compressibility are those that the figures of this project are stated for.

mod logs;
mod metrics;
mod traces;
mod words;

use prost::Message as _;

use super::dice::Dice;
use super::otlp::{ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest, InstrumentationScope, Resource};
use super::value::{IntoValue, attribute};

/// A measurement cycles through so many different requests, and through more of small ones, so that it does not work on what the nearest
/// cache still holds.
const CYCLE: usize = 8;
const CYCLE_ITEMS: usize = 8_000;

/// The shape of a request. [`Payload::STANDARD`] is the one that figures are stated for: 1,000 spans of ten attributes, 125 traces of eight
/// spans over ten resources of two scopes each, one span in fifty failed with an exception event; some 525 bytes per span on the wire, which
/// gzip makes 3.5 times smaller. A sweep changes one field: `Payload { attributes: 30, ..Payload::STANDARD }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Spans, log records or metric points in one request.
    pub items: usize,
    /// Attributes of each span. Beyond ten they are the custom ones that teams add.
    pub attributes: usize,
    /// Spans of one trace, all within one request.
    pub spans_per_trace: usize,
    /// Resources, which are instances of services.
    pub resources: usize,
    /// Scopes under each resource.
    pub scopes: usize,
    /// One item in so many failed.
    pub error_every: usize,
    /// Another seed, other requests of the same shape.
    pub seed: u64,
}

impl Payload {
    /// The payload that figures are stated for.
    pub const STANDARD: Payload =
        Payload { items: 1_000, attributes: 10, spans_per_trace: 8, resources: 10, scopes: 2, error_every: 50, seed: 0x7ace };

    /// The standard payload with another number of items per request. A small request comes from one process: there is one resource for
    /// every hundred items, up to the ten of the standard.
    pub fn of(items: usize) -> Self {
        Payload { items, resources: (items / 100).clamp(1, Self::STANDARD.resources), ..Self::STANDARD }
    }

    /// A request of spans. The same payload and index give the same request, another index gives one with other ids and values.
    pub fn traces(&self, index: u64) -> ExportTraceServiceRequest {
        traces::request(self, &mut self.dice(index))
    }

    /// A request of log records: a line of text each, with severity, source and mostly a trace.
    pub fn logs(&self, index: u64) -> ExportLogsServiceRequest {
        logs::request(self, &mut self.dice(index))
    }

    /// A request of metric points of all five kinds, ten points to a metric.
    pub fn metrics(&self, index: u64) -> ExportMetricsServiceRequest {
        metrics::request(self, &mut self.dice(index))
    }

    /// Different requests of spans, encoded, for a measurement to cycle through: eight, and more of small ones so that they are 8,000 spans.
    pub fn encoded_traces(&self) -> Vec<Vec<u8>> {
        self.indices().map(|index| self.traces(index).encode_to_vec()).collect()
    }

    /// As many different requests of log records, encoded.
    pub fn encoded_logs(&self) -> Vec<Vec<u8>> {
        self.indices().map(|index| self.logs(index).encode_to_vec()).collect()
    }

    /// As many different requests of metric points, encoded.
    pub fn encoded_metrics(&self) -> Vec<Vec<u8>> {
        self.indices().map(|index| self.metrics(index).encode_to_vec()).collect()
    }

    fn indices(&self) -> std::ops::Range<u64> {
        0..CYCLE.max(CYCLE_ITEMS.div_ceil(self.items.max(1))) as u64
    }

    fn dice(&self, index: u64) -> Dice {
        Dice::new(self.seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    fn is_error(&self, ordinal: usize) -> bool {
        self.error_every > 0 && ordinal % self.error_every == self.error_every / 2
    }
}

/// The instance that resource number `index` stands for; the same in every request, as a running pod is.
fn resource(index: usize) -> Resource {
    let mut dice = Dice::new(index as u64);
    let service = words::service(index);
    let pod = format!("{service}-{:x}-{}", dice.roll() >> 28, &hex(&dice.bytes(3))[..5]);
    let node = format!("ip-10-0-{}-{}.eu-west-1.compute.internal", dice.below(16), dice.below(256));
    let attributes = vec![
        attribute("service.name", service.as_str()),
        attribute("service.namespace", "shop"),
        attribute("service.version", format!("2.{}.{}", dice.below(20), dice.below(10))),
        attribute("service.instance.id", uuid(&mut dice)),
        attribute("deployment.environment.name", "production"),
        attribute("telemetry.sdk.name", "opentelemetry"),
        attribute("telemetry.sdk.language", "java"),
        attribute("telemetry.sdk.version", "1.55.0"),
        attribute("k8s.namespace.name", "shop"),
        attribute("k8s.deployment.name", service),
        attribute("k8s.pod.name", pod.as_str()),
        attribute("k8s.node.name", node),
        attribute("host.name", pod),
        attribute("process.pid", 1),
    ];
    Resource { attributes, ..Resource::default() }
}

fn scope(index: usize) -> InstrumentationScope {
    let name = words::SCOPES[index % words::SCOPES.len()];
    let name = if index < words::SCOPES.len() { name.to_owned() } else { format!("{name}.{index}") };
    InstrumentationScope { name, version: "2.21.0-alpha".to_owned(), ..InstrumentationScope::default() }
}

/// Items that were made in the order of their traces, sorted into `[resource][scope]`.
fn places<T>(payload: &Payload) -> Vec<Vec<Vec<T>>> {
    let scopes = || (0..payload.scopes.max(1)).map(|_| Vec::new()).collect();
    (0..payload.resources.max(1)).map(|_| scopes()).collect()
}

/// `[resource][scope]` as a request has it: numbered, and without what stayed empty.
fn filled<T>(places: Vec<Vec<Vec<T>>>) -> impl Iterator<Item = (usize, impl Iterator<Item = (usize, Vec<T>)>)> {
    places.into_iter().enumerate().filter_map(|(resource, scopes)| {
        let mut scopes = scopes.into_iter().enumerate().filter(|(_, items)| !items.is_empty()).peekable();
        scopes.peek().is_some().then_some((resource, scopes))
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn uuid(dice: &mut Dice) -> String {
    let digits = hex(&dice.bytes(16));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// An opaque id of letters and digits, which no compressor gets far with.
fn token(dice: &mut Dice, length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..length).map(|_| char::from(ALPHABET[dice.below(ALPHABET.len())])).collect()
}

/// An attribute that some team added: the key is one of few, the value one of many.
fn custom(number: usize, dice: &mut Dice) -> super::otlp::KeyValue {
    let key = format!("app.{}.{}", words::NOUNS[number % words::NOUNS.len()], number);
    let value = match number % 3 {
        0 => dice.pick(&words::NOUNS).into_value(),
        1 => i64::try_from(dice.below(100_000)).unwrap_or_default().into_value(),
        _ => uuid(dice).into_value(),
    };
    attribute(key, value)
}

#[cfg(test)]
mod tests;

//! The keys that every exporter has for what stands around it: queue, batching, retries, timeout, circuit breaker, dead letters.

use serde::{Deserialize, Serialize};

use super::byte_size::ByteSize;
use super::period::Period;
use super::several::CommaList;
use super::switch::Switch;
use crate::config::errors::ConfigErrors;
use crate::config::validate::{Planned, Validate};

/// All of it, as the gateway takes it from an exporter's configuration. The configuration itself spells the fields out, under these names,
/// so that its struct stays the only source of its keys.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// How long one attempt may take; zero for no limit.
    pub timeout: Period,
    /// What is done about failures that may pass.
    pub retry_on_failure: RetryOnFailure,
    /// Where telemetry waits.
    pub sending_queue: SendingQueue,
    /// When to leave a destination alone.
    pub circuit_breaker: CircuitBreaker,
    /// When to leave one alone that refuses everything (credentials, quota); after the first refusal, for as long as the circuit breaker says, unless set.
    pub cool_down: Option<CoolDown>,
    /// Where what nobody takes is written.
    pub dead_letter: Option<DeadLetter>,
    /// The most bytes of one request; larger ones are split. Zero for no limit.
    pub max_request_bytes: ByteSize,
}

/// Trying again after a failure that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryOnFailure {
    /// Whether to try again at all.
    pub enabled: bool,
    /// The wait before the second attempt.
    pub initial_interval: Period,
    /// How much a wait is shortened or stretched at random, as a share of it.
    pub randomization_factor: f64,
    /// How much longer each wait is than the one before.
    pub multiplier: f64,
    /// The longest wait.
    pub max_interval: Period,
    /// After how long to give up; 0s never does.
    pub max_elapsed_time: Period,
}

impl Default for RetryOnFailure {
    fn default() -> Self {
        Self {
            enabled: true,
            initial_interval: Period::seconds(5),
            randomization_factor: 0.5,
            multiplier: 1.5,
            max_interval: Period::seconds(30),
            max_elapsed_time: Period::seconds(300),
        }
    }
}

/// The queue before an exporter.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SendingQueue {
    /// Off: whoever sends waits for the destination, and hears what it said.
    pub enabled: bool,
    /// How many requests are under way at once.
    pub num_consumers: u32,
    /// How much may wait or be under way, in units of `sizer`.
    pub queue_size: u64,
    /// What `queue_size` counts.
    pub sizer: Sizer,
    /// Full, it makes senders wait instead of refusing them.
    pub block_on_overflow: bool,
    /// Whoever sends waits until the destination has answered.
    pub wait_for_result: bool,
    /// Gathering small batches into larger requests, and splitting what is too large.
    pub batch: Switch<QueueBatch>,
    /// Planned: an extension that keeps the queue on disk.
    #[serde(skip_serializing)]
    pub storage: Planned,
}

impl Default for SendingQueue {
    fn default() -> Self {
        Self {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            sizer: Sizer::Requests,
            block_on_overflow: false,
            wait_for_result: false,
            batch: Switch::Off,
            storage: Planned::default(),
        }
    }
}

impl SendingQueue {
    /// None, as exporters have it by default that write where they run.
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }
}

/// What sizes are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sizer {
    /// Requests as they come from the pipeline.
    Requests,
    /// Spans, log records or metric points.
    Items,
    /// Bytes as they are sent, before compression.
    Bytes,
}

/// How batches are gathered.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueBatch {
    /// After how long what has gathered is sent in any case.
    pub flush_timeout: Period,
    /// How much is gathered before it is sent.
    pub min_size: u64,
    /// The most that is sent at once; 0 for no limit.
    pub max_size: u64,
    /// What `min_size` and `max_size` count: `items` or `bytes`. Unset, what the queue counts where that is one of the two, else items.
    pub sizer: Option<Sizer>,
    /// Gathering apart what must not be mixed.
    pub partition: QueuePartition,
}

impl Default for QueueBatch {
    fn default() -> Self {
        Self { flush_timeout: Period::millis(200), min_size: 8192, max_size: 0, sizer: None, partition: QueuePartition::default() }
    }
}

/// What must not be mixed in one request.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueuePartition {
    /// Client metadata: one batch for each combination of their values.
    pub metadata_keys: CommaList,
}

/// When a destination that fails is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CircuitBreaker {
    /// How many failures in a row open it; 0 for never. A destination that refuses everything (credentials, quota, path) is left alone in
    /// any case.
    pub failures: u32,
    /// How long it stays open before one request tries again.
    pub open_for: Period,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self { failures: 5, open_for: Period::seconds(30) }
    }
}

/// Leaving a destination alone that refuses everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoolDown {
    /// After how many refusals in a row.
    pub refusals: u32,
    /// For how long.
    pub duration: Period,
}

/// A file for what no destination takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeadLetter {
    /// The file: one line of OTLP JSON for each batch that was set aside, with the reason.
    pub path: String,
}

/// A named profile of what a back end takes and how it says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Grafana Tempo.
    Tempo,
    /// Jaeger.
    Jaeger,
    /// Coralogix.
    Coralogix,
}

impl Validate for RetryOnFailure {
    fn validate(&self, errors: &mut ConfigErrors) {
        if !self.enabled {
            return;
        }
        if !(0.0..=1.0).contains(&self.randomization_factor) {
            errors.error("randomization_factor", "lies outside of 0 to 1", "write a share such as 0.5");
        }
        if !(self.multiplier >= 0.0 && self.multiplier.is_finite()) {
            errors.error("multiplier", "must not be negative, and must be a number", "write a factor such as 1.5");
        }
        if self.max_elapsed_time.is_zero() {
            return;
        }
        for (key, interval) in [("initial_interval", self.initial_interval), ("max_interval", self.max_interval)] {
            if interval > self.max_elapsed_time {
                let wrong = format!("{} is over before {key} ({interval}) is", self.max_elapsed_time);
                errors.error("max_elapsed_time", wrong, format!("write at least {interval}, or 0s to never give up"));
            }
        }
    }
}

impl Validate for SendingQueue {
    fn validate(&self, errors: &mut ConfigErrors) {
        let meanwhile = "remove it: the queue then lies in memory and is drained at shutdown";
        errors.planned("storage", self.storage, meanwhile);
        if !self.enabled {
            return;
        }
        if self.num_consumers == 0 {
            errors.error("num_consumers", "must be positive: nobody would send", "write a number such as 10");
        }
        if self.queue_size == 0 {
            errors.error("queue_size", "must be positive: a queue of 0 takes nothing", "write a size such as 1000, or enabled: false");
        }
        if let Switch::On(batch) = &self.batch {
            batch.validate(&mut errors.at("batch"));
            let counts_alike = self.sizer != Sizer::Requests && batch.sizer_in(self.sizer) == self.sizer;
            if batch.min_size > self.queue_size && counts_alike {
                let wrong = format!("is more than the queue_size of {}: it would never be reached", self.queue_size);
                errors.at("batch").error("min_size", wrong, format!("write at most {}", self.queue_size));
            }
        }
    }
}

impl QueueBatch {
    /// What `min_size` and `max_size` count, before a queue that counts so.
    pub fn sizer_in(&self, queue: Sizer) -> Sizer {
        match (self.sizer, queue) {
            (Some(sizer), _) => sizer,
            (None, Sizer::Bytes) => Sizer::Bytes,
            (None, _) => Sizer::Items,
        }
    }
}

impl Validate for QueueBatch {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.flush_timeout.is_zero() {
            errors.error("flush_timeout", "must be positive: what has gathered would wait for ever", "write a duration such as 200ms");
        }
        if self.sizer == Some(Sizer::Requests) {
            errors.error("sizer", "requests have no size that could be split", "write items or bytes");
        }
        if self.max_size > 0 && self.max_size < self.min_size {
            errors.error(
                "max_size",
                format!("is less than the min_size of {}", self.min_size),
                format!("write at least {}, or 0 for no limit", self.min_size),
            );
        }
        let mut seen = Vec::new();
        for key in self.partition.metadata_keys.iter() {
            let key = key.to_ascii_lowercase();
            if seen.contains(&key) {
                errors.at("partition").error("metadata_keys", format!("names {key} twice"), "name each key once; case does not matter");
            }
            seen.push(key);
        }
    }
}

impl Validate for CircuitBreaker {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.open_for.is_zero() {
            errors.error(
                "open_for",
                "must be positive: a destination that says no would be asked again without a pause",
                "write a duration such as 30s",
            );
        }
    }
}

impl Validate for DeadLetter {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.path.is_empty() {
            errors.error("path", "is missing", "name a file, or remove dead_letter");
        }
    }
}

impl Validate for Delivery {
    fn validate(&self, errors: &mut ConfigErrors) {
        errors.within("retry_on_failure", &self.retry_on_failure);
        errors.within("sending_queue", &self.sending_queue);
        errors.within("circuit_breaker", &self.circuit_breaker);
        errors.within("dead_letter", &self.dead_letter);
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::config::parse;

    /// What is said of a block, without its place.
    fn check<T: DeserializeOwned + Validate>(yaml: &str) -> Vec<String> {
        let block: T = parse(yaml, "f", "x").unwrap_or_else(|errors| panic!("{yaml}: {errors}"));
        let mut errors = ConfigErrors::default();
        block.validate(&mut errors);
        errors.iter().map(|error| format!("{}: {} | {}", error.path, error.wrong, error.right)).collect()
    }

    #[test]
    fn blocks_that_the_collector_takes_are_taken() {
        for yaml in [
            "{}",
            "{enabled: false, multiplier: -1, max_elapsed_time: 1s}",
            "{max_elapsed_time: 0s, initial_interval: 10m}",
            "{randomization_factor: 0}",
            "{randomization_factor: 1}",
            "{multiplier: 0}",
            "{initial_interval: 1s, max_interval: 5s, max_elapsed_time: 5s}",
        ] {
            assert_eq!(check::<RetryOnFailure>(yaml), [""; 0], "{yaml}");
        }
        for yaml in [
            "{}",
            "{enabled: false, queue_size: 0, num_consumers: 0}",
            "{batch: {}}",
            "{queue_size: 10, batch: {min_size: 8192}}",
            "{queue_size: 10000, sizer: items, batch: {}}",
            "{sizer: bytes, queue_size: 1000000, batch: {sizer: items, min_size: 2000000}}",
            "{block_on_overflow: true, wait_for_result: true}",
            "{batch: {min_size: 0, max_size: 0}}",
            "{batch: {partition: {metadata_keys: [a, b]}}}",
        ] {
            assert_eq!(check::<SendingQueue>(yaml), [""; 0], "{yaml}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_what_would() {
        for (yaml, message) in [
            ("{randomization_factor: 1.5}", "randomization_factor: lies outside of 0 to 1 | write a share such as 0.5"),
            ("{randomization_factor: .nan}", "randomization_factor: lies outside of 0 to 1 | write a share such as 0.5"),
            ("{multiplier: -1}", "multiplier: must not be negative, and must be a number | write a factor such as 1.5"),
            ("{multiplier: .inf}", "multiplier: must not be negative, and must be a number | write a factor such as 1.5"),
            (
                "{initial_interval: 10s, max_elapsed_time: 5s, max_interval: 1s}",
                "max_elapsed_time: 5s is over before initial_interval (10s) is | write at least 10s, or 0s to never give up",
            ),
            (
                "{max_elapsed_time: 20s}",
                "max_elapsed_time: 20s is over before max_interval (30s) is | write at least 30s, or 0s to never give up",
            ),
        ] {
            assert_eq!(check::<RetryOnFailure>(yaml), [message], "{yaml}");
        }
        for (yaml, message) in [
            ("{num_consumers: 0}", "num_consumers: must be positive: nobody would send | write a number such as 10"),
            ("{queue_size: 0}", "queue_size: must be positive: a queue of 0 takes nothing | write a size such as 1000, or enabled: false"),
            (
                "{storage: file_storage}",
                "storage: the Collector has this key; here it is planned and does not work yet | remove it: the queue then lies in memory \
                 and is drained at shutdown",
            ),
            (
                "{batch: {flush_timeout: 0s}}",
                "batch.flush_timeout: must be positive: what has gathered would wait for ever | write a duration such as 200ms",
            ),
            ("{batch: {sizer: requests}}", "batch.sizer: requests have no size that could be split | write items or bytes"),
            (
                "{batch: {min_size: 10, max_size: 5}}",
                "batch.max_size: is less than the min_size of 10 | write at least 10, or 0 for no limit",
            ),
            (
                "{sizer: items, queue_size: 100, batch: {}}",
                "batch.min_size: is more than the queue_size of 100: it would never be reached | write at most 100",
            ),
            (
                "{batch: {partition: {metadata_keys: [tenant, Tenant]}}}",
                "batch.partition.metadata_keys: names tenant twice | name each key once; case does not matter",
            ),
        ] {
            assert_eq!(check::<SendingQueue>(yaml), [message], "{yaml}");
        }
        let pause =
            "open_for: must be positive: a destination that says no would be asked again without a pause | write a duration such as 30s";
        assert_eq!(check::<CircuitBreaker>("{open_for: 0s}"), [pause]);
        assert_eq!(check::<DeadLetter>("{}"), ["path: is missing | name a file, or remove dead_letter"]);
    }
}

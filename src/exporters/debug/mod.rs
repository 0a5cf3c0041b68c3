#![doc = include_str!("README.md")]

use std::future::ready;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use tracetailor_core::component::{
    AnyConfig, BoxFuture, BuildContext, BuildError, Component, Delivered, ExportError, Exporter, ExporterFactory, Exporters, NeedsRebuild,
    Part, Stability,
};
use tracetailor_core::config::{
    ByteSize, CircuitBreaker, ConfigErrors, Delivery, KeyError, OneOrMany, Period, RetryOnFailure, Schema, SendingQueue, Validate, quoted,
};
use tracetailor_core::telemetry::{Decoded, Telemetry};
use tracetailor_core::time::Clock;

mod detailed;
mod normal;
mod outputs;
mod points;
mod sampler;
mod summary;
mod text;

use outputs::Outputs;
use sampler::Sampler;
use summary::Summary;

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How much is told: counts (`basic`), a line for each item (`normal`), or everything (`detailed`).
    pub verbosity: Verbosity,
    /// So many batches of a signal are told in each second.
    pub sampling_initial: u32,
    /// After these, one in so many is told; 1 for all, 0 for none.
    pub sampling_thereafter: u32,
    /// Whether to write to the gateway's own log; `false` writes to `output_paths`.
    pub use_internal_logger: bool,
    /// Where to write with `use_internal_logger: false`: `stdout`, `stderr` or files.
    pub output_paths: OneOrMany<String>,
    /// The queue before it; off.
    pub sending_queue: SendingQueue,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Verbosity {
    /// How many there were.
    #[default]
    Basic,
    /// A line for each.
    Normal,
    /// Everything.
    Detailed,
}

/// Case does not matter.
impl<'de> Deserialize<'de> for Verbosity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.to_ascii_lowercase().as_str() {
            "basic" => Ok(Verbosity::Basic),
            "normal" => Ok(Verbosity::Normal),
            "detailed" => Ok(Verbosity::Detailed),
            _ => Err(KeyError::new(format!("there is no verbosity {}", quoted(&text)), "write basic, normal or detailed").into_serde()),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            verbosity: Verbosity::Basic,
            sampling_initial: 2,
            sampling_thereafter: 1,
            use_internal_logger: true,
            output_paths: vec![outputs::STDOUT.to_owned()].into(),
            sending_queue: SendingQueue::off(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.use_internal_logger && self.output_paths.as_slice() != [outputs::STDOUT] {
            errors.error("output_paths", "has no effect with the internal logger", "write use_internal_logger: false beside it");
        }
        errors.within("sending_queue", &self.sending_queue);
    }
}

/// How one is made.
pub const FACTORY: ExporterFactory =
    ExporterFactory::of::<Debug>("debug", Stability::Beta, include_str!("README.md")).playing(Part::Delivering(delivery));

/// Nothing is tried again: what could not be written once is not worth holding anybody up.
fn delivery(config: &AnyConfig) -> Result<Delivery, NeedsRebuild> {
    let config: &Config = config.get()?;
    Ok(Delivery {
        cool_down: None,
        timeout: Period::ZERO,
        retry_on_failure: RetryOnFailure { enabled: false, ..RetryOnFailure::default() },
        sending_queue: config.sending_queue.clone(),
        circuit_breaker: CircuitBreaker { failures: 0, ..CircuitBreaker::default() },
        dead_letter: None,
        max_request_bytes: ByteSize::default(),
    })
}

/// One lane's view of what all lanes share: the places that are written to, and how much has been told in this second.
pub struct Debug {
    id: String,
    verbosity: Verbosity,
    clock: Clock,
    sampler: Arc<Sampler>,
    /// None for the gateway's own log.
    outputs: Option<Arc<Outputs>>,
}

impl Component for Debug {
    type Kind = Exporters;
    type Config = Config;

    fn build(config: &Config, context: &BuildContext) -> Result<Box<dyn Exporter>, BuildError> {
        let outputs = context.share("outputs", Outputs::default);
        if !config.use_internal_logger {
            outputs.open(config.output_paths.as_slice())?;
        }
        Ok(Box::new(Self {
            id: context.id.to_string(),
            verbosity: config.verbosity,
            clock: context.clock.clone(),
            sampler: context.share("sampler", || Sampler::new(config.sampling_initial, config.sampling_thereafter)),
            outputs: (!config.use_internal_logger).then_some(outputs),
        }))
    }
}

impl Exporter for Debug {
    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(ready(self.tell(batch)))
    }
}

impl Debug {
    fn tell(&self, batch: &Telemetry) -> Result<Delivered, ExportError> {
        let now = self.clock.now();
        if !self.sampler.tells(batch.signal(), now) {
            return Ok(Delivered::ALL);
        }
        let summary = Summary::of(batch);
        let text = match self.verbosity {
            Verbosity::Basic => None,
            Verbosity::Normal => Some(shown(batch, normal::text)),
            Verbosity::Detailed => Some(shown(batch, detailed::text)),
        };
        match &self.outputs {
            None => summary.log(&self.id, text.as_deref()),
            Some(outputs) => outputs.write(now, &summary, text.as_deref()).map_err(|error| ExportError::retry(error.to_string()))?,
        }
        Ok(Delivered::ALL)
    }
}

/// A batch as text. One with text in it that is no UTF-8 cannot be decoded, which is worth a line and no failure.
fn shown(batch: &Telemetry, text: fn(&Decoded) -> String) -> String {
    batch.to_decoded().map_or_else(|error| format!("cannot be shown: {error}"), |decoded| text(&decoded))
}

#[cfg(test)]
mod tests;

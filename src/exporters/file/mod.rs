#![doc = include_str!("README.md")]

use std::future::ready;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tracetailor_core::component::{
    AnyConfig, BoxFuture, BuildContext, BuildError, Component, Delivered, ExportError, Exporter, ExporterFactory, Exporters, Failing,
    NeedsRebuild, Part, Stability,
};
use tracetailor_core::config::{
    ByteSize, CircuitBreaker, ConfigErrors, Delivery, Period, Planned, RetryOnFailure, Schema, SendingQueue, Validate,
};
use tracetailor_core::telemetry::{Telemetry, json};
use tracetailor_core::time::Clock;

mod output;

use output::Output;

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The file. Must be given.
    pub path: String,
    /// Whether what is in the file stays; otherwise it is begun anew at each start.
    pub append: bool,
    /// When the file grows too large another one is begun. Without this block it grows for ever.
    pub rotation: Option<Rotation>,
    /// `json`: a line for each batch. `proto`: each batch as protobuf, its length before it.
    pub format: Format,
    /// Planned: an extension that says how telemetry is written.
    pub encoding: Planned,
    /// `zstd`: each batch for itself, its length before it. Nothing for none.
    pub compression: Option<Compression>,
    /// Read and without effect: a batch is written out before anybody hears that it is delivered.
    pub flush_interval: Period,
    /// Whether directories on the way to the file are made.
    pub create_directory: bool,
    /// Who may do what with them, in octal.
    pub directory_permissions: String,
    /// Planned: a file for each value of a resource attribute.
    pub group_by: Planned,
    /// The queue before it; off.
    pub sending_queue: SendingQueue,
    /// Trying again when the file cannot be written; off, so that whoever sends tries again.
    pub retry_on_failure: RetryOnFailure,
}

/// How batches are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// OTLP/JSON.
    #[default]
    Json,
    /// OTLP's protobuf.
    Proto,
}

/// How batches are made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// A frame of zstd for each.
    Zstd,
}

/// When another file is begun, and how long the former ones stay.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Rotation {
    /// The most that a file holds, in MiB.
    pub max_megabytes: u32,
    /// After how many days a former file is removed; 0 for never.
    pub max_days: u32,
    /// How many former files stay; 0 for all.
    pub max_backups: u32,
    /// Whether former files are named by local time, which is not supported: they are named by UTC.
    pub localtime: bool,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { max_megabytes: 100, max_days: 0, max_backups: 100, localtime: false }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: String::new(),
            append: false,
            rotation: None,
            format: Format::Json,
            encoding: Planned::default(),
            compression: None,
            flush_interval: Period::seconds(1),
            create_directory: false,
            directory_permissions: "0755".to_owned(),
            group_by: Planned::default(),
            sending_queue: SendingQueue::off(),
            retry_on_failure: RetryOnFailure { enabled: false, ..RetryOnFailure::default() },
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.path.is_empty() {
            errors.error("path", "is missing", "name a file");
        }
        for (key, wanted) in [("rotation", self.rotation.is_some()), ("compression", self.compression.is_some())] {
            if self.append && wanted {
                errors.error("append", format!("does not go together with {key}"), format!("remove one of append and {key}"));
            }
        }
        if self.rotation.as_ref().is_some_and(|rotation| rotation.localtime) {
            errors.at("rotation").error("localtime", "is not supported: names carry UTC", "remove it");
        }
        if output::mode(&self.directory_permissions).is_none() {
            errors.error("directory_permissions", "are no permissions in octal", "write such as \"0755\"");
        }
        errors.planned("encoding", self.encoding, "remove it: format: json and format: proto write OTLP");
        errors.planned("group_by", self.group_by, "remove it, and tell the files apart where they are read");
        errors.within("sending_queue", &self.sending_queue);
        errors.within("retry_on_failure", &self.retry_on_failure);
    }
}

/// How one is made.
pub const FACTORY: ExporterFactory =
    ExporterFactory::of::<File>("file", Stability::Beta, include_str!("README.md")).playing(Part::Delivering(delivery));

fn delivery(config: &AnyConfig) -> Result<Delivery, NeedsRebuild> {
    let config: &Config = config.get()?;
    Ok(Delivery {
        cool_down: None,
        timeout: Period::ZERO,
        retry_on_failure: config.retry_on_failure,
        sending_queue: config.sending_queue.clone(),
        circuit_breaker: CircuitBreaker { failures: 0, ..CircuitBreaker::default() },
        dead_letter: None,
        max_request_bytes: ByteSize::default(),
    })
}

/// Writes what a lane gives it to the one file that all lanes share.
pub struct File {
    format: Format,
    compression: Option<Compression>,
    clock: Clock,
    output: Arc<Mutex<Option<Output>>>,
}

impl Component for File {
    type Kind = Exporters;
    type Config = Config;

    fn build(config: &Config, context: &BuildContext) -> Result<Box<dyn Exporter>, BuildError> {
        let output = context.share("file", || Mutex::new(None));
        {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            if output.is_none() {
                *output = Some(open(config)?);
            }
        }
        let Config { format, compression, .. } = *config;
        Ok(Box::new(Self { format, compression, clock: context.clock.clone(), output }))
    }
}

fn open(config: &Config) -> Result<Output, BuildError> {
    let path = Path::new(&config.path);
    let opened = match (config.create_directory, path.parent(), output::mode(&config.directory_permissions)) {
        (true, Some(directory), Some(mode)) => output::make_directory(directory, mode),
        _ => Ok(()),
    };
    let opened = opened.and_then(|()| Output::open(path, config.append, config.rotation.clone()));
    opened.map_err(|error| {
        let right = if config.create_directory {
            "name a file in a place that may be written"
        } else {
            "name a file in a directory that is there and may be written, or write create_directory: true"
        };
        BuildError::new(format!("cannot open {}: {error}", config.path), right)
    })
}

impl Exporter for File {
    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(ready(self.write(batch)))
    }
}

impl File {
    fn write(&self, batch: &Telemetry) -> Result<Delivered, ExportError> {
        // Outside of the lock: this is where the time goes.
        let record = self.record(batch)?;
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(output) = output.as_mut() else { return Err(ExportError::retry("the file is not open")) };
        let written = output.write(&record, self.clock.now());
        written.map_err(|error| ExportError::retry(format!("cannot write {}: {error}", output.path().display())))?;
        Ok(Delivered::ALL)
    }

    /// A batch as it stands in the file: a line, or bytes with their length before them.
    fn record(&self, batch: &Telemetry) -> Result<Vec<u8>, ExportError> {
        let mut body = Vec::with_capacity(batch.emitted_bound() + 4);
        match self.format {
            Format::Proto => batch.emit(&mut body),
            Format::Json => json::from_protobuf(batch.signal(), &batch.to_bytes(), &mut body)
                .map_err(|error| ExportError::new(Failing::Invalid, format!("cannot be written as JSON: {error}")))?,
        }
        match (self.format, self.compression) {
            (Format::Json, None) => {
                body.push(b'\n');
                Ok(body)
            }
            (Format::Proto, None) => with_length(&body),
            (_, Some(Compression::Zstd)) => {
                let compressed = zstd::bulk::compress(&body, zstd::DEFAULT_COMPRESSION_LEVEL);
                with_length(&compressed.map_err(|error| ExportError::retry(format!("cannot be compressed: {error}")))?)
            }
        }
    }
}

/// Four bytes, big end first, and what they are the length of.
fn with_length(body: &[u8]) -> Result<Vec<u8>, ExportError> {
    let length = u32::try_from(body.len()).map_err(|_| ExportError::new(Failing::TooLarge, "more than 4 GiB in one batch"))?;
    Ok([&length.to_be_bytes(), body].concat())
}

#[cfg(test)]
mod tests;

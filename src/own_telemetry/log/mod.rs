//! The log: what the gateway tells whoever runs it, line by line.
//!
//! A line is written whole, in one go, to every output. Lines of our own are told at the level that is configured. Those of the libraries
//! below are told from warnings on, whatever the level: theirs go into details of connections, where headers, and so credentials, can be.
//! What is said without end is thinned out, as the Collector does it, so that a back end that is down does not fill a disk.

mod format;
mod output;
mod sampler;

use std::sync::Arc;

use arc_swap::ArcSwap;
use tracetailor_core::time::Clock;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::Telemetry;
use super::keys::LogLevel;
use format::{Fields, Format};
use output::Output;
pub use output::OutputError;
use sampler::Sampler;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// An output cannot be written to.
    #[error("{0}, in service.telemetry.logs.output_paths")]
    Output(#[from] OutputError),
    /// Somebody else in this process logs already.
    #[error("the log is set up already")]
    SetUpAlready,
}

/// The log that is in place. [Reloading](LogHandle::reload) changes how it goes on.
#[derive(Clone, Debug)]
pub struct LogHandle(Arc<ArcSwap<Log>>);

/// Sets up the log of this process, once.
pub fn init_log(settings: &Telemetry) -> Result<LogHandle, LogError> {
    let (layer, handle) = LogLayer::new(settings, Clock::system())?;
    let subscriber = Registry::default().with(layer);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::SetUpAlready)?;
    Ok(handle)
}

impl LogHandle {
    /// Goes on as these settings say. What is wrong with them leaves the log as it was.
    pub fn reload(&self, settings: &Telemetry) -> Result<(), LogError> {
        let clock = self.0.load().clock.clone();
        self.0.store(Arc::new(Log::new(settings, clock)?));
        // Whether a place in the code logs at all is remembered there.
        tracing::callsite::rebuild_interest_cache();
        Ok(())
    }
}

/// How it is logged, until the next reload.
#[derive(Debug)]
struct Log {
    level: LevelFilter,
    format: Format,
    sampler: Option<Sampler>,
    outputs: Vec<Output>,
    clock: Clock,
}

/// Where events of [`tracing`] become lines.
struct LogLayer(Arc<ArcSwap<Log>>);

/// From which level on the libraries below are heard.
const OTHERS: LevelFilter = LevelFilter::WARN;

impl LogLayer {
    fn new(settings: &Telemetry, clock: Clock) -> Result<(Self, LogHandle), LogError> {
        let log = Arc::new(ArcSwap::from_pointee(Log::new(settings, clock)?));
        Ok((Self(log.clone()), LogHandle(log)))
    }
}

impl Log {
    fn new(settings: &Telemetry, clock: Clock) -> Result<Self, LogError> {
        let logs = &settings.logs;
        Ok(Self {
            level: match logs.level {
                LogLevel::Trace => LevelFilter::TRACE,
                LogLevel::Debug => LevelFilter::DEBUG,
                LogLevel::Info => LevelFilter::INFO,
                LogLevel::Warn => LevelFilter::WARN,
                LogLevel::Error => LevelFilter::ERROR,
            },
            format: Format::new(settings),
            sampler: logs.sampling.enabled.then(|| Sampler::new(logs.sampling)),
            outputs: output::open(&logs.output_paths)?,
            clock,
        })
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().starts_with("tracetailor");
        *metadata.level() <= if ours { self.level } else { self.level.min(OTHERS) }
    }

    fn write(&self, event: &Event<'_>) {
        let now = self.clock.now();
        let (metadata, told) = (event.metadata(), Fields::of(event));
        if self.sampler.as_ref().is_some_and(|sampler| !sampler.lets_through(metadata.callsite(), &told.message, now)) {
            return;
        }
        let line = self.format.line(metadata, told, now);
        self.outputs.iter().for_each(|output| output.write(&line));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.0.load().wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.0.load().wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.load().level)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.load().write(event);
    }
}

/// What the Collector calls a level.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::TRACE => "trace",
        Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    }
}

#[cfg(test)]
mod tests;

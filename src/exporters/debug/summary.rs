//! What is told of a batch in any case: how many there are of what.

use std::collections::HashSet;
use std::fmt;

use tracetailor_core::telemetry::{Level, Signal, Telemetry};

/// How many items a batch has, under how many resources.
pub(super) struct Summary {
    signal: Signal,
    resources: usize,
    /// Of metrics alone: a metric has several points.
    metrics: usize,
    items: usize,
}

impl Summary {
    pub(super) fn of(batch: &Telemetry) -> Self {
        let mut contexts = HashSet::new();
        let mut resources = HashSet::new();
        let mut metrics = 0;
        for item in batch.items() {
            let context = item.context();
            if contexts.insert(context.id()) {
                resources.insert(context.envelope(Level::Resource));
                metrics += 1;
            }
        }
        Self { signal: batch.signal(), resources: resources.len(), metrics, items: batch.len() }
    }

    /// The line's one word.
    pub(super) fn title(&self) -> &'static str {
        match self.signal {
            Signal::Traces => "Traces",
            Signal::Logs => "Logs",
            Signal::Metrics => "Metrics",
        }
    }

    /// Into the gateway's own log, with the text behind it as a line of its own.
    pub(super) fn log(&self, component: &str, text: Option<&str>) {
        let Self { resources, metrics, items, .. } = self;
        match self.signal {
            Signal::Traces => tracing::info!(component, "resource spans" = resources, spans = items, "Traces"),
            Signal::Logs => tracing::info!(component, "resource logs" = resources, "log records" = items, "Logs"),
            Signal::Metrics => {
                tracing::info!(component, "resource metrics" = resources, metrics, "data points" = items, "Metrics");
            }
        }
        if let Some(text) = text {
            tracing::info!(component, "{text}");
        }
    }
}

/// The counts as the Collector's console has them: `{"resource spans": 1, "spans": 2}`.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resources, metrics, items, .. } = self;
        match self.signal {
            Signal::Traces => write!(f, r#"{{"resource spans": {resources}, "spans": {items}}}"#),
            Signal::Logs => write!(f, r#"{{"resource logs": {resources}, "log records": {items}}}"#),
            Signal::Metrics => write!(f, r#"{{"resource metrics": {resources}, "metrics": {metrics}, "data points": {items}}}"#),
        }
    }
}

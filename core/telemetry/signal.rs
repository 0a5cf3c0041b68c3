//! The three signals, and the kinds of item that they are made of.

/// Traces, logs or metrics: one [`Telemetry`](super::Telemetry) holds items of one signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
    /// Metric points.
    Metrics,
}

impl Signal {
    /// Every signal, in the order in which tables show them.
    pub const ALL: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

    /// The name a pipeline's key begins with: `traces`, `logs` or `metrics`.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Logs => "logs",
            Signal::Metrics => "metrics",
        }
    }

    /// What its items are called in a counter's name: `spans`, `log_records` or `metric_points`.
    pub fn items(self) -> &'static str {
        match self {
            Signal::Traces => "spans",
            Signal::Logs => "log_records",
            Signal::Metrics => "metric_points",
        }
    }
}

/// What one item is. The points of a metric differ by the metric's type, because their messages do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemKind {
    /// A span.
    Span,
    /// A log record.
    LogRecord,
    /// A point of a gauge.
    Gauge,
    /// A point of a sum.
    Sum,
    /// A point of a histogram.
    Histogram,
    /// A point of an exponential histogram.
    ExponentialHistogram,
    /// A point of a summary.
    Summary,
}

impl ItemKind {
    /// Every kind, so that tables can be built over them.
    pub const ALL: [ItemKind; 7] = [
        ItemKind::Span,
        ItemKind::LogRecord,
        ItemKind::Gauge,
        ItemKind::Sum,
        ItemKind::Histogram,
        ItemKind::ExponentialHistogram,
        ItemKind::Summary,
    ];

    /// The signal that items of this kind belong to.
    pub fn signal(self) -> Signal {
        match self {
            ItemKind::Span => Signal::Traces,
            ItemKind::LogRecord => Signal::Logs,
            _ => Signal::Metrics,
        }
    }
}

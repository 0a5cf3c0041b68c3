//! What is said of a metric beside its numbers.

use tracetailor_core::telemetry::Signal;

use crate::own_telemetry::keys::Level;

/// A metric, or three of them: `{items}` in a name stands for `spans`, `log_records` and `metric_points`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name: as the Collector has it, or with `tracetailor_` in front.
    pub name: &'static str,
    /// How its numbers behave.
    pub kind: Kind,
    /// What they count.
    pub unit: Unit,
    /// The labels that a series of it may have. None is chosen by a client, so the configuration bounds how many series there are.
    pub labels: &'static [&'static str],
    /// From which `service.telemetry.metrics.level` on it is told.
    pub level: Level,
    /// What it tells.
    pub meaning: &'static str,
}

/// How the numbers of a metric behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They only grow.
    Counter,
    /// They go up and down.
    Gauge,
    /// They are many, in buckets.
    Histogram,
}

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Number,
    /// Time.
    Seconds,
    /// Memory, or what goes over a wire.
    Bytes,
}

/// What the place of the items' name looks like in a name that stands for three.
const ITEMS: &str = "{items}";

impl Metric {
    /// Something that only grows.
    pub const fn counter(name: &'static str, labels: &'static [&'static str], meaning: &'static str) -> Metric {
        Metric { name, kind: Kind::Counter, unit: Unit::Number, labels, level: Level::Basic, meaning }
    }

    /// Something that goes up and down.
    pub const fn gauge(name: &'static str, labels: &'static [&'static str], meaning: &'static str) -> Metric {
        Metric { name, kind: Kind::Gauge, unit: Unit::Number, labels, level: Level::Basic, meaning }
    }

    /// Many numbers, in buckets.
    pub const fn histogram(name: &'static str, labels: &'static [&'static str], meaning: &'static str) -> Metric {
        Metric { name, kind: Kind::Histogram, unit: Unit::Number, labels, level: Level::Detailed, meaning }
    }

    /// The same in a unit.
    #[must_use]
    pub const fn in_unit(mut self, unit: Unit) -> Metric {
        self.unit = unit;
        self
    }

    /// The same, told from another level on.
    #[must_use]
    pub const fn from(mut self, level: Level) -> Metric {
        self.level = level;
        self
    }

    /// The names that it stands for.
    pub fn names(&self) -> Vec<String> {
        if !self.name.contains(ITEMS) {
            return vec![self.name.to_owned()];
        }
        Signal::ALL.map(|signal| self.name_for(signal)).into()
    }

    /// Its name for the items of a signal.
    pub fn name_for(&self, signal: Signal) -> String {
        self.name.replace(ITEMS, signal.items())
    }

    /// Whether it stands for this name.
    pub fn is(&self, name: &str) -> bool {
        match self.name.split_once(ITEMS) {
            None => self.name == name,
            Some(_) => Signal::ALL.iter().any(|signal| self.name_for(*signal) == name),
        }
    }

    /// Whether the name is the Collector's.
    pub fn is_the_collectors(&self) -> bool {
        self.name.starts_with("otelcol_")
    }
}

impl Kind {
    /// As Prometheus calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

impl Unit {
    /// As it stands behind a name; empty for things.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Number => "",
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
        }
    }
}

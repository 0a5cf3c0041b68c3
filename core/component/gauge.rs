//! A gauge: how much of something there is now, summed over all who have some.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::counters::Cell;

/// Somebody's own part of a gauge. Dropped, it takes along what it stood at: a queue that is gone holds nothing.
///
/// ```
/// use tracetailor_core::component::{Counters, Reading};
///
/// let counters = Counters::default();
/// let one = counters.gauge("otelcol_exporter_queue_size", &[("exporter", "otlp")]);
/// let other = counters.gauge("otelcol_exporter_queue_size", &[("exporter", "otlp")]);
/// one.set(7);
/// other.add(2);
/// other.sub(1);
/// assert_eq!(counters.read()[0].reading, Reading::Level(8));
/// drop(one);
/// assert_eq!(counters.read()[0].reading, Reading::Level(1));
/// ```
#[derive(Debug)]
pub struct Gauge(pub(super) Arc<GaugeCell>);

/// Aligned so that two of them never meet on a cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct GaugeCell(AtomicI64);

impl Gauge {
    /// It stands at this now.
    pub fn set(&self, level: i64) {
        self.0.0.store(level, Ordering::Relaxed);
    }

    /// So many more.
    pub fn add(&self, n: i64) {
        self.0.0.fetch_add(n, Ordering::Relaxed);
    }

    /// So many fewer.
    pub fn sub(&self, n: i64) {
        self.0.0.fetch_sub(n, Ordering::Relaxed);
    }
}

impl Cell for GaugeCell {
    type Sum = i64;
    const STAYS: bool = false;

    fn add_to(&self, sum: &mut i64) {
        *sum = sum.saturating_add(self.0.load(Ordering::Relaxed));
    }
}

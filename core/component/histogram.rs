//! A histogram: how something that is recorded again and again is distributed over buckets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::counters::Cell;

/// Somebody's own part of a histogram.
///
/// ```
/// use tracetailor_core::component::{Counters, Reading};
///
/// let counters = Counters::default();
/// let seconds = counters.histogram("tracetailor_export_duration_seconds", &[("exporter", "otlp")], &[0.1, 1.0]);
/// for taken in [0.05, 0.1, 0.5, 30.0] {
///     seconds.record(taken);
/// }
/// let Reading::Distribution(taken) = counters.read().remove(0).reading else { unreachable!() };
/// assert_eq!((taken.counts.as_slice(), taken.count()), (&[2, 1, 1][..], 4));
/// assert!((taken.sum - 30.65).abs() < 1e-9);
/// ```
#[derive(Debug)]
pub struct Histogram(pub(super) Arc<HistogramCell>);

/// What a histogram has recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// The upper ends of the buckets, ascending, each included.
    pub bounds: &'static [f64],
    /// How many fell into each bucket, and last how many above all of them: one more than there are bounds.
    pub counts: Vec<u64>,
    /// All that was recorded, added up.
    pub sum: f64,
}

/// Aligned so that it shares no cache line with what another thread counts in.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct HistogramCell {
    bounds: &'static [f64],
    /// The bits of an `f64`, since there is no atomic one.
    sum: AtomicU64,
    counts: Box<[AtomicU64]>,
}

impl Histogram {
    /// One more, of this size. What is no number is not counted.
    pub fn record(&self, size: f64) {
        if size.is_nan() {
            return;
        }
        let cell = &*self.0;
        let bucket = cell.bounds.partition_point(|bound| *bound < size);
        if let Some(count) = cell.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        // Nearly always at the first try: only whoever owns this part records here.
        let _ = cell.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| Some((f64::from_bits(bits) + size).to_bits()));
    }
}

impl Distribution {
    pub(super) fn empty(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// How often something was recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl HistogramCell {
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, sum: AtomicU64::new(0.0f64.to_bits()), counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Cell for HistogramCell {
    type Sum = Distribution;
    const STAYS: bool = true;

    fn add_to(&self, sum: &mut Distribution) {
        sum.sum += f64::from_bits(self.sum.load(Ordering::Relaxed));
        for (total, count) in sum.counts.iter_mut().zip(&self.counts) {
            *total += count.load(Ordering::Relaxed);
        }
    }
}

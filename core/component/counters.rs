//! What components measure of themselves, apart from the books: each lane counts by itself, and it is added up when somebody asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::gauge::{Gauge, GaugeCell};
use super::histogram::{Distribution, Histogram, HistogramCell};

/// All counters, gauges and histograms of a gateway. Clones are the same.
///
/// What becomes of telemetry is in the [books](crate::ledger::Books). Here is the rest: redactions, stitches, names mapped, requests
/// refused, how long a queue is, how long an export took.
///
/// Whoever measures asks once, when it is built, and is given a part of its own; counting then is one addition, and never makes two
/// threads wait for each other. Parts of the same name and labels add up.
///
/// ```
/// use tracetailor_core::component::{Counters, Reading};
///
/// let counters = Counters::default();
/// let in_one_lane = counters.counter("tracetailor_redactions_total", &[("rule", "email")]);
/// let in_another = counters.counter("tracetailor_redactions_total", &[("rule", "email")]);
/// in_one_lane.add(2);
/// in_another.add(3);
/// assert_eq!(counters.read()[0].reading, Reading::Count(5));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Mutex<All>>);

/// One series, as it is told: its name, its labels in their order, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name: `tracetailor_redactions_total`.
    pub name: String,
    /// The labels.
    pub labels: Vec<(String, String)>,
    /// The sum over all who measure. What it is tells the kind of the series.
    pub reading: Reading,
}

/// Where a series stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A counter: what happened so far. It never goes back, also when those are gone who counted.
    Count(u64),
    /// A gauge: what is there now, over all who are still there.
    Level(i64),
    /// A histogram: how what was recorded so far is distributed.
    Distribution(Distribution),
}

/// Somebody's own part of a counter.
#[derive(Debug)]
pub struct Counter(Arc<CounterCell>);

/// Aligned so that two of them never meet on a cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct CounterCell(AtomicU64);

/// What parts of one kind have in common.
pub(super) trait Cell {
    /// What they add up to.
    type Sum: Clone;

    /// Adds where this part stands.
    fn add_to(&self, sum: &mut Self::Sum);

    /// Whether what it stood at goes on counting when its owner is gone.
    const STAYS: bool;
}

#[derive(Debug, Default)]
struct All {
    counters: Family<CounterCell>,
    gauges: Family<GaugeCell>,
    histograms: Family<HistogramCell>,
}

type Family<C> = BTreeMap<Name, Parts<C>>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    name: String,
    labels: Vec<(String, String)>,
}

#[derive(Debug)]
struct Parts<C: Cell> {
    /// What those left behind who are gone; nothing but the beginning of a sum where nothing stays.
    gone: C::Sum,
    cells: Vec<Arc<C>>,
}

impl Counters {
    /// A part of the counter of that name and those labels. Ask for it once, when a component is built, never per batch.
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        Counter(self.with(|all| parts(&mut all.counters, name, labels, 0).join(CounterCell::default())))
    }

    /// A part of the gauge of that name and those labels. When it is dropped, what it stood at is gone; when all are, so is the series.
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        Gauge(self.with(|all| parts(&mut all.gauges, name, labels, 0).join(GaugeCell::default())))
    }

    /// A part of the histogram of that name and those labels. Bounds are the upper ends of its buckets, ascending, each included; what is
    /// above the last has a bucket of its own. Whoever asks first sets the bounds.
    pub fn histogram(&self, name: &str, labels: &[(&str, &str)], bounds: &'static [f64]) -> Histogram {
        Histogram(self.with(|all| {
            let parts = parts(&mut all.histograms, name, labels, Distribution::empty(bounds));
            let cell = HistogramCell::new(parts.gone.bounds);
            parts.join(cell)
        }))
    }

    /// Where all of them stand, by name and labels.
    pub fn read(&self) -> Vec<Series> {
        let mut series: Vec<Series> = self.with(|all| {
            let counts = read(&mut all.counters, Reading::Count);
            let levels = read(&mut all.gauges, Reading::Level);
            let distributions = read(&mut all.histograms, Reading::Distribution);
            counts.into_iter().chain(levels).chain(distributions).collect()
        });
        series.sort_by(|a, b| (&a.name, &a.labels).cmp(&(&b.name, &b.labels)));
        series
    }

    fn with<T>(&self, work: impl FnOnce(&mut All) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Series {
    /// Where a counter stands, or how often a histogram was recorded; nothing for a gauge.
    pub fn count(&self) -> u64 {
        match &self.reading {
            Reading::Count(count) => *count,
            Reading::Level(_) => 0,
            Reading::Distribution(distribution) => distribution.count(),
        }
    }

    /// Where a gauge stands; nothing for all else.
    pub fn level(&self) -> i64 {
        if let Reading::Level(level) = self.reading { level } else { 0 }
    }
}

impl Counter {
    /// So many more.
    pub fn add(&self, n: u64) {
        self.0.0.fetch_add(n, Ordering::Relaxed);
    }
}

impl Cell for CounterCell {
    type Sum = u64;
    const STAYS: bool = true;

    fn add_to(&self, sum: &mut u64) {
        *sum += self.0.load(Ordering::Relaxed);
    }
}

fn parts<'a, C: Cell>(family: &'a mut Family<C>, name: &str, labels: &[(&str, &str)], nothing: C::Sum) -> &'a mut Parts<C> {
    let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
    family.entry(Name { name: name.to_owned(), labels }).or_insert(Parts { gone: nothing, cells: Vec::new() })
}

fn read<C: Cell>(family: &mut Family<C>, reading: fn(C::Sum) -> Reading) -> Vec<Series> {
    family.values_mut().for_each(Parts::clear_away);
    family.retain(|_, parts| C::STAYS || !parts.cells.is_empty());
    let series =
        family.iter().map(|(name, parts)| Series { name: name.name.clone(), labels: name.labels.clone(), reading: reading(parts.sum()) });
    series.collect()
}

impl<C: Cell> Parts<C> {
    fn join(&mut self, cell: C) -> Arc<C> {
        self.clear_away();
        let cell = Arc::new(cell);
        self.cells.push(cell.clone());
        cell
    }

    fn sum(&self) -> C::Sum {
        let mut sum = self.gone.clone();
        self.cells.iter().for_each(|cell| cell.add_to(&mut sum));
        sum
    }

    /// Every reload brings new parts; those of instances that are gone become one number, or nothing.
    fn clear_away(&mut self) {
        let gone = &mut self.gone;
        self.cells.retain_mut(|cell| {
            let Some(last) = Arc::get_mut(cell) else { return true };
            if C::STAYS {
                last.add_to(gone);
            }
            false
        });
    }
}

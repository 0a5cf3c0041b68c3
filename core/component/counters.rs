//! Counters of what components do, apart from the books: counted in each lane by itself, added up when somebody asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// All counters of a gateway. Clones are the same.
///
/// What becomes of telemetry is in the [books](crate::ledger::Books). Here is the rest: redactions, stitches, names mapped, requests
/// refused.
///
/// ```
/// use tracetailor_core::component::Counters;
///
/// let counters = Counters::default();
/// let in_one_lane = counters.counter("tracetailor_redactions_total", &[("rule", "email")]);
/// let in_another = counters.counter("tracetailor_redactions_total", &[("rule", "email")]);
/// in_one_lane.add(2);
/// in_another.add(3);
/// assert_eq!(counters.read()[0].value, 5);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Mutex<BTreeMap<Name, Cells>>>);

/// One counter, as it is told: its name, its labels in their order, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The name: `tracetailor_redactions_total`.
    pub name: String,
    /// The labels.
    pub labels: Vec<(String, String)>,
    /// The sum over all who count.
    pub value: u64,
}

/// Somebody's own part of a counter. It is nobody else's, so that counting never makes two threads wait for each other.
#[derive(Debug)]
pub struct Counter(Arc<Cell>);

/// Aligned so that two of them never meet on a cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cell(AtomicU64);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    name: String,
    labels: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Cells {
    /// What those counted who are gone: a counter never goes back.
    gone: u64,
    cells: Vec<Arc<Cell>>,
}

impl Counters {
    /// A part of the counter of that name and those labels. Ask for it once, when a component is built, never per batch.
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cells = all.entry(Name { name: name.to_owned(), labels }).or_default();
        cells.clear_away();
        let cell = Arc::new(Cell::default());
        cells.cells.push(cell.clone());
        Counter(cell)
    }

    /// Where all of them stand, by name and labels.
    pub fn read(&self) -> Vec<Series> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series =
            all.iter_mut().map(|(name, cells)| Series { name: name.name.clone(), labels: name.labels.clone(), value: cells.sum() });
        series.collect()
    }
}

impl Cells {
    fn sum(&mut self) -> u64 {
        self.clear_away();
        self.gone + self.cells.iter().map(|cell| cell.0.load(Ordering::Relaxed)).sum::<u64>()
    }

    /// Every reload brings new parts; those of instances that are gone become one number.
    fn clear_away(&mut self) {
        let gone = &mut self.gone;
        self.cells.retain_mut(|cell| match Arc::get_mut(cell) {
            Some(last) => {
                *gone += *last.0.get_mut();
                false
            }
            None => true,
        });
    }
}

impl Counter {
    /// So many more.
    pub fn add(&self, n: u64) {
        self.0.0.fetch_add(n, Ordering::Relaxed);
    }
}

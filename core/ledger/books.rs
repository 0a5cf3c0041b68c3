//! The books themselves: the lines that units are counted in, and the causes that they end for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::cause::{Cause, CauseName, Causes, Counts};
use super::column::Column;
use super::held::{Gauges, Held};
use super::report::Report;
use crate::telemetry::Signal;

/// All lines and causes of one gateway. Clones are the same books.
///
/// Lines and causes are looked up when a pipeline is built; counting itself takes no lock and knows no names.
#[derive(Clone)]
pub struct Books(Arc<Inside>);

struct Inside {
    lines: Mutex<BTreeMap<(Signal, LineName), Line>>,
    causes: Mutex<Causes>,
    opened: AtomicU64,
    settled: AtomicU64,
}

/// Whose line it is: one for every pipeline and exporter, and for each signal that passes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineName {
    /// A pipeline, from admission to the fan-out, by its id: `traces/edge`.
    Pipeline(String),
    /// An exporter, from the fan-out on, by its id: `otlp/tempo`.
    Exporter(String),
}

/// Where units are counted. Clones are the same line.
#[derive(Clone)]
pub struct Line(Arc<LineInside>);

struct LineInside {
    name: LineName,
    signal: Signal,
    counts: Counts,
    gauges: Gauges,
}

impl Books {
    /// Books with nothing in them.
    pub fn new() -> Self {
        Self(Arc::new(Inside {
            lines: Mutex::default(),
            causes: Mutex::new(Causes::new()),
            opened: AtomicU64::new(0),
            settled: AtomicU64::new(0),
        }))
    }

    /// The line of that name and signal: the one there is, or a new one. A pipeline that a reload builds anew goes on counting in its line.
    pub fn line(&self, name: LineName, signal: Signal) -> Line {
        let mut lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.entry((signal, name.clone())).or_insert_with(|| Line::new(name, signal)).clone()
    }

    /// The number of a component's reason: the one there is, or a new one. Both words come from the code or the configuration, never from
    /// what was received. Beyond [`Cause::MAX`] all is [`Cause::OVERFLOW`].
    pub fn cause(&self, component: &str, reason: &str) -> Cause {
        self.0.causes.lock().unwrap_or_else(PoisonError::into_inner).intern(component, reason)
    }

    /// What a cause is called, for an answer or a log line.
    pub fn cause_name(&self, cause: Cause) -> CauseName {
        self.0.causes.lock().unwrap_or_else(PoisonError::into_inner).name(cause)
    }

    /// How many receipts have not settled yet. Once receivers have stopped, 0 says that every unit has ended and every receiver knows.
    pub fn open_receipts(&self) -> u64 {
        // In this order, a receipt that opens and settles in between does not count as minus one.
        let settled = self.0.settled.load(Ordering::Acquire);
        self.0.opened.load(Ordering::Acquire) - settled
    }

    /// Everything, as it is now. While units are on their way a line's residual is their number; it is never negative.
    pub fn report(&self) -> Report {
        let lines: Vec<Line> = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        Report::of(self, &lines)
    }

    pub(super) fn receipt_opened(&self) {
        self.0.opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn receipt_settled(&self) {
        self.0.settled.fetch_add(1, Ordering::Release);
    }
}

impl Default for Books {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Books").field("open_receipts", &self.open_receipts()).finish_non_exhaustive()
    }
}

impl fmt::Display for LineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineName::Pipeline(id) => write!(f, "pipeline {id}"),
            LineName::Exporter(id) => write!(f, "exporter {id}"),
        }
    }
}

impl Line {
    fn new(name: LineName, signal: Signal) -> Self {
        Self(Arc::new(LineInside { name, signal, counts: Counts::new(), gauges: Gauges::default() }))
    }

    /// Whose line it is.
    pub fn name(&self) -> &LineName {
        &self.0.name
    }

    /// The signal that it counts.
    pub fn signal(&self) -> Signal {
        self.0.signal
    }

    /// A gauge for a store or queue that will hold units of this line. Several may have one name; reports add them up.
    pub fn held(&self, name: &str) -> Held {
        self.0.gauges.register(name)
    }

    pub(super) fn is(&self, other: &Line) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn count(&self, column: Column, cause: Cause, n: u64) {
        self.0.counts.add(column, cause, n);
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.0.counts
    }

    pub(super) fn gauges(&self) -> &Gauges {
        &self.0.gauges
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({}, {})", self.0.name, self.0.signal.name())
    }
}

//! The items of a batch, trace by trace.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{Head, Telemetry, TraceId};

/// Finds which items of a batch belong to one trace. Kept and used again, it allocates nothing once it has seen its largest batch.
///
/// ```
/// # use tracetailor_core::telemetry::{Telemetry, Traces};
/// fn largest(batch: &Telemetry, traces: &mut Traces) -> usize {
///     traces.group(batch);
///     traces.iter().map(|(_, items)| items.len()).max().unwrap_or(0)
/// }
/// ```
#[derive(Debug, Default)]
pub struct Traces {
    /// Random per process: senders choose ids, and must not choose where they land.
    hasher: RandomState,
    /// Numbers of runs, by trace id.
    known: HashTable<u32>,
    runs: Vec<Run>,
    /// The run of every item, in the batch's order.
    run_of: Vec<u32>,
    /// The batch's items, trace by trace.
    order: Vec<u32>,
}

/// The items of one trace.
#[derive(Debug)]
struct Run {
    trace: TraceId,
    count: u32,
    /// Where the run's items end in `order`.
    end: u32,
}

impl Traces {
    /// One that has seen no batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at a batch: traces in the order of first appearance, the items of each in the batch's order.
    pub fn group(&mut self, batch: &Telemetry) {
        self.known.clear();
        self.runs.clear();
        self.run_of.clear();
        for head in batch.heads() {
            let run = self.run(head);
            self.runs[run as usize].count += 1;
            self.run_of.push(run);
        }
        let mut end = 0;
        for run in &mut self.runs {
            run.end = end;
            end += run.count;
        }
        self.order.clear();
        self.order.resize(self.run_of.len(), 0);
        for (item, run) in self.run_of.iter().enumerate() {
            let run = &mut self.runs[*run as usize];
            self.order[run.end as usize] = item as u32;
            run.end += 1;
        }
    }

    #[inline]
    fn run(&mut self, head: &Head) -> u32 {
        // Spans of one trace mostly come together.
        if let Some(&last) = self.run_of.last()
            && self.runs[last as usize].trace == head.trace
        {
            return last;
        }
        let hash = self.hasher.hash_one(head.trace);
        if let Some(run) = self.known.find(hash, |run| self.runs[*run as usize].trace == head.trace) {
            return *run;
        }
        let run = self.runs.len() as u32;
        self.runs.push(Run { trace: head.trace, count: 0, end: 0 });
        let (hasher, runs) = (&self.hasher, &self.runs);
        self.known.insert_unique(hash, run, |run| hasher.hash_one(runs[*run as usize].trace));
        run
    }

    /// How many traces the batch has.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// True when there was no item.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Every trace, and the numbers of its items.
    pub fn iter(&self) -> impl Iterator<Item = (TraceId, &[u32])> {
        self.runs.iter().map(|run| (run.trace, &self.order[(run.end - run.count) as usize..run.end as usize]))
    }
}

impl Telemetry {
    /// Puts the items of each trace beside each other, as `traces` found them in this batch. They still leave in the contexts they came in.
    pub fn gather(&mut self, traces: &Traces) {
        if traces.order.len() != self.len() || traces.order.is_sorted() {
            return;
        }
        self.heads = traces.order.iter().map(|item| self.heads[*item as usize]).collect();
        self.pristine = None;
    }
}

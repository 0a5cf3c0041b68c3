//! A trace as it truly was, and what is seen of it through lossy networks and wrong clocks.

use tracetailor_core::telemetry::{SpanId, SpanKind};
use tracetailor_core::testing::Dice;
use tracetailor_processors::stitch::engine::{Mix, SpanView, Target};

/// One span as it was, in true nanoseconds after the trace's beginning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TrueSpan {
    /// By its place in the trace.
    pub(crate) parent: Option<usize>,
    /// Its service.
    pub(crate) service: u32,
    /// Which instance of the service.
    pub(crate) instance: u32,
    /// What it is to its neighbours.
    pub(crate) kind: SpanKind,
    /// When it began.
    pub(crate) start: i64,
    /// When it ended.
    pub(crate) end: i64,
    /// The service that a call is for, where the caller's telemetry names it.
    pub(crate) target: Option<u32>,
    /// Where a message goes to or comes from; 0 where that is not told.
    pub(crate) topic: u64,
    /// A call to something without telemetry.
    pub(crate) is_leaf: bool,
}

impl TrueSpan {
    /// The process it ran in.
    pub(crate) fn process(&self) -> (u32, u32) {
        (self.service, self.instance)
    }
}

/// A trace that is being made.
#[derive(Debug)]
pub(crate) struct Draft {
    /// What it is made by.
    pub(crate) dice: Dice,
    /// What there is of it.
    pub(crate) spans: Vec<TrueSpan>,
    /// It does not grow beyond this.
    pub(crate) most: usize,
    /// Messages may have several consumers.
    pub(crate) is_shared: bool,
}

impl Draft {
    /// An empty trace.
    pub(crate) fn new(seed: u64, most: usize) -> Self {
        Self { dice: Dice::new(seed), spans: Vec::new(), most, is_shared: false }
    }

    /// Whether it has as many spans as it may have.
    pub(crate) fn is_full(&self) -> bool {
        self.spans.len() >= self.most
    }

    /// Begins a span; whoever began it says when it ends.
    pub(crate) fn begin(&mut self, parent: Option<usize>, (service, instance): (u32, u32), kind: SpanKind, start: i64) -> usize {
        self.spans.push(TrueSpan { parent, service, instance, kind, start, end: start, target: None, topic: 0, is_leaf: false });
        self.spans.len() - 1
    }

    /// Ends a span.
    pub(crate) fn end(&mut self, span: usize, end: i64) -> i64 {
        self.spans[span].end = end.max(self.spans[span].start + 1_000);
        self.spans[span].end
    }

    /// A time from a range of microseconds, the short ones more often.
    pub(crate) fn micros(&mut self, least: u64, most: u64) -> i64 {
        let part = self.dice.between(0, 1_000) as f64 / 1_000.0;
        let micros = least as f64 + (most - least) as f64 * part * part;
        (micros * 1_000.0) as i64
    }

    /// What a network takes for one way.
    pub(crate) fn network(&mut self) -> i64 {
        self.micros(80, 900)
    }
}

/// What is seen of a trace: the views of those that survived, and which they are.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The views, as the rules get them.
    pub(crate) views: Vec<SpanView>,
    /// The span that each view is of.
    pub(crate) whose: Vec<usize>,
}

/// The id of a span.
pub(crate) fn id_of(span: usize) -> SpanId {
    SpanId(Mix::new().word(span as u64 + 1).finish().to_be_bytes())
}

/// What a receiver sees of the spans that are not lost, by clocks that are wrong by so much as a rule.
pub(crate) fn seen(trace: &[TrueSpan], lost: &[bool], skew: i64, seed: u64) -> Seen {
    let mut processes: Vec<(u32, u32)> = trace.iter().map(TrueSpan::process).collect();
    processes.sort_unstable();
    processes.dedup();
    let mut dice = Dice::new(seed ^ 0x5eed);
    let offsets: Vec<i64> = processes.iter().map(|_| (normal(&mut dice) * skew as f64) as i64).collect();
    let whose: Vec<usize> = (0..trace.len()).filter(|at| !lost[*at]).collect();
    let views = whose.iter().map(|at| {
        let span = &trace[*at];
        let process = processes.binary_search(&span.process()).unwrap_or_default();
        let by_clock = |time: i64| (1_700_000_000_000_000_000 + time + offsets[process]) as u64;
        SpanView {
            id: id_of(*at),
            parent: span.parent.map_or(SpanId::NONE, id_of),
            start: by_clock(span.start),
            end: by_clock(span.end),
            kind: span.kind,
            process: process as u32,
            service: span.service,
            target: span.target.map_or(Target::Unknown, Target::Service),
            topic: span.topic,
            is_leaf: span.is_leaf,
            content: *at as u64,
            ..SpanView::EMPTY
        }
    });
    Seen { views: views.collect(), whose }
}

/// About a normal distribution: mean 0, deviation 1.
pub(crate) fn normal(dice: &mut Dice) -> f64 {
    let sum: f64 = (0..12).map(|_| dice.between(0, 1_000_000) as f64 / 1_000_000.0).sum();
    sum - 6.0
}

//! What a component is built with: its id, the books, the clock, counters, what extensions offer, and what lanes share.

use std::ops::Deref;
use std::sync::Arc;

use super::counters::{Counter, Counters};
use super::extension::Services;
use super::gauge::Gauge;
use super::histogram::Histogram;
use super::id::ComponentId;
use super::reports::{Report, Reports};
use super::shared::Shared;
use crate::ledger::{Books, Cause, Line, LineName};
use crate::telemetry::{Interner, Signal};
use crate::time::Clock;

/// What every component is built with. Clones are of the same gateway.
#[derive(Clone, Debug)]
pub struct BuildContext {
    /// Its id in the configuration.
    pub id: ComponentId,
    /// The books of the gateway.
    pub books: Books,
    /// Where time comes from.
    pub clock: Clock,
    /// Where contexts of telemetry become one.
    pub interner: Interner,
    /// What the gateway says of itself.
    pub counters: Counters,
    /// What extensions offer.
    pub services: Services,
    /// What components tell whoever runs the gateway.
    pub reports: Reports,
    /// What all instances of this component have in common.
    pub shared: Shared,
}

impl BuildContext {
    /// A context outside of any gateway, with books of its own and the machine's clock: to build a component for a test, or to explain it.
    pub fn alone(id: &str) -> Self {
        Self {
            id: id.parse().unwrap_or_else(|_| ComponentId::of(id)),
            books: Books::new(),
            clock: Clock::system(),
            interner: Interner::new(),
            counters: Counters::default(),
            services: Services::default(),
            reports: Reports::default(),
            shared: Shared::default(),
        }
    }

    /// The number under which the books count what this component drops for a reason. Asked for once, when it is built.
    pub fn cause(&self, reason: &str) -> Cause {
        self.books.cause(&self.id.to_string(), reason)
    }

    /// A counter of this component, with its id as the label `component`. The name says what is counted and in what:
    /// `tracetailor_redactions_total`.
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        self.labelled(labels, |labels| self.counters.counter(name, labels))
    }

    /// A gauge of this component, labelled as its [counters](Self::counter) are.
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        self.labelled(labels, |labels| self.counters.gauge(name, labels))
    }

    /// A histogram of this component, labelled as its [counters](Self::counter) are.
    pub fn histogram(&self, name: &str, labels: &[(&str, &str)], bounds: &'static [f64]) -> Histogram {
        self.labelled(labels, |labels| self.counters.histogram(name, labels, bounds))
    }

    fn labelled<T>(&self, labels: &[(&str, &str)], ask: impl FnOnce(&[(&str, &str)]) -> T) -> T {
        let id = self.id.to_string();
        let labels: Vec<(&str, &str)> = std::iter::once(("component", id.as_str())).chain(labels.iter().copied()).collect();
        ask(&labels)
    }

    /// Tells whoever runs the gateway what this component has seen, under `/page` of the admin port. See [`Reports::offer`].
    pub fn tell(&self, page: &'static str, tells: &'static str, report: Arc<impl Report + 'static>) {
        self.reports.offer(page, tells, &self.id, report);
    }

    /// What all instances of this component share under a name: made by the first that asks, found by the others.
    /// See [`Shared`] for when that is right.
    pub fn share<T: Send + Sync + 'static>(&self, name: &'static str, make: impl FnOnce() -> T) -> Arc<T> {
        self.shared.get_or_make(name, make)
    }
}

/// Which lane an instance lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its number, from zero.
    pub index: usize,
    /// How many there are.
    pub count: usize,
}

impl Lane {
    /// The only one.
    pub const ONLY: Lane = Lane { index: 0, count: 1 };
}

/// What a component is built with that has an instance in every lane.
#[derive(Clone, Debug)]
pub struct LaneContext {
    /// What every component is built with.
    pub build: BuildContext,
    /// The lane of this instance.
    pub lane: Lane,
}

impl Deref for LaneContext {
    type Target = BuildContext;

    fn deref(&self) -> &BuildContext {
        &self.build
    }
}

/// What a processor is built with: it has an instance in every lane of every pipeline that names it.
#[derive(Clone, Debug)]
pub struct ProcessorContext {
    /// What every component is built with, and the lane.
    pub lane_context: LaneContext,
    /// The pipeline's line in the books: whoever holds telemetry says so [here](Line::held).
    pub line: Line,
}

impl ProcessorContext {
    /// A context outside of any gateway: one lane, one pipeline of traces.
    pub fn alone(id: &str) -> Self {
        let build = BuildContext::alone(id);
        let line = build.books.line(LineName::Pipeline("traces".to_owned()), Signal::Traces);
        Self { lane_context: LaneContext { build, lane: Lane::ONLY }, line }
    }

    /// The same with another clock, mostly one that is turned by hand.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.lane_context.build.clock = clock;
        self
    }

    /// The same for an instance in another lane: what is shared stays shared.
    #[must_use]
    pub fn in_lane(&self, lane: Lane) -> Self {
        let mut context = self.clone();
        context.lane_context.lane = lane;
        context
    }
}

impl Deref for ProcessorContext {
    type Target = LaneContext;

    fn deref(&self) -> &LaneContext {
        &self.lane_context
    }
}

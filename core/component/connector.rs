//! The contract of a connector: it ends pipelines and begins others.

use super::error::NeedsRebuild;
use super::factory::AnyConfig;
use super::output::{Progress, Room};
use crate::ledger::{Cause, Fate, Line, Retry};
use crate::telemetry::{SourceTag, Telemetry};
use crate::time::LogTime;

/// Something that stands at the end of pipelines as an exporter does and at the beginning of others as a receiver does: it routes, joins,
/// or makes metrics of spans.
///
/// # Where it runs
///
/// As a [`Processor`](super::Processor) does: an instance in every lane, called by one thread, synchronous, with the time in the call. What
/// is said there of time, reload, and sources that are taken away holds here too.
///
/// # Who owns the batch
///
/// `forward` is given the batch and its shares. A batch that goes on is emitted to a route and counts in that pipeline's line from then on.
/// One that goes to several is [copied](Telemetry::copy), so that the receiver waits for all of them. One that ends here, because only
/// numbers are made of it, is settled as delivered. What the connector makes itself (the metrics) has a receipt [that nobody waits
/// for](crate::ledger::Nobody), opened on the books of its context and accepted into the [line](Routes::line) of the route.
///
/// # Room
///
/// A route is bounded like any other way into a pipeline, and one that has no room must not hold up its neighbours. So emitting does not
/// wait: what a route has no room for is rejected for now, which the books count and the client is told. A connector that could as well
/// send later looks at the [room](Routes::room) first and keeps what it made until it is woken.
///
/// # Shutdown
///
/// Connectors are drained after the pipelines that end in them and before those that they begin. After [`Progress::Done`] nothing is held.
///
/// # Example
///
/// ```
/// use tracetailor_core::component::{Connector, Routes};
/// use tracetailor_core::telemetry::Telemetry;
///
/// /// Errors to one pipeline, the rest to another.
/// struct BySeverity {
///     errors: usize,
///     rest: usize,
/// }
///
/// impl Connector for BySeverity {
///     fn forward(&mut self, batch: Telemetry, routes: &mut Routes) {
///         let parts = batch.split(2, |item| usize::from(item.head().status == 2));
///         for (part, route) in parts.into_iter().zip([self.rest, self.errors]) {
///             routes.emit(route, part);
///         }
///     }
/// }
/// ```
pub trait Connector: Send {
    /// Takes a batch at the end of a pipeline.
    fn forward(&mut self, batch: Telemetry, routes: &mut Routes);

    /// When it wants to be woken, if it holds anything.
    fn wake_at(&self) -> Option<LogTime> {
        None
    }

    /// Its time has come: a flush interval is over.
    fn wake(&mut self, _now: LogTime, _routes: &mut Routes) -> Progress {
        Progress::Done
    }

    /// Nothing more will come: let go of everything.
    fn drain(&mut self, _routes: &mut Routes) -> Progress {
        Progress::Done
    }

    /// Takes on a new configuration, or says that it cannot.
    fn reconfigure(&mut self, _config: &AnyConfig) -> Result<(), NeedsRebuild> {
        Err(NeedsRebuild)
    }

    /// A source was taken away: abandon what came from it.
    fn forget(&mut self, _source: SourceTag) {}
}

/// The ways on from a connector, for one call: one route for each pipeline that it begins.
#[derive(Debug)]
pub struct Routes {
    now: LogTime,
    routes: Vec<Route>,
    /// What stands in the books where a route had no room.
    no_room: Cause,
}

#[derive(Debug)]
struct Route {
    pipeline: String,
    line: Line,
    room: Room,
    emitted: Vec<Telemetry>,
}

impl Routes {
    /// For a call at a time; `no_room` is the cause that rejections for want of room are counted under.
    pub fn new(now: LogTime, no_room: Cause) -> Self {
        Self { now, routes: Vec::new(), no_room }
    }

    /// Adds the next route, in the order of the configuration.
    #[must_use]
    pub fn to(mut self, pipeline: &str, line: Line, room: Room) -> Self {
        self.routes.push(Route { pipeline: pipeline.to_owned(), line, room, emitted: Vec::new() });
        self
    }

    /// The time of this call.
    pub fn now(&self) -> LogTime {
        self.now
    }

    /// The pipelines that it begins, by their ids; a route's number is its place among them.
    pub fn pipelines(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|route| route.pipeline.as_str())
    }

    /// The books' line of a route, for items that the connector makes itself.
    pub fn line(&self, route: usize) -> &Line {
        &self.routes[route].line
    }

    /// How much a route can take.
    pub fn room(&self, route: usize) -> Room {
        self.routes[route].room
    }

    /// Sends a batch along a route, into its pipeline's line, or rejects it for now where the route has no room.
    pub fn emit(&mut self, route: usize, mut batch: Telemetry) {
        let Route { line, room, emitted, .. } = &mut self.routes[route];
        if batch.is_empty() {
            return;
        }
        if batch.signal() == line.signal() {
            batch.each_share(|share| share.enter(line));
        }
        if room.is_used_up() {
            return batch.settle(Fate::Rejected { cause: self.no_room, retry: Retry::Later });
        }
        *room = room.less(&batch);
        emitted.push(batch);
    }

    /// What was emitted along a route, for the lane to carry on.
    pub fn take(&mut self, route: usize) -> Vec<Telemetry> {
        std::mem::take(&mut self.routes[route].emitted)
    }
}

//! A lane: one instance of everything that works on batches, called by one thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tracetailor_core::component::{self, Connector, Counter, Output, Progress, Room, Routes};
use tracetailor_core::ledger::{Cause, Fate, Retry, after_panic};
use tracetailor_core::telemetry::{SourceTag, Telemetry};
use tracetailor_core::time::{Clock, LogTime};

use super::graph::{End, Graph};
use super::mail::{Mail, Post};
use super::memory::Charge;
use super::shards::Shards;
use super::stages::Stage;

/// How long a processor that holds something may work at a stretch, before the lane's sockets get their turn.
pub(super) const SLICE: Duration = Duration::from_millis(1);

/// How long to wait before asking again whether there is room behind a pipeline.
pub(super) const NO_ROOM: Duration = Duration::from_millis(5);

/// What a lane works with. Nothing in it is shared with other lanes but what [`Graph`] leads to.
pub(super) struct Lane {
    pub(super) place: component::Lane,
    pub(super) graph: Arc<Graph>,
    /// In the order of [`Graph::pipelines`].
    pub(super) pipelines: Vec<Vec<Running>>,
    /// In the order of [`Graph::connectors`].
    pub(super) connectors: Vec<Joined>,
    /// Pipelines, or single stages, that a reload took away and that still hold something.
    pub(super) leaving: Vec<Leaving>,
    pub(super) clock: Clock,
    shards: Shards,
    pub(super) mail: Mail,
    /// What rejections for want of room in a pipeline behind a connector are counted under.
    no_room: Cause,
    /// What is rejected under whose pipeline a reload has taken away.
    pub(super) gone: Cause,
    /// Batches on their way, the next one last. Kept so that its memory is.
    pub(super) work: Vec<Work>,
}

/// A batch, and where it goes next.
pub(super) struct Work {
    pub(super) pipeline: usize,
    pub(super) stage: usize,
    pub(super) batch: Telemetry,
}

/// A stage, and what the lane knows of it.
pub(super) struct Running {
    pub(super) stage: Stage,
    /// When it wants to be woken.
    wake: LogTime,
    /// Not to be woken before: there was no room behind it.
    pub(super) not_before: LogTime,
    incoming: Counter,
    outgoing: Counter,
}

/// A connector, and what the lane knows of it.
pub(super) struct Joined {
    pub(super) connector: Box<dyn Connector>,
    wake: LogTime,
}

/// Stages that are drained since they are no longer wanted: one that a reload took out of a pipeline, or all of a pipeline that is gone.
pub(super) struct Leaving {
    /// Where they stood.
    pub(super) graph: Arc<Graph>,
    pub(super) pipeline: usize,
    pub(super) stages: Vec<Running>,
    /// The processors that stood before the first of them.
    pub(super) ahead: Vec<component::ComponentId>,
}

impl Lane {
    pub(super) fn new(
        place: component::Lane,
        graph: Arc<Graph>,
        (pipelines, connectors): (Vec<Vec<Running>>, Vec<Joined>),
        clock: Clock,
        shards: Shards,
        mail: Mail,
        books: &tracetailor_core::ledger::Books,
    ) -> Self {
        Self {
            place,
            graph,
            pipelines,
            connectors,
            leaving: Vec::new(),
            clock,
            shards,
            mail,
            no_room: books.cause("pipeline", "no_room"),
            gone: books.cause("pipeline", "removed"),
            work: Vec::new(),
        }
    }

    /// Takes a batch into a pipeline, in front of a stage: here, or divided among the lanes where the pipeline works on whole traces. When
    /// this returns, what stayed here is held, queued or settled.
    pub(super) fn enter(&mut self, pipeline: usize, stage: usize, batch: Telemetry, charge: &Arc<Charge>) {
        let mut work = std::mem::take(&mut self.work);
        self.divide(pipeline, stage, batch, Some(charge), &mut work);
        self.run(&mut work);
        self.work = work;
    }

    /// Takes in what another lane has sent: it is for this lane alone.
    pub(super) fn take_in(&mut self, generation: u64, pipeline: &Arc<Graph>, place: usize, stage: usize, batch: Telemetry) {
        let place = match generation == self.graph.generation {
            true => Some(place),
            false => self.graph.find(&pipeline.pipelines[place].id),
        };
        let Some(pipeline) = place else {
            return batch.settle(Fate::Rejected { cause: self.gone, retry: Retry::Later });
        };
        let mut work = std::mem::take(&mut self.work);
        work.push(Work { pipeline, stage, batch });
        self.run(&mut work);
        self.work = work;
    }

    pub(super) fn divide(&mut self, pipeline: usize, stage: usize, batch: Telemetry, charge: Option<&Arc<Charge>>, work: &mut Vec<Work>) {
        if !self.graph.pipelines[pipeline].whole || self.place.count == 1 {
            return work.push(Work { pipeline, stage, batch });
        }
        let shards = &self.shards;
        let parts = batch.split(self.place.count, |item| shards.lane_of(item.head().trace));
        for (lane, batch) in parts.into_iter().enumerate() {
            if batch.is_empty() {
                batch.dissolve();
            } else if lane == self.place.index {
                work.push(Work { pipeline, stage, batch });
            } else {
                self.mail.send(lane, Post::Batch { graph: self.graph.clone(), pipeline, stage, batch, charge: charge.cloned() });
            }
        }
    }

    /// Carries batches on until nothing is left to carry: depth first, so that what a stage emits keeps its order.
    pub(super) fn run(&mut self, work: &mut Vec<Work>) {
        let now = self.clock.now();
        while let Some(Work { pipeline, stage, batch }) = work.pop() {
            if stage < self.pipelines[pipeline].len() {
                let emitted = self.step(pipeline, stage, batch, now);
                push(work, pipeline, stage + 1, emitted);
            } else {
                self.finish(pipeline, batch, now, work);
            }
        }
    }

    fn step(&mut self, pipeline: usize, stage: usize, batch: Telemetry, now: LogTime) -> Vec<Telemetry> {
        let running = &mut self.pipelines[pipeline][stage];
        running.incoming.add(batch.len() as u64);
        let room = match running.stage.recipe.is_whole() {
            true => self.graph.room(pipeline),
            false => Room::ENOUGH,
        };
        let mut out = Output::new(now, room);
        let called = catch_unwind(AssertUnwindSafe(|| running.stage.instance.process(batch, &mut out)));
        self.after_call(pipeline, stage, called.is_err());
        self.emitted(pipeline, stage, out)
    }

    /// Asks when it wants to be woken; one that has panicked is made anew first.
    fn after_call(&mut self, pipeline: usize, stage: usize, panicked: bool) {
        let place = self.place;
        let running = &mut self.pipelines[pipeline][stage];
        if panicked {
            running.make_anew(place);
        }
        running.wake = running.stage.instance.wake_at().unwrap_or(LogTime::NEVER);
        let due = running.due();
        self.mail.wake_by(due);
    }

    fn emitted(&mut self, pipeline: usize, stage: usize, mut out: Output) -> Vec<Telemetry> {
        let emitted = out.take();
        let items = emitted.iter().map(Telemetry::len).sum::<usize>();
        self.pipelines[pipeline][stage].outgoing.add(items as u64);
        emitted
    }

    /// The end of a pipeline: every exporter and connector gets the batch, all but the last a copy.
    fn finish(&mut self, pipeline: usize, mut batch: Telemetry, now: LogTime, work: &mut Vec<Work>) {
        let Some(last) = self.graph.pipelines[pipeline].ends.len().checked_sub(1) else {
            return batch.settle(Fate::Rejected { cause: self.gone, retry: Retry::Later });
        };
        for end in 0..last {
            let copy = batch.copy();
            self.end(pipeline, end, copy, now, work);
        }
        self.end(pipeline, last, batch, now, work);
    }

    fn end(&mut self, pipeline: usize, end: usize, batch: Telemetry, now: LogTime, work: &mut Vec<Work>) {
        match &self.graph.pipelines[pipeline].ends[end] {
            End::Export(export) => export.push(self.place.index, batch),
            End::Connector(joint) => self.forward(*joint, batch, now, work),
        }
    }

    pub(super) fn forward(&mut self, joint: usize, batch: Telemetry, now: LogTime, work: &mut Vec<Work>) {
        let mut routes = self.routes(joint, now);
        let connector = &mut self.connectors[joint].connector;
        let called = catch_unwind(AssertUnwindSafe(|| connector.forward(batch, &mut routes)));
        self.after_forward(joint, called.is_err(), routes, work);
    }

    fn routes(&self, joint: usize, now: LogTime) -> Routes {
        self.graph.connectors[joint].routes.iter().fold(Routes::new(now, self.no_room), |routes, route| {
            let pipeline = &self.graph.pipelines[*route];
            let room = if pipeline.whole { Room::ENOUGH } else { self.graph.room(*route) };
            routes.to(&pipeline.id.to_string(), pipeline.line.clone(), room)
        })
    }

    fn after_forward(&mut self, joint: usize, panicked: bool, mut routes: Routes, work: &mut Vec<Work>) {
        if panicked {
            tracing::error!(connector = %self.graph.connectors[joint].id, "a connector panicked");
        }
        let joined = &mut self.connectors[joint];
        joined.wake = joined.connector.wake_at().unwrap_or(LogTime::NEVER);
        self.mail.wake_by(joined.wake);
        for place in 0..self.graph.connectors[joint].routes.len() {
            let route = self.graph.connectors[joint].routes[place];
            for batch in routes.take(place).into_iter().rev() {
                self.divide(route, 0, batch, None, work);
            }
        }
    }

    /// What rings when this lane's timer is to be set anew.
    pub(super) fn mail_timer(&self) -> Arc<tokio::sync::Notify> {
        self.mail.timer()
    }

    /// The timer is set to this now.
    pub(super) fn timer_set(&self, time: LogTime) {
        self.mail.timer_set(time);
    }

    /// When the next of all that wait wants to be woken.
    pub(super) fn next_wake(&self) -> LogTime {
        let stages = self.pipelines.iter().flatten().map(Running::due);
        let connectors = self.connectors.iter().map(|joined| joined.wake);
        let leaving = self.leaving.iter().map(Leaving::due);
        stages.chain(connectors).chain(leaving).min().unwrap_or(LogTime::NEVER)
    }

    /// Wakes whoever is due, each for one slice. More may be due at once: see [`next_wake`](Self::next_wake).
    pub(super) fn wake_due(&mut self) {
        let mut work = std::mem::take(&mut self.work);
        let now = self.clock.now();
        for pipeline in 0..self.pipelines.len() {
            for stage in 0..self.pipelines[pipeline].len() {
                if self.pipelines[pipeline][stage].due() <= now {
                    self.wake(pipeline, stage, &mut work);
                }
            }
        }
        for joint in 0..self.connectors.len() {
            if self.connectors[joint].wake <= now {
                let mut routes = self.routes(joint, now);
                let connector = &mut self.connectors[joint].connector;
                let called = catch_unwind(AssertUnwindSafe(|| connector.wake(now, &mut routes)));
                self.after_forward(joint, called.is_err(), routes, &mut work);
                self.run(&mut work);
            }
        }
        self.work = work;
        self.drain_leaving();
    }

    fn wake(&mut self, pipeline: usize, stage: usize, work: &mut Vec<Work>) {
        let now = self.clock.now();
        let room = self.graph.room(pipeline);
        let running = &mut self.pipelines[pipeline][stage];
        if room.is_used_up() {
            running.not_before = now + NO_ROOM;
            return;
        }
        running.not_before = LogTime::default();
        let mut out = Output::new(now, room).until(self.clock.clone(), now + SLICE);
        let called = catch_unwind(AssertUnwindSafe(|| running.stage.instance.wake(now, &mut out)));
        if matches!(called, Ok(Progress::More)) && out.room().is_used_up() {
            running.not_before = now + NO_ROOM;
        }
        self.after_call(pipeline, stage, called.is_err());
        let emitted = self.emitted(pipeline, stage, out);
        push(work, pipeline, stage + 1, emitted);
        self.run(work);
    }

    /// Lets a pipeline go of what it holds, for a slice: its stages from the first to the last.
    pub(super) fn drain_pipeline(&mut self, pipeline: usize) -> Progress {
        let mut work = std::mem::take(&mut self.work);
        let mut progress = Progress::Done;
        for stage in 0..self.pipelines[pipeline].len() {
            let now = self.clock.now();
            let room = self.graph.room(pipeline);
            if room.is_used_up() {
                progress = Progress::More;
                break;
            }
            let mut out = Output::new(now, room).until(self.clock.clone(), now + SLICE);
            let running = &mut self.pipelines[pipeline][stage];
            let called = catch_unwind(AssertUnwindSafe(|| running.stage.instance.drain(&mut out)));
            self.after_call(pipeline, stage, called.is_err());
            let emitted = self.emitted(pipeline, stage, out);
            push(&mut work, pipeline, stage + 1, emitted);
            self.run(&mut work);
            if matches!(called, Ok(Progress::More)) {
                progress = Progress::More;
                break;
            }
        }
        self.work = work;
        progress
    }

    /// The same for a connector, once all pipelines that end in it have been drained.
    pub(super) fn drain_connector(&mut self, joint: usize) -> Progress {
        let mut work = std::mem::take(&mut self.work);
        let mut routes = self.routes(joint, self.clock.now());
        let connector = &mut self.connectors[joint].connector;
        let called = catch_unwind(AssertUnwindSafe(|| connector.drain(&mut routes)));
        self.after_forward(joint, called.is_err(), routes, &mut work);
        self.run(&mut work);
        self.work = work;
        called.unwrap_or(Progress::Done)
    }

    /// A source was taken away.
    pub(super) fn forget(&mut self, source: SourceTag) {
        let leaving = self.leaving.iter_mut().flat_map(|leaving| &mut leaving.stages);
        for running in self.pipelines.iter_mut().flatten().chain(leaving) {
            running.stage.instance.forget(source);
        }
        for joined in &mut self.connectors {
            joined.connector.forget(source);
        }
    }
}

fn push(work: &mut Vec<Work>, pipeline: usize, stage: usize, batches: Vec<Telemetry>) {
    work.extend(batches.into_iter().rev().map(|batch| Work { pipeline, stage, batch }));
}

impl Running {
    pub(super) fn new(stage: Stage) -> Self {
        let context = stage.recipe.context();
        let name = stage.recipe.name();
        let labels = [("processor", name.as_str()), ("otel_signal", context.line.signal().name())];
        let incoming = context.counters.counter("otelcol_processor_incoming_items", &labels);
        let outgoing = context.counters.counter("otelcol_processor_outgoing_items", &labels);
        let wake = stage.instance.wake_at().unwrap_or(LogTime::NEVER);
        Self { stage, wake, not_before: LogTime::default(), incoming, outgoing }
    }

    pub(super) fn due(&self) -> LogTime {
        self.wake.max(self.not_before)
    }

    /// Takes the place of an instance that has panicked: its state is not to be trusted. What it held is lost, and counted as that.
    fn make_anew(&mut self, lane: component::Lane) {
        let name = self.stage.recipe.name();
        let context = self.stage.recipe.context();
        context.counters.counter("tracetailor_panics_total", &[("component", &name)]).add(1);
        match self.stage.recipe.make(lane) {
            Ok(stage) => {
                tracing::error!(processor = name, "a processor panicked and was made anew; what it held is lost");
                let panicked = std::mem::replace(&mut self.stage, stage);
                after_panic(|| drop(panicked));
            }
            Err((id, error)) => tracing::error!(processor = %id, %error, "a processor panicked and could not be made anew"),
        }
    }
}

impl Joined {
    pub(super) fn new(connector: Box<dyn Connector>) -> Self {
        let wake = connector.wake_at().unwrap_or(LogTime::NEVER);
        Self { connector, wake }
    }
}

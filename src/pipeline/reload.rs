//! How a lane goes on with another configuration: what can stay stays, what holds something hands it over or is drained.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tracetailor_core::component::{ComponentId, Output, Progress, Routes};
use tracetailor_core::ledger::{Fate, Retry, after_panic};
use tracetailor_core::telemetry::Telemetry;
use tracetailor_core::time::LogTime;

use super::graph::{End, Graph, Joint};
use super::lane::{Joined, Lane, Leaving, NO_ROOM, Running, SLICE, Work};
use super::stages::{Change, Stage};

/// What one lane gets at a reload: the new drawing, and a new instance of everything in it, of which it takes what it needs.
pub(super) struct LaneReload {
    pub(super) graph: Arc<Graph>,
    pub(super) pipelines: Vec<Vec<Stage>>,
    /// With each connector, whether it may stay as it is.
    pub(super) connectors: Vec<(Joined, bool)>,
}

impl Lane {
    /// Takes it on, between two batches. No trace is decided because of it, and nothing that is held is let go of but by what is gone.
    pub(super) fn reload(&mut self, reload: LaneReload) {
        let old_graph = std::mem::replace(&mut self.graph, reload.graph);
        let mut old: Vec<Vec<Running>> = std::mem::take(&mut self.pipelines);
        for (place, stages) in reload.pipelines.into_iter().enumerate() {
            let row = match old_graph.find(&self.graph.pipelines[place].id) {
                Some(was) => self.exchange(&old_graph, was, std::mem::take(&mut old[was]), stages),
                None => stages.into_iter().map(Running::new).collect(),
            };
            self.pipelines.push(row);
        }
        for (pipeline, stages) in old.into_iter().enumerate().filter(|(_, stages)| !stages.is_empty()) {
            self.leaving.push(Leaving { graph: old_graph.clone(), pipeline, stages, ahead: Vec::new() });
        }
        self.exchange_connectors(&old_graph, reload.connectors);
        self.mail.wake_by(LogTime::default());
    }

    fn exchange(&mut self, old_graph: &Arc<Graph>, pipeline: usize, mut old: Vec<Running>, new: Vec<Stage>) -> Vec<Running> {
        let order: Vec<ComponentId> = old_graph.pipelines[pipeline].processors.clone();
        let mut row = Vec::with_capacity(new.len());
        let mut gone = Vec::new();
        for stage in new {
            let counterpart = old.iter().position(|running| order.iter().any(|id| stage.recipe.has(id) && running.stage.recipe.has(id)));
            let Some(counterpart) = counterpart else {
                row.push(Running::new(stage));
                continue;
            };
            let mut running = old.remove(counterpart);
            match stage.recipe.change_from(&running.stage.recipe) {
                Change::Keep => {
                    running.stage.recipe = stage.recipe;
                    row.push(running);
                }
                Change::Reconfigure(config) if running.stage.instance.reconfigure(&config).is_ok() => {
                    running.stage.recipe = stage.recipe;
                    row.push(running);
                }
                Change::Reconfigure(_) | Change::Replace => {
                    let mut stage = stage;
                    if let Some(left) = stage.inherit(running.stage, self.place) {
                        gone.push(Running::new(left));
                    }
                    row.push(Running::new(stage));
                }
            }
        }
        gone.extend(old);
        for running in gone {
            let ahead = order.iter().take_while(|id| !running.stage.recipe.has(id)).cloned().collect();
            self.leaving.push(Leaving { graph: old_graph.clone(), pipeline, stages: vec![running], ahead });
        }
        row
    }

    fn exchange_connectors(&mut self, old_graph: &Graph, new: Vec<(Joined, bool)>) {
        let mut old: Vec<Option<Joined>> = std::mem::take(&mut self.connectors).into_iter().map(Some).collect();
        let leads_to = |graph: &Graph, joint: &Joint| -> Vec<String> {
            joint.routes.iter().map(|route| graph.pipelines[*route].id.to_string()).collect()
        };
        for (place, (joined, may_stay)) in new.into_iter().enumerate() {
            let joint = &self.graph.connectors[place];
            let counterpart = old_graph
                .connectors
                .iter()
                .position(|was| was.id == joint.id && was.from == joint.from && leads_to(old_graph, was) == leads_to(&self.graph, joint));
            let kept = counterpart.filter(|_| may_stay).and_then(|was| old[was].take());
            self.connectors.push(kept.unwrap_or(joined));
        }
        for (joint, joined) in old.into_iter().enumerate() {
            if let Some(joined) = joined {
                self.drain_old_connector(old_graph, joint, joined);
            }
        }
    }

    /// At once: what a connector holds is numbers, or little.
    fn drain_old_connector(&mut self, old_graph: &Graph, joint: usize, mut joined: Joined) {
        let now = self.clock.now();
        loop {
            let joint = &old_graph.connectors[joint];
            let mut routes = joint.routes.iter().fold(Routes::new(now, self.gone), |routes, route| {
                let pipeline = &old_graph.pipelines[*route];
                routes.to(&pipeline.id.to_string(), pipeline.line.clone(), tracetailor_core::component::Room::ENOUGH)
            });
            let called = catch_unwind(AssertUnwindSafe(|| joined.connector.drain(&mut routes)));
            let mut work = std::mem::take(&mut self.work);
            for (place, route) in joint.routes.iter().enumerate() {
                let now_at = self.graph.find(&old_graph.pipelines[*route].id);
                for batch in routes.take(place) {
                    match now_at {
                        Some(pipeline) => self.divide(pipeline, 0, batch, None, &mut work),
                        None => batch.settle(Fate::Rejected { cause: self.gone, retry: Retry::Later }),
                    }
                }
            }
            self.run(&mut work);
            self.work = work;
            match called {
                Ok(Progress::More) => {}
                Ok(Progress::Done) => return,
                Err(_) => return after_panic(|| drop(joined)),
            }
        }
    }

    /// Drains what a reload took away, each for a slice.
    pub(super) fn drain_leaving(&mut self) {
        for mut leaving in std::mem::take(&mut self.leaving) {
            let now = self.clock.now();
            if leaving.due() > now || self.drain_slice(&mut leaving, now) {
                self.leaving.push(leaving);
            }
        }
        let next = self.leaving.iter().map(Leaving::due).min();
        self.mail.wake_by(next.unwrap_or(LogTime::NEVER));
    }

    /// Whether anything is left to drain.
    fn drain_slice(&mut self, leaving: &mut Leaving, now: LogTime) -> bool {
        let room = leaving.graph.room(leaving.pipeline);
        let Some(first) = leaving.stages.first_mut() else { return false };
        if room.is_used_up() {
            first.not_before = now + NO_ROOM;
            return true;
        }
        let mut out = Output::new(now, room).until(self.clock.clone(), now + SLICE);
        let called = catch_unwind(AssertUnwindSafe(|| first.stage.instance.drain(&mut out)));
        if matches!(called, Ok(Progress::More)) {
            first.not_before = if out.room().is_used_up() { now + NO_ROOM } else { now };
        }
        for batch in out.take() {
            self.let_go(leaving, 1, batch, now);
        }
        match called {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => drop(leaving.stages.remove(0)),
            Err(_) => {
                let panicked = leaving.stages.remove(0);
                after_panic(|| drop(panicked));
            }
        }
        !leaving.stages.is_empty()
    }

    /// What has left a stage that is gone goes through those that stood behind it: a reload must not be a way around a redaction. A single
    /// stage stood in a pipeline that is still there, so what follows is that pipeline as it is now.
    fn let_go(&mut self, leaving: &mut Leaving, stage: usize, batch: Telemetry, now: LogTime) {
        if let Some(next) = leaving.stages.get_mut(stage) {
            let mut out = Output::new(now, tracetailor_core::component::Room::ENOUGH);
            let called = catch_unwind(AssertUnwindSafe(|| next.stage.instance.process(batch, &mut out)));
            if called.is_err() {
                tracing::error!(processor = next.stage.recipe.name(), "a processor that was leaving panicked");
            }
            for batch in out.take() {
                self.let_go(leaving, stage + 1, batch, now);
            }
            return;
        }
        let mut work = std::mem::take(&mut self.work);
        let id = &leaving.graph.pipelines[leaving.pipeline].id;
        match self.graph.find(id) {
            Some(pipeline) => {
                let stage = self.place_behind(pipeline, leaving);
                work.push(Work { pipeline, stage, batch });
            }
            None => self.leave_by_old_ends(leaving, batch, now, &mut work),
        }
        self.run(&mut work);
        self.work = work;
    }

    /// Behind the stage that took the place of the one that leaves, or else behind the nearest of those that stood before it.
    fn place_behind(&self, pipeline: usize, leaving: &Leaving) -> usize {
        let row = &self.pipelines[pipeline];
        let place_of = |id: &ComponentId| row.iter().position(|running| running.stage.recipe.has(id));
        let own = leaving.graph.pipelines[leaving.pipeline].processors.get(leaving.ahead.len());
        own.and_then(place_of).or_else(|| leaving.ahead.iter().rev().find_map(place_of)).map_or(0, |place| place + 1)
    }

    fn leave_by_old_ends(&mut self, leaving: &Leaving, mut batch: Telemetry, now: LogTime, work: &mut Vec<Work>) {
        let ends = &leaving.graph.pipelines[leaving.pipeline].ends;
        let Some(last) = ends.len().checked_sub(1) else {
            return batch.settle(Fate::Rejected { cause: self.gone, retry: Retry::Later });
        };
        for end in &ends[..last] {
            let copy = batch.copy();
            self.leave_by(&leaving.graph, end, copy, now, work);
        }
        self.leave_by(&leaving.graph, &ends[last], batch, now, work);
    }

    fn leave_by(&mut self, old_graph: &Graph, end: &End, batch: Telemetry, now: LogTime, work: &mut Vec<Work>) {
        match end {
            End::Export(export) => export.push(self.place.index, batch),
            End::Connector(joint) => {
                let was = &old_graph.connectors[*joint];
                match self.graph.connectors.iter().position(|joint| joint.id == was.id && joint.from == was.from) {
                    Some(joint) => self.forward(joint, batch, now, work),
                    None => batch.settle(Fate::Rejected { cause: self.gone, retry: Retry::Later }),
                }
            }
        }
    }
}

impl Leaving {
    /// When its next slice may be.
    pub(super) fn due(&self) -> LogTime {
        self.stages.first().map_or(LogTime::default(), |running| running.not_before)
    }
}

//! What connects to what: pipelines, the exporters and connectors at their ends, and which of them a receiver feeds.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracetailor_core::component::{ComponentId, Counter, Counters, Part, Room};
use tracetailor_core::ledger::{Line, LineName};
use tracetailor_core::telemetry::Signal;
use tracetailor_core::trace_store::Budget;

use super::assembly::World;
use super::export::{Export, Full};
use crate::config::{PipelineId, Plan};

/// The exporters by id and signal: a queue of one signal does not hold up another.
pub(super) type Exports = BTreeMap<(ComponentId, Signal), Arc<Export>>;

/// A configuration as a drawing, the same for all lanes. A reload draws a new one.
#[derive(Debug)]
pub(super) struct Graph {
    /// Counted up by every reload: what was sent on its way under an earlier drawing is looked up by name in this one.
    pub(super) generation: u64,
    /// Those before others that connectors lead on to.
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) connectors: Vec<Joint>,
    pub(super) exports: Exports,
    /// The pipelines that begin with a receiver, by its id.
    inlets: BTreeMap<ComponentId, Vec<usize>>,
}

/// One pipeline.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) id: PipelineId,
    pub(super) line: Line,
    /// Whether it works on whole traces, so that what enters is divided among the lanes by trace.
    pub(super) whole: bool,
    /// The ids of its processors, in order, without those that admission has taken over.
    pub(super) processors: Vec<ComponentId>,
    /// The limiters that it names: admission does their work.
    pub(super) limiters: Vec<Limiter>,
    /// Which of its processors gives ids to spans that come without one, the last where several do.
    mends_ids: Option<usize>,
    pub(super) ends: Vec<End>,
    /// The exporters that what enters reaches before anything holds it: if one of them is full, so is the pipeline.
    pub(super) reach: Vec<Arc<Export>>,
    /// Where its processors make senders wait: while one of these is used up.
    pub(super) gates: Vec<(ComponentId, Budget)>,
}

/// What is counted of a `memory_limiter`, under the Collector's names.
#[derive(Debug)]
pub(super) struct Limiter {
    accepted: Counter,
    refused: Counter,
}

impl Limiter {
    fn new(id: &ComponentId, signal: Signal, counters: &Counters) -> Self {
        let (id, items) = (id.to_string(), signal.items());
        let counter = |what| counters.counter(&format!("otelcol_processor_memory_limiter_{what}_{items}"), &[("processor", &id)]);
        Self { accepted: counter("accepted"), refused: counter("refused") }
    }

    pub(super) fn accepted(&self, items: u64) {
        self.accepted.add(items);
    }

    /// A request was refused before it was read. It held one item at least, and nobody knows more.
    pub(super) fn refused(&self) {
        self.refused.add(1);
    }
}

impl Pipeline {
    /// Whether what enters in front of a stage may hold spans without a valid id.
    pub(super) fn mends_ids(&self, stage: usize) -> bool {
        self.mends_ids.is_some_and(|place| place >= stage)
    }

    /// The first exporter that nothing fits into, of those that what enters reaches at once.
    pub(super) fn full(&self) -> Option<(&Arc<Export>, Full)> {
        self.reach.iter().find_map(|export| Some((export, export.full()?)))
    }
}

/// Where a pipeline ends.
#[derive(Clone, Debug)]
pub(super) enum End {
    Export(Arc<Export>),
    /// By its place in [`Graph::connectors`].
    Connector(usize),
}

/// A connector as it joins pipelines of one signal to others.
#[derive(Debug)]
pub(super) struct Joint {
    pub(super) id: ComponentId,
    pub(super) from: Signal,
    /// The pipelines that it begins.
    pub(super) routes: Vec<usize>,
}

impl Graph {
    /// Draws a plan.
    pub(super) fn of(plan: &Plan, exports: Exports, world: &World, generation: u64) -> Graph {
        let connectors = joints(plan);
        let mut pipelines: Vec<Pipeline> = Vec::with_capacity(plan.pipelines.len());
        for pipeline in &plan.pipelines {
            let signal = pipeline.id.signal;
            let ends = pipeline.exporters.iter().filter_map(|id| match exports.get(&(id.clone(), signal)) {
                Some(export) => Some(End::Export(export.clone())),
                None => connectors.iter().position(|joint| joint.id == *id && joint.from == signal).map(End::Connector),
            });
            let part = |id: &ComponentId| plan.processors.iter().find(|known| known.id == *id).map(|known| known.factory.part);
            let (limiters, processors): (Vec<ComponentId>, Vec<ComponentId>) =
                pipeline.processors.iter().cloned().partition(|id| matches!(part(id), Some(Part::Limiter(_))));
            let mends_ids = |id: &ComponentId| {
                let known = plan.processors.iter().find(|known| known.id == *id);
                known.is_some_and(|known| known.factory.mends_ids(&known.config))
            };
            let stages = processors.iter().filter(|id| matches!(part(id), Some(Part::Stage(_))));
            let gates = stages.map(|id| (id.clone(), world.gate(&pipeline.id, id))).collect();
            pipelines.push(Pipeline {
                gates,
                line: world.books.line(LineName::Pipeline(pipeline.id.to_string()), signal),
                whole: processors.iter().any(|id| matches!(part(id), Some(Part::Stage(_)))),
                limiters: limiters.iter().map(|id| Limiter::new(id, signal, &world.counters)).collect(),
                mends_ids: processors.iter().rposition(mends_ids),
                processors,
                ends: ends.collect(),
                reach: Vec::new(),
                id: pipeline.id.clone(),
            });
        }
        let mut inlets: BTreeMap<ComponentId, Vec<usize>> = BTreeMap::new();
        for (place, pipeline) in plan.pipelines.iter().enumerate() {
            for receiver in &pipeline.receivers {
                inlets.entry(receiver.clone()).or_default().push(place);
            }
        }
        let mut graph = Graph { generation, pipelines, connectors, exports, inlets };
        graph.find_reach();
        graph
    }

    /// From the last pipeline to the first, so that what a connector leads on to is known.
    fn find_reach(&mut self) {
        for place in (0..self.pipelines.len()).rev() {
            let pipeline = &self.pipelines[place];
            if pipeline.whole {
                continue;
            }
            let mut reach: Vec<Arc<Export>> = Vec::new();
            for end in &pipeline.ends {
                match end {
                    End::Export(export) => reach.push(export.clone()),
                    End::Connector(joint) => {
                        reach.extend(self.connectors[*joint].routes.iter().flat_map(|route| self.pipelines[*route].reach.iter().cloned()));
                    }
                }
            }
            self.pipelines[place].reach = reach;
        }
    }

    /// The pipelines of a signal that a receiver feeds.
    pub(super) fn fed_by<'a>(&'a self, receiver: &ComponentId, signal: Signal) -> impl Iterator<Item = usize> + use<'a> {
        let fed = self.inlets.get(receiver).map_or(&[][..], Vec::as_slice);
        fed.iter().copied().filter(move |place| self.pipelines[*place].id.signal == signal)
    }

    /// The place of a pipeline.
    pub(super) fn find(&self, id: &PipelineId) -> Option<usize> {
        self.pipelines.iter().position(|pipeline| pipeline.id == *id)
    }

    /// How much can still leave a pipeline, by all its ends.
    pub(super) fn room(&self, place: usize) -> Room {
        let mut room = Room::ENOUGH;
        for end in &self.pipelines[place].ends {
            let other = match end {
                End::Export(export) => export.room().for_output(),
                End::Connector(joint) => self.connectors[*joint].routes.iter().fold(Room::ENOUGH, |room, route| {
                    // A pipeline that holds whole traces takes what it has memory for.
                    if self.pipelines[*route].whole { room } else { least(room, self.room(*route)) }
                }),
            };
            room = least(room, other);
        }
        room
    }

    /// An exporter that takes nothing now, at the end of a pipeline or of one that it leads on to.
    pub(super) fn full_end(&self, place: usize) -> Option<Arc<Export>> {
        self.pipelines[place].ends.iter().find_map(|end| match end {
            End::Export(export) => export.room().is_used_up().then(|| export.clone()),
            End::Connector(joint) => {
                let routes = self.connectors[*joint].routes.iter();
                routes.filter(|route| !self.pipelines[**route].whole).find_map(|route| self.full_end(*route))
            }
        })
    }
}

fn least(one: Room, other: Room) -> Room {
    Room { items: one.items.min(other.items), bytes: one.bytes.min(other.bytes) }
}

/// One joint for each connector and each signal of the pipelines that end in it.
fn joints(plan: &Plan) -> Vec<Joint> {
    let mut joints = Vec::new();
    for connector in &plan.connectors {
        let ends_in = |pipeline: &&crate::config::PipelinePlan| pipeline.exporters.contains(&connector.id);
        let mut signals: Vec<Signal> = plan.pipelines.iter().filter(ends_in).map(|pipeline| pipeline.id.signal).collect();
        signals.sort_unstable_by_key(|signal| signal.name());
        signals.dedup();
        for from in signals {
            let joins = |to: Signal| match connector.factory.joins {
                [] => from == to,
                joins => joins.contains(&(from, to)),
            };
            let begins = |(place, pipeline): (usize, &crate::config::PipelinePlan)| {
                (pipeline.receivers.contains(&connector.id) && joins(pipeline.id.signal)).then_some(place)
            };
            let routes = plan.pipelines.iter().enumerate().filter_map(begins).collect();
            joints.push(Joint { id: connector.id.clone(), from, routes });
        }
    }
    joints
}

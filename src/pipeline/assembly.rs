//! Building what a plan names: exporters with what stands around them, processors and connectors for every lane. Nothing runs yet.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracetailor_core::component::{
    BuildContext, BuildError, ComponentId, Configured, Counters, Exporter, Exporters, Kind, Lane, LaneContext, LaneThreads, Part,
    ProcessorContext, Reports, Services, Shared,
};
use tracetailor_core::config::Node;
use tracetailor_core::ledger::Books;
use tracetailor_core::telemetry::{Interner, Signal};
use tracetailor_core::time::Clock;
use tracetailor_core::trace_store::Budget;

use super::export::Export;
use super::graph::{Exports, Graph};
use super::lane::{Joined, Running};
use super::memory::Memory;
use super::stages::{Recipe, Stage};
use super::threads::Threads;
use crate::config::{PipelineId, Plan};

/// What one gateway is built in: there is one of each, and it outlives every reload.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) books: Books,
    pub(super) counters: Counters,
    pub(super) clock: Clock,
    pub(super) interner: Interner,
    pub(super) memory: Memory,
    pub(super) threads: Arc<Threads>,
    /// What components tell whoever runs the gateway.
    reports: Reports,
    /// What the instances of a component share, by where the component stands.
    shared: Arc<Mutex<BTreeMap<String, Shared>>>,
}

/// Why a gateway could not be built as the plan says.
#[derive(Debug, thiserror::Error)]
#[error("failed to start \"{id}\" {kind}: {error}")]
pub struct StartError {
    kind: &'static str,
    id: String,
    error: Box<dyn std::error::Error + Send + Sync>,
}

impl StartError {
    pub(super) fn of<K: Kind>(id: &ComponentId, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: K::WORD, id: id.to_string(), error: error.into() }
    }

    pub(super) fn of_lane(lane: usize, error: std::io::Error) -> Self {
        Self { kind: "lane", id: lane.to_string(), error: error.into() }
    }
}

/// An exporter for one signal, built for every lane.
pub(super) struct Built {
    pub(super) export: Arc<Export>,
    pub(super) id: ComponentId,
    pub(super) signal: Signal,
    /// One for each lane.
    pub(super) instances: Vec<Box<dyn Exporter>>,
    pub(super) block: Node,
    /// Whether the gateway has it already, with other settings.
    pub(super) is_there: bool,
}

impl World {
    pub(super) fn new(books: Books, counters: Counters, clock: Clock, memory: Memory, threads: Arc<Threads>) -> Self {
        Self { books, counters, clock, interner: Interner::new(), memory, threads, reports: Reports::default(), shared: Arc::default() }
    }

    pub(super) fn lanes(&self) -> usize {
        self.threads.count()
    }

    /// What a component is built with that stands at `place`: in a section, or in a pipeline.
    pub(super) fn context(&self, place: &str, id: &ComponentId, services: &Services) -> BuildContext {
        BuildContext {
            id: id.clone(),
            books: self.books.clone(),
            clock: self.clock.clone(),
            interner: self.interner.clone(),
            counters: self.counters.clone(),
            services: services.clone(),
            reports: self.reports.clone(),
            shared: self.shared(place, id),
        }
    }

    fn shared(&self, place: &str, id: &ComponentId) -> Shared {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.entry(format!("{place}/{id}")).or_default().clone()
    }

    /// What a processor of a pipeline makes senders wait by.
    pub(super) fn gate(&self, pipeline: &PipelineId, id: &ComponentId) -> Budget {
        self.shared(&pipeline.to_string(), id).gate()
    }

    /// Forgets what components shared that are no longer there.
    pub(super) fn forget_shared(&self, plan: &Plan) {
        let named = |key: &str| {
            let pipelines =
                plan.pipelines.iter().flat_map(|pipeline| pipeline.processors.iter().map(move |id| format!("{}/{id}", pipeline.id)));
            let ends = plan.exporters.iter().map(|known| &known.id).chain(plan.receivers.iter().map(|known| &known.id));
            let others = plan.connectors.iter().map(|known| &known.id).chain(plan.extensions.iter().map(|known| &known.id));
            pipelines.chain(ends.chain(others).map(|id| format!("/{id}"))).any(|known| key.ends_with(&known))
        };
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| named(key));
    }

    /// Exporters that are new, or changed: `unchanged` finds those that can stay as they are. With them, all that pipelines will use.
    pub(super) fn exporters(
        &self,
        plan: &Plan,
        services: &Services,
        unchanged: impl Fn(&Configured<Exporters>, Signal) -> Option<Arc<Export>>,
        there: &Exports,
    ) -> Result<(Exports, Vec<Built>), StartError> {
        let mut exports = Exports::new();
        let mut built = Vec::new();
        for exporter in &plan.exporters {
            for signal in Signal::ALL {
                if !plan.pipelines.iter().any(|pipeline| pipeline.id.signal == signal && pipeline.exporters.contains(&exporter.id)) {
                    continue;
                }
                let key = (exporter.id.clone(), signal);
                if let Some(export) = unchanged(exporter, signal) {
                    exports.insert(key, export);
                    continue;
                }
                let one = self.exporter(exporter, signal, services, there.get(&key))?;
                exports.insert(key, one.export.clone());
                built.push(one);
            }
        }
        Ok((exports, built))
    }

    fn exporter(
        &self,
        exporter: &Configured<Exporters>,
        signal: Signal,
        services: &Services,
        there: Option<&Arc<Export>>,
    ) -> Result<Built, StartError> {
        let failed = |error: BuildError| StartError::of::<Exporters>(&exporter.id, error);
        let context = self.context("exporters", &exporter.id, services);
        let delivery = match exporter.factory.part {
            Part::Delivering(delivery) => {
                Some(delivery(&exporter.config).map_err(|error| StartError::of::<Exporters>(&exporter.id, error))?)
            }
            _ => None,
        };
        let instances = (0..self.lanes()).map(|_| exporter.build(&context)).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let export = match there {
            Some(export) => export.clone(),
            None => Export::new(&exporter.id, signal, delivery.as_ref(), &context, &self.memory, self.lanes()),
        };
        let id = exporter.id.clone();
        Ok(Built { export, id, signal, instances, block: exporter.block.clone(), is_there: there.is_some() })
    }

    /// For one lane: the stages of every pipeline of a drawing.
    pub(super) fn stages(&self, plan: &Arc<Plan>, graph: &Graph, services: &Services, lane: Lane) -> Result<Vec<Vec<Stage>>, StartError> {
        let mut pipelines = Vec::with_capacity(graph.pipelines.len());
        for pipeline in &graph.pipelines {
            let context = |id: &ComponentId| ProcessorContext {
                lane_context: LaneContext { build: self.context(&pipeline.id.to_string(), id, services), lane },
                line: pipeline.line.clone(),
            };
            let recipes = Recipe::of_pipeline(plan, &pipeline.processors, &self.memory, context);
            let made = recipes.iter().map(|recipe| recipe.make(lane)).collect::<Result<Vec<_>, _>>();
            pipelines.push(made.map_err(|(id, error)| StartError::of::<tracetailor_core::component::Processors>(&id, error))?);
        }
        Ok(pipelines)
    }

    /// For one lane: the connectors of a drawing.
    pub(super) fn connectors(&self, plan: &Plan, graph: &Graph, services: &Services, lane: Lane) -> Result<Vec<Joined>, StartError> {
        let mut joined = Vec::with_capacity(graph.connectors.len());
        for joint in &graph.connectors {
            let Some(connector) = plan.connectors.iter().find(|known| known.id == joint.id) else { continue };
            let place = format!("connectors/{}", joint.from.name());
            let context = LaneContext { build: self.context(&place, &joint.id, services), lane };
            let failed = |error| StartError::of::<tracetailor_core::component::Connectors>(&joint.id, error);
            joined.push(Joined::new(connector.build(&context).map_err(failed)?));
        }
        Ok(joined)
    }

    /// The lane's place among all.
    pub(super) fn lane(&self, index: usize) -> Lane {
        Lane { index, count: self.lanes() }
    }
}

/// Stages as a lane runs them.
pub(super) fn running(stages: Vec<Vec<Stage>>) -> Vec<Vec<Running>> {
    stages.into_iter().map(|pipeline| pipeline.into_iter().map(Running::new).collect()).collect()
}

impl fmt::Debug for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Built({} {})", self.id, self.signal.name())
    }
}

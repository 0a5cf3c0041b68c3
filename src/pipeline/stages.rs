//! The processors of a pipeline as a lane runs them: each by itself, and neighbours that work on whole traces over one store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracetailor_core::component::{
    AnyConfig, BuildError, ComponentId, Configured, Lane, NeedsRebuild, Output, Part, Processor, ProcessorContext, Processors, Progress,
    StagePart, TraceStage,
};
use tracetailor_core::config::Node;
use tracetailor_core::telemetry::{SourceTag, Telemetry};
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::{Budget, Limits, TraceStore, WholeTraces};

use super::memory::Memory;
use super::same::same;
use crate::config::Plan;

/// How one stage of a pipeline is made. Kept beside the stage, which is made anew when it has panicked.
#[derive(Clone)]
pub(super) struct Recipe {
    /// Several where neighbours work on whole traces together.
    ingredients: Vec<Ingredient>,
    whole: bool,
    memory: Memory,
}

#[derive(Clone)]
struct Ingredient {
    plan: Arc<Plan>,
    /// By its place in the plan.
    place: usize,
    context: ProcessorContext,
}

/// One stage in one lane.
pub(super) struct Stage {
    pub(super) recipe: Recipe,
    pub(super) instance: Instance,
}

/// What a lane calls.
pub(super) enum Instance {
    One(Box<dyn Processor>),
    Whole(Box<WholeTraces>),
}

/// What a reload does to a stage.
pub(super) enum Change {
    /// Nothing: it goes on as it is.
    Keep,
    /// It is asked to take on the new configuration; if it cannot, the new instance takes its place.
    Reconfigure(AnyConfig),
    /// The new instance takes its place.
    Replace,
}

impl Recipe {
    /// The recipes of a pipeline, in order. `context` is what a processor of it is built with.
    pub(super) fn of_pipeline(
        plan: &Arc<Plan>,
        processors: &[ComponentId],
        memory: &Memory,
        mut context: impl FnMut(&ComponentId) -> ProcessorContext,
    ) -> Vec<Recipe> {
        let mut recipes: Vec<Recipe> = Vec::new();
        for id in processors {
            let Some(place) = plan.processors.iter().position(|known| known.id == *id) else { continue };
            let whole = matches!(plan.processors[place].factory.part, Part::Stage(_));
            let ingredient = Ingredient { plan: plan.clone(), place, context: context(id) };
            match recipes.last_mut() {
                Some(last) if whole && last.whole => last.ingredients.push(ingredient),
                _ => recipes.push(Recipe { ingredients: vec![ingredient], whole, memory: memory.clone() }),
            }
        }
        recipes
    }

    /// What it is called: the id, or the ids that share a store.
    pub(super) fn name(&self) -> String {
        let ids: Vec<String> = self.ingredients.iter().map(|ingredient| ingredient.processor().id.to_string()).collect();
        ids.join("+")
    }

    /// Whether it makes a stage that works on whole traces.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    pub(super) fn has(&self, id: &ComponentId) -> bool {
        self.ingredients.iter().any(|ingredient| ingredient.processor().id == *id)
    }

    /// The context of its first processor.
    pub(super) fn context(&self) -> &ProcessorContext {
        &self.ingredients[0].context
    }

    /// Makes the stage for a lane.
    pub(super) fn make(&self, lane: Lane) -> Result<Stage, (ComponentId, BuildError)> {
        let instance = match self.whole {
            true => Instance::Whole(Box::new(self.over(None, lane)?)),
            false => {
                let ingredient = &self.ingredients[0];
                let built = ingredient.processor().build(&ingredient.context.in_lane(lane));
                Instance::One(built.map_err(|error| (ingredient.processor().id.clone(), error))?)
            }
        };
        Ok(Stage { recipe: self.clone(), instance })
    }

    /// Stages over a store: the one given, with all it holds, or a new one.
    fn over(&self, store: Option<TraceStore>, lane: Lane) -> Result<WholeTraces, (ComponentId, BuildError)> {
        let mut parts = Vec::with_capacity(self.ingredients.len());
        for ingredient in &self.ingredients {
            let processor = ingredient.processor();
            if let Part::Stage(make) = processor.factory.part {
                let part = make(&processor.config, &ingredient.context.in_lane(lane)).map_err(|error| (processor.id.clone(), error))?;
                parts.push(part);
            }
        }
        let context = self.context();
        let unjudged = context.cause(parts.first().map_or("released", |part| part.unjudged));
        let (limits, stages) = together(parts, self.memory.stores());
        let store = match store {
            Some(mut store) => {
                store.set_limits(limits);
                store
            }
            None => TraceStore::new(limits, context.line.held("traces"), context.cause("shutdown")),
        };
        Ok(WholeTraces::new(store, stages, unjudged))
    }

    /// What a reload to this recipe does to a stage of another.
    pub(super) fn change_from(&self, old: &Recipe) -> Change {
        let same_blocks = self.ingredients.len() == old.ingredients.len()
            && self
                .ingredients
                .iter()
                .zip(&old.ingredients)
                .all(|(new, old)| new.processor().id == old.processor().id && same(new.block(), old.block()));
        match same_blocks {
            true => Change::Keep,
            false if !self.whole && !old.whole && self.ingredients[0].processor().id == old.ingredients[0].processor().id => {
                Change::Reconfigure(self.ingredients[0].processor().config.clone())
            }
            false => Change::Replace,
        }
    }
}

impl Ingredient {
    fn processor(&self) -> &Configured<Processors> {
        &self.plan.processors[self.place]
    }

    fn block(&self) -> &Node {
        &self.processor().block
    }
}

/// One store for all: it waits as long as the most patient of them wants, and holds no more than the most modest.
fn together(parts: Vec<StagePart>, all_stores: &Budget) -> (Limits, Vec<Box<dyn TraceStage>>) {
    let mut limits = Limits::with_wait(Duration::ZERO);
    limits.bytes = all_stores.clone();
    let mut stages = Vec::with_capacity(parts.len());
    for StagePart { stage, limits: own, .. } in parts {
        limits.wait = limits.wait.max(own.wait);
        limits.trace_bytes = limits.trace_bytes.min(own.trace_bytes);
        if own.bytes.limit() < limits.bytes.limit() {
            limits.bytes = own.bytes;
        }
        if own.traces.limit() < limits.traces.limit() {
            (limits.traces, limits.senders_wait) = (own.traces, own.senders_wait);
        }
        if own.remember.time > limits.remember.time {
            limits.remember = own.remember;
        }
        stages.push(stage);
    }
    // One trace must not push out all others.
    limits.trace_bytes = limits.trace_bytes.min(limits.bytes.limit() / 8);
    (limits, stages)
}

impl Stage {
    /// Takes on what is held by a stage that this one replaces. What cannot move is given back, to be drained.
    pub(super) fn inherit(&mut self, old: Stage, lane: Lane) -> Option<Stage> {
        match (&mut self.instance, old.instance) {
            (Instance::Whole(new), Instance::Whole(traces)) => match self.recipe.over(Some(traces.into_store()), lane) {
                Ok(made) => {
                    **new = made;
                    None
                }
                // It was made a moment ago with the same configuration; the store is dropped, which settles what it holds.
                Err((id, error)) => {
                    tracing::error!(processor = %id, %error, "held traces could not be taken over");
                    None
                }
            },
            (_, instance) => Some(Stage { recipe: old.recipe, instance }),
        }
    }
}

impl Instance {
    fn processor(&mut self) -> &mut dyn Processor {
        match self {
            Instance::One(processor) => &mut **processor,
            Instance::Whole(traces) => &mut **traces,
        }
    }

    pub(super) fn process(&mut self, batch: Telemetry, out: &mut Output) {
        self.processor().process(batch, out);
    }

    pub(super) fn wake_at(&self) -> Option<LogTime> {
        match self {
            Instance::One(processor) => processor.wake_at(),
            Instance::Whole(traces) => traces.wake_at(),
        }
    }

    pub(super) fn wake(&mut self, now: LogTime, out: &mut Output) -> Progress {
        self.processor().wake(now, out)
    }

    pub(super) fn drain(&mut self, out: &mut Output) -> Progress {
        self.processor().drain(out)
    }

    pub(super) fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        self.processor().reconfigure(config)
    }

    pub(super) fn forget(&mut self, source: SourceTag) {
        self.processor().forget(source);
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stage({})", self.recipe.name())
    }
}

//! Pipelines that connectors join: each connector used on both its sides, no way round in a circle, and the order to build them in.

use tracetailor_core::component::{ComponentId, ConnectorFactory};
use tracetailor_core::config::ConfigErrors;
use tracetailor_core::telemetry::Signal;

use super::components::Components;
use super::pipelines::path_of;
use super::plan::PipelinePlan;

/// Checks the connectors between pipelines.
pub(super) fn check(pipelines: &[PipelinePlan], components: &Components, problems: &mut ConfigErrors) {
    for (id, written) in &components.connectors.written {
        if let Some(factory) = written.factory {
            both_sides(id, factory, pipelines, problems);
        }
    }
    if let Some(circle) = circle(pipelines, components) {
        let told = circle
            .iter()
            .map(|(from, connector, to)| format!("connector \"{connector}\" ({} to {})", pipelines[*from].id, pipelines[*to].id));
        let wrong = format!("cycle detected: {}", told.collect::<Vec<_>>().join(" -> "));
        let place = circle.first().map(|(from, ..)| path_of(&pipelines[*from].id)).unwrap_or_default();
        problems.below(place).error("exporters", wrong, "take one of these connectors out of the exporters of its pipeline");
    }
}

/// Whether a connector can lead from a signal to a signal.
fn leads(factory: &ConnectorFactory, from: Signal, to: Signal) -> bool {
    if factory.joins.is_empty() { from == to } else { factory.joins.contains(&(from, to)) }
}

fn both_sides(id: &ComponentId, factory: &ConnectorFactory, pipelines: &[PipelinePlan], problems: &mut ConfigErrors) {
    let ends = || pipelines.iter().filter(|pipeline| pipeline.exporters.contains(id));
    let begins = || pipelines.iter().filter(|pipeline| pipeline.receivers.contains(id));
    for from in ends().filter(|from| !begins().any(|to| leads(factory, from.id.signal, to.id.signal))) {
        let wrong =
            format!("connector \"{id}\" used as exporter in [{}] pipeline but not used in any supported receiver pipeline", from.id);
        let targets = Signal::ALL.into_iter().filter(|to| leads(factory, from.id.signal, *to)).map(Signal::name);
        let right = match tracetailor_core::config::one_of(targets) {
            none if none == "nothing" => format!("remove it here: it takes no {}", from.id.signal.name()),
            signals => format!("add {id} to the receivers of a pipeline of {signals}"),
        };
        let index = from.exporters.iter().position(|other| other == id).unwrap_or_default();
        problems.below(path_of(&from.id).key("exporters").index(index)).error_here(wrong, right);
    }
    for to in begins().filter(|to| !ends().any(|from| leads(factory, from.id.signal, to.id.signal))) {
        let wrong = format!("connector \"{id}\" used as receiver in [{}] pipeline but not used in any supported exporter pipeline", to.id);
        let sources = Signal::ALL.into_iter().filter(|from| leads(factory, *from, to.id.signal)).map(Signal::name);
        let right = match tracetailor_core::config::one_of(sources) {
            none if none == "nothing" => format!("remove it here: it makes no {}", to.id.signal.name()),
            signals => format!("add {id} to the exporters of a pipeline of {signals}"),
        };
        let index = to.receivers.iter().position(|other| other == id).unwrap_or_default();
        problems.below(path_of(&to.id).key("receivers").index(index)).error_here(wrong, right);
    }
}

/// From one pipeline, through a connector, into another.
type Step<'a> = (usize, &'a ComponentId, usize);

fn steps<'a>(from: usize, pipelines: &'a [PipelinePlan], components: &Components) -> Vec<Step<'a>> {
    let start = &pipelines[from];
    let mut steps = Vec::new();
    for id in &start.exporters {
        let Some(factory) = components.connectors.factory(id) else { continue };
        let goes_on = |to: &PipelinePlan| to.receivers.contains(id) && leads(factory, start.id.signal, to.id.signal);
        steps.extend(pipelines.iter().enumerate().filter(|(_, to)| goes_on(to)).map(|(to, _)| (from, id, to)));
    }
    steps
}

/// The first way round that leads back to where it began.
fn circle<'a>(pipelines: &'a [PipelinePlan], components: &Components) -> Option<Vec<Step<'a>>> {
    let mut finished = vec![false; pipelines.len()];
    (0..pipelines.len()).find_map(|start| follow(start, &mut Vec::new(), &mut finished, pipelines, components))
}

fn follow<'a>(
    at: usize,
    way: &mut Vec<Step<'a>>,
    finished: &mut [bool],
    pipelines: &'a [PipelinePlan],
    components: &Components,
) -> Option<Vec<Step<'a>>> {
    if let Some(begin) = way.iter().position(|(from, ..)| *from == at) {
        return Some(way.split_off(begin));
    }
    if finished[at] {
        return None;
    }
    for step in steps(at, pipelines, components) {
        way.push(step);
        if let Some(circle) = follow(step.2, way, finished, pipelines, components) {
            return Some(circle);
        }
        way.pop();
    }
    finished[at] = true;
    None
}

/// Pipelines before those that connectors lead on to, else as they were written.
pub(super) fn in_order(pipelines: Vec<PipelinePlan>, components: &Components) -> Vec<PipelinePlan> {
    let mut waiting_for = vec![0; pipelines.len()];
    let all: Vec<_> = (0..pipelines.len()).flat_map(|from| steps(from, &pipelines, components)).map(|(from, _, to)| (from, to)).collect();
    for (_, to) in &all {
        waiting_for[*to] += 1;
    }
    let mut order = Vec::with_capacity(pipelines.len());
    while let Some(next) = (0..pipelines.len()).find(|index| waiting_for[*index] == 0 && !order.contains(index)) {
        order.push(next);
        for (_, to) in all.iter().filter(|(from, _)| *from == next) {
            waiting_for[*to] -= 1;
        }
    }
    let mut pipelines: Vec<_> = pipelines.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| pipelines[index].take()).collect()
}

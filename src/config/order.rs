//! Orders of processors that work, and hardly as they were meant.

use tracetailor_core::component::{ComponentId, JUDGES_WHOLE_TRACES, Part};
use tracetailor_core::config::ConfigErrors;
use tracetailor_core::telemetry::Signal;

use super::components::Components;
use super::pipelines::path_of;
use super::plan::PipelinePlan;

/// Warns of what stands in front of something that suffers from it.
pub(super) fn check(pipelines: &[PipelinePlan], components: &Components, problems: &mut ConfigErrors) {
    for pipeline in pipelines.iter().filter(|pipeline| pipeline.id.signal == Signal::Traces) {
        holes(pipeline, components, problems);
    }
}

/// A span that is left out before its trace is judged makes a hole in it: what is left is judged and repaired as if it were all.
fn holes(pipeline: &PipelinePlan, components: &Components, problems: &mut ConfigErrors) {
    for (index, id) in pipeline.processors.iter().enumerate() {
        let judge = pipeline.processors[index..].iter().find(|id| JUDGES_WHOLE_TRACES.contains(&id.kind()));
        let Some(judge) = judge.filter(|_| leaves_out_spans(id, components)) else { continue };
        let right = match pipeline.processors.iter().find(|id| id.kind() == "tail_sampling") {
            Some(sampling) => format!("drop whole traces by a policy of {sampling}: type: drop; or put {id} behind {judge}"),
            None => format!("put {id} behind {judge}, or drop whole traces by tail_sampling: a policy with type: drop"),
        };
        let wrong = format!("{id} drops single spans before {judge} has seen their traces, which then have holes");
        problems.below(path_of(&pipeline.id).key("processors").index(index)).warn_here(wrong, right);
    }
}

fn leaves_out_spans(id: &ComponentId, components: &Components) -> bool {
    let configured = components.processors.configured.iter().find(|configured| configured.id == *id);
    configured.is_some_and(|configured| match configured.factory.part {
        Part::Sieve(leaves_out) => leaves_out(&configured.config),
        _ => false,
    })
}

//! From files to a plan: what the user wrote, read, expanded, merged, checked, and laid out for the gateway to build.
//!
//! The steps stand in files of their own, in the order in which they happen:
//!
//! 1. `sources`: what `--config` and `--set` name becomes trees, `merge` makes one of them.
//! 2. `expand`: `${env:NAME}` and its relatives become what they stand for.
//! 3. `leave_out`: what `--leave-out` names is taken out, with all that leads to it.
//! 4. `components`: every section is read by the registries, strictly.
//! 5. `pipelines`: what the pipelines name is looked up, `graph` follows the connectors between them, and `order` warns of orders hardly meant.
//! 6. `plan`: what is valid becomes a plan; `show` is the same for people, without its secrets.
//!
//! A step that finds something wrong says so and goes on, so that all problems of a file come at once.

pub mod catalogue;
mod components;
mod example;
mod expand;
mod gates;
mod graph;
mod leave_out;
mod merge;
mod order;
mod pipelines;
mod plan;
mod print;
mod service;
mod show;
mod sources;

use tracetailor_core::config::{ConfigErrors, Node, Path, Place, Severity, Value};

pub use example::example;
pub use gates::Gates;
pub use plan::{PipelineId, PipelinePlan, Plan};
pub use print::{Format, print};
pub use service::{Pipeline, Service};
pub use show::{digest, shown};
pub use sources::Sources;

use components::Components;
use expand::Variables;

/// What came of a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// What is to be built; nothing where there is an error among the problems.
    pub plan: Option<Plan>,
    /// All that is wrong or doubtful.
    pub problems: ConfigErrors,
    /// The configuration as it would be in force, secrets included: [`shown`] hides them.
    pub effective: Node,
    /// The files that it was read from: what `--watch` watches.
    pub files: Vec<std::path::PathBuf>,
}

/// Reads a configuration, with the environment of this process. Nothing is opened but its files.
pub fn load(sources: &Sources) -> Loaded {
    load_with(sources, &Variables::of_this_process())
}

fn load_with(sources: &Sources, variables: &Variables) -> Loaded {
    let mut problems = ConfigErrors::default();
    let gates = Gates::read(&sources.feature_gates, &mut problems);
    let read = sources.read(variables, &mut problems);
    let mut files = read.files;
    let mut effective = read.node;
    expand::expand(&mut effective, variables, sources.strict, &mut files, &mut problems);
    leave_out::leave_out(&mut effective, &sources.leave_out, &mut problems);
    if is_empty(&effective) {
        if !problems.has_errors() {
            problems.error_here(
                "the configuration is empty",
                "write receivers, exporters and service.pipelines; config.example.yaml shows every key",
            );
            problems.locate(&effective, &Path::ROOT);
        }
        return Loaded { plan: None, problems, effective, files };
    }
    let mut found = ConfigErrors::default();
    let components = Components::read(&effective, &mut found);
    let pipelines = pipelines::check(&effective, &components, gates, &mut found);
    found.locate(&effective, &Path::ROOT);
    leave_consequences(&problems, &mut found);
    problems.append(found);
    let plan = if problems.has_errors() { None } else { plan::lay_out(components, pipelines, &effective) };
    Loaded { plan, problems, effective, files }
}

/// Where a reference stands for nothing there is a hole. That somebody misses what should be there is not worth telling.
fn leave_consequences(holes: &ConfigErrors, found: &mut ConfigErrors) {
    let holes: Vec<&Path> =
        holes.iter().filter(|hole| hole.severity == Severity::Error && !hole.path.is_root()).map(|hole| &hole.path).collect();
    found.retain(|problem| problem.severity == Severity::Warning || !holes.iter().any(|hole| hole.overlaps(&problem.path)));
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Cut => true,
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

/// A place that has no lines: an argument of the command line, a variable.
fn nowhere(name: &str) -> Place {
    Place { file: name.into(), line: 0, column: 0 }
}

#[cfg(test)]
mod tests;

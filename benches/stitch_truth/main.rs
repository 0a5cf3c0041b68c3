//! Scores stitching against traces whose truth is known, and writes `docs/stitch-truth.md`.
//!
//! `cargo run --release -p tracetailor-processors --example stitch_truth` writes the page. With `quick` behind it, only the rows that the gates speak of are told,
//! and nothing is written.

mod loss;
mod page;
mod score;
mod topologies;
mod truth;

use std::path::PathBuf;

use loss::Loss;
use score::{Outcome, Score, score};
use tracetailor_core::telemetry::TraceId;
use tracetailor_processors::stitch::engine::{Rules, repair};
use truth::{TrueSpan, seen};

/// So many worlds of each topology, and so many traces in each.
const WORLDS: u64 = 6;
const TRACES: u64 = 100;

/// All traces of one topology.
pub(crate) struct Scene {
    /// What it is called.
    pub(crate) name: String,
    /// One sentence about it.
    pub(crate) story: String,
    /// Whether the rules were tuned on it.
    pub(crate) is_for_tuning: bool,
    /// Whether messages go through it.
    pub(crate) is_messaging: bool,
    /// Its traces.
    pub(crate) traces: Vec<Vec<TrueSpan>>,
}

fn scenes(worlds: u64, traces: u64) -> Vec<Scene> {
    let made = topologies::TOPOLOGIES.iter().map(|topology| Scene {
        name: topology.name.to_owned(),
        story: topology.story.to_owned(),
        is_for_tuning: topology.is_for_tuning,
        is_messaging: topology.is_messaging,
        // Other worlds than those that the rules were tuned on.
        traces: (0..worlds * traces).map(|number| (topology.trace)(100 + number / traces, number)).collect(),
    });
    made.chain(recorded()).collect()
}

/// Each recorded trace stands for several: what is lost differs.
fn recorded() -> Option<Scene> {
    let folder = std::env::var_os("STITCH_TRACES").map_or_else(|| here("recorded"), PathBuf::from);
    let traces = topologies::recorded::read(&folder).ok().filter(|traces| !traces.is_empty())?;
    let again = 400usize.div_ceil(traces.len());
    Some(Scene {
        name: "recorded".to_owned(),
        story: format!("{} traces from files, each {again} times with other losses.", traces.len()),
        is_for_tuning: false,
        is_messaging: false,
        traces: (0..again).flat_map(|_| traces.clone()).collect(),
    })
}

fn here(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../benches/stitch_truth").join(name)
}

/// What comes of a scene when so much is lost and clocks are so wrong.
pub(crate) fn run(scene: &Scene, loss: Loss, skew: i64, rules: &Rules) -> Score {
    let mut total = Score::default();
    for (number, trace) in scene.traces.iter().enumerate() {
        let lost = loss.of(trace, number as u64);
        let seen = seen(trace, &lost, skew, number as u64);
        let plan = repair(TraceId([1; 16]), &seen.views, rules);
        total.add(&score(trace, &lost, &Outcome::of(trace, &seen, &plan)));
    }
    total
}

#[expect(clippy::print_stdout, reason = "it is a command, and this is what it says")]
fn main() -> std::io::Result<()> {
    let is_quick = std::env::args().any(|argument| argument == "quick");
    let scenes = scenes(WORLDS, TRACES);
    if is_quick {
        print!("{}", page::gates(&scenes));
        return Ok(());
    }
    let page = page::page(&scenes);
    let path = here("../../docs/stitch-truth.md");
    std::fs::write(&path, page)?;
    println!("{} is written", path.display());
    Ok(())
}

#[cfg(test)]
mod tests;

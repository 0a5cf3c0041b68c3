//! The processor as a whole: its page, its configuration, its time, its limits, what comes late.

mod chance;
mod complete;
mod configuration;
mod ingest;
mod late;
mod limits;
mod properties;
mod reload;
mod room;
mod rules;
mod shadow;
mod structure;
mod timing;
mod whole_traces;

use std::time::Duration;

use tracetailor_core::ledger::Column;
use tracetailor_core::testing::{Built, Driver, SpanDraft, assert_manual, run_stories, span, traces};

use super::FACTORY;

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
    assert_manual(&FACTORY);
}

const ALL: &str = "policies: [{name: all, type: always_sample}]";
const ERRORS: &str = "policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]";

fn driver(keys: &str, policies: &str) -> Driver {
    Driver::of(&FACTORY, &format!("{{{keys}, {policies}}}"))
}

fn of(trace: u64, name: &str) -> Built<SpanDraft> {
    span(name).trace(trace)
}

fn failed(trace: u64, name: &str) -> Built<SpanDraft> {
    of(trace, name).status_error("no")
}

fn receive(driver: &mut Driver, spans: impl IntoIterator<Item = Built<SpanDraft>>) {
    driver.receive(traces(spans));
}

fn seconds(driver: &mut Driver, seconds: f64) {
    driver.turn(Duration::from_secs_f64(seconds));
}

/// What has come out so far.
fn out(driver: &Driver) -> Vec<String> {
    driver.sink().span_names()
}

fn counted(driver: &Driver, name: &str, labels: &[(&str, &str)]) -> u64 {
    let name = format!("otelcol_processor_tail_sampling_{name}");
    let has = |found: &[(String, String)]| labels.iter().all(|(key, value)| found.iter().any(|(k, v)| k == key && v == value));
    driver.context().counters.read().iter().filter(|series| series.name == name && has(&series.labels)).map(|series| series.count()).sum()
}

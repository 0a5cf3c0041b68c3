#![doc = include_str!("README.md")]

use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;
use tracetailor_core::component::{
    BuildError, Component, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Progress, Stability,
};
use tracetailor_core::config::{ConfigErrors, Period, Schema, Validate};
use tracetailor_core::ledger::{Cause, Column, Held, Share};
use tracetailor_core::telemetry::Telemetry;
use tracetailor_core::testing::{Driver, run_stories, trace_of};
use tracetailor_core::time::LogTime;

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// How long a batch is held.
    wait: Period,
}

impl Default for Config {
    fn default() -> Self {
        Self { wait: Period::seconds(1) }
    }
}

impl Validate for Config {
    fn validate(&self, _errors: &mut ConfigErrors) {}
}

static FACTORY: ProcessorFactory = ProcessorFactory::of::<HoldBack>("hold_back", Stability::Development, include_str!("README.md"));

/// With one wait for all, the order of arrival is the order of leaving.
struct HoldBack {
    wait: Duration,
    waiting: VecDeque<(LogTime, Telemetry)>,
    held: Held,
    no_time: Cause,
}

impl Component for HoldBack {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        let (held, no_time) = (context.line.held("hold_back"), context.cause("no_time"));
        Ok(Box::new(Self { wait: config.wait.into(), waiting: VecDeque::new(), held, no_time }))
    }
}

impl Processor for HoldBack {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        batch.each_share(Share::accepted);
        self.held.add(batch.len() as u64);
        self.waiting.push_back((out.now() + self.wait, batch));
    }

    fn wake_at(&self) -> Option<LogTime> {
        self.waiting.front().map(|(due, _)| *due)
    }

    fn wake(&mut self, now: LogTime, out: &mut Output) -> Progress {
        self.let_go(now, out)
    }

    fn drain(&mut self, out: &mut Output) -> Progress {
        self.let_go(LogTime::NEVER, out)
    }
}

impl HoldBack {
    fn let_go(&mut self, now: LogTime, out: &mut Output) -> Progress {
        while self.waiting.front().is_some_and(|(due, _)| *due <= now) {
            if !out.wants_more() {
                return Progress::More;
            }
            if let Some((_, batch)) = self.waiting.pop_front() {
                self.held.sub(batch.len() as u64);
                out.emit(batch);
            }
        }
        Progress::Done
    }
}

/// A lane that has no time left drops what it runs; somebody still waits to hear what became of the spans.
impl Drop for HoldBack {
    fn drop(&mut self) {
        for (_, batch) in self.waiting.drain(..) {
            self.held.sub(batch.len() as u64);
            batch.abandon(self.no_time);
        }
    }
}

#[test]
fn the_readme_tells_the_truth() {
    run_stories(&FACTORY);
}

#[test]
fn what_is_held_is_in_the_books() {
    let mut driver = Driver::of(&FACTORY, "wait: 5s");
    driver.receive(trace_of("a -> b -> c").request());
    assert_eq!(driver.held(), 3);
    driver.turn(Duration::from_secs(5));
    assert_eq!(driver.held(), 0);
    assert_eq!(driver.finish().spans().len(), 3);
}

#[test]
fn shutdown_does_not_wait() {
    let mut driver = Driver::of(&FACTORY, "wait: 1h");
    driver.receive(trace_of("a").request());
    driver.drain();
    assert_eq!(driver.finish().spans().len(), 1);
}

#[test]
fn a_lane_without_time_is_told_what_became_of_it() {
    let mut driver = Driver::of(&FACTORY, "wait: 1h");
    driver.receive(trace_of("a -> b").request());
    let books = driver.books().clone();
    driver.give_up();
    let report = books.report();
    report.assert_balanced();
    assert_eq!(report.lines.iter().map(|line| line.sums[Column::Rejected]).sum::<u64>(), 2);
}

//! The driver runs a good processor through anything, and tells what is wrong with a bad one.

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::test_runner::Config as Cases;
use serde::Deserialize;

use super::*;
use crate::component::{AnyConfig, BuildError, Component, Processors, Stability};
use crate::config::{ConfigErrors, Period, Schema, Validate};
use crate::ledger::{Cause, Held};
use crate::testing::arbitrary::{self, Wild};
use crate::testing::{log, logs, trace_of};

const FACTORY: ProcessorFactory = ProcessorFactory::of::<Delay>("delay", Stability::Alpha, "# delay");

/// What the user writes.
#[derive(Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// How long everything is held.
    wait: Period,
}

impl Default for Config {
    fn default() -> Self {
        Self { wait: Period::seconds(10) }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.wait == Period::seconds(0) {
            errors.error("wait", "0s holds nothing", "give a time such as 10s");
        }
    }
}

/// What may be wrong with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    TellsNothingHeld,
    LosesBatches,
    KeepsSomeAtDrain,
    EmitsWithoutRoom,
    IsNeverDone,
    WishesForThePast,
    RemembersPartitions,
}

/// Holds every batch for a time; drops items that are called `secret`.
struct Delay {
    wait: Duration,
    batches: VecDeque<(LogTime, Telemetry)>,
    held: Held,
    secret: Cause,
    flaw: Flaw,
}

impl Component for Delay {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Ok(Box::new(Delay::new(config.wait.into(), context, Flaw::None)))
    }
}

impl Delay {
    fn new(wait: Duration, context: &ProcessorContext, flaw: Flaw) -> Self {
        Self { wait, batches: VecDeque::new(), held: context.line.held("delay"), secret: context.cause("secret"), flaw }
    }

    fn let_go(&mut self, until: LogTime, out: &mut Output) -> Progress {
        while self.batches.front().is_some_and(|(due, _)| *due <= until) {
            if !out.wants_more() && self.flaw != Flaw::EmitsWithoutRoom {
                return Progress::More;
            }
            let Some((_, batch)) = self.batches.pop_front() else { break };
            self.held.sub(batch.len() as u64);
            out.emit(batch);
        }
        if self.flaw == Flaw::IsNeverDone { Progress::More } else { Progress::Done }
    }

    fn abandon(&mut self, unwanted: impl Fn(&Telemetry) -> bool) {
        let (gone, kept) = std::mem::take(&mut self.batches).into_iter().partition(|(_, batch)| unwanted(batch));
        self.batches = kept;
        for (_, batch) in gone {
            let batch: Telemetry = batch;
            self.held.sub(batch.len() as u64);
            batch.dissolve().into_iter().for_each(|origin| origin.share.abandon(self.secret));
        }
    }
}

impl Processor for Delay {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        batch.drop_items(self.secret, |item| item.name() == "secret");
        if batch.is_empty() {
            return out.emit(batch);
        }
        batch.each_share(|share| share.accepted());
        if self.flaw != Flaw::TellsNothingHeld {
            self.held.add(batch.len() as u64);
        }
        if self.flaw == Flaw::LosesBatches {
            return drop(batch);
        }
        self.batches.push_back((out.now() + self.wait, batch));
    }

    fn wake_at(&self) -> Option<LogTime> {
        let wish = self.batches.front().map(|(due, _)| *due);
        if self.flaw == Flaw::WishesForThePast { wish.or(Some(LogTime(1))) } else { wish }
    }

    fn wake(&mut self, now: LogTime, out: &mut Output) -> Progress {
        self.let_go(now, out)
    }

    fn drain(&mut self, out: &mut Output) -> Progress {
        if self.flaw == Flaw::KeepsSomeAtDrain {
            return Progress::Done;
        }
        self.let_go(LogTime::NEVER, out)
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        let config: &Config = config.get()?;
        self.wait = config.wait.into();
        Ok(())
    }

    fn forget(&mut self, source: SourceTag) {
        if self.flaw != Flaw::RemembersPartitions {
            self.abandon(|batch| batch.origins().iter().any(|origin| origin.source.tag == source));
        }
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        self.abandon(|_| true);
    }
}

const ROOM_FOR_ONE: Room = Room { items: 1, bytes: usize::MAX };
const PARTITION: SourceTag = SourceTag { partition: 1, generation: 1 };

fn flawed(flaw: Flaw) -> Driver {
    Driver::with("delay", |context| Box::new(Delay::new(Duration::from_secs(10), context, flaw)))
}

fn one_span() -> crate::testing::otlp::ExportTraceServiceRequest {
    trace_of("a").request()
}

#[test]
fn what_is_due_leaves_when_the_clock_is_turned() {
    let mut driver = Driver::of(&FACTORY, "wait: 10s");
    driver.receive(trace_of("a -> secret -> b").request());
    driver.turn(Duration::from_secs(9));
    assert_eq!((driver.sink().span_names().len(), driver.held()), (0, 2));
    driver.turn(Duration::from_secs(1));
    assert_eq!(driver.sink().span_names(), ["a", "b"]);
    assert_eq!((driver.held(), driver.ended(Column::Dropped, "secret")), (0, 1));
    assert_eq!(driver.wake_at(), None);
    assert_eq!(driver.finish().span_names(), ["a", "b"]);
}

#[test]
fn a_processor_is_woken_at_every_wish_on_the_way() {
    let mut driver = Driver::of(&FACTORY, "wait: 10s");
    driver.receive(one_span());
    driver.turn(Duration::from_secs(3));
    driver.receive(one_span());
    let start = driver.now();
    driver.turn(Duration::from_secs(60));
    assert_eq!((driver.sink().sent().len(), driver.now().since(start)), (2, Duration::from_secs(60)));
    driver.finish();
}

#[test]
fn a_busy_lane_wakes_late_and_a_full_one_not_at_all() {
    let mut driver = Driver::of(&FACTORY, "wait: 10s");
    for _ in 0..3 {
        driver.receive(one_span());
    }
    driver.turn_asleep(Duration::from_secs(100));
    assert_eq!(driver.held(), 3);
    assert_eq!(driver.wake_slice(ROOM_FOR_ONE), Progress::More);
    assert_eq!(driver.held(), 2);
    driver.set_room(Room::NONE);
    driver.turn(Duration::from_secs(100));
    assert_eq!(driver.held(), 2);
    driver.set_room(ROOM_FOR_ONE);
    driver.turn(Duration::ZERO);
    assert_eq!(driver.held(), 0);
    driver.finish();
}

#[test]
fn what_is_held_at_the_end_is_drained_or_given_up() {
    let mut driver = Driver::of(&FACTORY, "wait: 10s");
    driver.receive(one_span());
    assert_eq!(driver.finish().span_names(), ["a"]);
    let mut driver = Driver::of(&FACTORY, "wait: 10s");
    driver.receive(one_span());
    assert!(driver.give_up().spans().is_empty());
}

#[test]
fn a_partition_that_was_taken_away_sends_nothing() {
    let mut driver = Driver::of(&FACTORY, "wait: 10s");
    driver.receive_from(PARTITION, one_span());
    driver.receive(trace_of("b").request());
    driver.forget(PARTITION);
    driver.turn(Duration::from_secs(10));
    assert_eq!(driver.sink().span_names(), ["b"]);
    assert_eq!(driver.inlet().answer(0).tally.left, 1);
    driver.finish();
}

#[test]
fn a_configuration_can_change() {
    let mut driver = Driver::of(&FACTORY, "wait: 10s");
    assert_eq!(driver.reconfigure("wait: 1s"), Ok(()));
    driver.receive(one_span());
    driver.turn(Duration::from_secs(1));
    assert_eq!(driver.finish().span_names(), ["a"]);
}

#[test]
fn other_signals_have_pipelines_too() {
    let mut driver = Driver::of_signal(Signal::Logs, &FACTORY, "wait: 10s");
    driver.receive(logs([log("empty")]));
    assert_eq!(driver.finish().log_records().len(), 1);
}

proptest! {
    #![proptest_config(Cases::with_cases(500))]

    #[test]
    fn a_good_processor_comes_through_any_life(script in arbitrary::scripts(Signal::Traces, &Wild::odd(), 12)) {
        Driver::of(&FACTORY, "wait: 10s").play(script);
    }
}

#[test]
#[should_panic(expected = "0s holds nothing")]
fn a_wrong_configuration_is_told() {
    Driver::of(&FACTORY, "wait: 0s");
}

#[test]
#[should_panic(expected = "1 unaccounted for")]
fn a_gauge_that_was_forgotten_is_told() {
    flawed(Flaw::TellsNothingHeld).receive(one_span());
}

#[test]
#[should_panic(expected = "dropped before it was settled")]
fn a_batch_that_was_lost_is_told() {
    flawed(Flaw::LosesBatches).receive(one_span());
}

#[test]
#[should_panic(expected = "holds something")]
fn an_incomplete_drain_is_told() {
    let mut driver = flawed(Flaw::KeepsSomeAtDrain);
    driver.receive(one_span());
    driver.finish();
}

#[test]
#[should_panic(expected = "ask wants_more() before each")]
fn emitting_without_room_is_told() {
    let mut driver = flawed(Flaw::EmitsWithoutRoom);
    driver.receive(one_span());
    driver.receive(one_span());
    driver.turn_asleep(Duration::from_secs(10));
    let _progress = driver.wake_slice(ROOM_FOR_ONE);
}

#[test]
#[should_panic(expected = "nothing came of it")]
fn a_processor_that_is_never_done_is_told() {
    let mut driver = flawed(Flaw::IsNeverDone);
    driver.receive(one_span());
    driver.turn(Duration::from_secs(10));
}

#[test]
#[should_panic(expected = "done with all that was due")]
fn a_wish_for_the_past_is_told() {
    flawed(Flaw::WishesForThePast).turn(Duration::from_secs(1));
}

#[test]
#[should_panic(expected = "which was taken away")]
fn emitting_what_was_taken_away_is_told() {
    let mut driver = flawed(Flaw::RemembersPartitions);
    driver.receive_from(PARTITION, one_span());
    driver.forget(PARTITION);
    driver.turn(Duration::from_secs(10));
}

//! One processor, run as a lane runs it, under a clock that the test turns.
//!
//! ```
//! use std::time::Duration;
//! use tracetailor_core::testing::{Driver, trace_of};
//! # use tracetailor_core::component::{Output, Processor, ProcessorContext};
//! # use tracetailor_core::telemetry::Telemetry;
//! # struct PassOn;
//! # impl Processor for PassOn {
//! #     fn process(&mut self, batch: Telemetry, out: &mut Output) {
//! #         out.emit(batch);
//! #     }
//! # }
//!
//! // From a factory and what the user writes it is `Driver::of(&FACTORY, "share: 10%")`.
//! let mut driver = Driver::with("pass_on", |_context| Box::new(PassOn));
//! driver.receive(trace_of("a -> b").request());
//! driver.turn(Duration::from_secs(30));
//! assert_eq!(driver.sink().span_names(), ["a", "b"]);
//! driver.finish();
//! ```
//!
//! After every call it looks at the books: what was received has left, has ended with a reason, or is held and said to be held. So a test
//! that only runs a script through a processor already tests what matters most.

mod contract;
mod script;

use std::collections::HashSet;
use std::time::Duration;

use super::inlet::Inlet;
use super::sink::Sink;
use crate::component::{AnyConfig, NeedsRebuild, Output, Processor, ProcessorContext, ProcessorFactory, Progress, Room, Series};
use crate::ledger::{Books, Column};
use crate::telemetry::{Decoded, Signal, SourceTag, Telemetry};
use crate::time::{Clock, LogTime};

pub use script::{Script, Step};

/// So many slices in a row may say that there is more and change nothing that anybody sees.
const IDLE_SLICES: usize = 16;

/// One instance of a processor with an [inlet](Inlet) before it and a [sink](Sink) behind it.
pub struct Driver {
    /// None once it was dropped.
    processor: Option<Box<dyn Processor>>,
    factory: Option<&'static ProcessorFactory>,
    context: ProcessorContext,
    inlet: Inlet,
    sink: Sink,
    room: Room,
    forgotten: HashSet<SourceTag>,
}

impl Driver {
    /// A processor of traces, from what a user writes. Panics with all that is wrong with it.
    pub fn of(factory: &'static ProcessorFactory, yaml: &str) -> Self {
        Self::of_signal(Signal::Traces, factory, yaml)
    }

    /// The same in a pipeline of another signal.
    pub fn of_signal(signal: Signal, factory: &'static ProcessorFactory, yaml: &str) -> Self {
        let parsed = factory.parse(yaml).unwrap_or_else(|errors| panic!("the configuration is refused:\n{errors}"));
        Self::configured(signal, factory, parsed.config)
    }

    /// The same from a configuration that was read before.
    pub(super) fn configured(signal: Signal, factory: &'static ProcessorFactory, config: AnyConfig) -> Self {
        let build =
            |context: &ProcessorContext| factory.build(&config, context).unwrap_or_else(|error| panic!("it cannot be built: {error}"));
        Self { factory: Some(factory), ..Self::with_signal(signal, factory.name, build) }
    }

    /// A processor of traces, made by the test itself.
    pub fn with(id: &str, build: impl FnOnce(&ProcessorContext) -> Box<dyn Processor>) -> Self {
        Self::with_signal(Signal::Traces, id, build)
    }

    /// The same in a pipeline of another signal.
    pub fn with_signal(signal: Signal, id: &str, build: impl FnOnce(&ProcessorContext) -> Box<dyn Processor>) -> Self {
        let inlet = Inlet::new();
        let mut context = ProcessorContext::alone(id).with_clock(inlet.clock().clone());
        context.lane_context.build.books = inlet.books().clone();
        context.lane_context.build.interner = inlet.interner().clone();
        context.line = inlet.line(signal);
        let processor = Some(build(&context));
        let sink = Sink::new(inlet.books());
        Self { processor, factory: None, context, inlet, sink, room: Room::ENOUGH, forgotten: HashSet::new() }
    }

    /// Gives it a request.
    pub fn receive(&mut self, request: impl Into<Decoded>) {
        let batch = self.inlet.receive(request);
        self.process(batch);
    }

    /// Gives it a request that came from a partition and may be taken away again.
    pub fn receive_from(&mut self, tag: SourceTag, request: impl Into<Decoded>) {
        self.inlet.set_tag(tag);
        self.receive(request);
        self.inlet.set_tag(SourceTag::NONE);
    }

    /// Gives it a batch that the test took in by itself, through [`Driver::inlet`].
    pub fn process(&mut self, batch: Telemetry) {
        let mut out = Output::new(self.now(), self.room);
        self.processor().process(batch, &mut out);
        self.carry_on(out.take());
    }

    /// Turns the clock on, waking the processor whenever it wanted to be woken on the way: a lane that has time. Without room nobody is
    /// woken.
    pub fn turn(&mut self, by: Duration) {
        let end = self.now() + by;
        while let Some(wish) = self.wake_at().filter(|wish| *wish <= end && !self.room.is_used_up()) {
            self.inlet.clock().advance(wish.since(self.now()));
            self.wake();
        }
        self.inlet.clock().advance(end.since(self.now()));
    }

    /// Turns the clock on and lets wishes pass: a lane that is busy.
    pub fn turn_asleep(&mut self, by: Duration) {
        self.inlet.clock().advance(by);
    }

    /// Wakes it, if its time has come and there is room, slice by slice until it is done.
    pub fn wake(&mut self) {
        if self.room.is_used_up() || !self.is_due() {
            return;
        }
        self.until_done(|driver| driver.slice(driver.room, |processor, out| processor.wake(out.now(), out)));
        let (now, wish) = (self.now(), self.wake_at());
        assert!(wish.is_none_or(|wish| wish > now), "at {now:?} it was done with all that was due, and wants to be woken at {wish:?}");
    }

    /// Wakes it for one slice with so much room, if its time has come.
    pub fn wake_slice(&mut self, room: Room) -> Progress {
        if !self.is_due() {
            return Progress::Done;
        }
        self.slice(room, |processor, out| processor.wake(out.now(), out))
    }

    fn is_due(&self) -> bool {
        self.wake_at().is_some_and(|wish| wish <= self.now())
    }

    /// Drains it for one slice with so much room, as at shutdown. Nothing may be received once this has begun.
    pub fn drain_slice(&mut self, room: Room) -> Progress {
        self.slice(room, |processor, out| processor.drain(out))
    }

    /// Drains it, with as many slices as that takes.
    pub fn drain(&mut self) {
        if self.room.is_used_up() {
            self.room = Room::ENOUGH;
        }
        self.until_done(|driver| driver.drain_slice(driver.room));
        assert_eq!(self.held(), 0, "it said that it is drained, and holds something\n{}", self.books().report());
    }

    /// Drains it, and looks that nothing is left: nothing held, every request answered, the books balanced. Gives what it sent.
    pub fn finish(mut self) -> Sink {
        self.drain();
        self.give_up()
    }

    /// Drops it with all it holds, as when the deadline of a shutdown has passed, and looks that it left nothing behind.
    pub fn give_up(mut self) -> Sink {
        self.processor = None;
        self.inlet.assert_settled();
        self.sink
    }

    /// Gives it another configuration. Panics where that is not valid, or the driver was not made from a factory.
    pub fn reconfigure(&mut self, yaml: &str) -> Result<(), NeedsRebuild> {
        let Some(factory) = self.factory else { panic!("only what was made from a factory can be configured anew") };
        let parsed = factory.parse(yaml).unwrap_or_else(|errors| panic!("the configuration is refused:\n{errors}"));
        let outcome = self.processor().reconfigure(&parsed.config);
        self.assert_balanced();
        outcome
    }

    /// Takes a partition away. Nothing that came from it may leave from now on.
    pub fn forget(&mut self, tag: SourceTag) {
        self.processor().forget(tag);
        self.forgotten.insert(tag);
        self.assert_balanced();
    }

    /// The room that a call leaves from now on.
    pub fn set_room(&mut self, room: Room) {
        self.room = room;
    }

    /// What it has sent so far.
    pub fn sink(&self) -> &Sink {
        &self.sink
    }

    /// The same, to [take](Sink::take) from.
    pub fn sink_mut(&mut self) -> &mut Sink {
        &mut self.sink
    }

    /// What takes its requests in.
    pub fn inlet(&mut self) -> &mut Inlet {
        &mut self.inlet
    }

    /// What it was built with.
    pub fn context(&self) -> &ProcessorContext {
        &self.context
    }

    /// The clock, for a test that turns it by itself.
    pub fn clock(&self) -> &Clock {
        self.inlet.clock()
    }

    /// The time.
    pub fn now(&self) -> LogTime {
        self.clock().now()
    }

    /// When it wants to be woken.
    pub fn wake_at(&self) -> Option<LogTime> {
        self.processor.as_ref().and_then(|processor| processor.wake_at())
    }

    /// The books.
    pub fn books(&self) -> &Books {
        self.inlet.books()
    }

    /// How many items it says it holds.
    pub fn held(&self) -> i64 {
        let report = self.books().report();
        report.line(self.context.line.name(), self.context.line.signal()).map_or(0, |line| line.held_units())
    }

    /// How many items ended in a column of the books for a reason: `driver.ended(Column::Dropped, "not_sampled")`.
    pub fn ended(&self, column: Column, reason: &str) -> u64 {
        let report = self.books().report();
        let causes = report.lines.iter().flat_map(|line| &line.causes);
        causes.filter(|cause| cause.column == column && cause.name.reason == reason).map(|cause| cause.units).sum()
    }

    /// Where a counter of the component stands, over all its labels.
    pub fn counted(&self, name: &str) -> u64 {
        self.context.counters.read().iter().filter(|series| series.name == name).map(Series::count).sum()
    }

    fn processor(&mut self) -> &mut dyn Processor {
        match &mut self.processor {
            Some(processor) => processor.as_mut(),
            None => unreachable!("the driver is gone with its processor"),
        }
    }
}

#[cfg(test)]
mod tests;

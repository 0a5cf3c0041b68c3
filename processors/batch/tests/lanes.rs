//! Lanes that share a shelf: whatever they do in whichever order, what went in comes out once, in order, in time.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use tracetailor_core::component::{Lane, Output, Processor, ProcessorContext, Progress, Room};
use tracetailor_core::ledger::Column;
use tracetailor_core::telemetry::{Signal, Source, Telemetry};
use tracetailor_core::testing::{Inlet, Sink};

use super::super::FACTORY;
use super::numbered;

const LANES: usize = 3;

/// What happens, in one of the lanes where it matters which.
#[derive(Clone, Debug)]
enum Step {
    Receive {
        lane: usize,
        spans: usize,
        tenant: usize,
    },
    Turn(u64),
    /// Time passes and nobody is woken.
    TurnAsleep(u64),
    WakeWith {
        lane: usize,
        items: usize,
    },
    /// A lane ends by a panic, or a shutdown for which there was no time.
    Lose(usize),
    Drain(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let lane = 0..LANES;
    prop_oneof![
        8 => (lane.clone(), 1_usize..30, 0_usize..3).prop_map(|(lane, spans, tenant)| Step::Receive { lane, spans, tenant }),
        3 => (0_u64..700).prop_map(Step::Turn),
        1 => (0_u64..700).prop_map(Step::TurnAsleep),
        1 => (lane.clone(), 0_usize..20).prop_map(|(lane, items)| Step::WakeWith { lane, items }),
        1 => lane.clone().prop_map(Step::Drain),
        1 => lane.prop_map(Step::Lose),
    ]
}

/// A pipeline of one processor in several lanes.
struct Pipeline {
    inlet: Inlet,
    sink: Sink,
    yaml: String,
    context: ProcessorContext,
    lanes: Vec<Box<dyn Processor>>,
    /// How many spans were sent to each lane.
    sent: [usize; LANES],
    sizes: Vec<usize>,
}

impl Pipeline {
    fn new(yaml: &str) -> Self {
        let inlet = Inlet::new();
        let mut context = ProcessorContext::alone("batch").with_clock(inlet.clock().clone());
        context.lane_context.build.books = inlet.books().clone();
        context.line = inlet.line(Signal::Traces);
        let sink = Sink::new(inlet.books());
        let mut pipeline = Self { inlet, sink, yaml: yaml.to_owned(), context, lanes: Vec::new(), sent: [0; LANES], sizes: Vec::new() };
        pipeline.lanes = (0..LANES).map(|lane| pipeline.build(lane)).collect();
        pipeline
    }

    fn build(&self, index: usize) -> Box<dyn Processor> {
        let context = self.context.in_lane(Lane { index, count: LANES });
        FACTORY.parse(&self.yaml).unwrap().build(&context).unwrap()
    }

    fn call(&mut self, lane: usize, room: Room, call: impl FnOnce(&mut dyn Processor, &mut Output) -> Progress) -> Progress {
        let mut out = Output::new(self.inlet.clock().now(), room);
        let progress = call(self.lanes[lane].as_mut(), &mut out);
        for batch in out.take() {
            self.sizes.push(batch.len());
            self.assert_one_tenant(&batch);
            self.sink.deliver(batch);
        }
        self.inlet.books().report().assert_balanced();
        progress
    }

    fn assert_one_tenant(&self, batch: &Telemetry) {
        let first = &batch.origins()[0].source.metadata;
        assert!(batch.origins().iter().all(|origin| origin.source.metadata == *first));
    }

    /// A request to a lane: names tell the lane, and the order in it.
    fn receive(&mut self, lane: usize, spans: usize, tenant: usize) {
        let metadata = vec![("x-tenant".to_owned(), tenant.to_string())];
        self.inlet.set_source(Source { receiver: "test".to_owned(), metadata, ..Source::default() });
        let first = lane * 100_000 + self.sent[lane];
        self.sent[lane] += spans;
        let batch = self.inlet.receive(numbered(first..first + spans));
        let _done = self.call(lane, Room::ENOUGH, |processor, out| {
            processor.process(batch, out);
            Progress::Done
        });
    }

    fn turn(&mut self, by: u64) {
        self.inlet.clock().advance(Duration::from_millis(by));
        let now = self.inlet.clock().now();
        for lane in 0..LANES {
            while self.lanes[lane].wake_at().is_some_and(|wish| wish <= now) {
                let progress = self.call(lane, Room::ENOUGH, |processor, out| processor.wake(now, out));
                assert_eq!(progress, Progress::Done);
            }
        }
    }

    fn step(&mut self, step: Step) {
        let now = self.inlet.clock().now();
        match step {
            Step::Receive { lane, spans, tenant } => self.receive(lane, spans, tenant),
            Step::Turn(by) => self.turn(by),
            Step::TurnAsleep(by) => self.inlet.clock().advance(Duration::from_millis(by)),
            Step::WakeWith { lane, items } => {
                let room = Room { items, bytes: usize::MAX };
                let _more_or_not = self.call(lane, room, |processor, out| processor.wake(now, out));
            }
            Step::Drain(lane) => self.drain(lane),
            Step::Lose(lane) => self.lanes[lane] = self.build(lane),
        }
        self.inlet.books().report().assert_balanced();
    }

    fn drain(&mut self, lane: usize) {
        assert_eq!(self.call(lane, Room::ENOUGH, |processor, out| processor.drain(out)), Progress::Done);
        assert_eq!(self.held(), 0, "nothing waits behind a drain");
    }

    fn held(&self) -> i64 {
        self.inlet.books().report().lines.iter().map(|line| line.held_units()).sum()
    }

    /// The numbers of all spans that came out, in order.
    fn numbers(&self) -> Vec<usize> {
        self.sink.spans().iter().map(|span| span.name.parse().unwrap()).collect()
    }

    fn finish(mut self, can_lose: bool) {
        (0..LANES).for_each(|lane| self.drain(lane));
        self.lanes.clear();
        self.inlet.assert_settled();
        let numbers = self.numbers();
        let mut once: BTreeMap<usize, usize> = BTreeMap::new();
        numbers.iter().for_each(|number| *once.entry(*number).or_default() += 1);
        assert!(once.values().all(|count| *count == 1), "a span came out twice");
        let rejected = self.inlet.books().report().total(Signal::Traces)[Column::Rejected] as usize;
        assert_eq!(numbers.len() + rejected, self.sent.iter().sum::<usize>(), "a span is missing");
        assert!(can_lose || rejected == 0);
    }
}

proptest! {
    #![proptest_config(Config::with_cases(1_500))]

    #[test]
    fn every_span_comes_out_once(steps in vec(step(), 0..60), most in 0_usize..3, by_tenant: bool) {
        let most = [0, 20, 25][most];
        let keys = if by_tenant { "[x-tenant]" } else { "[]" };
        let yaml = format!("{{send_batch_size: 20, send_batch_max_size: {most}, timeout: 500ms, metadata_keys: {keys}, metadata_cardinality_limit: 2}}");
        let mut pipeline = Pipeline::new(&yaml);
        if !by_tenant {
            // The check below is for batches that must not be mixed.
            let steps = steps.into_iter().map(|step| match step {
                Step::Receive { lane, spans, .. } => Step::Receive { lane, spans, tenant: 0 },
                other => other,
            });
            steps.for_each(|step| pipeline.step(step));
        } else {
            steps.into_iter().for_each(|step| pipeline.step(step));
        }
        prop_assert!(most == 0 || pipeline.sizes.iter().all(|size| *size <= most));
        pipeline.finish(true);
    }

    #[test]
    fn what_one_lane_sends_keeps_its_order(requests in vec((0..LANES, 1_usize..30, 0_u64..300), 0..60)) {
        let mut pipeline = Pipeline::new("{send_batch_size: 20, send_batch_max_size: 25, timeout: 500ms}");
        for (lane, spans, wait) in requests {
            pipeline.receive(lane, spans, 0);
            pipeline.turn(wait);
        }
        (0..LANES).for_each(|lane| pipeline.drain(lane));
        for lane in 0..LANES {
            let own: Vec<usize> = pipeline.numbers().into_iter().filter(|number| number / 100_000 == lane).collect();
            prop_assert!(own.is_sorted(), "lane {lane}: {own:?}");
        }
        pipeline.finish(false);
    }

    #[test]
    fn nothing_waits_longer_than_the_timeout(requests in vec((0..LANES, 1_usize..19, 0_u64..300), 1..40)) {
        let mut pipeline = Pipeline::new("{send_batch_size: 20, timeout: 500ms}");
        for (lane, spans, wait) in requests {
            pipeline.receive(lane, spans, 0);
            pipeline.turn(wait);
        }
        pipeline.turn(500);
        prop_assert_eq!(pipeline.held(), 0);
        pipeline.finish(false);
    }
}

#[test]
fn lanes_on_threads_lose_nothing() {
    let mut pipeline = Pipeline::new("{send_batch_size: 100, timeout: 1h}");
    let rounds = 200;
    let mut queues: Vec<Vec<Telemetry>> = (0..LANES).map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for (lane, queue) in queues.iter_mut().enumerate() {
            pipeline.sent[lane] += 7;
            queue.push(pipeline.inlet.receive(numbered(lane * 100_000 + round * 7..lane * 100_000 + round * 7 + 7)));
        }
    }
    let now = pipeline.inlet.clock().now();
    let lanes = std::mem::take(&mut pipeline.lanes);
    let work = |mut processor: Box<dyn Processor>, queue: Vec<Telemetry>| {
        let mut out = Output::new(now, Room::ENOUGH);
        queue.into_iter().for_each(|batch| processor.process(batch, &mut out));
        (processor, out.take())
    };
    let done: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = lanes.into_iter().zip(queues).map(|(processor, queue)| scope.spawn(move || work(processor, queue))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (processor, emitted) in done {
        assert!(emitted.iter().all(|batch| batch.len() >= 100));
        emitted.into_iter().for_each(|batch| pipeline.sink.deliver(batch));
        pipeline.lanes.push(processor);
    }
    pipeline.finish(false);
}

//! What is common to all components: ids, factories and registries, room, stopping, and what lanes share.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use serde::Deserialize;

use super::*;
use crate::config::{ConfigErrors, Percent, Schema, Validate, load};
use crate::ledger::{Books, Column, Fate, Line, LineName, Nobody, Receipt};
use crate::probability::{Randomness, Threshold};
use crate::telemetry::{Head, Interner, ItemKind, Origin, Signal, Telemetry, TelemetryBuilder, TraceId};
use crate::time::{Clock, LogTime};

/// A batch of so many spans of ten bytes, accepted into a line.
fn batch(books: &Books, line: &Line, spans: u64) -> Telemetry {
    let share = Receipt::open(books, Arc::new(Nobody), 0).accept(line, spans);
    let mut batch = TelemetryBuilder::new(line.signal());
    let origin = batch.origin(Origin { share, source: Arc::default(), received_at: LogTime(0) });
    let context = Interner::new().intern(ItemKind::Span, [b""; 4]).expect("an empty context");
    for _ in 0..spans {
        batch.push(&Head::EMPTY, b"0123456789", &context, origin);
    }
    batch.finish()
}

fn pipeline(books: &Books, id: &str) -> Line {
    books.line(LineName::Pipeline(id.to_owned()), Signal::Traces)
}

#[test]
fn ids_are_what_the_collector_takes_for_ids() {
    for (text, kind, name) in [
        ("otlp", "otlp", ""),
        ("otlp/edge", "otlp", "edge"),
        (" otlp / edge ", "otlp", "edge"),
        ("otlp/a/b", "otlp", "a/b"),
        ("otlp/größe-1.2:3@[x]", "otlp", "größe-1.2:3@[x]"),
    ] {
        let id: ComponentId = text.parse().expect(text);
        assert_eq!((id.kind(), id.name()), (kind, name), "{text}");
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    for (text, message) in [
        ("", "\"\" is empty, and names no type; write a type, or a type and a name: otlp, otlp/edge"),
        ("/edge", "\"/edge\" names no type; write a type, or a type and a name: otlp, otlp/edge"),
        ("otlp/", "\"otlp/\" has no name behind its slash; write a name, or remove the slash"),
        ("1otlp", "\"1otlp\" is no type; write a letter and then at most 62 letters, digits or _"),
        ("ot-lp", "\"ot-lp\" is no type; write a letter and then at most 62 letters, digits or _"),
        ("otlp/a b", "\"otlp/a b\" has a name that is none; write at most 1024 letters, digits or marks such as - _ . : @"),
        ("otlp/a$b", "\"otlp/a$b\" has a name that is none; write at most 1024 letters, digits or marks such as - _ . : @"),
        ("otlp/☃", "\"otlp/☃\" has a name that is none; write at most 1024 letters, digits or marks such as - _ . : @"),
    ] {
        assert_eq!(text.parse::<ComponentId>().map_err(|error| error.to_string()), Err(message.to_owned()));
    }
}

/// A component that keeps a share, and can take on another one.
#[derive(Debug)]
struct Keep {
    share: Percent,
}

#[derive(Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
struct KeepConfig {
    /// How much.
    share: Percent,
    /// Fails when built.
    broken: bool,
}

impl Default for KeepConfig {
    fn default() -> Self {
        Self { share: Percent::ALL, broken: false }
    }
}

impl Validate for KeepConfig {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.share.is_zero() {
            errors.warn("share", "0 drops everything", "give a share such as 10%");
        }
    }
}

impl Component for Keep {
    type Kind = Processors;
    type Config = KeepConfig;

    fn build(config: &KeepConfig, _context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        if config.broken {
            return Err(BuildError::new("is broken", "write broken: false"));
        }
        Ok(Box::new(Keep { share: config.share }))
    }
}

impl Processor for Keep {
    fn process(&mut self, batch: Telemetry, out: &mut Output) {
        if self.share.is_zero() { batch.settle(Fate::Delivered) } else { out.emit(batch) }
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        let config: &KeepConfig = config.get()?;
        self.share = config.share;
        Ok(())
    }
}

static FACTORIES: [ProcessorFactory; 2] = [
    ProcessorFactory::of::<Keep>("keep", Stability::Beta, "# keep").formerly(&["retain"]).only_for(&[Signal::Traces]),
    ProcessorFactory::of::<Keep>("other", Stability::Alpha, "# other"),
];
static PLANNED: [PlannedComponent; 1] =
    [PlannedComponent { name: "geoip", aliases: &["geo_ip"], meanwhile: "leave it out, and look places up in the back end" }];
static REGISTRY: Registry<Processors> = Registry::new(&FACTORIES, &PLANNED);

fn read_section(yaml: &str) -> (Vec<Configured<Processors>>, String) {
    let node = load(yaml, "g.yaml").expect("YAML");
    let mut errors = ConfigErrors::default();
    let found = REGISTRY.read_section(&node, &crate::config::Path::of("processors"), &mut errors);
    (found, errors.to_string())
}

#[test]
fn a_section_is_read_and_everything_wrong_with_it_told() {
    let (found, told) = read_section("keep: {share: 50%}\nkeep/none: {share: 0}\nother:\n");
    assert_eq!(format!("{found:?}"), "[processor keep, processor keep/none, processor other]");
    assert_eq!(told, "g.yaml:2:13: warning: processors.keep/none.share: 0 drops everything\n    give a share such as 10%\n");

    let (found, told) =
        read_section("kep: {}\nretain/x: {}\ngeo_ip: {}\nbatch: {}\nkeep/: {}\n\" keep\": {}\nkeep: {shar: 1}\n\"keep \": {}\n");
    assert_eq!(format!("{found:?}"), "[processor retain/x, processor keep]");
    assert_eq!(
        told,
        "\
g.yaml:1:1: error: processors.kep: there is no processor kep
    did you mean keep? There are keep, other
g.yaml:3:1: error: processors.geo_ip: the Collector has a processor geo_ip; here it is planned and does not work yet
    leave it out, and look places up in the back end; or start without it: --leave-out geo_ip
g.yaml:4:1: error: processors.batch: there is no processor batch
    there are keep, other; to start without it: --leave-out batch
g.yaml:5:1: error: processors.keep/: \"keep/\" has no name behind its slash
    write a name, or remove the slash
g.yaml:7:8: error: processors.keep.shar: there is no such key
    did you mean share? There are broken, share
g.yaml:8:1: error: processors[\"keep \"]: keep is there already
    give one of the two a name of its own
g.yaml:2:1: warning: processors.retain/x: retain is the former name of keep
    write keep/x, here and in service.pipelines
"
    );
    let (_, told) = read_section("retai: {}");
    assert_eq!(told, "g.yaml:1:1: error: processors.retai: there is no processor retai\n    did you mean keep? There are keep, other\n");
}

#[test]
fn what_is_configured_is_built_once_per_lane_and_may_be_configured_anew() {
    let (found, _) = read_section("keep: {share: 50%}\nkeep/broken: {broken: true}");
    let context = ProcessorContext::alone("keep");
    let mut lanes: Vec<_> = (0..2).map(|index| found[0].build(&context.in_lane(Lane { index, count: 2 })).expect("it builds")).collect();
    let all_or_nothing = AnyConfig::new(KeepConfig { share: Percent::ZERO, broken: false });
    for lane in &mut lanes {
        assert_eq!(lane.reconfigure(&all_or_nothing), Ok(()));
        let mut out = Output::new(LogTime(0), Room::ENOUGH);
        lane.process(batch(&context.books, &context.line, 3), &mut out);
        assert!(out.take().is_empty(), "the new share is nothing");
    }
    #[derive(Default, Deserialize, Schema)]
    struct Foreign {}
    impl Validate for Foreign {}
    assert_eq!(lanes[0].reconfigure(&AnyConfig::new(Foreign {})), Err(NeedsRebuild));

    let mut errors = ConfigErrors::default();
    let path = crate::config::Path::of("processors").key("keep/broken");
    assert!(found[1].build_or_tell(&context, &path, &mut errors).is_none());
    assert_eq!(errors.to_string(), "error: processors.keep/broken: is broken\n    write broken: false\n");
    let error = FACTORIES[0].build(&AnyConfig::new(Foreign {}), &context).map(|_| ()).expect_err("of another type");
    assert_eq!(error.to_string(), "this configuration was read by another component; this is a bug: please report it");
}

#[test]
fn a_factory_tells_of_its_component() {
    let factory = REGISTRY.find("retain").expect("the former name finds it");
    assert_eq!((factory.name, factory.stability, factory.signals), ("keep", Stability::Beta, &[Signal::Traces][..]));
    assert_eq!(format!("{factory:?}"), "processor keep (beta)");
    assert_eq!(factory.keys()[0].default, "100%");
    assert_eq!(factory.schema()["properties"]["share"]["description"], "How much.");
    assert_eq!(
        factory.parse("share: lots").expect_err("no percentage").to_string(),
        "config.yaml:1:1: error: processors.keep.share: \"lots\" is no percentage\n    write 10%, 10 or 0.5%\n"
    );
}

#[test]
fn a_registry_knows_its_own_faults() {
    assert_eq!(REGISTRY.faults(), Vec::<String>::new());
    static DISORDER: [ProcessorFactory; 3] = [
        ProcessorFactory::of::<Keep>("b", Stability::Beta, ""),
        ProcessorFactory::of::<Keep>("a", Stability::Beta, "").formerly(&["geoip"]),
        ProcessorFactory::of::<Keep>("c", Stability::Beta, ""),
    ];
    let registry: Registry<Processors> = Registry::new(&DISORDER, &PLANNED);
    assert_eq!(registry.faults(), ["a stands behind b", "geoip is given twice"]);
}

#[test]
fn room_shrinks_with_what_is_emitted_and_the_slice_ends_with_it() {
    let books = Books::new();
    let line = pipeline(&books, "traces");
    let mut out = Output::new(LogTime(5), Room { items: 5, bytes: 1_000 });
    assert_eq!((out.now(), out.wants_more()), (LogTime(5), true));
    out.emit(batch(&books, &line, 3));
    assert_eq!((out.room(), out.wants_more()), (Room { items: 2, bytes: 970 }, true));
    out.emit(batch(&books, &line, 3));
    assert_eq!((out.room(), out.wants_more()), (Room { items: 0, bytes: 940 }, false));
    out.emit(batch(&books, &line, 0));
    let emitted = out.take();
    assert_eq!(emitted.len(), 2, "an empty batch goes nowhere");
    emitted.into_iter().for_each(|batch| batch.settle(Fate::Delivered));
    let clock = Clock::by_hand(LogTime(1));
    let slice = Output::new(clock.now(), Room::ENOUGH).until(clock.clone(), clock.now() + Duration::from_millis(1));
    assert!(slice.wants_more());
    clock.advance(Duration::from_millis(1));
    assert!(!slice.wants_more(), "the slice is over");
    assert_eq!(slice.now(), LogTime(1), "the time of the call stands still");
    assert!(!Output::new(LogTime(0), Room::NONE).wants_more());
    books.report().assert_balanced();
}

#[test]
fn routes_count_in_their_own_lines_and_a_full_one_rejects() {
    let books = Books::new();
    let from = pipeline(&books, "traces/in");
    let (a, b) = (pipeline(&books, "traces/a"), pipeline(&books, "traces/b"));
    let mut routes = Routes::new(LogTime(1), books.cause("router", "no_room"))
        .to("traces/a", a.clone(), Room { items: 2, bytes: 1_000 })
        .to("traces/b", b, Room::ENOUGH);
    assert_eq!(routes.pipelines().collect::<Vec<_>>(), ["traces/a", "traces/b"]);
    for (route, spans) in [(0, 2), (1, 5), (0, 3), (0, 0)] {
        routes.emit(route, batch(&books, &from, spans));
    }
    assert_eq!(routes.room(0), Room { items: 0, bytes: 980 });
    for (route, spans) in [(0, 2), (1, 5)] {
        let sent = routes.take(route);
        assert_eq!(sent.iter().map(Telemetry::len).sum::<usize>(), spans);
        sent.into_iter().for_each(|batch| batch.settle(Fate::Delivered));
    }
    let report = books.report();
    report.assert_balanced();
    let full = report.line(a.name(), Signal::Traces).expect("a line");
    assert_eq!((full.sums[Column::MovedIn], full.sums[Column::Delivered], full.sums[Column::Rejected]), (5, 2, 3));
}

/// Counts how often it is woken.
#[derive(Default)]
struct Alarm(AtomicUsize);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn everybody_who_waits_is_told_to_stop_once() {
    let (stopper, stop) = Stop::new();
    let alarms: [Arc<Alarm>; 3] = Default::default();
    let wakers = alarms.clone().map(Waker::from);
    let (mut first, mut second) = (pin!(stop.asked()), pin!(stop.clone().asked()));
    assert_eq!(first.as_mut().poll(&mut Context::from_waker(&wakers[0])), Poll::Pending);
    assert_eq!(second.as_mut().poll(&mut Context::from_waker(&wakers[1])), Poll::Pending);
    // Polled by another task, it wakes that one and not the one before.
    assert_eq!(first.as_mut().poll(&mut Context::from_waker(&wakers[2])), Poll::Pending);
    {
        let mut gone = pin!(stop.asked());
        assert_eq!(gone.as_mut().poll(&mut Context::from_waker(&wakers[0])), Poll::Pending);
    }
    stopper.ask();
    stopper.ask();
    assert_eq!(alarms.map(|alarm| alarm.0.load(Ordering::Relaxed)), [0, 1, 1]);
    assert_eq!(first.as_mut().poll(&mut Context::from_waker(&wakers[0])), Poll::Ready(()));
    assert!(stop.is_asked());
}

#[test]
fn silence_is_no_signal() {
    let (stopper, stop) = Stop::new();
    drop(stopper);
    assert_eq!(pin!(stop.asked()).poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
    assert!(!stop.is_asked());
}

#[test]
fn counters_add_up_and_never_go_back() {
    let context = BuildContext::alone("redaction/strict");
    let one = context.counter("tracetailor_redactions_total", &[("rule", "email")]);
    let other = context.clone().counter("tracetailor_redactions_total", &[("rule", "email")]);
    let another_rule = context.counter("tracetailor_redactions_total", &[("rule", "iban")]);
    one.add(2);
    other.add(3);
    drop(one);
    let values = |counters: &Counters| counters.read().iter().map(Series::count).collect::<Vec<_>>();
    assert_eq!(values(&context.counters), [5, 0]);
    drop(other);
    another_rule.add(1);
    assert_eq!(values(&context.counters), [5, 1]);
    let series = &context.counters.read()[0];
    let labels = [("component", "redaction/strict"), ("rule", "email")].map(|(label, value)| (label.to_owned(), value.to_owned()));
    assert_eq!((series.name.as_str(), series.labels.as_slice()), ("tracetailor_redactions_total", &labels[..]));
}

#[test]
fn a_gauge_is_what_those_have_who_are_there() {
    let context = BuildContext::alone("batch");
    let parts = [3, 4].map(|level| {
        let gauge = context.gauge("tracetailor_batch_held_items", &[]);
        gauge.set(level);
        gauge
    });
    let levels = || context.counters.read().iter().map(Series::level).collect::<Vec<_>>();
    parts[0].add(5);
    parts[0].sub(9);
    assert_eq!(levels(), [3], "a part may stand below zero, the sum counts");
    let [first, second] = parts;
    drop(second);
    assert_eq!(levels(), [-1]);
    drop(first);
    assert_eq!(levels(), Vec::<i64>::new(), "nobody is there");
}

#[test]
fn histograms_add_up_over_lanes_and_never_go_back() {
    static BOUNDS: [f64; 2] = [1.0, 10.0];
    let context = BuildContext::alone("otlp");
    let one = context.histogram("tracetailor_export_duration_seconds", &[], &BOUNDS);
    let other = context.histogram("tracetailor_export_duration_seconds", &[], &BOUNDS);
    [1.0, 0.0, 11.0, f64::NAN].into_iter().for_each(|seconds| one.record(seconds));
    other.record(2.0);
    drop(one);
    let whole = Distribution { bounds: &BOUNDS, counts: vec![2, 1, 1], sum: 14.0 };
    for _ in 0..2 {
        assert_eq!(context.counters.read()[0].reading, Reading::Distribution(whole.clone()));
    }
    assert_eq!(context.counters.read()[0].count(), 4);
}

#[test]
fn lanes_share_by_name_and_type() {
    let context = ProcessorContext::alone("tail_sampling");
    let elsewhere = context.in_lane(Lane { index: 1, count: 2 });
    let held = context.share("held", || AtomicUsize::new(1));
    assert!(Arc::ptr_eq(&held, &elsewhere.share("held", || AtomicUsize::new(2))));
    assert!(!Arc::ptr_eq(&held, &context.share("other", || AtomicUsize::new(3))));
    assert_eq!(*context.share("held", || 4u8), 4, "another type is another thing");
    assert_eq!((context.lane, elsewhere.lane.index), (Lane::ONLY, 1));
}

#[test]
fn services_are_found_by_what_they_are() {
    struct Open;
    impl Authenticator for Open {
        fn authenticate(&self, _header: &dyn Fn(&str) -> Option<String>) -> Result<Identity, Unauthenticated> {
            Ok(Identity { tenant: Some("everyone".to_owned()) })
        }
    }
    let (open, closed) = (ComponentId::of("open"), ComponentId::of("closed"));
    let mut services = Services::default().by(&open);
    services.offer::<dyn Authenticator>(Arc::new(Open));
    let services = services.by(&closed);
    let found = services.of::<dyn Authenticator>(&open).expect("it was offered");
    assert_eq!(found.authenticate(&|_| None).map(|who| who.tenant), Ok(Some("everyone".to_owned())));
    assert!(services.of::<dyn Credentials>(&open).is_none(), "it offers nothing of the kind");
    assert!(services.of::<dyn Authenticator>(&closed).is_none(), "it offers nothing");
    assert_eq!(services.ids().collect::<Vec<_>>(), [&closed, &open]);
}

#[test]
fn what_crosses_threads_can() {
    fn crosses<T: Send>() {}
    fn is_shared<T: Sync>() {}
    // A batch is borrowed by the future of an exporter, which may move between threads.
    is_shared::<Telemetry>();
    crosses::<(Telemetry, Output, Routes, ReceiverContext, ExtensionContext, Asked)>();
    crosses::<(Box<dyn Processor>, Box<dyn Connector>, Box<dyn Exporter>, Box<dyn Receiver>, Box<dyn Extension>, Box<dyn Permit>)>();
    is_shared::<(Stop, Counters, Shared, Services, AnyConfig, SharedRate, DecisionMemory<u8>, Box<dyn Exporter>)>();
}

/// Traffic that is the same in every run: at every step, from which trace and how heavy.
fn traffic(steps: u64) -> impl Iterator<Item = (u64, u64, LogTime)> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..steps).map(move |step| {
        // xorshift64*: no more is needed to be unlike a pattern.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let drawn = state.wrapping_mul(0x2545_f491_4f6c_dd1d);
        // A day in two minutes: between a quarter and the whole of 10,000 a second.
        let busy = 10 - (step / 100_000) % 8;
        (drawn >> 8, 1 + drawn % 7, LogTime(1 + step * 1_000_000 / busy))
    })
}

/// Offers the traffic to so many lanes, and gives the weight kept and the weight offered.
fn kept(lanes: usize, goal: f64, steps: u64) -> (f64, f64) {
    let rate = Arc::new(SharedRate::new(goal, Duration::from_secs(1), lanes));
    let handles: Vec<RateLane> = (0..lanes).map(|index| rate.lane(index)).collect();
    let (mut kept, mut offered) = (0, 0);
    let mut latest = LogTime(0);
    for (randomness, weight, at) in traffic(steps) {
        latest = latest.max(at);
        // Which lane a trace goes to has nothing to do with its randomness.
        let lane = usize::try_from((randomness ^ (randomness >> 17)).wrapping_mul(0x9e37_79b9) >> 7).expect("64 bits") % lanes;
        let threshold = handles[lane].offer(weight, latest);
        offered += weight;
        kept += if threshold.keeps(Randomness::new(randomness)) { weight } else { 0 };
    }
    (f64::from(u32::try_from(kept).expect("small")), f64::from(u32::try_from(offered).expect("small")))
}

#[test]
fn the_kept_rate_agrees_at_one_lane_and_at_eight() {
    for goal in [400.0, 2_000.0, 8_000.0] {
        let (alone, offered) = kept(1, goal, 800_000);
        let (shared, _) = kept(8, goal, 800_000);
        assert!((shared - alone).abs() / alone < 0.02, "{goal}: {alone} at one lane, {shared} at eight, of {offered}");
    }
}

#[test]
fn what_is_kept_comes_to_the_goal() {
    for lanes in [1, 8] {
        let rate = Arc::new(SharedRate::new(1_000.0, Duration::from_secs(1), lanes));
        let handles: Vec<RateLane> = (0..lanes).map(|index| rate.lane(index)).collect();
        let mut kept = 0u32;
        // 10,000 a second for 60 seconds, of which the first teaches.
        for (step, (randomness, _, _)) in (0u64..).zip(traffic(600_000)) {
            let threshold = handles[usize::try_from(step).expect("64 bits") % lanes].offer(1, LogTime(1 + step * 100_000));
            kept += u32::from(step >= 10_000 && threshold.keeps(Randomness::new(randomness)));
        }
        let per_second = f64::from(kept) / 59.0;
        assert!((per_second - 1_000.0).abs() < 20.0, "{per_second} at {lanes} lanes");
    }
}

#[test]
fn a_rate_keeps_everything_until_it_knows_and_where_the_goal_is_not_reached() {
    let rate = Arc::new(SharedRate::new(100.0, Duration::from_secs(1), 2));
    let lane = rate.lane(0);
    let second = |n: u64| LogTime(1) + Duration::from_secs(n);
    assert_eq!(lane.offer(1_000, second(0)), Threshold::ALWAYS);
    assert_eq!(lane.offer(0, second(1)), Threshold::of(0.1, 14));
    assert_eq!(rate.lane(1).offer(50, second(1)), rate.threshold(), "another lane goes by it at once");
    // 1,000 a second and then 50: the newer half counts as much as all before.
    assert_eq!(lane.offer(0, second(2)), Threshold::of(100.0 / 525.0, 14));
    rate.aim_at(1_000_000.0);
    assert_eq!(lane.offer(0, second(3)), Threshold::ALWAYS);
    rate.aim_at(0.0);
    lane.offer(10, second(3));
    assert_eq!(lane.offer(0, second(4)), Threshold::NEVER);
}

#[test]
fn the_memory_lets_go_of_what_was_not_asked_for_longest() {
    let memory = DecisionMemory::new(100, Duration::from_secs(60));
    let trace = |n: u8| TraceId([n; 16]);
    for n in 0..100 {
        memory.insert(trace(n), n, LogTime(0));
    }
    memory.settle_down();
    // Asked for often: what a cache that protects the popular would cling to.
    for _ in 0..20 {
        assert_eq!(memory.get(trace(7), LogTime(0)), Some(7));
    }
    for n in 100..199 {
        memory.insert(trace(n), n, LogTime(0));
        memory.settle_down();
    }
    let known: Vec<u8> = (0..199).filter(|n| memory.get(trace(*n), LogTime(0)).is_some()).collect();
    let expected: Vec<u8> = std::iter::once(7).chain(100..199).collect();
    assert_eq!(known, expected, "new keys are let in, and the one that was asked for outlives its neighbours");
    assert_eq!(memory.len(), 100);
}

#[test]
fn a_verdict_is_remembered_so_long_and_no_longer() {
    let clock = Clock::by_hand(LogTime(1));
    let memory = DecisionMemory::new(10, Duration::from_secs(60));
    memory.insert(TraceId([1; 16]), true, clock.now());
    clock.advance(Duration::from_secs(59));
    assert_eq!(memory.get(TraceId([1; 16]), clock.now()), Some(true));
    memory.insert(TraceId([2; 16]), false, clock.now());
    clock.advance(Duration::from_secs(1));
    assert_eq!(memory.get(TraceId([1; 16]), clock.now()), None, "asking did not make it younger");
    assert_eq!(memory.get(TraceId([2; 16]), clock.now()), Some(false));
    memory.settle_down();
    assert_eq!(memory.len(), 1);
    let nothing = DecisionMemory::new(0, Duration::from_secs(60));
    nothing.insert(TraceId([1; 16]), true, LogTime(0));
    nothing.settle_down();
    assert!(nothing.is_empty() && nothing.get(TraceId([1; 16]), LogTime(0)).is_none());
}

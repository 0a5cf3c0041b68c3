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
use crate::telemetry::{Head, Interner, ItemKind, Origin, Signal, Telemetry, TelemetryBuilder};
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
        ("", "\"\" names no type; write a type, or a type and a name: otlp, otlp/edge"),
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
    leave it out, and look places up in the back end
g.yaml:4:1: error: processors.batch: there is no processor batch
    there are keep, other
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
    let values = |counters: &Counters| counters.read().into_iter().map(|series| series.value).collect::<Vec<_>>();
    assert_eq!(values(&context.counters), [5, 0]);
    drop(other);
    another_rule.add(1);
    assert_eq!(values(&context.counters), [5, 1]);
    let series = &context.counters.read()[0];
    let labels = [("component", "redaction/strict"), ("rule", "email")].map(|(label, value)| (label.to_owned(), value.to_owned()));
    assert_eq!((series.name.as_str(), series.labels.as_slice()), ("tracetailor_redactions_total", &labels[..]));
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

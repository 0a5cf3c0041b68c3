//! `decide_when_complete`: what is decided early, and what comes too late for it.

use std::collections::BTreeMap;

use tracetailor_core::component::Reading;
use tracetailor_core::testing::otlp::SpanKind;
use tracetailor_core::testing::{Dice, trace_of};

use super::*;

fn complete(quiet: &str) -> Driver {
    driver(&format!("decision_wait: 30s, decide_when_complete: {quiet}"), ALL)
}

#[test]
fn a_complete_trace_goes_when_it_was_quiet() {
    let mut driver = complete("true");
    driver.receive(trace_of("a -> b").request());
    seconds(&mut driver, 4.0);
    receive(&mut driver, [span("c").trace("a -> b").parent("a")]);
    seconds(&mut driver, 5.9);
    assert_eq!(out(&driver), Vec::<String>::new(), "each span that comes begins the quiet anew");
    seconds(&mut driver, 0.2);
    assert_eq!(out(&driver).len(), 3);
    driver.finish();
}

#[test]
fn what_lacks_something_waits() {
    for (drawing, early) in [
        ("a -> b", true),
        ("a -> [b] -> c", false),
        ("[a] -> b", false),
        ("a@shop -> b@cart", true),
        ("a@shop -> [b@cart]", false),
        ("a -> b; x -> y", true),
    ] {
        let mut driver = complete("{quiet: 1s}");
        driver.receive(trace_of(drawing).request());
        seconds(&mut driver, 1.1);
        assert_eq!(!out(&driver).is_empty(), early, "{drawing}");
        seconds(&mut driver, 29.0);
        assert!(!out(&driver).is_empty(), "{drawing} has its time");
        driver.finish();
    }
}

#[test]
fn an_orphan_that_comes_takes_the_wish_back() {
    let mut driver = complete("{quiet: 2s}");
    driver.receive(trace_of("a").trace(1_u64).request());
    seconds(&mut driver, 1.0);
    receive(&mut driver, [of(1, "c").parent("b")]);
    seconds(&mut driver, 20.0);
    assert_eq!(out(&driver), Vec::<String>::new());
    receive(&mut driver, [of(1, "b").parent("a")]);
    seconds(&mut driver, 2.1);
    assert_eq!(out(&driver).len(), 3);
    driver.finish();
}

/// How many came too late: all, and errors among them.
fn late(driver: &Driver) -> [u64; 2] {
    let of = |error: &str| {
        let read = driver.context().counters.read();
        let counted = read.iter().filter(|series| series.name == "tracetailor_sampling_late_after_complete_spans_total");
        let labelled = |labels: &[(String, String)]| labels.iter().any(|(key, value)| key == "error" && value == error);
        counted.filter(|series| labelled(&series.labels)).map(|series| series.count()).sum::<u64>()
    };
    [of("false") + of("true"), of("true")]
}

#[test]
fn what_comes_after_such_a_verdict_is_counted_and_nothing_else_is() {
    for policies in [ALL, "policies: [{name: none, type: span_count, span_count: {min_spans: 99}}]"] {
        let mut driver = driver("decision_wait: 10s, decide_when_complete: {quiet: 1s}", policies);
        receive(&mut driver, [of(1, "a"), of(2, "orphan").parent("x")]);
        seconds(&mut driver, 1.1);
        receive(&mut driver, [of(1, "b"), of(1, "c"), failed(1, "d")]);
        seconds(&mut driver, 9.1);
        receive(&mut driver, [of(2, "b"), failed(2, "c")]);
        assert_eq!(late(&driver), [3, 1], "{policies}");
        driver.finish();
    }
}

/// SDKs that send what has ended every five seconds, each when its process happened to begin.
struct Fleet {
    dice: Dice,
    /// Spans by the millisecond in which they are sent.
    sent: BTreeMap<u64, Vec<Built<SpanDraft>>>,
}

const FLUSH: u64 = 5000;
const TRACES: u64 = 3000;

impl Fleet {
    fn below(&mut self, limit: u64) -> u64 {
        self.dice.roll() % limit
    }

    /// A span of a process that began at `phase`, sent with the first flush after its end.
    fn add(&mut self, phase: u64, end: u64, span: Built<SpanDraft>) {
        let span = if self.below(20) == 0 { span.status_error("no") } else { span };
        let flush = (end - phase.min(end)) / FLUSH * FLUSH + FLUSH + phase;
        self.sent.entry(flush).or_default().push(span);
    }

    /// A request through three services; three of ten leave a message behind that is worked on later, and one of ten work that outlives what
    /// began it.
    fn trace(&mut self, trace: u64) {
        let phases: [u64; 4] = std::array::from_fn(|_| self.below(FLUSH));
        let start = 10_000 + self.below(120_000);
        let took = 30 + self.below(1500);
        let mut above = None;
        for (depth, phase) in phases[..3].iter().enumerate() {
            let (server, client) = (format!("server {depth}"), format!("client {depth}"));
            let span = of(trace, &server).kind(SpanKind::Server);
            let span = match &above {
                Some(above) => span.parent(above as &str),
                None => span,
            };
            let end = start + took - 10 * depth as u64;
            self.add(*phase, end, span);
            if depth < 2 {
                self.add(*phase, end - 5, of(trace, &client).kind(SpanKind::Client).parent(&server as &str));
            }
            above = Some(client);
        }
        if self.below(10) < 3 {
            self.add(phases[1], start + took - 12, of(trace, "send").kind(SpanKind::Producer).parent("server 1"));
            let later = self.below(8000);
            self.add(phases[3], start + took + later, of(trace, "receive").kind(SpanKind::Consumer).parent("send"));
        }
        if self.below(10) == 0 {
            let later = self.below(20_000);
            self.add(phases[2], start + took + later, of(trace, "after").parent("server 2"));
        }
    }
}

/// Of all spans, and of all errors, the share in percent that came after a verdict on what seemed complete; and how long traces waited.
fn measured(quiet: &str) -> [f64; 3] {
    let mut fleet = Fleet { dice: Dice::new(11), sent: BTreeMap::new() };
    (1..=TRACES).for_each(|trace| fleet.trace(trace));
    let mut driver = complete(&format!("{{quiet: {quiet}}}"));
    let (mut now, mut spans, mut errors) = (0, 0_u64, 0_u64);
    for (at, sent) in fleet.sent {
        driver.turn(Duration::from_millis(at - now));
        now = at;
        spans += sent.len() as u64;
        errors += sent.iter().filter(|span| Built::clone(span).build().status.is_some()).count() as u64;
        receive(&mut driver, sent);
    }
    seconds(&mut driver, 31.0);
    let [late, late_errors] = late(&driver);
    let ages = driver.context().counters.read().into_iter().find(|series| series.name.ends_with("sampling_trace_removal_age"));
    let Some(Reading::Distribution(ages)) = ages.map(|ages| ages.reading) else { panic!("ages are told") };
    let waited = ages.sum / ages.count() as f64;
    driver.finish();
    [100.0 * late as f64 / spans as f64, 100.0 * late_errors as f64 / errors as f64, waited]
}

/// What the README says of it.
#[test]
fn the_readme_tells_how_much_comes_too_late() {
    let rows: String = ["0s", "3s", "6s", "12s"].into_iter().map(told).collect();
    assert!(FACTORY.readme.contains(&rows), "the README does not say:\n{rows}");
}

fn told(quiet: &str) -> String {
    let [spans, errors, waited] = measured(quiet);
    format!("| `{quiet}` | {spans:.2} % | {errors:.2} % | {waited:.0} s |\n")
}

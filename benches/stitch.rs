//! What stitching costs: a span of a trace that is whole, and an orphan of one that is not, in traces of up to 250 spans. Copying a span of 521 bytes stands
//! beside it, to tell how fast this machine is at the moment.
//!
//! `cargo bench -p tracetailor-processors --bench stitch`. Figures are per span and per orphan; what an orphan costs is what the broken trace costs beyond the whole one.

#[expect(dead_code, reason = "it loses spans one by one")]
#[path = "stitch_truth/loss.rs"]
mod loss;
#[expect(dead_code, reason = "it measures, and writes no page")]
#[path = "stitch_truth/topologies/mod.rs"]
mod topologies;
#[expect(dead_code, reason = "it measures, and scores nothing")]
#[path = "stitch_truth/truth.rs"]
mod truth;

use std::hint::black_box;
use std::time::{Duration, Instant};

use loss::Loss;
use tracetailor_core::telemetry::{SpanId, SpanKind, TraceId};
use tracetailor_processors::stitch::engine::{Engine, Rules, SpanView, repair, shape};
use truth::seen;

const TRACE: TraceId = TraceId([1; 16]);
/// Traces of each topology, and how often all of them are gone through; the fastest counts.
const TRACES: u64 = 60;
const ROUNDS: usize = 15;

fn main() {
    // Tests and lists of benches ask for nothing to be measured.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    copying();
    for topology in topologies::TOPOLOGIES {
        let traces: Vec<_> =
            (0..TRACES).map(|number| (topology.trace)(100 + number / 10, number)).filter(|trace| trace.len() > 20).collect();
        let whole: Vec<Vec<SpanView>> = traces.iter().map(|trace| seen(trace, &vec![false; trace.len()], 0, 0).views).collect();
        let broken = |percent| {
            let of = |(number, trace): (usize, &Vec<_>)| {
                seen(trace, &Loss::Single(percent).of(trace, number as u64), 1_000_000, number as u64).views
            };
            traces.iter().enumerate().map(of).collect::<Vec<_>>()
        };
        let spans = whole.iter().map(Vec::len).sum::<usize>();
        let per_span = fastest(&whole) / spans as f64;
        let shaping = time(|| whole.iter().for_each(|trace| drop(black_box(shape(TRACE, trace, true))))) / spans as f64;
        print(&format!("{}: {} spans in a trace", topology.name, spans / whole.len()), &[]);
        print("  a span of a whole trace", &[("repair", per_span), ("shape", shaping)]);
        for percent in [1, 5, 20] {
            let broken = broken(percent);
            let orphans: usize = broken.iter().map(|trace| repair(TRACE, trace, &Rules::default()).quality.orphans).sum();
            let left = broken.iter().map(Vec::len).sum::<usize>() as f64;
            let cost = (fastest(&broken) - left * per_span) / orphans.max(1) as f64;
            print(&format!("  an orphan, {percent} % of spans lost"), &[("repair", cost)]);
        }
    }
    worst();
}

/// How long all traces take in the fastest round, in nanoseconds.
fn fastest(traces: &[Vec<SpanView>]) -> f64 {
    let (mut engine, rules) = (Engine::default(), Rules::default());
    time(|| traces.iter().for_each(|trace| drop(black_box(engine.repair(TRACE, trace, &rules)))))
}

fn time(mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let begun = now();
        work();
        begun.elapsed()
    };
    (0..ROUNDS).map(once).min().unwrap_or(Duration::ZERO).as_nanos() as f64
}

/// A copy of a span of the usual size.
fn copying() {
    let (from, mut to) = (vec![7_u8; 521 * 4_096], vec![0_u8; 521 * 4_096]);
    let took = time(|| {
        from.chunks(521).zip(to.chunks_mut(521)).for_each(|(from, to)| to.copy_from_slice(black_box(from)));
        black_box(&mut to);
    });
    print("a copy of a span of 521 bytes", &[("memcpy", took / 4_096.0)]);
}

/// As many orphans and candidates as the caps allow to be looked at: each orphan may belong below any of thousands.
fn worst() {
    let open = |number: u64| SpanView {
        id: SpanId((1_000_000 + number).to_be_bytes()),
        parent: SpanId([9; 8]),
        end: 1_000_000_000,
        start: 1_000 + number,
        kind: SpanKind::Internal,
        ..SpanView::EMPTY
    };
    let orphan =
        |number: u64| SpanView { parent: SpanId((2_000_000 + number).to_be_bytes()), start: 500_000, end: 600_000, ..open(number) };
    let root = SpanView { id: SpanId([9; 8]), kind: SpanKind::Server, start: 1, end: 2_000_000_000, ..SpanView::EMPTY };
    let spans: Vec<SpanView> = std::iter::once(root).chain((0..20_000).map(open)).chain((20_000..40_000).map(orphan)).collect();
    let took = time(|| drop(black_box(repair(TRACE, &spans, &Rules { most_placeholders: 10_000, ..Rules::default() }))));
    print("the worst case, 20000 orphans among 20000 open spans", &[("a span", took / spans.len() as f64), ("the trace", took)]);
}

#[expect(clippy::print_stdout, reason = "it is a command, and this is what it says")]
fn print(what: &str, figures: &[(&str, f64)]) {
    let figures: Vec<String> = figures.iter().map(|(name, nanoseconds)| format!("{name} {nanoseconds:.0} ns")).collect();
    println!("{what:55} {}", figures.join("   "));
}

#[expect(clippy::disallowed_methods, reason = "it measures how long something takes")]
fn now() -> Instant {
    Instant::now()
}

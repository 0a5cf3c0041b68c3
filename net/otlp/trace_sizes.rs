//! How much of each trace was sent, for back ends that forget the rest of a large one without a word.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracetailor_core::component::{BuildContext, Counter};
use tracetailor_core::telemetry::{Signal, Telemetry, TraceId};
use tracetailor_core::time::{Clock, LogTime};

/// The most bytes that Tempo keeps of one trace, unless it is configured otherwise.
const TEMPO_KEEPS: u64 = 5_000_000;

/// How long a trace that is silent is remembered.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many traces of such a time are remembered, in some 5 MB.
const MOST: usize = 100_000;
/// What a span takes beside its own bytes, and a resource or a scope beside theirs.
const FRAMING: u64 = 4;

/// Adds up what a back end was sent of each trace, as the back end does, and counts what it answers OK to and does not keep.
///
/// Tempo refuses the part of a request that would make a trace larger than its limit, and goes on taking smaller ones; nothing in its answer
/// says so. So that is judged here, by the same rule, of what was delivered.
pub(super) struct TraceSizes {
    most: u64,
    forgotten: Counter,
    /// All lanes together: parts of one trace go by any of them.
    shared: Arc<Shared>,
    clock: Clock,
}

#[derive(Default)]
struct Shared {
    sizes: Mutex<Sizes>,
    is_told: AtomicBool,
}

/// Bytes by trace, of those that were seen a short while ago.
#[derive(Default)]
struct Sizes {
    young: HashMap<TraceId, u64, foldhash::fast::RandomState>,
    old: HashMap<TraceId, u64, foldhash::fast::RandomState>,
    since: LogTime,
}

/// What one request has of one trace.
struct Portion {
    trace: TraceId,
    bytes: u64,
    spans: u64,
}

impl TraceSizes {
    pub(super) fn before_tempo(context: &BuildContext) -> Self {
        let exporter = context.id.to_string();
        Self {
            most: TEMPO_KEEPS,
            forgotten: context.counters.counter("tracetailor_exporter_spans_forgotten_total", &[("exporter", &exporter)]),
            shared: context.share("trace_sizes", Shared::default),
            clock: context.clock.clone(),
        }
    }

    /// A request was taken as a whole.
    pub(super) fn delivered(&self, batch: &Telemetry) {
        if batch.signal() != Signal::Traces {
            return;
        }
        let (portions, now) = (portions(batch), self.clock.now());
        let mut sizes = self.shared.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut forgotten = 0;
        let mut first = None;
        for Portion { trace, bytes, spans } in portions {
            let size = sizes.of(trace, now);
            if *size + bytes > self.most {
                forgotten += spans;
                first.get_or_insert((trace, *size + bytes));
            } else {
                *size += bytes;
            }
        }
        drop(sizes);
        let Some((trace, bytes)) = first else { return };
        self.forgotten.add(forgotten);
        if !self.shared.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %trace,
                bytes,
                kept = self.most,
                advice = "tail_sampling's maximum_trace_size_bytes drops such traces here, as a whole; or a higher max_bytes_per_trace at Tempo",
                "Tempo forgets what is too much of one trace without a word"
            );
        }
    }
}

impl Sizes {
    fn of(&mut self, trace: TraceId, now: LogTime) -> &mut u64 {
        if now.since(self.since) >= REMEMBERED || self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
        let before = self.old.remove(&trace);
        let size = self.young.entry(trace).or_default();
        *size += before.unwrap_or_default();
        size
    }
}

/// By trace; each with what its resources and scopes take, once for each run of spans.
fn portions(batch: &Telemetry) -> Vec<Portion> {
    let mut runs: Vec<Portion> = Vec::new();
    let mut last = None;
    for item in batch.items() {
        let (trace, context) = (item.trace_id(), item.context());
        let own = item.bytes().len() as u64 + FRAMING;
        match runs.last_mut() {
            Some(run) if last == Some((trace, context.id())) => {
                run.bytes += own;
                run.spans += 1;
            }
            _ => runs.push(Portion { trace, bytes: own + context.size() as u64 + 2 * FRAMING, spans: 1 }),
        }
        last = Some((trace, context.id()));
    }
    runs.sort_unstable_by_key(|run| run.trace.0);
    runs.dedup_by(|run, before| {
        let is_same = run.trace == before.trace;
        if is_same {
            before.bytes += run.bytes;
            before.spans += run.spans;
        }
        is_same
    });
    runs
}

#[cfg(test)]
mod tests {
    use tracetailor_core::ledger::Fate;
    use tracetailor_core::testing::{Inlet, span, traces};

    use super::*;

    fn forgotten(context: &BuildContext) -> u64 {
        let told = context.counters.read();
        told.iter().filter(|series| series.name == "tracetailor_exporter_spans_forgotten_total").map(|series| series.count()).sum()
    }

    /// One request with so many megabytes of each of these traces, in spans of a hundred kilobytes.
    fn send(sizes: &TraceSizes, inlet: &mut Inlet, megabytes: usize, of: &[u64]) {
        let spans =
            (0..megabytes * 10).flat_map(|_| of.iter().map(|trace| span("s").trace(*trace).attribute("filler", "x".repeat(100_000))));
        let batch = inlet.receive(traces(spans));
        sizes.delivered(&batch);
        batch.settle(Fate::Delivered);
    }

    #[test]
    fn what_would_make_a_trace_too_large_is_counted_and_does_not_make_it_larger() {
        let (context, mut inlet) = (BuildContext::alone("otlp_grpc"), Inlet::new());
        let (one_lane, another) = (TraceSizes::before_tempo(&context), TraceSizes::before_tempo(&context));
        send(&one_lane, &mut inlet, 2, &[1, 2]);
        send(&another, &mut inlet, 2, &[1]);
        assert_eq!(forgotten(&context), 0);
        send(&one_lane, &mut inlet, 1, &[1, 2]);
        assert_eq!(forgotten(&context), 10, "5 MB with what surrounds them; the other trace is smaller");
        send(&another, &mut inlet, 1, &[2]);
        send(&one_lane, &mut inlet, 6, &[3]);
        assert_eq!(forgotten(&context), 70, "too much at once is forgotten as a whole");
        send(&one_lane, &mut inlet, 1, &[3]);
        assert_eq!(forgotten(&context), 70, "and leaves room for what is smaller");
    }

    #[test]
    fn a_trace_that_is_silent_for_long_is_forgotten() {
        let mut sizes = Sizes::default();
        let (trace, at) = (TraceId([1; 16]), |seconds| LogTime(0) + Duration::from_secs(seconds));
        *sizes.of(trace, at(1)) += 7;
        *sizes.of(trace, at(61)) += 1;
        assert_eq!(*sizes.of(trace, at(121)), 8, "asked for, it is young again");
        assert_eq!(*sizes.of(TraceId([2; 16]), at(182)), 0);
        assert_eq!(*sizes.of(TraceId([2; 16]), at(243)), 0);
        assert_eq!(*sizes.of(trace, at(243)), 0);
    }

    #[test]
    fn it_is_bounded() {
        let mut sizes = Sizes { since: LogTime(0), ..Sizes::default() };
        for number in 0..3 * MOST as u128 {
            *sizes.of(TraceId(number.to_be_bytes()), LogTime(0)) += 1;
        }
        assert!(sizes.young.len() <= MOST && sizes.old.len() <= MOST);
    }
}

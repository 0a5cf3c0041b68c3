//! By how much the clocks of two processes differ: told from calls that are whole, published, and never used to change a time.
//!
//! What was served lies within its call, and, as nobody knows better, in the middle of it. Of a trace the median counts, and traces one after the other move a slow
//! average.

use std::collections::HashMap;
use std::sync::Mutex;

use foldhash::quality::RandomState;
use tracetailor_core::component::{BuildContext, Gauge};
use tracetailor_core::telemetry::{Context, SpanKind};
use tracetailor_core::trace_store::Trace;

use super::super::engine::{Shape, SpanView};
use super::super::read::{Hashes, INSTANCE};

/// So many pairs of processes are remembered, and so many have a series.
const MOST_PAIRS: usize = 1_000;
const MOST_SERIES: usize = 100;
/// A trace moves the average by one part in so many.
const SLOW: i64 = 8;

/// The pairs of processes whose calls were seen.
#[derive(Debug)]
pub(super) struct Skews {
    context: BuildContext,
    pairs: Mutex<HashMap<(u64, u64), Skew, RandomState>>,
}

/// Two processes.
#[derive(Debug)]
pub(super) struct Skew {
    /// Their names: a service and what tells its instances apart.
    pub(super) processes: [String; 2],
    /// By how much the second clock is ahead of the first, in nanoseconds.
    pub(super) ahead: i64,
    pub(super) traces: u64,
    gauge: Option<Gauge>,
}

impl Skews {
    pub(super) fn new(context: &BuildContext) -> Self {
        Self { context: context.clone(), pairs: Mutex::default() }
    }

    /// Takes note of a trace; passes it over while another lane is here.
    pub(super) fn see(&self, trace: &Trace<'_>, views: &[SpanView], hashes: &[Hashes], shape: &Shape) {
        let mut offsets: Vec<((u64, u64), i64, usize)> = Vec::new();
        for (at, view) in views.iter().enumerate().filter(|(_, view)| view.kind == SpanKind::Server && view.is_instance) {
            let Some(up) = shape.up(at) else { continue };
            if let Some(ahead) = ahead(&views[up], view) {
                let (caller, called) = (hashes[up].process, hashes[at].process);
                let ahead = if caller < called { ahead } else { -ahead };
                offsets.push(((caller.min(called), caller.max(called)), ahead, at));
            }
        }
        let Ok(mut pairs) = self.pairs.try_lock() else { return };
        offsets.sort_unstable();
        for alike in offsets.chunk_by(|a, b| a.0 == b.0) {
            let (pair, ahead, at) = alike[alike.len() / 2];
            if let Some(skew) = pairs.get_mut(&pair) {
                skew.ahead += (ahead - skew.ahead) / SLOW;
                skew.traces += 1;
                skew.publish();
            } else if pairs.len() < MOST_PAIRS {
                let Some(up) = shape.up(at) else { continue };
                let (mut first, mut second) = (name(trace.item(up).context()), name(trace.item(at).context()));
                if hashes[up].process > hashes[at].process {
                    std::mem::swap(&mut first, &mut second);
                }
                let gauge = (pairs.len() < MOST_SERIES).then(|| {
                    self.context.gauge("tracetailor_stitch_clock_skew_microseconds", &[("process", &second), ("ahead_of", &first)])
                });
                let skew = Skew { processes: [first, second], ahead, traces: 1, gauge };
                skew.publish();
                pairs.insert(pair, skew);
            }
        }
    }

    /// The pairs whose clocks differ most: names, nanoseconds, and how many traces say so.
    pub(super) fn largest(&self, most: usize) -> Vec<([String; 2], i64, u64)> {
        let pairs = super::lock(&self.pairs);
        let mut all: Vec<_> = pairs.values().map(|skew| (skew.processes.clone(), skew.ahead, skew.traces)).collect();
        all.sort_by(|a, b| b.1.unsigned_abs().cmp(&a.1.unsigned_abs()).then(a.0.cmp(&b.0)));
        all.truncate(most);
        all
    }
}

impl Skew {
    fn publish(&self) {
        if let Some(gauge) = &self.gauge {
            gauge.set(self.ahead / 1_000);
        }
    }
}

/// By how much the clock of what was served is ahead of its caller's; nothing where it took longer than the call, or either is no call.
fn ahead(call: &SpanView, served: &SpanView) -> Option<i64> {
    let is_call = call.kind == SpanKind::Client && call.is_instance && call.process != served.process;
    let (took, took_served) = (call.end.checked_sub(call.start)?, served.end.checked_sub(served.start)?);
    if !is_call || took_served > took {
        return None;
    }
    let apart = i128::from(served.start) - i128::from(call.start) - i128::from((took - took_served) / 2);
    i64::try_from(apart).ok()
}

fn name(context: &Context) -> String {
    let text = |key: &str| Some(context.resource_attribute(key)?.text()?.into_owned()).filter(|text| !text.is_empty());
    let service = text("service.name").unwrap_or_else(|| "?".to_owned());
    let instance = INSTANCE.iter().find_map(|key| text(key)).unwrap_or_default();
    format!("{service}/{instance}").chars().take(96).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(process: u32, kind: SpanKind, start: u64, end: u64) -> SpanView {
        SpanView { process, kind, start, end, ..SpanView::EMPTY }
    }

    #[test]
    fn what_was_served_is_taken_to_lie_in_the_middle_of_its_call() {
        let call = span(1, SpanKind::Client, 1_000, 2_000);
        assert_eq!(ahead(&call, &span(2, SpanKind::Server, 1_200, 1_800)), Some(0));
        assert_eq!(ahead(&call, &span(2, SpanKind::Server, 6_200, 6_800)), Some(5_000));
        assert_eq!(ahead(&call, &span(2, SpanKind::Server, 200, 800)), Some(-1_000));
        assert_eq!(ahead(&call, &span(2, SpanKind::Server, 1_000, 3_000)), None, "it outlived the call");
        assert_eq!(ahead(&call, &span(1, SpanKind::Server, 1_200, 1_800)), None, "it is the same clock");
    }
}

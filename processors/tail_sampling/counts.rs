//! What is counted, under the Collector's names.
//!
//! Two processors of one gateway share series in the Collector, so that a gauge shows whichever spoke last. Here each has a label more,
//! `processor`, unless the Collector is to be followed.

use std::time::Duration;

use tracetailor_core::component::{Counter, Gauge, Histogram, ProcessorContext, Trigger};
use tracetailor_core::time::{Clock, LogTime};

use super::ballot::Outcome;
use super::policies::Ballot;
use super::ways::Ways;

/// One lane's counters.
pub(super) struct Counts {
    sampled: Counter,
    not_sampled: Counter,
    dropped: Counter,
    new_traces: Counter,
    too_large: Counter,
    too_early: Counter,
    failures: Counter,
    unreadable: Counter,
    from_cache: [Counter; 2],
    late_age: Histogram,
    removal_age: Histogram,
    lag: Histogram,
    in_memory: Gauge,
    triggers: [Counter; Trigger::ALL.len()],
    shown_again: Counter,
    /// Traces that wait.
    open: i64,
}

/// A metric as the Collector calls it.
fn named(name: &str) -> String {
    format!("otelcol_processor_tail_sampling_{name}")
}

/// In seconds, as the Collector's own telemetry has them.
const AGES: &[f64] = &[0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0];

/// In milliseconds.
const LAGS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0, 750.0, 1000.0, 2000.0, 3000.0, 4000.0, 5000.0,
    10000.0, 20000.0, 30000.0, 50000.0,
];

/// Labels with that of the processor, where it has one.
fn labelled<'a>(processor: &'a Option<String>, labels: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    processor.iter().map(|id| ("processor", id.as_str())).chain(labels.iter().copied()).collect()
}

fn processor(context: &ProcessorContext, ways: Ways) -> Option<String> {
    (!ways.original).then(|| context.id.to_string())
}

impl Counts {
    pub(super) fn new(context: &ProcessorContext, ways: Ways) -> Self {
        let id = processor(context, ways);
        let counter = |name: &str, labels: &[(&str, &str)]| context.counters.counter(&named(name), &labelled(&id, labels));
        let histogram = |name: &str, bounds| context.counters.histogram(&named(name), &labelled(&id, &[]), bounds);
        let global = |sampled, decision| counter("global_count_traces_sampled", &[("sampled", sampled), ("decision", decision)]);
        Self {
            sampled: global("true", "sampled"),
            not_sampled: global("false", "not_sampled"),
            dropped: global("false", "dropped"),
            new_traces: counter("new_trace_id_received", &[]),
            too_large: counter("traces_dropped_too_large", &[]),
            too_early: counter("sampling_trace_dropped_too_early", &[]),
            failures: counter("sampling_policy_evaluation_error", &[]),
            unreadable: counter("count_spans_with_unparseable_tracestate", &[]),
            from_cache: ["false", "true"].map(|sampled| counter("early_releases_from_cache_decision", &[("sampled", sampled)])),
            late_age: histogram("sampling_late_span_age", AGES),
            removal_age: histogram("sampling_trace_removal_age", AGES),
            lag: histogram("sampling_decision_timer_latency", LAGS),
            in_memory: context.counters.gauge(&named("sampling_traces_on_memory"), &labelled(&id, &[])),
            triggers: Trigger::ALL.map(|trigger| context.counter("tracetailor_sampling_decisions_total", &[("trigger", trigger.name())])),
            shown_again: context.counter("tracetailor_sampling_traces_shown_again_total", &[]),
            open: 0,
        }
    }

    /// A trace begins; one that a reload shows again began before.
    pub(super) fn opened(&mut self, is_new: bool) {
        if is_new {
            self.new_traces.add(1)
        } else {
            self.shown_again.add(1)
        }
        self.open += 1;
        self.in_memory.set(self.open);
    }

    /// A trace that was pushed out counts as a new one when it comes again.
    pub(super) fn came_again(&self) {
        self.new_traces.add(1);
    }

    /// A trace is gone.
    pub(super) fn closed(&mut self) {
        self.open -= 1;
        self.in_memory.set(self.open);
    }

    /// A trace was decided.
    pub(super) fn decided(&self, outcome: Outcome, trigger: Trigger) {
        self.triggers[trigger as usize].add(1);
        if matches!(trigger, Trigger::Count | Trigger::Memory) || outcome == Outcome::Evicted {
            self.too_early.add(1);
        }
        match outcome {
            Outcome::Sampled => self.sampled.add(1),
            Outcome::NotSampled | Outcome::Unmatched => self.not_sampled.add(1),
            Outcome::Dropped => self.dropped.add(1),
            Outcome::TooLarge => self.too_large.add(1),
            Outcome::Pending | Outcome::Evicted => {}
        }
    }

    /// A trace was decided so long after its time had come.
    pub(super) fn lagged(&self, lag: Duration) {
        self.lag.record(lag.as_secs_f64() * 1000.0);
    }

    /// A trace left so long after it came.
    pub(super) fn removed(&self, age: Duration) {
        self.removal_age.record(whole_seconds(age));
    }

    /// Policies could not decide.
    pub(super) fn failed(&self, votes: usize) {
        self.failures.add(votes as u64);
    }

    /// A span follows a verdict that a decision cache remembers.
    pub(super) fn released(&self, is_kept: bool) {
        self.from_cache[usize::from(is_kept)].add(1);
    }

    /// A fragment follows a verdict of so long ago.
    pub(super) fn late(&self, age: Duration) {
        self.late_age.record(whole_seconds(age));
    }

    /// A trace state was left as it is.
    pub(super) fn unreadable(&self) {
        self.unreadable.add(1);
    }
}

fn whole_seconds(age: Duration) -> f64 {
    Duration::from_secs(age.as_secs()).as_secs_f64()
}

/// One lane's counters of one policy.
pub(super) struct PolicyCounts {
    traces: [Counter; 3],
    spans: [Counter; 3],
    bytes: Option<[Counter; 3]>,
    executions: Counter,
    time: Counter,
    clock: Clock,
    /// Votes since the time of one was taken.
    untimed: u32,
    /// What is left of a microsecond.
    nanos: u64,
}

/// What votes are counted in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) spans: u64,
    /// Where somebody asked for sizes.
    pub(super) bytes: u64,
}

/// The time of one vote of so many is taken, and counts for all of them: to ask the clock takes longer than most votes.
const TIMED: u32 = 32;

impl PolicyCounts {
    pub(super) fn new(context: &ProcessorContext, policy: &str, ways: Ways, bytes: bool) -> Self {
        let id = context.id.to_string();
        let policy = id.split_once('/').map_or(policy.to_owned(), |(_, instance)| format!("{instance}.{policy}"));
        let id = processor(context, ways);
        let counter = |name: &str, labels: &[(&str, &str)]| {
            let labels: Vec<(&str, &str)> = std::iter::once(("policy", policy.as_str())).chain(labels.iter().copied()).collect();
            context.counters.counter(&named(name), &labelled(&id, &labels))
        };
        let votes = |name: &str| {
            [("true", "sampled"), ("false", "not_sampled"), ("false", "dropped")]
                .map(|(sampled, decision)| counter(name, &[("sampled", sampled), ("decision", decision)]))
        };
        Self {
            traces: votes("count_traces_sampled"),
            spans: votes("count_spans_sampled"),
            bytes: bytes.then(|| votes("count_bytes_sampled")),
            executions: counter("sampling_policy_execution_count", &[]),
            time: counter("sampling_policy_execution_time_sum", &[]),
            clock: context.clock.apart(),
            untimed: 0,
            nanos: 0,
        }
    }

    /// Lets it vote, and counts that it did.
    pub(super) fn time<T>(&mut self, vote: impl FnOnce() -> T) -> T {
        self.executions.add(1);
        self.untimed += 1;
        if self.untimed < TIMED {
            return vote();
        }
        self.untimed = 0;
        let before: LogTime = self.clock.now();
        let voted = vote();
        let took = self.clock.now().since(before) * TIMED;
        self.nanos += u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.time.add(self.nanos / 1000);
        self.nanos %= 1000;
        voted
    }

    /// Counts what it said; one that failed, or a rule that does not fit, said nothing.
    pub(super) fn voted(&self, ballot: Ballot, of: Counted) {
        let which = match ballot {
            Ballot::Keep => 0,
            Ballot::Refuse => 1,
            Ballot::Drop => 2,
            Ballot::Fail | Ballot::Pass => return,
        };
        self.traces[which].add(1);
        self.spans[which].add(of.spans);
        if let Some(bytes) = &self.bytes {
            bytes[which].add(of.bytes);
        }
    }
}

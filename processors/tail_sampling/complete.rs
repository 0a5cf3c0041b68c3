//! `decide_when_complete`: a trace that lacks nothing need not wait for the end of its time.
//!
//! Complete is a trace that has a root, of which no span names a parent that has not come, and in which every call to another process was
//! answered. What is missing without a trace of it is a span that outlives its parent in the same process; SDKs send every five seconds, so
//! nothing may have come for a little longer. What comes after such a verdict all the same is counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracetailor_core::component::{Counter, ProcessorContext, Trigger};
use tracetailor_core::config::{Period, Schema};
use tracetailor_core::ledger::Cause;
use tracetailor_core::telemetry::{Item, StatusCode};
use tracetailor_core::trace_store::{Outline, Trace};

use super::causes::Causes;

/// When a complete trace is decided.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct WhenComplete {
    /// So long nothing of it must have come.
    pub quiet: Period,
}

impl Default for WhenComplete {
    fn default() -> Self {
        Self { quiet: Period::seconds(6) }
    }
}

/// Decides complete traces early, and counts what that was too early for.
pub(super) struct Complete {
    quiet: Duration,
    /// What the books count such traces under: late spans tell by it what was decided early.
    causes: Causes,
    late: Counter,
    late_errors: Counter,
}

impl Complete {
    pub(super) fn new(when: &WhenComplete, context: &ProcessorContext) -> Self {
        let late = |error| context.counter("tracetailor_sampling_late_after_complete_spans_total", &[("error", error)]);
        Self {
            quiet: when.quiet.get(),
            causes: Causes {
                sampled: context.cause("sampled_when_complete"),
                not_sampled: context.cause("not_sampled_when_complete"),
                dropped: context.cause("dropped_by_policy_when_complete"),
                ..Causes::new(context)
            },
            late: late("false"),
            late_errors: late("true"),
        }
    }

    /// In how long a trace is to be decided, if nothing more comes.
    pub(super) fn wish(&self, trace: &Outline<'_>) -> Option<Duration> {
        is_complete(trace).then_some(self.quiet)
    }

    /// Whether it was decided because it was complete.
    pub(super) fn decided(&self, trace: &Trace<'_>) -> bool {
        trace.trigger() == Trigger::Wish && is_complete(trace)
    }

    /// What the books count traces under that were decided so.
    pub(super) fn causes(&self) -> &Causes {
        &self.causes
    }

    /// A span comes of a trace with such a verdict, or another.
    pub(super) fn late(&self, cause: Cause, span: &Item<'_>) {
        if ![self.causes.sampled, self.causes.not_sampled, self.causes.dropped].contains(&cause) {
            return;
        }
        let is_error = span.head().status_code() == StatusCode::Error;
        if is_error { self.late_errors.add(1) } else { self.late.add(1) }
    }
}

fn is_complete(trace: &Outline<'_>) -> bool {
    trace.structure().is_some_and(|structure| structure.is_complete() && structure.counts().dangling_calls == 0)
}

//! When a trace is to be decided.

use std::time::Duration;

use tracetailor_core::component::Trigger;
use tracetailor_core::telemetry::{Head, Item};
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::{Outline, Trace};

use super::Config;
use super::seen::Seen;
use super::ways::Compatibility;

/// To the millisecond, or in slots of a second, as the Collector has them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    wait: Duration,
    after_root: Option<Duration>,
    slots: bool,
}

const SECOND: u64 = 1_000_000_000;

impl Timing {
    pub(super) fn of(config: &Config) -> Self {
        let after_root = Some(config.decision_wait_after_root_received.get()).filter(|wait| !wait.is_zero());
        let wait = config.decision_wait.get();
        if config.compatibility == Compatibility::Tracetailor {
            return Self { wait, after_root, slots: false };
        }
        let after_root = after_root.map(|wait| Duration::from_secs(wait.as_secs()));
        Self { wait: Duration::from_secs(wait.as_secs().max(1)), after_root, slots: true }
    }

    /// How long any trace waits at most. A slot begins with the next full second.
    pub(super) fn longest(self) -> Duration {
        if self.slots { self.wait + Duration::from_secs(1) } else { self.wait }
    }

    /// A span has come: if it is the root, that may be reason enough to decide soon.
    pub(super) fn arrived(self, span: &Item<'_>, now: LogTime, seen: &mut Seen) {
        let Some(wait) = self.after_root else { return };
        if span.parent_span_id().is_none() && !span.head().has(Head::ODD_PARENT_ID) {
            let due = self.slot(now) + wait;
            let rare = seen.rare_mut();
            rare.after_root = Some(rare.after_root.map_or(due, |known| known.min(due)));
        }
    }

    /// In how long a trace is to be decided, where that is before everybody's time.
    pub(super) fn wish(self, trace: &Outline<'_>, seen: &Seen) -> Option<Duration> {
        let slot = self.slots.then(|| self.slot(trace.first_seen()) + self.wait);
        let due = [slot, seen.rare().after_root].into_iter().flatten().min()?;
        Some(due.since(trace.now()))
    }

    /// How long after its time a trace is decided, where it was not decided before.
    pub(super) fn lag(self, trace: &Trace<'_>) -> Option<Duration> {
        let is_timed = matches!(trace.trigger(), Trigger::Deadline) || self.slots && trace.trigger() == Trigger::Wish;
        is_timed.then(|| trace.now().since(self.slot(trace.first_seen()) + self.wait))
    }

    /// When the slot begins that something falls into: at once, or with the next full second.
    fn slot(self, at: LogTime) -> LogTime {
        if self.slots { LogTime(at.0.div_ceil(SECOND).saturating_mul(SECOND)) } else { at }
    }
}

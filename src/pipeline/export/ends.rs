//! How telemetry ends here: for which reason, and what its sender hears of it.

use std::time::Duration;

use tracetailor_core::component::{BuildContext, Delivered, ExportError, Failing};
use tracetailor_core::ledger::{Cause, Explanation, Fate, Retry};
use tracetailor_core::telemetry::Telemetry;

use super::Export;
use super::queue::Overflow;
use super::settings::{Sender, Settings};

/// The reasons of one exporter, as the books know them.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) queue_full: Cause,
    pub(super) queues_memory_full: Cause,
    pub(super) larger_than_queue: Cause,
    pub(super) retries_exhausted: Cause,
    pub(super) not_retried: Cause,
    pub(super) invalid: Cause,
    pub(super) too_large: Cause,
    pub(super) denied: Cause,
    pub(super) rejected: Cause,
    pub(super) panic: Cause,
    pub(super) shutdown: Cause,
}

impl Ends {
    pub(super) fn new(context: &BuildContext) -> Self {
        Self {
            queue_full: context.cause("queue_full"),
            queues_memory_full: context.cause("queues_memory_full"),
            larger_than_queue: context.cause("larger_than_queue"),
            retries_exhausted: context.cause("retries_exhausted"),
            not_retried: context.cause("not_retried"),
            invalid: context.cause("invalid"),
            too_large: context.cause("too_large"),
            denied: context.cause("denied"),
            rejected: context.cause("rejected_by_destination"),
            panic: context.cause("panic"),
            shutdown: context.cause("shutdown"),
        }
    }
}

/// The gRPC status codes of what we refuse ourselves.
const RESOURCE_EXHAUSTED: i32 = 8;
const UNAVAILABLE: i32 = 14;
/// After how long the sender of what did not fit may come back.
const COME_BACK: Duration = Duration::from_secs(1);

impl Export {
    /// Turns away what did not fit.
    pub(super) fn refuse(&self, batch: Telemetry, overflow: Overflow, settings: &Settings) {
        self.told.enqueue_failed.add(batch.len() as u64);
        let later = Explanation { code: Some(UNAVAILABLE), retry_after: Some(COME_BACK), message: String::new() };
        let (message, why, cause, retry) = match overflow {
            Overflow::Full => ("sending queue is full", later, self.ends.queue_full, Retry::Later),
            Overflow::Memory => {
                ("all sending queues together hold their share of the memory", later, self.ends.queues_memory_full, Retry::Later)
            }
            Overflow::Closed => ("shutting down", later, self.ends.shutdown, Retry::Later),
            Overflow::Never => {
                let never = Explanation { code: Some(RESOURCE_EXHAUSTED), ..Explanation::default() };
                ("too large: more than the whole sending queue holds", never, self.ends.larger_than_queue, Retry::Never)
            }
        };
        self.told.overflow(message, batch.len());
        let name = self.told.exporter();
        explain(&batch, &Explanation { message: format!("exporter {name}: {message}"), ..why });
        if overflow == Overflow::Closed && settings.sender == Sender::Answered {
            return batch.abandon(cause);
        }
        batch.settle(Fate::Rejected { cause, retry });
    }

    /// The destination has it, but for what it rejected: it does not say which.
    pub(super) fn delivered(&self, mut batch: Telemetry, delivered: &Delivered) {
        let items = batch.len() as u64;
        let rejected = delivered.rejected.min(items);
        if rejected < items {
            self.passed();
        }
        if rejected > 0 || !delivered.message.is_empty() {
            self.told.partial_success(&delivered.message, rejected);
        }
        self.told.sent.add(items - rejected);
        self.told.send_failed.add(rejected);
        self.held.sub(items);
        let mut left = rejected;
        batch.each_share(|share| {
            let some = left.min(share.count());
            left -= some;
            share.settle_some(some, Fate::Failed(self.ends.rejected));
        });
        batch.settle(Fate::Delivered);
    }

    /// The destination does not have it, and nobody tries again.
    pub(super) fn failed(&self, batch: Telemetry, cause: Cause, error: &ExportError, settings: &Settings) {
        self.told.send_failed.add(batch.len() as u64);
        self.held.sub(batch.len() as u64);
        if settings.sender == Sender::Answered {
            return batch.settle(Fate::Failed(cause));
        }
        let after = if let Failing::Retry { after } = error.failing { after } else { None };
        explain(&batch, &Explanation { message: error.message.clone(), code: error.code, retry_after: after });
        match error.failing {
            Failing::Retry { .. } => batch.settle(Fate::Rejected { cause, retry: Retry::Later }),
            _ => batch.settle(Fate::Failed(cause)),
        }
    }

    /// Time is up. What will be read again is left; of the rest, who still waits for an answer may try again.
    pub(super) fn abandon(&self, batch: Telemetry, settings: &Settings) {
        self.told.send_failed.add(batch.len() as u64);
        self.held.sub(batch.len() as u64);
        let cause = self.ends.shutdown;
        if settings.sender == Sender::Waits {
            let message = format!("exporter {}: shutting down", self.told.exporter());
            explain(&batch, &Explanation { message, code: Some(UNAVAILABLE), retry_after: Some(COME_BACK) });
            return batch.abandon(cause);
        }
        for origin in batch.dissolve() {
            let fate = if origin.share.replayable() { Fate::Left } else { Fate::Failed(cause) };
            origin.share.settle(fate);
        }
    }

    /// It is where a person can read it.
    pub(super) fn dead_lettered(&self, batch: Telemetry, cause: Cause) {
        self.told.send_failed.add(batch.len() as u64);
        self.held.sub(batch.len() as u64);
        batch.settle(Fate::DeadLettered(cause));
    }
}

fn explain(batch: &Telemetry, why: &Explanation) {
    batch.origins().iter().for_each(|origin| origin.share.explain(why));
}

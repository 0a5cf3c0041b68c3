//! What stands around an exporter, as it is in force: the user's keys, and what follows from them.

use std::sync::Arc;
use std::time::Duration;

use tracetailor_core::config::{CircuitBreaker, CoolDown, Delivery, QueueBatch, RetryOnFailure, Sizer, Switch};

use super::breaker::Patience;
use super::dead_letters::DeadLetters;

/// Whether telemetry waits before the exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It does not: what is pushed is under way, and the sender waits for the answer.
    Direct,
    /// It does.
    Queued,
}

/// Whom the outcome is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The sender has had its answer: what fails, fails here.
    Answered,
    /// The sender waits for the outcome, and can try again.
    Waits,
}

/// The settings of one exporter.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) mode: Mode,
    pub(super) sender: Sender,
    pub(super) consumers: usize,
    pub(super) capacity: u64,
    pub(super) sizer: Sizer,
    /// Whether admission waits when the queue is full, instead of refusing.
    pub(super) blocks: bool,
    pub(super) batch: Option<Batching>,
    pub(super) retry: Option<RetryOnFailure>,
    pub(super) timeout: Option<Duration>,
    pub(super) patience: Patience,
    pub(super) dead_letters: Option<Arc<DeadLetters>>,
    pub(super) most_bytes: usize,
}

/// How batches are gathered.
#[derive(Debug)]
pub(super) struct Batching {
    pub(super) flush: Duration,
    pub(super) least: u64,
    /// Zero for no limit.
    pub(super) most: u64,
    pub(super) unit: BatchUnit,
    /// In lower case, as metadata is.
    pub(super) keys: Vec<String>,
}

/// What batches are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchUnit {
    Items,
    Bytes,
}

impl Settings {
    /// None for an exporter that nothing stands around: one attempt, as soon as it is asked for.
    pub(super) fn of(delivery: Option<&Delivery>) -> Arc<Settings> {
        Arc::new(delivery.map_or_else(Settings::direct, Settings::delivering))
    }

    fn direct() -> Settings {
        Settings {
            mode: Mode::Direct,
            sender: Sender::Waits,
            consumers: usize::MAX,
            capacity: u64::MAX,
            sizer: Sizer::Items,
            blocks: false,
            batch: None,
            retry: None,
            timeout: None,
            patience: Patience::of(CircuitBreaker { failures: 0, ..CircuitBreaker::default() }, None),
            dead_letters: None,
            most_bytes: usize::MAX,
        }
    }

    fn delivering(delivery: &Delivery) -> Settings {
        let most_bytes = delivery.max_request_bytes;
        let around = Settings {
            retry: Some(delivery.retry_on_failure).filter(|retry| retry.enabled),
            timeout: Some(delivery.timeout.get()).filter(|timeout| !timeout.is_zero()),
            patience: Patience::of(delivery.circuit_breaker, delivery.cool_down),
            dead_letters: delivery.dead_letter.as_ref().map(|keys| Arc::new(DeadLetters::at(&keys.path))),
            most_bytes: if most_bytes.is_zero() { usize::MAX } else { most_bytes.as_usize() },
            ..Settings::direct()
        };
        let queue = &delivery.sending_queue;
        if !queue.enabled {
            return around;
        }
        Settings {
            mode: Mode::Queued,
            sender: if queue.wait_for_result { Sender::Waits } else { Sender::Answered },
            consumers: queue.num_consumers as usize,
            capacity: queue.queue_size,
            sizer: queue.sizer,
            blocks: queue.block_on_overflow,
            batch: match &queue.batch {
                Switch::On(batch) => Some(Batching::of(batch, queue.sizer)),
                Switch::Off => None,
            },
            ..around
        }
    }
}

impl Settings {
    /// Whether anything is measured in bytes as they will be sent.
    pub(super) fn wants_bytes(&self) -> bool {
        self.sizer == Sizer::Bytes || self.batch.as_ref().is_some_and(|batching| batching.unit == BatchUnit::Bytes)
    }
}

impl Patience {
    fn of(breaker: CircuitBreaker, cool_down: Option<CoolDown>) -> Self {
        let cool_down = cool_down.unwrap_or(CoolDown { refusals: 1, duration: breaker.open_for });
        Self {
            failures: breaker.failures,
            after_failures: breaker.open_for.get(),
            denials: cool_down.refusals,
            after_denials: cool_down.duration.get(),
        }
    }
}

impl Batching {
    fn of(batch: &QueueBatch, queue: Sizer) -> Self {
        let unit = if batch.sizer_in(queue) == Sizer::Bytes { BatchUnit::Bytes } else { BatchUnit::Items };
        let keys = batch.partition.metadata_keys.iter().map(|key| key.to_ascii_lowercase()).collect();
        Self { flush: batch.flush_timeout.get(), least: batch.min_size, most: batch.max_size, unit, keys }
    }
}

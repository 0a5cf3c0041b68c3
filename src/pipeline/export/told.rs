//! What an exporter's surroundings say of themselves: the Collector's metrics, and log lines that a failing destination cannot multiply.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracetailor_core::component::{BuildContext, Counter, ExportError, Failing, Gauge};
use tracetailor_core::telemetry::Signal;

use super::breaker::Heard;
use super::queue::Queue;
use super::room::Full;

/// How often one kind of line is written at most.
const SELDOM: Duration = Duration::from_secs(5);

/// The metrics and the log of one exporter and signal.
#[derive(Debug)]
pub(super) struct Told {
    exporter: String,
    signal: Signal,
    pub(super) sent: Counter,
    pub(super) send_failed: Counter,
    pub(super) enqueue_failed: Counter,
    queue_size: Gauge,
    queue_capacity: Gauge,
    in_flight: Gauge,
    circuit: Gauge,
    panics: Counter,
    /// Requests refused at the door, for the queue and for the memory.
    refused: [Counter; 2],
    retrying: Seldom,
    failing: Seldom,
    overflowing: Seldom,
    refusing: Seldom,
    partial: Seldom,
    set_aside: Seldom,
}

impl Told {
    pub(super) fn new(context: &BuildContext, signal: Signal) -> Self {
        let exporter = context.id.to_string();
        let items = signal.items();
        let counter = |name: &str| context.counters.counter(name, &[("exporter", &exporter)]);
        let gauge = |name: &str| context.counters.gauge(name, &[("exporter", &exporter), ("data_type", signal.name())]);
        Self {
            sent: counter(&format!("otelcol_exporter_sent_{items}")),
            send_failed: counter(&format!("otelcol_exporter_send_failed_{items}")),
            enqueue_failed: counter(&format!("otelcol_exporter_enqueue_failed_{items}")),
            queue_size: gauge("otelcol_exporter_queue_size"),
            queue_capacity: gauge("otelcol_exporter_queue_capacity"),
            in_flight: gauge("otelcol_exporter_in_flight_requests"),
            circuit: gauge("tracetailor_exporter_circuit_state"),
            panics: context.counters.counter("tracetailor_panics_total", &[("component", &exporter)]),
            refused: [Full::Queue, Full::Memory].map(|full| {
                let labels = [("exporter", exporter.as_str()), ("data_type", signal.name()), ("what", full.name())];
                context.counters.counter("tracetailor_exporter_full_total", &labels)
            }),
            retrying: Seldom::default(),
            failing: Seldom::default(),
            overflowing: Seldom::default(),
            refusing: Seldom::default(),
            partial: Seldom::default(),
            set_aside: Seldom::default(),
            signal,
            exporter,
        }
    }

    /// Its id, as in the configuration.
    pub(super) fn exporter(&self) -> &str {
        &self.exporter
    }

    pub(super) fn will_retry(&self, error: &ExportError, items: usize, wait: Duration) {
        if let Some(unsaid) = self.retrying.ask() {
            let (exporter, signal, failing) = (self.exporter.as_str(), self.signal.name(), error.failing.to_string());
            tracing::info!(exporter, signal, %error.message, failing, items, ?wait, unsaid, "exporting failed, will retry the request after an interval");
        }
    }

    pub(super) fn gave_up(&self, error: &ExportError, items: usize, advice: &str) {
        if let Some(unsaid) = self.failing.ask() {
            let (exporter, signal, failing) = (self.exporter.as_str(), self.signal.name(), error.failing.to_string());
            tracing::error!(exporter, signal, %error.message, failing, items, unsaid, advice, "exporting failed, dropping data");
        }
    }

    pub(super) fn overflow(&self, reason: &str, items: usize) {
        if let Some(unsaid) = self.overflowing.ask() {
            let (exporter, signal) = (self.exporter.as_str(), self.signal.name());
            tracing::error!(exporter, signal, reason, items, unsaid, "exporting failed, the queue takes no more");
        }
    }

    /// A request was refused at the door for want of room here.
    pub(super) fn full(&self, full: Full) {
        self.refused[full as usize].add(1);
        if let Some(unsaid) = self.refusing.ask() {
            let (exporter, signal, what, advice) = (self.exporter.as_str(), self.signal.name(), full.name(), full.advice());
            tracing::warn!(exporter, signal, full = what, unsaid, advice, "no room before the exporter, refusing requests");
        }
    }

    pub(super) fn partial_success(&self, message: &str, rejected: u64) {
        if let Some(unsaid) = self.partial.ask() {
            let (exporter, signal) = (self.exporter.as_str(), self.signal.name());
            tracing::warn!(exporter, signal, message, rejected, unsaid, "partial success");
        }
    }

    pub(super) fn dead_letter_failed(&self, error: &std::io::Error) {
        if let Some(unsaid) = self.set_aside.ask() {
            let (exporter, signal) = (self.exporter.as_str(), self.signal.name());
            tracing::error!(exporter, signal, %error, unsaid, "a dead letter could not be written");
        }
    }

    /// Where the queue and its breaker stand.
    pub(super) fn level(&self, queue: &Queue) {
        let level = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.queue_size.set(level(queue.size()));
        self.in_flight.set(level(queue.under_way() as u64));
        self.circuit.set(queue.circuit());
    }

    /// How much the queue takes; nothing where there is none.
    pub(super) fn capacity(&self, queue: &Queue) {
        self.queue_capacity.set(i64::try_from(queue.capacity()).unwrap_or(i64::MAX));
    }

    /// The breaker has changed its mind.
    pub(super) fn breaker(&self, heard: Heard) {
        let (exporter, signal) = (self.exporter.as_str(), self.signal.name());
        match heard {
            Heard::Answer => tracing::info!(exporter, signal, "the destination answers again"),
            Heard::Failure => tracing::warn!(exporter, signal, "the destination fails again and again, leaving it alone for a while"),
            Heard::Denial => tracing::warn!(exporter, signal, "the destination takes nothing from us, leaving it alone for a while"),
        }
    }

    pub(super) fn panicked(&self, items: usize) {
        self.panics.add(1);
        let (exporter, signal) = (self.exporter.as_str(), self.signal.name());
        tracing::error!(exporter, signal, items, "the exporter panicked, dropping data");
    }
}

/// What is done about a failure, for who reads the log and could do something.
pub(super) fn advice(failing: Failing, retries: bool, queued: bool) -> &'static str {
    match (failing, retries, queued) {
        (Failing::Retry { .. }, false, _) => "enable retry_on_failure to survive failures that pass",
        (Failing::Retry { .. }, true, false) => "enable sending_queue to survive failures that pass",
        (Failing::Retry { .. }, true, true) => "a longer retry_on_failure.max_elapsed_time survives longer outages",
        (Failing::Invalid, ..) => "dead_letter keeps what a destination calls bad data",
        (Failing::TooLarge, ..) => "a smaller max_request_bytes, or a higher limit at the destination",
        (Failing::Elsewhere, ..) => "back ends come and go faster than requests can follow",
        (Failing::Denied, ..) => "check credentials, quota and path at the destination",
    }
}

/// A line that is not written again and again: at most one in [`SELDOM`], with how many were left out before it.
#[derive(Debug, Default)]
struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// How many were left out since the last, if this one is to be written.
    fn ask(&self) -> Option<u64> {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0.is_some_and(|at| now.duration_since(at) < SELDOM) {
            last.1 += 1;
            return None;
        }
        last.0 = Some(now);
        Some(std::mem::take(&mut last.1))
    }
}

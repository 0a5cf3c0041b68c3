//! What a port counts: items that were taken and refused, and requests that were refused before anybody looked at their items.

use tracetailor_core::component::{BuildContext, Counter};
use tracetailor_core::telemetry::Signal;
use tracetailor_net::server::{Closed, Mistake};

use super::outcome::Outcome;

/// Items, in one lane, in the order of [`Signal::ALL`].
struct Items {
    accepted: Vec<Counter>,
    refused: Vec<Counter>,
}

/// What a port counts. Each lane has counters of its own, so that counting makes no two of them wait for each other.
pub(super) struct Counts {
    lanes: Vec<Items>,
    requests: Vec<(&'static str, Counter)>,
    stale_certificates: Counter,
}

/// Why requests are refused. The list is closed, because each becomes a series.
const REASONS: [&str; 16] = [
    "bad_items",
    "broken_body",
    "decompressed_too_large",
    "encoding",
    "full",
    "grpc_to_http",
    "http_to_grpc",
    "malformed",
    "method",
    "panic",
    "slow_body",
    "stopping",
    "too_large",
    "unauthenticated",
    "unknown_path",
    "unsupported_type",
];

impl Counts {
    pub(super) fn new(context: &BuildContext, transport: &str, lanes: usize) -> Self {
        let receiver = context.id.to_string();
        let items = |what: &str| {
            let name = |signal: Signal| format!("otelcol_receiver_{what}_{}", signal.items());
            let labels = [("receiver", receiver.as_str()), ("transport", transport)];
            Signal::ALL.into_iter().map(|signal| context.counters.counter(&name(signal), &labels)).collect()
        };
        let request = |reason| {
            let labels = [("receiver", receiver.as_str()), ("reason", reason)];
            (reason, context.counters.counter("tracetailor_refused_requests_total", &labels))
        };
        let reasons = REASONS.into_iter().chain(Mistake::ALL.map(Mistake::name)).chain(Closed::ALL.map(Closed::name));
        Self {
            lanes: (0..lanes).map(|_| Items { accepted: items("accepted"), refused: items("refused") }).collect(),
            requests: reasons.map(request).collect(),
            stale_certificates: context.counters.counter("tracetailor_tls_reload_failures_total", &[("receiver", &receiver)]),
        }
    }

    /// What became of a request.
    pub(super) fn outcome(&self, lane: usize, signal: Signal, outcome: &Outcome) {
        let (accepted, refused) = match outcome {
            Ok(taken) => (taken.items, taken.partial.as_ref().map_or(0, |partial| partial.rejected)),
            Err(refusal) => (0, refusal.items),
        };
        let place = Signal::ALL.iter().position(|known| *known == signal).unwrap_or_default();
        let Some(items) = self.lanes.get(lane) else { return };
        items.accepted[place].add(accepted);
        if refused > 0 {
            items.refused[place].add(refused);
        }
        if let Err(refusal) = outcome {
            self.refused(refusal.reason);
        }
    }

    /// A request, or a connection, was refused. What was refused further on is in the books.
    pub(super) fn refused(&self, reason: &str) {
        if let Some((_, counter)) = self.requests.iter().find(|(known, _)| *known == reason) {
            counter.add(1);
        }
    }

    /// Certificates could not be read again.
    pub(super) fn stale_certificates(&self) {
        self.stale_certificates.add(1);
    }
}

//! What a client is told: that its request was taken, or why not, in gRPC's codes and in HTTP's.

use std::time::Duration;

use http::StatusCode;
use tracetailor_core::component::Refused;
use tracetailor_core::ledger::{Explanation, Tally};
use tracetailor_net::grpc::{Code, PartialSuccess, Status};

/// How a request ended.
pub(super) type Outcome = Result<Taken, Refusal>;

/// A request that was taken, apart from items that were not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// How many items were.
    pub(super) items: u64,
    /// None where everything was taken.
    pub(super) partial: Option<PartialSuccess>,
}

/// A request that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Why, as a word of a closed list: it becomes a label.
    pub(super) reason: &'static str,
    /// In gRPC's words.
    pub(super) status: Status,
    /// In HTTP's, where that says it better than the code would.
    pub(super) http: Option<StatusCode>,
    /// How many items it held, where somebody counted them.
    pub(super) items: u64,
}

impl Refusal {
    /// For this reason, with that code.
    pub(super) fn new(reason: &'static str, code: Code, message: impl Into<String>) -> Self {
        Self { reason, status: Status::new(code, message), http: None, items: 0 }
    }

    /// The same with another status in HTTP than the code has.
    pub(super) fn in_http(mut self, status: StatusCode) -> Self {
        self.http = Some(status);
        self
    }

    /// The body is no request.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new("malformed", Code::INVALID_ARGUMENT, message)
    }

    /// The body is larger than may be. No RetryInfo: it would be sent again.
    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the request is larger than the {limit} bytes that are allowed here");
        Self::new("too_large", Code::RESOURCE_EXHAUSTED, message).in_http(StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// There is no room now.
    pub(super) fn full(what: &str, after: Option<Duration>) -> Self {
        let mut refusal = Self::new("full", Code::UNAVAILABLE, format!("no room: {what} is full; send it again"));
        refusal.status.retry_after = Some(polite(after));
        refusal
    }

    /// The status in HTTP.
    pub(super) fn http_status(&self) -> StatusCode {
        self.http.unwrap_or_else(|| http_status(self.status.code))
    }
}

/// When to come back. Clients that are told nought storm, and those that are told ten seconds give up: between one second and two it is.
fn polite(asked: Option<Duration>) -> Duration {
    asked.unwrap_or(Duration::from_secs(1)).clamp(Duration::from_secs(1), Duration::from_secs(2))
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full { what, retry_after } => Refusal::full(&what, retry_after),
            Refused::TooLarge { limit, .. } => Refusal::too_large(limit),
            Refused::Stopping => {
                let mut refusal = Refusal::new("stopping", Code::UNAVAILABLE, "shutting down; send it again");
                refusal.status.retry_after = Some(polite(None));
                refusal
            }
        }
    }
}

/// A code of gRPC as the Collector tells it over HTTP.
fn http_status(code: Code) -> StatusCode {
    match code {
        Code::CANCELLED | Code::DEADLINE_EXCEEDED | Code::ABORTED | Code::OUT_OF_RANGE | Code::UNAVAILABLE | Code::DATA_LOSS => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::RESOURCE_EXHAUSTED => StatusCode::TOO_MANY_REQUESTS,
        Code::INVALID_ARGUMENT => StatusCode::BAD_REQUEST,
        Code::UNAUTHENTICATED => StatusCode::UNAUTHORIZED,
        Code::PERMISSION_DENIED => StatusCode::FORBIDDEN,
        Code::UNIMPLEMENTED => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What became of a request as far as its client waits for it.
#[derive(Debug)]
pub(super) struct Told {
    /// Items that the request held.
    pub(super) items: u64,
    /// Of them, those that we did not let in, and why.
    pub(super) rejected: u64,
    pub(super) reasons: String,
    /// What had ended by then.
    pub(super) tally: Tally,
    /// Whether everything had.
    pub(super) is_settled: bool,
    /// What a destination said, where one did.
    pub(super) explanation: Option<Explanation>,
}

impl Told {
    /// What to answer. Where anything of the request was taken by anybody it is a success: sent again, it would arrive twice.
    pub(super) fn outcome(self) -> Outcome {
        let items = self.items;
        self.judge().map_err(|refusal| Refusal { items, ..refusal })
    }

    fn judge(self) -> Outcome {
        let let_in = self.items - self.rejected;
        if let_in == 0 && self.rejected > 0 {
            return Err(Refusal::new("bad_items", Code::INVALID_ARGUMENT, self.reasons));
        }
        let Tally { delivered, dropped, dead_lettered, stored, left, rejected_retryable: later, .. } = self.tally;
        let taken = delivered + dropped + dead_lettered + stored + left;
        let for_good = self.tally.rejected_for_good.saturating_sub(self.rejected) + self.tally.failed + self.tally.lost;
        if self.is_settled && taken == 0 && later + for_good > 0 {
            return Err(refused_behind(later > 0, self.explanation));
        }
        let behind = if self.is_settled { for_good.min(let_in) } else { 0 };
        let items = let_in - behind;
        Ok(Taken { items, partial: partial(self.rejected, self.reasons, behind, self.explanation) })
    }
}

/// Everything was refused further on: by a processor, a queue, or a back end that the client waited for.
fn refused_behind(is_welcome_again: bool, explanation: Option<Explanation>) -> Refusal {
    let Some(Explanation { message, code, retry_after }) = explanation else {
        return match is_welcome_again {
            true => Refusal { reason: "refused_behind", ..Refusal::full("the gateway", None) },
            false => Refusal::new("refused_behind", Code::INTERNAL, "the gateway could not take the request"),
        };
    };
    let code = code.map_or(if is_welcome_again { Code::UNAVAILABLE } else { Code::INTERNAL }, Code);
    let mut refusal = Refusal::new("refused_behind", code, message);
    refusal.status.retry_after = retry_after;
    refusal
}

fn partial(rejected: u64, mut reasons: String, behind: u64, explanation: Option<Explanation>) -> Option<PartialSuccess> {
    if rejected + behind == 0 {
        return None;
    }
    if behind > 0
        && let Some(explanation) = explanation
    {
        let separator = if reasons.is_empty() { "" } else { "; " };
        reasons = format!("{reasons}{separator}{behind} refused: {}", explanation.message);
    }
    Some(PartialSuccess { rejected: rejected + behind, message: reasons })
}

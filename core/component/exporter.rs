//! The contract of an exporter: one attempt to send one batch, and an honest word on how it went.

use std::time::Duration;

use super::BoxFuture;
use crate::telemetry::Telemetry;

/// Something that sends telemetry on.
///
/// # What it does, and what it does not
///
/// It makes one attempt. The queue before it, the batching, the retries, the timeout, the circuit breaker, the taking apart of a batch that
/// one bad item spoils: all that is written once, around every exporter, and goes by what the exporter answers. So an exporter is a
/// translation of the batch, a request, and a translation of the answer; it keeps nothing between two calls but its connections.
///
/// # Who owns the batch
///
/// The queue. The exporter borrows it, so it can neither lose nor settle it, and the same batch can be tried again. It may be called for
/// several batches at once.
///
/// # Shutdown
///
/// The returned future has ended when the destination has answered, so nothing is left behind to flush. It is never dropped half-way at
/// shutdown, since nobody could say whether the destination has the batch: at the deadline the queue abandons what has not begun, and a
/// call that is under way ends by its own timeout.
///
/// # Example
///
/// ```
/// use std::future::ready;
/// use tracetailor_core::component::{BoxFuture, Delivered, ExportError, Exporter, Failing};
/// use tracetailor_core::telemetry::Telemetry;
///
/// /// Takes everything up to a size, as a destination with a limit does.
/// struct Limited {
///     most_bytes: usize,
/// }
///
/// impl Exporter for Limited {
///     fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
///         Box::pin(async move {
///             let mut body = Vec::with_capacity(batch.emitted_bound());
///             batch.emit(&mut body);
///             if body.len() > self.most_bytes {
///                 return Err(ExportError::new(Failing::TooLarge, format!("more than {} bytes", self.most_bytes)));
///             }
///             // Send it here.
///             Ok(Delivered::ALL)
///         })
///     }
/// }
/// ```
pub trait Exporter: Send + Sync {
    /// Gets a batch ready before it is queued: marks it, takes out what the destination must never see (and settles that), takes apart what
    /// must not go out in one request. Most leave it as it is.
    ///
    /// What it returns is gathered, split by size and tried again as it is; requests of different [ways](Parcel::way) are never mixed.
    fn prepare(&self, batch: Telemetry) -> Vec<Parcel> {
        vec![Parcel { way: 0, batch }]
    }

    /// Ends when what was [prepared](Self::prepare) before may have to go another way by now; for most, never. What waits is then prepared
    /// again. It may be dropped and asked for again at any time.
    fn rerouted(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// How many [ways](Parcel::way) there are at this moment, so that each can have room of its own. It is asked when the exporter begins to
    /// serve and whenever it was [rerouted](Self::rerouted).
    fn ways(&self) -> usize {
        1
    }

    /// Sends a batch, once.
    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>>;
}

/// Something that an exporter has made ready, and where it goes.
#[derive(Debug)]
pub struct Parcel {
    /// One of several destinations that fail, and are left alone, each for itself. Whoever has only one calls it 0.
    pub way: u32,
    /// What goes there.
    pub batch: Telemetry,
}

/// The destination has the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// How many of its items it would not take. It does not say which: nobody can send just those again.
    pub rejected: u64,
    /// What it said about that, or just wanted to say; empty for nothing.
    pub message: String,
}

impl Delivered {
    /// All of it, without a word.
    pub const ALL: Delivered = Delivered { rejected: 0, message: String::new() };
}

/// The destination does not have the batch: what happened, and what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({failing})")]
pub struct ExportError {
    /// What is to be done about it.
    pub failing: Failing,
    /// What happened, in words for a log: the destination's own, cut to a length, without credentials.
    pub message: String,
    /// What the destination answered, as a gRPC status code (an HTTP status is translated). None where there was no answer.
    pub code: Option<i32>,
}

/// What is done next depends on which of these it was, so an exporter chooses with care: a `Retry` for what can never pass is tried for
/// ever, an `Invalid` for what would pass later throws telemetry away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// It may take it later: no connection, no answer in time, too busy, a limit on rates.
    Retry {
        /// How long it asked to be left alone.
        after: Option<Duration>,
    },
    /// It will never take this: something in it is wrong. The batch is halved until the culprit is alone, and only that is set aside.
    Invalid,
    /// It will not take so much at once. The batch is split.
    TooLarge,
    /// It was prepared for a place that is not its own any more: it is prepared again, and nothing was sent.
    Elsewhere,
    /// It will not take anything from us: credentials, a quota, a path it does not know. Whatever is in the batch, so it is not taken
    /// apart; the exporter is left alone for a while.
    Denied,
}

impl std::fmt::Display for Failing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Failing::Retry { .. } => "may pass later",
            Failing::Invalid => "bad data",
            Failing::TooLarge => "too large",
            Failing::Elsewhere => "belongs elsewhere",
            Failing::Denied => "denied",
        })
    }
}

impl ExportError {
    /// A failure of this kind.
    pub fn new(failing: Failing, message: impl Into<String>) -> Self {
        ExportError { failing, message: message.into(), code: None }
    }

    /// A failure that may pass, with nothing said about when.
    pub fn retry(message: impl Into<String>) -> Self {
        Self::new(Failing::Retry { after: None }, message)
    }

    /// The same with what the destination answered, as a gRPC status code.
    #[must_use]
    pub fn with_code(self, code: i32) -> Self {
        Self { code: Some(code), ..self }
    }
}

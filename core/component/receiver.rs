//! The contract of a receiver: it asks for room, takes telemetry in, and answers for it.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::BoxFuture;
use super::context::BuildContext;
use super::error::RunError;
use super::lanes::Lanes;
use super::stop::Stop;
use crate::ledger::{Receipt, Share};
use crate::telemetry::{OddIds, Signal, SourceTag, Telemetry};

/// Something that takes telemetry in.
///
/// # The life of a request
///
/// 1. The receiver knows how large the request is, or bounds it, and asks the outlet to [admit](Outlet::admit) it *before* it reads the
///    body: a gateway that is full must not spend memory to find that out. Admission waits a bounded while for room and is all or nothing,
///    for every pipeline and every lane that will get a part. What is refused was never in the books; the client is told to come back
///    later.
/// 2. It reads and parses the body. If that fails the [permit](Permit) is dropped, which gives the room back, and the client hears why.
/// 3. It opens a [receipt](Receipt), has the permit [accept](Permit::accept) the items into the books, settles what it rejects item by
///    item, and [sends](Permit::send) the batch: all of it without an await between, so that a reload falls before or after it. From here on
///    nothing is refused as a whole any more: that would make the client repeat what has arrived.
/// 4. It closes the receipt, waits for the [milestone](crate::ledger::Milestone) that its configuration names, and answers with the tally.
///
/// # Who owns the batch
///
/// The receiver until it is sent; then the lanes. The receiver keeps only the side of the receipt that is told
/// ([`Settled`](crate::ledger::Settled)), and must live until every receipt has told it: a client that waits must get its answer.
///
/// # Shutdown
///
/// Receivers are stopped first. When [stop](ReceiverContext::stop) is asked for, a receiver takes no new connection and no new request,
/// finishes those it has admitted, answers them, and returns. It must not wait for receipts whose source can be read again.
///
/// A receiver that cannot begin (a port that is taken) returns an error from `run` before it has admitted anything; one that fails later
/// returns an error too, and the gateway shuts down in order. There is no state in between.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use tracetailor_core::component::{BoxFuture, Receiver, ReceiverContext, Request, RunError};
/// use tracetailor_core::ledger::{Fate, Nobody, Receipt, Retry};
/// use tracetailor_core::telemetry::{Intake, Origin, Signal};
/// # use bytes::Bytes;
///
/// /// Sends one request that it has from the start, and is done.
/// struct Once {
///     body: Bytes,
///     intake: Intake,
/// }
///
/// impl Receiver for Once {
///     fn run(self: Box<Self>, context: ReceiverContext) -> BoxFuture<'static, Result<(), RunError>> {
///         Box::pin(async move {
///             let request = Request::new(Signal::Traces, self.body.len());
///             let permit = context.outlet.admit(request).await?;
///
///             let parsed = self.intake.parse(Signal::Traces, self.body.clone())?;
///             let receipt = Receipt::open(&context.books, Arc::new(Nobody), 0);
///             let mut share = permit.accept(&receipt, parsed.total());
///             let cause = context.cause("malformed");
///             share.settle_some(parsed.rejections.total(), Fate::Rejected { cause, retry: Retry::Never });
///             let origin = Origin { share, source: Default::default(), received_at: context.clock.now() };
///             permit.send(parsed.from_origin(origin));
///             Ok(())
///         })
///     }
/// }
/// ```
pub trait Receiver: Send {
    /// Receives until it is asked to stop.
    fn run(self: Box<Self>, context: ReceiverContext) -> BoxFuture<'static, Result<(), RunError>>;
}

/// What a receiver is handed when it runs. Books, clock and counters come with the [`BuildContext`] that it was built with.
#[derive(Clone, Debug)]
pub struct ReceiverContext {
    /// What it was built with.
    pub build: BuildContext,
    /// The way in.
    pub outlet: Arc<dyn Outlet>,
    /// The threads to serve connections on.
    pub lanes: Lanes,
    /// Tells when to stop.
    pub stop: Stop,
}

impl Deref for ReceiverContext {
    type Target = BuildContext;

    fn deref(&self) -> &BuildContext {
        &self.build
    }
}

/// The way into the pipelines of one receiver. The gateway implements it; to the receiver it does not matter how many pipelines or lanes
/// there are.
///
/// It is also the way in of what is read again: a journal, at a start, sends what it holds through an outlet of its own, to
/// [enter behind](Entry::Behind) itself.
pub trait Outlet: Send + Sync + std::fmt::Debug {
    /// Whether any pipeline takes this signal. A receiver does not offer what nobody takes.
    fn takes(&self, signal: Signal) -> bool;

    /// Asks for room. Waits for it as long as the request allows; the permit keeps it until it is used or dropped.
    fn admit(&self, request: Request) -> BoxFuture<'_, Result<Box<dyn Permit>, Refused>>;

    /// A source was taken away: all that came from it is to be abandoned. Ends when every lane has done so.
    fn forget(&self, source: SourceTag) -> BoxFuture<'_, ()>;
}

/// What a receiver wants to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Traces, logs or metrics.
    pub signal: Signal,
    /// How many bytes it will take in memory: as declared, or the most that can become of it.
    pub bytes: usize,
    /// How long the client will wait for room, where it says; at most as long as the configuration allows.
    pub patience: Option<Duration>,
    /// Where it enters.
    pub entry: Entry,
}

impl Request {
    /// A request from outside, of so many bytes.
    pub fn new(signal: Signal, bytes: usize) -> Self {
        Self { signal, bytes, patience: None, entry: Entry::Front }
    }
}

/// Where telemetry enters its pipelines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Entry {
    /// At the beginning.
    #[default]
    Front,
    /// Behind a processor that has seen it already, named by its id: a journal that replays what it wrote down.
    Behind(String),
}

/// Room that was found for one request. Dropping it gives the room back.
pub trait Permit: Send {
    /// Takes more room, without waiting: what was declared has turned out to be larger, as a compressed body does. Where there is none the
    /// permit keeps what it had.
    fn enlarge(&mut self, bytes: usize) -> Result<(), Refused>;

    /// Whether spans without a valid id may travel: something behind gives them one. Where only some pipelines do so, the others reject them.
    fn odd_ids(&self) -> OddIds {
        OddIds::Reject
    }

    /// Counts items of the request as accepted: as many as the request holds, also those that will be rejected one by one.
    /// May be called for several receipts, where what is sent was made of several messages.
    fn accept(&self, receipt: &Receipt, items: u64) -> Share;

    /// Sends the batch into every pipeline of the receiver. Neither waits nor fails: the room is there.
    fn send(self: Box<Self>, batch: Telemetry);
}

/// Why a request was not admitted. None of it is in the books.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There was no room in time. It may be sent again.
    #[error("no room: {what} is full")]
    Full {
        /// What was full, as the configuration calls it: `memory_limiter`, `lane`, `exporter otlp/tempo`.
        what: String,
        /// When to try again, as far as anybody knows.
        retry_after: Option<Duration>,
    },
    /// It is larger than there is ever room for. It must never be sent again as it is.
    #[error("{bytes} bytes are more than the {limit} that fit at all")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most there is.
        limit: usize,
    },
    /// The gateway is going down. Another one will take it.
    #[error("shutting down")]
    Stopping,
}

//! The contract of a processor: called with a batch, it emits, keeps or settles what is in it.

use super::error::NeedsRebuild;
use super::factory::AnyConfig;
use super::output::{Output, Progress};
use crate::telemetry::{SourceTag, Telemetry};
use crate::time::LogTime;

/// Something that works on telemetry inside a pipeline.
///
/// # Where it runs
///
/// Every lane has its own instance of each processor of each pipeline, and calls it from one thread, one call at a time. So a processor has
/// no locks: `&mut self` is all there is. Where whole traces are needed all spans of a trace reach the same lane. What lanes must share
/// after all (a limit that holds for the processor, not per lane) they get [from the context](super::BuildContext::share), and the page
/// says why.
///
/// # Who owns the batch
///
/// `process` is given the batch and with it the shares of its receipts: somebody waits to hear what becomes of every item. Each item goes
/// one of three ways.
///
/// - It is **emitted**, in this call or a later one. Then the next processor answers for it.
/// - It is **kept** until its time has come. Then its bytes are copied to where they will lie ([holding is emitting](Telemetry::dissolve)),
///   and its part of the share is kept with it, told to the books through a [gauge](crate::ledger::Line::held) and past the milestone
///   [`accepted`](crate::ledger::Share::accepted).
/// - It is **settled**: dropped, with the cause that tells which of the user's rules said so ([`Telemetry::drop_items`]), or rejected.
///   There is no other way to refuse: after admission a refusal is a fate that is counted, not an error that makes a client send everything
///   again.
///
/// A share that is lost sight of panics in debug builds and counts as lost in release builds, which every test takes for a failure.
///
/// # Time
///
/// The only clock is [`Output::now`]. A processor that holds something says when it wants to be woken, and is: not before, and not long
/// after. Work on what is held is done in slices ([`Output::wants_more`]), because a lane has other pipelines and sockets to serve.
///
/// # Shutdown, reload, and what is taken away
///
/// At shutdown a lane calls `drain` until it says [`Progress::Done`]. Whatever is held is decided as if its time had come and emitted; what
/// can be [read again](crate::ledger::Share::replayable) elsewhere may be left undecided and [abandoned](crate::ledger::Share::abandon).
/// After `Done` nothing is held. If the deadline comes first the lane drops the processor, so whatever holds shares settles them when
/// dropped.
///
/// A changed configuration is offered to `reconfigure` in all lanes at one point of the stream. A processor that cannot take it on says so,
/// is drained, and another is built. One that holds state a user would miss (traces, verdicts) takes on whatever it can.
///
/// When a Kafka partition goes to another process, `forget` says so: what came from it is abandoned, because that process will read it.
///
/// # Example
///
/// ```
/// use tracetailor_core::component::{
///     BuildError, Component, ComponentConfig, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Room, Stability,
/// };
/// use tracetailor_core::config::{ConfigErrors, Percent, Schema, Validate};
/// use tracetailor_core::ledger::Cause;
/// use tracetailor_core::telemetry::{Telemetry, TraceId};
/// use serde::Deserialize;
///
/// /// What the user writes.
/// #[derive(Clone, Debug, Deserialize, Schema)]
/// #[serde(default, deny_unknown_fields)]
/// pub struct Config {
///     /// Share of traces to keep.
///     pub share: Percent,
/// }
///
/// impl Default for Config {
///     fn default() -> Self {
///         Self { share: Percent::ALL }
///     }
/// }
///
/// impl Validate for Config {
///     fn validate(&self, errors: &mut ConfigErrors) {
///         if self.share.is_zero() {
///             errors.warn("share", "0 drops everything", "remove the processor, or give a share such as 10%");
///         }
///     }
/// }
///
/// const FACTORY: ProcessorFactory = ProcessorFactory::of::<KeepShare>("keep_share", Stability::Beta, "# keep_share");
///
/// /// Decides by the trace id alone, so it keeps no state and every gateway agrees.
/// struct KeepShare {
///     /// Hashes below this are kept.
///     threshold: u64,
///     not_sampled: Cause,
/// }
///
/// impl Component for KeepShare {
///     type Kind = Processors;
///     type Config = Config;
///
///     fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
///         Ok(Box::new(Self { threshold: config.share.of(u64::MAX), not_sampled: context.cause("not_sampled") }))
///     }
/// }
///
/// impl Processor for KeepShare {
///     fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
///         batch.drop_items(self.not_sampled, |span| !self.keeps(span.trace_id()));
///         out.emit(batch);
///     }
/// }
///
/// impl KeepShare {
///     fn keeps(&self, trace: TraceId) -> bool {
///         // A real one hashes.
///         u64::from_be_bytes(trace.0[8..].try_into().unwrap()) < self.threshold
///     }
/// }
///
/// # use std::sync::Arc;
/// # use tracetailor_core::ledger::{Books, Column, LineName, Nobody, Receipt};
/// # use tracetailor_core::telemetry::{Head, Interner, ItemKind, Origin, Signal, TelemetryBuilder};
/// # fn batch(context: &ProcessorContext, traces: &[TraceId]) -> Telemetry {
/// #     let share = Receipt::open(&context.books, Arc::new(Nobody), 0).accept(&context.line, traces.len() as u64);
/// #     let mut batch = TelemetryBuilder::new(Signal::Traces);
/// #     let origin = batch.origin(Origin { share, source: Default::default(), received_at: Default::default() });
/// #     let place = Interner::new().intern(ItemKind::Span, [b""; 4]).unwrap();
/// #     for trace in traces {
/// #         batch.push(&Head { trace: *trace, ..Head::EMPTY }, b"", &place, origin);
/// #     }
/// #     batch.finish()
/// # }
/// // Built as the gateway builds it, called as a lane calls it.
/// let context = ProcessorContext::alone("keep_share");
/// let mut keep_half = FACTORY.parse("share: 50%")?.build(&context)?;
/// let mut out = Output::new(context.clock.now(), Room::ENOUGH);
/// keep_half.process(batch(&context, &[TraceId([1; 16]), TraceId([0xff; 16])]), &mut out);
///
/// let kept = out.take().remove(0);
/// assert_eq!(kept.len(), 1);
/// # kept.settle(tracetailor_core::ledger::Fate::Delivered);
/// assert_eq!(context.books.report().lines[0].sums[Column::Dropped], 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Processor: Send {
    /// Works on a batch.
    fn process(&mut self, batch: Telemetry, out: &mut Output);

    /// When it wants to be woken, if it holds anything. Asked after every call; an earlier wish is forgotten.
    fn wake_at(&self) -> Option<LogTime> {
        None
    }

    /// Its time has come, or passed: work on what is due.
    fn wake(&mut self, _now: LogTime, _out: &mut Output) -> Progress {
        Progress::Done
    }

    /// Nothing more will come: let go of everything.
    fn drain(&mut self, _out: &mut Output) -> Progress {
        Progress::Done
    }

    /// Takes on a new configuration, of its own type and valid, or says that it cannot. If it cannot, nothing has changed.
    fn reconfigure(&mut self, _config: &AnyConfig) -> Result<(), NeedsRebuild> {
        Err(NeedsRebuild)
    }

    /// A source was taken away: abandon what came from it.
    fn forget(&mut self, _source: SourceTag) {}
}

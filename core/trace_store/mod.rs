//! Whole traces, held as bytes until somebody can decide about them.
//!
//! Tail sampling must see a trace whole before it keeps or drops it; stitching must see it before and after. Neither owns a buffer: a lane
//! has one [`TraceStore`], and the neighbouring stages of a pipeline work on what it holds, led by [`WholeTraces`] through the phases of
//! [`TraceStage`](crate::component::TraceStage): admit, ready, verdict, repair, emit, late.
//!
//! # Where a span lies
//!
//! A span is copied once, into a *segment* of about 1 MiB. That is where edits that were made before become its bytes; the request it came
//! in is free again. (Keeping a slice of the request instead would let one kept span of a thousand hold on to all of it.) A segment's bytes
//! are frames that need nobody to explain them: before the first span of a context stands the context itself. A journal can write them as
//! they are, and a segment that rests can be sealed with lz4 or zstd, because only one function reads them.
//!
//! Beside the bytes lie two columns that only this process needs: the span's head, and a *link* to the span that the same trace got before.
//! So a trace is a chain through segments, and its *entry*, one cache line, knows the newest. Walking, dropping and moving a trace touch
//! links and no bytes. Entries sit in slots that stay put; a stage keeps what it knows of a trace in a `Vec` by [`Slot`].
//!
//! # When it goes
//!
//! With one wait for all, the order of arrival is the order of expiry: a queue of slots, 8 bytes each. Stages may wish for an earlier time
//! and take the wish back; wishes go through a heap, and what is stale in either is passed over. A trace ends by letting go of its records.
//! A segment goes whole with the last record in it, to a small pool or to the allocator; one that is mostly dead is emptied into the
//! segment being written, so that a few long-lived traces do not pin the memory of many that are gone.
//!
//! # How much there may be
//!
//! Limits that a user wrote hold for all lanes together ([`Budget`]): bytes, traces, verdicts remembered. Every held byte lies in a
//! segment, so the budget is exact. Above it the oldest traces are decided early, and told why ([`Trigger`](crate::component::Trigger)). As
//! a budget fills, segments are emptied sooner: the memory of segments stays near what lives in them. A trace that alone is too large is
//! decided early, and the rest of it is late.
//!
//! # Who waits to hear
//!
//! A request's share of the ledger stays in one piece, in a *row*; each record names its row. What ends is added up and told once per turn
//! and row. When a batch leaves, it takes the units of its spans along. When a Kafka partition is revoked, its rows tell which spans to
//! take out. After every turn the rows add up to what is held ([`TraceStore::audit`]): a trace that was forgotten would show there.
//!
//! # Afterwards
//!
//! Verdicts are remembered ([`Remember`]), so that late spans follow them; of kept traces, where a stage asks, also the ids of their spans.
//!
//! The store belongs to the lane, not to its stages. A reload takes it from the old ones and gives it to the new ones, who are shown what
//! it holds, a little at a time, or at the latest when a trace gets a span or its time has come.
//!
//! # What it costs
//!
//! `cargo bench --bench hold` and `cargo bench --bench held_memory` say; docs/decisions has what the figures led to. A span costs its bytes
//! and 92 more, a trace 80, a request about 120, an observed span id 12 to 24.
//!
//! # Example
//!
//! A stage that keeps traces with an error, as soon as they are complete:
//!
//! ```
//! use std::collections::HashSet;
//! use std::time::Duration;
//! use tracetailor_core::component::{Notes, ProcessorContext, TraceStage, Verdict, Wants};
//! use tracetailor_core::ledger::Cause;
//! use tracetailor_core::telemetry::{Item, StatusCode};
//! use tracetailor_core::trace_store::{Limits, Outline, Slot, Trace, TraceStore, WholeTraces};
//! # use tracetailor_core::testing::{Driver, trace_of};
//!
//! struct KeepErrors {
//!     errors: HashSet<Slot>,
//!     kept: Cause,
//!     dropped: Cause,
//! }
//!
//! impl TraceStage for KeepErrors {
//!     fn wants(&self) -> Wants {
//!         Wants { structure: true, ..Wants::default() }
//!     }
//!
//!     fn open(&mut self, trace: &Outline<'_>) {
//!         self.errors.remove(&trace.slot());
//!     }
//!
//!     fn arrive(&mut self, trace: &Outline<'_>, span: Item<'_>) {
//!         if span.head().status_code() == StatusCode::Error {
//!             self.errors.insert(trace.slot());
//!         }
//!     }
//!
//!     fn ready_in(&mut self, trace: &Outline<'_>) -> Option<Duration> {
//!         // Asked again after every batch: a late orphan takes the wish back.
//!         trace.structure()?.is_complete().then_some(Duration::from_secs(1))
//!     }
//!
//!     fn decide(&mut self, trace: &Trace<'_>, _notes: &Notes) -> Option<Verdict> {
//!         let is_error = self.errors.contains(&trace.slot());
//!         Some(if is_error { Verdict::keep(self.kept) } else { Verdict::drop(self.dropped) })
//!     }
//!
//!     fn close(&mut self, slot: Slot) {
//!         self.errors.remove(&slot);
//!     }
//! }
//!
//! fn build(context: &ProcessorContext) -> WholeTraces {
//!     let limits = Limits::with_wait(Duration::from_secs(30));
//!     let store = TraceStore::new(limits, context.line.held("trace_store"), context.cause("no_time"));
//!     let (kept, dropped) = (context.cause("errors"), context.cause("not_sampled"));
//!     let stage = KeepErrors { errors: HashSet::new(), kept, dropped };
//!     WholeTraces::new(store, vec![Box::new(stage)], context.cause("unjudged"))
//! }
//!
//! let mut driver = Driver::with("keep_errors", |context| Box::new(build(context)));
//! driver.receive(trace_of("a -> b").request());
//! assert_eq!(driver.held(), 2);
//! driver.turn(Duration::from_secs(2));
//! assert_eq!(driver.held(), 0);
//! assert_eq!(driver.finish().spans().len(), 0, "no error in it");
//! ```

mod admission;
mod audit;
mod budget;
mod chains;
mod deadlines;
mod decision;
mod emission;
mod entries;
mod frame;
mod id_tables;
mod limits;
mod log;
mod memory;
mod pool;
mod relocation;
mod repair;
mod rows;
mod segment;
mod skeleton;
mod stages;
mod store;
mod structure;
mod upkeep;
mod view;

pub use audit::Unaccounted;
pub use budget::{Budget, Claim};
pub use entries::Slot;
pub use limits::Limits;
pub use memory::{Known, Remember, SkeletonRef};
pub use repair::TraceOut;
pub use rows::RowsDoNotAdd;
pub use stages::{Decided, WholeTraces};
pub use store::TraceStore;
pub use structure::{Counts, Earliest, Structure};
pub use view::{Gone, Outline, Trace};

#[cfg(test)]
mod tests;

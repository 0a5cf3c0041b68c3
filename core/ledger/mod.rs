//! The books: every item accepted is accounted for, once per destination.
//!
//! # The life of a request
//!
//! A receiver opens a [`Receipt`] for each request and [accepts](Receipt::accept) its items into the [`Line`] of a pipeline. What it gets is
//! a [`Share`]: so many *units* of that receipt. The share travels with the batch. It is [taken apart](Share::take) when the batch is split,
//! [joined](Share::join) when parts meet again, [copied](Share::copy) where a pipeline forks to several exporters, and
//! [enters](Share::enter) the line of each exporter. A unit is therefore one item on its way to one destination, and the ledger never looks
//! at an item: a batch of a thousand costs what a batch of one costs.
//!
//! Every unit ends exactly once, in a [`Fate`]. On its way it passes [milestones](Milestone): accepted when a store or a queue holds it,
//! durable when a disk or a broker does. When all units of a receipt have passed one, and the receiver has closed its handle, the
//! receiver is told, with a [`Tally`] of what became of the units so far: that is when it may answer its client, or commit its offset.
//!
//! A share that is dropped with units left is a bug. Debug builds panic; release builds count the units as lost, which must stay 0.
//!
//! # The sum
//!
//! Per line and signal, whenever nothing is on its way:
//!
//! ```text
//! accepted + created + copied + moved in
//!     = delivered + dropped + rejected + failed + dead-lettered + stored + left + lost + moved out + held
//! ```
//!
//! A pipeline's line ends at the fan-out, where units move out of it into the lines of exporters. `held` is what stores and queues say they
//! hold, through a gauge that they [register](Line::held); nothing derives it from the other columns, so a [residual](LineReport::residual)
//! of 0 proves something.
//!
//! # Example
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use tracetailor_core::ledger::{Books, Column, Fate, LineName, Milestone, Receipt, Settled, Tally};
//! use tracetailor_core::telemetry::Signal;
//!
//! /// A receiver that writes down what it is told.
//! #[derive(Default)]
//! struct Client(Mutex<Vec<(u64, Milestone, Tally)>>);
//!
//! impl Settled for Client {
//!     fn reached(&self, key: u64, milestone: Milestone, tally: &Tally) {
//!         self.0.lock().unwrap().push((key, milestone, *tally));
//!     }
//! }
//!
//! let books = Books::new();
//! let pipeline = books.line(LineName::Pipeline("traces".into()), Signal::Traces);
//! let tempo = books.line(LineName::Exporter("otlp/tempo".into()), Signal::Traces);
//! let not_sampled = books.cause("tail_sampling", "not_sampled");
//!
//! // A request of ten spans: the handle is closed at once, the share lives on.
//! let client = Arc::new(Client::default());
//! let receipt = Receipt::open(&books, client.clone(), 7);
//! let mut share = receipt.accept(&pipeline, 10);
//! receipt.close();
//!
//! // A store holds them, so the client may have its answer; then a rule drops nine, and the tenth is delivered.
//! share.accepted();
//! share.settle_some(9, Fate::Dropped(not_sampled));
//! share.enter(&tempo);
//! share.settle(Fate::Delivered);
//!
//! let told = client.0.lock().unwrap();
//! assert_eq!(told[0], (7, Milestone::Accepted, Tally::default()));
//! assert_eq!(told[2], (7, Milestone::Settled, Tally { dropped: 9, delivered: 1, ..Tally::default() }));
//!
//! let report = books.report();
//! report.assert_balanced();
//! let tempo = report.line(&LineName::Exporter("otlp/tempo".into()), Signal::Traces).unwrap();
//! assert_eq!(tempo.sums[Column::Delivered], 1);
//! ```

mod books;
mod cause;
mod column;
mod fate;
mod held;
mod receipt;
mod report;
mod share;
mod tally;

pub use books::{Books, Line, LineName};
pub use cause::{Cause, CauseName};
pub use column::{Column, Side, Sums};
pub use fate::{Fate, Retry};
pub use held::Held;
pub use receipt::{Explanation, Milestone, Nobody, Receipt, Settled};
pub use report::{CauseReport, HeldReport, LineReport, Report, Unbalanced};
pub(crate) use share::is_after_panic;
pub use share::{Share, after_panic};
pub use tally::Tally;

#[cfg(test)]
mod tests;

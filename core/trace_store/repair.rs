//! What a stage may do to a kept trace on its way out.

use std::sync::Arc;

use super::rows::Rows;
use super::segment::narrow;
use crate::ledger::Cause;
use crate::telemetry::{Context, Head, Item, ItemMut, Signal, Telemetry, TelemetryBuilder};

/// A kept trace in the batch that leaves. Spans are numbered as in the [`Trace`](super::Trace) that the stage sees beside it, which stays
/// as it was held whatever is done here.
#[derive(Debug)]
pub struct TraceOut<'a> {
    pub(super) batch: &'a mut Telemetry,
    /// Where its spans stand in the batch.
    pub(super) first: usize,
    pub(super) len: usize,
    pub(super) changes: &'a mut Changes,
    /// The request whose origin made-up spans share.
    pub(super) row: u32,
}

impl TraceOut<'_> {
    /// How many spans it has: those that were held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when it has none: never, as traces without spans are not held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A span as it is now, with what this and other stages have changed.
    ///
    /// # Panics
    /// When `index` is not below [`TraceOut::len`]; so do the others.
    pub fn item(&self, index: usize) -> Item<'_> {
        self.batch.item(self.place(index))
    }

    /// A span, to be changed.
    pub fn edit(&mut self, index: usize) -> ItemMut<'_> {
        let place = self.place(index);
        self.batch.item_mut(place)
    }

    /// Leaves a span out, and says by which rule. A span that is left out twice is counted for who said so first.
    pub fn leave_out(&mut self, index: usize, cause: Cause) {
        let place = self.place(index);
        self.changes.left_out.push((place, cause));
    }

    /// Adds a span that nobody sent. The books count it as created.
    pub fn add(&mut self, head: &Head, bytes: &[u8], context: &Arc<Context>) {
        let Changes { made, bytes: all, .. } = &mut *self.changes;
        let head = Head { offset: narrow(all.len()), length: narrow(bytes.len()), ..*head };
        all.extend_from_slice(bytes);
        made.push(Made { head, context: Arc::clone(context), row: self.row });
    }

    fn place(&self, index: usize) -> usize {
        assert!(index < self.len, "span {index} of {}", self.len);
        self.first + index
    }
}

/// What stages did to the traces of one batch, beside edits.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Spans to leave out, by their number in the batch.
    left_out: Vec<(usize, Cause)>,
    /// Spans that were made up, and their bytes one behind the other.
    pub(super) made: Vec<Made>,
    bytes: Vec<u8>,
}

/// A span that was made up.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) head: Head,
    context: Arc<Context>,
    row: u32,
}

impl Changes {
    /// The batch with the changes made.
    pub(super) fn apply(self, mut batch: Telemetry, rows: &mut Rows) -> Telemetry {
        let Changes { left_out, made, bytes } = self;
        leave_out(&mut batch, left_out);
        if made.is_empty() {
            return batch;
        }
        let mut beside = TelemetryBuilder::with_capacity(Signal::Traces, made.len(), bytes.len());
        for Made { head, context, row } in &made {
            let origin = rows.create(*row, &mut beside);
            beside.push(head, &bytes[head.offset as usize..][..head.length as usize], context, origin);
        }
        rows.pay(&mut beside);
        match batch.append(beside.finish()) {
            Ok(()) => batch,
            Err(_) => unreachable!("both are batches of spans"),
        }
    }
}

/// Drops spans by their places, cause by cause.
fn leave_out(batch: &mut Telemetry, mut left_out: Vec<(usize, Cause)>) {
    // Stable, so that of several causes for one span the first one stays.
    left_out.sort_by_key(|(place, _)| *place);
    left_out.dedup_by_key(|(place, _)| *place);
    while let Some((_, cause)) = left_out.first().copied() {
        let mut places = 0..;
        batch.drop_items(cause, |_| {
            let place = places.next();
            left_out.iter().any(|(other, its)| Some(*other) == place && *its == cause)
        });
        let mut gone = 0;
        left_out.retain_mut(|(place, its)| {
            *place -= gone;
            gone += usize::from(*its == cause);
            *its != cause
        });
    }
}

//! One row for each request that brought spans: its share of the ledger, counted against the spans that name the row.

use std::sync::Arc;

use crate::ledger::{Cause, Fate, Retry};
use crate::telemetry::{Origin, SourceTag, TelemetryBuilder};

/// The requests whose spans a lane holds.
///
/// A share for every trace of every request would meet the receipt's counter at every split. So the share stays whole here, records name
/// their row, and what happened to a row's spans is added up and told once per turn: one atomic operation per row, whatever it held.
///
/// Invariant, between turns: each row's share counts exactly the records that name it.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    free: Vec<u32>,
    /// What ended in this turn and is not in the ledger yet.
    ended: Vec<Ended>,
    /// Rows with spans in the batch that is being made.
    leaving: Vec<u32>,
    /// Rows that no record names any longer; some of them twice, some of them named again.
    spent: Vec<u32>,
}

#[derive(Debug)]
struct Row {
    /// Nothing while the batch that brought it is still being held.
    origin: Option<Origin>,
    /// Records that name it.
    held: u64,
    /// The newest of its ends in `ended`, plus one.
    newest_end: u32,
    leaving: Leaving,
}

/// What of a row is in the batch that is being made.
#[derive(Clone, Copy, Debug, Default)]
struct Leaving {
    /// The number of its origin there.
    number: Option<u32>,
    /// Spans that were held.
    received: u64,
    /// Spans that were made up and travel with those.
    created: u64,
}

#[derive(Clone, Copy, Debug)]
struct Ended {
    row: u32,
    fate: Fate,
    count: u64,
}

impl Rows {
    /// A row for an origin of the batch in hand. Its records are counted first; the origin comes when the batch has been copied.
    pub(super) fn open(&mut self) -> u32 {
        let row = Row { origin: None, held: 0, newest_end: 0, leaving: Leaving::default() };
        if let Some(number) = self.free.pop() {
            self.rows[number as usize] = row;
            return number;
        }
        self.rows.push(row);
        super::segment::narrow(self.rows.len() - 1)
    }

    /// One more record names it.
    pub(super) fn hold(&mut self, row: u32) {
        self.rows[row as usize].held += 1;
    }

    /// The origin, whose share counts what was held or dropped of it. Holding is accepting.
    pub(super) fn fill(&mut self, number: u32, mut origin: Origin) {
        origin.share.accepted();
        self.rows[number as usize].origin = Some(origin);
    }

    /// One record names it no longer: that span has ended.
    pub(super) fn end(&mut self, number: u32, fate: Fate) {
        let row = self.let_go(number);
        if let Some(newest) = (row.newest_end as usize).checked_sub(1)
            && self.ended[newest].fate == fate
        {
            self.ended[newest].count += 1;
            return;
        }
        self.ended.push(Ended { row: number, fate, count: 1 });
        self.rows[number as usize].newest_end = super::segment::narrow(self.ended.len());
    }

    /// One record names it no longer, though nobody decided about the span: it is left to whoever can send it again, or rejected for now.
    pub(super) fn abandon(&mut self, number: u32, cause: Cause) {
        let fate = if self.is_replayable(number) { Fate::Left } else { Fate::Rejected { cause, retry: Retry::Later } };
        self.end(number, fate);
    }

    /// Nothing is held any longer, and nobody decided about what was.
    pub(super) fn abandon_all(&mut self, cause: Cause) {
        self.settle();
        self.rows.drain(..).filter_map(|row| row.origin).for_each(|origin| origin.share.abandon(cause));
    }

    fn let_go(&mut self, number: u32) -> &mut Row {
        let row = &mut self.rows[number as usize];
        debug_assert!(row.held > 0, "a row was let go by more records than name it");
        row.held -= 1;
        if row.held == 0 {
            self.spent.push(number);
        }
        row
    }

    /// A record goes out with the batch that is being made: the number of its origin there.
    pub(super) fn emit(&mut self, number: u32, batch: &mut TelemetryBuilder) -> u32 {
        self.let_go(number).leaving.received += 1;
        self.number_in(number, batch)
    }

    /// A span that was made up goes out beside the spans of a request.
    pub(super) fn create(&mut self, number: u32, batch: &mut TelemetryBuilder) -> u32 {
        self.rows[number as usize].leaving.created += 1;
        self.number_in(number, batch)
    }

    fn number_in(&mut self, number: u32, batch: &mut TelemetryBuilder) -> u32 {
        let row = &mut self.rows[number as usize];
        if let Some(number) = row.leaving.number {
            return number;
        }
        let Some(origin) = &mut row.origin else { unreachable!("a record that can go out has been held") };
        let empty = Origin { share: origin.share.take(0), source: Arc::clone(&origin.source), received_at: origin.received_at };
        let there = batch.origin(empty);
        row.leaving.number = Some(there);
        self.leaving.push(number);
        there
    }

    /// Gives the batch the units of what was pushed into it.
    pub(super) fn pay(&mut self, batch: &mut TelemetryBuilder) {
        for number in self.leaving.drain(..) {
            let row = &mut self.rows[number as usize];
            let Leaving { number, received, created } = std::mem::take(&mut row.leaving);
            let (Some(there), Some(origin)) = (number, &mut row.origin) else { continue };
            let share = &mut batch.origin_mut(there).share;
            if let Err(stranger) = share.join(origin.share.take(received)) {
                debug_assert!(false, "a share does not know its own part: {stranger:?}");
                stranger.settle(Fate::Lost(Cause::UNACCOUNTED));
            }
            share.create(created);
        }
    }

    /// Ends a turn: tells the ledger what ended, and closes rows that nothing names any longer.
    pub(super) fn settle(&mut self) {
        for Ended { row, fate, count } in self.ended.drain(..) {
            let row = &mut self.rows[row as usize];
            row.newest_end = 0;
            if let Some(origin) = &mut row.origin {
                origin.share.settle_some(count, fate);
            }
        }
        for number in self.spent.drain(..) {
            let row = &mut self.rows[number as usize];
            if row.held == 0 && row.origin.take().is_some() {
                self.free.push(number);
            }
        }
    }

    /// With nothing held, and everything told to the ledger, what a former peak took can go.
    pub(super) fn shrink(&mut self) {
        if self.len() == 0 {
            self.rows = Vec::new();
            self.free = Vec::new();
        }
    }

    /// The request itself; nothing while its batch is being taken in.
    pub(super) fn origin(&self, number: u32) -> Option<&Origin> {
        self.rows[number as usize].origin.as_ref()
    }

    /// Whether whoever sent it can send it again.
    pub(super) fn is_replayable(&self, number: u32) -> bool {
        self.rows[number as usize].origin.as_ref().is_some_and(|origin| origin.share.replayable())
    }

    /// Whether it came from there.
    pub(super) fn is_of(&self, number: u32, source: SourceTag) -> bool {
        self.rows[number as usize].origin.as_ref().is_some_and(|origin| origin.source.tag == source)
    }

    /// Rows in use.
    pub(super) fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    /// What a row costs.
    pub(super) const COST: u64 = size_of::<Row>() as u64;

    /// How many records name a row, if every share counts just those that name its own; a forgotten trace would show here.
    pub(super) fn audit(&self) -> Result<u64, RowsDoNotAdd> {
        let mut sum = 0;
        for row in &self.rows {
            let owed = row.origin.as_ref().map_or(0, |origin| origin.share.count());
            if owed != row.held {
                return Err(RowsDoNotAdd { owed, held: row.held });
            }
            sum += owed;
        }
        Ok(sum)
    }
}

/// A request's share does not count what is held of it: a bug of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request's share counts {owed} spans where {held} are held")]
pub struct RowsDoNotAdd {
    owed: u64,
    held: u64,
}

//! What lies in the queue: batches that will be sent together, and how much that is.

use std::ops::{AddAssign, SubAssign};

use tracetailor_core::component::Parcel;
use tracetailor_core::config::Sizer;
use tracetailor_core::ledger::{Cause, Fate};
use tracetailor_core::telemetry::Telemetry;

use super::settings::{BatchUnit, Batching};

/// Batches that are sent as one request, and what they count for.
#[derive(Debug)]
pub(super) struct Request {
    /// The way that all of it goes.
    pub(super) way: u32,
    batch: Telemetry,
    /// What was gathered with it. They become one batch when the request is sent, outside of the queue's lock.
    more: Vec<Telemetry>,
    pub(super) load: Load,
    /// Whether it goes out however small it is.
    pub(super) flushed: bool,
}

/// How much of everything that queues are bounded by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Batches as they were pushed.
    pub(super) requests: u64,
    pub(super) items: u64,
    /// As they will be sent.
    pub(super) bytes: u64,
    /// Memory that they keep.
    pub(super) memory: u64,
}

impl Load {
    /// Of one batch that is pushed into a queue of this sizer. The bytes as they will be sent take longest to find, and few ask for them.
    pub(super) fn of(batch: &Telemetry, wants_bytes: bool) -> Load {
        let memory = batch.pinned() as u64;
        let bytes = if wants_bytes { batch.emitted_bound() as u64 } else { memory };
        Load { requests: 1, items: batch.len() as u64, bytes, memory }
    }

    pub(super) fn in_units_of(self, sizer: Sizer) -> u64 {
        match sizer {
            Sizer::Requests => self.requests,
            Sizer::Items => self.items,
            Sizer::Bytes => self.bytes,
        }
    }

    pub(super) fn in_unit(self, unit: BatchUnit) -> u64 {
        match unit {
            BatchUnit::Items => self.items,
            BatchUnit::Bytes => self.bytes,
        }
    }

    /// Splits off what so many of its items count for. Requests cannot be halved: what is split off first takes them all.
    pub(super) fn take(&mut self, items: u64) -> Load {
        let part = |of: u64| (u128::from(of) * u128::from(items) / u128::from(self.items.max(1))) as u64;
        let taken = Load { requests: self.requests, items, bytes: part(self.bytes), memory: part(self.memory) };
        *self -= taken;
        taken
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Load) {
        self.requests += other.requests;
        self.items += other.items;
        self.bytes += other.bytes;
        self.memory += other.memory;
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, other: Load) {
        self.requests -= other.requests;
        self.items -= other.items;
        self.bytes -= other.bytes;
        self.memory -= other.memory;
    }
}

impl Request {
    pub(super) fn new(parcel: Parcel, load: Load) -> Self {
        Self { way: parcel.way, batch: parcel.batch, more: Vec::new(), load, flushed: false }
    }

    /// Sends another along with this one.
    pub(super) fn add(&mut self, other: Request) {
        self.load += other.load;
        self.more.push(other.batch);
        self.more.extend(other.more);
    }

    /// The same, to go out however small it is.
    pub(super) fn flushed(self) -> Self {
        Self { flushed: true, ..self }
    }

    /// The first of its batches: what a partition is told by.
    pub(super) fn first(&self) -> &Telemetry {
        &self.batch
    }

    /// One batch of all that was gathered.
    pub(super) fn merge(self) -> Telemetry {
        let Request { mut batch, more, .. } = self;
        more.into_iter().for_each(|other| join(&mut batch, other));
        batch
    }

    /// Merges what was gathered, and splits what is more than one request may be: the first request, and the rest in order.
    pub(super) fn cut(self, batching: &Batching) -> (Request, Vec<Request>) {
        let most = usize::try_from(batching.most).unwrap_or(usize::MAX);
        let (mut load, flushed, way) = (self.load, self.flushed, self.way);
        let batch = self.merge();
        let mut parts = match batching.unit {
            _ if most == 0 => vec![batch],
            BatchUnit::Items => batch.split_by_count(most),
            BatchUnit::Bytes => batch.split_by_size(most),
        };
        // From the end: the request is here until its last part has gone.
        let mut rest: Vec<Request> = Vec::with_capacity(parts.len());
        while parts.len() > 1
            && let Some(batch) = parts.pop()
        {
            let load = load.take(batch.len() as u64);
            rest.push(Request { way, batch, more: Vec::new(), load, flushed });
        }
        rest.reverse();
        let first = parts.into_iter().map(|batch| Request { way, batch, more: Vec::new(), load, flushed }).next();
        (first.unwrap_or_else(|| unreachable!("a batch is split into at least one")), rest)
    }
}

/// Makes one batch of two.
pub(super) fn join(batch: &mut Telemetry, other: Telemetry) {
    if let Err(differs) = batch.append(other) {
        // A queue has one signal, so this is never reached; if it were, the books would say so.
        debug_assert!(false, "{differs}");
        differs.other.settle(Fate::Lost(Cause::UNACCOUNTED));
    }
}

//! Where records lie: one behind the other in chunks of bytes, the oldest chunk of which goes when there are too many.
//!
//! Each lane writes into a ring of its own, under a lock for which only a reader ever waits with it. A reader takes the chunks that are
//! full as they are, copies the one that is being written, and searches without the lock.

use std::collections::VecDeque;
use std::sync::Arc;

use tracetailor_core::telemetry::TraceId;
use tracetailor_core::time::LogTime;

/// A chunk is full with so many bytes.
const CHUNK: usize = 32 * 1024;

/// What a record may take on average; beyond it fewer are held than asked for.
pub(super) const BYTES_PER_RECORD: usize = 128;

/// In front of each record: its length, the time, the trace.
const FRONT: usize = 2 + 8 + 16;

/// The records of one lane.
#[derive(Debug, Default)]
pub(super) struct Ring {
    full: VecDeque<Arc<Chunk>>,
    open: Chunk,
    most: usize,
    /// In full chunks.
    records: usize,
    bytes: usize,
    /// Up to here records were let go.
    gone: Option<LogTime>,
    /// The record to which late spans are added, by its place in the open chunk.
    late: Option<(TraceId, usize)>,
}

/// Some records.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    records: usize,
    last: LogTime,
}

/// A record as it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Raw<'a> {
    pub(super) when: LogTime,
    pub(super) trace: TraceId,
    pub(super) body: &'a [u8],
}

/// All records of a lane at one moment.
#[derive(Debug)]
pub(super) struct Snapshot(Vec<Arc<Chunk>>);

impl Ring {
    /// How many it may hold from now on.
    pub(super) fn set_most(&mut self, most: usize) {
        self.most = most;
        self.trim();
    }

    /// Writes a record.
    pub(super) fn push(&mut self, when: LogTime, trace: TraceId, body: &[u8]) {
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
        let body = &body[..usize::from(length)];
        if self.open.bytes.len() + FRONT + body.len() > CHUNK || self.open.records > self.most / 16 {
            self.seal();
        }
        let Chunk { bytes, records, last } = &mut self.open;
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&when.0.to_le_bytes());
        bytes.extend_from_slice(&trace.0);
        bytes.extend_from_slice(body);
        (*records, *last) = (*records + 1, when);
        self.late = None;
        self.trim();
    }

    /// Changes the newest record, if it is one that was written here for the same trace; else writes one, and changes that.
    pub(super) fn amend(&mut self, when: LogTime, trace: TraceId, first: &[u8], change: impl FnOnce(&mut [u8])) {
        if let Some((_, place)) = self.late.filter(|(known, _)| *known == trace) {
            return change(&mut self.open.bytes[place..]);
        }
        self.push(when, trace, first);
        if let Some(place) = self.open.bytes.len().checked_sub(first.len()).filter(|_| self.open.records > 0) {
            change(&mut self.open.bytes[place..]);
            self.late = Some((trace, place));
        }
    }

    /// What it holds now. Nothing of it changes any longer.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot(self.full.iter().cloned().chain([Arc::new(self.open.clone())]).collect())
    }

    /// How many records it holds, and in how many bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.records + self.open.records, self.bytes + self.open.bytes.len())
    }

    /// Up to here records were let go.
    pub(super) fn gone(&self) -> Option<LogTime> {
        self.gone
    }

    fn seal(&mut self) {
        let full = std::mem::take(&mut self.open);
        self.late = None;
        if full.records == 0 {
            return;
        }
        (self.records, self.bytes) = (self.records + full.records, self.bytes + full.bytes.len());
        // Filled to the same brim as the one before, as a rule.
        self.open.bytes.reserve(full.bytes.len());
        self.full.push_back(Arc::new(full));
    }

    fn trim(&mut self) {
        while self.size().0 > self.most || self.size().1 > self.most * BYTES_PER_RECORD {
            if self.full.is_empty() {
                if self.open.records == 0 {
                    return;
                }
                self.seal();
            }
            let Some(oldest) = self.full.pop_front() else { return };
            (self.records, self.bytes) = (self.records - oldest.records, self.bytes - oldest.bytes.len());
            self.gone = Some(oldest.last);
        }
    }
}

impl Snapshot {
    /// Every record, the oldest first.
    pub(super) fn records(&self) -> impl Iterator<Item = Raw<'_>> {
        self.0.iter().flat_map(|chunk| Records(&chunk.bytes))
    }
}

/// The records of a chunk.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (when, rest) = rest.split_first_chunk::<8>()?;
        let (trace, rest) = rest.split_first_chunk::<16>()?;
        let (body, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
        self.0 = rest;
        Some(Raw { when: LogTime(u64::from_le_bytes(*when)), trace: TraceId(*trace), body })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: u64) -> TraceId {
        let mut id = TraceId([0; 16]);
        id.0[8..].copy_from_slice(&n.to_be_bytes());
        id
    }

    fn ring(most: usize) -> Ring {
        let mut ring = Ring::default();
        ring.set_most(most);
        ring
    }

    proptest! {
        #[test]
        fn it_holds_the_newest_and_no_more_than_it_may(most in 0usize..400, lengths in proptest::collection::vec(0usize..300, 0..600)) {
            let mut ring = ring(most);
            for (n, length) in lengths.iter().enumerate() {
                ring.push(LogTime(n as u64), id(n as u64), &vec![n as u8; *length]);
                let (records, bytes) = ring.size();
                prop_assert!(records <= most && bytes <= most * BYTES_PER_RECORD);
            }
            let snapshot = ring.snapshot();
            let held: Vec<_> = snapshot.records().collect();
            prop_assert_eq!(held.len(), ring.size().0);
            let first = lengths.len() - held.len();
            for (n, raw) in (first..).zip(&held) {
                prop_assert_eq!((raw.when, raw.trace), (LogTime(n as u64), id(n as u64)));
                prop_assert!(raw.body.len() == lengths[n] && raw.body.iter().all(|byte| *byte == n as u8));
            }
            prop_assert_eq!(ring.gone().is_some(), first > 0);
            prop_assert!(first == 0 || ring.gone() == Some(LogTime(first as u64 - 1)));
        }
    }

    #[test]
    fn most_of_what_may_be_held_is() {
        let mut ring = ring(10_000);
        (0..50_000).for_each(|n| ring.push(LogTime(n), id(n), &[0; 30]));
        assert!((9_000..=10_000).contains(&ring.size().0), "{:?}", ring.size());
    }

    #[test]
    fn only_the_newest_record_is_changed() {
        let mut ring = ring(100);
        for (n, trace) in [(0, 1), (1, 1), (2, 2), (3, 1)] {
            ring.amend(LogTime(n), id(trace), &[1], |body| body[0] += 1);
        }
        ring.push(LogTime(4), id(1), &[9]);
        ring.amend(LogTime(5), id(1), &[1], |body| body[0] += 1);
        let snapshot = ring.snapshot();
        let bodies: Vec<&[u8]> = snapshot.records().map(|raw| raw.body).collect();
        assert_eq!(bodies, [&[3u8], &[2], &[2], &[9], &[2]]);
    }
}

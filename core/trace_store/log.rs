//! The segments of a lane: one being written, the others draining; every held byte lies in one of them.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::frame;
use super::pool::Pool;
use super::segment::{COLUMNS, Link, RecordAt, Segment, SegmentSize, narrow};
use crate::telemetry::Context;
use crate::telemetry::Head;

/// An append-only log in segments. A segment whose last record dies is freed whole.
///
/// Invariants: a live record's `before` is live too or [`RecordAt::NONE`]; every segment but the one being written has a live record.
#[derive(Debug)]
pub(super) struct Log {
    size: SegmentSize,
    /// By number; a number whose segment was freed is used again.
    segments: Vec<Option<Segment>>,
    free_numbers: Vec<u32>,
    /// The segment being written.
    writer: Option<u32>,
    contexts: KnownContexts,
    pool: Pool,
    tally: Tally,
    /// Segments with [`Segment::leaving`]; numbers of segments that are gone may be among them.
    sparse: Vec<u32>,
    sparse_below: u64,
}

/// What shares of a segment are told in.
pub(super) const WHOLE: u64 = 32;

/// What lies in the segments, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Live records: their bytes, their frames and their columns.
    pub(crate) live: u64,
    /// Contexts, in the segments that use them.
    pub(crate) contexts: u64,
    /// Everything ever written into segments that are still in use: what relocation could reclaim is this less the other two.
    pub(crate) filled: u64,
    /// Segments in use.
    pub(crate) segments: u64,
}

/// Which contexts the segment being written has already, and under which number.
#[derive(Debug, Default)]
struct KnownContexts {
    numbers: HashMap<u64, u32, RandomState>,
    /// The last one asked for: items of one context come in runs.
    last: Option<(u64, u32)>,
}

impl KnownContexts {
    fn number(&mut self, id: u64) -> Option<u32> {
        match self.last {
            Some((last, number)) if last == id => Some(number),
            _ => {
                let number = *self.numbers.get(&id)?;
                self.last = Some((id, number));
                Some(number)
            }
        }
    }

    fn keep(&mut self, id: u64, number: u32) {
        self.numbers.insert(id, number);
        self.last = Some((id, number));
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.last = None;
    }
}

impl Log {
    pub(super) fn new(segment_bytes: usize) -> Self {
        let size = SegmentSize::of(segment_bytes);
        Self {
            size,
            segments: Vec::new(),
            free_numbers: Vec::new(),
            writer: None,
            contexts: KnownContexts::default(),
            pool: Pool::new(),
            tally: Tally::default(),
            sparse: Vec::new(),
            sparse_below: 0,
        }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Frees pooled segments that nobody needed since the last time.
    pub(super) fn trim_pool(&mut self) {
        self.pool.trim();
    }

    pub(super) fn has_pooled(&self) -> bool {
        !self.pool.is_empty()
    }

    /// The memory of segments in use, and of those that wait to be used again.
    pub(super) fn memory(&self) -> (u64, u64) {
        (self.in_use().map(|(_, segment)| segment.memory()).sum(), self.pool.memory())
    }

    /// What one record of so many bytes costs: the unit of every budget.
    pub(super) fn cost(length: usize) -> u64 {
        (length + frame::ITEM + COLUMNS) as u64
    }

    /// What a held record costs.
    pub(super) fn cost_of(&self, at: RecordAt) -> u64 {
        u64::from(self.link(at).length) + COLUMNS as u64
    }

    /// Copies an item in.
    pub(super) fn append(&mut self, head: &Head, bytes: &[u8], context: &Arc<Context>, link: Link) -> RecordAt {
        let (segment, number) = self.room_for(frame::ITEM + bytes.len(), context);
        let Some(home) = &mut self.segments[segment as usize] else { unreachable!("room_for gives a segment in use") };
        let index = home.push(head, bytes, number, link);
        let cost = Self::cost(bytes.len());
        self.tally.live += cost;
        self.tally.filled += cost;
        RecordAt { segment, index }
    }

    /// A segment with room for an item, and the number that its context has there.
    fn room_for(&mut self, length: usize, context: &Arc<Context>) -> (u32, u32) {
        if let Some(writer) = self.writer {
            let known = self.contexts.number(context.id());
            let wanted = length + known.map_or_else(|| frame::context_length(context), |_| 0);
            if self.segment(writer).fits(wanted) {
                let number = known.unwrap_or_else(|| self.add_context(writer, context));
                return (writer, number);
            }
        }
        let wanted = length + frame::context_length(context);
        if wanted > self.size.bytes {
            let alone = self.start(Segment::with_size(SegmentSize { bytes: wanted, records: 1 }));
            return (alone, self.write_context(alone, context));
        }
        let writer = self.roll();
        (writer, self.add_context(writer, context))
    }

    /// Begins a new segment.
    fn roll(&mut self) -> u32 {
        if let Some(full) = self.writer.take() {
            let Self { size, segments, .. } = self;
            segments[full as usize].iter().for_each(|full| size.learn(full));
            self.free_if_dead(full);
            self.list_if_sparse(full);
        }
        self.contexts.clear();
        let empty = self.pool.take(self.size);
        let writer = self.start(empty);
        self.writer = Some(writer);
        writer
    }

    fn start(&mut self, segment: Segment) -> u32 {
        self.tally.segments += 1;
        if let Some(number) = self.free_numbers.pop() {
            self.segments[number as usize] = Some(segment);
            return number;
        }
        self.segments.push(Some(segment));
        narrow(self.segments.len() - 1)
    }

    fn add_context(&mut self, writer: u32, context: &Arc<Context>) -> u32 {
        let number = self.write_context(writer, context);
        self.contexts.keep(context.id(), number);
        number
    }

    fn write_context(&mut self, segment: u32, context: &Arc<Context>) -> u32 {
        let length = frame::context_length(context) as u64;
        self.tally.contexts += length;
        self.tally.filled += length;
        self.segment_mut(segment).add_context(context)
    }

    /// Lets go of a record. Its bytes may be gone after this.
    pub(super) fn kill(&mut self, at: RecordAt) {
        self.tally.live -= self.cost_of(at);
        let segment = self.segment_mut(at.segment);
        segment.kill(at.index);
        if segment.is_dead() {
            self.free_if_dead(at.segment);
        } else {
            self.list_if_sparse(at.segment);
        }
    }

    /// Lists a segment whose survivors should move, once.
    fn list_if_sparse(&mut self, number: u32) {
        if self.writer == Some(number) {
            return;
        }
        let share = self.sparse_below;
        if let Some(Some(segment)) = self.segments.get_mut(number as usize)
            && !segment.leaving
            && (segment.live() as u64) * WHOLE < segment.filled() as u64 * share
        {
            segment.leaving = true;
            self.sparse.push(number);
        }
    }

    /// Segments of which less lives than this, in parts of [`WHOLE`], are to be emptied.
    pub(super) fn set_sparse_below(&mut self, share: u64) {
        let rose = share > self.sparse_below;
        self.sparse_below = share;
        if rose {
            (0..self.segments.len()).for_each(|number| self.list_if_sparse(narrow(number)));
        }
    }

    /// Whether there may be a segment to be emptied.
    pub(super) fn has_sparse(&self) -> bool {
        !self.sparse.is_empty()
    }

    /// A segment to be emptied: the same again until it is.
    pub(super) fn next_sparse(&mut self) -> Option<u32> {
        while let Some(number) = self.sparse.last().copied() {
            if self.is_leaving(number) {
                return Some(number);
            }
            self.sparse.pop();
        }
        None
    }

    /// Frees a segment without a live record. The one being written is emptied in place: a lane that holds little writes the same one again.
    fn free_if_dead(&mut self, number: u32) {
        if !self.segment(number).is_dead() {
            return;
        }
        let filled = self.segment(number).filled() as u64;
        self.tally.filled -= filled;
        self.tally.contexts -= self.segment(number).context_bytes() as u64;
        if self.writer == Some(number) {
            self.contexts.clear();
            self.segment_mut(number).clear();
            return;
        }
        self.tally.segments -= 1;
        self.free_numbers.push(number);
        if let Some(segment) = self.segments[number as usize].take() {
            self.pool.give(segment, self.size);
        }
    }

    /// Copies a live record into the segment being written; the copy has the same link. The old one is the caller's to kill.
    pub(super) fn copy(&mut self, at: RecordAt) -> RecordAt {
        let old = self.segment(at.segment);
        let (head, link) = (*old.head(at.index), *old.link(at.index));
        let context = Arc::clone(old.context_of(&head));
        let (home, number) = self.room_for(link.length as usize, &context);
        debug_assert_ne!(home, at.segment, "relocated into the segment that it leaves");
        let cost = self.cost_of(at);
        self.tally.live += cost;
        self.tally.filled += cost;
        let index = match self.segments.get_disjoint_mut([at.segment as usize, home as usize]) {
            Ok([Some(old), Some(new)]) => new.push(&head, old.bytes_of(&head), number, link),
            _ => unreachable!("both are in use, and they are two"),
        };
        RecordAt { segment: home, index }
    }

    pub(super) fn item(&self, at: RecordAt) -> (&Head, &[u8], &Arc<Context>) {
        let segment = self.segment(at.segment);
        let head = segment.head(at.index);
        (head, segment.bytes_of(head), segment.context_of(head))
    }

    /// How many bytes an item has.
    pub(super) fn item_length(&self, at: RecordAt) -> usize {
        self.segment(at.segment).head(at.index).length as usize
    }

    pub(super) fn link(&self, at: RecordAt) -> &Link {
        self.segment(at.segment).link(at.index)
    }

    pub(super) fn link_mut(&mut self, at: RecordAt) -> &mut Link {
        self.segment_mut(at.segment).link_mut(at.index)
    }

    /// The segments in use, with their numbers.
    pub(super) fn in_use(&self) -> impl Iterator<Item = (u32, &Segment)> {
        (0..).zip(&self.segments).filter_map(|(number, segment)| Some((number, segment.as_ref()?)))
    }

    /// Whether the segment of that number is there and to be emptied: once it is, its number may be another's.
    pub(super) fn is_leaving(&self, number: u32) -> bool {
        matches!(self.segments.get(number as usize), Some(Some(segment)) if segment.leaving)
    }

    pub(super) fn segment(&self, number: u32) -> &Segment {
        match &self.segments[number as usize] {
            Some(segment) => segment,
            None => unreachable!("a live record names a segment in use"),
        }
    }

    pub(super) fn segment_mut(&mut self, number: u32) -> &mut Segment {
        match &mut self.segments[number as usize] {
            Some(segment) => segment,
            None => unreachable!("a live record names a segment in use"),
        }
    }

    #[cfg(test)]
    pub(super) fn live_records(&self) -> usize {
        self.in_use().map(|(_, segment)| segment.links().count()).sum()
    }

    /// The tally is what the segments add up to, and no dead segment but the one being written is kept.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let mut tally = Tally::default();
        for (number, segment) in self.in_use() {
            assert!(!segment.is_dead() || Some(number) == self.writer, "a dead segment is in use");
            assert!(!segment.leaving || self.sparse.contains(&number));
            let live: u64 = segment.links().map(|link| u64::from(link.length) + COLUMNS as u64).sum();
            assert_eq!(live, segment.live() as u64);
            tally.live += live;
            tally.contexts += segment.context_bytes() as u64;
            tally.filled += segment.filled() as u64;
            tally.segments += 1;
        }
        assert_eq!(tally, self.tally);
    }
}

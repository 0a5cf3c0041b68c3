//! Empty segments that wait to be filled again: few, and fewer when nobody wants them.

use super::segment::{Segment, SegmentSize};

/// How many empty segments a lane keeps at most. Between two wakes a lane at full load fills and frees about a dozen.
const MOST: usize = 16;

/// Keeps memory flat under steady load (an allocator would hand pages back and fetch them again), and lets it go when the load has gone.
#[derive(Debug)]
pub(super) struct Pool {
    free: Vec<Segment>,
    /// The fewest that were free since the pool was last trimmed: so many were not needed.
    unneeded: usize,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self { free: Vec::with_capacity(MOST), unneeded: 0 }
    }

    /// An empty segment, used before or new.
    pub(super) fn take(&mut self, size: SegmentSize) -> Segment {
        let segment = self.free.pop().unwrap_or_else(|| Segment::with_size(size));
        self.unneeded = self.unneeded.min(self.free.len());
        segment
    }

    /// Takes back what is not needed now. What was made for one large item, or for items of another size, is not kept.
    pub(super) fn give(&mut self, mut segment: Segment, size: SegmentSize) {
        if self.free.len() < MOST && segment.suits(size) {
            segment.clear();
            self.free.push(segment);
        }
    }

    /// Frees what lay unused since the last time.
    pub(super) fn trim(&mut self) {
        self.free.truncate(self.free.len() - self.unneeded);
        self.unneeded = self.free.len();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.is_empty()
    }

    /// The memory of those that wait.
    pub(super) fn memory(&self) -> u64 {
        self.free.iter().map(Segment::memory).sum()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size() -> SegmentSize {
        SegmentSize::of(4096)
    }

    fn pool_with(free: usize) -> Pool {
        let mut pool = Pool::new();
        let taken: Vec<Segment> = (0..free).map(|_| pool.take(size())).collect();
        taken.into_iter().for_each(|segment| pool.give(segment, size()));
        pool
    }

    #[test]
    fn keeps_no_more_than_its_cap() {
        assert_eq!(pool_with(MOST + 5).len(), MOST);
    }

    #[test]
    fn frees_what_nobody_wanted_for_a_while() {
        let mut pool = pool_with(5);
        pool.trim();
        assert_eq!(pool.len(), 5, "all of them were in use a moment ago");
        let segment = pool.take(size());
        pool.give(segment, size());
        pool.trim();
        assert_eq!(pool.len(), 1, "one was enough");
        pool.trim();
        assert!(pool.is_empty());
    }

    #[test]
    fn does_not_keep_odd_sizes() {
        let mut pool = Pool::new();
        pool.give(Segment::with_size(SegmentSize::of(10_000)), size());
        pool.give(Segment::with_size(SegmentSize { records: 2 * size().records, ..size() }), size());
        assert_eq!(pool.len(), 0);
    }
}

//! Keeping senders to the pace of a destination that is a little slower than they are.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// How long a queue is and how fast it gets shorter.
///
/// A queue is for a destination that is away. One that is there and only a little slower than its senders would fill it to the brim as
/// well, with memory that the system must clear first and that is cold by the time it is sent: the dearest way to be no faster
/// (docs/decisions/0018-senders-fall-in-with-the-pace.md has the figures). So before a request is admitted it pauses while the queue is
/// long, counting what was let in and is still being read, and sockets and windows carry that back to whoever sends. Where nothing leaves
/// the queue a pause is of no use, and there is none.
#[derive(Debug)]
pub(super) struct Pace {
    /// More bytes are a long queue.
    long: u64,
    /// Bytes that were admitted and have not arrived.
    coming: AtomicU64,
    /// Bytes in the queue or under way.
    waiting: AtomicU64,
    /// Bytes that ever left.
    gone: AtomicU64,
    /// How many requests need not pause, since the last pause was of no use.
    excused: AtomicU32,
}

/// A queue of more bytes for each lane is long: as much as it takes to keep a destination busy, and little more.
const LONG: u64 = 1 << 20;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// How many looks a pause has at most: long enough to make a difference, and short enough that nobody's client notices.
const LOOKS: u32 = 25;

/// After so many looks something must have left.
const PATIENCE: u32 = 5;

/// How many requests do not pause after a pause was of no use, unless something leaves meanwhile.
const EXCUSED: u32 = 500;

impl Pace {
    pub(super) fn new(lanes: usize) -> Self {
        let none = || AtomicU64::new(0);
        Self { long: LONG * lanes.max(1) as u64, coming: none(), waiting: none(), gone: none(), excused: AtomicU32::new(0) }
    }

    /// So many bytes were let in, and will be here when they have been read.
    pub(super) fn comes(&self, bytes: u64) {
        self.coming.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes that were let in have arrived, or never will.
    pub(super) fn comes_no_more(&self, bytes: u64) {
        self.coming.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn came(&self, bytes: u64) {
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn left(&self, bytes: u64) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        self.gone.fetch_add(bytes, Ordering::Relaxed);
        // It is there.
        self.excused.store(0, Ordering::Relaxed);
    }

    /// What waits for a destination of several that is left alone does not make the queue long for the others.
    pub(super) async fn fall_in(&self, left_alone: impl Fn() -> u64) {
        if !self.is_long(0) {
            return;
        }
        let left_alone = left_alone();
        if !self.is_long(left_alone) || self.is_excused() {
            return;
        }
        let before = self.gone.load(Ordering::Relaxed);
        for look in 0..LOOKS {
            tokio::time::sleep(LOOK).await;
            if !self.is_long(left_alone) {
                return;
            }
            if look + 1 == PATIENCE && self.gone.load(Ordering::Relaxed) == before {
                self.excused.store(EXCUSED, Ordering::Relaxed);
                return;
            }
        }
    }

    fn is_long(&self, left_alone: u64) -> bool {
        self.waiting.load(Ordering::Relaxed) + self.coming.load(Ordering::Relaxed) > self.long.saturating_add(left_alone)
    }

    fn is_excused(&self) -> bool {
        self.excused.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a request pauses, on a clock that tokio turns by itself; `left` bytes leave every millisecond.
    async fn pause(pace: &Pace, left: u64) -> Duration {
        let start = tokio::time::Instant::now();
        let leaving = async {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                pace.left(left.min(pace.waiting.load(Ordering::Relaxed)));
            }
        };
        tokio::select! {
            () = pace.fall_in(|| 0) => {}
            () = leaving => {}
        }
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_queue_pauses_nobody() {
        let pace = Pace::new(2);
        pace.came(2 * LONG);
        assert_eq!(pause(&pace, 0).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_let_in_counts_before_it_is_there() {
        let pace = Pace::new(1);
        pace.came(LONG);
        pace.comes(1);
        assert!(pause(&pace, 0).await >= LOOK);
        pace.comes_no_more(1);
        assert_eq!(pause(&pace, 0).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_queue_pauses_until_it_is_short_or_the_time_is_over() {
        let pace = Pace::new(1);
        pace.came(LONG + 100);
        assert!((LOOK..LOOK * 60).contains(&pause(&pace, 10).await));
        assert!(!pace.is_long(0));
        pace.came(LONG);
        assert!((LOOK * LOOKS..LOOK * (LOOKS + 5)).contains(&pause(&pace, 1).await));
    }

    #[tokio::test(start_paused = true)]
    async fn a_destination_that_is_away_soon_pauses_nobody() {
        let pace = Pace::new(1);
        pace.came(2 * LONG);
        assert!(pause(&pace, 0).await >= LOOK * PATIENCE);
        for _ in 0..EXCUSED {
            assert_eq!(pause(&pace, 0).await, Duration::ZERO);
        }
        assert!(pause(&pace, 0).await >= LOOK * PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_one_that_is_left_alone_makes_nobody_else_wait() {
        let pace = Pace::new(1);
        pace.came(2 * LONG);
        let start = tokio::time::Instant::now();
        pace.fall_in(|| LONG).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        pace.came(1);
        pace.fall_in(|| LONG).await;
        assert!(start.elapsed() >= LOOK * PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_destination_that_takes_something_is_there_again() {
        let pace = Pace::new(1);
        pace.came(2 * LONG);
        assert!(pause(&pace, 0).await >= LOOK * PATIENCE);
        assert_eq!(pause(&pace, 0).await, Duration::ZERO);
        pace.left(1);
        assert!(pause(&pace, 0).await >= LOOK * PATIENCE);
    }
}

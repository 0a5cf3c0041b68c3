//! A request in the books: what it still waits for, and whom to tell.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::books::{Books, Line};
use super::cause::Cause;
use super::column::Column;
use super::fate::Fate;
use super::share::Share;
use super::tally::{Tally, Tallying};

/// What a receiver can wait for before it answers. A receipt reaches one when each of its units has passed it or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Milestone {
    /// Held or queued by every part of the gateway that got some.
    Accepted,
    /// Safe from a crash of this process.
    Durable,
    /// At its end.
    Settled,
}

impl Milestone {
    /// Every milestone, in the order in which a unit passes them.
    pub const ALL: [Milestone; 3] = [Milestone::Accepted, Milestone::Durable, Milestone::Settled];

    /// This one and those behind it.
    fn onwards(self) -> impl DoubleEndedIterator<Item = Milestone> {
        Self::ALL.into_iter().filter(move |milestone| *milestone >= self)
    }
}

/// A receiver, as its receipts see it.
pub trait Settled: Send + Sync {
    /// A receipt has reached a milestone. Told once for each, in their order and one after the other, on whichever thread passed it
    /// last and with no lock held. `key` is what the receipt was opened with; the tally holds all units that had ended by then, so one
    /// who answers at `Accepted` sees what was rejected before it, and nothing of what will be.
    ///
    /// It runs in the middle of somebody's batch: it must not block, and must not panic.
    fn reached(&self, key: u64, milestone: Milestone, tally: &Tally);

    /// A reason for what will become of some of its units, told before they end: what a destination answered, where a client that waits for
    /// the end should hear it. Many may be told; most receivers need none.
    fn explained(&self, _key: u64, _why: &Explanation) {}

    /// Whether what is not settled will be read again, by this process after a restart or by another. At shutdown such units are
    /// left as they are; the others are hurried to an end.
    fn replayable(&self) -> bool {
        false
    }
}

/// Why units ended as they did, in words: what the books count only as a cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// What happened. It may reach a client, so it holds no credentials and nothing of other clients.
    pub message: String,
    /// The gRPC status code that says it best, where somebody answered with one.
    pub code: Option<i32>,
    /// When to try again, where somebody said so.
    pub retry_after: Option<Duration>,
}

/// The origin of what nobody waits for: telemetry that the gateway makes itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Settled for Nobody {
    fn reached(&self, _key: u64, _milestone: Milestone, _tally: &Tally) {}
}

/// A receiver's handle on one request. While it is open the receipt reaches no milestone, whatever became of its shares, so a receiver can
/// accept in several steps and into several lines. Close it (or drop it) when all is accepted: a receipt without units settles right then.
#[derive(Debug)]
#[must_use = "a receipt that is dropped is closed"]
pub struct Receipt(Arc<Account>);

impl Receipt {
    /// Opens the receipt of one request. `key` is the receiver's own and comes back with every milestone.
    pub fn open(books: &Books, origin: Arc<dyn Settled>, key: u64) -> Receipt {
        let account = Account::new(books, origin, key);
        // The handle's own unit: it keeps all milestones away until the handle is closed.
        account.wait_for(Milestone::Accepted, 1);
        Receipt(Arc::new(account))
    }

    /// Takes `n` items into a line, usually a pipeline's. The caller owns the share and sees to it that it ends.
    pub fn accept(&self, line: &Line, n: u64) -> Share {
        line.count(Column::Accepted, Cause::NONE, n);
        self.0.wait_for(Milestone::Accepted, n);
        Share::new(self.0.clone(), line.clone(), n)
    }

    /// The number that its shares [carry](Share::receipt_id).
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Nothing more will be accepted.
    pub fn close(self) {}
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.0.pass_all(Milestone::Accepted, 1);
    }
}

/// What all shares of a receipt have in common.
pub(super) struct Account {
    pub(super) id: u64,
    key: u64,
    origin: Arc<dyn Settled>,
    books: Books,
    /// For each milestone, the units that have not passed it. Once 0 it stays 0: only who holds a unit that has not passed may add others.
    waiting: [AtomicU64; Milestone::ALL.len()],
    tally: Tallying,
}

/// Numbers for receipts, over all books of the process: stages key their tables by them.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Account {
    fn new(books: &Books, origin: Arc<dyn Settled>, key: u64) -> Self {
        books.receipt_opened();
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self { id, key, origin, books: books.clone(), waiting: Default::default(), tally: Tallying::default() }
    }

    /// An account in the same books that nobody waits for, with `n` units that have yet to pass `ahead`.
    pub(super) fn for_nobody(&self, ahead: Milestone, n: u64) -> Arc<Account> {
        let account = Account::new(&self.books, Arc::new(Nobody), 0);
        account.wait_for(ahead, n);
        Arc::new(account)
    }

    pub(super) fn replayable(&self) -> bool {
        self.origin.replayable()
    }

    pub(super) fn explain(&self, why: &Explanation) {
        self.origin.explained(self.key, why);
    }

    pub(super) fn tally(&self, fate: Fate, n: u64) {
        self.tally.add(fate, n);
    }

    /// `n` more units that have yet to pass `ahead`. The caller holds one that has not passed it either, so no milestone is reached meanwhile.
    pub(super) fn wait_for(&self, ahead: Milestone, n: u64) {
        for milestone in ahead.onwards() {
            self.waiting[milestone as usize].fetch_add(n, Ordering::Relaxed);
        }
    }

    /// `n` more units on behalf of somebody who holds none. What the receipt has reached it has reached: gives the first milestone that the
    /// units can still hold up, at or after `ahead`, or none if the receipt has settled, in which case nothing was added.
    pub(super) fn rejoin(&self, ahead: Milestone, n: u64) -> Option<Milestone> {
        let add = |milestone: &Milestone| {
            let waiting = &self.waiting[*milestone as usize];
            waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| (left > 0).then(|| left + n)).is_ok()
        };
        // From the last to the first, so that each holds the door for the one before it.
        ahead.onwards().rev().take_while(add).last()
    }

    /// `n` units pass one milestone; whoever passes it last tells the receiver.
    pub(super) fn pass(&self, milestone: Milestone, n: u64) {
        // As with the count of an Arc: what others did before they passed is seen by whoever is last.
        if n == 0 || self.waiting[milestone as usize].fetch_sub(n, Ordering::AcqRel) != n {
            return;
        }
        self.origin.reached(self.key, milestone, &self.tally.read());
        if milestone == Milestone::Settled {
            self.books.receipt_settled();
        }
    }

    /// `n` units pass every milestone from `ahead` on. One after the other: a unit that is still being told of one milestone holds up the
    /// next, which is why a receiver hears of them in order without any lock.
    pub(super) fn pass_all(&self, ahead: Milestone, n: u64) {
        for milestone in ahead.onwards() {
            self.pass(milestone, n);
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({}, key {}, {:?})", self.id, self.key, self.tally.read())
    }
}

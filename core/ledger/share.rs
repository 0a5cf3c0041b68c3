//! A share of a receipt: so many units, in one line, that will end exactly once.

use std::cell::Cell;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::thread;

use super::books::Line;
use super::cause::Cause;
use super::column::Column;
use super::fate::{Fate, Retry};
use super::receipt::{Account, Explanation, Milestone};

/// Some units of one receipt, all in one line and past the same milestones. Whoever owns the share owes every unit of it a [`Fate`].
///
/// Dropping a share that has units left is a bug. They count as lost with the reason `unaccounted`, and debug builds panic after that;
/// in a thread that is unwinding they count as lost with the reason `panic`.
#[must_use = "a share that is dropped loses its units"]
pub struct Share {
    account: Arc<Account>,
    line: Line,
    count: u64,
    /// The first milestone that these units have not passed.
    ahead: Milestone,
}

impl Share {
    /// The caller has counted the units in the line and made the account wait for them.
    pub(super) fn new(account: Arc<Account>, line: Line, count: u64) -> Share {
        Share { account, line, count, ahead: Milestone::Accepted }
    }

    /// How many units it holds.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether it holds none, and may be dropped.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of its receipt, which no other receipt of this process has.
    pub fn receipt_id(&self) -> u64 {
        self.account.id
    }

    /// Whether units that are [left](Fate::Left) will be read again.
    pub fn replayable(&self) -> bool {
        self.account.replayable()
    }

    /// Whether its units have passed the milestone [`accepted`](Milestone::Accepted): then their client may have its answer already.
    pub fn is_accepted(&self) -> bool {
        self.ahead > Milestone::Accepted
    }

    /// Tells its receiver why some of its units are about to end as they do.
    pub fn explain(&self, why: &Explanation) {
        self.account.explain(why);
    }

    /// Splits off `n` units, of which there must be as many.
    pub fn take(&mut self, n: u64) -> Share {
        let n = self.at_most(n);
        self.count -= n;
        self.sibling(n)
    }

    /// Takes the units of a share of the same receipt, in the same line and past the same milestones; any other is given back.
    pub fn join(&mut self, mut other: Share) -> Result<(), Share> {
        if !Arc::ptr_eq(&self.account, &other.account) || !self.line.is(&other.line) || self.ahead != other.ahead {
            return Err(other);
        }
        self.count += mem::take(&mut other.count);
        Ok(())
    }

    /// As many units again, for one more destination. The receiver waits for both; milestones that these have passed, the copy has passed.
    pub fn copy(&self) -> Share {
        self.line.count(Column::Copied, Cause::NONE, self.count);
        self.account.wait_for(self.ahead, self.count);
        self.sibling(self.count)
    }

    /// `n` units more, for items that the gateway made itself and sends along with these.
    ///
    /// An empty share may be all that is left of a receipt. What that receipt has reached stays reached: the new units hold up only what is
    /// still to come, and if it has settled they go on under a receipt that nobody waits for.
    pub fn create(&mut self, n: u64) {
        if n == 0 {
            return;
        }
        self.line.count(Column::Created, Cause::NONE, n);
        if self.count > 0 {
            self.account.wait_for(self.ahead, n);
        } else if let Some(ahead) = self.account.rejoin(self.ahead, n) {
            self.ahead = ahead;
        } else {
            self.account = self.account.for_nobody(self.ahead, n);
        }
        self.count += n;
    }

    /// Goes over to another line of the same signal: at the fan-out, an exporter's; behind a connector, the next pipeline's.
    pub fn enter(&mut self, line: &Line) {
        debug_assert_eq!(self.line.signal(), line.signal(), "{self:?} cannot enter {line:?}");
        if self.line.is(line) {
            return;
        }
        // In before out, so that a live report never misses a unit in both lines.
        line.count(Column::MovedIn, Cause::NONE, self.count);
        self.line.count(Column::MovedOut, Cause::NONE, self.count);
        self.line = line.clone();
    }

    /// A store or a queue holds it: the receiver may answer.
    pub fn accepted(&mut self) {
        if self.ahead == Milestone::Accepted {
            self.ahead = Milestone::Durable;
            self.account.pass(Milestone::Accepted, self.count);
        }
    }

    /// A disk or a broker has it. What is durable is accepted too.
    pub fn durable(&mut self) {
        self.accepted();
        if self.ahead == Milestone::Durable {
            self.ahead = Milestone::Settled;
            self.account.pass(Milestone::Durable, self.count);
        }
    }

    /// Ends all units. Those that have ended hold up no milestone: the tally says what became of them.
    pub fn settle(mut self, fate: Fate) {
        self.settle_some(self.count, fate);
    }

    /// Ends `n` units, of which there must be as many.
    pub fn settle_some(&mut self, n: u64, fate: Fate) {
        let n = self.at_most(n);
        if n == 0 {
            return;
        }
        let fate = match fate {
            Fate::Left if !self.replayable() => Fate::Lost(Cause::NOT_REPLAYABLE),
            fate => fate,
        };
        self.count -= n;
        // Counted first and told last: a receiver that hears of a milestone finds the books up to date.
        self.line.count(fate.column(), fate.cause().unwrap_or(Cause::NONE), n);
        self.account.tally(fate, n);
        self.account.pass_all(self.ahead, n);
    }

    /// Ends all units because there is no time left: left where they will be read again, rejected for now where they will not.
    pub fn abandon(self, cause: Cause) {
        let fate = if self.replayable() { Fate::Left } else { Fate::Rejected { cause, retry: Retry::Later } };
        self.settle(fate);
    }

    /// Whoever asks for more than there is has miscounted. Release builds give what there is: no unit may end twice.
    fn at_most(&self, n: u64) -> u64 {
        debug_assert!(n <= self.count, "{n} units asked of {self:?}");
        n.min(self.count)
    }

    fn sibling(&self, count: u64) -> Share {
        Share { account: self.account.clone(), line: self.line.clone(), count, ahead: self.ahead }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        if is_after_panic() {
            return self.settle_some(self.count, Fate::Lost(Cause::PANIC));
        }
        let bug = format!("{self:?} was dropped before it was settled");
        self.settle_some(self.count, Fate::Lost(Cause::UNACCOUNTED));
        // The books are right again before anybody is told. Never reached while unwinding: a second panic would end the process.
        if cfg!(debug_assertions) {
            panic!("{bug}");
        }
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Share { account, line, count, ahead } = self;
        write!(f, "Share({count} units of receipt {}, {}, before {ahead:?})", account.id, line.name())
    }
}

thread_local! {
    /// Whether this thread is clearing up behind a panic that was caught.
    static AFTER_PANIC: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread unwinds, or clears up behind a panic that was caught: then whoever holds shares drops them as they are, and they count as
/// lost with the reason `panic`.
pub(crate) fn is_after_panic() -> bool {
    thread::panicking() || AFTER_PANIC.get()
}

/// Clears up behind a panic that was caught: shares that `clear` drops count as lost with the reason `panic`, as if the thread were still
/// unwinding. For whoever catches the panic of a component and must drop the component, with all it held.
pub fn after_panic<R>(clear: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            AFTER_PANIC.set(self.0);
        }
    }
    let _restore = Restore(AFTER_PANIC.replace(true));
    clear()
}

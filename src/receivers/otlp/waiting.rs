//! A request that waits to hear what became of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tracetailor_core::ledger::{Explanation, Milestone, Settled, Tally};

/// Where the ledger tells it. Mostly it has been told everything before it begins to wait.
#[derive(Debug)]
pub(super) struct Waiting {
    /// What the client waits for.
    milestone: Milestone,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    reached: Option<Tally>,
    is_settled: bool,
    explanation: Option<Explanation>,
    waker: Option<Waker>,
}

/// What was heard.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) tally: Tally,
    pub(super) is_settled: bool,
    pub(super) explanation: Option<Explanation>,
}

/// A request that was refused everywhere reaches all its milestones at once; so long is waited to see whether it did.
const AT_ONCE: Duration = Duration::from_millis(50);

impl Waiting {
    pub(super) fn new(milestone: Milestone) -> Self {
        Self { milestone, heard: Mutex::default() }
    }

    /// What was heard once the milestone was reached. Where as many items as there were have come to an end, and
    /// to no good one, it is worth a moment to learn whether these were all: there may be copies of them.
    pub(super) async fn answer(&self, items: u64) -> Answer {
        std::future::poll_fn(|task| match self.heard() {
            heard if heard.reached.is_some() => Poll::Ready(()),
            mut heard => {
                heard.waker = Some(task.waker().clone());
                Poll::Pending
            }
        })
        .await;
        if self.heard().may_be_refused(items) {
            let settled = std::future::poll_fn(|task| match self.heard() {
                heard if heard.is_settled => Poll::Ready(()),
                mut heard => {
                    heard.waker = Some(task.waker().clone());
                    Poll::Pending
                }
            });
            let _ = tokio::time::timeout(AT_ONCE, settled).await;
        }
        let mut heard = self.heard();
        Answer { tally: heard.reached.unwrap_or_default(), is_settled: heard.is_settled, explanation: heard.explanation.take() }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn may_be_refused(&self, items: u64) -> bool {
        let Some(tally) = self.reached.filter(|_| !self.is_settled) else { return false };
        tally.rejected_retryable + tally.rejected_for_good + tally.failed >= items
    }
}

impl Settled for Waiting {
    fn reached(&self, _key: u64, milestone: Milestone, tally: &Tally) {
        let mut heard = self.heard();
        heard.is_settled |= milestone == Milestone::Settled;
        if milestone >= self.milestone {
            heard.reached = Some(*tally);
        }
        let waker = heard.waker.take();
        drop(heard);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn explained(&self, _key: u64, why: &Explanation) {
        self.heard().explanation = Some(why.clone());
    }
}

//! Limits that a user wrote once and that hold for all lanes together: bytes held, traces held, verdicts remembered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A limit and what has been spent of it. Cloning gives another handle to the same limit, so a limit of 50,000 traces means 50,000 however
/// many lanes share it.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Spending>);

#[derive(Debug)]
struct Spending {
    limit: AtomicU64,
    spent: AtomicU64,
}

impl Budget {
    /// At most so much.
    pub fn new(limit: u64) -> Self {
        Self(Arc::new(Spending { limit: AtomicU64::new(limit), spent: AtomicU64::new(0) }))
    }

    /// As much as there is.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// The limit.
    pub fn limit(&self) -> u64 {
        self.0.limit.load(Ordering::Relaxed)
    }

    /// Another limit, after a reload. What has been spent stays spent; each lane that is over it gives back at its next turn.
    pub fn set_limit(&self, limit: u64) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    /// What all claims together have published.
    pub fn spent(&self) -> u64 {
        self.0.spent.load(Ordering::Acquire)
    }

    /// True when more than the limit is spent.
    pub fn is_over(&self) -> bool {
        self.spent() > self.limit()
    }

    /// True when all of the limit is spent, or more.
    pub fn is_used_up(&self) -> bool {
        self.spent() >= self.limit()
    }

    /// A lane's part in it.
    pub fn claim(&self) -> Claim {
        Claim { budget: self.clone(), published: 0, own: 0 }
    }
}

/// What one lane spends of a [`Budget`]. It counts in the lane and publishes once per batch, so that a shared limit costs one atomic
/// operation per batch instead of one per span. What it has published it gives back when it is dropped.
#[derive(Debug)]
pub struct Claim {
    budget: Budget,
    published: u64,
    own: u64,
}

impl Claim {
    /// Spends more.
    pub fn add(&mut self, amount: u64) {
        self.own += amount;
    }

    /// Spends so much in all, from now on.
    pub fn set(&mut self, amount: u64) {
        self.own = amount;
    }

    /// Gives back.
    pub fn sub(&mut self, amount: u64) {
        debug_assert!(amount <= self.own, "gave back {amount} of {}", self.own);
        self.own = self.own.saturating_sub(amount);
    }

    /// What this lane has spent, published or not.
    pub fn own(&self) -> u64 {
        self.own
    }

    /// The budget it is a part of.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Tells the others, and hears whether all together are over the limit.
    pub fn publish(&mut self) -> bool {
        let spent = &self.budget.0.spent;
        if self.own > self.published {
            spent.fetch_add(self.own - self.published, Ordering::AcqRel);
        } else if self.own < self.published {
            spent.fetch_sub(self.published - self.own, Ordering::AcqRel);
        }
        self.published = self.own;
        self.budget.is_over()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.budget.0.spent.fetch_sub(self.published, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_add_up_to_one_limit() {
        let budget = Budget::new(10);
        let (mut one, mut two) = (budget.claim(), budget.claim());
        one.add(6);
        assert!(!one.publish());
        two.add(5);
        assert_eq!(budget.spent(), 6, "nothing is told before it is published");
        assert!(two.publish());
        one.sub(1);
        assert!(!one.publish());
        assert_eq!(budget.spent(), 10);
    }

    #[test]
    fn a_claim_that_goes_gives_back_what_it_had_told() {
        let budget = Budget::new(10);
        let mut claim = budget.claim();
        claim.add(7);
        claim.publish();
        claim.add(2);
        drop(claim);
        assert_eq!(budget.spent(), 0);
    }

    #[test]
    fn a_lower_limit_holds_at_once() {
        let budget = Budget::unlimited();
        let mut claim = budget.claim();
        claim.add(7);
        assert!(!claim.publish());
        budget.set_limit(6);
        assert!(budget.is_over());
    }
}

//! Arbitrary ways to rewrite and damage bytes, which shrink to the few freedoms that a failure needs.

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::super::wire::{Freedom, Rewrite};

/// Some freedoms, taken in some places; [`wire::rewrite`](super::super::wire::rewrite) does it.
pub fn rewrites() -> BoxedStrategy<Rewrite> {
    (subsequence(Freedom::ALL.to_vec(), 0..=Freedom::ALL.len()), 1_u32..60, any::<u64>())
        .prop_map(|(freedoms, percent, seed)| Rewrite { freedoms, percent, seed })
        .boxed()
}

/// A seed for [`wire::damage`](super::super::wire::damage), which does not shrink: a neighbouring seed is another damage, not a smaller one.
pub fn damage_seed() -> BoxedStrategy<u64> {
    any::<u64>().no_shrink().boxed()
}

//! Where traces with a known truth come from. The rules were tuned on the first three; the others were only looked at for the table.

mod calls;
mod hub;
mod mesh;
mod messaging;
mod orders;
pub(crate) mod recorded;
mod shards;

use super::truth::TrueSpan;

/// A kind of system, of which there are worlds without number, and traces in each.
pub(crate) struct Topology {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// One sentence about it.
    pub(crate) story: &'static str,
    /// Whether the rules were tuned on it.
    pub(crate) is_for_tuning: bool,
    /// Whether messages go through it, which say little about time.
    pub(crate) is_messaging: bool,
    /// A trace, by the number of the world and the number of the trace.
    pub(crate) trace: fn(u64, u64) -> Vec<TrueSpan>,
}

/// All but the recorded ones.
pub(crate) const TOPOLOGIES: &[Topology] = &[
    Topology {
        name: "calls",
        story: "16 services with 3 instances each, which do the same few things again and again: calls one after the other, at once, and without waiting.",
        is_for_tuning: true,
        is_messaging: false,
        trace: calls::trace,
    },
    Topology {
        name: "orders",
        story: "a request that ends in a chain of messages, one consumer after the other.",
        is_for_tuning: true,
        is_messaging: true,
        trace: orders::trace,
    },
    Topology {
        name: "shards",
        story: "a search that asks its shards all at once, several of them in the same process.",
        is_for_tuning: true,
        is_messaging: false,
        trace: shards::trace,
    },
    Topology {
        name: "mesh",
        story: "services that call each other as chance has it, with retries, hedged calls, caches, and calls that are given up before they end.",
        is_for_tuning: false,
        is_messaging: false,
        trace: mesh::trace,
    },
    Topology {
        name: "hub",
        story: "one gateway that asks up to 25 services at once, with deep work inside of each.",
        is_for_tuning: false,
        is_messaging: false,
        trace: hub::trace,
    },
    Topology {
        name: "messaging",
        story: "producers with one to three consumers each, which begin tens of milliseconds later and outlive everybody; batch consumers among them.",
        is_for_tuning: false,
        is_messaging: true,
        trace: messaging::trace,
    },
];

//! Where items came from: what a batch remembers of the requests that it was made of.

use std::sync::Arc;

use crate::ledger::Share;
use crate::time::LogTime;

/// One request's part in a batch: the share of its receipt, and what the receiver knew of the sender.
/// Batches that are merged keep the origins of both; a batch that is split takes a part of each share along.
#[derive(Debug)]
pub struct Origin {
    /// How many items of that request are in this batch, and who waits to hear what becomes of them.
    pub share: Share,
    /// Who sent them.
    pub source: Arc<Source>,
    /// When the gateway received them.
    pub received_at: LogTime,
}

/// What a receiver knows of a sender, shared by everything that came the same way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The receiver's id, as in the configuration: `otlp/edge`.
    pub receiver: String,
    /// The tenant, where the receiver tells tenants apart.
    pub tenant: Option<String>,
    /// Client metadata that the receiver was asked to include: lower-case names, in the order received.
    pub metadata: Vec<(String, String)>,
    /// What of the source can be taken away again.
    pub tag: SourceTag,
}

/// A part of a source that can be taken away from this process: a Kafka partition and the generation in which it was assigned.
/// `SourceTag::NONE` for whoever just sends requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SourceTag {
    /// The partition, counted over all topics of the receiver, plus one.
    pub partition: u32,
    /// Counted up at every assignment, so that what is late is seen to be late.
    pub generation: u32,
}

impl SourceTag {
    /// Nothing that could be revoked.
    pub const NONE: SourceTag = SourceTag { partition: 0, generation: 0 };
}

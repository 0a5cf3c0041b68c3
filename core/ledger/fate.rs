//! How a unit ends: exactly once, and with the reason that its metric will carry.

use super::cause::Cause;
use super::column::Column;

/// The end of a unit. Whoever holds the share chooses it, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its destination said that it has it.
    Delivered,
    /// A rule that the user wrote left it out.
    Dropped(Cause),
    /// Turned away after admission, by us.
    Rejected {
        /// What turned it away.
        cause: Cause,
        /// Whether the sender may try again.
        retry: Retry,
    },
    /// Its destination would not take it, or could not in time.
    Failed(Cause),
    /// Set aside where a person can read it, with the reason.
    DeadLettered(Cause),
    /// A journal of ours has it now, and will account for it under a receipt of its own.
    Stored,
    /// Given up here because it will be read again: from a journal after a restart, or by whoever owns its partition next.
    /// Only for units whose origin [can be replayed](super::Share::replayable); others count as lost, because that is what they are.
    Left,
    /// Gone without having been decided about. No component chooses this: the ledger writes it for shares that were dropped, a
    /// supervisor for what a crash took. Anything but 0 is a bug of ours.
    Lost(Cause),
}

/// What the sender of a rejected unit should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Send it again: there was no room, and there will be.
    Later,
    /// Never send it again: it will be rejected again.
    Never,
}

impl Fate {
    /// The column of the books that counts it.
    pub fn column(self) -> Column {
        match self {
            Fate::Delivered => Column::Delivered,
            Fate::Dropped(_) => Column::Dropped,
            Fate::Rejected { .. } => Column::Rejected,
            Fate::Failed(_) => Column::Failed,
            Fate::DeadLettered(_) => Column::DeadLettered,
            Fate::Stored => Column::Stored,
            Fate::Left => Column::Left,
            Fate::Lost(_) => Column::Lost,
        }
    }

    /// Why, for the fates that need a reason.
    pub fn cause(self) -> Option<Cause> {
        match self {
            Fate::Dropped(cause) | Fate::Failed(cause) | Fate::DeadLettered(cause) | Fate::Lost(cause) => Some(cause),
            Fate::Rejected { cause, .. } => Some(cause),
            Fate::Delivered | Fate::Stored | Fate::Left => None,
        }
    }
}

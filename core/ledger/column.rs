//! The columns of the books, and one row of sums over them.

use std::ops::{AddAssign, Index, IndexMut};

/// What a line counts. Each column is on one [`Side`] of the sum.
// Whoever accepts and whoever delivers are different threads. In this order, a row of counters keeps the two on different cache lines: the
// four between them are only ever counted in the rows of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// Units that a receiver brought in, also those then rejected one by one.
    Accepted,
    /// Items that we made ourselves.
    Created,
    /// Units that a fork made of others, one for each further destination.
    Copied,
    /// Units that came from another line.
    MovedIn,
    /// Left out by a rule that the user wrote.
    Dropped,
    /// Turned away after admission.
    Rejected,
    /// Not taken by their destination.
    Failed,
    /// Set aside where a person can read them.
    DeadLettered,
    /// Gone without a decision: a bug of ours.
    Lost,
    /// Taken by their destination.
    Delivered,
    /// Taken by a journal of ours.
    Stored,
    /// Given up because they will be read again.
    Left,
    /// Units that went to another line.
    MovedOut,
}

/// The two sides of the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where units come from.
    In,
    /// Where units go.
    Out,
}

impl Column {
    /// Every column, in the order in which tables show them.
    pub const ALL: [Column; 13] = [
        Column::Accepted,
        Column::Created,
        Column::Copied,
        Column::MovedIn,
        Column::MovedOut,
        Column::Delivered,
        Column::Dropped,
        Column::Rejected,
        Column::Failed,
        Column::DeadLettered,
        Column::Stored,
        Column::Left,
        Column::Lost,
    ];

    /// What it is called in a counter's name: `dead_lettered`.
    pub fn name(self) -> &'static str {
        match self {
            Column::Accepted => "accepted",
            Column::Created => "created",
            Column::Copied => "copied",
            Column::MovedIn => "moved_in",
            Column::MovedOut => "moved_out",
            Column::Delivered => "delivered",
            Column::Dropped => "dropped",
            Column::Rejected => "rejected",
            Column::Failed => "failed",
            Column::DeadLettered => "dead_lettered",
            Column::Stored => "stored",
            Column::Left => "left",
            Column::Lost => "lost",
        }
    }

    /// The side of the sum that it is on.
    pub fn side(self) -> Side {
        match self {
            Column::Accepted | Column::Created | Column::Copied | Column::MovedIn => Side::In,
            _ => Side::Out,
        }
    }
}

/// One number per column: `sums[Column::Delivered]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums([u64; Column::ALL.len()]);

impl Sums {
    /// Everything on one side, added up.
    pub fn side(&self, side: Side) -> u64 {
        Column::ALL.into_iter().filter(|column| column.side() == side).map(|column| self[column]).sum()
    }
}

impl Index<Column> for Sums {
    type Output = u64;

    fn index(&self, column: Column) -> &u64 {
        &self.0[column as usize]
    }
}

impl IndexMut<Column> for Sums {
    fn index_mut(&mut self, column: Column) -> &mut u64 {
        &mut self.0[column as usize]
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        for column in Column::ALL {
            self[column] += other[column];
        }
    }
}

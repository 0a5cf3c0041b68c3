//! Whole traces, held as bytes.

mod budget;
mod context;
mod deadlines;
mod entries;
mod frame;
mod id_tables;
mod log;
mod pool;
mod segment;
mod structure;

pub use budget::{Budget, Claim};
pub use entries::Slot;
pub use structure::{Counts, Earliest, Structure};

//! Whole traces, held as bytes.

mod admission;
mod budget;
mod deadlines;
mod decision;
mod emission;
mod entries;
mod frame;
mod id_tables;
mod log;
mod memory;
mod pool;
mod relocation;
mod repair;
mod rows;
mod segment;
mod skeleton;
mod stages;
mod store;
mod structure;
mod upkeep;
mod view;

pub use budget::{Budget, Claim};
pub use entries::Slot;
pub use memory::{Known, Remember, SkeletonRef};
pub use repair::TraceOut;
pub use rows::RowsDoNotAdd;
pub use stages::{Decided, WholeTraces};
pub use store::{Limits, TraceStore, Unaccounted};
pub use structure::{Counts, Earliest, Structure};
pub use view::{Outline, Trace};

#[cfg(test)]
mod tests;

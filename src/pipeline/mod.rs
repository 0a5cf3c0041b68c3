//! What connects to what, and how it runs: admission, lanes, the way through processors, queues before exporters, shutdown, reload.

mod admission;
mod assembly;
pub mod export;
mod gateway;
mod graph;
mod lane;
mod mail;
mod memory;
mod reload;
mod same;
mod shards;
mod stages;
mod threads;

pub use assembly::StartError;
pub use export::Export;
pub use gateway::{Environment, Gateway};
pub use memory::Memory;

#[cfg(test)]
mod tests;

//! What connects to what, and how it runs: admission, lanes, the way through processors, queues before exporters, shutdown, reload.

pub mod export;
mod memory;

pub use memory::Memory;

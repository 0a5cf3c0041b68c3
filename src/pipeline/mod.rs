//! What connects to what, and how it runs: admission, lanes, the way through processors, queues before exporters, shutdown, reload.

mod memory;

pub use memory::Memory;

//! The store as a whole: stages over it, with everything that happens to it, against plain maps.

mod bench;
mod lanes;
mod lives;
mod log;
mod memory;
mod model;
mod phases;
mod random;

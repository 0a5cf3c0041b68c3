//! gRPC on top of HTTP/2, as far as unary calls go: the five bytes before a message, status codes, and what an answer says besides.
//!
//! Those who send and those who receive share it, so that what one writes the other reads.

mod code;
mod frame;
mod status;
mod wire;

pub use code::Code;
pub use frame::{FrameError, PREFIX, frame, put_prefix};
pub use status::{PartialSuccess, Status};

#[cfg(test)]
mod tests;

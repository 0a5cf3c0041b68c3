//! What the gateway says of itself: its log, its metrics, and the names of both in one place.

mod keys;

pub use keys::Telemetry;

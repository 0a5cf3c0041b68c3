//! Stand-in until the contract lands.
use crate::telemetry::Telemetry;
use crate::time::LogTime;

/// Stand-in.
#[derive(Debug, Default)]
pub struct Output {
    /// now
    pub now: LogTime,
    /// room
    pub room: usize,
    /// emitted
    pub emitted: Vec<Telemetry>,
}

impl Output {
    /// fn
    pub fn now(&self) -> LogTime {
        self.now
    }
    /// fn
    pub fn room(&self) -> usize {
        self.room
    }
    /// fn
    pub fn emit(&mut self, batch: Telemetry) {
        self.room = self.room.saturating_sub(batch.len());
        self.emitted.push(batch);
    }
}

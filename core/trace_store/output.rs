//! Stand-in until the contract lands.
#![expect(missing_docs, reason = "a stand-in")]
use crate::telemetry::Telemetry;
use crate::time::LogTime;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub items: usize,
    pub bytes: usize,
}

impl Room {
    pub const ENOUGH: Room = Room { items: usize::MAX, bytes: usize::MAX };
    pub const NONE: Room = Room { items: 0, bytes: 0 };
    pub fn is_used_up(self) -> bool {
        self.items == 0 || self.bytes == 0
    }
    pub(super) fn less(self, batch: &Telemetry) -> Room {
        Room { items: self.items.saturating_sub(batch.len()), bytes: self.bytes.saturating_sub(batch.size()) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "whoever has more must be called again"]
pub enum Progress {
    Done,
    More,
}

#[derive(Debug)]
pub struct Output {
    now: LogTime,
    room: Room,
    emitted: Vec<Telemetry>,
}

impl Output {
    pub fn new(now: LogTime, room: Room) -> Self {
        Self { now, room, emitted: Vec::new() }
    }
    pub fn now(&self) -> LogTime {
        self.now
    }
    pub fn room(&self) -> Room {
        self.room
    }
    pub fn wants_more(&self) -> bool {
        !self.room.is_used_up()
    }
    pub fn emit(&mut self, batch: Telemetry) {
        self.room = self.room.less(&batch);
        if !batch.is_empty() {
            self.emitted.push(batch);
        }
    }
    pub fn take(&mut self) -> Vec<Telemetry> {
        std::mem::take(&mut self.emitted)
    }
}

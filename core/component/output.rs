//! What a processor is given to work with: the time, the room that is left behind it, and the way on.

use crate::telemetry::Telemetry;
use crate::time::{Clock, LogTime};

/// How much more a lane can take from a processor before somebody must make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Items.
    pub items: usize,
    /// Bytes of items.
    pub bytes: usize,
}

impl Room {
    /// No limit.
    pub const ENOUGH: Room = Room { items: usize::MAX, bytes: usize::MAX };
    /// Nothing.
    pub const NONE: Room = Room { items: 0, bytes: 0 };

    /// True when nothing more is wanted.
    pub fn is_used_up(self) -> bool {
        self.items == 0 || self.bytes == 0
    }

    pub(super) fn less(self, batch: &Telemetry) -> Room {
        Room { items: self.items.saturating_sub(batch.len()), bytes: self.bytes.saturating_sub(batch.size()) }
    }
}

/// Whether a processor is through with what it was woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "whoever has more must be called again"]
pub enum Progress {
    /// Nothing is left to do now.
    Done,
    /// Room or time was used up first: call again when there is some.
    More,
}

/// The way on from a processor, for one call.
///
/// # Who owns the batch
///
/// A batch that is [emitted](Output::emit) belongs to the lane, which hands it to the next processor after this call returns. Emitting
/// never fails and never waits. So a batch has three ways to go and takes one of them: it is emitted, it is kept (and its share stays with
/// it), or it is settled.
///
/// # Room
///
/// A processor that only passes on need not look at the room: the lane asked before it called, and a lane without room takes no input.
/// One that *holds* telemetry and lets it go when its time has come looks before each thing it lets go, and stops at `false`:
///
/// ```
/// use std::collections::VecDeque;
/// use tracetailor_core::component::{Output, Progress};
/// use tracetailor_core::telemetry::Telemetry;
///
/// fn let_go(held: &mut VecDeque<Telemetry>, out: &mut Output) -> Progress {
///     while out.wants_more() {
///         match held.pop_front() {
///             Some(batch) => out.emit(batch),
///             None => return Progress::Done,
///         }
///     }
///     Progress::More
/// }
/// # let mut out = Output::new(Default::default(), tracetailor_core::component::Room::ENOUGH);
/// # assert_eq!(let_go(&mut VecDeque::new(), &mut out), Progress::Done);
/// ```
///
/// What it could not emit stays where it was and is asked for again. A slice may end in the middle of something large: room is what is
/// still wanted, not what is allowed, so one last batch may overshoot it.
#[derive(Debug)]
pub struct Output {
    now: LogTime,
    room: Room,
    /// When the slice is over, by a clock that runs on while this is at work; never for a call that is not cut into slices.
    until: Option<(Clock, LogTime)>,
    emitted: Vec<Telemetry>,
}

impl Output {
    /// For a call at a time, with so much room.
    pub fn new(now: LogTime, room: Room) -> Self {
        Self { now, room, until: None, emitted: Vec::new() }
    }

    /// The same, ending at a time by a clock that runs on meanwhile: how a lane keeps one processor from holding up all others. The clock is
    /// the lane's own, since it is asked often.
    #[must_use]
    pub fn until(mut self, clock: Clock, end: LogTime) -> Self {
        self.until = Some((clock, end));
        self
    }

    /// The time of this call. It stands still while the call runs and is the same again when the call is replayed, so deadlines and
    /// decisions hang on it and on no other clock.
    pub fn now(&self) -> LogTime {
        self.now
    }

    /// How much is still wanted.
    pub fn room(&self) -> Room {
        self.room
    }

    /// Whether to go on letting go what is held: there is room, and the slice of about a millisecond is not over.
    pub fn wants_more(&self) -> bool {
        !self.room.is_used_up() && self.until.as_ref().is_none_or(|(clock, end)| clock.now() < *end)
    }

    /// Hands a batch on. One that has become empty goes nowhere.
    pub fn emit(&mut self, batch: Telemetry) {
        self.room = self.room.less(&batch);
        if !batch.is_empty() {
            self.emitted.push(batch);
        }
    }

    /// What was emitted, in that order, for the lane to carry on.
    pub fn take(&mut self) -> Vec<Telemetry> {
        std::mem::take(&mut self.emitted)
    }
}

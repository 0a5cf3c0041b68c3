//! What happens to a processor in its life, as a list: requests, time, lack of room, a partition that goes elsewhere.

use std::time::Duration;

use super::{Driver, Progress, Room, Sink, SourceTag};
use crate::telemetry::Decoded;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// A client's request arrives.
    Receive(Decoded),
    /// A request arrives from a partition.
    ReceiveFrom(SourceTag, Decoded),
    /// Time passes, and the lane wakes the processor whenever it wants.
    Turn(Duration),
    /// Time passes, and the lane has other things to do.
    TurnAsleep(Duration),
    /// The lane has a slice of time, and so much room, for what is due.
    Slice(Room),
    /// From now on there is so much room.
    Room(Room),
    /// A partition is taken away. Nothing more is received from it.
    Forget(SourceTag),
}

/// A whole life: what happens, and how it ends. Made by [`arbitrary::scripts`](super::super::arbitrary::scripts), or by hand.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The slices with which the drain begins; then it gets all the room it wants.
    pub last_slices: Vec<Room>,
}

impl Driver {
    /// Lets one thing happen.
    pub fn step(&mut self, step: Step) {
        match step {
            Step::Receive(request) => self.receive(request),
            Step::ReceiveFrom(tag, request) if !self.forgotten.contains(&tag) => self.receive_from(tag, request),
            // A receiver sends nothing of a partition that it no longer has.
            Step::ReceiveFrom(..) => {}
            Step::Turn(by) => self.turn(by),
            Step::TurnAsleep(by) => self.turn_asleep(by),
            Step::Slice(room) => {
                let _more_or_not = self.wake_slice(room);
            }
            Step::Room(room) => self.set_room(room),
            Step::Forget(tag) => self.forget(tag),
        }
    }

    /// Lets all of it happen, drains the processor, and looks that nothing is left. Gives what was sent.
    pub fn play(mut self, script: Script) -> Sink {
        script.steps.into_iter().for_each(|step| self.step(step));
        for room in script.last_slices {
            if self.drain_slice(room) == Progress::Done {
                break;
            }
        }
        self.set_room(Room::ENOUGH);
        self.finish()
    }
}

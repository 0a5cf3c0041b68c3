//! The ways that requests go: one for most exporters, one for each back end for one that spreads over several. Each waits, and is left
//! alone, for itself, so that a back end that is away holds up nobody but its own.

use std::collections::VecDeque;

use tracetailor_core::config::Sizer;

use super::breaker::Breaker;
use super::request::{Load, Request};

/// One of them.
#[derive(Debug)]
pub(super) struct Way {
    number: u32,
    pub(super) ready: VecDeque<Request>,
    pub(super) breaker: Breaker,
    /// How many requests were taken, and have not ended.
    pub(super) under_way: usize,
    /// Everything of it that is here: on its way into the queue, waiting, gathered, or under way.
    pub(super) occupied: Load,
}

/// All that are in use.
#[derive(Debug, Default)]
pub(super) struct Ways {
    all: Vec<Way>,
    /// Which of them is asked first the next time.
    turn: usize,
}

impl Ways {
    /// One, made where it is not there.
    pub(super) fn of(&mut self, number: u32) -> &mut Way {
        let place = self.all.iter().position(|way| way.number == number).unwrap_or_else(|| {
            self.all.push(Way { number, ready: VecDeque::new(), breaker: Breaker::new(), under_way: 0, occupied: Load::default() });
            self.all.len() - 1
        });
        &mut self.all[place]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Way> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Way> {
        self.all.iter_mut()
    }

    /// True when nothing waits on any.
    pub(super) fn are_empty(&self) -> bool {
        self.all.iter().all(|way| way.ready.is_empty())
    }

    pub(super) fn push_back(&mut self, request: Request) {
        self.of(request.way).ready.push_back(request);
    }

    pub(super) fn push_front(&mut self, request: Request) {
        self.of(request.way).ready.push_front(request);
    }

    /// Everything that waits. It counts for its ways until it has left them.
    pub(super) fn drain(&mut self) -> Vec<Request> {
        self.all.iter_mut().flat_map(|way| way.ready.drain(..)).collect()
    }

    /// How much more all of them take, where there are so many, each with room of its own.
    pub(super) fn room(&self, sizer: Sizer, capacity: u64, there_are: usize) -> u64 {
        let used = || self.all.iter().filter(|way| way.occupied != Load::default());
        let unused = there_are.max(1).saturating_sub(used().count()) as u64;
        used().fold(capacity.saturating_mul(unused), |room, way| room.saturating_add(way.room(sizer, capacity)))
    }

    /// How much more the fullest takes.
    pub(super) fn least_room(&self, sizer: Sizer, capacity: u64) -> u64 {
        self.all.iter().map(|way| way.room(sizer, capacity)).min().unwrap_or(capacity)
    }

    /// Memory of what waits for those that are left alone.
    pub(super) fn left_alone(&self) -> u64 {
        self.all.iter().filter(|way| way.breaker.level() > 0).map(|way| way.occupied.memory).sum()
    }

    /// The first that `takes` says yes to, in turn.
    pub(super) fn first_that<T>(&mut self, mut takes: impl FnMut(&mut Way) -> Option<T>) -> Option<T> {
        let count = self.all.len();
        let turn = self.turn;
        (0..count).find_map(|step| {
            let place = (turn + step) % count;
            let taken = takes(&mut self.all[place])?;
            self.turn = place + 1;
            Some(taken)
        })
    }

    /// Forgets those on which nothing waits or is under way and that nobody leaves alone; with `all`, also those.
    pub(super) fn tidy(&mut self, all: bool) {
        self.all.retain(|way| way.number == 0 || way.occupied != Load::default() || way.under_way > 0 || (!all && way.breaker.level() > 0));
    }
}

impl Way {
    fn room(&self, sizer: Sizer, capacity: u64) -> u64 {
        capacity.saturating_sub(self.occupied.in_units_of(sizer))
    }
}

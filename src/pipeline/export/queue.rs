//! The queue before an exporter: what waits, what is gathered, what is under way, and who may take what next.

use std::sync::Arc;

use tokio::time::Instant;
use tracetailor_core::config::Sizer;

use super::breaker::{Leave, Role};
use super::gather::Gathering;
use super::request::{Load, Request};
use super::settings::{Mode, Settings};
use super::way::{Way, Ways};

/// One queue, shared by all lanes. It is only ever looked at under its lock, and nothing in it takes long.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) settings: Arc<Settings>,
    /// Requests in the order in which they will be sent, by the way that they go.
    pub(super) ways: Ways,
    /// How many ways there are. Each has all of the queue's room for itself, so that one which is away leaves the others theirs.
    there_are: usize,
    gathering: Gathering,
    /// Everything that is here: waiting, gathered, or under way.
    occupied: Load,
    /// How many requests have room, and are not in the queue.
    arriving: usize,
    /// When time is up, once no more input is to come.
    closed: Option<Instant>,
}

/// What a lane does next.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and a request is sent more often than anything else is done")]
pub(super) enum Next {
    /// Send this.
    Send(Request, Arc<Settings>, Role),
    /// Nothing before then, unless it is woken.
    At(Instant),
    /// Nothing, until it is woken.
    Wait,
    /// Time is up: this has not begun and never will.
    Abandon(Vec<Request>, Arc<Settings>),
    /// Nothing any more.
    Done,
}

/// Why the queue does not take a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    /// There is no room now.
    Full,
    /// All queues together hold what they may.
    Memory,
    /// There never will be: it is larger than the whole queue.
    Never,
    /// No more input is taken.
    Closed,
}

impl Queue {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings,
            ways: Ways::default(),
            there_are: 1,
            gathering: Gathering::default(),
            occupied: Load::default(),
            arriving: 0,
            closed: None,
        }
    }

    /// There are so many ways from now on.
    pub(super) fn spread_over(&mut self, ways: usize) {
        self.there_are = ways.max(1);
    }

    /// Sets room aside for a batch that is about to arrive; one whose clients have their answer is taken also where there is none. Of several
    /// ways none may have more than its part of the `memory` that all queues may hold.
    pub(super) fn reserve(&mut self, way: u32, load: Load, answered: bool, memory: u64) -> Result<(), Overflow> {
        if self.closed.is_some() {
            return Err(Overflow::Closed);
        }
        let (sizer, capacity) = (self.settings.sizer, self.settings.capacity);
        let wanted = load.in_units_of(sizer);
        if wanted > capacity {
            return Err(Overflow::Never);
        }
        let (there_are, way) = (self.there_are as u64, self.ways.of(way));
        if way.occupied.in_units_of(sizer).saturating_add(wanted) > capacity && !answered {
            return Err(Overflow::Full);
        }
        if there_are > 1 && way.occupied.memory.saturating_add(load.memory) > memory / there_are && !answered {
            return Err(Overflow::Memory);
        }
        way.occupied += load;
        self.occupied += load;
        self.arriving += 1;
        Ok(())
    }

    /// Takes in what was given room. True when a lane has something to do about it.
    pub(super) fn arrive(&mut self, request: Request, now: Instant) -> bool {
        self.arriving -= 1;
        // With every consumer of a way at work, whoever is through first comes by on its own.
        let has_work = self.ways.of(request.way).under_way < self.settings.consumers || self.closed.is_some();
        match &self.settings.batch {
            Some(batching) => self.gathering.add(request, batching, now, &mut self.ways),
            None => self.ways.push_back(request),
        }
        has_work
    }

    /// Puts back what was taken together with something else: what is large enough to be sent comes next, in this order.
    pub(super) fn put_back(&mut self, mut rest: Vec<Request>, now: Instant) {
        if let Some(batching) = &self.settings.batch
            && let Some(last) = rest.pop_if(|last| !last.flushed && last.load.in_unit(batching.unit) < batching.least)
        {
            self.gathering.add_again(last, batching, now);
        }
        rest.into_iter().rev().for_each(|request| self.ways.push_front(request));
    }

    /// What is there to do.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if let Some(deadline) = self.closed {
            self.gathering.flush(&mut self.ways);
            if now >= deadline && !self.ways.are_empty() {
                return Next::Abandon(self.ways.drain(), self.settings.clone());
            }
        }
        let flush = self.gathering.flush_due(now, &mut self.ways);
        if self.ways.are_empty() {
            return match (self.closed, flush) {
                (Some(_), _) if self.arriving == 0 => Next::Done,
                (_, Some(flush)) => Next::At(flush),
                (_, None) => Next::Wait,
            };
        }
        let mut until = [flush, self.closed].into_iter().flatten().min();
        let (settings, asks) = (self.settings.clone(), self.asks_breakers());
        let taken = self.ways.first_that(|way| match way.take(&settings, asks, now) {
            Ok(taken) => Some(taken),
            Err(then) => {
                until = [until, then].into_iter().flatten().min();
                None
            }
        });
        match (taken, until) {
            (Some((request, role)), _) => Next::Send(request, settings, role),
            (None, Some(until)) => Next::At(until),
            (None, None) => Next::Wait,
        }
    }

    /// Asks the breaker of a way.
    pub(super) fn may_send(&mut self, way: u32, now: Instant) -> Leave {
        if self.asks_breakers() { self.ways.of(way).breaker.ask(now) } else { Leave::Go(Role::Plain) }
    }

    /// Without a queue there is nowhere to wait, and at shutdown no time: then the destination is simply asked.
    fn asks_breakers(&self) -> bool {
        self.closed.is_none() && self.settings.mode == Mode::Queued
    }

    /// A request that was taken has ended, with all that came of it.
    pub(super) fn end(&mut self, way: u32, load: Load) {
        self.ways.of(way).under_way -= 1;
        self.leave(way, load);
        self.ways.tidy(false);
    }

    /// Takes everything out that has not begun, so that it can be prepared again. It keeps its room.
    pub(super) fn take_out(&mut self) -> Vec<Request> {
        self.gathering.flush(&mut self.ways);
        let waiting = self.ways.drain();
        waiting.iter().for_each(|request| self.ways.of(request.way).occupied -= request.load);
        self.arriving += waiting.len();
        self.ways.tidy(true);
        waiting
    }

    /// Puts in again what became of one of them.
    pub(super) fn put_in(&mut self, requests: Vec<Request>) {
        self.arriving -= 1;
        for request in requests {
            self.ways.of(request.way).occupied += request.load;
            self.ways.push_back(request);
        }
    }

    /// What was left of a request that was taken out has ended.
    pub(super) fn shed(&mut self, load: Load) {
        self.occupied -= load;
    }

    /// A request has ended.
    pub(super) fn leave(&mut self, way: u32, load: Load) {
        self.ways.of(way).occupied -= load;
        self.occupied -= load;
    }

    /// No more input. A second call can only bring the end nearer.
    pub(super) fn close(&mut self, deadline: Instant) {
        self.closed = Some(self.closed.map_or(deadline, |closed| closed.min(deadline)));
    }

    /// When time is up, once no more input is to come.
    pub(super) fn closed(&self) -> Option<Instant> {
        self.closed
    }

    /// What is here, in the sizer's unit.
    pub(super) fn size(&self) -> u64 {
        self.occupied.in_units_of(self.settings.sizer)
    }

    /// How many requests were taken, and have not ended.
    pub(super) fn under_way(&self) -> usize {
        self.ways.iter().map(|way| way.under_way).sum()
    }

    /// Where the breaker stands: of several, the one that is furthest from closed.
    pub(super) fn circuit(&self) -> i64 {
        self.ways.iter().map(|way| way.breaker.level()).max().unwrap_or_default()
    }

    /// Whatever was left alone may be asked at once.
    pub(super) fn relent(&mut self, now: Instant) {
        self.ways.iter_mut().for_each(|way| way.breaker.relent(now));
    }

    /// Whether a queue of requests, items or bytes can take so much more. Where senders wait for room, they wait for the fullest of several
    /// ways, so that nothing is turned away; else what another would take is let in.
    pub(super) fn room(&self) -> (Sizer, u64) {
        let Settings { sizer, capacity, blocks, .. } = *self.settings;
        let left = match blocks {
            _ if self.closed.is_some() => 0,
            true => self.ways.least_room(sizer, capacity),
            false => self.ways.room(sizer, capacity, self.there_are),
        };
        (sizer, left)
    }

    /// How much there is room for, in the sizer's unit.
    pub(super) fn capacity(&self) -> u64 {
        match self.settings.mode {
            Mode::Direct => 0,
            Mode::Queued => self.settings.capacity.saturating_mul(self.there_are as u64),
        }
    }

    /// Memory of what waits for ways that are left alone, where others are not.
    pub(super) fn left_alone(&self) -> u64 {
        if self.there_are > 1 { self.ways.left_alone() } else { 0 }
    }
}

impl Way {
    /// The next request, if one may go; else when to ask again, where that is known.
    fn take(&mut self, settings: &Settings, asks: bool, now: Instant) -> Result<(Request, Role), Option<Instant>> {
        if self.ready.is_empty() || self.under_way >= settings.consumers {
            return Err(None);
        }
        let role = match if asks { self.breaker.ask(now) } else { Leave::Go(Role::Plain) } {
            Leave::Go(role) => role,
            Leave::NotBefore(then) => return Err(Some(then)),
            Leave::AfterProbe => return Err(None),
        };
        let request = self.ready.pop_front().ok_or(None)?;
        self.under_way += 1;
        Ok((request, role))
    }
}

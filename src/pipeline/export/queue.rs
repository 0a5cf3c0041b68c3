//! The queue before an exporter: what waits, what is gathered, what is under way, and who may take what next.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;
use tracetailor_core::config::Sizer;

use super::breaker::{Breaker, Leave, Role};
use super::gather::Gathering;
use super::request::{Load, Request};
use super::settings::{Mode, Settings};

/// One queue, shared by all lanes. It is only ever looked at under its lock, and nothing in it takes long.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) settings: Arc<Settings>,
    pub(super) breaker: Breaker,
    /// Requests in the order in which they will be sent.
    ready: VecDeque<Request>,
    gathering: Gathering,
    /// Everything that is here: waiting, gathered, or under way.
    occupied: Load,
    /// How many requests have room, and are not in the queue yet.
    arriving: usize,
    /// How many requests were taken, and have not ended.
    under_way: usize,
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
            breaker: Breaker::new(),
            ready: VecDeque::new(),
            gathering: Gathering::default(),
            occupied: Load::default(),
            arriving: 0,
            under_way: 0,
            closed: None,
        }
    }

    /// Sets room aside for a batch that is about to arrive; one whose clients have their answer is taken also where there is none.
    pub(super) fn reserve(&mut self, load: Load, answered: bool) -> Result<(), Overflow> {
        if self.closed.is_some() {
            return Err(Overflow::Closed);
        }
        let (sizer, capacity) = (self.settings.sizer, self.settings.capacity);
        let wanted = load.in_units_of(sizer);
        if wanted > capacity {
            return Err(Overflow::Never);
        }
        if self.size().saturating_add(wanted) > capacity && !answered {
            return Err(Overflow::Full);
        }
        self.occupied += load;
        self.arriving += 1;
        Ok(())
    }

    /// Takes in what was given room. True when a lane has something to do about it.
    pub(super) fn arrive(&mut self, request: Request, now: Instant) -> bool {
        self.arriving -= 1;
        match &self.settings.batch {
            Some(batching) => self.gathering.add(request, batching, now, &mut self.ready),
            None => self.ready.push_back(request),
        }
        // With every consumer at work, whoever is through first comes by on its own.
        self.under_way < self.settings.consumers || self.closed.is_some()
    }

    /// Puts back what was taken together with something else: what is large enough to be sent comes next, in this order.
    pub(super) fn put_back(&mut self, mut rest: Vec<Request>, now: Instant) {
        if let Some(batching) = &self.settings.batch
            && let Some(last) = rest.pop_if(|last| !last.flushed && last.load.in_unit(batching.unit) < batching.least)
        {
            self.gathering.add_again(last, batching, now);
        }
        rest.into_iter().rev().for_each(|request| self.ready.push_front(request));
    }

    /// What is there to do.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if let Some(deadline) = self.closed {
            self.gathering.flush(&mut self.ready);
            if now >= deadline && !self.ready.is_empty() {
                return Next::Abandon(self.ready.drain(..).collect(), self.settings.clone());
            }
        }
        let flush = self.gathering.flush_due(now, &mut self.ready);
        if self.ready.is_empty() {
            return match (self.closed, flush) {
                (Some(_), _) if self.arriving == 0 => Next::Done,
                (_, Some(flush)) => Next::At(flush),
                (_, None) => Next::Wait,
            };
        }
        if self.under_way >= self.settings.consumers {
            return self.closed.map_or(Next::Wait, Next::At);
        }
        match self.may_send(now) {
            Leave::Go(role) => self.take(role),
            Leave::NotBefore(then) => Next::At(flush.map_or(then, |flush| flush.min(then))),
            Leave::AfterProbe => flush.map_or(Next::Wait, Next::At),
        }
    }

    /// Asks the breaker. Without a queue there is nowhere to wait, and at shutdown no time: then the destination is simply asked.
    pub(super) fn may_send(&mut self, now: Instant) -> Leave {
        if self.closed.is_some() || self.settings.mode == Mode::Direct { Leave::Go(Role::Plain) } else { self.breaker.ask(now) }
    }

    /// A request that was taken has ended, with all that came of it.
    pub(super) fn end(&mut self, load: Load) {
        self.under_way -= 1;
        self.occupied -= load;
    }

    /// A request that never began has ended.
    pub(super) fn leave(&mut self, load: Load) {
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
        self.under_way
    }

    fn take(&mut self, role: Role) -> Next {
        match self.ready.pop_front() {
            Some(request) => {
                self.under_way += 1;
                Next::Send(request, self.settings.clone(), role)
            }
            None => Next::Wait,
        }
    }

    /// Whether a queue of requests, items or bytes can take so much more.
    pub(super) fn room(&self) -> (Sizer, u64) {
        let left = if self.closed.is_some() { 0 } else { self.settings.capacity.saturating_sub(self.size()) };
        (self.settings.sizer, left)
    }
}

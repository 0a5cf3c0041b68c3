//! The connections that are open, and one watch over all of them: for those that are idle, too old, or too slow with their next request.
//!
//! A timer per request would be the dearest part of a small one. So a connection only counts what it does, and a watch that comes by now and
//! then compares with what it saw the last time.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::serve::{Closed, Limits};

/// What one connection does, and what it is told to do.
#[derive(Debug)]
pub(super) struct Link {
    lane: usize,
    /// Requests that are being answered.
    active: AtomicU32,
    /// Requests so far; wraps around.
    begun: AtomicU32,
    /// Whether anything came since the last request began: the beginning of another one.
    heard: AtomicBool,
    /// Bytes that came; wraps around. Written by the lane that serves the connection, and by nobody else.
    bytes: AtomicUsize,
    /// Whether it speaks HTTP/1, where what is heard between requests must be a request.
    is_http1: AtomicBool,
    order: AtomicU8,
    waker: AtomicWaker,
}

/// What a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Go on.
    None,
    /// Finish what is being answered and close.
    Finish,
    /// Close now, for this reason.
    Cut(Closed),
}

const NONE: u8 = 0;
const FINISH: u8 = 1;
const CUT: u8 = 2;

impl Link {
    /// So many bytes came.
    pub(super) fn heard(&self, bytes: usize) {
        self.bytes.store(self.bytes.load(Ordering::Relaxed).wrapping_add(bytes), Ordering::Relaxed);
        // Written only where it changes, as the line is read on every poll.
        if !self.heard.load(Ordering::Relaxed) {
            self.heard.store(true, Ordering::Relaxed);
        }
    }

    /// How many bytes came so far.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn speaks_http1(&self) {
        self.is_http1.store(true, Ordering::Relaxed);
    }

    /// A request begins. It ends when what is returned is dropped.
    pub(super) fn request(self: &Arc<Self>) -> Active {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.heard.store(false, Ordering::Relaxed);
        Active(self.clone())
    }

    /// What it is told; the waker is woken when that changes.
    pub(super) fn order(&self, waker: &Waker) -> Order {
        self.waker.register(waker);
        match self.order.load(Ordering::Acquire) {
            NONE => Order::None,
            FINISH => Order::Finish,
            code => Order::Cut(Closed::ALL[usize::from(code - CUT).min(Closed::ALL.len() - 1)]),
        }
    }

    fn tell(&self, order: Order) {
        let code = match order {
            Order::None => NONE,
            Order::Finish => FINISH,
            Order::Cut(why) => CUT + why as u8,
        };
        // Nobody who was told to close is told less.
        if self.order.fetch_max(code, Ordering::AcqRel) < code {
            self.waker.wake();
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Active(Arc<Link>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All connections of one listener.
#[derive(Debug)]
pub(super) struct Connections {
    open: Mutex<Vec<Watched>>,
    /// How many each lane serves.
    lanes: Vec<AtomicUsize>,
    one_less: Notify,
}

#[derive(Debug)]
struct Watched {
    link: Arc<Link>,
    since: Instant,
    /// How many requests had begun when the watch last came by, and since when nothing had changed.
    begun: u32,
    quiet_since: Instant,
    /// Since when the next request is on its way.
    coming_since: Option<Instant>,
    /// When it was told to finish.
    finishing_since: Option<Instant>,
    /// Whether that was for its age: the last requests of an old connection may take only so long, those before a stop as long as they need.
    is_old: bool,
}

/// An open connection's place among the others.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    pub(super) link: Arc<Link>,
}

impl Connections {
    pub(super) fn new(lanes: usize) -> Self {
        Self { open: Mutex::default(), lanes: (0..lanes).map(|_| AtomicUsize::new(0)).collect(), one_less: Notify::new() }
    }

    /// A place for one more, on the lane that serves the fewest.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let emptiest = self.lanes.iter().enumerate().min_by_key(|(_, count)| count.load(Ordering::Relaxed));
        let lane = emptiest.map_or(0, |(lane, _)| lane);
        self.lanes[lane].fetch_add(1, Ordering::Relaxed);
        let link = Arc::new(Link {
            lane,
            active: AtomicU32::new(0),
            begun: AtomicU32::new(0),
            heard: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            is_http1: AtomicBool::new(false),
            order: AtomicU8::new(NONE),
            waker: AtomicWaker::new(),
        });
        self.open().push(Watched::new(link.clone()));
        Place { connections: self.clone(), link }
    }

    pub(super) fn count(&self) -> usize {
        self.open().len()
    }

    /// Tells all of them to finish.
    pub(super) fn finish(&self) {
        let now = Instant::now();
        for watched in self.open().iter_mut() {
            watched.finish(now);
        }
    }

    /// Ends when fewer than so many are open.
    pub(super) async fn fewer_than(&self, most: usize) {
        loop {
            let one_less = self.one_less.notified();
            if self.count() < most {
                return;
            }
            one_less.await;
        }
    }

    /// Looks at all of them again and again.
    pub(super) async fn watch(&self, limits: &Limits) {
        let mut round = tokio::time::interval((limits.shortest() / 4).clamp(Duration::from_millis(20), Duration::from_secs(1)));
        round.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let now = round.tick().await;
            for watched in self.open().iter_mut() {
                watched.look(now, limits);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn lane(&self) -> usize {
        self.link.lane
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lanes[self.link.lane].fetch_sub(1, Ordering::Relaxed);
        let mut open = self.connections.open();
        if let Some(at) = open.iter().position(|watched| Arc::ptr_eq(&watched.link, &self.link)) {
            open.swap_remove(at);
        }
        drop(open);
        self.connections.one_less.notify_waiters();
    }
}

impl Watched {
    fn new(link: Arc<Link>) -> Self {
        let now = Instant::now();
        Self { link, since: now, begun: 0, quiet_since: now, coming_since: None, finishing_since: None, is_old: false }
    }

    fn look(&mut self, now: Instant, limits: &Limits) {
        let is_over = |limit: Option<Duration>, since: Instant| limit.is_some_and(|limit| now.saturating_duration_since(since) >= limit);
        if let Some(since) = self.finishing_since {
            // One that has nothing under way and does not go is gone itself, most likely.
            let is_left = self.link.active.load(Ordering::Relaxed) == 0 && is_over(Some(limits.leave_within), since);
            if is_left || (self.is_old && is_over(limits.age_grace, since)) {
                self.link.tell(Order::Cut(Closed::Age));
            }
            return;
        }
        let begun = self.link.begun.load(Ordering::Relaxed);
        let is_busy = begun != self.begun || self.link.active.load(Ordering::Relaxed) > 0;
        self.begun = begun;
        if is_busy {
            (self.quiet_since, self.coming_since) = (now, None);
        } else if self.link.is_http1.load(Ordering::Relaxed) && self.link.heard.load(Ordering::Relaxed) {
            let coming_since = *self.coming_since.get_or_insert(now);
            if is_over(limits.headers_within, coming_since) {
                self.link.tell(Order::Cut(Closed::SlowHeaders));
            }
        } else if is_over(limits.idle, self.quiet_since) {
            self.finish(now);
        }
        if is_over(limits.age, self.since) {
            self.is_old = true;
            self.finish(now);
        }
    }

    fn finish(&mut self, now: Instant) {
        self.finishing_since.get_or_insert(now);
        self.link.tell(Order::Finish);
    }
}

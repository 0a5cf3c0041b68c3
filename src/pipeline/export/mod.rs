//! What stands around every exporter, written once: queue, batching, retries, timeout, circuit breaker, taking apart what one bad item
//! spoils.
//!
//! An [`Export`] is one exporter for one signal. Lanes [push](Export::push) batches into it and never wait; its one queue is shared by all
//! lanes, and each lane [serves](Export::serve) it with an instance of the exporter of its own. Whoever pushes is the one that is woken, so
//! what a lane takes in it also sends, on its own thread, unless all its consumers are at work and another lane's are not.
//!
//! What happens to a request, from the outside in:
//!
//! | what | where |
//! |---|---|
//! | the exporter marks it, or takes it apart by where it goes | [`Exporter::prepare`] |
//! | room is asked for, or the batch is refused | `queue` |
//! | small batches are gathered | `gather` |
//! | large requests are split; bad ones are halved until the culprit is alone | `carrier` |
//! | an attempt waits until the destination may be asked again | `breaker` |
//! | attempts are repeated | `backoff` |
//! | one attempt, within its time | `attempt` |
//!
//! # Time
//!
//! Waits are tokio's: an attempt hangs on the network, so it cannot be replayed, and what waits for a timer must be counted by the clock that
//! the timer goes by. Only the [deadline](Export::close) comes from the gateway's clock.

mod attempt;
mod backoff;
mod breaker;
mod carrier;
mod dead_letters;
mod ends;
mod gather;
mod leave;
mod pace;
mod queue;
mod request;
mod reroute;
mod room;
mod serve;
mod settings;
mod told;
mod way;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use tracetailor_core::component::{BuildContext, ComponentId, Exporter, Parcel};
use tracetailor_core::config::{Delivery, Sizer};
use tracetailor_core::ledger::{Held, Line, LineName};
use tracetailor_core::telemetry::{Signal, Telemetry};
use tracetailor_core::time::{Clock, LogTime};

use super::memory::Memory;
use ends::Ends;
use pace::Pace;
use queue::{Overflow, Queue};
use request::{Load, Request};
pub use room::{Full, Room};
use settings::{Sender, Settings};
use told::Told;

/// One exporter for one signal, shared by all lanes.
pub struct Export {
    line: Line,
    clock: Clock,
    memory: Memory,
    queue: Mutex<Queue>,
    lanes: Vec<Slot>,
    /// Told when something left the queue.
    room: Notify,
    /// Told when the breaker opens or closes, and at shutdown: whoever waits before an attempt looks again.
    changed: Notify,
    held: Held,
    pace: Pace,
    ends: Ends,
    told: Told,
    /// How often what waits was prepared again.
    moves: AtomicU64,
    /// How often the destination took something.
    passes: AtomicU64,
    /// How often it called something bad data since then.
    refusals: AtomicU32,
}

/// What belongs to one lane.
#[derive(Default)]
struct Slot {
    wake: Notify,
    exporter: Mutex<Option<Arc<dyn Exporter>>>,
}

impl Export {
    /// For so many lanes. Without a `delivery` nothing stands around the exporter: no queue, no retry, no limit of time.
    pub fn new(
        id: &ComponentId,
        signal: Signal,
        delivery: Option<&Delivery>,
        context: &BuildContext,
        memory: &Memory,
        lanes: usize,
    ) -> Arc<Export> {
        let line = context.books.line(LineName::Exporter(id.to_string()), signal);
        let (queue, told) = (Queue::new(Settings::of(delivery)), Told::new(context, signal));
        told.capacity(&queue);
        Arc::new(Self {
            held: line.held("queue"),
            pace: Pace::new(lanes),
            line,
            clock: context.clock.clone(),
            memory: memory.clone(),
            queue: Mutex::new(queue),
            lanes: (0..lanes.max(1)).map(|_| Slot::default()).collect(),
            room: Notify::new(),
            changed: Notify::new(),
            ends: Ends::new(context),
            told,
            moves: AtomicU64::new(0),
            passes: AtomicU64::new(0),
            refusals: AtomicU32::new(0),
        })
    }

    /// Its line in the books.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// What can be pushed now.
    pub fn room(&self) -> Room {
        let (sizer, left) = self.lock().room();
        Room::of(sizer, left, self.memory.queue_room())
    }

    /// Why nothing can be pushed now, if nothing can.
    pub fn full(&self) -> Option<Full> {
        let (_, left) = self.lock().room();
        match left {
            0 => Some(Full::Queue),
            _ => (self.memory.queue_room() == 0).then_some(Full::Memory),
        }
    }

    /// What is full, for whoever is refused for it.
    pub(super) fn in_words(&self, full: Full) -> String {
        let exporter = self.told.exporter();
        match full {
            Full::Queue => {
                let settings = self.lock().settings.clone();
                let unit = match settings.sizer {
                    Sizer::Requests => "requests",
                    Sizer::Items => "items",
                    Sizer::Bytes => "bytes",
                };
                format!("the sending_queue of exporter {exporter} (queue_size {} {unit})", settings.capacity)
            }
            Full::Memory => {
                format!("the memory for sending queues (30 % of memory_limiter's soft limit), asked for by exporter {exporter},")
            }
        }
    }

    /// A request was refused at the door since nothing fits here.
    pub(super) fn refused_at_the_door(&self, full: Full) {
        self.told.full(full);
    }

    /// Ends when there may be room again. Whoever waits looks again, and bounds the wait.
    pub async fn room_made(&self) {
        let mut made = std::pin::pin!(self.room.notified());
        made.as_mut().enable();
        if !self.room().is_used_up() {
            return;
        }
        made.await;
    }

    /// Pauses while its queue is long and gets shorter, for a moment: called for whoever would make it longer.
    pub async fn fall_in(&self) {
        self.pace.fall_in(|| self.lock().left_alone()).await;
    }

    /// So many bytes were let in for it, until they have arrived or never will.
    pub(super) fn comes(&self, bytes: u64) {
        self.pace.comes(bytes);
    }

    pub(super) fn comes_no_more(&self, bytes: u64) {
        self.pace.comes_no_more(bytes);
    }

    /// Whether senders wait for room however long it takes (`block_on_overflow`), instead of being refused after a bounded wait.
    pub fn blocks_on_overflow(&self) -> bool {
        self.lock().settings.blocks
    }

    /// Takes a batch over from a lane. It never waits: what does not fit is turned away and counted.
    pub fn push(&self, lane: usize, mut batch: Telemetry) {
        batch.each_share(|share| share.enter(&self.line));
        if batch.is_empty() {
            // Its shares are empty, so nothing is settled.
            drop(batch.dissolve());
            return;
        }
        let settings = self.lock().settings.clone();
        for parcel in self.prepare(lane, batch) {
            let Parcel { way, batch } = parcel;
            match &settings.batch {
                Some(batching) => {
                    batching.apart(batch).into_iter().for_each(|batch| self.enqueue(lane, Parcel { way, batch }, &settings));
                }
                None => self.enqueue(lane, Parcel { way, batch }, &settings),
            }
        }
    }

    /// What the exporter makes of a batch before it is queued; nothing of what it took out is left.
    fn prepare(&self, lane: usize, batch: Telemetry) -> Vec<Parcel> {
        let Some(exporter) = self.slot(lane).exporter() else { return vec![Parcel { way: 0, batch }] };
        let items = batch.len();
        // What it held when it panicked is dropped on the way out, and counted as lost by that.
        let prepared = catch_unwind(AssertUnwindSafe(|| exporter.prepare(batch)));
        let Ok(mut parcels) = prepared else {
            self.told.panicked(items);
            return Vec::new();
        };
        parcels.extract_if(.., |parcel| parcel.batch.is_empty()).for_each(|parcel| drop(parcel.batch.dissolve()));
        parcels
    }

    fn enqueue(&self, lane: usize, parcel: Parcel, settings: &Settings) {
        let Parcel { way, mut batch } = parcel;
        let load = Load::of(&batch, settings.wants_bytes());
        // What a processor held was answered for long ago: to turn it away now would be to lose it. It is bounded by what processors
        // hold, and while the queue is full nothing new is admitted.
        let answered = batch.origins().iter().all(|origin| origin.share.is_accepted());
        if let Err(overflow) = self.reserve(way, load, answered) {
            return self.refuse(batch, overflow, settings);
        }
        self.memory.queue(load.memory as usize);
        self.pace.came(load.memory);
        self.held.add(load.items);
        if settings.sender == Sender::Answered {
            batch.each_share(|share| share.accepted());
        }
        let mut queue = self.lock();
        let has_work = queue.arrive(Request::new(Parcel { way, batch }, load), Instant::now());
        self.told.level(&queue);
        drop(queue);
        if has_work {
            self.slot(lane).wake.notify_one();
        }
    }

    /// Another exporter for a lane, from its next attempt on. What waits, stays.
    pub fn swap(&self, lane: usize, exporter: Box<dyn Exporter>) {
        self.spread_over(exporter.ways());
        *self.slot(lane).exporter.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::from(exporter));
    }

    /// So many ways there are from now on.
    fn spread_over(&self, ways: usize) {
        let mut queue = self.lock();
        queue.spread_over(ways);
        self.told.capacity(&queue);
    }

    /// Other settings, from the next request on. What waits, stays; a destination that was left alone is asked at once, since what it refused
    /// may be what was changed.
    pub fn reconfigure(&self, delivery: Option<&Delivery>) {
        let mut queue = self.lock();
        queue.settings = Settings::of(delivery);
        self.told.capacity(&queue);
        queue.relent(Instant::now());
        drop(queue);
        self.wake_all();
        self.room.notify_waiters();
    }

    /// No more input. What waits is sent until the deadline, once each; then what has not begun is given up, and what is under way ends by its
    /// own timeout.
    pub fn close(&self, deadline: LogTime) {
        let deadline = Instant::now() + deadline.since(self.clock.now());
        self.lock().close(deadline);
        self.wake_all();
        self.room.notify_waiters();
    }

    fn reserve(&self, way: u32, load: Load, answered: bool) -> Result<(), Overflow> {
        // Admission has looked at the room before, so the last to come may overshoot it: to refuse it now would be to lose it.
        if self.memory.queue_room() == 0 && !answered {
            return Err(Overflow::Memory);
        }
        self.lock().reserve(way, load, answered, self.memory.queue_limit())
    }

    /// Whatever a lane or a request waits for: it looks again.
    fn wake_all(&self) {
        self.changed.notify_waiters();
        self.lanes.iter().for_each(|slot| slot.wake.notify_one());
    }

    fn passed(&self) {
        self.passes.fetch_add(1, Ordering::Relaxed);
        self.refusals.store(0, Ordering::Relaxed);
    }

    fn slot(&self, lane: usize) -> &Slot {
        &self.lanes[lane % self.lanes.len()]
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn exporter(&self) -> Option<Arc<dyn Exporter>> {
        self.exporter.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("line", &self.line).field("room", &self.room()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! When each trace is to be decided: one wait for all, which makes a queue, and earlier wishes, which make a heap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::entries::{Entries, Slot, Ticket};
use crate::time::LogTime;

/// With one constant wait the order of arrival is the order of expiry, so a queue is enough and costs 8 bytes a trace. What a stage wishes
/// earlier goes into a heap. Neither is ever searched: an item whose trace is gone, was decided, or is wished for at another time is a
/// tombstone, known by its stamp or its time, and is passed over.
///
/// Invariants: every open trace has a ticket in the queue; an open trace whose `due` lies before its constant deadline has an item in the
/// heap at `scheduled`, and `scheduled <= due`.
#[derive(Debug)]
pub(super) struct Deadlines {
    wait: Duration,
    queue: VecDeque<Ticket>,
    early: BinaryHeap<Reverse<(LogTime, Ticket)>>,
}

impl Deadlines {
    pub(super) fn new(wait: Duration) -> Self {
        Self { wait, queue: VecDeque::new(), early: BinaryHeap::new() }
    }

    /// When a trace that is first seen now is due at the latest.
    pub(super) fn latest(&self, first_seen: LogTime) -> LogTime {
        first_seen + self.wait
    }

    /// Another wait, after a reload, also for what is held: the order of arrival stays the order of expiry.
    pub(super) fn set_wait(&mut self, wait: Duration, entries: &mut Entries) {
        let before = std::mem::replace(&mut self.wait, wait);
        for ticket in &self.queue {
            if let Some(slot) = entries.open_at(*ticket) {
                let entry = entries.get_mut(slot);
                let (was, is) = (entry.first_seen + before, entry.first_seen + wait);
                entry.due = if entry.due < was { entry.due.min(is) } else { is };
            }
        }
    }

    /// A trace was opened.
    pub(super) fn enter(&mut self, ticket: Ticket) {
        self.queue.push_back(ticket);
    }

    /// A stage wishes the trace decided at `wish`; with `None`, or later than the constant wait allows, the constant wait holds (again).
    pub(super) fn wish(&mut self, slot: Slot, wish: Option<LogTime>, entries: &mut Entries) {
        let latest = self.latest(entries.get(slot).first_seen);
        let ticket = entries.ticket(slot);
        let entry = entries.get_mut(slot);
        entry.due = wish.map_or(latest, |wish| wish.min(latest));
        // Postponed: the item that is there will find out when its time comes, and schedule itself again.
        if entry.due < latest && entry.due < entry.scheduled {
            entry.scheduled = entry.due;
            self.early.push(Reverse((entry.due, ticket)));
        }
    }

    /// The earliest time at which a trace may be due. Clears away what is stale, so that nobody is woken for nothing.
    pub(super) fn next(&mut self, entries: &mut Entries) -> Option<LogTime> {
        self.settle_wishes(entries);
        let oldest = self.oldest(entries).map(|slot| self.latest(entries.get(slot).first_seen));
        let wish = self.early.peek().map(|Reverse((due, _))| *due);
        [oldest, wish].into_iter().flatten().min()
    }

    /// A trace whose time has come, the longest due first within the queue and within the wishes.
    pub(super) fn due(&mut self, now: LogTime, entries: &mut Entries) -> Option<Slot> {
        self.settle_wishes(entries);
        if let Some(Reverse((due, ticket))) = self.early.peek()
            && *due <= now
        {
            return entries.open_at(*ticket);
        }
        self.oldest(entries).filter(|slot| self.latest(entries.get(*slot).first_seen) <= now)
    }

    /// The open trace that was seen first.
    pub(super) fn oldest(&mut self, entries: &Entries) -> Option<Slot> {
        while let Some(ticket) = self.queue.front() {
            if let Some(slot) = entries.open_at(*ticket) {
                return Some(slot);
            }
            self.queue.pop_front();
        }
        None
    }

    /// Brings a wish that is still meant to the top of the heap: drops tombstones, schedules anew what was postponed.
    fn settle_wishes(&mut self, entries: &mut Entries) {
        while let Some(Reverse((scheduled, ticket))) = self.early.peek().copied() {
            let Some(slot) = entries.open_at(ticket).filter(|slot| entries.get(*slot).scheduled == scheduled) else {
                self.early.pop();
                continue;
            };
            let entry = entries.get(slot);
            if entry.due == scheduled {
                return;
            }
            self.early.pop();
            let (latest, due) = (self.latest(entry.first_seen), entry.due);
            let again = due < latest;
            entries.get_mut(slot).scheduled = if again { due } else { LogTime::NEVER };
            if again {
                self.early.push(Reverse((due, ticket)));
            }
        }
    }

    /// Keeps the tombstones fewer than the living: where most traces are decided early, the queue would otherwise hold every trace of the
    /// last wait, however few are open.
    pub(super) fn sweep(&mut self, entries: &Entries) {
        let bound = 2 * entries.open_count() + SLACK;
        if self.queue.len() > bound {
            self.queue.retain(|ticket| entries.open_at(*ticket).is_some());
            self.queue.shrink_to(bound);
        }
        if self.early.len() > bound {
            self.early.retain(|Reverse((time, ticket))| entries.open_at(*ticket).is_some_and(|slot| entries.get(slot).scheduled == *time));
            self.early.shrink_to(bound);
        }
    }

    #[cfg(test)]
    fn lengths(&self) -> (usize, usize) {
        (self.queue.len(), self.early.len())
    }
}

/// So many tombstones are never worth a sweep.
const SLACK: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::entries::State;
    use super::*;
    use crate::telemetry::TraceId;

    const WAIT: u64 = 100;

    fn deadlines() -> (Deadlines, Entries) {
        (Deadlines::new(Duration::from_nanos(WAIT)), Entries::default())
    }

    fn open(deadlines: &mut Deadlines, entries: &mut Entries, trace: u64, now: u64) -> Slot {
        let id = TraceId(std::array::from_fn(|i| trace.to_le_bytes()[i % 8]));
        let now = LogTime(now);
        let slot = entries.open(entries.hash(id), id, State::Open, now, deadlines.latest(now));
        deadlines.enter(entries.ticket(slot));
        slot
    }

    #[test]
    fn a_wish_can_be_taken_back() {
        let (mut deadlines, mut entries) = deadlines();
        let slot = open(&mut deadlines, &mut entries, 1, 0);
        deadlines.wish(slot, Some(LogTime(10)), &mut entries);
        assert_eq!(deadlines.next(&mut entries), Some(LogTime(10)));
        deadlines.wish(slot, None, &mut entries);
        assert_eq!(deadlines.due(LogTime(99), &mut entries), None);
        assert_eq!(deadlines.due(LogTime(100), &mut entries), Some(slot), "the constant wait holds again");
    }

    #[test]
    fn a_wish_never_makes_a_trace_wait_longer() {
        let (mut deadlines, mut entries) = deadlines();
        let slot = open(&mut deadlines, &mut entries, 1, 0);
        deadlines.wish(slot, Some(LogTime(1000)), &mut entries);
        assert_eq!(deadlines.next(&mut entries), Some(LogTime(WAIT)));
    }

    #[test]
    fn another_wait_holds_for_what_is_held() {
        let (mut deadlines, mut entries) = deadlines();
        let plain = open(&mut deadlines, &mut entries, 1, 0);
        let wished = open(&mut deadlines, &mut entries, 2, 1);
        deadlines.wish(wished, Some(LogTime(60)), &mut entries);
        deadlines.set_wait(Duration::from_nanos(200), &mut entries);
        assert_eq!(deadlines.due(LogTime(150), &mut entries), Some(wished));
        entries.close(wished);
        assert_eq!(deadlines.due(LogTime(199), &mut entries), None);
        deadlines.set_wait(Duration::from_nanos(30), &mut entries);
        assert_eq!(deadlines.due(LogTime(30), &mut entries), Some(plain));
        assert_eq!(entries.get(plain).due, LogTime(30));
    }

    #[test]
    fn tombstones_stay_fewer_than_the_living() {
        let (mut deadlines, mut entries) = deadlines();
        for n in 0..10_000 {
            let slot = open(&mut deadlines, &mut entries, n, 0);
            deadlines.wish(slot, Some(LogTime(50)), &mut entries);
            entries.close(slot);
            deadlines.sweep(&entries);
        }
        let (queue, early) = deadlines.lengths();
        assert!(queue <= SLACK && early <= SLACK, "{queue} and {early}");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Open,
        /// The how-manieth open trace, and a wish so far ahead.
        Wish(usize, Option<u64>),
        Close(usize),
        Wait(u64),
        Sweep,
        Pass(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => Just(Step::Open),
            6 => (any::<usize>(), proptest::option::weighted(0.7, 0u64..150)).prop_map(|(which, wish)| Step::Wish(which, wish)),
            1 => any::<usize>().prop_map(Step::Close),
            1 => (20u64..200).prop_map(Step::Wait),
            1 => Just(Step::Sweep),
            3 => (1u64..60).prop_map(Step::Pass),
        ];
        proptest::collection::vec(step, 0..120)
    }

    /// One trace of the model: its slot, when it was first seen, and the wish that holds.
    struct Held {
        slot: Slot,
        seen: u64,
        wish: Option<u64>,
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// What is due is what a list says that is searched from end to end.
        #[test]
        fn agrees_with_a_list(steps in steps()) {
            let (mut deadlines, mut entries) = deadlines();
            let (mut held, mut now, mut wait) = (Vec::<Held>::new(), 0u64, WAIT);
            for (n, step) in (0u64..).zip(steps) {
                match step {
                    Step::Open => held.push(Held { slot: open(&mut deadlines, &mut entries, n, now), seen: now, wish: None }),
                    Step::Wish(which, ahead) if !held.is_empty() => {
                        let which = which % held.len();
                        let wish = ahead.map(|ahead| now + ahead);
                        // A wish that comes too late is none; a longer wait does not bring it back.
                        held[which].wish = wish.filter(|wish| *wish < held[which].seen + wait);
                        deadlines.wish(held[which].slot, wish.map(LogTime), &mut entries);
                    }
                    Step::Close(which) if !held.is_empty() => entries.close(held.remove(which % held.len()).slot),
                    Step::Wait(other) => {
                        wait = other;
                        held.iter_mut().for_each(|held| held.wish = held.wish.filter(|wish| *wish < held.seen + wait));
                        deadlines.set_wait(Duration::from_nanos(wait), &mut entries);
                    }
                    Step::Sweep => deadlines.sweep(&entries),
                    Step::Pass(time) => now += time,
                    _ => {}
                }
                let due = |held: &Held| held.wish.unwrap_or(u64::MAX).min(held.seen + wait);
                prop_assert!(held.iter().all(|held| entries.get(held.slot).due.0 == due(held)));
                while let Some(slot) = deadlines.due(LogTime(now), &mut entries) {
                    let which = held.iter().position(|held| held.slot == slot).expect("a trace that is held");
                    prop_assert!(due(&held.remove(which)) <= now);
                    entries.close(slot);
                }
                prop_assert!(held.iter().all(|held| due(held) > now));
                let next = deadlines.next(&mut entries).map(|next| next.0);
                prop_assert_eq!(next, held.iter().map(due).min());
                prop_assert_eq!(deadlines.oldest(&entries), held.first().map(|held| held.slot));
            }
        }
    }
}

//! One entry per held trace, in slots that stay put, found by trace id.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::segment::RecordAt;
use crate::telemetry::TraceId;
use crate::time::LogTime;

/// The place of a held trace, the same from its first span until it is closed; then the next trace may get it. Stages keep what they know
/// of a trace in a `Vec` by slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub(super) u32);

impl Slot {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How far a trace has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody's: the slot is free.
    Free,
    /// Waits for its verdict.
    Open,
    /// Kept, and waits for room to go out.
    Kept,
    /// Spans that came when the verdict, keep, had been carried out already. They wait for room too.
    Late,
}

/// What is known of a held trace without reading its spans: one cache line.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Entry {
    pub(super) trace: TraceId,
    /// Its newest record; the others hang on that one.
    pub(super) tail: RecordAt,
    pub(super) first_seen: LogTime,
    /// When it is to be decided: the constant wait after its first span, or earlier where a stage wishes so.
    pub(super) due: LogTime,
    /// The earliest time at which the queue of wishes will look at it; [`LogTime::NEVER`] where it will not.
    pub(super) scheduled: LogTime,
    pub(super) spans: u32,
    /// What its records cost, up to `u32::MAX`. The budget does not hang on it: that adds up the records.
    pub(super) bytes: u32,
    /// No other trace of this lane had or will have it: tells a deadline of this trace from one of the slot's former tenant.
    pub(super) stamp: u32,
    /// Under which generation of the stages its spans were last shown to them.
    pub(super) generation: u16,
    pub(super) state: State,
}

const _: () = assert!(size_of::<Entry>() == 64, "an entry is one cache line");

/// A slot and the stamp of the trace that had it: names a trace for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    pub(super) slot: u32,
    pub(super) stamp: u32,
}

/// All entries of a lane.
///
/// The index hashes trace ids with a key of its own: ids are chosen by whoever sends, and must not be able to collide at will.
#[derive(Debug, Default)]
pub(super) struct Entries {
    slots: Vec<Entry>,
    /// In the order in which they became free: what opens one after the other lies side by side, and so does what is due together.
    free: VecDeque<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
    next_stamp: u32,
    /// Entries in [`State::Open`].
    open: usize,
}

impl Entries {
    pub(super) fn hash(&self, trace: TraceId) -> u64 {
        self.hasher.hash_one(trace)
    }

    pub(super) fn find(&self, hash: u64, trace: TraceId) -> Option<Slot> {
        self.index.find(hash, |slot| self.slots[*slot as usize].trace == trace).map(|slot| Slot(*slot))
    }

    /// A new entry for a trace that has none.
    pub(super) fn open(&mut self, hash: u64, trace: TraceId, state: State, now: LogTime, due: LogTime) -> Slot {
        debug_assert!(self.find(hash, trace).is_none() && state != State::Free);
        let stamp = self.next_stamp;
        self.next_stamp = stamp.wrapping_add(1);
        let entry = Entry {
            trace,
            tail: RecordAt::NONE,
            first_seen: now,
            due,
            scheduled: LogTime::NEVER,
            spans: 0,
            bytes: 0,
            stamp,
            generation: 0,
            state,
        };
        let slot = self.place(entry);
        let Self { index, slots, hasher, .. } = self;
        index.insert_unique(hash, slot, |slot| hasher.hash_one(slots[*slot as usize].trace));
        self.open += usize::from(state == State::Open);
        Slot(slot)
    }

    fn place(&mut self, entry: Entry) -> u32 {
        if let Some(slot) = self.free.pop_front() {
            self.slots[slot as usize] = entry;
            return slot;
        }
        self.slots.push(entry);
        super::segment::narrow(self.slots.len() - 1)
    }

    /// An open entry got its verdict, and the verdict is keep.
    pub(super) fn keep(&mut self, slot: Slot) {
        let entry = &mut self.slots[slot.index()];
        debug_assert_eq!(entry.state, State::Open);
        entry.state = State::Kept;
        self.open -= 1;
    }

    /// Frees a slot.
    pub(super) fn close(&mut self, slot: Slot) {
        let entry = &mut self.slots[slot.index()];
        debug_assert!(entry.state != State::Free, "a slot was freed twice");
        self.open -= usize::from(entry.state == State::Open);
        entry.state = State::Free;
        let hash = self.hasher.hash_one(entry.trace);
        if let Ok(found) = self.index.find_entry(hash, |other| *other == slot.0) {
            found.remove();
        }
        self.free.push_back(slot.0);
    }

    /// Whether a former peak's table is kept for nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.index.is_empty() && self.slots.len() > SMALL
    }

    /// With nothing held, what a former peak took can go; slots begin anew, stamps go on.
    pub(super) fn shrink(&mut self) {
        debug_assert!(self.index.is_empty());
        self.slots = Vec::new();
        self.free = VecDeque::new();
        self.index = HashTable::new();
    }

    pub(super) fn get(&self, slot: Slot) -> &Entry {
        &self.slots[slot.index()]
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> &mut Entry {
        &mut self.slots[slot.index()]
    }

    /// The slot of a ticket whose trace still waits for its verdict.
    pub(super) fn open_at(&self, ticket: Ticket) -> Option<Slot> {
        let entry = self.slots.get(ticket.slot as usize)?;
        (entry.stamp == ticket.stamp && entry.state == State::Open).then_some(Slot(ticket.slot))
    }

    /// The slot of a ticket whose trace is still held.
    pub(super) fn held_at(&self, ticket: Ticket) -> Option<Slot> {
        let entry = self.slots.get(ticket.slot as usize)?;
        (entry.stamp == ticket.stamp && entry.state != State::Free).then_some(Slot(ticket.slot))
    }

    pub(super) fn ticket(&self, slot: Slot) -> Ticket {
        Ticket { slot: slot.0, stamp: self.slots[slot.index()].stamp }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// How many wait for a verdict.
    pub(super) fn open_count(&self) -> usize {
        self.open
    }

    /// How many slots there have been at once: every slot's index is below.
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The slot with an index below [`Entries::slots`].
    pub(super) fn slot(&self, index: usize) -> Slot {
        Slot(super::segment::narrow(index))
    }

    /// All slots in use, in no order that means anything.
    #[cfg(test)]
    pub(super) fn in_use(&self) -> impl Iterator<Item = Slot> {
        (0..).zip(&self.slots).filter(|(_, entry)| entry.state != State::Free).map(|(slot, _)| Slot(slot))
    }
}

/// Tables below this size are not worth giving back.
const SMALL: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::HashMap;

    use super::*;

    fn trace(n: u8) -> TraceId {
        TraceId([n; 16])
    }

    fn open(entries: &mut Entries, n: u8) -> Slot {
        entries.open(entries.hash(trace(n)), trace(n), State::Open, LogTime(1), LogTime(2))
    }

    fn find(entries: &Entries, n: u8) -> Option<Slot> {
        entries.find(entries.hash(trace(n)), trace(n))
    }

    #[test]
    fn a_ticket_outlives_its_trace_and_knows_it() {
        let mut entries = Entries::default();
        let slot = open(&mut entries, 1);
        let ticket = entries.ticket(slot);
        assert_eq!(entries.open_at(ticket), Some(slot));
        entries.keep(slot);
        assert_eq!((entries.open_at(ticket), entries.held_at(ticket)), (None, Some(slot)));
        entries.close(slot);
        assert_eq!(open(&mut entries, 2), slot, "the slot is used again");
        assert_eq!(entries.held_at(ticket), None, "but not by the same trace");
    }

    #[test]
    fn an_empty_table_keeps_nothing_of_its_peak() {
        let mut entries = Entries::default();
        let id = |n: u32| TraceId(std::array::from_fn(|i| n.to_le_bytes()[i % 4]));
        let slots: Vec<Slot> = (1..3000).map(|n| entries.open(entries.hash(id(n)), id(n), State::Open, LogTime(1), LogTime(2))).collect();
        let last = entries.get(slots[0]).stamp + 2998;
        assert!(!entries.is_idle());
        slots.into_iter().for_each(|slot| entries.close(slot));
        assert!(entries.is_idle());
        entries.shrink();
        assert_eq!((entries.slots(), entries.len(), entries.open_count()), (0, 0, 0));
        let slot = open(&mut entries, 9);
        assert_eq!(entries.get(slot).stamp, last + 1, "stamps go on");
    }

    proptest! {
        #[test]
        fn finds_what_a_map_finds(steps in proptest::collection::vec((0u8..40, 0u8..3), 0..300)) {
            let (mut entries, mut model) = (Entries::default(), HashMap::new());
            for (n, action) in steps {
                match (find(&entries, n), action) {
                    (None, 0 | 1) => { model.insert(n, open(&mut entries, n)); }
                    (Some(slot), 1) if entries.get(slot).state == State::Open => entries.keep(slot),
                    (Some(slot), 2) => { entries.close(slot); model.remove(&n); }
                    _ => {}
                }
                prop_assert_eq!(find(&entries, n), model.get(&n).copied());
                prop_assert_eq!(entries.len(), model.len());
                prop_assert_eq!(entries.in_use().count(), model.len());
                let open = entries.in_use().filter(|slot| entries.get(*slot).state == State::Open).count();
                prop_assert_eq!(entries.open_count(), open);
            }
        }
    }
}

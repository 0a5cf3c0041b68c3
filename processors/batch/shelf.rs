//! Where all lanes of a pipeline put what waits to be sent together.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracetailor_core::component::Gauge;
use tracetailor_core::ledger::Held;
use tracetailor_core::telemetry::{SourceTag, Telemetry};
use tracetailor_core::time::LogTime;

use super::partition::Key;

/// What is shared. The lock is held to put a batch on a list or to take the list, never to work on what is in it: batches become one in the
/// lane that sends them.
pub(super) struct Shelf {
    places: Mutex<Places>,
    held: Held,
    /// How many keys have something that waits.
    keys: Gauge,
    size: AtomicUsize,
    most_keys: AtomicUsize,
}

#[derive(Default)]
struct Places {
    waiting: HashMap<Key, Gathered>,
    /// Those who share the shelf.
    hands: usize,
    /// Counts those who ever did, and what was ever begun.
    number: u64,
}

/// Batches of one key that wait, and when the first of them must go.
#[derive(Debug)]
pub(super) struct Gathered {
    batches: Vec<Telemetry>,
    items: usize,
    pub(super) due: LogTime,
    /// No two that were begun have the same.
    pub(super) number: u64,
    /// Who began it.
    hand: u64,
}

/// What came of putting a batch on the shelf.
#[derive(Debug)]
pub(super) enum Added {
    /// It waits with others.
    Waits,
    /// It is the first: somebody must see to it that it goes in time.
    Begins(u64),
    /// With it there is enough, or it is time: here is all.
    Enough(Gathered),
}

impl Gathered {
    /// All of it as one batch.
    pub(super) fn into_one(self) -> Option<Telemetry> {
        let mut others = self.batches;
        if others.is_empty() {
            return None;
        }
        let mut one = others.remove(0);
        one.make_room_for(&others);
        for other in others {
            if let Err(differ) = one.append(other) {
                unreachable!("a pipeline has one signal: {differ}")
            }
        }
        Some(one)
    }

    fn count(&self) -> u64 {
        self.items as u64
    }
}

impl Shelf {
    pub(super) fn new(held: Held, keys: Gauge) -> Self {
        Self { places: Mutex::default(), held, keys, size: AtomicUsize::new(usize::MAX), most_keys: AtomicUsize::new(0) }
    }

    /// How many items are enough, and how many keys may wait; 0 for no limit.
    pub(super) fn set_limits(&self, size: usize, most_keys: usize) {
        self.size.store(size, Ordering::Relaxed);
        self.most_keys.store(most_keys, Ordering::Relaxed);
    }

    /// How many items are enough.
    pub(super) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// One more shares the shelf; the number is who that is.
    pub(super) fn join(&self) -> u64 {
        let mut places = self.lock();
        places.hands += 1;
        places.next_number()
    }

    /// One shares it no longer. What it began it takes along, since nobody else would see to its time; the last takes everything.
    pub(super) fn leave(&self, hand: u64) -> Vec<Telemetry> {
        let mut places = self.lock();
        places.hands -= 1;
        let is_last = places.hands == 0;
        let left: Vec<Gathered> = places.waiting.extract_if(|_, gathered| is_last || gathered.hand == hand).map(|(_, left)| left).collect();
        self.held.sub(left.iter().map(Gathered::count).sum());
        self.tell_keys(&places);
        left.into_iter().flat_map(|left| left.batches).collect()
    }

    /// Whether there is a place for a key. An empty one is there always.
    pub(super) fn admits(&self, key: &Key) -> bool {
        let most = self.most_keys.load(Ordering::Relaxed);
        if key.is_empty() || most == 0 {
            return true;
        }
        let places = self.lock();
        places.waiting.len() < most || places.waiting.contains_key(key)
    }

    /// Puts a batch to those of its key. `due` is when it must go if it is the first.
    pub(super) fn add(&self, key: &Key, batch: Telemetry, now: LogTime, due: LogTime, hand: u64) -> Added {
        let (size, count) = (self.size(), batch.len());
        let mut places = self.lock();
        let Some(waiting) = places.waiting.get_mut(key) else {
            let number = places.next_number();
            let first = Gathered { batches: vec![batch], items: count, due, number, hand };
            if count >= size {
                return Added::Enough(first);
            }
            self.held.add(first.count());
            places.waiting.insert(key.clone(), first);
            self.tell_keys(&places);
            return Added::Begins(number);
        };
        waiting.batches.push(batch);
        if waiting.items + count < size && now < waiting.due {
            waiting.items += count;
            self.held.add(count as u64);
            return Added::Waits;
        }
        // Of what is taken here the last batch never came to rest.
        self.held.sub(waiting.count());
        waiting.items += count;
        let enough = places.waiting.remove(key).map_or(Added::Waits, Added::Enough);
        self.tell_keys(&places);
        enough
    }

    /// Takes what was begun under this number, unless somebody has.
    pub(super) fn take(&self, key: &Key, number: u64) -> Option<Gathered> {
        let mut places = self.lock();
        places.waiting.get(key).filter(|waiting| waiting.number == number)?;
        let taken = places.waiting.remove(key);
        self.taken(taken, &places)
    }

    /// Takes some of what waits.
    pub(super) fn take_any(&self) -> Option<Gathered> {
        let mut places = self.lock();
        let key = places.waiting.keys().next().cloned()?;
        let taken = places.waiting.remove(&key);
        self.taken(taken, &places)
    }

    fn taken(&self, gathered: Option<Gathered>, places: &Places) -> Option<Gathered> {
        self.tell_keys(places);
        self.held.sub(gathered.as_ref().map_or(0, Gathered::count));
        gathered
    }

    /// Takes out what came from a source.
    pub(super) fn forget(&self, source: SourceTag) -> Vec<Telemetry> {
        let mut gone = Vec::new();
        let mut places = self.lock();
        places.waiting.retain(|_, waiting| {
            let before = waiting.count();
            waiting.batches =
                std::mem::take(&mut waiting.batches).into_iter().filter_map(|batch| without(batch, source, &mut gone)).collect();
            waiting.items = waiting.batches.iter().map(Telemetry::len).sum();
            self.held.sub(before - waiting.count());
            !waiting.batches.is_empty()
        });
        self.tell_keys(&places);
        gone
    }

    /// How many keys have something that waits.
    pub(super) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Leaves out what stands for things that wait no longer.
    pub(super) fn keep_live<T>(&self, list: &mut VecDeque<T>, name: impl Fn(&T) -> (&Key, u64)) {
        let places = self.lock();
        list.retain(|entry| {
            let (key, number) = name(entry);
            places.waiting.get(key).is_some_and(|waiting| waiting.number == number)
        });
    }

    fn tell_keys(&self, places: &Places) {
        self.keys.set(i64::try_from(places.waiting.len()).unwrap_or(i64::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

/// What is left of a batch without the items of a source, which go to the others that are gone.
fn without(batch: Telemetry, source: SourceTag, gone: &mut Vec<Telemetry>) -> Option<Telemetry> {
    let is_its: Vec<bool> = batch.origins().iter().map(|origin| origin.source.tag == source).collect();
    if !is_its.contains(&true) {
        return Some(batch);
    }
    let mut items = batch.heads().iter().map(|head| usize::from(is_its[batch.origin_of(head)])).collect::<Vec<_>>().into_iter();
    let mut parts = batch.split(2, |_| items.next().unwrap_or_default()).into_iter();
    let left = parts.next().filter(|left| !left.is_empty());
    gone.extend(parts);
    left
}

//! What all lanes know together of the services that come: who has a name already, which names look like one, and when they were seen.
//!
//! It is asked once for each distinct resource, so a lock is no matter; what is counted for every batch is atomic.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracetailor_core::component::{Gauge, ProcessorContext};
use tracetailor_core::time::LogTime;

use super::identity::Identity;
use super::words::folded;
use super::{Mode, OnCollision};

/// So many services, processes and pairs of names are kept apart; what is beyond is counted as that. Adversaries can make names.
pub(super) const MOST: usize = 10_000;
/// So many names of one service, or of one process.
const MOST_OF_ONE: usize = 16;

/// What all lanes have seen.
pub(super) struct Seen {
    table: Mutex<Table>,
    variants: Gauge,
}

#[derive(Default)]
pub(super) struct Table {
    /// By the name under which they leave.
    pub(super) services: BTreeMap<String, Arc<Service>>,
    /// Who was first to have a name that the walk leads to.
    owners: HashMap<String, Identity>,
    /// Right names, and what was or would be renamed to them.
    pub(super) renamed: BTreeMap<String, BTreeSet<String>>,
    /// Names that leave, by what is left of them without case and punctuation.
    pub(super) alike: HashMap<String, BTreeSet<String>>,
    /// The names of each process.
    pub(super) processes: HashMap<String, BTreeSet<String>>,
    /// Names that came, and the ones that different services have which they would have become.
    pub(super) collisions: BTreeSet<(String, String)>,
    /// What there was no place for.
    pub(super) beyond: u64,
}

/// One service, as it leaves.
#[derive(Debug)]
pub(super) struct Service {
    items: AtomicU64,
    first: LogTime,
    last: AtomicU64,
    /// The names that it came with.
    pub(super) came_with: Mutex<BTreeSet<String>>,
    /// The SDKs that it was seen with.
    pub(super) sdks: Mutex<BTreeSet<String>>,
}

/// A resource that was not seen before.
pub(super) struct Arrival<'a> {
    pub(super) given: Option<&'a str>,
    /// Where the walk leads; empty for nowhere.
    pub(super) name: &'a str,
    pub(super) identity: Identity,
    pub(super) now: LogTime,
}

impl Service {
    fn new(now: LogTime) -> Self {
        Self { items: AtomicU64::new(0), first: now, last: AtomicU64::new(now.0), came_with: Mutex::default(), sdks: Mutex::default() }
    }

    /// Some items of it have come.
    pub(super) fn sent(&self, items: u64, now: LogTime) {
        self.items.fetch_add(items, Ordering::Relaxed);
        // Mostly it is there already, and reading it is cheap.
        if self.last.load(Ordering::Relaxed) < now.0 {
            self.last.fetch_max(now.0, Ordering::Relaxed);
        }
    }

    pub(super) fn items(&self) -> u64 {
        self.items.load(Ordering::Relaxed)
    }

    /// When it was first and last seen.
    pub(super) fn when(&self) -> (LogTime, LogTime) {
        (self.first, LogTime(self.last.load(Ordering::Relaxed)))
    }
}

impl Seen {
    pub(super) fn new(context: &ProcessorContext) -> Self {
        Self { table: Mutex::default(), variants: context.gauge("tracetailor_service_name_variants", &[]) }
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After another configuration names lead elsewhere.
    pub(super) fn begin_anew(&self) {
        let mut table = self.table();
        let services = std::mem::take(&mut table.services);
        *table = Table { services, beyond: table.beyond, ..Table::default() };
        self.variants.set(0);
    }

    /// Takes down a resource. Returns the service that it belongs to, if anything names it, and whether the name it would have is that of a different one.
    pub(super) fn arrives(&self, arrival: &Arrival<'_>, on_collision: OnCollision, mode: Mode) -> (Option<Arc<Service>>, bool) {
        if arrival.name.is_empty() {
            return (None, false);
        }
        let mut table = self.table();
        let collides = table.collides(arrival);
        let stays = mode == Mode::Suggest || collides && on_collision != OnCollision::Merge;
        let leaves_as = if stays { arrival.given.unwrap_or_default() } else { arrival.name };
        if !collides && arrival.given.is_some_and(|given| given != arrival.name) {
            table.takes_down_renaming(arrival);
        }
        if leaves_as.is_empty() {
            return (None, collides);
        }
        table.takes_down_variant(leaves_as, &self.variants);
        table.takes_down_process(arrival, leaves_as);
        (table.service(arrival, leaves_as), collides)
    }
}

impl Table {
    /// The first to have a name owns it. One that comes under that very name cannot be given another, so it is no collision; it is reported.
    fn collides(&mut self, arrival: &Arrival<'_>) -> bool {
        let Some(owner) = self.owners.get(arrival.name) else {
            if self.owners.len() < MOST {
                self.owners.insert(arrival.name.to_owned(), arrival.identity.clone());
            }
            return false;
        };
        let given = arrival.given.unwrap_or_default();
        if !owner.differs_from(&arrival.identity) || !self.renamed.contains_key(arrival.name) && given == arrival.name {
            return false;
        }
        if self.collisions.len() < MOST && self.collisions.insert((given.to_owned(), arrival.name.to_owned())) {
            tracing::warn!(came_as = given, name = arrival.name, "two different services would have one name");
        }
        given != arrival.name
    }

    fn takes_down_renaming(&mut self, arrival: &Arrival<'_>) {
        let is_room = self.renamed.len() < MOST;
        match self.renamed.get_mut(arrival.name) {
            Some(others) => insert(others, arrival.given.unwrap_or_default()),
            None if is_room => {
                self.renamed.insert(arrival.name.to_owned(), arrival.given.iter().map(|given| (*given).to_owned()).collect());
            }
            None => self.beyond += 1,
        }
    }

    fn takes_down_variant(&mut self, name: &str, variants: &Gauge) {
        let folded = folded(name);
        if self.alike.len() >= MOST && !self.alike.contains_key(&folded) {
            self.beyond += 1;
            return;
        }
        let names = self.alike.entry(folded).or_default();
        if names.contains(name) {
            return;
        }
        insert(names, name);
        if names.len() > 1 {
            let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            tracing::warn!(names, "services have names that differ only in case or punctuation");
            let count = self.alike.values().filter(|names| names.len() > 1).count();
            variants.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    fn takes_down_process(&mut self, arrival: &Arrival<'_>, name: &str) {
        let Some(process) = &arrival.identity.process else { return };
        if self.processes.len() >= MOST && !self.processes.contains_key(process) {
            // Processes come and go; those that come now are the ones that somebody looks for.
            self.processes.clear();
        }
        let names = self.processes.entry(process.clone()).or_default();
        if names.contains(name) {
            return;
        }
        insert(names, name);
        if names.len() > 1 {
            let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            tracing::warn!(process, names, "one process sends under several names");
        }
    }

    fn service(&mut self, arrival: &Arrival<'_>, name: &str) -> Option<Arc<Service>> {
        if self.services.len() >= MOST && !self.services.contains_key(name) {
            self.beyond += 1;
            return None;
        }
        let service = self.services.entry(name.to_owned()).or_insert_with(|| Arc::new(Service::new(arrival.now)));
        insert(&mut service.came_with.lock().unwrap_or_else(PoisonError::into_inner), arrival.given.unwrap_or_default());
        if let Some(sdk) = &arrival.identity.sdk {
            insert(&mut service.sdks.lock().unwrap_or_else(PoisonError::into_inner), sdk);
        }
        Some(service.clone())
    }
}

fn insert(names: &mut BTreeSet<String>, name: &str) {
    if names.len() < MOST_OF_ONE && !names.contains(name) {
        names.insert(name.to_owned());
    }
}

//! The bytes that the gateway holds, counted where they lie: requests on their way in, traces that wait, queues before exporters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use smallvec::SmallVec;
use tracetailor_core::component::{Counters, Gauge, Memory as Amount, MemoryLimit};
use tracetailor_core::trace_store::Budget;

use super::export::Export;

/// What is held, and how much may be. Clones count together.
///
/// A process that is looked at every second has died before the look: so bytes are counted before they are taken, and the look at what
/// the process really takes is only the second line. Admission refuses above the soft limit, or while the process is above the hard one.
/// Stores of traces and queues have a share of the soft limit each, so that a store decides early, and a queue refuses, before everything
/// is refused at the door.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    soft: AtomicU64,
    hard: AtomicU64,
    /// Requests: from admission until they are through their pipelines.
    moving: AtomicU64,
    /// In queues before exporters.
    queued: AtomicU64,
    /// In stores of traces, all together.
    stores: Budget,
    /// Whether the last look found the process above its hard limit.
    above_hard: AtomicBool,
}

/// What stores of traces may hold, of the soft limit.
const STORES: (u64, u64) = (60, 100);
/// What queues may hold, of the soft limit.
const QUEUES: (u64, u64) = (30, 100);

/// Bytes of a request while it moves; given back when this is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    memory: Memory,
    bytes: u64,
    /// The exporters that it will come to.
    ahead: SmallVec<[Arc<Export>; 2]>,
}

impl Memory {
    /// So much and no more: `soft` for what is counted, `hard` for the process.
    pub fn new(soft: u64, hard: u64) -> Self {
        let counts = Counts {
            soft: AtomicU64::new(0),
            hard: AtomicU64::new(0),
            moving: AtomicU64::new(0),
            queued: AtomicU64::new(0),
            stores: Budget::unlimited(),
            above_hard: AtomicBool::new(false),
        };
        let memory = Self(Arc::new(counts));
        memory.limit(soft, hard);
        memory
    }

    /// No limit at all.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX, u64::MAX)
    }

    /// Other limits, after a reload. What is held stays held.
    pub(super) fn limit(&self, soft: u64, hard: u64) {
        self.0.soft.store(soft, Ordering::Relaxed);
        self.0.hard.store(hard, Ordering::Relaxed);
        self.0.stores.set_limit(share(soft, STORES));
    }

    /// What stores of traces share.
    pub(super) fn stores(&self) -> &Budget {
        &self.0.stores
    }

    /// All that is counted.
    pub fn held(&self) -> u64 {
        self.0.moving.load(Ordering::Relaxed) + self.0.queued.load(Ordering::Relaxed) + self.0.stores.spent()
    }

    /// What is held, by what holds it.
    pub(super) fn holders(&self) -> [(&'static str, u64); 3] {
        let Counts { moving, queued, stores, .. } = &*self.0;
        [("requests", moving.load(Ordering::Relaxed)), ("queues", queued.load(Ordering::Relaxed)), ("stores", stores.spent())]
    }

    /// The limits: soft, hard.
    pub fn limits(&self) -> (u64, u64) {
        (self.0.soft.load(Ordering::Relaxed), self.0.hard.load(Ordering::Relaxed))
    }

    /// Takes bytes for a request, if there is room for them.
    pub(super) fn charge(&self, bytes: usize) -> Option<Charge> {
        let mut charge = Charge { memory: self.clone(), bytes: 0, ahead: SmallVec::new() };
        charge.enlarge(bytes).then_some(charge)
    }

    /// What the process really takes, as somebody has just found out.
    pub(super) fn observe(&self, resident: u64) {
        self.0.above_hard.store(resident > self.0.hard.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// So many more bytes wait before exporters.
    pub fn queue(&self, bytes: usize) {
        self.0.queued.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many wait no longer.
    pub fn unqueue(&self, bytes: usize) {
        self.0.queued.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// How many bytes queues may still take.
    pub fn queue_room(&self) -> u64 {
        self.queue_limit().saturating_sub(self.0.queued.load(Ordering::Relaxed))
    }
}

impl Memory {
    /// How many bytes queues may hold, all together.
    pub(super) fn queue_limit(&self) -> u64 {
        share(self.0.soft.load(Ordering::Relaxed), QUEUES)
    }
}

impl Charge {
    /// Takes so many bytes more, if there is room for them.
    pub(super) fn enlarge(&mut self, bytes: usize) -> bool {
        let counts = &self.memory.0;
        let bytes = bytes as u64;
        counts.moving.fetch_add(bytes, Ordering::Relaxed);
        // Taken first and looked at afterwards: two who meet here may both be refused, but never both let in.
        if self.memory.held() > counts.soft.load(Ordering::Relaxed) || counts.above_hard.load(Ordering::Relaxed) {
            counts.moving.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        self.ahead.iter().for_each(|export| export.comes(bytes));
        true
    }

    /// Announces it to an exporter that it will come to.
    pub(super) fn announce(&mut self, export: &Arc<Export>) {
        export.comes(self.bytes);
        self.ahead.push(export.clone());
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.memory.0.moving.fetch_sub(self.bytes, Ordering::Relaxed);
        self.ahead.iter().for_each(|export| export.comes_no_more(self.bytes));
    }
}

fn share(of: u64, (part, whole): (u64, u64)) -> u64 {
    if of == u64::MAX { of } else { of / whole * part }
}

/// What a limiter comes to on a machine that lets this process have so much: soft and hard, in bytes.
pub(super) fn limits_of(limit: &MemoryLimit, available: u64) -> (u64, u64) {
    let bytes = |amount: Amount| match amount {
        Amount::Bytes(bytes) => bytes,
        Amount::Percent(percent) => available / 100 * u64::from(percent),
    };
    let hard = bytes(limit.hard);
    let spike = limit.spike.map_or(hard / 5, bytes);
    (hard.saturating_sub(spike), hard)
}

/// What is assumed where nobody wrote a limit: four fifths of what there is, a fifth of that below it.
pub(super) fn assumed() -> MemoryLimit {
    MemoryLimit { hard: Amount::Percent(80), spike: None, check_interval: std::time::Duration::from_secs(1) }
}

/// How much memory this process may use: what its cgroup allows, else what the machine has.
pub(super) fn available() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let number = |text: String| text.trim().parse::<u64>().ok();
    let cgroup =
        read("/sys/fs/cgroup/memory.max").and_then(number).or_else(|| read("/sys/fs/cgroup/memory/memory.limit_in_bytes").and_then(number));
    let machine = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.to_owned();
        number(line.trim().trim_end_matches("kB").to_owned()).map(|kib| kib * 1024)
    });
    // Version 1 of cgroups writes a number near 2^63 for "no limit".
    match (cgroup, machine) {
        (Some(cgroup), Some(machine)) => cgroup.min(machine),
        (one, other) => one.or(other).unwrap_or(4 << 30),
    }
}

/// What this process takes at the moment.
pub(super) fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = status.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// Above what is counted, so much may stay with the allocator before lanes are asked as well.
pub(super) const SLACK: u64 = 32 << 20;

/// Has this thread's allocator give back to the system what it has had no use for in the last second. mimalloc does that by itself, but only
/// when a large block goes: a gateway that turned quiet after an outage would keep what its queue once took.
pub(super) fn give_back() {
    // Nothing is written to it, so the system has nothing to clear.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(2 << 20)));
}

impl Default for Memory {
    fn default() -> Self {
        Self::unlimited()
    }
}

/// What is told of memory.
#[derive(Debug)]
pub(super) struct Told {
    held: Vec<(&'static str, Gauge)>,
    soft: Gauge,
    hard: Gauge,
}

impl Told {
    pub(super) fn new(counters: &Counters) -> Self {
        let held = |by| (by, counters.gauge("tracetailor_memory_held_bytes", &[("by", by)]));
        let limit = |limit| counters.gauge("tracetailor_memory_limit_bytes", &[("limit", limit)]);
        Self { held: ["requests", "queues", "stores"].map(held).into(), soft: limit("soft"), hard: limit("hard") }
    }

    pub(super) fn tell(&self, memory: &Memory) {
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        for (by, held) in memory.holders() {
            self.held.iter().filter(|(known, _)| *known == by).for_each(|(_, gauge)| gauge.set(bytes(held)));
        }
        let (soft, hard) = memory.limits();
        self.soft.set(bytes(soft));
        self.hard.set(bytes(hard));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_charged_counts_until_it_is_dropped() {
        let memory = Memory::new(100, 200);
        let mut first = memory.charge(60).unwrap();
        assert!(memory.charge(60).is_none());
        assert!(first.enlarge(40) && !first.enlarge(1));
        assert_eq!(memory.held(), 100);
        drop(first);
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn queues_and_stores_have_their_shares() {
        let memory = Memory::new(1000, 2000);
        assert_eq!((memory.queue_room(), memory.stores().limit()), (300, 600));
        memory.queue(250);
        assert_eq!((memory.queue_room(), memory.held()), (50, 250));
        memory.unqueue(250);
        memory.limit(2000, 4000);
        assert_eq!((memory.queue_room(), memory.stores().limit()), (600, 1200));
    }

    #[test]
    fn a_process_above_its_hard_limit_lets_nothing_in() {
        let memory = Memory::new(1000, 2000);
        memory.observe(2001);
        assert!(memory.charge(1).is_none());
        memory.observe(1500);
        assert!(memory.charge(1).is_some());
    }

    #[test]
    fn limits_come_from_bytes_or_from_what_there_is() {
        let limit = MemoryLimit { hard: Amount::Percent(50), spike: None, ..assumed() };
        assert_eq!(limits_of(&limit, 1000), (400, 500));
        let limit = MemoryLimit { hard: Amount::Bytes(500), spike: Some(Amount::Bytes(100)), ..assumed() };
        assert_eq!(limits_of(&limit, 1000), (400, 500));
    }

    #[test]
    fn what_is_held_is_told_by_what_holds_it() {
        let (memory, counters) = (Memory::new(1000, 2000), Counters::default());
        let told = Told::new(&counters);
        memory.queue(70);
        let _charge = memory.charge(5).unwrap();
        told.tell(&memory);
        let levels: Vec<i64> = counters.read().iter().map(|series| series.level()).collect();
        assert_eq!(levels, [70, 5, 0, 2000, 1000], "queues, requests, stores; hard, soft");
    }
}

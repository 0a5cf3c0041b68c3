//! Who the back ends are at this moment, in all lanes alike, and who has which trace.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tracetailor_core::component::{BuildContext, Counter, Gauge};
use tracetailor_core::telemetry::TraceId;
use tracetailor_core::time::{Clock, LogTime};
use tracetailor_net::client::Resolve;

use super::config::DnsKeys;
use super::ring::Ring;

/// The back ends.
pub(super) struct BackEnds {
    ring: ArcSwap<Ring>,
    /// Rises with every change of the ring.
    version: AtomicU64,
    changed: Notify,
    source: Mutex<Source>,
    /// Told when the source is another.
    resourced: Notify,
    watching: AtomicBool,
    /// What each back end that ever was is numbered.
    numbers: Mutex<HashMap<String, u32>>,
    owners: Mutex<Owners>,
    resolver: Arc<dyn Resolve>,
    clock: Clock,
    told: Told,
}

/// Where the list comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    Listed(Vec<String>),
    Looked(DnsKeys),
}

struct Told {
    exporter: String,
    /// Look-ups that failed, and that did not.
    resolutions: [Counter; 2],
    members: Gauge,
    updates: Counter,
    splits: Counter,
}

impl BackEnds {
    pub(super) fn new(context: &BuildContext, resolver: Arc<dyn Resolve>) -> Self {
        let exporter = context.id.to_string();
        let labels = [("exporter", exporter.as_str())];
        let told = Told {
            members: context.counters.gauge("otelcol_loadbalancer_num_backends", &labels),
            updates: context.counters.counter("otelcol_loadbalancer_num_backend_updates", &labels),
            splits: context.counters.counter("tracetailor_loadbalancer_split_traces_total", &labels),
            resolutions: ["false", "true"].map(|success| {
                let labels = [("exporter", exporter.as_str()), ("resolver", "dns"), ("success", success)];
                context.counters.counter("otelcol_loadbalancer_num_resolutions", &labels)
            }),
            exporter,
        };
        Self {
            ring: ArcSwap::default(),
            version: AtomicU64::new(0),
            changed: Notify::new(),
            source: Mutex::new(Source::Listed(Vec::new())),
            resourced: Notify::new(),
            watching: AtomicBool::new(false),
            numbers: Mutex::default(),
            owners: Mutex::default(),
            resolver,
            clock: context.clock.clone(),
            told,
        }
    }

    /// Goes by this source from now on.
    pub(super) fn come_from(&self, source: Source) {
        let is_another = std::mem::replace(&mut *lock(&self.source), source.clone()) != source;
        if let Source::Listed(names) = source {
            self.become_those(names);
        }
        if is_another {
            self.resourced.notify_one();
        }
    }

    pub(super) fn ring(&self) -> Arc<Ring> {
        self.ring.load_full()
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Ends when the ring is another than that of the version in hand.
    pub(super) async fn changed_since(&self, version: u64) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.version() != version {
                return;
            }
            changed.await;
        }
    }

    /// Looks names up from now on, wherever this is called first.
    pub(super) fn watch(self: &Arc<Self>) {
        if matches!(*lock(&self.source), Source::Looked(_)) && !self.watching.swap(true, Ordering::Relaxed) {
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    /// Who has a trace: who had it before, as long as it is there, so that one who joins splits no trace that is under way.
    pub(super) fn owner_of(&self, ring: &Ring, trace: TraceId) -> Option<u32> {
        let mut owners = lock(&self.owners);
        let before = owners.get(trace, self.clock.now());
        if let Some(before) = before
            && ring.name(before).is_some()
        {
            return Some(before);
        }
        let owner = ring.owner(&trace.0)?;
        if before.is_some() {
            self.told.splits.add(1);
        }
        owners.young.insert(trace, owner);
        Some(owner)
    }

    fn become_those(&self, mut names: Vec<String>) {
        names.sort();
        names.dedup();
        let mut numbers = lock(&self.numbers);
        let ring = self.ring.load();
        if ring.members().iter().map(|(_, name)| name).eq(names.iter()) {
            return;
        }
        let numbered = names.into_iter().map(|name| {
            let next = numbers.len() as u32 + 1;
            (*numbers.entry(name.clone()).or_insert(next), name)
        });
        let ring = Ring::of(numbered.collect());
        drop(numbers);
        let names: Vec<&str> = ring.members().iter().map(|(_, name)| name.as_str()).collect();
        tracing::info!(exporter = self.told.exporter, back_ends = names.join(" "), "the back ends are others now");
        self.told.members.set(names.len() as i64);
        self.told.updates.add(1);
        self.ring.store(Arc::new(ring));
        self.version.fetch_add(1, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Looks the name up once. What is known goes on being used where it fails: an answer without addresses is mostly a fault of the
    /// name server, and to believe it would be to have nobody to send to.
    async fn look_up(&self, keys: &DnsKeys) {
        let port = keys.port.parse().unwrap_or(4317);
        let found = tokio::time::timeout(keys.timeout.get(), self.resolver.resolve(&keys.hostname, port)).await;
        let wrong = match found {
            Ok(Ok(addresses)) if !addresses.is_empty() => {
                self.become_those(addresses.iter().map(ToString::to_string).collect());
                self.told.resolutions[1].add(1);
                return;
            }
            Ok(Ok(_)) => "no addresses".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {}", keys.timeout),
        };
        self.told.resolutions[0].add(1);
        tracing::warn!(exporter = self.told.exporter, hostname = keys.hostname, error = wrong, "the back ends cannot be looked up");
    }
}

/// Looks names up as long as there are names to look up, and anybody is there.
async fn watch(back_ends: Weak<BackEnds>) {
    loop {
        let Some(there) = back_ends.upgrade() else { return };
        let source = lock(&there.source).clone();
        let Source::Looked(keys) = source else {
            there.watching.store(false, Ordering::Relaxed);
            return;
        };
        there.look_up(&keys).await;
        tokio::select! {
            () = tokio::time::sleep(keys.interval.get()) => {}
            () = there.resourced.notified() => {}
        }
    }
}

/// How long a trace that is silent stays with its back end when another would be its own by now.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many traces of such a time are remembered.
const MOST: usize = 200_000;

/// Who has which trace, of those that were seen a short while ago.
#[derive(Default)]
struct Owners {
    young: HashMap<TraceId, u32, foldhash::fast::RandomState>,
    old: HashMap<TraceId, u32, foldhash::fast::RandomState>,
    since: LogTime,
}

impl Owners {
    fn get(&mut self, trace: TraceId, now: LogTime) -> Option<u32> {
        if now.since(self.since) >= REMEMBERED || self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
        if let Some(owner) = self.young.get(&trace) {
            return Some(*owner);
        }
        let owner = self.old.remove(&trace)?;
        self.young.insert(trace, owner);
        Some(owner)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

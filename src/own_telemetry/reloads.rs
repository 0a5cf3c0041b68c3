//! How reloads went: what the metrics say of the configuration.

use std::sync::{Mutex, PoisonError};

use tracetailor_core::component::{Counter, Counters, Gauge};
use tracetailor_core::time::LogTime;

/// How reloads went. Made when the first configuration is taken on, and told of every one after it.
#[derive(Debug)]
pub struct Reloads {
    counters: Counters,
    taken: Counter,
    refused: Counter,
    failed: Gauge,
    taken_at: Gauge,
    /// The fingerprint in force: a gauge that goes when the next one comes.
    digest: Mutex<Gauge>,
}

impl Reloads {
    /// A configuration with this fingerprint was started with.
    pub fn started(counters: &Counters, digest: &str, now: LogTime) -> Self {
        let reloads = |outcome: &str| counters.counter("tracetailor_config_reloads_total", &[("outcome", outcome)]);
        let this = Self {
            taken: reloads("taken"),
            refused: reloads("refused"),
            failed: counters.gauge("tracetailor_config_reload_failed", &[]),
            taken_at: counters.gauge("tracetailor_config_reload_taken_timestamp_seconds", &[]),
            digest: Mutex::new(info(counters, digest)),
            counters: counters.clone(),
        };
        this.taken_at.set(seconds(now));
        this
    }

    /// Another one was taken on.
    pub fn took(&self, digest: &str, now: LogTime) {
        self.taken.add(1);
        self.failed.set(0);
        self.taken_at.set(seconds(now));
        let mut former = self.digest.lock().unwrap_or_else(PoisonError::into_inner);
        *former = info(&self.counters, digest);
    }

    /// Another one was refused, and the former goes on.
    pub fn refused(&self) {
        self.refused.add(1);
        self.failed.set(1);
    }
}

fn info(counters: &Counters, digest: &str) -> Gauge {
    let info = counters.gauge("tracetailor_config_info", &[("digest", digest)]);
    info.set(1);
    info
}

fn seconds(time: LogTime) -> i64 {
    i64::try_from(time.0 / 1_000_000_000).unwrap_or(i64::MAX)
}

//! Why a trace was kept or dropped: every decision leaves a record, of a hundred bytes at most as a rule, with all votes and what decided them.
//!
//! While policies are asked, they say in a [`Trail`] what decided. With the decision that becomes a record in the [`Ring`] of the lane;
//! whoever asks, as a rule on the [page](page), finds it there until it has to make room. A record holds numbers and places of policies;
//! names are looked up in the configuration that decided. No name of a span, no attribute and no text of one is ever written.

mod asked;
mod page;
mod record;
mod ring;
mod trail;

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracetailor_core::component::ProcessorContext;
use tracetailor_core::config::{ConfigErrors, Schema, Validate};
use tracetailor_core::telemetry::TraceId;
use tracetailor_core::time::{Clock, LogTime};
use tracetailor_core::trace_store::Trace;

use super::ballot::Decision;
use super::policies::{Policy, PolicyType};
use super::rules::{self, Rule};
use record::{Figures, NO_LATE, add_late};
use ring::Ring;

pub(super) use trail::{Told, Trail};

/// How much is remembered of decisions.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Why {
    /// So many decisions, of 128 bytes each on average; 0 for none.
    pub records: u64,
}

impl Default for Why {
    fn default() -> Self {
        Self { records: 100_000 }
    }
}

/// More would be 1.3 GB.
const MOST_RECORDS: u64 = 10_000_000;

impl Validate for Why {
    fn validate(&self, errors: &mut ConfigErrors) {
        if self.records > MOST_RECORDS {
            errors.error("records", format!("is more than {MOST_RECORDS}"), "write less: each takes up to 128 bytes of memory");
        }
    }
}

/// A policy by its name, and those inside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    name: String,
    kind: &'static str,
    inside: Vec<Label>,
}

impl Label {
    /// Those of policies, in the order in which they are asked.
    pub(super) fn of_all(policies: &[Policy]) -> Vec<Label> {
        let mut ordered: Vec<&Policy> = policies.iter().collect();
        ordered.sort_by_key(|policy| policy.kind != Some(PolicyType::Drop));
        ordered.into_iter().map(Label::of).collect()
    }

    /// Those of rules, and of the one that nobody writes.
    pub(super) fn of_rules(rules: &[Rule]) -> Vec<Label> {
        let names = rules.iter().map(|rule| rule.name.as_str()).chain([rules::NONE]);
        names.map(|name| Label { name: name.to_owned(), kind: "rule", inside: Vec::new() }).collect()
    }

    fn of(policy: &Policy) -> Label {
        let kind = policy.kind.map_or("", PolicyType::name);
        let name = if policy.name.is_empty() { kind } else { &policy.name };
        Label { name: name.to_owned(), kind, inside: policy.inside().into_iter().map(Label::of).collect() }
    }
}

/// One configuration of the processor.
#[derive(Clone, Debug)]
struct Version {
    number: u64,
    since: LogTime,
    /// All that was written.
    written: String,
    live: Vec<Label>,
    shadow: Vec<Label>,
}

/// So many configurations are remembered by their names.
const VERSIONS: usize = 64;

/// What all lanes share: their rings, and what the numbers in them mean.
#[derive(Debug)]
pub(super) struct Book {
    since: LogTime,
    clock: Clock,
    rings: Mutex<Vec<Arc<Mutex<Ring>>>>,
    versions: Mutex<Vec<Arc<Version>>>,
    /// How long a trace waits at most.
    wait: Mutex<Duration>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    fn new(clock: &Clock) -> Self {
        let clock = clock.apart();
        Self { since: clock.now(), clock, rings: Mutex::default(), versions: Mutex::default(), wait: Mutex::default() }
    }

    /// The ring of a lane, with room for its part of the records. A lane that is no longer keeps what it had until that goes.
    fn ring(&self, lane: usize, most: usize) -> Arc<Mutex<Ring>> {
        let mut rings = lock(&self.rings);
        while rings.len() <= lane {
            rings.push(Arc::default());
        }
        lock(&rings[lane]).set_most(most);
        rings[lane].clone()
    }

    /// The number of a configuration: the same for all lanes.
    fn version(&self, written: &str, live: Vec<Label>, shadow: Vec<Label>) -> u64 {
        let mut versions = lock(&self.versions);
        if let Some(newest) = versions.last().filter(|newest| newest.written == written) {
            return newest.number;
        }
        let number = versions.last().map_or(1, |newest| newest.number + 1);
        versions.push(Arc::new(Version { number, since: self.clock.now(), written: written.to_owned(), live, shadow }));
        if versions.len() > VERSIONS {
            versions.remove(0);
        }
        number
    }
}

/// What a lane writes with.
pub(super) struct Recorder {
    /// What is said about the trace in hand, and what in the shadow.
    pub(super) trail: Trail,
    pub(super) shadow: Trail,
    /// Nothing where no records are wanted.
    to: Option<To>,
}

struct To {
    /// Whoever reads the page finds it by this.
    _book: Arc<Book>,
    ring: Arc<Mutex<Ring>>,
    version: u64,
    body: RefCell<Vec<u8>>,
}

/// What a recorder is made for.
pub(super) struct Recorded<'a> {
    pub(super) why: Why,
    /// The whole configuration, as one text: another text is another version.
    pub(super) written: &'a str,
    pub(super) live: Vec<Label>,
    pub(super) shadow: Vec<Label>,
    pub(super) wait: Duration,
}

impl Recorder {
    pub(super) fn new(recorded: Recorded<'_>, context: &ProcessorContext) -> Self {
        let Recorded { why, written, live, shadow, wait } = recorded;
        if why.records == 0 {
            return Self { trail: Trail::new(false), shadow: Trail::new(false), to: None };
        }
        let book = context.share("why", || Book::new(&context.clock));
        *lock(&book.wait) = wait;
        context.tell("why", "why a trace was kept or dropped: /why/TRACE_ID, also with a traceparent", book.clone());
        let lanes = context.lane.count.max(1);
        let most = usize::try_from(why.records).unwrap_or(usize::MAX).div_ceil(lanes);
        let version = book.version(written, live, shadow);
        let ring = book.ring(context.lane.index, most);
        let to = To { _book: book, ring, version, body: RefCell::default() };
        Self { trail: Trail::new(true), shadow: Trail::new(true), to: Some(to) }
    }

    /// A trace was decided. `shadow` is whether policies in the shadow would have kept it, where there are any.
    pub(super) fn decided(&self, trace: &Trace<'_>, spans: u64, decision: &Decision, shadow: Option<bool>) {
        let Some(To { ring, version, body, .. }) = &self.to else { return };
        let figures = Figures {
            trigger: trace.trigger(),
            outcome: decision.outcome,
            version: *version,
            waited: trace.now().since(trace.first_seen()),
            spans,
            bytes: trace.cost(),
            chance: decision.chance,
        };
        let mut body = body.borrow_mut();
        self.trail.with(|votes| self.shadow.with(|in_shadow| figures.write(votes, shadow.map(|keeps| (keeps, in_shadow)), &mut body)));
        lock(ring).push(trace.now(), trace.id(), &body);
    }

    /// A span came after the decision on its trace.
    pub(super) fn late(&self, trace: TraceId, now: LogTime, is_kept: bool, is_root: bool) {
        if let Some(To { ring, .. }) = &self.to {
            lock(ring).amend(now, trace, &NO_LATE, |body| add_late(body, is_kept, is_root));
        }
    }

    /// For the next trace.
    pub(super) fn clear(&self) {
        self.trail.clear();
        self.shadow.clear();
    }
}

#[cfg(test)]
mod tests;

#![doc = include_str!("README.md")]
//! # How it is made
//!
//! A name and what a resource says of it go through `walk`; what comes of it is remembered for each distinct resource. `seen` is what all lanes
//! know of the services together: it tells collisions, and it is the page `/services`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracetailor_core::attributes::{Attributes, Of, Place, ResourceAttributes};
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, Counter, NeedsRebuild, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Stability,
};
use tracetailor_core::config::{ConfigErrors, Glob, OneOrMany, Pattern, Schema, Validate};
use tracetailor_core::ledger::{Cause, Fate, Retry};
use tracetailor_core::telemetry::{Context, ContextCache, Signal, SpanKind, Telemetry, Value};
use tracetailor_core::time::{Clock, LogTime};

mod check;
mod identity;
mod page;
mod seen;
mod strip;
mod walk;
mod words;

use identity::Identity;
use seen::{Arrival, Seen, Service};
use walk::{Walk, Walked, Way};

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether names are changed, or only what would change is reported.
    pub mode: Mode,
    /// Attributes of the resource that name a service which has no name of its own: the first that is there.
    pub from: OneOrMany<String>,
    /// Names that are none.
    pub unknown: OneOrMany<Glob>,
    /// The right name, and what comes instead of it, letter by letter.
    pub aliases: BTreeMap<String, OneOrMany<String>>,
    /// What is cut off names.
    pub strip: Strip,
    /// Names by pattern: the first that matches makes the name.
    pub rules: Vec<Rule>,
    /// How names are spelled.
    pub case: Case,
    /// Whether `peer.service` of CLIENT spans is renamed by the same table.
    pub peers: bool,
    /// Keeps the name that came in `tracetailor.service_name.original`, where it was changed.
    pub keep_original: bool,
    /// What becomes of a service that would take the name of a different one.
    pub on_collision: OnCollision,
}

/// Whether names are changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They are.
    #[default]
    Apply,
    /// They are not; the page `/services` shows what would be.
    Suggest,
}

/// What is cut off names.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Strip {
    /// At the beginning: `environment`, `version`, or letters as they are.
    pub prefixes: OneOrMany<String>,
    /// At the end: `environment`, `version`, `pod_hash`, `domain`, or letters as they are.
    pub suffixes: OneOrMany<String>,
}

/// A name by pattern.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A regular expression that the name must match; hold it to the ends with `^` and `$`.
    pub pattern: Pattern,
    /// The name, with `$1` and `$name` for what groups match.
    pub name: String,
    /// The `service.namespace` that the service gets with it, written the same way.
    #[serde(default)]
    pub namespace: String,
}

/// How names are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// As they come.
    #[default]
    Keep,
    /// `user-auth-service`.
    Kebab,
    /// `user_auth_service`.
    Snake,
    /// `userauthservice`: small letters, and nothing else is touched.
    Lower,
}

/// What becomes of a service that would take the name of a different one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, Schema)]
#[serde(rename_all = "lowercase")]
pub enum OnCollision {
    /// It keeps the name that it came with.
    #[default]
    Keep,
    /// They become one.
    Merge,
    /// Its telemetry is rejected.
    Error,
}

impl Default for Config {
    fn default() -> Self {
        let from = [
            "k8s.deployment.name",
            "k8s.statefulset.name",
            "k8s.daemonset.name",
            "k8s.cronjob.name",
            "k8s.container.name",
            "process.executable.name",
        ];
        Self {
            mode: Mode::Apply,
            from: from.map(str::to_owned).to_vec().into(),
            unknown: ["unknown_service*", "unknown", ""].map(Glob::new).to_vec().into(),
            aliases: BTreeMap::new(),
            strip: Strip::default(),
            rules: Vec::new(),
            case: Case::Keep,
            peers: false,
            keep_original: true,
            on_collision: OnCollision::Keep,
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        check::aliases(&self.aliases, &mut errors.at("aliases"));
        check::strip(&self.strip, &mut errors.at("strip"));
        for (index, rule) in self.rules.iter().enumerate() {
            check::rule(rule, &mut errors.at("rules").index(index));
        }
    }
}

/// How one is made.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<ServiceName>("service_name", Stability::Beta, include_str!("README.md"));

/// The attribute that all this is about.
const SERVICE_NAME: &str = "service.name";
const NAMESPACE: &str = "service.namespace";
const ORIGINAL: &str = "tracetailor.service_name.original";
const PEER: &str = "peer.service";

/// Renames services, once for each distinct resource.
pub struct ServiceName {
    signal: Signal,
    namer: Namer,
    /// What becomes of each resource.
    known: ContextCache<Renamed>,
    /// What becomes of the names of peers; nothing where they are left alone.
    peers: Option<Peers>,
    clock: Clock,
    counts: [Counter; 5],
    collided: Cause,
}

/// Decides what becomes of a resource.
struct Namer {
    mode: Mode,
    keep_original: bool,
    on_collision: OnCollision,
    walk: Walk,
    places: Places,
    /// What all lanes have seen.
    seen: Arc<Seen>,
}

/// Where it writes.
struct Places {
    name: Place,
    namespace: Place,
    original: Place,
    peer: Option<Place>,
}

/// What becomes of a resource.
struct Renamed {
    /// What it is from now on; `None` where it stays.
    context: Option<Arc<Context>>,
    outcome: Outcome,
    /// Where its items are counted; `None` where nothing names it.
    service: Option<Arc<Service>>,
}

/// What became of a name, as the metric has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Kept,
    Filled,
    Renamed,
    Unknown,
    Collided,
}

impl Outcome {
    const ALL: [(Outcome, &str); 5] = [
        (Outcome::Kept, "kept"),
        (Outcome::Filled, "filled"),
        (Outcome::Renamed, "renamed"),
        (Outcome::Unknown, "unknown"),
        (Outcome::Collided, "collided"),
    ];
}

/// The names of peers, and what they become; forgotten as a whole when there are too many.
#[derive(Default)]
struct Peers(HashMap<String, Option<String>>);

/// So many names of peers are remembered: more than a fleet has services.
const MOST_PEERS: usize = 10_000;

impl Component for ServiceName {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        let signal = context.line.signal();
        let seen = context.share("seen", || Seen::new(context));
        context.tell("services", "the services there are, what they were called, and what looks wrong with their names", seen.clone());
        Ok(Box::new(Self {
            signal,
            namer: Namer {
                mode: config.mode,
                keep_original: config.keep_original,
                on_collision: config.on_collision,
                walk: Walk::new(config),
                places: Places::new(signal)?,
                seen,
            },
            known: ContextCache::lingering(),
            peers: Peers::wanted(config, signal),
            clock: context.clock.clone(),
            counts: Outcome::ALL.map(|(_, outcome)| context.counter("tracetailor_service_names_total", &[("outcome", outcome)])),
            collided: context.cause("name_collision"),
        }))
    }
}

impl Places {
    fn new(signal: Signal) -> Result<Self, BuildError> {
        let of_resource = |key| Place::of(key, signal, Of::Resource);
        let peer = if signal == Signal::Traces { Some(Place::of(PEER, signal, Of::Item)?) } else { None };
        Ok(Self { name: of_resource(SERVICE_NAME)?, namespace: of_resource(NAMESPACE)?, original: of_resource(ORIGINAL)?, peer })
    }
}

impl Processor for ServiceName {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        let now = self.clock.now();
        self.count(&batch, now);
        if self.namer.mode == Mode::Apply {
            self.reject_collisions(&mut batch, now);
            self.rename_peers(&mut batch);
            batch.map_contexts(|context| self.known.get(context, |context| self.namer.rename(context, now)).context.clone());
        }
        out.emit(batch);
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        let config: &Config = config.get()?;
        self.namer.mode = config.mode;
        self.namer.keep_original = config.keep_original;
        self.namer.on_collision = config.on_collision;
        self.namer.walk = Walk::new(config);
        self.namer.seen.begin_anew();
        self.known = ContextCache::lingering();
        self.peers = Peers::wanted(config, self.signal);
        Ok(())
    }
}

impl ServiceName {
    /// Counts the items of each resource; the first time that one comes, what becomes of it is decided.
    fn count(&mut self, batch: &Telemetry, now: LogTime) {
        let mut outcomes = [0; Outcome::ALL.len()];
        let mut first = 0;
        // What stands in one group shares its context, and heads are all that is looked at.
        for group in batch.heads().chunk_by(|head, next| head.group == next.group) {
            let context = batch.item(first).context();
            let count = group.len() as u64;
            first += group.len();
            let renamed = self.known.get(context, |context| self.namer.rename(context, now));
            outcomes[renamed.outcome as usize] += count;
            if let Some(service) = &renamed.service {
                service.sent(count, now);
            }
        }
        for (counter, count) in self.counts.iter().zip(outcomes).filter(|(_, count)| *count > 0) {
            counter.add(count);
        }
    }

    fn reject_collisions(&mut self, batch: &mut Telemetry, now: LogTime) {
        if self.namer.on_collision != OnCollision::Error {
            return;
        }
        let fate = Fate::Rejected { cause: self.collided, retry: Retry::Never };
        batch.settle_items(fate, |item| {
            self.known.get(item.context(), |context| self.namer.rename(context, now)).outcome == Outcome::Collided
        });
    }

    fn rename_peers(&mut self, batch: &mut Telemetry) {
        let (Some(peers), Some(place)) = (&mut self.peers, &self.namer.places.peer) else { return };
        for index in 0..batch.len() {
            let span = batch.item(index);
            if span.head().span_kind() != SpanKind::Client {
                continue;
            }
            let Some(peer) = span.attribute(PEER).and_then(|value| value.text()) else { continue };
            let context = span.context().clone();
            let name = peers.renamed(&peer, |peer| self.namer.walk.of_name(peer, &context));
            if let Some(name) = name {
                Attributes::set(&mut batch.item_mut(index), place, &Value::String(name));
            }
        }
    }
}

impl Peers {
    fn wanted(config: &Config, signal: Signal) -> Option<Self> {
        (config.peers && signal == Signal::Traces).then(Self::default)
    }

    /// What a name becomes; `None` where it stays.
    fn renamed(&mut self, peer: &str, walk: impl FnOnce(&str) -> String) -> Option<String> {
        if let Some(known) = self.0.get(peer) {
            return known.clone();
        }
        if self.0.len() >= MOST_PEERS {
            self.0.clear();
        }
        let name = Some(walk(peer)).filter(|name| name != peer);
        self.0.insert(peer.to_owned(), name.clone());
        name
    }
}

impl Namer {
    fn rename(&self, context: &Arc<Context>, now: LogTime) -> Renamed {
        let given = text_of(context, SERVICE_NAME);
        let walked = self.walk.of_service(given.as_deref(), context);
        let arrival = Arrival { given: given.as_deref(), name: &walked.name, identity: Identity::of(context), now };
        let (service, collides) = self.seen.arrives(&arrival, self.on_collision, self.mode);
        let collides = collides && walked.is_change(given.as_deref());
        let outcome = match walked.way {
            _ if collides => Outcome::Collided,
            Way::Unknown => Outcome::Unknown,
            Way::Filled => Outcome::Filled,
            Way::Named if walked.is_change(given.as_deref()) => Outcome::Renamed,
            Way::Named => Outcome::Kept,
        };
        let keeps_its_own = collides && self.on_collision != OnCollision::Merge;
        let context = if self.mode == Mode::Apply && !keeps_its_own { self.edited(context, given.as_deref(), &walked) } else { None };
        Renamed { context, outcome, service }
    }

    /// The resource with its new name; `None` where nothing changes.
    fn edited(&self, context: &Arc<Context>, given: Option<&str>, walked: &Walked) -> Option<Arc<Context>> {
        let mut resource = ResourceAttributes::of(context);
        if walked.is_change(given) {
            resource.set(&self.places.name, &Value::from(walked.name.as_str()));
            // Who came by another gateway has kept the name that it came with there.
            if self.keep_original && context.resource_attribute(ORIGINAL).is_none() {
                resource.set(&self.places.original, &Value::from(given.unwrap_or_default()));
            }
        }
        if let Some(namespace) = walked.namespace.as_deref().filter(|namespace| text_of(context, NAMESPACE).as_deref() != Some(namespace)) {
            resource.set(&self.places.namespace, &Value::from(namespace));
        }
        resource.changed()
    }
}

/// An attribute of the resource, where it is text.
fn text_of(context: &Context, key: &str) -> Option<String> {
    Some(context.resource_attribute(key)?.text()?.into_owned())
}

#[cfg(test)]
mod tests;

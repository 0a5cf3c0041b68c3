#![doc = include_str!("README.md")]

mod back_ends;
mod config;
mod ring;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracetailor_core::component::{
    BoxFuture, BuildContext, BuildError, Component, Counter, Delivered, ExportError, Exporter, ExporterFactory, Exporters, Failing,
    Histogram, Parcel, Part, Stability,
};
use tracetailor_core::telemetry::{Item, Telemetry, TraceId, ValueRef};
use tracetailor_net::client::{Resolve, SystemResolver};
use tracetailor_net::otlp::grpc::{self, OtlpGrpc};

use back_ends::{BackEnds, Source};
use config::with_port;
pub use config::{Config, DnsKeys, Protocols, Resolver, RoutingKey, StaticKeys};
use ring::Ring;

/// How it is made.
pub const FACTORY: ExporterFactory = ExporterFactory::of::<LoadBalancing>("load_balancing", Stability::Beta, include_str!("README.md"))
    .formerly(&["loadbalancing"])
    .playing(Part::Delivering(|config| Ok(config.get::<Config>()?.delivery())));

/// Sends what belongs together to the same back end, over connections of its own lane.
pub struct LoadBalancing {
    back_ends: Arc<BackEnds>,
    /// The ring that the gateway has heard of through this instance.
    heard_of: AtomicU64,
    /// Whom this lane speaks to, by number. Who has left is spoken to until its last request has ended.
    senders: Mutex<HashMap<u32, Arc<Sender>>>,
    config: Config,
    context: BuildContext,
}

/// Somebody that this lane speaks to.
struct Sender {
    name: String,
    grpc: OtlpGrpc,
    /// Requests that failed, and that did not.
    outcomes: [Counter; 2],
    /// Milliseconds until it answered, or did not.
    latency: Histogram,
}

/// Upper ends of the Collector's buckets.
const LATENCIES: &[f64] = &[0.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0];

impl Component for LoadBalancing {
    type Kind = Exporters;
    type Config = Config;

    fn build(config: &Config, context: &BuildContext) -> Result<Box<dyn Exporter>, BuildError> {
        Ok(Box::new(Self::with(config, context, Arc::new(SystemResolver))?))
    }
}

impl LoadBalancing {
    fn with(config: &Config, context: &BuildContext, resolver: Arc<dyn Resolve>) -> Result<Self, BuildError> {
        let source = match (&config.resolver.r#static, &config.resolver.dns) {
            (Some(list), _) => Source::Listed(list.hostnames.to_vec()),
            (None, Some(dns)) => Source::Looked(dns.clone()),
            (None, None) => return Err(BuildError::new("resolver names no back ends", "write static or dns")),
        };
        let back_ends = context.share("back_ends", || BackEnds::new(context, resolver));
        // What was prepared for those of before is prepared again.
        let heard_of = AtomicU64::new(back_ends.version());
        back_ends.come_from(source);
        Ok(Self { heard_of, back_ends, senders: Mutex::default(), config: config.clone(), context: context.clone() })
    }

    /// Who has an item; none where there is nobody.
    fn owner(&self, ring: &Ring, goes_by: RoutingKey, item: &Item<'_>) -> Option<u32> {
        if goes_by == RoutingKey::Service {
            return ring.owner(&service_of(item));
        }
        match item.trace_id() {
            // A log record outside of any trace: anybody may have it.
            TraceId::NONE => ring.owner(item.bytes()),
            trace => self.back_ends.owner_of(ring, trace),
        }
    }

    /// Who has each item, in order. Neighbours mostly are of one trace.
    fn owners(&self, ring: &Ring, batch: &Telemetry) -> Vec<u32> {
        let goes_by = self.config.goes_by(batch.signal());
        let mut last: Option<(TraceId, u32)> = None;
        let of = |item: Item<'_>| match last {
            Some((trace, owner)) if goes_by == RoutingKey::TraceId && trace == item.trace_id() && trace != TraceId::NONE => owner,
            _ => {
                let owner = self.owner(ring, goes_by, &item).unwrap_or_default();
                last = Some((item.trace_id(), owner));
                owner
            }
        };
        batch.items().map(of).collect()
    }

    /// The sender to a back end, made where this lane has not spoken to it before.
    fn sender(&self, ring: &Ring, number: u32) -> Result<Arc<Sender>, ExportError> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if senders.len() > ring.members().len() {
            senders.retain(|known, _| ring.name(*known).is_some());
        }
        if let Some(known) = senders.get(&number) {
            return Ok(known.clone());
        }
        let name = ring.name(number).unwrap_or_default();
        let wrong = |wrong: String| ExportError::retry(format!("{name} cannot be sent to: {wrong}"));
        let endpoint = with_port(name).parse().map_err(|error: tracetailor_core::config::KeyError| wrong(error.to_string()))?;
        let keys = grpc::Config { endpoint: Some(endpoint), backend: None, ..self.config.protocol.otlp.clone() };
        let outcomes = ["false", "true"].map(|success| {
            self.context.counters.counter("otelcol_loadbalancer_backend_outcome", &[("endpoint", name), ("success", success)])
        });
        let latency = self.context.counters.histogram("otelcol_loadbalancer_backend_latency", &[("endpoint", name)], LATENCIES);
        let grpc = OtlpGrpc::new(&keys, &self.context).map_err(|error| wrong(error.wrong))?;
        let sender = Arc::new(Sender { name: name.to_owned(), grpc, outcomes, latency });
        senders.insert(number, sender.clone());
        Ok(sender)
    }
}

/// What a service is called, as the ring takes it.
fn service_of(item: &Item<'_>) -> Vec<u8> {
    match item.resource_attribute("service.name") {
        Some(ValueRef::String(name)) => name.to_vec(),
        _ => Vec::new(),
    }
}

impl Exporter for LoadBalancing {
    fn prepare(&self, batch: Telemetry) -> Vec<Parcel> {
        let ring = self.back_ends.ring();
        let owners = self.owners(&ring, &batch);
        let mut ways = owners.clone();
        ways.sort_unstable();
        ways.dedup();
        if let [way] = ways[..] {
            return vec![Parcel { way, batch }];
        }
        let mut owner = owners.into_iter();
        let parts = batch.split(ways.len(), |_| owner.next().and_then(|owner| ways.binary_search(&owner).ok()).unwrap_or_default());
        ways.iter().copied().zip(parts).map(|(way, batch)| Parcel { way, batch }).collect()
    }

    fn rerouted(&self) -> BoxFuture<'_, ()> {
        self.back_ends.watch();
        Box::pin(async {
            self.back_ends.changed_since(self.heard_of.load(Ordering::Relaxed)).await;
            self.heard_of.store(self.back_ends.version(), Ordering::Relaxed);
        })
    }

    fn ways(&self) -> usize {
        self.back_ends.ring().members().len()
    }

    fn export<'a>(&'a self, batch: &'a Telemetry) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            let ring = self.back_ends.ring();
            let owners = self.owners(&ring, batch);
            let owner = owners.first().copied().unwrap_or_default();
            if owners.iter().any(|other| *other != owner) {
                return Err(ExportError::new(Failing::Elsewhere, "the back ends are others by now"));
            }
            if ring.name(owner).is_none() {
                return Err(ExportError::retry("no back end is known yet"));
            }
            let sender = self.sender(&ring, owner)?;
            let began = self.context.clock.now();
            let sent = sender.grpc.send(batch).await;
            sender.latency.record(self.context.clock.now().since(began).as_secs_f64() * 1e3);
            sender.outcomes[usize::from(sent.is_ok())].add(1);
            sent.map_err(|error| ExportError { message: format!("{}: {}", sender.name, error.message), ..error })
        })
    }
}

#[cfg(test)]
mod tests;

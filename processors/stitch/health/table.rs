//! What one lane has seen, by service and by edge. Names are senders' and may be anything: every table has a bound.

use std::collections::{BTreeMap, HashMap};

use foldhash::quality::RandomState;
use tracetailor_core::telemetry::TraceId;

use super::headers::{Captured, Fault};
use super::meters::{EdgeMeters, Meters, ServiceMeters};

/// No service: nobody knows whose it was.
pub(super) const SOMEBODY: u32 = u32::MAX;
/// So many kinds of faults of headers are remembered.
const MOST_HEADERS: usize = 256;
/// So much of a name is kept.
const NAME: usize = 128;

pub(super) type Map<K, V> = HashMap<K, V, RandomState>;

/// One lane's tables.
#[derive(Debug)]
pub(super) struct Table {
    most: usize,
    pub(super) totals: Totals,
    pub(super) names: Vec<Box<str>>,
    pub(super) services: Vec<Service>,
    places: Map<Box<str>, u32>,
    by_hash: Map<u64, u32>,
    pub(super) edges: Map<(u32, u32), Edge>,
    pub(super) two_roots: Map<(u32, u32), u64>,
    pub(super) headers: BTreeMap<(u32, Fault), Header>,
    meters: Meters,
}

/// What was seen in all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) traces: u64,
    pub(super) complete: u64,
    pub(super) two_roots: u64,
    pub(super) orphans: u64,
    /// Traces of which nothing is counted: this gateway cut their time short.
    pub(super) cut_short: u64,
    /// Services, edges and the like that there was no place for.
    pub(super) beyond: u64,
}

/// What was seen of a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    pub(super) spans: u64,
    pub(super) traces: u64,
    pub(super) complete: u64,
    /// Traces that hold nothing else.
    pub(super) alone: u64,
    /// Requests that it served and that begin a trace.
    pub(super) begins: u64,
    /// Requests that it served as part of one.
    pub(super) continues: u64,
    pub(super) orphans: u64,
    /// Calls that no span of another process stands below, and that say nothing of whom they were meant for.
    pub(super) unanswered: u64,
    pub(super) invalid: BTreeMap<&'static str, u64>,
    pub(super) most: Values,
    /// A parent that never comes: between the service and whoever calls it, or above the traces that it begins.
    pub(super) has_hop: bool,
    pub(super) has_silent_caller: bool,
    meters: Option<ServiceMeters>,
}

/// What was seen of one service calling another.
#[derive(Clone, Debug, Default)]
pub(super) struct Edge {
    pub(super) answered: u64,
    pub(super) unanswered: u64,
    pub(super) orphans: u64,
    /// Traces that both are part of.
    pub(super) traces: u64,
    /// The highest values of trace ids among these.
    pub(super) most: Values,
    meters: Option<EdgeMeters>,
}

/// A faulty header of a service.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) count: u64,
    pub(super) header: String,
    pub(super) parent: Option<String>,
}

/// What head samplers compare with their rate, in three dialects: the higher, the sooner it is left out. See [`values`].
pub(super) type Values = [u64; 3];

/// The last eight bytes as a number (Go, Python); their distance from zero as a signed one (Java); the last seven, turned round (W3C, level 2).
pub(super) fn values(trace: TraceId) -> Values {
    let lower = u128::from_be_bytes(trace.0) as u64;
    [lower, lower.cast_signed().unsigned_abs() << 1, !(lower << 8)]
}

pub(super) fn raise(most: &mut Values, by: &Values) {
    most.iter_mut().zip(by).for_each(|(most, by)| *most = (*most).max(*by));
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Answered,
    Unanswered,
    Orphaned,
    /// Orphaned, as always there.
    Uninstrumented,
}

impl Table {
    pub(super) fn new(most: usize, meters: Meters) -> Self {
        Self {
            most,
            totals: Totals::default(),
            names: Vec::new(),
            services: Vec::new(),
            places: Map::default(),
            by_hash: Map::default(),
            edges: Map::default(),
            two_roots: Map::default(),
            headers: BTreeMap::new(),
            meters,
        }
    }

    /// The place of a service, under its name as it was sent and the hash of what it comes to.
    pub(super) fn place(&mut self, name: &str, hash: u64) -> u32 {
        let name: String = name.chars().take(NAME).collect();
        if let Some(place) = self.places.get(name.as_str()) {
            return *place;
        }
        if self.services.len() >= self.most {
            self.totals.beyond += 1;
            return SOMEBODY;
        }
        let place = self.services.len() as u32;
        self.services.push(Service { meters: Some(self.meters.service(&name)), ..Service::default() });
        self.by_hash.entry(hash).or_insert(place);
        self.names.push(name.as_str().into());
        self.places.insert(name.into(), place);
        place
    }

    /// A service that a call names, if it has been seen.
    pub(super) fn named(&self, hash: u64) -> Option<u32> {
        if hash == 0 { None } else { self.by_hash.get(&hash).copied() }
    }

    pub(super) fn name(&self, place: u32) -> &str {
        self.names.get(place as usize).map_or("?", |name| name)
    }

    pub(super) fn service(&mut self, place: u32) -> Option<&mut Service> {
        self.services.get_mut(place as usize)
    }

    pub(super) fn edge(&mut self, from: u32, to: u32) -> Option<&mut Edge> {
        if !self.edges.contains_key(&(from, to)) {
            if to == SOMEBODY || self.edges.len() >= self.most {
                self.totals.beyond += 1;
                return None;
            }
            let meters = self.meters.edge(self.name(from), self.name(to));
            self.edges.insert((from, to), Edge { meters: Some(meters), ..Edge::default() });
        }
        self.edges.get_mut(&(from, to))
    }

    pub(super) fn call(&mut self, from: u32, to: u32, call: Call) {
        let Some(edge) = self.edge(from, to) else { return };
        match call {
            Call::Answered => edge.answered += 1,
            Call::Unanswered => edge.unanswered += 1,
            Call::Orphaned | Call::Uninstrumented => edge.orphans += 1,
        }
        if let Some(meters) = &edge.meters {
            meters.count(call);
        }
    }

    pub(super) fn roots(&mut self, first: u32, second: u32) {
        let has_room = self.two_roots.len() < self.most;
        match self.two_roots.get_mut(&(first, second)) {
            Some(count) => *count += 1,
            None if has_room => drop(self.two_roots.insert((first, second), 1)),
            None => self.totals.beyond += 1,
        }
    }

    pub(super) fn header(&mut self, service: u32, Captured { fault, header, parent }: Captured) {
        let has_room = self.headers.len() < MOST_HEADERS;
        match self.headers.get_mut(&(service, fault)) {
            Some(known) => known.count += 1,
            None if has_room => drop(self.headers.insert((service, fault), Header { count: 1, header, parent })),
            None => self.totals.beyond += 1,
        }
    }
}

impl Service {
    pub(super) fn trace(&mut self, is_complete: bool, is_alone: bool, values: &Values) {
        self.traces += 1;
        self.complete += u64::from(is_complete);
        self.alone += u64::from(is_alone);
        raise(&mut self.most, values);
        if let Some(meters) = &self.meters {
            meters.count(is_complete);
        }
    }

    /// What another lane has seen.
    pub(super) fn add(&mut self, other: &Service) {
        let Service { spans, traces, complete, alone, begins, continues, orphans, unanswered, .. } = other;
        self.spans += spans;
        self.traces += traces;
        self.complete += complete;
        self.alone += alone;
        self.begins += begins;
        self.continues += continues;
        self.orphans += orphans;
        self.unanswered += unanswered;
        other.invalid.iter().for_each(|(kind, count)| *self.invalid.entry(kind).or_default() += count);
        raise(&mut self.most, &other.most);
        self.has_hop |= other.has_hop;
        self.has_silent_caller |= other.has_silent_caller;
    }
}

impl Edge {
    pub(super) fn add(&mut self, other: &Edge) {
        self.answered += other.answered;
        self.unanswered += other.unanswered;
        self.orphans += other.orphans;
        self.traces += other.traces;
        raise(&mut self.most, &other.most);
    }
}

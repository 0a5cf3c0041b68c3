//! From counts to what somebody can act on.

use std::collections::{BTreeMap, BTreeSet};

use super::Health;
use super::headers::Fault;
use super::table::{Edge, Header, SOMEBODY, Service, Table, Totals};

/// The tables of all lanes as one, by name.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub(super) totals: Totals,
    pub(super) services: BTreeMap<String, Service>,
    pub(super) edges: BTreeMap<(String, String), Edge>,
    pub(super) two_roots: BTreeMap<(String, String), u64>,
    pub(super) headers: BTreeMap<(String, Fault), Header>,
}

/// Something that looks wrong, or explains what looks wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    /// What it is, as a word of a closed list.
    pub(super) kind: &'static str,
    /// Whom it is about, the caller first.
    pub(super) services: Vec<String>,
    /// How often it was seen.
    pub(super) count: u64,
    /// Out of how many.
    pub(super) of: u64,
    /// For people.
    pub(super) text: String,
}

/// Below these, chance explains what is seen.
const FEW: u64 = 5;
const ENOUGH: u64 = 20;
/// The chance that somebody who is sampled by nothing at all looks as if by the head of the trace.
const LIKELIHOOD: f64 = 1e-6;
/// A share that nobody need look at.
const SOME: f64 = 0.01;

impl Sum {
    pub(super) fn of(health: &Health) -> Sum {
        let mut sum = Sum::default();
        let lanes: Vec<_> = super::lock(&health.lanes).values().cloned().collect();
        lanes.iter().for_each(|lane| sum.add(&super::lock(lane)));
        sum
    }

    fn add(&mut self, table: &Table) {
        let Totals { traces, complete, two_roots, orphans, cut_short, beyond } = table.totals;
        self.totals.traces += traces;
        self.totals.complete += complete;
        self.totals.two_roots += two_roots;
        self.totals.orphans += orphans;
        self.totals.cut_short += cut_short;
        self.totals.beyond += beyond;
        for (name, service) in table.names.iter().zip(&table.services) {
            self.services.entry(name.to_string()).or_default().add(service);
        }
        let pair = |from: u32, to: u32| (table.name(from).to_owned(), table.name(to).to_owned());
        for ((from, to), edge) in &table.edges {
            self.edges.entry(pair(*from, *to)).or_default().add(edge);
        }
        for ((first, second), count) in &table.two_roots {
            *self.two_roots.entry(pair(*first, *second)).or_default() += count;
        }
        for ((service, fault), header) in table.headers.iter().filter(|((service, _), _)| *service != SOMEBODY) {
            let known = self.headers.entry((table.name(*service).to_owned(), *fault));
            known.and_modify(|known| known.count += header.count).or_insert_with(|| header.clone());
        }
    }

    /// What was found, the most frequent of each kind first; kinds in the order in which somebody should look at them.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let kinds: [fn(&Sum) -> Vec<Finding>; 10] = [
            Sum::bad_headers,
            Sum::lost_before,
            Sum::lost_between,
            Sum::orphans,
            Sum::head_sampled,
            Sum::hops,
            Sum::two_roots,
            Sum::names_alike,
            Sum::invalid_ids,
            Sum::alone,
        ];
        let sorted = |kind: fn(&Sum) -> Vec<Finding>| {
            let mut found = kind(self);
            found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.services.cmp(&b.services)));
            found
        };
        kinds.into_iter().flat_map(sorted).collect()
    }

    fn bad_headers(&self) -> Vec<Finding> {
        let finding = |((service, fault), known): (&(String, Fault), &Header)| {
            let Header { count, header, parent } = known;
            let parent = parent.as_ref().map_or(String::new(), |parent| format!("; the lost parent is {parent}"));
            let header = if header.is_empty() { String::new() } else { format!(" ({header})") };
            Finding {
                kind: fault.name(),
                services: vec![service.clone()],
                count: *count,
                of: self.services.get(service).map_or(*count, |service| service.begins + service.continues),
                text: format!("{service} was sent a header that it could not go by, {count} times: {}{header}{parent}", fault.explain()),
            }
        };
        self.headers.iter().map(finding).collect()
    }

    /// Begins traces, though elsewhere it continues them: whoever calls it there does not pass the context on, or it is not read.
    fn lost_before(&self) -> Vec<Finding> {
        let is_it =
            |service: &Service| service.begins >= FEW && service.continues >= FEW && share(service.begins, service.requests()) >= SOME;
        let finding = |(name, service): (&String, &Service)| Finding {
            kind: "lost_before",
            services: vec![name.clone()],
            count: service.begins,
            of: service.requests(),
            text: format!(
                "context lost before {name}: {} of {} requests begin a trace there, the others continue one",
                service.begins,
                service.requests()
            ),
        };
        self.services.iter().filter(|(_, service)| is_it(service)).map(finding).collect()
    }

    /// Calls that nobody answers, though the one called reports.
    fn lost_between(&self) -> Vec<Finding> {
        let edges = self.edges.iter().filter(|(_, edge)| edge.unanswered >= FEW && share(edge.unanswered, edge.calls()) >= SOME);
        let sampled: BTreeSet<(String, String)> = self.sampled().map(|(edge, _)| edge.clone()).collect();
        let edges = edges.filter(|(names, _)| !sampled.contains(*names));
        let finding = |((from, to), edge): (&(String, String), &Edge)| Finding {
            kind: "lost_between",
            services: vec![from.clone(), to.clone()],
            count: edge.unanswered,
            of: edge.calls(),
            text: format!(
                "context lost between {from} and {to}: {} of {} calls have no span of {to} below them",
                edge.unanswered,
                edge.calls()
            ),
        };
        edges.map(finding).collect()
    }

    fn orphans(&self) -> Vec<Finding> {
        let is_hop = |to: &str| self.services.get(to).is_some_and(|service| service.has_hop);
        let edges = self.edges.iter().filter(|((from, to), edge)| edge.orphans > 0 && (from == to || !is_hop(to)));
        let finding = |((from, to), edge): (&(String, String), &Edge)| {
            let text = match (from == to, from.as_str()) {
                (true, _) => format!("spans of {to} are missing: {} spans name a parent in {to} that did not come", edge.orphans),
                (false, "?") => format!("{} requests to {to} name a parent that did not come; nothing says whose it is", edge.orphans),
                _ => format!("{} requests from {from} to {to} name a parent that did not come", edge.orphans),
            };
            let of = self.services.get(to).map_or(edge.orphans, |service| service.spans);
            Finding { kind: "orphans", services: vec![from.clone(), to.clone()], count: edge.orphans, of, text }
        };
        edges.map(finding).collect()
    }

    /// Who is part of its callers' traces below one value of their ids only, and the share of them.
    fn sampled(&self) -> impl Iterator<Item = (&(String, String), f64)> {
        self.edges.iter().filter_map(|(names, edge)| {
            let caller = self.services.get(&names.0).filter(|_| edge.traces >= ENOUGH)?;
            let rate = |dialect: usize| {
                let (most, callers) = (part(edge.most[dialect]), part(caller.most[dialect]));
                let seldom = edge.traces as f64 * (most / callers).ln() < LIKELIHOOD.ln();
                let above = caller.traces as f64 * (1.0 - most / callers);
                (seldom && above >= ENOUGH as f64).then_some(most)
            };
            let rate = (0..edge.most.len()).filter_map(rate).min_by(f64::total_cmp)?;
            Some((names, rate))
        })
    }

    fn head_sampled(&self) -> Vec<Finding> {
        let finding = |((from, to), rate): (&(String, String), f64)| {
            let traces = self.services.get(from).map_or(0, |service| service.traces);
            let edge = &self.edges[&(from.clone(), to.clone())];
            Finding {
                kind: "head_sampled",
                services: vec![from.clone(), to.clone()],
                count: edge.traces,
                of: traces,
                text: format!(
                    "{to} is sampled at its head, about {}: it is in {} of {traces} traces of {from}, all below one value of the trace id; its holes are no loss",
                    percent(rate),
                    edge.traces
                ),
            }
        };
        self.sampled().map(finding).collect()
    }

    fn hops(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for (name, service) in &self.services {
            if service.has_hop {
                let callers = self.edges.iter().filter(|((from, to), edge)| to == name && from != to && edge.orphans > 0);
                let (callers, counts): (Vec<&str>, Vec<u64>) = callers.map(|((from, _), edge)| (from.as_str(), edge.orphans)).unzip();
                let from = if callers.is_empty() { "?".to_owned() } else { callers.join(", ") };
                found.push(Finding {
                    kind: "uninstrumented_hop",
                    services: vec![from.clone(), name.clone()],
                    count: counts.iter().sum(),
                    of: service.requests(),
                    text: format!("something between {from} and {name} passes the context on and reports nothing; it is not waited for"),
                });
            }
            if service.has_silent_caller {
                found.push(Finding {
                    kind: "silent_caller",
                    services: vec![name.clone()],
                    count: service.continues,
                    of: service.requests(),
                    text: format!(
                        "whoever calls {name} from outside begins the trace and reports nothing, such as a browser; it is not waited for"
                    ),
                });
            }
        }
        found
    }

    fn two_roots(&self) -> Vec<Finding> {
        let finding = |((first, second), count): (&(String, String), &u64)| Finding {
            kind: "two_roots",
            services: vec![first.clone(), second.clone()],
            count: *count,
            of: self.totals.traces,
            text: format!("{count} traces begin twice, in {first} and in {second}: a trace id was passed on and its parent was not"),
        };
        self.two_roots.iter().map(finding).collect()
    }

    fn names_alike(&self) -> Vec<Finding> {
        let mut alike: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for name in self.services.keys() {
            let plain: String = name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
            alike.entry(plain).or_default().push(name);
        }
        let finding = |names: Vec<&String>| {
            let names: Vec<String> = names.into_iter().cloned().collect();
            let spans = names.iter().filter_map(|name| self.services.get(name)).map(|service| service.spans).sum();
            let text = format!("names that differ only in case or punctuation: {}; `service_name` makes them one", names.join(", "));
            Finding { kind: "names_alike", services: names, count: spans, of: spans, text }
        };
        alike.into_values().filter(|names| names.len() > 1).map(finding).collect()
    }

    fn invalid_ids(&self) -> Vec<Finding> {
        let each =
            self.services.iter().flat_map(|(name, service)| service.invalid.iter().map(move |(kind, count)| (name, service, kind, *count)));
        each.map(|(name, service, kind, count)| Finding {
            kind: "invalid_ids",
            services: vec![name.clone()],
            count,
            of: service.spans,
            text: format!("{count} spans of {name} came with {}", in_words(kind)),
        })
        .collect()
    }

    /// Traces of one service, of one that is part of others' elsewhere.
    fn alone(&self) -> Vec<Finding> {
        let is_it =
            |service: &Service| service.alone >= FEW && service.alone < service.traces && share(service.alone, service.traces) >= SOME;
        let finding = |(name, service): (&String, &Service)| Finding {
            kind: "alone",
            services: vec![name.clone()],
            count: service.alone,
            of: service.traces,
            text: format!("{} of {} traces with {name} hold nothing else, the others do", service.alone, service.traces),
        };
        self.services.iter().filter(|(_, service)| is_it(service)).map(finding).collect()
    }
}

impl Service {
    pub(super) fn requests(&self) -> u64 {
        self.begins + self.continues
    }
}

impl Edge {
    pub(super) fn calls(&self) -> u64 {
        self.answered + self.unanswered
    }
}

fn in_words(kind: &str) -> &str {
    match kind {
        "no_span_id" => "a span id that is zero or of the wrong length",
        "shared_id" => "an id that the two sides of a call share, as Zipkin's do",
        "ambiguous_id" => "an id that another span has, too",
        "self_parent" => "their own id as their parent's",
        "bad_parent_id" => "a parent id of the wrong length",
        "cycle" => "parents that go round in a ring",
        other => other,
    }
}

fn share(count: u64, of: u64) -> f64 {
    count as f64 / of.max(1) as f64
}

/// A value as a part of the highest there is.
fn part(value: u64) -> f64 {
    (value as f64 / u64::MAX as f64).max(f64::MIN_POSITIVE)
}

pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent >= 9.95 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

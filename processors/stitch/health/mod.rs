//! What is wrong with the traces of whoever runs the gateway, and between which services: counted of every trace that is decided, kept or not, and told at
//! `/health/traces`.

mod findings;
mod headers;
mod hops;
mod meters;
mod page;
mod skew;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracetailor_core::component::ProcessorContext;
use tracetailor_core::telemetry::{Context, ContextCache, Item, SpanId, SpanKind};
use tracetailor_core::trace_store::{Outline, Slot, Structure, Trace};

use super::engine::{Shape, SpanView};
use super::read::{Hashes, Reader, name_hash};
use hops::{Above, Hops};
use meters::{Meters, Named};
use skew::Skews;
use table::{Call, SOMEBODY, Table, values};

/// What all lanes have seen.
#[derive(Debug)]
pub(super) struct Health {
    lanes: Mutex<BTreeMap<usize, Arc<Mutex<Table>>>>,
    named: Arc<Named>,
    skews: Skews,
}

/// One lane's eyes.
pub(super) struct Observer {
    health: Arc<Health>,
    table: Arc<Mutex<Table>>,
    /// Of a resource: the place of its service.
    places: ContextCache<u32>,
    hops: Hops,
    learns: bool,
    /// Of every slot: absent parents that need not be waited for, below a root, and where there is none.
    excused: Vec<Excused>,
    /// Of the trace in hand: the place of every span's service; those that are part of it; the pairs that call each other.
    services: Vec<u32>,
    present: Vec<u32>,
    pairs: Vec<(u32, u32)>,
}

#[derive(Debug, Default)]
struct Excused {
    below: Vec<SpanId>,
    above: Vec<SpanId>,
}

/// So many absent parents of one trace are excused.
const MOST_EXCUSED: usize = 64;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer {
    pub(super) fn new(context: &ProcessorContext, learns: bool, most: usize) -> Self {
        let health = context.share("health", || Health { lanes: Mutex::default(), named: Arc::default(), skews: Skews::new(context) });
        context.tell("health/traces", "how whole traces are, where they break, and what may be the cause", health.clone());
        let meters = Meters::new(context, health.named.clone());
        let table = lock(&health.lanes).entry(context.lane.index).or_insert_with(|| Arc::new(Mutex::new(Table::new(most, meters)))).clone();
        Self {
            health,
            table,
            places: ContextCache::new(),
            hops: Hops::default(),
            learns,
            excused: Vec::new(),
            services: Vec::new(),
            present: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// A trace whose time was cut short by this gateway tells nothing of whoever sent it.
    pub(super) fn pass_over(&self) {
        lock(&self.table).totals.cut_short += 1;
    }

    /// Takes note of a trace.
    pub(super) fn see(&mut self, trace: &Trace<'_>, reader: &Reader, shape: &Shape, waited: bool) {
        let table = self.table.clone();
        let table = &mut *lock(&table);
        self.services.clear();
        for item in trace.items() {
            let place = *self.places.get(item.context(), |context| place(table, context));
            self.services.push(place);
        }
        let (views, hashes) = (reader.views(), reader.hashes());
        self.pairs.clear();
        self.spans(table, trace, views, hashes, shape);
        self.orphans(table, views, hashes, shape, waited);
        self.roots(table, shape);
        self.whole(table, trace, shape);
        if trace.id().0[15].is_multiple_of(SKEW_OF_ONE_IN) {
            self.health.skews.see(trace, views, hashes, shape);
        }
    }

    fn spans(&mut self, table: &mut Table, trace: &Trace<'_>, views: &[SpanView], hashes: &[Hashes], shape: &Shape) {
        for (at, view) in views.iter().enumerate() {
            let place = self.services[at];
            let Some(service) = table.service(place).filter(|_| !shape.is_left(at)) else { continue };
            service.spans += 1;
            if shape.is_odd(at) {
                shape.reasons(at).for_each(|reason| *service.invalid.entry(reason.name()).or_default() += 1);
            }
            let is_served = matches!(view.kind, SpanKind::Server | SpanKind::Consumer);
            if is_served {
                let begins = view.parent.is_none() && !view.has_bad_parent;
                *(if begins { &mut service.begins } else { &mut service.continues }) += 1;
                self.headers(table, place, &trace.item(at));
            }
            match shape.up(at) {
                Some(up) if view.is_called() && views[up].process != view.process => {
                    table.call(self.services[up], place, Call::Answered);
                    self.pairs.push((self.services[up], place));
                    if is_served {
                        self.learn(place, Above::Present, true);
                    }
                }
                _ => {}
            }
            if view.kind == SpanKind::Client && !view.is_leaf && !shape.is_taken(at) {
                match table.named(hashes[at].target) {
                    Some(to) if to != place => table.call(place, to, Call::Unanswered),
                    _ => table.service(place).into_iter().for_each(|service| service.unanswered += 1),
                }
            }
        }
    }

    fn headers(&mut self, table: &mut Table, place: u32, item: &Item<'_>) {
        for attribute in item.attributes() {
            if (30..=32).contains(&attribute.key.len())
                && let Some(captured) = headers::look(&attribute, item.trace_id())
            {
                table.header(place, captured);
            }
        }
    }

    /// Orphans, by the edge that broke: from whoever has a call that nobody answered and that may have been meant for them.
    fn orphans(&mut self, table: &mut Table, views: &[SpanView], hashes: &[Hashes], shape: &Shape, waited: bool) {
        table.totals.orphans += shape.orphans.len() as u64;
        for at in &shape.orphans {
            let (view, place) = (&views[*at], self.services[*at]);
            table.service(place).into_iter().for_each(|service| service.orphans += 1);
            let is_hop = view.is_called() && self.hops.is_hop(place);
            let from = if view.is_called() { self.caller(views, hashes, shape, *at) } else { place };
            table.call(from, place, if is_hop { Call::Uninstrumented } else { Call::Orphaned });
            if view.is_called() {
                self.learn(place, Above::Missing, waited);
            }
        }
        if let Some(entry) = shape.entry.filter(|entry| views[*entry].is_called()) {
            self.learn(self.services[entry], Above::Outside, waited);
        }
        for place in shape.orphans.iter().chain(&shape.entry).map(|at| self.services[*at]) {
            let (hop, silent) = (self.hops.is_hop(place), self.hops.is_silent(place));
            if let Some(service) = table.service(place) {
                (service.has_hop, service.has_silent_caller) = (hop, silent);
            }
        }
    }

    /// The one service whose unanswered calls may have led to an orphan.
    fn caller(&self, views: &[SpanView], hashes: &[Hashes], shape: &Shape, orphan: usize) -> u32 {
        let may_lead = |at: &usize| {
            let view = &views[*at];
            view.is_call()
                && !view.is_leaf
                && !shape.is_taken(*at)
                && view.process != views[orphan].process
                && (hashes[*at].target == 0 || hashes[*at].target == hashes[orphan].service)
        };
        let mut callers = (0..views.len()).filter(may_lead).map(|at| self.services[at]);
        match callers.next() {
            Some(first) if callers.all(|other| other == first) => first,
            _ => SOMEBODY,
        }
    }

    fn roots(&mut self, table: &mut Table, shape: &Shape) {
        let Some(leader) = shape.leader.filter(|_| shape.roots.len() > 1) else { return };
        table.totals.two_roots += 1;
        // One entry for a pair in a trace, however many roots there are.
        let mut others: Vec<u32> = shape.roots.iter().filter(|at| **at != leader).map(|at| self.services[*at]).collect();
        others.sort_unstable();
        others.dedup();
        others.into_iter().take(8).for_each(|other| table.roots(self.services[leader], other));
    }

    fn whole(&mut self, table: &mut Table, trace: &Trace<'_>, shape: &Shape) {
        self.present.clear();
        self.present.extend_from_slice(&self.services);
        self.present.sort_unstable();
        self.present.dedup();
        table.totals.traces += 1;
        table.totals.complete += u64::from(shape.is_complete);
        let values = values(trace.id());
        let is_alone = self.present.len() == 1;
        for place in &self.present {
            table.service(*place).into_iter().for_each(|service| service.trace(shape.is_complete, is_alone, &values));
        }
        self.pairs.sort_unstable();
        self.pairs.dedup();
        for (from, to) in &self.pairs {
            if let Some(edge) = table.edge(*from, *to) {
                edge.traces += 1;
                table::raise(&mut edge.most, &values);
            }
        }
    }

    /// What is missing tells something only where it was waited for.
    fn learn(&mut self, place: u32, above: Above, waited: bool) {
        if self.learns && waited && place != SOMEBODY {
            self.hops.saw(place, above);
        }
    }
}

/// Of so many traces one is looked at for the clocks of its processes.
const SKEW_OF_ONE_IN: u8 = 8;
/// Of so many traces one is waited for whatever was learned: a proxy may have begun to report.
const PROBE_ONE_IN: u8 = 16;

/// Waiting: what was learned excuses absent parents.
impl Observer {
    pub(super) fn open(&mut self, slot: Slot) {
        if let Some(excused) = self.excused.get_mut(slot.index()) {
            *excused = Excused::default();
        }
    }

    pub(super) fn arrive(&mut self, slot: Slot, span: &Item<'_>) {
        if !self.hops.is_any() || span.head().parent.is_none() || !matches!(span.head().span_kind(), SpanKind::Server | SpanKind::Consumer)
        {
            return;
        }
        let Self { table, places, hops, excused, .. } = self;
        let place = *places.get(span.context(), |context| place(&mut lock(table), context));
        if excused.len() <= slot.index() {
            excused.resize_with(slot.index() + 1, Excused::default);
        }
        let Excused { below, above } = &mut excused[slot.index()];
        for (is_excused, list) in [(hops.is_hop(place), below), (hops.is_silent(place), above)] {
            if is_excused && list.len() < MOST_EXCUSED && !list.contains(&span.head().parent) {
                list.push(span.head().parent);
            }
        }
    }

    /// Whether all that is missing of a trace never comes.
    pub(super) fn is_excused(&self, trace: &Outline<'_>, structure: &Structure<'_>) -> bool {
        let Some(excused) = self.excused.get(trace.slot().index()).filter(|_| self.hops.is_any()) else { return false };
        let counts = structure.counts();
        let outside = structure.outside_parent();
        if is_probe(trace) || counts.open_parents as usize > excused.below.len() + usize::from(outside.is_some()) {
            return false;
        }
        let has_beginning = counts.roots > 0 || outside.is_some_and(|outside| excused.above.contains(&outside));
        has_beginning && structure.open_parents().all(|absent| Some(absent) == outside || excused.below.contains(&absent))
    }

    pub(super) fn close(&mut self, slot: Slot) {
        self.open(slot);
    }
}

fn is_probe(trace: &Outline<'_>) -> bool {
    trace.id().0[14].is_multiple_of(PROBE_ONE_IN)
}

fn place(table: &mut Table, context: &Arc<Context>) -> u32 {
    let name = context.resource_attribute("service.name").and_then(|value| value.text()).unwrap_or_default();
    table.place(if name.is_empty() { "(no service.name)" } else { &name }, name_hash(name.as_bytes()))
}

#[cfg(test)]
mod tests;

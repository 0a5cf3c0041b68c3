//! From held spans to the plain records that the rules read.

use std::sync::Arc;

use tracetailor_core::telemetry::{Context, ContextCache, Head, Item, Level, SpanKind, ValueRef};
use tracetailor_core::trace_store::Trace;

use super::engine::{Mix, Reason, SpanView, Target};
use super::made::SCOPE;
use super::marks::REASON;

/// Reads traces, and remembers what it has read of resources.
#[derive(Default)]
pub(super) struct Reader {
    places: ContextCache<Place>,
    views: Vec<SpanView>,
    hashes: Vec<Hashes>,
}

/// What a span's record says by small numbers, as hashes that hold beyond one trace.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hashes {
    pub(super) process: u64,
    pub(super) service: u64,
    /// For whom a call is meant; 0 where it does not say.
    pub(super) target: u64,
}

/// What a resource says of where its spans ran.
#[derive(Clone, Copy, Debug)]
struct Place {
    service: u64,
    process: u64,
    is_instance: bool,
    is_made: bool,
    /// All of it.
    content: u64,
}

/// What tells instances of a service apart, where the first is not given.
pub(super) const INSTANCE: [&str; 7] =
    ["service.instance.id", "k8s.pod.uid", "container.id", "k8s.pod.name", "host.id", "host.name", "process.pid"];

impl Place {
    fn of(context: &Arc<Context>) -> Place {
        let hash = |key: &str| context.resource_attribute(key).and_then(text).map(|text| Mix::new().bytes(&text).finish());
        let service = context.resource_attribute("service.name").and_then(text).map_or(0, |name| name_hash(&name));
        // A process id is one of its host only.
        let found: Vec<(usize, u64)> = INSTANCE.iter().enumerate().filter_map(|(at, key)| hash(key).map(|hash| (at, hash))).collect();
        let instance = match found.first() {
            Some((0..=3, first)) => Mix::new().word(*first),
            _ => found.iter().fold(Mix::new(), |mix, (_, hash)| mix.word(*hash)),
        };
        let scope = context.envelope(Level::Scope);
        Place {
            service,
            process: instance.word(service).finish(),
            is_instance: found.iter().any(|(at, _)| *at < INSTANCE.len() - 1),
            is_made: scope.windows(SCOPE.len()).any(|window| window == SCOPE.as_bytes()),
            content: Mix::new().bytes(context.envelope(Level::Resource)).bytes(scope).finish(),
        }
    }
}

impl Reader {
    /// The records of a trace, in its order.
    pub(super) fn read(&mut self, trace: &Trace<'_>) -> &[SpanView] {
        let has_doubles = trace.structure().is_none_or(|structure| structure.counts().duplicates > 0);
        let has_odd = trace.heads().any(|head| head.flags & (Head::ODD_SPAN_ID | Head::ODD_PARENT_ID) != 0);
        self.views.clear();
        self.hashes.clear();
        for item in trace.items() {
            let place = *self.places.get(item.context(), Place::of);
            let (mut view, target) = view(&item, place);
            if has_doubles || has_odd {
                view.name = Mix::new().bytes(item.name().as_bytes()).finish();
                view.content = Mix::new().word(place.content).bytes(item.bytes()).finish();
            }
            self.views.push(view);
            self.hashes.push(Hashes { process: place.process, service: place.service, target });
        }
        self.number();
        &self.views
    }

    /// The records that were read last.
    pub(super) fn views(&self) -> &[SpanView] {
        &self.views
    }

    /// The same as hashes.
    pub(super) fn hashes(&self) -> &[Hashes] {
        &self.hashes
    }

    /// Small numbers in the place of hashes.
    fn number(&mut self) {
        let numbers = |which: fn(&Hashes) -> u64| {
            let mut numbers: Vec<u64> = self.hashes.iter().map(which).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let (processes, services) = (numbers(|hashes| hashes.process), numbers(|hashes| hashes.service));
        let place = |numbers: &[u64], hash: u64| numbers.binary_search(&hash).ok().and_then(|at| u32::try_from(at).ok());
        for (view, Hashes { process, service, target }) in self.views.iter_mut().zip(&self.hashes) {
            view.process = place(&processes, *process).unwrap_or_default();
            view.service = place(&services, *service).unwrap_or_default();
            view.target = match target {
                0 => Target::Unknown,
                // A name that no service here has may still be another name of one.
                target => place(&services, *target).map_or(Target::Unknown, Target::Service),
            };
        }
    }
}

fn view(item: &Item<'_>, place: Place) -> (SpanView, u64) {
    let head = item.head();
    let has_id = !head.has(Head::ODD_SPAN_ID);
    let mut view = SpanView {
        id: if has_id { head.span } else { SpanView::EMPTY.id },
        parent: head.parent,
        start: head.start,
        end: head.end,
        kind: head.span_kind(),
        remote: head.has(Head::REMOTE_KNOWN).then(|| head.has(Head::REMOTE)),
        is_instance: place.is_instance,
        is_made: place.is_made,
        has_bad_parent: head.has(Head::ODD_PARENT_ID),
        was_cut: head.parent.is_none() && was_cut(item),
        ..SpanView::EMPTY
    };
    let target =
        if matches!(view.kind, SpanKind::Client | SpanKind::Producer | SpanKind::Consumer) { read_call(item, &mut view) } else { 0 };
    (view, target)
}

/// Whether marks tell of a parent that was taken away. Who was its own parent has lost none, unless it stood in a ring as well.
fn was_cut(item: &Item<'_>) -> bool {
    let Some(reasons) = item.attribute(REASON).and_then(text) else { return false };
    let cutting = [Reason::Cycle, Reason::BadParent].map(|reason| reason.name().as_bytes());
    reasons.split(|byte| *byte == b',').any(|reason| cutting.contains(&reason))
}

/// What a call says of whom it is meant for, as a hash; 0 where it does not.
fn read_call(item: &Item<'_>, view: &mut SpanView) -> u64 {
    let mut target = (usize::MAX, 0);
    for attribute in item.attributes() {
        match attribute.key {
            b"db.system" | b"db.system.name" | b"db.name" | b"db.namespace" => view.is_leaf = true,
            b"messaging.destination.name" | b"messaging.destination" => {
                view.topic = text(attribute.value()).map_or(0, |name| Mix::new().bytes(&name).finish());
            }
            key => {
                let rank = TARGETS.iter().position(|known| known.as_bytes() == key);
                let name = rank.filter(|rank| *rank < target.0).and_then(|_| text(attribute.value()));
                if let (Some(rank), Some(name)) = (rank, name.filter(|name| !is_address(name))) {
                    target = (rank, name_hash(&name));
                }
            }
        }
    }
    target.1
}

/// Where a call says whom it is meant for, the best first.
const TARGETS: [&str; 5] = ["peer.service", "service.peer.name", "server.address", "net.peer.name", "http.host"];

fn text(value: ValueRef<'_>) -> Option<Vec<u8>> {
    match value {
        ValueRef::String(text) => Some(text.to_vec()).filter(|text| !text.is_empty()),
        ValueRef::Int(number) => Some(number.to_le_bytes().to_vec()),
        _ => None,
    }
}

/// Numbers and colons, or nobody but oneself: no name.
fn is_address(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"localhost")
        || name.iter().all(|byte| byte.is_ascii_digit() || b".:[]".contains(byte))
        || name.contains(&b':')
}

/// A service's name as far as it is one whatever it is written in: `Cart-Service` is `cart` is `cart.shop.svc.cluster.local`.
pub(super) fn name_hash(name: &[u8]) -> u64 {
    let label = name.split(|byte| *byte == b'.').next().unwrap_or(name);
    let mut plain: Vec<u8> =
        label.iter().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()).map(u8::to_ascii_lowercase).collect();
    for ending in [&b"service"[..], b"svc"] {
        if plain.len() > ending.len() && plain.ends_with(ending) {
            plain.truncate(plain.len() - ending.len());
        }
    }
    Mix::new().bytes(&plain).finish()
}

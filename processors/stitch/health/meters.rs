//! Metrics by service and by edge. A label that senders choose must not become a flood: beyond a bound all others are `(other)`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracetailor_core::component::{BuildContext, Counter};

use super::table::Call;

/// So many services and edges have series of their own.
const MOST_SERVICES: usize = 200;
const MOST_EDGES: usize = 1_000;
const OTHER: &str = "(other)";

/// Which services and edges have series of their own, for all lanes.
#[derive(Debug, Default)]
pub(super) struct Named {
    services: Mutex<HashSet<String>>,
    edges: Mutex<HashSet<(String, String)>>,
    /// Of all others, made when there are some.
    other_service: OnceLock<ServiceMeters>,
    other_edge: OnceLock<EdgeMeters>,
}

/// Makes them.
#[derive(Clone, Debug)]
pub(super) struct Meters {
    context: BuildContext,
    named: Arc<Named>,
}

/// Shared by what is cloned from it: reports copy tables.
#[derive(Clone, Debug)]
pub(super) struct ServiceMeters(Arc<[Counter; 2]>);

/// In the order of [`Call`].
#[derive(Clone, Debug)]
pub(super) struct EdgeMeters(Arc<[Counter; 4]>);

impl Meters {
    pub(super) fn new(context: &BuildContext, named: Arc<Named>) -> Self {
        Self { context: context.clone(), named }
    }

    pub(super) fn service(&self, name: &str) -> ServiceMeters {
        match has_room(&self.named.services, name.to_owned(), MOST_SERVICES) {
            true => self.service_series(name),
            false => self.named.other_service.get_or_init(|| self.service_series(OTHER)).clone(),
        }
    }

    fn service_series(&self, name: &str) -> ServiceMeters {
        let counter = |outcome| self.context.counter("tracetailor_stitch_service_traces_total", &[("service", name), ("outcome", outcome)]);
        ServiceMeters(Arc::new(["broken", "complete"].map(counter)))
    }

    pub(super) fn edge(&self, from: &str, to: &str) -> EdgeMeters {
        match has_room(&self.named.edges, (from.to_owned(), to.to_owned()), MOST_EDGES) {
            true => self.edge_series(from, to),
            false => self.named.other_edge.get_or_init(|| self.edge_series(OTHER, OTHER)).clone(),
        }
    }

    fn edge_series(&self, from: &str, to: &str) -> EdgeMeters {
        let labels = |outcome| [("from", from), ("to", to), ("outcome", outcome)];
        let counter = |outcome| self.context.counter("tracetailor_stitch_edge_calls_total", &labels(outcome));
        EdgeMeters(Arc::new(["answered", "unanswered", "orphaned", "uninstrumented"].map(counter)))
    }
}

fn has_room<K: std::hash::Hash + Eq>(named: &Mutex<HashSet<K>>, key: K, most: usize) -> bool {
    let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
    named.contains(&key) || named.len() < most && named.insert(key)
}

impl ServiceMeters {
    pub(super) fn count(&self, is_complete: bool) {
        self.0[usize::from(is_complete)].add(1);
    }
}

impl EdgeMeters {
    pub(super) fn count(&self, call: Call) {
        self.0[call as usize].add(1);
    }
}

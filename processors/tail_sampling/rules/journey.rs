//! `sample: {share, by}`: journeys over several traces, such as a session, kept or dropped as a whole.
//!
//! What decides is a hash of what the journey is told by, the same on every gateway. Nothing that is written into a trace state could say how
//! probable that was, because the trace's own randomness had no part in it; so thresholds are erased. A trace of no journey goes by its own
//! randomness, and says so.

use tracetailor_core::attributes::text;
use tracetailor_core::config::Percent;
use tracetailor_core::probability::Randomness;
use tracetailor_core::telemetry::{Context, ContextCache, Item, ValueRef};
use tracetailor_core::trace_store::{Outline, Slot};

use super::super::policies::probabilistic::{self, fnv};
use super::super::policies::{Facts, Maker, Vote, Voter};
use super::super::randomness::Chance;
use tracetailor_core::probability::Threshold;

/// Who votes for a share of journeys.
pub(super) fn voter(share: Percent, by: &[String], maker: &mut Maker<'_>) -> Box<dyn Voter> {
    let alone = [probabilistic::of_share(share.ratio(), maker)];
    let keys = by.iter().map(|key| key.clone().into_bytes()).collect();
    let threshold = Threshold::of(share.ratio(), 14);
    Box::new(ByJourney { keys, threshold, alone, resources: ContextCache::new(), journeys: Vec::new() })
}

struct ByJourney {
    keys: Vec<Vec<u8>>,
    threshold: Threshold,
    /// Who decides on a trace of no journey.
    alone: [Box<dyn Voter>; 1],
    resources: ContextCache<Option<Journey>>,
    /// By slot.
    journeys: Vec<Option<Journey>>,
}

/// What a trace is part of: by which of the keys, and a hash of what stands there. Of several the smallest counts, so that the order in which
/// spans come makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Journey {
    key: usize,
    hash: u64,
}

impl Journey {
    fn of(key: usize, value: ValueRef<'_>) -> Option<Self> {
        let told = match value {
            ValueRef::String(told) => std::borrow::Cow::Borrowed(told),
            other => std::borrow::Cow::Owned(text(other).into_bytes()),
        };
        (!told.is_empty()).then(|| Self { key, hash: mixed(fnv(SEED, &told)) })
    }

    fn of_context(context: &Context, keys: &[Vec<u8>]) -> Option<Self> {
        earliest(context.resource_attributes().filter_map(|attribute| found(attribute.key, attribute.value(), keys)))
    }

    fn randomness(self) -> Randomness {
        Randomness::new(self.hash >> 8)
    }
}

fn found(key: &[u8], value: ValueRef<'_>, keys: &[Vec<u8>]) -> Option<Journey> {
    Journey::of(keys.iter().position(|known| known == key)?, value)
}

fn earliest(journeys: impl Iterator<Item = Journey>) -> Option<Journey> {
    journeys.min()
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// Spreads what differs in a few bits over all of them.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

impl Voter for ByJourney {
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        match self.journeys.get(trace.outline.slot().index()).copied().flatten() {
            Some(journey) => Vote::keep_if(self.threshold.keeps(journey.randomness())).by(Chance::Unknown),
            None => self.alone[0].vote(trace),
        }
    }

    fn looks(&mut self) -> bool {
        true
    }

    fn open(&mut self, slot: Slot) {
        if self.journeys.len() <= slot.index() {
            self.journeys.resize(slot.index() + 1, None);
        }
        self.journeys[slot.index()] = None;
    }

    fn arrive(&mut self, trace: &Outline<'_>, span: &Item<'_>) {
        let Self { keys, resources, journeys, .. } = self;
        let shared = *resources.get(span.context(), |context| Journey::of_context(context, keys));
        let own = span.attributes().filter_map(|attribute| found(attribute.key, attribute.value(), keys));
        let Some(known) = journeys.get_mut(trace.slot().index()) else { return };
        *known = earliest(own.chain(shared).chain(*known));
    }
}

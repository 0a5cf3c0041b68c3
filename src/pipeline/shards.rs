//! Which lane a trace belongs to: trace id to shard by a keyed hash, shard to lane by a table.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use tracetailor_core::telemetry::TraceId;

/// How many parts all traces are divided into, whatever the number of lanes.
const SHARDS: usize = 256;

/// The division of traces among lanes. All spans of a trace come to one lane, and nobody outside can tell which: clients choose trace ids,
/// and one who could aim would aim at a single lane.
#[derive(Clone, Debug)]
pub(super) struct Shards {
    key: RandomState,
    lanes: Box<[u16; SHARDS]>,
}

impl Shards {
    /// Spread evenly over so many lanes.
    pub(super) fn over(lanes: usize) -> Self {
        let lanes = Box::new(std::array::from_fn(|shard| (shard % lanes.max(1)) as u16));
        Self { key: RandomState::default(), lanes }
    }

    /// The lane of a trace.
    pub(super) fn lane_of(&self, trace: TraceId) -> usize {
        let shard = self.key.hash_one(trace.0) >> (64 - SHARDS.trailing_zeros());
        usize::from(self.lanes[shard as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_gets_about_its_part() {
        let shards = Shards::over(3);
        let mut counts = [0; 3];
        for n in 0..30_000_u128 {
            counts[shards.lane_of(TraceId(n.to_be_bytes()))] += 1;
        }
        assert!(counts.iter().all(|count| (7_500..12_500).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_trace_always_comes_to_the_same_lane() {
        let shards = Shards::over(8);
        let trace = TraceId([7; 16]);
        assert_eq!(shards.lane_of(trace), shards.clone().lane_of(trace));
    }
}

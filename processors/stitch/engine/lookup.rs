//! Which span has an id: ids are spread over as many buckets as there are spans, so that most are found at once and hardly anything is sorted.

/// Ids and whose they are.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// One bucket after the other, each sorted by id, so that also ids that were chosen to meet in one are found soon.
    entries: Vec<(u64, u32)>,
    /// Where each bucket begins, and where the last one ends.
    first: Vec<u32>,
    /// There are two to the power of this many buckets.
    bits: u32,
}

/// Spreads also ids that were counted up.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const MOST_BITS: u32 = 16;

impl Lookup {
    /// Of ids by place.
    pub(super) fn of(ids: impl ExactSizeIterator<Item = u64> + Clone) -> Lookup {
        let count = ids.len();
        let bits = count.next_power_of_two().trailing_zeros().min(MOST_BITS);
        let mut first = vec![0; (1 << bits) + 2];
        ids.clone().for_each(|id| first[bucket(id, bits) + 2] += 1);
        // Where each begins is one entry further on until all of its ids are in.
        for at in 2..first.len() {
            first[at] += first[at - 1];
        }
        let mut entries = vec![(0, 0); count];
        for (at, id) in ids.enumerate() {
            let next = &mut first[bucket(id, bits) + 1];
            entries[*next as usize] = (id, at as u32);
            *next += 1;
        }
        first.pop();
        for bounds in first.windows(2).filter(|bounds| bounds[1] - bounds[0] > 1) {
            entries[bounds[0] as usize..bounds[1] as usize].sort_unstable();
        }
        Lookup { entries, first, bits }
    }

    /// Of some ids, each with whose it is, in one bucket.
    pub(super) fn sorted(mut entries: Vec<(u64, u32)>) -> Lookup {
        entries.sort_unstable();
        Lookup { first: vec![0, entries.len() as u32], entries, bits: 0 }
    }

    /// Whether an id is there twice.
    pub(super) fn has_doubles(&self) -> bool {
        self.entries.windows(2).any(|pair| pair[0].0 == pair[1].0)
    }

    /// All that there is, without an order.
    pub(super) fn into_entries(self) -> Vec<(u64, u32)> {
        self.entries
    }

    /// Whose an id is.
    pub(super) fn find(&self, id: u64) -> Option<u32> {
        let bucket = bucket(id, self.bits);
        let bounds = self.first.get(bucket..bucket + 2)?;
        let entries = &self.entries[bounds[0] as usize..bounds[1] as usize];
        let at = entries.partition_point(|(known, _)| *known < id);
        entries.get(at).filter(|(known, _)| *known == id).map(|(_, at)| *at)
    }
}

fn bucket(id: u64, bits: u32) -> usize {
    (id.wrapping_mul(SPREAD) >> 32 >> (32 - bits)) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_the_first_of_an_id(ids in proptest::collection::vec(0..60_u64, 0..50), factor in prop_oneof![Just(1), Just(1 << 32), Just(SPREAD)]) {
            let ids: Vec<u64> = ids.iter().map(|id| id.wrapping_mul(factor)).collect();
            let (spread, sorted) = (Lookup::of(ids.iter().copied()), Lookup::sorted(ids.iter().copied().zip(0..).collect()));
            for id in (0..60_u64).map(|id| id.wrapping_mul(factor)) {
                let wanted = ids.iter().position(|known| *known == id).map(|at| at as u32);
                prop_assert_eq!((spread.find(id), sorted.find(id)), (wanted, wanted));
            }
            prop_assert_eq!(spread.has_doubles(), sorted.has_doubles());
        }
    }
}

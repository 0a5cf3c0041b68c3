//! Whether the store is right: its figures against the ledger's, and, in tests, everything against everything.

#[cfg(test)]
use super::entries::State;
use super::rows::RowsDoNotAdd;
use super::store::TraceStore;

impl TraceStore {
    /// Whether the requests' shares count exactly the spans that are held: between turns they do. A trace that was forgotten without being
    /// ended would show here, and nowhere else.
    pub fn audit(&self) -> Result<(), Unaccounted> {
        let owed = self.rows.audit()?;
        if owed == self.spans { Ok(()) } else { Err(Unaccounted::Sum { owed, held: self.spans }) }
    }

    /// How many segments are in use, those included that nothing lives in any longer.
    #[cfg(test)]
    pub(super) fn segments(&self) -> u64 {
        self.log.in_use().filter(|(_, segment)| !segment.is_dead()).count() as u64
    }

    /// Every invariant that can be checked by looking at everything.
    #[cfg(test)]
    pub(super) fn check(&self) {
        self.log.check();
        let mut records = Vec::new();
        let (mut spans, mut outgoing, mut outgoing_bytes, mut open) = (0, 0, 0, 0);
        for slot in self.entries.in_use() {
            let entry = self.entries.get(slot);
            self.walk(slot, &mut records);
            let cost: u64 = records.iter().map(|at| self.log.cost_of(*at)).sum();
            assert_eq!(u64::from(entry.bytes), cost);
            assert!(!records.is_empty());
            spans += records.len();
            match entry.state {
                State::Open => open += 1,
                _ => (outgoing, outgoing_bytes) = (outgoing + records.len(), outgoing_bytes + cost),
            }
        }
        assert_eq!((spans as u64, outgoing, open), (self.spans, self.outgoing_spans, self.entries.open_count()));
        assert_eq!(outgoing_bytes, self.outgoing_bytes);
        assert_eq!(self.log.live_records(), spans, "every live record is on its trace's chain");
        assert_eq!(self.audit(), Ok(()));
        assert_eq!(self.bytes.own(), self.cost());
    }
}

/// The store and its requests do not agree: a bug of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unaccounted {
    /// One request's share is wrong.
    #[error(transparent)]
    Row(#[from] RowsDoNotAdd),
    /// The shares are right and do not add up to what is held.
    #[error("the requests count {owed} spans where {held} are held")]
    Sum {
        /// What the shares count.
        owed: u64,
        /// What the store counts.
        held: u64,
    },
}

//! Which batch an item belongs to: told by the metadata that its client sent.

use std::sync::Arc;

use tracetailor_core::telemetry::{Source, Telemetry};

/// One combination of values. Equal keys gather together; without metadata keys there is only the empty one.
pub(super) type Key = Arc<[u8]>;

/// Sorts batches by the values of some metadata.
pub(super) struct Partitions {
    /// Lower case, as sources have them.
    names: Vec<String>,
    empty: Key,
}

impl Partitions {
    pub(super) fn by<T: AsRef<str>>(names: impl Iterator<Item = T>) -> Self {
        Self { names: names.map(|name| name.as_ref().to_ascii_lowercase()).collect(), empty: Arc::from([]) }
    }

    /// The key of everything, where nothing tells batches apart.
    pub(super) fn only(&self) -> Option<Key> {
        self.names.is_empty().then(|| Arc::clone(&self.empty))
    }

    /// The parts of a batch, each with its key. Almost always there is one: a batch that comes from a receiver has one origin.
    pub(super) fn of(&self, batch: Telemetry) -> Vec<(Key, Telemetry)> {
        let mut keys: Vec<Key> = Vec::new();
        let mut place = |key: Key| {
            keys.iter().position(|known| *known == key).unwrap_or_else(|| {
                keys.push(key);
                keys.len() - 1
            })
        };
        let places: Vec<usize> = batch.origins().iter().map(|origin| place(self.key(&origin.source))).collect();
        if keys.len() == 1 {
            return keys.into_iter().zip([batch]).collect();
        }
        let mut items = batch.heads().iter().map(|head| places[batch.origin_of(head)]).collect::<Vec<_>>().into_iter();
        let parts = batch.split(keys.len(), |_| items.next().unwrap_or_default());
        keys.into_iter().zip(parts).filter(|(_, part)| !part.is_empty()).collect()
    }

    /// All values of each name, in the order received. What follows is told before it, so that no value can look like two.
    fn key(&self, source: &Source) -> Key {
        let mut key = Vec::new();
        for name in &self.names {
            let values = source.metadata.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
            key.extend((values.clone().count() as u64).to_le_bytes());
            for value in values {
                key.extend((value.len() as u64).to_le_bytes());
                key.extend(value.as_bytes());
            }
        }
        Arc::from(key)
    }
}

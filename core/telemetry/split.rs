//! Splitting and merging batches: shares follow their items.

use std::sync::Arc;

use smallvec::SmallVec;

use super::batch::{Group, Telemetry};
use super::wire::{field_length, varint_length};
use super::{Head, Item, Level, Origin, schema};

/// Two batches of different signals cannot become one: the second comes back.
#[derive(Debug, thiserror::Error)]
#[error("a batch of {} cannot take in one of {}", into.name(), other.signal().name())]
pub struct SignalsDiffer {
    into: super::Signal,
    /// The batch that was not taken in.
    pub other: Box<Telemetry>,
}

impl Telemetry {
    /// Takes in another batch of the same signal. What came byte for byte still goes out so, one request behind the other.
    /// Its traces are whole only if those of both were.
    pub fn append(&mut self, mut other: Telemetry) -> Result<(), SignalsDiffer> {
        if self.signal() != other.signal() {
            return Err(SignalsDiffer { into: self.signal(), other: Box::new(other) });
        }
        self.freeze_edits();
        other.freeze_edits();
        let first_origin = self.origins.len() as u32;
        let first_group = self.groups.len() as u32;
        self.groups.extend(other.groups.into_iter().map(|group| Group { origin: group.origin + first_origin, ..group }));
        self.heads.extend(other.heads.into_iter().map(|head| Head { group: head.group + first_group, ..head }));
        self.origins.extend(other.origins);
        self.whole_traces &= other.whole_traces;
        self.pristine = match (self.pristine.take(), other.pristine) {
            (Some(mut bodies), Some(others)) => {
                bodies.extend(others);
                Some(bodies)
            }
            _ => None,
        };
        Ok(())
    }

    /// Makes room for what other batches bring, so that [appending](Self::append) many of them moves what is there only once.
    pub fn make_room_for(&mut self, others: &[Telemetry]) {
        let sum = |of: fn(&Telemetry) -> usize| others.iter().map(of).sum();
        self.heads.reserve_exact(sum(|other| other.heads.len()));
        self.groups.reserve_exact(sum(|other| other.groups.len()));
        self.origins.reserve_exact(sum(|other| other.origins.len()));
        if let Some(bodies) = &mut self.pristine {
            bodies.reserve_exact(sum(|other| other.pristine.as_ref().map_or(0, SmallVec::len)));
        }
    }

    /// Splits the batch into `parts` by what `part` says of each item (numbers beyond the last part count as the last). Parts may be empty.
    /// Order is kept within a part.
    pub fn split(self, parts: usize, mut part: impl FnMut(&Item<'_>) -> usize) -> Vec<Telemetry> {
        let last = parts.max(1) - 1;
        let places: Vec<u32> = self.items().map(|item| part(&item).min(last) as u32).collect();
        self.split_by(last + 1, &places)
    }

    /// Splits the batch into runs that have at most so many items each.
    pub fn split_by_count(self, most: usize) -> Vec<Telemetry> {
        let most = most.max(1);
        if self.len() <= most {
            return vec![self];
        }
        let places: Vec<u32> = (0..self.len()).map(|index| (index / most) as u32).collect();
        let parts = self.len().div_ceil(most);
        self.split_by(parts, &places)
    }

    /// Splits the batch so that no part is emitted as more than `most` bytes, unless it is a single item that is larger by itself.
    /// Items of one context stay together where they can, because each part repeats the contexts it uses.
    pub fn split_by_size(self, most: usize) -> Vec<Telemetry> {
        if self.emitted_bound() <= most {
            return vec![self];
        }
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_by_key(|index| self.heads[*index as usize].group);
        let mut places = vec![0; self.len()];
        let mut filling = Filling::default();
        for index in order {
            let head = &self.heads[index as usize];
            places[index as usize] = filling.place(&self.groups[head.group as usize], head.length as usize, most);
        }
        self.split_by(filling.part as usize + 1, &places)
    }

    /// At least as many bytes as [`Telemetry::emit`] writes.
    pub fn emitted_bound(&self) -> usize {
        if let Some(bodies) = &self.pristine {
            return bodies.iter().map(bytes::Bytes::len).sum();
        }
        let mut filling = Filling::default();
        for head in &self.heads {
            filling.place(&self.groups[head.group as usize], head.length as usize, usize::MAX);
        }
        filling.size
    }

    fn split_by(mut self, parts: usize, places: &[u32]) -> Vec<Telemetry> {
        self.freeze_edits();
        let mut counts = vec![0u64; parts * self.origins.len()];
        let mut lengths = vec![0; parts];
        places.iter().for_each(|place| lengths[*place as usize] += 1);
        let mut made: Vec<Part> = lengths.iter().map(|length| Part::new(*length, &self)).collect();
        for (head, place) in self.heads.iter().zip(places) {
            let group = &self.groups[head.group as usize];
            counts[*place as usize * self.origins.len() + group.origin as usize] += 1;
            made[*place as usize].push(head, group);
        }
        let (signal, whole) = (self.signal(), self.has_whole_traces());
        let mut origins = self.dissolve();
        let width = origins.len();
        let finish = |(place, part): (usize, Part)| {
            let mut part = part.finish(signal, &mut origins, &counts[place * width..(place + 1) * width]);
            if whole {
                part.mark_whole_traces();
            }
            part
        };
        let parts = made.into_iter().enumerate().map(finish).collect();
        debug_assert!(origins.iter().all(|origin| origin.share.is_empty()), "a share counts what it is for");
        // Nothing is left in them, so nothing is settled: an empty share may be dropped.
        drop(origins);
        parts
    }
}

/// One part in the making.
struct Part {
    heads: Vec<Head>,
    groups: Vec<Group>,
    /// The batch's group to the part's.
    group_numbers: Vec<u32>,
    /// The batch's origin to the part's, in the order of first use.
    origins: SmallVec<[u32; 8]>,
    origin_numbers: Vec<u32>,
}

const UNUSED: u32 = u32::MAX;

impl Part {
    /// For so many items of a batch.
    fn new(length: usize, of: &Telemetry) -> Self {
        Self {
            heads: Vec::with_capacity(length),
            groups: Vec::new(),
            group_numbers: vec![UNUSED; of.groups.len()],
            origins: SmallVec::new(),
            origin_numbers: vec![UNUSED; of.origins.len()],
        }
    }

    fn push(&mut self, head: &Head, group: &Group) {
        let number = self.group_numbers[head.group as usize];
        let number = if number == UNUSED { self.adopt(head.group, group) } else { number };
        self.heads.push(Head { group: number, ..*head });
    }

    fn adopt(&mut self, number: u32, group: &Group) -> u32 {
        let origin = &mut self.origin_numbers[group.origin as usize];
        if *origin == UNUSED {
            *origin = self.origins.len() as u32;
            self.origins.push(group.origin);
        }
        self.groups.push(Group { origin: *origin, ..group.clone() });
        let adopted = self.groups.len() as u32 - 1;
        self.group_numbers[number as usize] = adopted;
        adopted
    }

    fn finish(self, signal: super::Signal, origins: &mut [Origin], counts: &[u64]) -> Telemetry {
        let taken = self.origins.iter().map(|number| {
            let origin = &mut origins[*number as usize];
            Origin {
                share: origin.share.take(counts[*number as usize]),
                source: Arc::clone(&origin.source),
                received_at: origin.received_at,
            }
        });
        let taken = taken.collect();
        Telemetry::of_parts(signal, self.heads, self.groups, taken)
    }
}

/// Fills one part after the other up to a size.
#[derive(Default)]
struct Filling {
    part: u32,
    size: usize,
    items: usize,
    /// Contexts whose bytes the part in hand already has.
    contexts: hashbrown::HashSet<u64, foldhash::fast::RandomState>,
}

impl Filling {
    /// The part that an item of so many bytes goes to.
    fn place(&mut self, group: &Group, length: usize, most: usize) -> u32 {
        let item = field_length(schema::LIST, length);
        let mut wanted = item + self.context_bound(group);
        if self.items > 0 && self.size + wanted > most {
            self.part += 1;
            self.size = 0;
            self.items = 0;
            self.contexts.clear();
            wanted = item + self.context_bound(group);
        }
        self.contexts.insert(group.context.id());
        self.size += wanted;
        self.items += 1;
        self.part
    }

    /// The most that a context adds: its envelopes, and a tag and a length around each level.
    fn context_bound(&self, group: &Group) -> usize {
        if self.contexts.contains(&group.context.id()) {
            return 0;
        }
        let around = |envelope: &[u8]| envelope.len() + 1 + varint_length(u64::from(u32::MAX));
        [Level::Resource, Level::Scope, Level::Metric, Level::Data].map(|level| around(group.context.envelope(level))).iter().sum()
    }
}

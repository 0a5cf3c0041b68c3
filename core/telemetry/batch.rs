//! A batch: heads in a row, the groups they belong to, and the origins that wait to hear what becomes of them.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::context::Context;
use super::{Head, Item, Origin, Signal, Source};
use crate::ledger::{Cause, Fate};

/// A batch of items of one signal, as it travels from processor to processor.
///
/// It owns shares of the receipts of the requests it was made of, one per origin, so it cannot be dropped: whoever has it passes it on, or says what
/// became of it ([`Telemetry::settle`], [`Telemetry::drop_items`]). It is not `Clone` for the same reason; [`Telemetry::copy`] makes
/// another for one more destination, and the books know of it.
#[derive(Debug)]
pub struct Telemetry {
    signal: Signal,
    pub(super) heads: Vec<Head>,
    pub(super) groups: Vec<Group>,
    pub(super) origins: Vec<Origin>,
    /// The bytes of items with [`Head::EDITED`], one behind the other.
    pub(super) edited: Vec<u8>,
    /// The requests as they were received, while the batch is exactly they: then what goes out is byte for byte what came in.
    pub(super) pristine: Option<SmallVec<[Bytes; 1]>>,
    pub(super) whole_traces: bool,
    /// Where an edit is written before it is known to succeed.
    pub(super) scratch: Vec<u8>,
    /// What an item is while several edits are made to it at once.
    pub(super) draft: Vec<u8>,
    /// Bytes of `edited` that no head points to any more.
    pub(super) dead_edits: usize,
}

/// Items of one context whose bytes lie in one body, from one origin.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) context: Arc<Context>,
    pub(super) body: Bytes,
    pub(super) origin: u32,
}

impl Telemetry {
    pub(super) fn assemble(
        signal: Signal,
        heads: Vec<Head>,
        groups: Vec<Group>,
        origin: Origin,
        edited: Vec<u8>,
        body: Option<Bytes>,
    ) -> Self {
        let pristine = body.map(|body| SmallVec::from([body]));
        Self {
            signal,
            heads,
            groups,
            origins: vec![origin],
            edited,
            pristine,
            whole_traces: false,
            scratch: Vec::new(),
            draft: Vec::new(),
            dead_edits: 0,
        }
    }

    pub(super) fn of_parts(signal: Signal, heads: Vec<Head>, groups: Vec<Group>, origins: Vec<Origin>) -> Self {
        Self {
            signal,
            heads,
            groups,
            origins,
            edited: Vec::new(),
            pristine: None,
            whole_traces: false,
            scratch: Vec::new(),
            draft: Vec::new(),
            dead_edits: 0,
        }
    }

    /// Its signal.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// How many items it has.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// True when it has no item. Such a batch still has origins, whose shares are empty.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The heads, in order.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The requests it was made of.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Which of [`origins`](Self::origins) an item came with.
    pub fn origin_of(&self, head: &Head) -> usize {
        self.groups[head.group as usize].origin as usize
    }

    /// True when every trace in it is whole, as far as anybody waited: what comes out of a trace stage. A second one need not wait again.
    pub fn has_whole_traces(&self) -> bool {
        self.whole_traces
    }

    /// Says that every trace in it is whole.
    pub fn mark_whole_traces(&mut self) {
        self.whole_traces = true;
    }

    /// One item.
    ///
    /// # Panics
    /// When `index` is not below [`Telemetry::len`].
    #[inline]
    pub fn item(&self, index: usize) -> Item<'_> {
        self.view(&self.heads[index])
    }

    /// Every item, in order.
    #[inline]
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.heads.iter().map(|head| self.view(head))
    }

    /// The items from `first` on that lie in memory one behind the other, and their bytes with what little lies between them: as many as fit into so many bytes, one at
    /// least. Who looks for something that hardly any item has looks through all of them at once.
    ///
    /// # Panics
    /// When `first` is not below [`Telemetry::len`].
    pub fn stretch(&self, first: usize, most: usize) -> (Range<usize>, &[u8]) {
        /// A tag and a length; what items share is longer.
        const BETWEEN: usize = 16;
        let head = &self.heads[first];
        let group = &self.groups[head.group as usize];
        let is_there = |other: &Head| {
            other.has(Head::EDITED) == head.has(Head::EDITED)
                && (other.group == head.group
                    || head.has(Head::EDITED)
                    || self.groups[other.group as usize].body.as_ptr() == group.body.as_ptr())
        };
        let start = head.offset as usize;
        let (mut last, mut end) = (first + 1, start + head.length as usize);
        while let Some(next) = self.heads.get(last).filter(|next| is_there(next)) {
            let (from, to) = (next.offset as usize, next.offset as usize + next.length as usize);
            if from < end || from > end + BETWEEN || to > start + most {
                break;
            }
            (last, end) = (last + 1, to);
        }
        let source = if head.has(Head::EDITED) { &self.edited } else { &group.body[..] };
        (first..last, &source[start..end])
    }

    #[inline]
    pub(super) fn view<'a>(&'a self, head: &'a Head) -> Item<'a> {
        let group = &self.groups[head.group as usize];
        Item::new(head, bytes_of(head, group, &self.edited), &group.context)
    }

    /// The bytes of its items: what a queue counts.
    pub fn size(&self) -> usize {
        self.heads.iter().map(|head| head.length as usize).sum()
    }

    /// The bytes it keeps alive: the bodies it points into are freed whole or not at all.
    pub fn pinned(&self) -> usize {
        let mut bodies: SmallVec<[(*const u8, usize); 4]> = SmallVec::new();
        for group in &self.groups {
            let body = (group.body.as_ptr(), group.body.len());
            if !bodies.contains(&body) {
                bodies.push(body);
            }
        }
        bodies.iter().map(|(_, length)| length).sum::<usize>() + self.edited.capacity() + self.heads.capacity() * size_of::<Head>()
    }

    /// Takes out the items that `wanted` names, and settles their shares as dropped by `cause`: a rule the user wrote.
    pub fn drop_items(&mut self, cause: Cause, unwanted: impl FnMut(&Item<'_>) -> bool) {
        self.settle_items(Fate::Dropped(cause), unwanted);
    }

    /// Takes out the items that `ended` names, and settles their shares with `fate`.
    pub fn settle_items(&mut self, fate: Fate, mut ended: impl FnMut(&Item<'_>) -> bool) {
        let mut counts: SmallVec<[u64; 8]> = SmallVec::from_elem(0, self.origins.len());
        let (groups, edited) = (&self.groups, &self.edited);
        let before = self.heads.len();
        self.heads.retain(|head| {
            let group = &groups[head.group as usize];
            let ends = ended(&Item::new(head, bytes_of(head, group, edited), &group.context));
            counts[group.origin as usize] += u64::from(ends);
            !ends
        });
        if self.heads.len() == before {
            return;
        }
        self.pristine = None;
        for (origin, count) in self.origins.iter_mut().zip(counts).filter(|(_, count)| *count > 0) {
            origin.share.settle_some(count, fate);
        }
    }

    /// Ends every item's way with one fate.
    pub fn settle(self, fate: Fate) {
        self.dissolve().into_iter().for_each(|origin| origin.share.settle(fate));
    }

    /// Ends every item's way because there is no time left: what will be read again is left, the rest rejected for now.
    pub fn abandon(self, cause: Cause) {
        self.dissolve().into_iter().for_each(|origin| origin.share.abandon(cause));
    }

    /// Gives the origins back, shares and all, after the caller has copied what it keeps of the items. [`Telemetry::origin_of`] tells which item was whose.
    pub fn dissolve(self) -> Vec<Origin> {
        self.origins
    }

    /// Another batch of the same items for one more destination: counted as copied. The bytes are shared.
    pub fn copy(&mut self) -> Telemetry {
        self.freeze_edits();
        let origins = self.origins.iter().map(|origin| Origin {
            share: origin.share.copy(),
            source: Arc::clone(&origin.source),
            received_at: origin.received_at,
        });
        Telemetry {
            signal: self.signal,
            heads: self.heads.clone(),
            groups: self.groups.clone(),
            origins: origins.collect(),
            edited: Vec::new(),
            pristine: self.pristine.clone(),
            whole_traces: self.whole_traces,
            scratch: Vec::new(),
            draft: Vec::new(),
            dead_edits: 0,
        }
    }

    /// Changes every share, as when the batch enters an exporter's line or passes a milestone.
    pub fn each_share(&mut self, mut change: impl FnMut(&mut crate::ledger::Share)) {
        self.origins.iter_mut().for_each(|origin| change(&mut origin.share));
    }

    /// Changes contexts as a whole: `change` is asked once per group and answers with the new context, or `None` to leave it.
    /// This is how a processor renames a service: once per distinct resource, not once per span.
    pub fn map_contexts(&mut self, mut change: impl FnMut(&Arc<Context>) -> Option<Arc<Context>>) {
        let mut last: Option<(u64, Option<Arc<Context>>)> = None;
        self.map_groups(|group| {
            let changed = match &last {
                Some((id, changed)) if *id == group.context.id() => changed.clone(),
                _ => change(&group.context),
            };
            last = Some((group.context.id(), changed.clone()));
            changed
        });
    }

    /// The same where the answer depends on who sent the items as well.
    pub fn map_contexts_by_source(&mut self, mut change: impl FnMut(&Arc<Context>, &Source) -> Option<Arc<Context>>) {
        let sources: SmallVec<[Arc<Source>; 4]> = self.origins.iter().map(|origin| Arc::clone(&origin.source)).collect();
        self.map_groups(|group| change(&group.context, &sources[group.origin as usize]));
    }

    fn map_groups(&mut self, mut change: impl FnMut(&Group) -> Option<Arc<Context>>) {
        for group in &mut self.groups {
            if let Some(context) = change(group) {
                group.context = context;
                self.pristine = None;
            }
        }
    }

    /// Turns the edited items into items of a body of their own, so that the batch can be split or merged like one that nobody edited.
    pub(super) fn freeze_edits(&mut self) {
        if self.edited.is_empty() {
            return;
        }
        let body = Bytes::from(std::mem::take(&mut self.edited));
        self.dead_edits = 0;
        let mut frozen: Vec<Option<u32>> = vec![None; self.groups.len()];
        for head in self.heads.iter_mut().filter(|head| head.has(Head::EDITED)) {
            let group = *frozen[head.group as usize].get_or_insert_with(|| {
                let group = &self.groups[head.group as usize];
                self.groups.push(Group { context: Arc::clone(&group.context), body: body.clone(), origin: group.origin });
                self.groups.len() as u32 - 1
            });
            head.group = group;
            head.flags &= !Head::EDITED;
        }
    }
}

/// Where an item's bytes lie: in its group's body, or among the edits.
#[inline]
pub(super) fn bytes_of<'a>(head: &Head, group: &'a Group, edited: &'a [u8]) -> &'a [u8] {
    let range = head.offset as usize..head.offset as usize + head.length as usize;
    if head.has(Head::EDITED) { &edited[range] } else { &group.body[range] }
}

/// Makes a batch of items that are kept elsewhere: what a trace store emits. Bytes are copied, once, into a body of their own.
#[derive(Debug)]
pub struct TelemetryBuilder {
    signal: Signal,
    heads: Vec<Head>,
    /// Group by group: context and origin. Their body is known at the end.
    groups: Vec<(Arc<Context>, u32)>,
    known: hashbrown::HashMap<(u64, u32), u32, foldhash::fast::RandomState>,
    origins: Vec<Origin>,
    body: Vec<u8>,
}

impl TelemetryBuilder {
    /// An empty batch of a signal.
    pub fn new(signal: Signal) -> Self {
        Self::with_capacity(signal, 0, 0)
    }

    /// An empty batch with room for so many items of so many bytes in all.
    pub fn with_capacity(signal: Signal, items: usize, bytes: usize) -> Self {
        Self {
            signal,
            heads: Vec::with_capacity(items),
            groups: Vec::new(),
            known: hashbrown::HashMap::default(),
            origins: Vec::new(),
            body: Vec::with_capacity(bytes),
        }
    }

    /// Adds an origin and tells its number. Its share must come to count the items that are pushed with that number.
    pub fn origin(&mut self, origin: Origin) -> u32 {
        self.origins.push(origin);
        self.origins.len() as u32 - 1
    }

    /// An origin added before, so that its share can be filled.
    pub fn origin_mut(&mut self, number: u32) -> &mut Origin {
        &mut self.origins[number as usize]
    }

    /// How many items were pushed.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// True when nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The bytes of the items pushed.
    pub fn size(&self) -> usize {
        self.body.len()
    }

    /// Adds an item. Place and group of its head are set here.
    #[inline]
    pub fn push(&mut self, head: &Head, bytes: &[u8], context: &Arc<Context>, origin: u32) {
        let group = self.group(context, origin);
        let (offset, length) = (self.body.len() as u32, bytes.len() as u32);
        self.body.extend_from_slice(bytes);
        self.heads.push(Head { offset, length, group, flags: head.flags & !Head::EDITED, ..*head });
    }

    #[inline]
    fn group(&mut self, context: &Arc<Context>, origin: u32) -> u32 {
        // Neighbours mostly share their context.
        if let Some(head) = self.heads.last()
            && let (last, last_origin) = &self.groups[head.group as usize]
            && last.id() == context.id()
            && *last_origin == origin
        {
            return head.group;
        }
        let next = self.groups.len() as u32;
        let group = *self.known.entry((context.id(), origin)).or_insert(next);
        if group == next {
            self.groups.push((Arc::clone(context), origin));
        }
        group
    }

    /// The batch.
    pub fn finish(self) -> Telemetry {
        let body = Bytes::from(self.body);
        let groups = self.groups.into_iter().map(|(context, origin)| Group { context, body: body.clone(), origin }).collect();
        Telemetry::of_parts(self.signal, self.heads, groups, self.origins)
    }
}

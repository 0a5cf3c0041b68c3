//! From a batch to the bytes of a request: items regrouped by context, sizes first, then one write from front to back.

use super::batch::{Telemetry, bytes_of};
use super::context::Context;
use super::schema::{LIST, POINTS};
use super::wire::{LEN, field_length, put_length};
use super::{Head, ItemKind, Level};

impl Telemetry {
    /// Appends the request: byte for byte as received where nothing was changed, else regrouped, every context written once in the order of first appearance.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match &self.pristine {
            Some(bodies) => bodies.iter().for_each(|body| out.extend_from_slice(body)),
            None => Layout::of(self).write(self, out),
        }
    }

    /// The request in a buffer of its own.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.emit(&mut out);
        out
    }
}

/// Items of one context, and where they will stand.
struct Leaf<'a> {
    context: &'a Context,
    /// By whom it is sorted: first appearance of its resource, of its scope, of itself.
    rank: [u32; 3],
    items: u32,
    /// The bytes of its items with tags and lengths.
    size: usize,
}

impl Leaf<'_> {
    fn data_size(&self) -> usize {
        self.context.envelope(Level::Data).len() + self.size
    }

    fn metric_size(&self, data_field: u32) -> usize {
        self.context.envelope(Level::Metric).len() + field_length(data_field, self.data_size())
    }

    /// What it adds to its scope's message.
    fn size_in_scope(&self) -> usize {
        match self.context.kind().data_field() {
            None => self.size,
            Some(data_field) => field_length(LIST, self.metric_size(data_field)),
        }
    }

    fn resource(&self) -> u32 {
        self.rank[0]
    }

    fn scope(&self) -> u32 {
        self.rank[1]
    }
}

/// Leaves in the order in which they are written, and the items in that order.
struct Layout<'a> {
    leaves: Vec<Leaf<'a>>,
    /// Numbers of heads, leaf by leaf; empty where the heads stand so already.
    order: Vec<u32>,
}

impl<'a> Layout<'a> {
    fn of(batch: &'a Telemetry) -> Self {
        let (mut leaves, leaf_of_group) = leaves_of(batch);
        for head in &batch.heads {
            let leaf = &mut leaves[leaf_of_group[head.group as usize] as usize];
            leaf.items += 1;
            leaf.size += field_length(LIST, head.length as usize);
        }
        let mut by_rank: Vec<u32> = (0..leaves.len() as u32).collect();
        by_rank.sort_unstable_by_key(|leaf| leaves[*leaf as usize].rank);
        let order = order_of(batch, &leaves, &leaf_of_group, &by_rank);
        let mut sorted: Vec<Leaf<'a>> = leaves;
        sorted.sort_unstable_by_key(|leaf| leaf.rank);
        sorted.retain(|leaf| leaf.items > 0);
        Self { leaves: sorted, order }
    }

    fn write(&self, batch: &Telemetry, out: &mut Vec<u8>) {
        let resources: usize =
            self.leaves.chunk_by(|a, b| a.resource() == b.resource()).map(|leaves| field_length(1, resource_size(leaves))).sum();
        out.reserve(resources);
        let mut next = 0;
        for resource in self.leaves.chunk_by(|a, b| a.resource() == b.resource()) {
            put_length(out, 1, resource_size(resource));
            out.extend_from_slice(resource[0].context.envelope(Level::Resource));
            for scope in resource.chunk_by(|a, b| a.scope() == b.scope()) {
                put_length(out, LIST, scope_size(scope));
                out.extend_from_slice(scope[0].context.envelope(Level::Scope));
                for leaf in scope {
                    self.write_leaf(batch, leaf, next, out);
                    next += leaf.items as usize;
                }
            }
        }
    }

    fn write_leaf(&self, batch: &Telemetry, leaf: &Leaf<'_>, first: usize, out: &mut Vec<u8>) {
        let kind = leaf.context.kind();
        if let Some(data_field) = kind.data_field() {
            put_length(out, LIST, leaf.metric_size(data_field));
            out.extend_from_slice(leaf.context.envelope(Level::Metric));
            put_length(out, data_field, leaf.data_size());
            out.extend_from_slice(leaf.context.envelope(Level::Data));
        }
        let number = list_number(kind);
        let places = first..first + leaf.items as usize;
        if self.order.is_empty() {
            put_in_a_row(batch, &batch.heads[places], number, out);
        } else {
            self.order[places].iter().for_each(|head| put_item(batch, &batch.heads[*head as usize], number, out));
        }
    }
}

/// Writes items one behind the other. Those that stand so in the request that they came in, or among the edits, are copied together, with the tags and lengths
/// between them.
fn put_in_a_row(batch: &Telemetry, mut heads: &[Head], number: u32, out: &mut Vec<u8>) {
    while let [first, rest @ ..] = heads {
        let is_edited = first.has(Head::EDITED);
        let body: &[u8] = if is_edited { &batch.edited } else { &batch.groups[first.group as usize].body };
        let mut last = first;
        let mut together = 0;
        let lies_there = |head: &Head| head.has(Head::EDITED) == is_edited && (is_edited || head.group == first.group);
        while let Some(head) = rest.get(together).filter(|head| lies_there(head) && follows(body, last, head, number)) {
            last = head;
            together += 1;
        }
        if together == 0 {
            put_item(batch, first, number, out);
        } else {
            put_length(out, number, first.length as usize);
            out.extend_from_slice(&body[first.offset as usize..last.offset as usize + last.length as usize]);
        }
        heads = &rest[together..];
    }
}

/// Whether an item stands behind another as it would be written there: of the sizes that items have.
#[inline(always)]
fn follows(body: &[u8], last: &Head, head: &Head, number: u32) -> bool {
    let (from, to) = (last.offset as usize + last.length as usize, head.offset as usize);
    let tag = (number << 3) as u8 | LEN;
    match (body.get(from..to), head.length) {
        (Some(&[there, low, high]), length @ 0x80..0x4000) => there == tag && low == length as u8 | 0x80 && high == (length >> 7) as u8,
        (Some(&[there, low]), length @ 0..0x80) => there == tag && low == length as u8,
        _ => false,
    }
}

#[inline(always)]
fn put_item(batch: &Telemetry, head: &Head, number: u32, out: &mut Vec<u8>) {
    put_length(out, number, head.length as usize);
    out.extend_from_slice(bytes_of(head, &batch.groups[head.group as usize], &batch.edited));
}

/// Number of the list that items of a kind stand in.
pub(super) fn list_number(kind: ItemKind) -> u32 {
    if kind.data_field().is_some() { POINTS } else { LIST }
}

fn scope_size(leaves: &[Leaf<'_>]) -> usize {
    leaves[0].context.envelope(Level::Scope).len() + leaves.iter().map(Leaf::size_in_scope).sum::<usize>()
}

fn resource_size(leaves: &[Leaf<'_>]) -> usize {
    let scopes = leaves.chunk_by(|a, b| a.scope() == b.scope()).map(|scope| field_length(LIST, scope_size(scope)));
    leaves[0].context.envelope(Level::Resource).len() + scopes.sum::<usize>()
}

/// One leaf per distinct context, and which leaf each group belongs to.
fn leaves_of(batch: &Telemetry) -> (Vec<Leaf<'_>>, Vec<u32>) {
    let mut ranks: hashbrown::HashMap<u64, u32, foldhash::fast::RandomState> = hashbrown::HashMap::default();
    let mut rank = |context: &Context| {
        let next = ranks.len() as u32;
        *ranks.entry(context.id()).or_insert(next)
    };
    let mut leaves: Vec<Leaf<'_>> = Vec::with_capacity(batch.groups.len());
    let mut leaf_of_rank: Vec<u32> = Vec::with_capacity(batch.groups.len() + 2);
    let mut leaf_of_group = Vec::with_capacity(batch.groups.len());
    for group in &batch.groups {
        let context: &Context = &group.context;
        let scope = if context.kind().data_field().is_some() { context.parent().map_or(context, |scope| scope) } else { context };
        let resource = scope.parent().map_or(scope, |resource| resource);
        let ranks = [rank(resource), rank(scope), rank(context)];
        let own = ranks[2] as usize;
        if own >= leaf_of_rank.len() {
            leaf_of_rank.resize(own + 1, NO_LEAF);
        }
        if leaf_of_rank[own] == NO_LEAF {
            leaf_of_rank[own] = leaves.len() as u32;
            leaves.push(Leaf { context, rank: ranks, items: 0, size: 0 });
        }
        leaf_of_group.push(leaf_of_rank[own]);
    }
    (leaves, leaf_of_group)
}

/// The rank is that of a resource or scope, or of no group yet.
const NO_LEAF: u32 = u32::MAX;

/// The items sorted by leaf, order kept within each; nothing where they are sorted already.
fn order_of(batch: &Telemetry, leaves: &[Leaf<'_>], leaf_of_group: &[u32], by_rank: &[u32]) -> Vec<u32> {
    let mut starts = vec![0u32; leaves.len()];
    let mut place = vec![0u32; leaves.len()];
    let mut start = 0;
    for (rank, leaf) in by_rank.iter().enumerate() {
        starts[*leaf as usize] = start;
        place[*leaf as usize] = rank as u32;
        start += leaves[*leaf as usize].items;
    }
    let leaf_of = |head: &super::Head| leaf_of_group[head.group as usize] as usize;
    if batch.heads.is_sorted_by_key(|head| place[leaf_of(head)]) {
        return Vec::new();
    }
    let mut order = vec![0; batch.heads.len()];
    for (number, head) in batch.heads.iter().enumerate() {
        let next = &mut starts[leaf_of(head)];
        order[*next as usize] = number as u32;
        *next += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use crate::ledger::Fate;
    use crate::telemetry::wire::put_bytes;
    use crate::telemetry::{Decoded, Path, Signal, Value};
    use crate::testing::{Inlet, span, traces};

    /// Names of all lengths that differ in how they are told, so that spans are copied together up to those that were edited, and those too.
    #[test]
    fn what_is_copied_together_is_what_would_be_written_one_by_one() {
        let names: Vec<String> = [3, 0, 60, 70, 300, 16_400, 16_300, 1].map(|length| "n".repeat(length)).to_vec();
        let (name, note) =
            (Path::parse(Signal::Traces, "name").unwrap(), Path::parse(Signal::Traces, "resource.attributes[\"note\"]").unwrap());
        let mut inlet = Inlet::new();
        for edited in 0..1 << names.len() {
            let mut batch = inlet.receive(traces(names.iter().map(|name| span(name).service("shop"))));
            batch.map_contexts(|context| context.set(&note, &Value::from("seen")).ok());
            let is_edited = |place: usize| edited >> place & 1 == 1;
            let other = |place: usize| format!("{}!", names[place]);
            for place in (0..names.len()).filter(|place| is_edited(*place)) {
                let mut item = batch.item_mut(place);
                if place % 2 == 0 {
                    item.set(&name, &Value::from(other(place).as_str())).unwrap();
                    continue;
                }
                let done = item.rewrite(|item, out| {
                    out.extend_from_slice(item.bytes());
                    put_bytes(out, 5, other(place).as_bytes());
                    true
                });
                assert_eq!(done, Ok(true));
                // What is not to be another leaves nothing behind.
                assert_eq!(
                    batch.item_mut((place + 1) % names.len()).rewrite(|_, out| {
                        out.extend_from_slice(b"left");
                        false
                    }),
                    Ok(false)
                );
            }
            let expected: Vec<String> =
                names.iter().enumerate().map(|(place, name)| if is_edited(place) { other(place) } else { name.clone() }).collect();
            let Ok(Decoded::Traces(sent)) = Decoded::decode(Signal::Traces, &batch.to_bytes()) else { panic!("what is emitted decodes") };
            let found: Vec<&str> = sent.resource_spans[0].scope_spans[0].spans.iter().map(|span| span.name.as_str()).collect();
            assert_eq!(found, expected, "{edited:b}");
            assert_eq!(sent.resource_spans[0].resource.as_ref().unwrap().attributes.len(), 2);
            batch.settle(Fate::Delivered);
        }
    }
}

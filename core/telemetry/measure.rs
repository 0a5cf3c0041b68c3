//! How large the Collector would say that something is, so that limits which are given in its bytes mean the same here.

use super::context::{Context, Level};
use super::item::Item;
use super::schema::{self, Kind, Message, Presence};
use super::wire::{LEN, Raw, field_length, fields, varint_length};

impl Item<'_> {
    /// What the item's message would have in bytes, were the Collector to write it: ids, a span's status and every attribute's value are
    /// always there, empty or not; other fields where they are not zero. What it does not know is not counted.
    ///
    /// It takes a walk through the whole item, which is only done where a limit in such bytes was configured.
    pub fn collector_size(&self) -> usize {
        size(self.kind().message(), self.bytes())
    }
}

impl Context {
    /// The same for what its items share: the resource's message, and that of the scope, without tags and lengths.
    pub fn collector_sizes(&self) -> (usize, usize) {
        let inner = |level, message| {
            let found = fields(self.envelope(level)).find(|field| field.number == 1);
            size(message, found.map_or(&[], |field| field.raw.payload()))
        };
        (inner(Level::Resource, &schema::RESOURCE), inner(Level::Scope, &schema::SCOPE))
    }

    /// The number of the context that its resource alone makes: the same for all scopes of a resource.
    pub fn resource_id(&self) -> u64 {
        self.parent().map_or(self.id(), |parent| parent.resource_id())
    }
}

/// How many bytes a message takes as a field of another: tag, length and itself.
pub fn as_field(number: u32, size: usize) -> usize {
    field_length(number, size)
}

fn size(message: &'static Message, bytes: &[u8]) -> usize {
    let (mut total, mut met) = (0, 0u32);
    for found in fields(bytes) {
        let Some(field) = message.field(found.number) else { continue };
        met |= 1 << field.number;
        let is_implicit = field.presence == Presence::Implicit;
        total += match (field.kind, found.raw) {
            (Kind::Message(inner), Raw::Len(payload)) => field_length(field.number, size(inner, payload)),
            (Kind::String | Kind::Bytes, Raw::Len(&[])) if is_implicit => 0,
            (_, Raw::Len(payload)) => field_length(field.number, payload.len()),
            (_, Raw::Varint(0) | Raw::Fixed64(0) | Raw::Fixed32(0)) if is_implicit => 0,
            (_, Raw::Varint(number)) => tag(field.number) + varint_length(number),
            (_, Raw::Fixed64(_)) => tag(field.number) + 8,
            (_, Raw::Fixed32(_)) => tag(field.number) + 4,
            _ => 0,
        };
    }
    let always = |kind: Kind, presence| matches!((kind, presence), (Kind::Id(_), _) | (Kind::Message(_), Presence::Explicit));
    let absent = message.fields.iter().filter(|field| always(field.kind, field.presence) && met >> field.number & 1 == 0);
    total + absent.map(|field| field_length(field.number, 0)).sum::<usize>()
}

fn tag(number: u32) -> usize {
    varint_length(u64::from(number) << 3 | u64::from(LEN))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::telemetry::{Context, Item};
    use crate::testing::{Inlet, attribute, span, traces};

    fn measured(of: impl Fn(Item<'_>, &Arc<Context>) -> usize, request: crate::testing::otlp::ExportTraceServiceRequest) -> usize {
        let mut inlet = Inlet::new();
        let batch = inlet.receive(request);
        let size = of(batch.item(0), batch.item(0).context());
        batch.settle(crate::ledger::Fate::Delivered);
        size
    }

    #[test]
    fn a_span_has_the_size_that_the_collector_gives_it() {
        // Trace id 18, span id 10, no parent 2, name 4, times 9 each, kind 2, no status 2.
        let plain = || span("op").change(|span| span.kind = 2);
        assert_eq!(measured(|item, _| item.collector_size(), traces([plain()])), 56);
        let parent = plain().parent("op 0").change(|span| span.attributes.push(attribute("k", "")));
        // The parent's 8 bytes; an attribute of tag and length, a key of 3, and a value that is a string of nothing.
        assert_eq!(measured(|item, _| item.collector_size(), traces([parent])), 56 + 8 + 2 + 3 + 4);
        let empty = plain().change(|span| span.attributes.push(crate::testing::otlp::KeyValue { key: "k".into(), ..Default::default() }));
        assert_eq!(measured(|item, _| item.collector_size(), traces([empty])), 56 + 2 + 3 + 2, "a value that is not there costs 2");
        let unset = plain().change(|span| span.status = Some(crate::testing::otlp::Status::default()));
        assert_eq!(measured(|item, _| item.collector_size(), traces([unset])), 56);
    }

    #[test]
    fn what_spans_share_has_one_too() {
        let sizes = |request| {
            let mut both = (0, 0);
            measured(|_, _| 0, traces([span("x")]));
            let mut inlet = Inlet::new();
            let batch = inlet.receive(request);
            both = (both.0 + batch.item(0).context().collector_sizes().0, both.1 + batch.item(0).context().collector_sizes().1);
            batch.settle(crate::ledger::Fate::Delivered);
            both
        };
        assert_eq!(sizes(traces([span("op")])), (0, 0));
        // service.name = svc: 2 + 14 + 2 + 2 + 3.
        assert_eq!(sizes(traces([span("op").service("svc")])).0, 23);
    }
}

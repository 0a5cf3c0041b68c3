//! A request as rows, one per item with all that stands around it: found in the bytes with prost's own reader, so that two requests can be
//! compared however their items are grouped.

use std::collections::BTreeMap;

use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};

use super::super::{Item, ItemKind, Level, Signal, Telemetry};
use crate::testing::otlp::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, LogRecord, Metric, NumberDataPoint,
    ResourceLogs, ResourceMetrics, ResourceSpans, ScopeLogs, ScopeMetrics, ScopeSpans, Span, Sum, Summary, SummaryDataPoint,
};

/// What a message says, and the fields beside it that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    /// As prost writes it.
    meaning: Vec<u8>,
    /// As they lay in the bytes.
    unknown: Vec<u8>,
}

/// Resource and scope, and of a point the metric and its kind of data.
pub(super) type Place = Vec<Part>;

/// One item of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) item: Part,
}

/// One field as it lies in a message.
struct Lying<'a> {
    number: u32,
    whole: &'a [u8],
    payload: &'a [u8],
}

fn fields(mut rest: &[u8]) -> Vec<Lying<'_>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let start = rest;
        let (number, wire_type) = decode_key(&mut rest).unwrap();
        let mut inside = rest;
        skip_field(wire_type, number, &mut rest, DecodeContext::default()).unwrap();
        let payload = match wire_type {
            WireType::LengthDelimited => {
                let length = decode_varint(&mut inside).unwrap() as usize;
                &inside[..length]
            }
            _ => &[],
        };
        found.push(Lying { number, whole: &start[..start.len() - rest.len()], payload });
    }
    found
}

/// The payloads of all fields of that number.
fn payloads(bytes: &[u8], number: u32) -> Vec<&[u8]> {
    fields(bytes).into_iter().filter(|field| field.number == number).map(|field| field.payload).collect()
}

/// The fields whose numbers pass, as they lie.
pub(super) fn only(bytes: &[u8], passes: impl Fn(u32) -> bool) -> Vec<u8> {
    fields(bytes).into_iter().filter(|field| passes(field.number)).flat_map(|field| field.whole.to_vec()).collect()
}

impl Part {
    fn of<M: Message + Default>(bytes: &[u8], known: &[u32]) -> Part {
        let meaning = M::decode(bytes).unwrap().encode_to_vec();
        Part { meaning, unknown: only(bytes, |number| !known.contains(&number)) }
    }

    fn resource(signal: Signal, bytes: &[u8]) -> Part {
        let bytes = only(bytes, |number| number != 2);
        match signal {
            Signal::Traces => Part::of::<ResourceSpans>(&bytes, &[1, 3]),
            Signal::Logs => Part::of::<ResourceLogs>(&bytes, &[1, 3]),
            Signal::Metrics => Part::of::<ResourceMetrics>(&bytes, &[1, 3]),
        }
    }

    fn scope(signal: Signal, bytes: &[u8]) -> Part {
        let bytes = only(bytes, |number| number != 2);
        match signal {
            Signal::Traces => Part::of::<ScopeSpans>(&bytes, &[1, 3]),
            Signal::Logs => Part::of::<ScopeLogs>(&bytes, &[1, 3]),
            Signal::Metrics => Part::of::<ScopeMetrics>(&bytes, &[1, 3]),
        }
    }

    fn metric(bytes: &[u8]) -> Part {
        Part::of::<Metric>(&only(bytes, |number| data_kind(number).is_none()), &[1, 2, 3, 12])
    }

    fn data(kind: ItemKind, bytes: &[u8]) -> Part {
        let bytes = only(bytes, |number| number != 1);
        let mut part = match kind {
            ItemKind::Sum => Part::of::<Sum>(&bytes, &[2, 3]),
            ItemKind::Histogram => Part::of::<Histogram>(&bytes, &[2]),
            ItemKind::ExponentialHistogram => Part::of::<ExponentialHistogram>(&bytes, &[2]),
            ItemKind::Summary => Part::of::<Summary>(&bytes, &[]),
            _ => Part::of::<Gauge>(&bytes, &[]),
        };
        // Two kinds of data may look the same without their points.
        part.meaning.push(kind as u8);
        part
    }

    /// An item's own message.
    pub(super) fn item(kind: ItemKind, bytes: &[u8]) -> Part {
        let range = |numbers: std::ops::RangeInclusive<u32>| numbers.collect::<Vec<_>>();
        match kind {
            ItemKind::Span => Part::of::<Span>(bytes, &range(1..=16)),
            ItemKind::LogRecord => Part::of::<LogRecord>(bytes, &[1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]),
            ItemKind::Gauge | ItemKind::Sum => Part::of::<NumberDataPoint>(bytes, &range(2..=8)),
            ItemKind::Histogram => Part::of::<HistogramDataPoint>(bytes, &range(2..=12)),
            ItemKind::ExponentialHistogram => Part::of::<ExponentialHistogramDataPoint>(bytes, &range(1..=14)),
            ItemKind::Summary => Part::of::<SummaryDataPoint>(bytes, &range(2..=8)),
        }
    }
}

fn data_kind(number: u32) -> Option<ItemKind> {
    Some(match number {
        5 => ItemKind::Gauge,
        7 => ItemKind::Sum,
        9 => ItemKind::Histogram,
        10 => ItemKind::ExponentialHistogram,
        11 => ItemKind::Summary,
        _ => return None,
    })
}

fn data_number(kind: ItemKind) -> u32 {
    (1..=11).find(|number| data_kind(*number) == Some(kind)).unwrap()
}

/// An item where it lies in a request: its place, its kind, its bytes.
type Found<'a> = dyn FnMut(&Place, ItemKind, &[u8]) + 'a;

fn each_item(signal: Signal, request: &[u8], found: &mut Found<'_>) {
    for resource in payloads(request, 1) {
        for scope in payloads(resource, 2) {
            let place = vec![Part::resource(signal, resource), Part::scope(signal, scope)];
            for item in payloads(scope, 2) {
                match signal {
                    Signal::Traces => found(&place, ItemKind::Span, item),
                    Signal::Logs => found(&place, ItemKind::LogRecord, item),
                    Signal::Metrics => each_point(&place, item, found),
                }
            }
        }
    }
}

/// Of several kinds of data the last holds; what of it lies in several pieces belongs together.
fn each_point(scope: &Place, metric: &[u8], found: &mut Found<'_>) {
    let Some(kind) = fields(metric).into_iter().filter_map(|field| data_kind(field.number)).next_back() else { return };
    let data = payloads(metric, data_number(kind)).concat();
    let place = [&scope[..], &[Part::metric(metric), Part::data(kind, &data)]].concat();
    payloads(&data, 1).into_iter().for_each(|point| found(&place, kind, point));
}

/// All items of a request, in order.
pub(super) fn rows(signal: Signal, request: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    each_item(signal, request, &mut |place, kind, item| rows.push(Row { place: place.clone(), item: Part::item(kind, item) }));
    rows
}

/// The bytes of all items of a request, in order.
pub(super) fn item_bytes(signal: Signal, request: &[u8]) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    each_item(signal, request, &mut |_, _, item| bytes.push(item.to_vec()));
    bytes
}

/// The request that an item of a batch would be by itself, put together by hand.
pub(super) fn alone(item: &Item<'_>) -> Vec<u8> {
    let envelope = |level| item.context().envelope(level);
    let item = match item.kind() {
        ItemKind::Span | ItemKind::LogRecord => item.bytes().to_vec(),
        kind => {
            let data = [envelope(Level::Data), &wrapped(1, item.bytes())].concat();
            [envelope(Level::Metric), &wrapped(data_number(kind), &data)].concat()
        }
    };
    let scope = [envelope(Level::Scope), &wrapped(2, &item)].concat();
    wrapped(1, &[envelope(Level::Resource), &wrapped(2, &scope)].concat())
}

/// A field of that number with a length.
pub(super) fn wrapped(number: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(payload.len() as u64, &mut out);
    out.extend_from_slice(payload);
    out
}

/// An item of a batch as a row.
pub(super) fn row(item: &Item<'_>) -> Row {
    rows(item.kind().signal(), &alone(item)).remove(0)
}

/// What a request holds, however it is grouped.
pub(super) fn sorted(rows: impl IntoIterator<Item = Row>) -> Vec<Row> {
    let mut rows: Vec<Row> = rows.into_iter().collect();
    rows.sort();
    rows
}

/// What a batch is emitted as: all of its items and nothing else, those of one context in their order.
pub(super) fn assert_emits_its_items(batch: &Telemetry) -> Vec<u8> {
    let bytes = batch.to_bytes();
    let emitted = rows(batch.signal(), &bytes);
    let mut contexts: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
    batch.items().for_each(|item| contexts.entry(item.context().id()).or_default().push(row(&item)));
    for held in contexts.values() {
        let mut place = emitted.iter().filter(|row| row.place == held[0].place);
        assert!(held.iter().all(|row| place.any(|other| other == row)), "the items of a context are emitted in their order");
    }
    assert_eq!(sorted(emitted), sorted(contexts.into_values().flatten()));
    bytes
}

/// A span with valid ids and whatever else.
pub(super) fn span_with(fields: &[u8]) -> Vec<u8> {
    [&wrapped(1, &[1; 16]), &wrapped(2, &[2; 8]), fields].concat()
}

/// A request of one item, span, log record or metric, in a resource and a scope that hold whatever else.
pub(super) fn request_of(resource: &[u8], scope: &[u8], item: &[u8]) -> Vec<u8> {
    wrapped(1, &[resource, &wrapped(2, &[scope, &wrapped(2, item)].concat())].concat())
}

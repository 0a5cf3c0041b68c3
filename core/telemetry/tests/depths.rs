//! Values may be as deep as every decoder follows, wherever they stand, and no deeper.

use super::drafts::deep;
use super::rows::{request_of, span_with, wrapped};
use super::*;

/// Puts the bytes of a value somewhere in a request.
type Put = fn(&[u8]) -> Vec<u8>;

/// The number of a metric's data, and those of attributes and exemplars in its points.
const POINTS: [(u32, u32, Option<u32>); 5] = [(5, 7, Some(5)), (7, 7, Some(5)), (9, 9, Some(8)), (10, 1, Some(11)), (11, 7, None)];

/// Every place that holds values, and how many levels of them it may hold.
fn places() -> Vec<(Signal, u32, Vec<u32>)> {
    let mut places = vec![
        (Signal::Traces, 32, vec![9, 2]),
        (Signal::Traces, 32, vec![11, 3, 2]),
        (Signal::Traces, 32, vec![13, 4, 2]),
        (Signal::Logs, 32, vec![5]),
        (Signal::Logs, 32, vec![6, 2]),
        (Signal::Metrics, 32, vec![12, 2]),
    ];
    for (data, attributes, exemplars) in POINTS {
        places.push((Signal::Metrics, 32, vec![data, 1, attributes, 2]));
        places.extend(exemplars.map(|exemplars| (Signal::Metrics, 31, vec![data, 1, exemplars, 7, 2])));
    }
    places
}

/// A request with a value in one of those places.
fn request_with(signal: Signal, place: &[u32], value: &[u8]) -> Vec<u8> {
    let item = place.iter().rev().fold(value.to_vec(), |inner, number| wrapped(*number, &inner));
    match signal {
        Signal::Traces => request_of(&[], &[], &span_with(&item)),
        Signal::Logs => request_of(&[], &[], &item),
        // A metric needs a point to be anything.
        Signal::Metrics if place[0] == 12 => request_of(&[], &[], &[item, wrapped(5, &wrapped(1, &[]))].concat()),
        Signal::Metrics => request_of(&[], &[], &item),
    }
}

/// The same of what a whole resource and a whole scope hold.
const AROUND: [Put; 2] = [
    |value| request_of(&wrapped(1, &wrapped(1, &wrapped(2, value))), &[], &span_with(&[])),
    |value| request_of(&[], &wrapped(1, &wrapped(3, &wrapped(2, value))), &span_with(&[])),
];

/// Values so deep, all of lists and all of maps, that end in something short, in something long, and in nothing.
fn towers(levels: u32) -> Vec<Vec<u8>> {
    let ends: [&[u8]; 6] = [&[0x0a, 1, b'x'], &[0x10, 1], &[0x18, 1], &[0x21, 0, 0, 0, 0, 0, 0, 0, 0], &[0x3a, 1, 0], &[]];
    let list = |inner: Vec<u8>| wrapped(5, &wrapped(1, &inner));
    let map = |inner: Vec<u8>| wrapped(6, &wrapped(1, &wrapped(2, &inner)));
    let built = |end: &[u8], wrap: &dyn Fn(Vec<u8>) -> Vec<u8>| (1..levels).fold(end.to_vec(), |inner, _| wrap(inner));
    ends.iter().flat_map(|end| [built(end, &list), built(end, &map)]).collect()
}

/// What came of the one item of a request. What was let in, prost decodes as well.
fn fate_of(signal: Signal, request: &[u8]) -> Option<Reason> {
    let parsed = intake(OddIds::Reject).parse(signal, Bytes::copy_from_slice(request)).unwrap();
    assert_eq!(parsed.total(), 1);
    let reason = parsed.rejections.iter().next().map(|(reason, ..)| reason);
    assert!(reason.is_some() || Decoded::decode(signal, request).is_ok(), "{:?}", Decoded::decode(signal, request));
    reason
}

#[test]
fn values_nest_as_deep_as_prost_follows_wherever_they_stand() {
    for (signal, most, place) in places() {
        for (value, deeper) in towers(most).iter().zip(towers(most + 1)) {
            assert_eq!(fate_of(signal, &request_with(signal, &place, value)), None, "{place:?}");
            assert_eq!(fate_of(signal, &request_with(signal, &place, &deeper)), Some(Reason::TooDeep), "{place:?}");
        }
    }
    for put in AROUND {
        towers(32).iter().for_each(|value| assert_eq!(fate_of(Signal::Traces, &put(value)), None));
        towers(33).iter().for_each(|value| assert_eq!(fate_of(Signal::Traces, &put(value)), Some(Reason::TooDeep)));
    }
}

#[test]
fn groups_that_nobody_knows_cannot_be_the_last_straw() {
    let groups = |depth: usize| wire::nested(depth, wire::Nesting::Group);
    for (signal, most, place) in places() {
        for levels in 1..=most {
            for depth in [1, 2, 8, 16, 17] {
                let value = (1..levels).fold(groups(depth), |inner, _| wrapped(6, &wrapped(1, &wrapped(2, &inner))));
                let fate = fate_of(signal, &request_with(signal, &place, &value));
                assert!(fate.is_some() || depth <= 16);
                assert!(fate.is_none() || depth > 16 || levels > 20, "{depth} groups in {levels} levels are no harm");
                let beside = (1..levels).fold(vec![], |inner, _| wrapped(6, &wrapped(1, &[groups(depth), wrapped(2, &inner)].concat())));
                fate_of(signal, &request_with(signal, &place, &beside));
            }
            // Whatever a decoder counts in the innermost value beside groups: an unknown number, lists and maps that hold nothing, an entry of nothing.
            for end in [&[0xa0, 0x06, 1][..], &[0x2a, 0], &[0x32, 0], &[0x32, 2, 0x0a, 0], &[0x32, 5, 0x0a, 3, 0xa0, 0x06, 1]] {
                let value = (1..levels).fold(end.to_vec(), |inner, _| wrapped(6, &wrapped(1, &wrapped(2, &inner))));
                let fate = fate_of(signal, &request_with(signal, &place, &value));
                assert!(fate.is_none() || levels > 28, "{end:?} in {levels} levels is no harm");
            }
        }
    }
}

#[test]
fn towers_of_any_height_are_refused_at_once() {
    for how in [wire::Nesting::List, wire::Nesting::Map, wire::Nesting::Group] {
        assert!(fate_of(Signal::Traces, &wire::nested_in_span(100_000, how)).is_some(), "{how:?}");
    }
}

/// An edit makes nothing that could not have come in.
#[test]
fn an_exemplar_is_no_way_around_the_limit() {
    let desk = Desk::open(Signal::Metrics);
    let request = request_with(Signal::Metrics, &[5, 1, 5, 7, 2], &[]);
    let mut batch = desk.take_in(intake(OddIds::Flag).parse(Signal::Metrics, Bytes::from(request)).unwrap());
    let path = Path::parse(Signal::Metrics, r#"exemplars[0].filtered_attributes["k"]"#).unwrap();
    assert_eq!(batch.item_mut(0).set(&path, &deep(32)), Err(EditError::TooDeep));
    assert_eq!(batch.item_mut(0).set(&path, &deep(31)), Ok(()));
    assert!(batch.to_decoded().is_ok());
    batch.settle(Fate::Delivered);
    desk.close();
}

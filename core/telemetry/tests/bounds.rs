//! Broken requests cost only themselves: nothing panics or hangs, and what is let in is what prost decodes.

use std::collections::BTreeMap;

use proptest::collection::vec;

use super::round_trip::{regroup, verdict};
use super::rows::{alone, item_bytes, request_of, span_with, wrapped};
use super::*;
use crate::testing::{Dice, fuzz};

proptest! {
    #![proptest_config(many())]

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..100)) {
        fuzz::walker(&bytes);
    }

    #[test]
    fn arbitrary_fields_do_no_harm(seed in any::<u64>().no_shrink()) {
        let bytes = any_fields(&mut Dice::new(seed), 0);
        fuzz::walker(&bytes);
        Signal::ALL.iter().for_each(|signal| assert_agrees_with_prost(*signal, &bytes));
    }

    #[test]
    fn what_prost_decodes_is_let_in_and_what_is_let_in_prost_decodes(request in request(&small()), seed in arbitrary::damage_seed()) {
        let signal = request.signal();
        assert_agrees_with_prost(signal, &wire::damage(message_of(signal), &request.encode(), seed));
    }

    #[test]
    fn damaged_requests_do_no_harm(request in request(&small()), seed in arbitrary::damage_seed()) {
        fuzz::walker(&wire::damage(message_of(request.signal()), &request.encode(), seed));
    }
}

/// Fields with the numbers that OTLP has, in each other as OTLP has them, of whichever wire type.
fn any_fields(dice: &mut Dice, depth: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..dice.below(4) + usize::from(depth < 3) {
        let number = if depth < 3 { 1 + dice.below(2) as u8 } else { 1 + dice.below(15) as u8 };
        let wire_type = if depth < 3 || dice.percent(60) { 2 } else { [0, 1, 2, 5, 3][dice.below(5)] };
        bytes.push(number << 3 | wire_type);
        match wire_type {
            0 => bytes.push(dice.below(128) as u8),
            1 => bytes.extend(dice.bytes(8)),
            5 => bytes.extend(dice.bytes(4)),
            3 => bytes.push(number << 3 | 4),
            _ => {
                let inner = if depth < 3 || (depth < 9 && dice.percent(60)) {
                    any_fields(dice, depth + 1)
                } else {
                    vec![b'a'; [0, 3, 8, 16][dice.below(4)]]
                };
                let inner = &inner[..inner.len().min(127)];
                bytes.push(inner.len() as u8);
                bytes.extend_from_slice(inner);
            }
        }
    }
    bytes
}

/// Text that is no UTF-8 is the one thing that we let pass and prost does not.
fn is_decoded(decoded: &Result<Decoded, prost::DecodeError>) -> bool {
    decoded.as_ref().map_or_else(|error| error.to_string().contains("not UTF-8"), |_| true)
}

fn assert_agrees_with_prost(signal: Signal, bytes: &[u8]) {
    let decoded = Decoded::decode(signal, bytes);
    let parsed = intake(OddIds::Reject).parse(signal, Bytes::copy_from_slice(bytes));
    let Ok(parsed) = parsed else {
        assert!(decoded.is_err(), "prost decodes what is refused: {decoded:?}");
        return;
    };
    if decoded.is_ok() {
        assert_rejects_only_ids(signal, bytes, &parsed.rejections);
    }
    let desk = Desk::open(signal);
    let batch = desk.take_in(parsed);
    for item in batch.items() {
        let decoded = Decoded::decode(signal, &alone(&item));
        assert!(is_decoded(&decoded), "{item:?} was let in: {decoded:?}");
    }
    assert!(is_decoded(&batch.to_decoded()), "{:?} of {bytes:?}", batch.to_decoded());
    let batch = regroup(batch);
    assert!(is_decoded(&batch.to_decoded()), "{:?} of {bytes:?}", batch.to_decoded());
    batch.settle(Fate::Delivered);
    desk.close();
}

/// Of what prost decodes, only items with ids that no back end takes are rejected, and points of a metric that is of two types.
fn assert_rejects_only_ids(signal: Signal, bytes: &[u8], rejections: &Rejections) {
    let mut expected: BTreeMap<Reason, u64> = BTreeMap::new();
    for reason in item_bytes(signal, bytes).iter().filter_map(|item| verdict(signal, item, OddIds::Reject)) {
        *expected.entry(reason).or_default() += 1;
    }
    let counted: BTreeMap<Reason, u64> = rejections.iter().map(|(reason, count, _)| (reason, count)).collect();
    if !counted.contains_key(&Reason::Ambiguous) {
        assert_eq!(counted, expected, "{bytes:?}");
    }
    let ids_or_types = [Reason::TraceId, Reason::SpanId, Reason::ParentId, Reason::Ambiguous];
    assert!(counted.keys().all(|reason| ids_or_types.contains(reason)), "{counted:?}");
}

#[test]
fn a_metric_that_changes_its_mind_keeps_what_the_next_hop_would_keep() {
    let point = |time: u8| wrapped(1, &[0x19, time, 0, 0, 0, 0, 0, 0, 0]);
    let metric = [wrapped(7, &point(1)), wrapped(5, &[]), wrapped(7, &point(2))].concat();
    let request = request_of(&[], &[], &metric);
    let desk = Desk::open(Signal::Metrics);
    let parsed = intake(OddIds::Flag).parse(Signal::Metrics, Bytes::from(request.clone())).unwrap();
    assert_eq!(parsed.rejections.iter().collect::<Vec<_>>(), [(Reason::Ambiguous, 1, 0)]);
    let batch = desk.take_in(parsed);
    assert_eq!(batch.to_decoded().unwrap(), Decoded::decode(Signal::Metrics, &request).unwrap());
    batch.settle(Fate::Delivered);
    desk.close();
}

#[test]
fn what_is_broken_around_no_item_is_not_sent_on() {
    // A resource whose attributes are a number, a scope whose name is one, and metrics whose names are: none of them holds an item.
    let broken: [(Signal, Vec<u8>); 6] = [
        (Signal::Traces, wrapped(1, &wrapped(1, &[0x08, 1]))),
        (Signal::Logs, wrapped(1, &wrapped(2, &wrapped(1, &[0x08, 1])))),
        (Signal::Metrics, wrapped(1, &wrapped(1, &[0x08, 1]))),
        (Signal::Metrics, request_of(&[], &[], &[0x08, 1])),
        (Signal::Metrics, request_of(&[], &[], &wrapped(7, &[0x12, 0]))),
        (Signal::Metrics, request_of(&[], &[], &[wrapped(7, &[0x12, 0]), wrapped(5, &wrapped(1, &[]))].concat())),
    ];
    for (signal, broken) in broken {
        assert!(Decoded::decode(signal, &broken).is_err());
        let good = match signal {
            Signal::Traces => request_of(&[], &[], &span_with(&[])),
            Signal::Logs => request_of(&[], &[], &[]),
            Signal::Metrics => request_of(&[], &[], &wrapped(5, &wrapped(1, &[]))),
        };
        for request in [[&broken[..], &good].concat(), [&good[..], &broken].concat()] {
            assert_agrees_with_prost(signal, &request);
        }
    }
}

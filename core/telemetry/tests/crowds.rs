//! No sender makes us hold more than a small multiple of what it sent, however many items and contexts it puts into how few bytes.

use std::collections::BTreeMap;

use super::batch::Group;
use super::round_trip::regroup;
use super::rows::wrapped;
use super::*;

/// What a batch holds beside the bytes it came in, as the allocator sees it.
fn held(batch: &Telemetry) -> usize {
    let mut contexts: BTreeMap<u64, usize> = BTreeMap::new();
    for group in &batch.groups {
        let mut next = Some(&group.context);
        while let Some(context) = next {
            // Two counts stand before what an `Arc` holds.
            let own = size_of::<Context>() + 16 + context.envelopes_here();
            contexts.insert(context.id(), own);
            next = context.parent();
        }
    }
    batch.heads.capacity() * size_of::<Head>()
        + batch.groups.capacity() * size_of::<Group>()
        + batch.edited.capacity()
        + contexts.values().sum::<usize>()
}

impl Context {
    /// The bytes of this link of the chain alone.
    fn envelopes_here(&self) -> usize {
        self.size() - self.parent().map_or(0, |parent| parent.size())
    }
}

const MIB: usize = 1 << 20;

/// So many bytes of messages that are numbered, so that each is another.
fn numbered(bytes: usize, message: impl Fn([u8; 4]) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 64);
    (0u32..)
        .take_while(|number| {
            out.extend(message(number.to_be_bytes()));
            out.len() < bytes
        })
        .for_each(drop);
    out
}

#[test]
fn what_is_held_is_a_small_multiple_of_what_was_sent() {
    let named = |number: [u8; 4]| wrapped(3, &number.map(|byte| byte & 0x7f));
    let crowds: [(&str, Signal, Vec<u8>); 8] = [
        ("empty records", Signal::Logs, wrapped(1, &wrapped(2, &[0x12, 0].repeat(MIB / 2)))),
        ("empty scopes", Signal::Logs, wrapped(1, &[0x12, 0].repeat(MIB / 2))),
        ("scopes of one empty record", Signal::Logs, wrapped(1, &[0x12, 2, 0x12, 0].repeat(MIB / 4))),
        ("other scopes", Signal::Logs, wrapped(1, &numbered(MIB, |number| wrapped(2, &[named(number), vec![0x12, 0]].concat())))),
        ("other resources", Signal::Logs, numbered(MIB, |number| wrapped(1, &[named(number), vec![0x12, 2, 0x12, 0]].concat()))),
        (
            "other metrics",
            Signal::Metrics,
            wrapped(
                1,
                &wrapped(
                    2,
                    &numbered(MIB, |number| wrapped(2, &[wrapped(1, &number.map(|byte| byte & 0x7f)), wrapped(5, &[0x0a, 0])].concat())),
                ),
            ),
        ),
        ("a scope between records and others", Signal::Logs, {
            let scopes = numbered(MIB / 2, |number| wrapped(2, &[named(number), vec![0x12, 0]].concat()));
            wrapped(1, &[wrapped(2, &[0x12, 0].repeat(MIB / 4)), scopes].concat())
        }),
        ("a large resource", Signal::Logs, wrapped(1, &[wrapped(3, &vec![b'r'; MIB / 2]), [0x12, 2, 0x12, 0].repeat(MIB / 8)].concat())),
    ];
    for (crowd, signal, bytes) in crowds {
        let desk = Desk::open(signal);
        let length = bytes.len();
        let batch = desk.take_in(intake(OddIds::Flag).parse(signal, Bytes::from(bytes)).unwrap());
        assert!(held(&batch) <= 8 * length + 64 * 1024, "{crowd}: {:.1} times what was sent", held(&batch) as f64 / length as f64);
        let batch = regroup(batch);
        assert!(held(&batch) <= 8 * length + 64 * 1024, "{crowd}, regrouped: {:.1} times", held(&batch) as f64 / length as f64);
        batch.settle(Fate::Delivered);
        desk.close();
    }
}

#[test]
fn crowds_are_cut_off_and_counted() {
    let parse = |signal, bytes: Vec<u8>| {
        let parsed = intake(OddIds::Flag).parse(signal, Bytes::from(bytes)).unwrap();
        (parsed.len(), parsed.rejections.iter().collect::<Vec<_>>())
    };
    let records = |count: usize| wrapped(1, &wrapped(2, &[0x12, 0].repeat(count)));
    assert_eq!(parse(Signal::Logs, records(1_024)), (1_024, vec![]), "a small request holds what it likes");
    assert_eq!(parse(Signal::Logs, records(1_025)), (1_024, vec![(Reason::TooMany, 1, 1_024)]));
    let (kept, rejected) = parse(Signal::Logs, records(100_000));
    assert_eq!(rejected, [(Reason::TooMany, 100_000 - kept as u64, kept as u64)]);
    let scopes = |count: usize| wrapped(1, &[0x12, 2, 0x12, 0].repeat(count));
    assert_eq!(parse(Signal::Logs, scopes(1_025)), (1_024, vec![(Reason::TooMany, 1, 1_024)]), "of contexts, too");
}

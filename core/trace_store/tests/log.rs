//! Segments: what lies in them, when they go, and that their bytes need nobody to explain them.

use std::sync::Arc;

use crate::telemetry::{Context, Head, Interner, ItemKind};
use crate::trace_store::frame::reading::{Frame, frames};
use crate::trace_store::log::Log;
use crate::trace_store::segment::{Link, RecordAt};

const SEGMENT: usize = 16 << 10;

struct Held {
    log: Log,
    contexts: Vec<Arc<Context>>,
    interner: Interner,
}

impl Held {
    fn new() -> Self {
        let interner = Interner::new();
        let context = |number: u8| interner.intern(ItemKind::Span, [&[0xfa, 0x7f, 1, number], &[0xfa, 0x7f, 0], &[], &[]]).unwrap();
        Self { log: Log::new(SEGMENT), contexts: (0..3).map(context).collect(), interner }
    }

    fn append(&mut self, number: usize, length: usize) -> RecordAt {
        let link = Link { before: RecordAt::NONE, slot: 1, row: 1, length: 0 };
        let bytes = vec![number as u8; length];
        self.log.append(&Head::EMPTY, &bytes, &self.contexts[number % self.contexts.len()], link)
    }
}

#[test]
fn what_is_appended_is_read_back() {
    let mut held = Held::new();
    let at: Vec<RecordAt> = (0..200).map(|number| held.append(number, 300)).collect();
    for (number, at) in at.into_iter().enumerate() {
        let (head, bytes, context) = held.log.item(at);
        assert_eq!((head.length, bytes), (300, &*vec![number as u8; 300]));
        assert_eq!(context.id(), held.contexts[number % 3].id());
    }
    held.log.check();
    assert!(held.log.tally().segments > 3, "{:?}", held.log.tally());
}

#[test]
fn a_segment_is_understood_by_its_bytes_alone() {
    let mut held = Held::new();
    for number in 0..200 {
        held.append(number, 300);
    }
    let other_process = Interner::new();
    let mut read = 0;
    for (_, segment) in held.log.in_use() {
        let mut contexts = Vec::new();
        for frame in frames(segment.frames()).expect("a segment is made of frames") {
            match frame {
                Frame::Context { kind, envelopes } => {
                    assert_eq!(kind, 0, "spans");
                    contexts.push(other_process.intern(ItemKind::Span, envelopes.try_into().expect("four levels")).unwrap());
                }
                Frame::Item { context, bytes } => {
                    assert_eq!(bytes, vec![read as u8; 300]);
                    assert_eq!(contexts[context as usize].envelopes(), held.contexts[read % 3].envelopes());
                    read += 1;
                }
            }
        }
        assert!(contexts.len() <= 3, "each context is written once");
    }
    assert_eq!(read, 200);
    assert_eq!(frames(&[1, 0, 0, 0, 0, 0, 0, 0]), None, "what is cut off is no frame");
}

#[test]
fn a_segment_goes_with_its_last_record_and_lets_go_of_its_contexts() {
    let mut held = Held::new();
    let at: Vec<RecordAt> = (0..200).map(|number| held.append(number, 300)).collect();
    held.contexts.clear();
    assert_eq!(held.interner.len(), 6, "three resources, each with its scope");
    at.into_iter().for_each(|at| held.log.kill(at));
    let tally = held.log.tally();
    assert_eq!((tally.live, tally.contexts, tally.filled, tally.segments), (0, 0, 0, 1), "only the one being written is left, empty");
    assert_eq!(held.interner.len(), 0);
    held.log.check();
}

#[test]
fn an_item_larger_than_a_segment_gets_one_of_its_own() {
    let mut held = Held::new();
    let small = held.append(1, 10);
    let large = held.append(2, 3 * SEGMENT);
    let small_again = held.append(1, 10);
    assert_eq!(small.segment, small_again.segment, "the others go on where they were");
    assert_ne!(small.segment, large.segment);
    assert_eq!(held.log.item(large).1.len(), 3 * SEGMENT);
    let before = held.log.memory().0;
    held.log.kill(large);
    assert!(before - held.log.memory().0 > 3 * SEGMENT as u64, "nobody keeps what is that large");
    held.log.check();
}

#[test]
fn a_million_bytes_cost_what_the_tally_says() {
    let mut held = Held::new();
    for number in 0..1000 {
        held.append(number, 1000);
    }
    let tally = held.log.tally();
    assert_eq!(tally.live, 1000 * Log::cost(1000));
    assert_eq!(tally.filled, tally.live + tally.contexts);
}

//! What comes in goes out: byte for byte where nothing was done to it, and with the same meaning however it was split, merged and regrouped.

use proptest::collection::vec;

use super::rows::{Part, Row, alone, assert_emits_its_items, item_bytes, row, rows, sorted};
use super::*;
use crate::testing::Dice;
use crate::testing::otlp::{LogRecord, Span};
use crate::testing::{gauge, metrics};

proptest! {
    #![proptest_config(many())]

    #[test]
    fn what_nobody_touches_goes_out_as_it_came_in(request in request(&small()), how in arbitrary::rewrites()) {
        let (signal, bytes) = (request.signal(), rewritten(&request, &how));
        let desk = Desk::open(signal);
        let expected = rows(signal, &bytes);
        for odd_ids in [OddIds::Flag, OddIds::Reject] {
            let parsed = intake(odd_ids).parse(signal, bytes.clone()).unwrap();
            assert_eq!((parsed.total(), parsed.rejections.total()), (expected.len() as u64, 0));
            let batch = desk.take_in(parsed);
            assert_eq!(batch.to_bytes(), bytes);
            assert!(batch.items().map(|item| row(&item)).eq(expected.iter().cloned()), "the items are those of the request, in order");
            let mut regrouped = regroup(batch);
            let emitted = assert_emits_its_items(&regrouped);
            assert_eq!(sorted(rows(signal, &emitted)), sorted(expected.iter().cloned()));
            let copy = regrouped.copy();
            assert_eq!(copy.to_bytes(), emitted);
            copy.settle(Fate::Delivered);
            regrouped.settle(Fate::Delivered);
        }
        desk.close();
    }

    #[test]
    fn an_item_keeps_its_bytes_unless_they_were_odd(request in request(&small()), how in arbitrary::rewrites()) {
        let (signal, bytes) = (request.signal(), rewritten(&request, &how));
        let desk = Desk::open(signal);
        let mut regrouped = regroup(desk.take_in(intake(OddIds::Flag).parse(signal, bytes.clone()).unwrap()));
        let odd_ones = desk.take_in(intake(OddIds::Flag).parse(signal, bytes.clone()).unwrap());
        for ((came, item), as_received) in item_bytes(signal, &bytes).iter().zip(regrouped.items()).zip(odd_ones.heads()) {
            if as_received.has(Head::EDITED) {
                assert_eq!(Part::item(item.kind(), item.bytes()), Part::item(item.kind(), came), "made plain, unknown fields kept");
            } else {
                assert_eq!(item.bytes(), came.as_slice());
            }
        }
        let mut emitted = item_bytes(signal, &regrouped.to_bytes());
        let mut held: Vec<Vec<u8>> = regrouped.items().map(|item| item.bytes().to_vec()).collect();
        emitted.sort();
        held.sort();
        assert_eq!(emitted, held);
        regrouped.drop_items(desk.unwanted, |_| true);
        regrouped.settle(Fate::Delivered);
        odd_ones.settle(Fate::Delivered);
        desk.close();
    }

    #[test]
    fn heads_and_rejections_are_what_the_items_say(request in request(&Wild { ids: arbitrary::Ids::Odd, ..small() }), how in arbitrary::rewrites()) {
        let (signal, bytes) = (request.signal(), rewritten(&request, &how));
        let desk = Desk::open(signal);
        let items = item_bytes(signal, &bytes);
        for odd_ids in [OddIds::Flag, OddIds::Reject] {
            let parsed = intake(odd_ids).parse(signal, bytes.clone()).unwrap();
            let verdicts: Vec<Option<Reason>> = items.iter().map(|item| verdict(signal, item, odd_ids)).collect();
            for reason in Reason::ALL {
                let expected: Vec<u64> = (0..).zip(&verdicts).filter(|(_, verdict)| **verdict == Some(reason)).map(|(at, _)| at).collect();
                let counted = parsed.rejections.iter().find(|(counted, ..)| *counted == reason).map(|(_, count, first)| (count, first));
                assert_eq!(counted, expected.first().map(|first| (expected.len() as u64, *first)), "{reason:?}");
            }
            let accepted = items.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_none()).map(|(item, _)| item);
            let batch = desk.take_in(parsed);
            assert!(batch.heads().len() == accepted.clone().count());
            batch.items().zip(accepted).for_each(|(item, came)| assert_head(&item, came));
            // What was rejected is not sent on.
            assert_emits_its_items(&batch);
            batch.settle(Fate::Delivered);
        }
        desk.close();
    }

    #[test]
    fn splitting_and_merging_lose_nothing(
        requests in requests(&Wild { entries: 1, depth: 1, ..small() }, 3),
        how in arbitrary::rewrites(),
        steps in vec((0..STEPS, any::<u64>().no_shrink()), 1..8),
    ) {
        let desk = Desk::open(requests[0].signal());
        // One table of contexts for all, or one for each request: contexts meet or they do not.
        let intake = intake(OddIds::Flag);
        let mut hands: Vec<Hand> = requests.iter().map(|request| Hand::take_in(&desk, &intake, request, &how)).collect();
        for (step, seed) in steps {
            take_step(&mut hands, step, &mut Dice::new(seed), &desk);
        }
        for hand in hands {
            hand.check();
            hand.batch.settle(Fate::Delivered);
        }
        desk.close();
    }
}

/// The same batch without the bytes it came in: what is emitted is written anew.
pub(super) fn regroup(batch: Telemetry) -> Telemetry {
    let mut parts = batch.split(1, |_| 0);
    assert_eq!(parts.len(), 1);
    parts.remove(0)
}

/// Why an item must be rejected, from what prost reads.
pub(super) fn verdict(signal: Signal, item: &[u8], odd_ids: OddIds) -> Option<Reason> {
    let valid = |id: &[u8], length: usize| id.len() == length && id.iter().any(|byte| *byte != 0);
    match signal {
        Signal::Traces => {
            let span: Span = prost::Message::decode(item).unwrap();
            let reject = odd_ids == OddIds::Reject;
            match span {
                _ if !valid(&span.trace_id, 16) => Some(Reason::TraceId),
                _ if reject && !valid(&span.span_id, 8) => Some(Reason::SpanId),
                _ if reject && ![0, 8].contains(&span.parent_span_id.len()) => Some(Reason::ParentId),
                _ => None,
            }
        }
        Signal::Logs => {
            let record: LogRecord = prost::Message::decode(item).unwrap();
            match record {
                _ if ![0, 16].contains(&record.trace_id.len()) => Some(Reason::TraceId),
                _ if ![0, 8].contains(&record.span_id.len()) => Some(Reason::SpanId),
                _ => None,
            }
        }
        Signal::Metrics => None,
    }
}

fn assert_head(item: &Item<'_>, came: &[u8]) {
    let head = item.head();
    let small = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    match item.kind() {
        ItemKind::Span => {
            let span: Span = prost::Message::decode(came).unwrap();
            assert_eq!(head.trace.0.as_slice(), span.trace_id);
            assert_eq!(head.span, SpanId(span.span_id.as_slice().try_into().unwrap_or_default()));
            assert_eq!(head.parent, SpanId(span.parent_span_id.as_slice().try_into().unwrap_or_default()));
            assert_eq!((head.start, head.end), (span.start_time_unix_nano, span.end_time_unix_nano));
            assert_eq!((head.kind, head.status), (small(span.kind), small(span.status.map_or(0, |status| status.code))));
            let bits = [(Head::SAMPLED, 1, 1), (Head::REMOTE_KNOWN, 0x100, 0x100), (Head::REMOTE, 0x300, 0x300)];
            bits.iter().for_each(|(flag, mask, set)| assert_eq!(head.has(*flag), span.flags & mask == *set));
            assert!(span.trace_state.is_empty() || !head.has(Head::NO_TRACE_STATE), "a trace state that nobody would look for");
            assert_eq!(item.trace_state(), span.trace_state.as_bytes());
            assert_eq!(head.has(Head::ODD_SPAN_ID), span.span_id.len() != 8 || head.span.is_none());
            assert_eq!(head.has(Head::ODD_PARENT_ID), ![0, 8].contains(&span.parent_span_id.len()));
        }
        ItemKind::LogRecord => {
            let record: LogRecord = prost::Message::decode(came).unwrap();
            assert_eq!(head.trace, TraceId(record.trace_id.as_slice().try_into().unwrap_or_default()));
            assert_eq!(head.span, SpanId(record.span_id.as_slice().try_into().unwrap_or_default()));
            assert_eq!((head.start, head.end), (record.time_unix_nano, record.observed_time_unix_nano));
            assert_eq!((head.kind, head.parent, head.status), (small(record.severity_number), SpanId::NONE, 0));
        }
        _ => {
            // Every kind of point has its times in these two fields, so one of them reads all.
            let times: crate::testing::otlp::SummaryDataPoint = prost::Message::decode(only_times(came).as_slice()).unwrap();
            assert_eq!((head.start, head.end), (times.start_time_unix_nano, times.time_unix_nano));
            assert_eq!((head.trace, head.span, head.kind), (TraceId::NONE, SpanId::NONE, 0));
        }
    }
}

fn only_times(point: &[u8]) -> Vec<u8> {
    super::rows::only(point, |number| number == 2 || number == 3)
}

/// A batch, and what must be in it: for every item the request that it came with, and the item.
struct Hand {
    batch: Telemetry,
    holds: Vec<(u64, Row)>,
}

impl Hand {
    fn take_in(desk: &Desk, intake: &Intake, request: &Decoded, how: &wire::Rewrite) -> Hand {
        let bytes = rewritten(request, how);
        let number = desk.requests.get();
        let holds = rows(request.signal(), &bytes).into_iter().map(|row| (number, row)).collect();
        let hand = Hand { batch: desk.take_in(intake.parse(request.signal(), bytes).unwrap()), holds };
        hand.check();
        hand
    }

    fn check(&self) {
        let Hand { batch, holds } = self;
        let origin_of = |item: &Item<'_>| &batch.origins()[batch.origin_of(item.head())];
        let held: Vec<(u64, Row)> = batch.items().map(|item| (origin_of(&item).received_at.0, row(&item))).collect();
        assert!(held == *holds, "{held:#?} instead of {holds:#?}");
        let mut counts = vec![0; batch.origins().len()];
        batch.heads().iter().for_each(|head| counts[batch.origin_of(head)] += 1);
        for (origin, count) in batch.origins().iter().zip(counts) {
            assert_eq!(origin.share.count(), count, "a share counts what it is for");
            assert_eq!(origin.source.receiver, format!("otlp/{}", origin.received_at.0));
        }
        let emitted = assert_emits_its_items(batch);
        assert!(emitted.len() <= batch.emitted_bound(), "{} bytes of at most {}", emitted.len(), batch.emitted_bound());
    }

    fn split(self, parts: usize, dice: &mut Dice) -> Vec<Hand> {
        let places: Vec<usize> = self.holds.iter().map(|_| dice.below(parts)).collect();
        let mut asked = places.iter();
        let batches = self.batch.split(parts, |_| *asked.next().unwrap());
        let holds =
            |part: usize| self.holds.iter().zip(&places).filter(|(_, place)| **place == part).map(|(held, _)| held.clone()).collect();
        batches.into_iter().enumerate().map(|(part, batch)| Hand { batch, holds: holds(part) }).collect()
    }

    /// Gives some items another name for themselves or for what they share. Where they came from stays.
    fn edit(&mut self, dice: &mut Dice) {
        let signal = self.batch.signal();
        let paths = ["attributes[\"k\"]", "resource.attributes[\"k\"]", "scope.name"].map(|text| Path::parse(signal, text).unwrap());
        for (index, (_, holds)) in self.holds.iter_mut().enumerate() {
            if dice.percent(40) {
                continue;
            }
            let path = &paths[dice.below(paths.len())];
            // Few values, so that items meet again in one context.
            let value = Value::from(dice.pick(&["a", "b"]));
            self.batch.item_mut(index).set(path, &value).unwrap();
            assert_eq!(self.batch.item(index).get(path), Some(value));
            *holds = row(&self.batch.item(index));
        }
    }

    fn split_by_count(self, most: usize) -> Vec<Hand> {
        let batches = self.batch.split_by_count(most);
        let mut runs = self.holds.chunks(most);
        assert_eq!(batches.len(), self.holds.len().div_ceil(most).max(1));
        batches.into_iter().map(|batch| Hand { batch, holds: runs.next().unwrap_or_default().to_vec() }).collect()
    }

    /// Which item goes where is the batch's own choice: together the parts must have all, each in the order they had.
    fn split_by_size(self, most: usize) -> Vec<Hand> {
        let mut hands = Vec::new();
        for batch in self.batch.split_by_size(most) {
            let emitted = batch.to_bytes().len();
            assert!(emitted <= most || batch.len() <= 1, "{} items are {emitted} bytes where {most} were allowed", batch.len());
            let number = |item: &Item<'_>| batch.origins()[batch.origin_of(item.head())].received_at.0;
            let holds: Vec<(u64, Row)> = batch.items().map(|item| (number(&item), row(&item))).collect();
            let mut before = self.holds.iter();
            assert!(holds.iter().all(|held| before.any(|other| other == held)), "a part is out of order");
            hands.push(Hand { batch, holds });
        }
        let mut together: Vec<_> = hands.iter().flat_map(|hand| hand.holds.clone()).collect();
        let mut before = self.holds;
        together.sort();
        before.sort();
        assert!(together == before, "the parts are not the whole");
        hands
    }
}

/// How many kinds of step there are.
const STEPS: usize = 7;

/// One thing that a pipeline does to batches, chosen by number; what came of it is checked at once.
fn take_step(hands: &mut Vec<Hand>, step: usize, dice: &mut Dice, desk: &Desk) {
    let mut hand = hands.swap_remove(dice.below(hands.len()));
    let made = match step {
        0 => {
            let parts = 1 + dice.below(4);
            hand.split(parts, dice)
        }
        1 => hand.split_by_count(1 + dice.below(4)),
        2 => {
            let most = dice.below(hand.batch.emitted_bound() + 20);
            hand.split_by_size(most)
        }
        3 => {
            if !hands.is_empty() {
                let other = hands.swap_remove(dice.below(hands.len()));
                hand.batch.append(other.batch).unwrap();
                hand.holds.extend(other.holds);
            }
            vec![hand]
        }
        4 => {
            let doomed: Vec<bool> = hand.holds.iter().map(|_| dice.percent(30)).collect();
            let mut asked = doomed.iter();
            hand.batch.drop_items(desk.unwanted, |_| *asked.next().unwrap());
            let mut asked = doomed.iter();
            hand.holds.retain(|_| !asked.next().unwrap());
            vec![hand]
        }
        5 => {
            hand.edit(dice);
            vec![hand]
        }
        _ => {
            let copy = Hand { batch: hand.batch.copy(), holds: hand.holds.clone() };
            vec![hand, copy]
        }
    };
    made.iter().for_each(Hand::check);
    hands.extend(made);
}

/// More contexts than anything that looks back a little way can see, coming again in any order.
#[test]
fn every_context_is_written_once_however_many_there_are() {
    for seed in 0..100 {
        let mut dice = Dice::new(seed);
        let desk = Desk::open(Signal::Metrics);
        let intake = intake(OddIds::Reject);
        let names: Vec<String> = (0..400).map(|_| format!("metric {}", dice.below(150))).collect();
        let request = |names: &[String]| Decoded::Metrics(metrics(names.iter().map(|name| gauge(name).value(name.len() as f64))));
        let mut batch = desk.take_in(intake.parse_decoded(&request(&names[..1])).unwrap());
        for name in &names[1..] {
            batch.append(desk.take_in(intake.parse_decoded(&request(std::slice::from_ref(name))).unwrap())).unwrap();
        }
        let batch = regroup(batch);
        let emitted = assert_emits_its_items(&batch);
        assert!(emitted.len() <= batch.emitted_bound());
        let contexts: std::collections::BTreeSet<u64> = batch.items().map(|item| item.context().id()).collect();
        let Decoded::Metrics(decoded) = batch.to_decoded().unwrap() else { unreachable!("a batch of metrics") };
        let metrics: usize = decoded.resource_metrics.iter().flat_map(|of| &of.scope_metrics).map(|of| of.metrics.len()).sum();
        assert_eq!(metrics, contexts.len());
        batch.settle(Fate::Delivered);
        desk.close();
    }
}

#[test]
fn traces_are_whole_only_if_all_of_them_are() {
    for (first, second) in [(true, true), (true, false), (false, true), (false, false)] {
        let desk = Desk::open(Signal::Logs);
        let batch = |whole: bool| {
            let mut batch = desk.take_in(intake(OddIds::Flag).parse(Signal::Logs, Bytes::new()).unwrap());
            if whole {
                batch.mark_whole_traces();
            }
            batch
        };
        let mut merged = batch(first);
        merged.append(batch(second)).unwrap();
        assert_eq!(merged.has_whole_traces(), first && second);
        merged.settle(Fate::Delivered);
        desk.close();
    }
}

#[test]
fn what_was_sent_on_can_be_taken_in_again() {
    let desk = Desk::open(Signal::Traces);
    let request = Decoded::Traces(crate::testing::trace_of("a@web -> b@cart -> c@db").request());
    let intake = intake(OddIds::Reject);
    let batch = desk.take_in(intake.parse_decoded(&request).unwrap());
    for item in batch.items() {
        let again = desk.take_in(intake.parse(Signal::Traces, Bytes::from(alone(&item))).unwrap());
        assert_eq!(again.item(0).context().id(), item.context().id(), "the same bytes are the same context");
        let rebuilt = intake.interner().intern(item.kind(), item.context().envelopes()).unwrap();
        assert_eq!(rebuilt.id(), item.context().id());
        again.settle(Fate::Delivered);
    }
    batch.settle(Fate::Delivered);
    desk.close();
}

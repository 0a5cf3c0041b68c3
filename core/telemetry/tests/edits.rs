//! Every edit, and every sequence of edits with reads between them, comes to the same as on the decoded structs.

use super::drafts::{Draft, Step, deep, shared, steps};
use super::model::{Change, Changed, Failure, Node, Word};
use super::rows::{alone, assert_emits_its_items};
use super::tree::{Thing, things};
use super::values::any_of;
use super::*;
use crate::testing::arbitrary::Ids;
use crate::testing::otlp::KeyValue;
use crate::testing::{Dice, span, traces};

/// A request, how it is written, and what is done to its items.
fn stories(most: usize) -> impl Strategy<Value = (Decoded, wire::Rewrite, Vec<(usize, Step)>)> {
    let requests = request(&Wild { ids: Ids::Odd, groups: 1, ..small() });
    (requests, arbitrary::rewrites()).prop_flat_map(move |(request, how)| {
        let signal = request.signal();
        (Just(request), Just(how), steps(signal, most))
    })
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn edits_and_reads_come_to_the_same_as_on_structs((request, how, steps) in stories(12)) {
        let desk = Desk::open(request.signal());
        let bytes = rewritten(&request, &how);
        let mut story = Story::begin(&desk, &bytes, how.freedoms.contains(&wire::Freedom::WrittenDefaults));
        let items = story.things.len();
        steps.iter().filter(|_| items > 0).for_each(|(item, step)| story.go_on(item % items, step));
        story.end();
        desk.close();
    }

    #[test]
    fn a_context_changed_once_is_every_item_changed(
        (request, how, (draft, value)) in request(&small()).prop_flat_map(|request| {
            let signal = request.signal();
            (Just(request), arbitrary::rewrites(), shared(signal))
        }),
        delete in any::<bool>(),
    ) {
        let (signal, bytes) = (request.signal(), rewritten(&request, &how));
        let (desk, path, intake) = (Desk::open(signal), draft.path(signal), intake(OddIds::Flag));
        let mut at_once = desk.take_in(intake.parse(signal, bytes.clone()).unwrap());
        let mut one_by_one = desk.take_in(intake.parse(signal, bytes).unwrap());
        at_once.map_contexts(|context| match delete {
            true => context.delete(&path).unwrap_or_default(),
            false => context.set(&path, &value).ok(),
        });
        one_by_one.edit_items(|item| {
            // What fails for one fails for all of its context, and leaves them as they are.
            let _ = if delete { item.delete(&path) } else { item.set(&path, &value).map(|()| true) };
        });
        let contexts = |batch: &Telemetry| batch.items().map(|item| item.context().id()).collect::<Vec<_>>();
        assert_eq!(contexts(&at_once), contexts(&one_by_one), "equal bytes are one context, whichever way they came to be");
        let things = |batch: &Telemetry| batch.items().map(|item| thing(&item)).collect::<Vec<_>>();
        assert_eq!(things(&at_once), things(&one_by_one));
        assert_emits_its_items(&at_once);
        assert_emits_its_items(&one_by_one);
        at_once.settle(Fate::Delivered);
        one_by_one.settle(Fate::Delivered);
        desk.close();
    }

    #[test]
    fn edits_made_at_once_come_to_the_same_as_one_by_one((request, how, steps) in stories(12)) {
        let (signal, bytes) = (request.signal(), rewritten(&request, &how));
        let (desk, intake) = (Desk::open(signal), intake(OddIds::Flag));
        let mut at_once = desk.take_in(intake.parse(signal, bytes.clone()).unwrap());
        let mut one_by_one = desk.take_in(intake.parse(signal, bytes).unwrap());
        for index in 0..at_once.len() {
            let made = at_once.item_mut(index).at_once(|item| seen(item, &steps));
            assert_eq!(made, seen(&mut one_by_one.item_mut(index), &steps), "each edit sees those before it");
            assert_eq!(at_once.item(index).bytes(), one_by_one.item(index).bytes());
            assert_eq!(at_once.item(index).context().id(), one_by_one.item(index).context().id());
            assert_eq!(at_once.item(index).head().flags, one_by_one.item(index).head().flags);
        }
        assert_eq!(at_once.to_bytes(), one_by_one.to_bytes());
        assert_emits_its_items(&at_once);
        at_once.settle(Fate::Delivered);
        one_by_one.settle(Fate::Delivered);
        desk.close();
    }

    #[test]
    fn attributes_rewritten_in_one_pass_are_attributes_rewritten_one_by_one(
        request in request(&Wild { entries: 4, ..small() }),
        how in arbitrary::rewrites(),
        seed in any::<u64>().no_shrink(),
    ) {
        let (signal, bytes) = (request.signal(), rewritten(&request, &how));
        let desk = Desk::open(signal);
        let mut batch = desk.take_in(intake(OddIds::Flag).parse(signal, bytes).unwrap());
        for index in 0..batch.len() {
            let mut expected = thing(&batch.item(index));
            let should_change = rewrite_attributes(&mut expected, &mut Dice::new(seed));
            let mut dice = Dice::new(seed);
            let changed = batch.item_mut(index).rewrite_attributes(|attribute| choice(&attribute.key_text(), &mut dice));
            assert_eq!(changed, should_change);
            assert_eq!(thing(&batch.item(index)), expected);
        }
        assert_emits_its_items(&batch);
        batch.settle(Fate::Delivered);
        desk.close();
    }
}

/// What an edit said, what is at its path then, and what the item is.
type Seen = (Result<bool, EditError>, Option<Value>, Vec<u8>);

/// What the edits of a story do to one item, and what is there after each of them.
fn seen(item: &mut ItemMut<'_>, steps: &[(usize, Step)]) -> Vec<Seen> {
    let signal = item.item().kind().signal();
    let change = |(_, step): &(usize, Step)| {
        let Step::Change(draft, change) = step else { return None };
        let path = draft.path(signal);
        let outcome = match change {
            Change::Set(value) => item.set(&path, value).map(|()| true),
            Change::Append(value) => item.append(&path, value).map(|()| true),
            Change::Delete => item.delete(&path),
        };
        Some((outcome, item.get(&path), item.item().bytes().to_vec()))
    };
    steps.iter().filter_map(change).collect()
}

/// A batch under edits, and what its items must be.
struct Story<'a> {
    desk: &'a Desk,
    batch: Telemetry,
    things: Vec<Thing>,
    /// The bytes of the items that were not edited yet.
    untouched: Vec<Option<Vec<u8>>>,
    /// Whether the sender wrote zeros that it could have left out: deleting one of them is an edit, though nothing is seen of it.
    zeros_written: bool,
}

impl<'a> Story<'a> {
    fn begin(desk: &'a Desk, bytes: &Bytes, zeros_written: bool) -> Self {
        let signal = desk.line.signal();
        let batch = desk.take_in(intake(OddIds::Flag).parse(signal, bytes.clone()).unwrap());
        let mut things = things(Decoded::decode(signal, bytes).unwrap());
        things.retain(|thing| !thing.is_rejected());
        assert_eq!(batch.len(), things.len());
        let untouched = batch.items().map(|item| Some(item.bytes().to_vec())).collect();
        Self { desk, batch, things, untouched, zeros_written }
    }

    fn go_on(&mut self, item: usize, step: &Step) {
        match step {
            Step::Read(draft) => self.read(item, draft),
            Step::Change(draft, change) => self.change(item, draft, change),
            Step::Freeze => self.freeze(item.is_multiple_of(2)),
        }
    }

    fn read(&self, item: usize, draft: &Draft) {
        let path = draft.path(self.desk.line.signal());
        let (item, expected) = (self.batch.item(item), self.things[item].get(&draft.words));
        assert_eq!(item.get(&path), expected, "at {path}");
        match item.get_ref(&path) {
            Some(in_place) => assert_eq!(Some(in_place.to_value()), expected, "read in place at {path}"),
            None => assert!(matches!(expected, None | Some(Value::List(_) | Value::Map(_))), "{path} can be read in place"),
        }
    }

    fn change(&mut self, item: usize, draft: &Draft, change: &Change) {
        let path = draft.path(self.desk.line.signal());
        let mut edited = self.batch.item_mut(item);
        let outcome = match change {
            Change::Set(value) => edited.set(&path, value).map(|()| true),
            Change::Append(value) => edited.append(&path, value).map(|()| true),
            Change::Delete => edited.delete(&path),
        };
        let expected = self.things[item].change(&draft.words, change);
        let agree = match (&outcome, expected) {
            (Ok(changed), Ok(Changed::Yes)) => *changed,
            (Ok(changed), Ok(Changed::No)) => !changed,
            (Ok(changed), Ok(Changed::WasZero)) => !changed || self.zeros_written,
            (Err(error), Err(failure)) => Failure::from(error.clone()) == failure,
            _ => false,
        };
        assert!(agree, "{outcome:?} instead of {expected:?} at {path} of {:#?}", self.things[item]);
        let is_own = !matches!(draft.words.first(), Some(Word::Name("resource" | "scope" | "metric")));
        if outcome == Ok(true) && is_own {
            self.untouched[item] = None;
        }
        self.things[item].assert_head(self.batch.item(item).head());
        self.read(item, draft);
    }

    /// Turns edits into items like any other, in one of the two ways there are.
    fn freeze(&mut self, by_copying: bool) {
        let nothing = self.desk.take_in(intake(OddIds::Flag).parse(self.desk.line.signal(), Bytes::new()).unwrap());
        let mut batch = std::mem::replace(&mut self.batch, nothing);
        let frozen = if by_copying {
            let copy = batch.copy();
            batch.settle(Fate::Delivered);
            copy
        } else {
            batch.split(1, |_| 0).remove(0)
        };
        std::mem::replace(&mut self.batch, frozen).settle(Fate::Delivered);
    }

    fn end(self) {
        let Story { batch, things, untouched, .. } = self;
        for ((item, expected), untouched) in batch.items().zip(&things).zip(untouched) {
            assert_eq!(thing(&item), *expected);
            assert!(untouched.is_none_or(|bytes| bytes == item.bytes()), "an item that nobody edited was changed");
        }
        assert_emits_its_items(&batch);
        batch.settle(Fate::Delivered);
    }
}

/// An item of a batch as prost reads it.
fn thing(item: &Item<'_>) -> Thing {
    things(Decoded::decode(item.kind().signal(), &alone(item)).unwrap()).remove(0)
}

impl Thing {
    fn bytes(&self, name: &str) -> &[u8] {
        match self.own.get_field(name) {
            Some(Node::Plain(_, Value::Bytes(bytes))) => bytes,
            other => panic!("{name} is {other:?}"),
        }
    }

    fn number(&self, path: &[Word]) -> i64 {
        match self.get(path) {
            Some(Value::Int(number)) => number,
            other => panic!("{path:?} is {other:?}"),
        }
    }

    /// Whether its ids are such that it cannot come in.
    fn is_rejected(&self) -> bool {
        match self.kind {
            ItemKind::Span => self.bytes("trace_id").len() != 16 || self.bytes("trace_id").iter().all(|byte| *byte == 0),
            ItemKind::LogRecord => ![0, 16].contains(&self.bytes("trace_id").len()) || ![0, 8].contains(&self.bytes("span_id").len()),
            _ => false,
        }
    }

    /// A head follows every edit of what it mirrors.
    fn assert_head(&self, head: &Head) {
        let name = |name: &'static str| self.number(&[Word::Name(name)]);
        let small = |number: i64| u8::try_from(number).unwrap_or(u8::MAX);
        let id = |name: &str| SpanId(self.bytes(name).try_into().unwrap_or_default());
        let times = |start, end| assert_eq!((head.start as i64, head.end as i64), (name(start), name(end)));
        match self.kind {
            ItemKind::Span => {
                times("start_time_unix_nano", "end_time_unix_nano");
                assert_eq!(head.trace.0.as_slice(), self.bytes("trace_id"));
                assert_eq!((head.span, head.parent), (id("span_id"), id("parent_span_id")));
                let status = self.number(&[Word::Name("status"), Word::Name("code")]);
                assert_eq!((head.kind, head.status), (small(name("kind")), small(status)));
                assert_eq!(head.has(Head::SAMPLED), name("flags") & 1 == 1);
                let state = self.get(&[Word::Name("trace_state")]);
                let is_empty = matches!(state, None | Some(Value::Empty)) || state == Some(Value::String(String::new()));
                assert!(is_empty || !head.has(Head::NO_TRACE_STATE), "{state:?} would never be looked for");
                assert_eq!(head.has(Head::REMOTE), name("flags") & 0x300 == 0x300);
            }
            ItemKind::LogRecord => {
                times("time_unix_nano", "observed_time_unix_nano");
                assert_eq!(head.trace, TraceId(self.bytes("trace_id").try_into().unwrap_or_default()));
                assert_eq!((head.span, head.kind), (id("span_id"), small(name("severity_number"))));
            }
            _ => times("start_time_unix_nano", "time_unix_nano"),
        }
    }
}

/// What is done with an attribute.
fn choice(key: &str, dice: &mut Dice) -> Rewrite {
    match dice.below(4) {
        0 => Rewrite::Delete,
        1 => Rewrite::Set(Value::from(key)),
        2 => Rewrite::Set(deep(1 + dice.below(4))),
        _ => Rewrite::Keep,
    }
}

/// The same to the model: whether any was changed.
fn rewrite_attributes(thing: &mut Thing, dice: &mut Dice) -> bool {
    let Some(Node::Attributes(entries)) = thing.own.get_field_mut("attributes") else { panic!("every item has attributes") };
    let mut changed = false;
    entries.retain_mut(|entry: &mut KeyValue| {
        let answer = choice(&entry.key, dice);
        changed |= answer != Rewrite::Keep;
        if let Rewrite::Set(value) = &answer {
            entry.value = Some(any_of(value));
        }
        answer != Rewrite::Delete
    });
    changed
}

fn batch_of_one(desk: &Desk) -> Telemetry {
    let request = Decoded::Traces(traces([span("GET /cart").service("cart")]));
    desk.take_in(intake(OddIds::Reject).parse_decoded(&request).unwrap())
}

#[test]
fn edits_nest_as_deep_as_receipt_allows_and_no_deeper() {
    let desk = Desk::open(Signal::Traces);
    let mut batch = batch_of_one(&desk);
    for (place, above) in [
        (r#"attributes["a"]"#, 0),
        (r#"attributes["b"]["in"]"#, 1),
        (r#"attributes["c"]["in"]["in"]"#, 2),
        (r#"resource.attributes["a"]"#, 0),
        (r#"resource.attributes["b"]["in"]"#, 1),
        (r#"scope.attributes["a"]"#, 0),
    ] {
        let path = Path::parse(Signal::Traces, place).unwrap();
        let mut item = batch.item_mut(0);
        assert_eq!(item.set(&path, &deep(33 - above)), Err(EditError::TooDeep), "{place}");
        assert_eq!(item.get(&path), None, "an edit that fails leaves all as it was");
        assert_eq!(item.set(&path, &deep(32 - above)), Ok(()), "{place}");
    }
    assert!(batch.to_decoded().is_ok(), "what is as deep as can be is still decoded");
    batch.settle(Fate::Delivered);
    desk.close();
}

#[test]
fn edits_that_were_replaced_do_not_pile_up() {
    let desk = Desk::open(Signal::Traces);
    let request = Decoded::Traces(traces((0..50).map(|number| span(&number.to_string()))));
    let mut batch = desk.take_in(intake(OddIds::Reject).parse_decoded(&request).unwrap());
    let path = Path::parse(Signal::Traces, r#"attributes["k"]"#).unwrap();
    let mut expected: Vec<Option<Value>> = vec![None; batch.len()];
    let mut dice = Dice::new(1);
    for _ in 0..5_000 {
        let index = dice.below(batch.len());
        let value = Value::from("long".repeat(dice.below(300)).as_str());
        batch.item_mut(index).set(&path, &value).unwrap();
        expected[index] = Some(value);
    }
    let held: Vec<Option<Value>> = batch.items().map(|item| item.get(&path)).collect();
    assert!(held == expected, "an item is not what was last written to it");
    // Some three million bytes were written; 50 items of 1,200 at most live.
    assert!(batch.pinned() < 512 * 1024, "{} bytes are kept", batch.pinned());
    assert_emits_its_items(&batch);
    batch.settle(Fate::Delivered);
    desk.close();
}

#[test]
fn of_a_field_that_is_given_twice_the_first_holds() {
    let desk = Desk::open(Signal::Traces);
    let mut batch = batch_of_one(&desk);
    let path = |text| Path::parse(Signal::Traces, text).unwrap();
    let twice = Value::Map(vec![("code".into(), Value::Int(1)), ("code".into(), Value::Int(2))]);
    batch.item_mut(0).set(&path("status"), &twice).unwrap();
    assert_eq!(batch.item(0).get(&path("status.code")), Some(Value::Int(1)));
    assert_eq!(batch.item(0).head().status_code(), StatusCode::Ok);
    let Decoded::Traces(decoded) = batch.to_decoded().unwrap() else { unreachable!("a batch of spans") };
    assert_eq!(decoded.resource_spans[0].scope_spans[0].spans[0].status.as_ref().map(|status| status.code), Some(1));
    batch.settle(Fate::Delivered);
    desk.close();
}

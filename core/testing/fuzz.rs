//! Bodies of fuzz targets: each takes arbitrary bytes and panics if something is not as it should be.

use prost::Message;

use super::inlet::Inlet;
use super::otlp::{ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest};
use super::spans::{START, span, traces};
use crate::ledger::{Books, Column, Fate};
use crate::ottl::{Condition, Conditions, Contexts, ErrorMode, Scene, Statement, Statements};
use crate::telemetry::json::{Rejected, from_protobuf, to_protobuf};
use crate::telemetry::{Decoded, ItemMut, Limits, OddIds, Path, Rewrite, Signal, Source, Telemetry, Value};
use crate::time::Clock;

/// Reads the bytes as a condition and as a statement of every signal. What is understood is asked and run on a span; what that gives can be sent.
pub fn ottl(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for signal in Signal::ALL {
        let contexts = Contexts::of(signal);
        for context in contexts.names().map(Some).chain([None]) {
            let condition = Condition::parse(&contexts, context, &text);
            let statement = Statement::parse(&contexts, context, &text);
            if signal == Signal::Traces {
                show(condition.into_iter().collect(), statement.into_iter().collect());
            }
        }
    }
}

/// Shows a span to expressions.
fn show(conditions: Vec<Condition>, statements: Vec<Statement>) {
    let mut inlet = Inlet::new();
    let sample = span("GET /user/17").service("shop").attribute("a", "ab").attribute("k", 2).event(1, "exception", []);
    let mut batch = inlet.receive(traces([sample]));
    let mut conditions = Conditions::of(conditions, ErrorMode::Silent);
    conditions.each(&Scene::of_item(batch.item(0), &Source::default(), inlet.clock()), |_, _| {});
    let ran = Statements::of(Vec::new(), statements, ErrorMode::Silent).run(&mut batch, inlet.clock());
    assert_eq!(ran, Ok(()), "silent errors stop nothing");
    assert_can_be_sent(&batch, Limits::default());
    batch.settle(Fate::Delivered);
}

/// Takes the bytes in as a request of every signal. Whatever is let in can be split, edited, read back, emitted and taken in again, the books
/// balance, and prost decodes all that is emitted.
pub fn walker(data: &[u8]) {
    for signal in Signal::ALL {
        for odd_ids in [OddIds::Flag, OddIds::Reject] {
            let limits = Limits { odd_ids, ..Limits::default() };
            let mut inlet = Inlet::with(Books::new(), Clock::by_hand(START), limits);
            let Ok(batch) = inlet.receive_bytes(signal, data.to_vec()) else { continue };
            assert_can_be_sent(&batch, limits);
            for mut part in batch.split(2, |item| item.bytes().len() % 2) {
                assert_can_be_sent(&part, limits);
                part.edit_items(edit);
                assert_can_be_sent(&part, limits);
                part.settle(Fate::Delivered);
            }
            inlet.assert_settled();
        }
    }
}

/// Decoded and taken in again, what is emitted is what was in the batch. Text that is no UTF-8 is let through, which prost does not.
fn assert_can_be_sent(batch: &Telemetry, limits: Limits) {
    let bytes = batch.to_bytes();
    assert!(bytes.len() <= batch.emitted_bound(), "{} bytes are more than {}", bytes.len(), batch.emitted_bound());
    if let Err(error) = Decoded::decode(batch.signal(), &bytes) {
        assert!(error.to_string().contains("not UTF-8"), "prost cannot decode what was emitted: {error}");
    }
    let mut inlet = Inlet::with(Books::new(), Clock::by_hand(START), limits);
    let again = inlet.receive_bytes(batch.signal(), bytes).unwrap_or_else(|refusal| panic!("what was emitted is refused: {refusal}"));
    // Emitted bytes may be fewer than those that came, and fewer bytes may hold fewer items.
    let too_many = inlet.books().report().total(batch.signal())[Column::Rejected] as usize;
    assert_eq!(again.len() + too_many, batch.len());
    again.settle(Fate::Delivered);
}

/// A fixed program of edits. One may fail; what succeeds is read back.
fn edit(item: &mut ItemMut<'_>) {
    let signal = item.item().kind().signal();
    let path = |text: &str| Path::parse(signal, text).unwrap_or_else(|error| panic!("{error}"));
    let (text, long) = (Value::from("written by a fuzz target"), Value::List(vec![Value::from("x".repeat(200).as_str()); 3]));
    for (place, value) in [
        ("attributes[\"fuzz\"]", &text),
        ("attributes[\"fuzz\"]", &long),
        ("attributes[\"map\"][\"of\"][\"maps\"]", &text),
        ("resource.attributes[\"service.name\"]", &text),
        ("scope.version", &text),
    ] {
        if item.set(&path(place), value).is_ok() {
            assert_eq!(item.get(&path(place)).as_ref(), Some(value), "{place}");
        }
    }
    let first = item.item().attributes().next().map(|attribute| attribute.key_text().replace('\\', "\\\\").replace('"', "\\\""));
    let first = path(&format!("attributes[\"{}\"]", first.unwrap_or_default()));
    if item.delete(&first).is_ok_and(|deleted| deleted) {
        assert_eq!(item.get(&first), None, "every attribute of the key is gone");
    }
    // Whatever stands there: a list grows, anything else refuses.
    let _ = item.append(&first, &text).and_then(|()| item.append(&path("resource.attributes[\"list\"]"), &text));
    let mut count = 0;
    item.rewrite_attributes(|attribute| {
        count += 1;
        match count % 3 {
            0 => Rewrite::Delete,
            1 => Rewrite::Set(attribute.value().to_value()),
            _ => Rewrite::Keep,
        }
    });
    item.item().attributes().for_each(|attribute| drop(attribute.value().to_value()));
}

/// Reads the bytes as a request in JSON, of every signal. What is accepted, prost can decode; written again and read again it is the same,
/// and nothing of it is rejected the second time.
pub fn json(data: &[u8]) {
    json_of::<ExportTraceServiceRequest>(Signal::Traces, data);
    json_of::<ExportLogsServiceRequest>(Signal::Logs, data);
    json_of::<ExportMetricsServiceRequest>(Signal::Metrics, data);
}

fn json_of<R: Message + Default>(signal: Signal, data: &[u8]) {
    let mut bytes = Vec::new();
    if to_protobuf(signal, data, &mut bytes).is_err() {
        assert!(bytes.is_empty(), "a refused request leaves nothing behind");
        return;
    }
    let (mut text, mut again) = (Vec::new(), Vec::new());
    assert_eq!(from_protobuf(signal, &bytes, &mut text), Ok(()));
    assert_eq!(to_protobuf(signal, &text, &mut again), Ok(Rejected::default()));
    // Compared as bytes, because NaN is not equal to itself.
    assert_eq!(decoded::<R>(&bytes).map(|first| first.encode_to_vec()), decoded::<R>(&again).map(|second| second.encode_to_vec()));
}

/// `None` for a map in a map in an exemplar, 32 levels of them: JSON reads it, the check on receipt would not let it in, and prost stops one short.
fn decoded<R: Message + Default>(bytes: &[u8]) -> Option<R> {
    match R::decode(bytes) {
        Ok(request) => Some(request),
        Err(error) if error.to_string().contains("recursion limit") => None,
        Err(error) => panic!("prost cannot decode what was written: {error}"),
    }
}

//! Edits drawn at random: paths of every shape, values that mostly fit where they are put, and sequences of both.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{Path, Signal, Value};
use super::model::{Change, Word};
use crate::testing::Dice;

/// A path: as text for the product, as words for the model.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) words: Vec<Word>,
}

/// One thing that is done to an item of a batch.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Read(Draft),
    Change(Draft, Change),
    /// The batch is split or copied: edits that lie over it are frozen into it.
    Freeze,
}

/// The values that fit a place.
#[derive(Clone, Copy)]
enum Fit {
    Truth,
    Small,
    Whole,
    Fraction,
    Text,
    TraceId,
    SpanId,
    Any,
    /// A map of any values.
    Map,
    /// A message with fields like these.
    Message(&'static [(&'static str, Fit)]),
    /// A list of what fits.
    List(&'static Fit),
}

use Fit::{Any, Fraction, List, Map, Message, Small, SpanId, Text, TraceId, Truth, Whole};

const STATUS: Fit = Message(&[("message", Text), ("code", Small)]);
const EVENT: Fit = Message(&[("time_unix_nano", Whole), ("name", Text), ("attributes", Map), ("dropped_attributes_count", Small)]);
const LINK: Fit = Message(&[("trace_id", TraceId), ("span_id", SpanId), ("trace_state", Text), ("attributes", Map), ("flags", Small)]);
const EXEMPLAR: Fit =
    Message(&[("time_unix_nano", Whole), ("as_double", Fraction), ("span_id", SpanId), ("as_int", Whole), ("filtered_attributes", Map)]);
const BUCKETS: Fit = Message(&[("offset", Small), ("bucket_counts", List(&Whole))]);
const QUANTILE: Fit = Message(&[("quantile", Fraction), ("value", Fraction)]);
const ENTITY: Fit = Message(&[("schema_url", Text), ("type", Text), ("id_keys", List(&Text)), ("description_keys", List(&Text))]);
const RESOURCE: Fit = Message(&[("attributes", Map), ("dropped_attributes_count", Small), ("entity_refs", List(&ENTITY))]);
const SCOPE: Fit = Message(&[("name", Text), ("version", Text), ("attributes", Map), ("dropped_attributes_count", Small)]);

/// Paths with what fits at their end. `#` stands for a number in brackets, `@` for a key, `*` for some of both or nothing.
type Template = (&'static str, Fit);

const OF_SPANS: &[Template] = &[
    ("attributes@*", Any),
    ("attributes@*", Any),
    ("attributes@*", Any),
    ("attributes", Map),
    ("trace_id", TraceId),
    ("span_id", SpanId),
    ("parent_span_id", SpanId),
    ("trace_state", Text),
    ("name", Text),
    ("kind", Small),
    ("start_time_unix_nano", Whole),
    ("end_time_unix_nano", Whole),
    ("dropped_attributes_count", Small),
    ("flags", Small),
    ("status", STATUS),
    ("status.code", Small),
    ("status.message", Text),
    ("events", List(&EVENT)),
    ("events", EVENT),
    ("events#", EVENT),
    ("events#.name", Text),
    ("events#.time_unix_nano", Whole),
    ("events#.attributes", Map),
    ("events#.attributes@*", Any),
    ("links", List(&LINK)),
    ("links", LINK),
    ("links#", LINK),
    ("links#.trace_id", TraceId),
    ("links#.span_id", SpanId),
    ("links#.flags", Small),
    ("links#.attributes@*", Any),
];

const OF_RECORDS: &[Template] = &[
    ("attributes@*", Any),
    ("attributes@*", Any),
    ("attributes", Map),
    ("body*", Any),
    ("body*", Any),
    ("body", Any),
    ("trace_id", TraceId),
    ("span_id", SpanId),
    ("severity_number", Small),
    ("severity_text", Text),
    ("event_name", Text),
    ("time_unix_nano", Whole),
    ("observed_time_unix_nano", Whole),
    ("dropped_attributes_count", Small),
    ("flags", Small),
];

const OF_POINTS: &[Template] = &[
    ("attributes@*", Any),
    ("attributes@*", Any),
    ("attributes@*", Any),
    ("attributes", Map),
    ("start_time_unix_nano", Whole),
    ("time_unix_nano", Whole),
    ("flags", Small),
    ("as_double", Fraction),
    ("as_int", Whole),
    ("exemplars", List(&EXEMPLAR)),
    ("exemplars", EXEMPLAR),
    ("exemplars#", EXEMPLAR),
    ("exemplars#.as_double", Fraction),
    ("exemplars#.as_int", Whole),
    ("exemplars#.span_id", SpanId),
    ("exemplars#.filtered_attributes@*", Any),
    ("count", Whole),
    ("sum", Fraction),
    ("min", Fraction),
    ("max", Fraction),
    ("bucket_counts", List(&Whole)),
    ("bucket_counts", Whole),
    ("bucket_counts#", Whole),
    ("explicit_bounds", List(&Fraction)),
    ("explicit_bounds#", Fraction),
    ("scale", Small),
    ("zero_count", Whole),
    ("zero_threshold", Fraction),
    ("positive", BUCKETS),
    ("positive.offset", Small),
    ("positive.bucket_counts", List(&Whole)),
    ("negative.bucket_counts", Whole),
    ("negative.bucket_counts#", Whole),
    ("quantile_values", List(&QUANTILE)),
    ("quantile_values", QUANTILE),
    ("quantile_values#", QUANTILE),
    ("quantile_values#.value", Fraction),
    ("metric.name", Text),
    ("metric.unit", Text),
    ("metric.metadata", Map),
    ("metric.metadata@*", Any),
    ("metric.aggregation_temporality", Small),
    ("metric.is_monotonic", Truth),
];

const OF_ALL: &[Template] = &[
    ("resource", RESOURCE),
    ("resource.schema_url", Text),
    ("resource.attributes", Map),
    ("resource.attributes@*", Any),
    ("resource.attributes@*", Any),
    ("resource.dropped_attributes_count", Small),
    ("resource.entity_refs", ENTITY),
    ("resource.entity_refs#.type", Text),
    ("resource.entity_refs#.id_keys", Text),
    ("resource.entity_refs#.description_keys#", Text),
    ("scope", SCOPE),
    ("scope.schema_url", Text),
    ("scope.name", Text),
    ("scope.version", Text),
    ("scope.attributes@*", Any),
];

/// The keys of the telemetry that is edited, and some that it never has.
const KEYS: [&str; 6] = ["service.name", "http.route", "k", "", "new", "say \"]\\"];

/// Up to so many steps over the items of a batch, each with the number of its item.
pub(super) fn steps(signal: Signal, most: usize) -> impl Strategy<Value = Vec<(usize, Step)>> {
    // A seed says everything, so that what shrinks is the number of steps.
    vec(any::<u64>().no_shrink(), 1..=most).prop_map(move |seeds| {
        let step = |seed: u64| {
            let dice = &mut Dice::new(seed);
            (dice.below(8), step(signal, dice))
        };
        seeds.into_iter().map(step).collect()
    })
}

fn step(signal: Signal, dice: &mut Dice) -> Step {
    let template = any_template(signal, dice);
    let draft = template.0;
    match dice.below(20) {
        0..3 => Step::Read(draft),
        3 => Step::Freeze,
        4..8 => Step::Change(draft, Change::Delete),
        8..12 => Step::Change(draft, Change::Append(fitting(template.1, dice))),
        _ => Step::Change(draft, Change::Set(fitting(template.1, dice))),
    }
}

/// A path into what a context holds, and a value to put there.
pub(super) fn shared(signal: Signal) -> impl Strategy<Value = (Draft, Value)> {
    let of_metrics = OF_POINTS.iter().filter(move |(text, _)| signal == Signal::Metrics && text.starts_with("metric."));
    let templates: Vec<Template> = OF_ALL.iter().chain(of_metrics).copied().collect();
    any::<u64>().no_shrink().prop_map(move |seed| {
        let dice = &mut Dice::new(seed);
        let (text, fit) = templates[dice.below(templates.len())];
        (draft(text, dice), fitting(fit, dice))
    })
}

fn any_template(signal: Signal, dice: &mut Dice) -> (Draft, Fit) {
    let own = match signal {
        Signal::Traces => OF_SPANS,
        Signal::Logs => OF_RECORDS,
        Signal::Metrics => OF_POINTS,
    };
    let templates = if dice.percent(75) { own } else { OF_ALL };
    let (text, fit) = templates[dice.below(templates.len())];
    (draft(text, dice), fit)
}

fn draft(template: &'static str, dice: &mut Dice) -> Draft {
    let mut draft = Draft { text: String::new(), words: Vec::new() };
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        match first {
            '#' => draft.index(dice),
            '@' => draft.key(dice),
            '*' => (0..dice.below(3)).for_each(|_| if dice.percent(60) { draft.key(dice) } else { draft.index(dice) }),
            '.' => draft.text.push('.'),
            _ => {
                let end = rest.find(['#', '@', '*', '.']).unwrap_or(rest.len());
                draft.text.push_str(&rest[..end]);
                draft.words.push(Word::Name(&rest[..end]));
                rest = &rest[end..];
                continue;
            }
        }
        rest = &rest[1..];
    }
    draft
}

impl Draft {
    /// The path as the product reads it.
    pub(super) fn path(&self, signal: Signal) -> Path {
        Path::parse(signal, &self.text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn index(&mut self, dice: &mut Dice) {
        let index = [0, 0, 0, 1, 1, 2, 7][dice.below(7)];
        self.text += &format!("[{index}]");
        self.words.push(Word::Index(index));
    }

    fn key(&mut self, dice: &mut Dice) {
        let key = dice.pick(&KEYS).to_owned();
        self.text += &format!("[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\""));
        self.words.push(Word::Key(key));
    }
}

/// A value that mostly fits.
fn fitting(fit: Fit, dice: &mut Dice) -> Value {
    if dice.percent(12) {
        return any_value(dice, 2);
    }
    match fit {
        Truth => Value::Bool(dice.percent(50)),
        Small => Value::Int([0, 1, 2, 17, 0x301, -1, i64::from(i32::MAX), i64::from(u32::MAX), 1 << 33][dice.below(9)]),
        Whole => Value::Int([0, 1, -1, 1_700_000_000_000_000_000, i64::MAX, i64::MIN][dice.below(6)]),
        Fraction => Value::Double([0.0, 0.5, -1e300][dice.below(3)]),
        Text => {
            Value::String(dice.pick(&["", "cart", "grüß", "a rather long text that takes more than the usual room there is"]).to_owned())
        }
        TraceId => id(16, dice),
        SpanId => id(8, dice),
        Any => any_value(dice, 2),
        Map => Value::Map((0..dice.below(4)).map(|_| (dice.pick(&KEYS).to_owned(), any_value(dice, 2))).collect()),
        Message(fields) => {
            let mut entries = Vec::new();
            for _ in 0..dice.below(4) {
                let (name, fit) = fields[dice.below(fields.len())];
                entries.push((name.to_owned(), fitting(fit, dice)));
            }
            if dice.percent(5) {
                entries.push(("no_such_field".to_owned(), Value::Empty));
            }
            Value::Map(entries)
        }
        List(fit) => Value::List((0..dice.below(4)).map(|_| fitting(*fit, dice)).collect()),
    }
}

fn id(length: usize, dice: &mut Dice) -> Value {
    Value::Bytes(match dice.below(6) {
        0 => Vec::new(),
        1 => vec![0; length],
        2 => dice.bytes(5),
        _ => dice.bytes(length),
    })
}

fn any_value(dice: &mut Dice, depth: u32) -> Value {
    let kinds = if depth == 0 { 6 } else { 9 };
    match dice.below(kinds) {
        0 => Value::Empty,
        1 => Value::Bool(dice.percent(50)),
        2 => Value::Int(dice.roll() as i64 >> dice.below(64)),
        3 => Value::Double([0.0, -0.5, 1e9][dice.below(3)]),
        4 => Value::String(dice.pick(&["", "cart", "grüß"]).to_owned()),
        5 => Value::Bytes([0, 1, 8, 16].map(|length| dice.bytes(length))[dice.below(4)].clone()),
        6 if dice.percent(10) => deep(25 + dice.below(10)),
        6 => Value::List((0..dice.below(3)).map(|_| any_value(dice, depth - 1)).collect()),
        _ => Value::Map((0..dice.below(3)).map(|_| (dice.pick(&KEYS).to_owned(), any_value(dice, depth - 1))).collect()),
    }
}

/// A value so many levels deep.
pub(super) fn deep(levels: usize) -> Value {
    (1..levels).fold(Value::from("deep down"), |inner, level| match level % 2 {
        0 => Value::List(vec![inner]),
        _ => Value::Map(vec![("k".to_owned(), inner)]),
    })
}

//! Well-typed expressions, and spans whose values are few enough that comparisons hold now and then.

use proptest::prelude::*;
use proptest::sample::select;

use crate::testing::otlp::{AnyValue, ArrayValue, ExportTraceServiceRequest, InstrumentationScope, KeyValue, KeyValueList, Resource};
use crate::testing::otlp::{ResourceSpans, ScopeSpans, Span, Status, Value};

const KEYS: [&str; 5] = ["a", "b", "http.route", "k", "long.key.of.an.attribute"];
const TEXTS: [&str; 6] = ["", "a", "GET /user/17", "GET /", "ab", "grüße"];
const PATTERNS: [&str; 7] = ["^GET", "^a$", "a", "[0-9]+$", "^$", "b$", "^GET .*"];

fn text() -> BoxedStrategy<String> {
    select(TEXTS.to_vec()).prop_map(str::to_owned).boxed()
}

/// A value of an attribute.
fn any_value() -> BoxedStrategy<AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|truth| Some(Value::BoolValue(truth))),
        (-2..4i64).prop_map(|number| Some(Value::IntValue(number))),
        select(vec![0.5, 1.0, 2.0, -1.0, 0.0]).prop_map(|number| Some(Value::DoubleValue(number))),
        select(vec![vec![], vec![1], vec![2, 255]]).prop_map(|bytes| Some(Value::BytesValue(bytes))),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|values| AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) }),
            attributes_of(inner).prop_map(|values| AnyValue { value: Some(Value::KvlistValue(KeyValueList { values })) }),
        ]
    })
    .boxed()
}

fn attributes_of(value: impl Strategy<Value = AnyValue> + 'static) -> BoxedStrategy<Vec<KeyValue>> {
    let entry = (select(KEYS.to_vec()), value);
    let entry = entry.prop_map(|(key, value)| KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() });
    prop::collection::vec(entry, 0..5).boxed()
}

fn span() -> BoxedStrategy<Span> {
    let ids = (any::<bool>(), select(vec!["", "k=v", "a=1,k=w"]));
    let numbers = (0..7i32, 0..3i32, 0..3u32, 0..4u64, 0..4u64);
    (text(), attributes_of(any_value()), ids, numbers, prop::option::of(text()))
        .prop_map(|(name, attributes, (is_root, state), (kind, code, dropped, start, length), message)| Span {
            trace_id: vec![7; 16],
            span_id: vec![1; 8],
            parent_span_id: if is_root { vec![] } else { vec![9; 8] },
            trace_state: state.to_owned(),
            name,
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: start + length,
            attributes,
            dropped_events_count: dropped,
            status: message.map(|message| Status { message, code }),
            ..Span::default()
        })
        .boxed()
}

/// A request of two resources with up to two spans each, whose ids are their numbers.
pub(super) fn requests() -> BoxedStrategy<ExportTraceServiceRequest> {
    let group = (attributes_of(any_value()), attributes_of(any_value()), text(), prop::collection::vec(span(), 1..3));
    let group = group.prop_map(|(attributes, of_scope, name, spans)| ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans {
            scope: Some(InstrumentationScope { name, attributes: of_scope, ..InstrumentationScope::default() }),
            spans,
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    });
    prop::collection::vec(group, 1..3)
        .prop_map(|mut resource_spans| {
            let spans = resource_spans.iter_mut().flat_map(|one| &mut one.scope_spans).flat_map(|one| &mut one.spans);
            spans.zip(1..).for_each(|(span, number)| span.span_id = vec![number; 8]);
            ExportTraceServiceRequest { resource_spans }
        })
        .boxed()
}

/// A path to a value of any type.
fn place() -> BoxedStrategy<String> {
    let of = select(vec!["attributes", "span.attributes", "attributes", "resource.attributes", "scope.attributes"]);
    let deeper = prop_oneof![
        4 => Just(String::new()),
        1 => select(KEYS.to_vec()).prop_map(|key| format!("[\"{key}\"]")),
        1 => (0..2usize).prop_map(|index| format!("[{index}]")),
    ];
    (of, select(KEYS.to_vec()), deeper).prop_map(|(of, key, deeper)| format!("{of}[\"{key}\"]{deeper}")).boxed()
}

fn quoted(texts: &[&'static str]) -> BoxedStrategy<String> {
    select(texts.to_vec()).prop_map(|text| format!("\"{text}\"")).boxed()
}

fn words(words: &[&'static str]) -> BoxedStrategy<String> {
    select(words.to_vec()).prop_map(str::to_owned).boxed()
}

fn texts() -> BoxedStrategy<String> {
    prop_oneof![
        quoted(&TEXTS),
        words(&[
            "name",
            "span.name",
            "kind.string",
            "status.message",
            "trace_state",
            "trace_state[\"k\"]",
            "parent_span_id.string",
            "scope.name"
        ]),
        place(),
    ]
    .boxed()
}

fn numbers() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        words(&["0", "1", "2", "-1", "0.5", "2.0", "SPAN_KIND_SERVER", "STATUS_CODE_ERROR"]),
        words(&["kind", "status.code", "dropped_events_count", "start_time_unix_nano"]),
        place(),
        texts().prop_map(|text| format!("Len({text})")),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), select(vec!["+", "-", "*", "/"]), inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), select(vec!["+", "-", "*"]), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
    .boxed()
}

fn durations() -> BoxedStrategy<String> {
    prop_oneof![Just("end_time - start_time".to_owned()), Just("start_time - end_time + (end_time - start_time)".to_owned())].boxed()
}

fn times() -> BoxedStrategy<String> {
    prop_oneof![
        words(&["start_time", "end_time", "span.start_time"]),
        durations().prop_map(|duration| format!("start_time + ({duration})")),
    ]
    .boxed()
}

fn values() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        place(),
        texts(),
        numbers(),
        words(&["nil", "true", "false", "0x01", "0x02ff", "trace_id", "parent_span_id", "attributes"])
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|values| format!("[{}]", values.join(", "))),
            (select(KEYS.to_vec()), inner).prop_map(|(key, value)| format!("{{\"{key}\": {value}}}")),
        ]
    })
    .boxed()
}

/// A condition of the context span.
pub(super) fn conditions() -> BoxedStrategy<String> {
    let op = || select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let compared = |side: BoxedStrategy<String>| (side.clone(), op(), side).prop_map(|(a, op, b)| format!("{a} {op} {b}"));
    let leaf = prop_oneof![
        4 => compared(values()),
        3 => compared(numbers()),
        3 => compared(texts()),
        1 => compared(times()),
        1 => compared(durations()),
        2 => (texts(), quoted(&PATTERNS)).prop_map(|(text, pattern)| format!("IsMatch({text}, {pattern})")),
        1 => (values(), words(&["IsString", "IsInt", "IsDouble", "IsBool", "IsMap", "IsList"])).prop_map(|(value, is)| format!("{is}({value})")),
        1 => words(&["true", "false", "IsRootSpan()"]),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|test| format!("not ({test})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|tests| tests.join(" and ")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|tests| tests.join(" or ")),
            prop::collection::vec(inner, 2..3).prop_map(|tests| format!("({})", tests.join(" or "))),
        ]
    })
    .boxed()
}

fn replacements() -> BoxedStrategy<String> {
    let target = prop_oneof![2 => place(), 2 => words(&["name"]), 1 => words(&["status.message", "scope.name"])];
    (target, quoted(&PATTERNS), quoted(&TEXTS))
        .prop_map(|(target, pattern, with)| format!("replace_pattern({target}, {pattern}, {with})"))
        .boxed()
}

/// A statement that always makes the same edit: of such several are made at once.
pub(super) fn plain_statements() -> BoxedStrategy<String> {
    let key = || select(KEYS.to_vec());
    let constant = prop_oneof![quoted(&TEXTS), words(&["1", "-0.5", "true", "nil", "[1, \"a\"]", "{\"k\": [true]}"])];
    prop_oneof![
        (key(), constant).prop_map(|(key, value)| format!("set(attributes[\"{key}\"], {value})")),
        key().prop_map(|key| format!("delete_key(attributes, \"{key}\")")),
        replacements(),
    ]
    .boxed()
}

/// A statement of the context span.
pub(super) fn statements() -> BoxedStrategy<String> {
    let target =
        prop_oneof![4 => place(), 1 => words(&["name", "kind", "status.message", "start_time", "dropped_events_count", "scope.name"])];
    let maps = prop_oneof![3 => words(&["attributes", "resource.attributes", "scope.attributes"]), 1 => place()];
    let set = (target, prop_oneof![values(), numbers(), texts(), times()]).prop_map(|(target, value)| format!("set({target}, {value})"));
    let delete = (maps, select(KEYS.to_vec())).prop_map(|(map, key)| format!("delete_key({map}, \"{key}\")"));
    let editor = prop_oneof![3 => set, 1 => delete, 1 => replacements()];
    (editor, prop::option::of(conditions()))
        .prop_map(|(editor, condition)| condition.map_or(editor.clone(), |condition| format!("{editor} where {condition}")))
        .boxed()
}

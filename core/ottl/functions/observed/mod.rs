//! What a real Collector gives for a thousand expressions, and that it is given here.
//!
//! Each line of the lists beside this file is an expression, or an editor's statements, and what contrib 0.161 made of it on one span: a value, what
//! became of the span, `error` when it was run, or `refused` when it was read. Behind `| ours:` stands what is made of it here where that differs on
//! purpose; the [README](../README.md) says why.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Parameter, converters, editors};
use crate::config::ConfigErrors;
use crate::ledger::Fate;
use crate::ottl::{Contexts, ErrorMode, GroupText, Statements};
use crate::telemetry::{Decoded, Signal};
use crate::testing::otlp::{AnyValue, ExportTraceServiceRequest, KeyValue, Span, SpanKind};
use crate::testing::{Inlet, IntoValue, attribute, bytes, list, map, span, traces};
use opentelemetry_proto::tonic::common::v1::any_value::Value;

const LISTS: [(&str, &str); 7] = [
    ("conversions", include_str!("conversions.txt")),
    ("editors", include_str!("editors.txt")),
    ("hashes", include_str!("hashes.txt")),
    ("lists", include_str!("lists.txt")),
    ("parsing", include_str!("parsing.txt")),
    ("text", include_str!("text.txt")),
    ("time", include_str!("time.txt")),
];

/// The span that all of it was tried on.
fn sample() -> ExportTraceServiceRequest {
    let attributes = vec![
        attribute("s", "Hello World"),
        attribute("empty", ""),
        attribute("i", 42),
        attribute("neg", -7),
        attribute("d", 2.75),
        attribute("whole", 3.0),
        attribute("b", true),
        attribute("off", false),
        attribute("raw", bytes([0x01, 0xff])),
        attribute("l", list(["a", "b", "c"])),
        attribute("nums", list([3, 1, 2])),
        attribute("mixed", list([1.into_value(), "a".into_value(), 2.5.into_value(), true.into_value()])),
        attribute(
            "m",
            map([("k", "v".into_value()), ("n", 1.into_value()), ("deep", map([("z", 3.into_value()), ("w", "x".into_value())]))]),
        ),
        attribute(
            "rows",
            list([("x", 1), ("y", 2)].map(|(name, value)| map([("name", name.into_value()), ("value", value.into_value())]))),
        ),
        KeyValue { value: Some(AnyValue { value: None }), ..attribute("nul", "") },
        attribute("uni", "aéb€𝄞"),
        attribute("j", "{\"a\": 1, \"b\": [true, null]}"),
        attribute("re", "(?P<num>[0-9]+)"),
        attribute("bad", "("),
        attribute("url", "/users/123/orders/456"),
        attribute("num", "42"),
        attribute("word", "lower"),
    ];
    let span = span("GET /users/123").id(0xb7ad_6b71_6920_3331_u64).kind(SpanKind::Server);
    let span = span.times_nanos(1_700_000_000_123_456_789, 1_700_000_001_500_000_000).status_error("boom");
    traces([span.change(|span| {
        span.trace_id = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes().to_vec();
        span.attributes = attributes;
    })])
}

fn first(request: &ExportTraceServiceRequest) -> &Span {
    &request.resource_spans[0].scope_spans[0].spans[0]
}

/// A line of an editor, or of some.
fn is_edit(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_lowercase())
}

/// What is made of a line here, in the lists' own words.
fn made(line: &str) -> String {
    let texts: Vec<String> =
        if is_edit(line) { line.split(" ;; ").map(str::to_owned).collect() } else { vec![format!("set(attributes[\"r\"], {line})")] };
    let mut errors = ConfigErrors::default();
    let group = GroupText { context: Some("span"), conditions: ("conditions", &[]), statements: ("statements", &texts) };
    let Some(mut group) = Statements::read(&mut errors, &Contexts::of(Signal::Traces), &group, ErrorMode::Propagate) else {
        return "refused".to_owned();
    };
    let mut inlet = Inlet::new();
    let mut batch = inlet.receive(sample());
    let outcome = group.run(&mut batch, inlet.clock());
    let Ok(Decoded::Traces(changed)) = Decoded::decode(Signal::Traces, &batch.to_bytes()) else { panic!("what is emitted decodes") };
    batch.settle(Fate::Delivered);
    match (outcome, is_edit(line)) {
        (Err(_), _) => "error".to_owned(),
        (Ok(()), true) => difference(first(&sample()), first(&changed)),
        (Ok(()), false) => {
            first(&changed).attributes.iter().find(|a| a.key == "r").map_or("absent".to_owned(), |a| shown(a.value.as_ref()))
        }
    }
}

fn difference(before: &Span, after: &Span) -> String {
    let mut told = vec![];
    if before.name != after.name {
        told.push(format!("name = {}", quoted(&after.name)));
    }
    let (status, changed) = (before.status.clone().unwrap_or_default(), after.status.clone().unwrap_or_default());
    if status != changed && changed.message.is_empty() {
        told.push(format!("status = {{\"code\": {}}}", changed.code));
    } else if status != changed {
        told.push(format!("status = {{\"message\": {}, \"code\": {}}}", quoted(&changed.message), changed.code));
    }
    if before.kind != after.kind {
        told.push(format!("kind = {}", after.kind));
    }
    let has = |span: &Span, key: &str| span.attributes.iter().any(|attribute| attribute.key == key);
    let (kept, gone): (Vec<&str>, Vec<&str>) = before.attributes.iter().map(|a| a.key.as_str()).partition(|key| has(after, key));
    if gone.len() > kept.len() {
        told.push(format!("only {}", kept.join(" ")).trim_end().to_owned());
    } else if !gone.is_empty() {
        told.push(format!("without {}", gone.join(" ")));
    }
    for attribute in &after.attributes {
        let known = before.attributes.iter().find(|known| known.key == attribute.key);
        if known.is_none_or(|known| known.value != attribute.value) {
            told.push(format!("{} = {}", attribute.key, shown(attribute.value.as_ref())));
        }
    }
    if told.is_empty() { "as it was".to_owned() } else { told.join("; ") }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f")
}

/// Maps by key, since the Collector's own have no order.
fn shown(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        None => "nil".to_owned(),
        Some(Value::StringValue(text)) => quoted(text),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => real(*number),
        Some(Value::BytesValue(bytes)) => bytes.iter().fold("0x".to_owned(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        }),
        Some(Value::ArrayValue(list)) => {
            format!("[{}]", list.values.iter().map(|value| shown(Some(value))).collect::<Vec<_>>().join(", "))
        }
        Some(Value::KvlistValue(map)) => {
            let mut entries: Vec<_> = map.values.iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            let entry = |entry: &KeyValue| format!("{}: {}", quoted(&entry.key), shown(entry.value.as_ref()));
            format!("{{{}}}", entries.into_iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Some(other) => format!("{other:?}"),
    }
}

/// As the lists have it: with a point or an exponent always.
fn real(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let text = format!("{number:?}");
    // Exponents have a sign and two digits there.
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

/// The expression of a line, and what is to be made of it.
fn split(line: &str) -> (&str, &str) {
    let (expression, told) = line.rsplit_once("  =>  ").unwrap_or_else(|| panic!("no arrow in {line}"));
    (expression, told.rsplit_once("  |  ours: ").map_or(told, |(_, ours)| ours))
}

/// Whether nothing of the span is looked at.
fn is_known(expression: &str) -> bool {
    let looks = |name: &&str| expression.contains(*name);
    !is_edit(expression) && !["attributes", "_time", "_id", "kind", "events", "name)"].iter().any(looks)
}

#[test]
fn functions_give_what_the_collector_gives() {
    let mut wrong = String::new();
    let mut tried = 0;
    for (name, lines) in LISTS {
        for line in lines.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (expression, told) = split(line);
            let made = made(expression);
            tried += 1;
            // What goes wrong with literals alone is told when it is read.
            let is_early = made == "refused" && told == "error" && is_known(expression);
            if made != told && !is_early {
                writeln!(wrong, "{name}: {expression}\n    told {told}\n    made {made}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(tried > 1_000, "only {tried} lines");
}

/// Every function has lines of its own, with more than one outcome where it can fail.
#[test]
fn every_function_was_observed() {
    let headings: BTreeSet<&str> = LISTS.iter().flat_map(|(_, lines)| lines.lines()).filter_map(|line| line.strip_prefix("# ")).collect();
    let functions: BTreeSet<&str> = converters().map(|f| f.name).chain(editors().map(|f| f.name)).collect();
    // A condition on a metric asks for its points, and a span has none.
    let elsewhere = BTreeSet::from(["HasAttrKeyOnDatapoint", "HasAttrOnDatapoint"]);
    let expected: BTreeSet<&str> = functions.difference(&elsewhere).copied().collect();
    assert_eq!(headings, expected);
}

/// How a function is called: `truncate_all(target, limit[, utf8_safe])`.
fn signature(name: &str, parameters: &[Parameter]) -> String {
    let mut text = format!("{name}(");
    for (place, parameter) in parameters.iter().enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        text += &if parameter.is_needed { format!("{comma}{}", parameter.name) } else { format!("[{comma}{}]", parameter.name) };
    }
    text + ")"
}

#[test]
fn the_readme_lists_every_function() {
    let rows = include_str!("../README.md").lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: BTreeSet<String> = rows.map(|(call, _)| call.to_owned()).collect();
    let calls = converters().map(|f| signature(f.name, f.parameters)).chain(editors().map(|f| signature(f.name, f.parameters)));
    assert_eq!(listed, calls.collect());
}

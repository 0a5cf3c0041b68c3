//! Requests compared by what they mean, and shown line by line where they differ.

use serde_json::{Map, Value};

use crate::telemetry::{Signal, json};

/// The request as text in which only meaning counts: groups merged and sorted, spans by their ids, attributes by their keys.
pub(super) fn canonical(signal: Signal, request: &[u8]) -> String {
    let mut text = Vec::new();
    json::from_protobuf(signal, request, &mut text).unwrap_or_else(|error| panic!("what was sent is no OTLP: {error}"));
    let mut value: Value = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("what was sent is no JSON: {error}"));
    let (resources, scopes, items) = match signal {
        Signal::Traces => ("resourceSpans", "scopeSpans", "spans"),
        Signal::Logs => ("resourceLogs", "scopeLogs", "logRecords"),
        Signal::Metrics => ("resourceMetrics", "scopeMetrics", "metrics"),
    };
    sort_attributes(&mut value);
    if let Some(groups) = value.get_mut(resources).and_then(Value::as_array_mut) {
        merge(groups, scopes);
        for scopes in groups.iter_mut().filter_map(|group| group.get_mut(scopes)).filter_map(Value::as_array_mut) {
            merge(scopes, items);
            scopes
                .iter_mut()
                .filter_map(|scope| scope.get_mut("spans"))
                .filter_map(Value::as_array_mut)
                .for_each(|spans| sort_spans(spans));
        }
    }
    format!("{value:#}")
}

/// Groups that differ in nothing but their list become one, and they stand in the order of what they have in common.
fn merge(groups: &mut Vec<Value>, list: &str) {
    let mut merged: Vec<(Map<String, Value>, Vec<Value>)> = Vec::new();
    for group in std::mem::take(groups) {
        let Value::Object(mut group) = group else { continue };
        let items = match group.remove(list) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        match merged.iter_mut().find(|(known, _)| *known == group) {
            Some((_, known)) => known.extend(items),
            None => merged.push((group, items)),
        }
    }
    merged.sort_by_cached_key(|(group, _)| Value::Object(group.clone()).to_string());
    groups.extend(merged.into_iter().map(|(mut group, items)| {
        group.insert(list.to_owned(), Value::Array(items));
        Value::Object(group)
    }));
}

fn sort_spans(spans: &mut [Value]) {
    spans.sort_by_cached_key(|span| ["traceId", "spanId", "name"].map(|key| span.get(key).map(Value::to_string)));
}

/// Every list of keys and values, however deep. Of a key given twice, the order stays: the first one counts.
fn sort_attributes(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(sort_attributes),
        Value::Object(fields) => {
            fields.values_mut().for_each(sort_attributes);
            for list in ["attributes", "filteredAttributes", "metadata"] {
                sort_by_key(fields.get_mut(list));
            }
            sort_by_key(fields.get_mut("kvlistValue").and_then(|map| map.get_mut("values")));
        }
        _ => {}
    }
}

fn sort_by_key(list: Option<&mut Value>) {
    if let Some(Value::Array(entries)) = list {
        entries.sort_by_cached_key(|entry| entry.get("key").map(Value::to_string));
    }
}

/// Both texts in one, line by line: `-` before what only the first has, `+` before what only the second has.
pub(super) fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let common = common_lengths(&old, &new);
    let (mut at_old, mut at_new) = (0, 0);
    let mut out = String::new();
    while at_old < old.len() || at_new < new.len() {
        let (mark, line) = if at_old < old.len() && at_new < new.len() && old[at_old] == new[at_new] {
            at_new += 1;
            (' ', old[at_old])
        } else if at_new == new.len() || (at_old < old.len() && common[at_old + 1][at_new] >= common[at_old][at_new + 1]) {
            ('-', old[at_old])
        } else {
            at_new += 1;
            ('+', new[at_new - 1])
        };
        at_old += usize::from(mark != '+');
        out.push(mark);
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// How many lines the rests of both texts have in common, from every pair of places on.
fn common_lengths(old: &[&str], new: &[&str]) -> Vec<Vec<u32>> {
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for at_old in (0..old.len()).rev() {
        for at_new in (0..new.len()).rev() {
            common[at_old][at_new] = if old[at_old] == new[at_new] {
                common[at_old + 1][at_new + 1] + 1
            } else {
                common[at_old + 1][at_new].max(common[at_old][at_new + 1])
            };
        }
    }
    common
}

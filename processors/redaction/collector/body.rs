//! Bodies of log records: every level of a map has the allow-list, and every leaf is looked at, whatever its type.

use std::borrow::Cow;

use tracetailor_core::telemetry::{Value, ValueRef};

use super::summary::as_text;
use super::{Collector, Tally, Verdict, url};

/// The body as it is to be, where that is another.
pub(super) fn redacted(collector: &Collector, value: ValueRef<'_>, tally: &mut Tally) -> Option<Value> {
    match value {
        ValueRef::Map(_) | ValueRef::List(_) => inside(collector, value, "", tally),
        _ => {
            let before = as_text(value);
            if collector.allowed_values.iter().any(|pattern| pattern.is_match(&before)) {
                return None;
            }
            masked(collector, before, "body", tally)
        }
    }
}

fn inside(collector: &Collector, value: ValueRef<'_>, path: &str, tally: &mut Tally) -> Option<Value> {
    match value {
        ValueRef::Map(map) => {
            let mut is_changed = false;
            let mut entries = Vec::new();
            for entry in map.iter() {
                let key = entry.key_text();
                let path = below(path, &key);
                if collector.is_ignored(entry.key) {
                    tally.note_in_body(&path, &Verdict::Ignored);
                } else if !collector.is_allowed(entry.key) {
                    tally.note_in_body(&path, &Verdict::NotAllowed);
                    is_changed = true;
                    continue;
                } else if collector.is_blocked(entry.key) {
                    let verdict = Verdict::Masked(collector.masking.lines(&as_text(entry.value())));
                    tally.note_in_body(&path, &verdict);
                    if let Verdict::Masked(text) = verdict {
                        entries.push((key.into_owned(), Value::String(text)));
                        is_changed = true;
                        continue;
                    }
                } else if let Some(changed) = inside(collector, entry.value(), &path, tally) {
                    entries.push((key.into_owned(), changed));
                    is_changed = true;
                    continue;
                }
                entries.push((key.into_owned(), entry.value().to_value()));
            }
            is_changed.then_some(Value::Map(entries))
        }
        ValueRef::List(list) => {
            let mut is_changed = false;
            let mut values = Vec::new();
            for (index, value) in list.iter().enumerate() {
                let changed = inside(collector, value, &below(path, &format!("[{index}]")), tally);
                is_changed |= changed.is_some();
                values.push(changed.unwrap_or_else(|| value.to_value()));
            }
            is_changed.then_some(Value::List(values))
        }
        _ => {
            let before = as_text(value);
            if collector.allowed_values.iter().any(|pattern| pattern.is_match(&before)) {
                tally.note_in_body(path, &Verdict::Allowed);
                return None;
            }
            masked(collector, before, path, tally)
        }
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A leaf, with all that is blocked in it masked and every sanitizer that is on applied: a body does not say what it holds.
fn masked(collector: &Collector, before: String, path: &str, tally: &mut Tally) -> Option<Value> {
    let mut after = collector.without_blocked(&Cow::Borrowed(before.as_str()), &|_, _| true).into_owned();
    if collector.urls.is_some() {
        after = url::clustered(&after);
    }
    after = collector.databases.body(&after);
    if after == before {
        return None;
    }
    tally.note_in_body(path, &Verdict::Masked(String::new()));
    Some(Value::String(after))
}

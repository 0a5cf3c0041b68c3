//! The attributes that tell what was redacted, beside it.

use tracetailor_core::attributes::text;
use tracetailor_core::telemetry::{Attribute, Value, ValueRef};

use super::{Summary, Verdict};

/// Those that an allow-list lets pass, because an earlier stage may have written them.
pub(super) const PASSING: [&str; 5] =
    ["redaction.redacted.keys", "redaction.redacted.count", "redaction.masked.keys", "redaction.masked.count", "redaction.ignored.count"];

const KINDS: [Kind; 8] = [
    Kind { keys: Some("redaction.redacted.keys"), count: "redaction.redacted.count" },
    Kind { keys: Some("redaction.masked.keys"), count: "redaction.masked.count" },
    Kind { keys: Some("redaction.allowed.keys"), count: "redaction.allowed.count" },
    Kind { keys: None, count: "redaction.ignored.count" },
    Kind { keys: Some("redaction.body.redacted.keys"), count: "redaction.body.redacted.count" },
    Kind { keys: Some("redaction.body.masked.keys"), count: "redaction.body.masked.count" },
    Kind { keys: Some("redaction.body.allowed.keys"), count: "redaction.body.allowed.count" },
    Kind { keys: None, count: "redaction.body.ignored.count" },
];
/// Where the kinds of bodies begin.
const BODY: usize = 4;

struct Kind {
    keys: Option<&'static str>,
    count: &'static str,
}

/// What was seen of one set of attributes, and of the body beside it.
#[derive(Clone, Debug, Default)]
pub(in crate::redaction) struct Tally {
    seen: [Vec<String>; 8],
    /// What an earlier stage wrote, and must be added to.
    earlier: Vec<(String, Value)>,
}

impl Tally {
    /// Notes what became of an attribute.
    pub(in crate::redaction) fn note(&mut self, key: &str, verdict: &Verdict) {
        self.note_as(0, key, verdict);
    }

    /// Notes what became of something in a body.
    pub(super) fn note_in_body(&mut self, key: &str, verdict: &Verdict) {
        self.note_as(BODY, key, verdict);
    }

    fn note_as(&mut self, offset: usize, key: &str, verdict: &Verdict) {
        let kind = match verdict {
            Verdict::NotAllowed => 0,
            Verdict::Masked(_) => 1,
            Verdict::Allowed => 2,
            Verdict::Ignored => 3,
            Verdict::Unharmed => return,
        };
        self.seen[offset + kind].push(key.to_owned());
    }

    /// Takes an attribute that an earlier stage wrote, and says whether it was one: it is written anew at the end.
    pub(in crate::redaction) fn takes(&mut self, attribute: &Attribute<'_>, value: Option<String>) -> bool {
        let is_ours = KINDS
            .iter()
            .any(|kind| kind.count.as_bytes() == attribute.key || kind.keys.is_some_and(|keys| keys.as_bytes() == attribute.key));
        if is_ours {
            let value = value.map_or_else(|| attribute.value().to_value(), Value::String);
            self.earlier.push((attribute.key_text().into_owned(), value));
        }
        is_ours
    }

    /// The attributes that tell of it. What was told before is added to.
    pub(in crate::redaction) fn attributes(&mut self, summary: Summary) -> Vec<(String, Value)> {
        let mut told = std::mem::take(&mut self.earlier);
        for (kind, mut seen) in KINDS.iter().zip(std::mem::take(&mut self.seen)) {
            if seen.is_empty() || summary == Summary::Silent {
                continue;
            }
            let count = seen.len() as i64;
            if let (Some(key), Summary::Debug) = (kind.keys, summary) {
                if let Some(Value::String(earlier)) = take(&mut told, key).filter(|value| *value != Value::from("")) {
                    seen.extend(earlier.split(',').map(str::to_owned));
                }
                seen.sort();
                told.push((key.to_owned(), Value::String(seen.join(","))));
            }
            let earlier = match take(&mut told, kind.count) {
                Some(Value::Int(earlier)) => earlier,
                _ => 0,
            };
            told.push((kind.count.to_owned(), Value::Int(count.saturating_add(earlier))));
        }
        told
    }
}

fn take(told: &mut Vec<(String, Value)>, key: &str) -> Option<Value> {
    let at = told.iter().position(|(other, _)| other == key)?;
    Some(told.remove(at).1)
}

/// The text of anything.
pub(super) fn as_text(value: ValueRef<'_>) -> String {
    text(value)
}

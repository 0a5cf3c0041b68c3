//! Chance that everybody agrees on: 56 bits of randomness that a trace has, thresholds that it must reach, and both in the trace state.
//!
//! OpenTelemetry writes them as `ot=rv:…;th:…`. A span that was kept at a threshold stands for 2⁵⁶ / (2⁵⁶ − threshold) spans, and whoever
//! counts spans later reads that there. So what cannot be said honestly is taken away.

use std::borrow::Cow;

use tracetailor_core::component::Threshold;
use tracetailor_core::telemetry::TraceId;

use super::trace_state::members;

/// How probable it was that a trace is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chance {
    /// As probable as this threshold makes it; with [`Threshold::ALWAYS`], certain.
    Known(Threshold),
    /// Nobody can say.
    Unknown,
}

impl Chance {
    /// No chance was involved.
    pub(super) const CERTAIN: Chance = Chance::Known(Threshold::ALWAYS);

    /// Of two that would each have kept it: the trace was as probable as with the more generous of them. One that cannot say does no harm.
    pub(super) fn or(self, other: Chance) -> Chance {
        match (self, other) {
            (Chance::Known(one), Chance::Known(other)) => Chance::Known(one.min(other)),
            (Chance::Known(known), Chance::Unknown) | (Chance::Unknown, Chance::Known(known)) => Chance::Known(known),
            (Chance::Unknown, Chance::Unknown) => Chance::Unknown,
        }
    }

    /// Of two that both had to keep it.
    pub(super) fn and(self, other: Chance) -> Chance {
        match (self, other) {
            (Chance::Known(one), Chance::Known(other)) => Chance::Known(one.max(other)),
            _ => Chance::Unknown,
        }
    }

    /// As a note for late spans.
    pub(super) fn note(self) -> u64 {
        match self {
            Chance::Known(threshold) => threshold.get(),
            Chance::Unknown => UNKNOWN,
        }
    }

    /// Back from a note.
    pub(super) fn of_note(note: u64) -> Chance {
        if note == UNKNOWN { Chance::Unknown } else { Chance::Known(Threshold::new(note)) }
    }

    /// For how many one stands.
    pub(super) fn weight(self) -> Option<f64> {
        match self {
            Chance::Known(threshold) => Some(1.0 / threshold.share()),
            Chance::Unknown => None,
        }
    }
}

/// In a note: no threshold is so large.
const UNKNOWN: u64 = u64::MAX;

/// The randomness of a trace of which no span states any: the low 56 bits of its id.
pub(super) fn of_id(trace: TraceId) -> u64 {
    trace.0[9..].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

/// The randomness that a span states, if it does and the statement is in order.
pub(super) fn stated(state: &[u8]) -> Option<u64> {
    if state.is_empty() {
        return None;
    }
    let state = std::str::from_utf8(state).ok()?;
    let (_, ot) = members(state)?.into_iter().find(|(key, _)| *key == "ot")?;
    let digits = subkey(ot, "rv")?;
    (digits.len() == DIGITS && is_hex(digits)).then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

/// A trace state that breaks the rules: it is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What becomes of a span's trace state when it was kept at this chance; nothing where it stays as it is.
///
/// A threshold is only ever raised: one that is stricter was set before, and still holds. A certain keep says nothing about it.
pub(super) fn stamped(state: &str, chance: Chance, randomness: u64) -> Result<Option<String>, Unreadable> {
    let members = members(state).ok_or(Unreadable)?;
    let ot = members.iter().find(|(key, _)| *key == "ot").map_or("", |(_, ot)| *ot);
    let stands = subkey(ot, "th").and_then(threshold_of);
    let wanted = match (chance, stands) {
        // What was kept before although it should not have been says nothing that is true.
        (Chance::Known(_), Some(stands)) if !stands.keeps(randomness) => None,
        (Chance::Known(threshold), stands) => Some(stands.map_or(threshold, |stands| stands.max(threshold))),
        (Chance::Unknown, _) => None,
    };
    let is_news = match (wanted, stands) {
        (None, None) | (Some(Threshold::ALWAYS), None) => false,
        (wanted, stands) => wanted != stands,
    };
    if !is_news {
        return Ok(None);
    }
    Ok(Some(with_threshold(&members, ot, wanted)))
}

/// `ot` comes first, and in it the randomness, the threshold and the rest.
fn with_threshold(members: &[(&str, &str)], ot: &str, threshold: Option<Threshold>) -> String {
    let mut keys: Vec<Cow<'_, str>> = Vec::new();
    let rest = |prefix: &str| ot.split(';').filter(|key| !key.is_empty()).find(|key| key.starts_with(prefix)).map(Cow::Borrowed);
    keys.extend(rest("rv:"));
    keys.extend(threshold.map(|threshold| Cow::Owned(format!("th:{}", digits(threshold)))));
    let others = ot.split(';').filter(|key| !key.is_empty() && !key.starts_with("rv:") && !key.starts_with("th:"));
    keys.extend(others.map(Cow::Borrowed));
    let mut all = Vec::with_capacity(members.len() + 1);
    if !keys.is_empty() {
        all.push(format!("ot={}", keys.join(";")));
    }
    all.extend(members.iter().filter(|(key, _)| *key != "ot").map(|(key, value)| format!("{key}={value}")));
    all.join(",")
}

/// A threshold as it is written: hexadecimal, without the zeros at its end.
pub(super) fn digits(threshold: Threshold) -> String {
    let all = format!("{:014x}", threshold.get());
    match all.trim_end_matches('0') {
        "" => "0".to_owned(),
        short => short.to_owned(),
    }
}

const DIGITS: usize = 14;

fn threshold_of(digits: &str) -> Option<Threshold> {
    let fits = (1..=DIGITS).contains(&digits.len()) && is_hex(digits);
    let number = fits.then(|| u64::from_str_radix(digits, 16).ok()).flatten()?;
    Some(Threshold::new(number << (4 * (DIGITS - digits.len()))))
}

fn is_hex(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn subkey<'a>(ot: &'a str, wanted: &str) -> Option<&'a str> {
    ot.split(';').filter_map(|key| key.split_once(':')).find(|(key, _)| *key == wanted).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(number: u64) -> Chance {
        Chance::Known(Threshold::new(number))
    }

    const HALF: u64 = 1 << 55;

    #[test]
    fn randomness_is_stated_or_that_of_the_id() {
        assert_eq!(stated(b"ot=rv:0123456789abcd"), Some(0x0123_4567_89ab_cd));
        assert_eq!(stated(b"x=1,ot=th:8;rv:ffffffffffffff"), Some((1 << 56) - 1));
        for none in ["", "ot=th:8", "ot=rv:123", "ot=rv:0123456789ABCD", "OT=rv:0123456789abcd", "a=1,a=1,ot=rv:0123456789abcd"] {
            assert_eq!(stated(none.as_bytes()), None, "{none}");
        }
        assert_eq!(of_id(TraceId([0xff; 16])), (1 << 56) - 1);
        assert_eq!(of_id(TraceId(std::array::from_fn(|byte| u8::try_from(byte).unwrap()))), 0x0009_0a0b_0c0d_0e0f);
    }

    #[test]
    fn thresholds_are_raised_and_never_lowered() {
        let of = |state: &str, chance| stamped(state, chance, (1 << 56) - 1).map(|state| state.unwrap_or("as it was".to_owned()));
        for (state, chance, expected) in [
            ("", known(HALF), "ot=th:8"),
            ("", Chance::CERTAIN, "as it was"),
            ("a=1,ot=x:y;rv:00000000000000,b=2", known(HALF), "ot=rv:00000000000000;th:8;x:y,a=1,b=2"),
            ("ot=th:c", known(HALF), "as it was"),
            ("ot=th:4", known(HALF), "ot=th:8"),
            ("ot=th:4", Chance::CERTAIN, "as it was"),
            ("ot=th:4", Chance::Unknown, ""),
            ("a=1,ot=th:4;rv:ffffffffffffff", Chance::Unknown, "ot=rv:ffffffffffffff,a=1"),
            ("a=1", Chance::Unknown, "as it was"),
        ] {
            assert_eq!(of(state, chance), Ok(expected.to_owned()), "{state} at {chance:?}");
        }
        assert_eq!(of("a=1,a=1", known(HALF)), Err(Unreadable));
    }

    #[test]
    fn a_threshold_that_the_trace_does_not_reach_is_taken_away() {
        assert_eq!(stamped("ot=th:c", known(HALF), HALF), Ok(Some(String::new())));
    }

    #[test]
    fn chances_combine() {
        assert_eq!(known(1).or(known(2)), known(1));
        assert_eq!(known(1).or(Chance::Unknown), known(1));
        assert_eq!(known(1).and(known(2)), known(2));
        assert_eq!(Chance::CERTAIN.and(Chance::Unknown), Chance::Unknown);
        for chance in [Chance::CERTAIN, known(HALF), Chance::Unknown] {
            assert_eq!(Chance::of_note(chance.note()), chance);
        }
        assert_eq!(known(HALF).weight(), Some(2.0));
    }
}

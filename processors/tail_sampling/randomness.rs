//! Chance that everybody agrees on: what a trace was kept at, and what of that its spans are told.
//!
//! A span that was kept at a [`Threshold`] stands for a number of spans, and whoever counts spans later reads that in its trace state. So
//! what cannot be said honestly is taken away there.

use tracetailor_core::probability::{BadState, OtelState, Randomness, Threshold};

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
            Chance::Known(threshold) => threshold.bits(),
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
            Chance::Known(threshold) => threshold.weight(),
            Chance::Unknown => None,
        }
    }
}

/// In a note: no threshold is so large.
const UNKNOWN: u64 = u64::MAX;

/// The randomness that a span states, if it does and the statement is in order.
pub(super) fn stated(state: &[u8]) -> Option<Randomness> {
    if state.is_empty() {
        return None;
    }
    OtelState::read(std::str::from_utf8(state).ok()?).ok()?.randomness()
}

/// What becomes of a span's trace state when it was kept at this chance; nothing where it stays as it is.
///
/// A threshold is only ever raised: one that is stricter was set before, and still holds. A certain keep says nothing about it.
pub(super) fn stamped(state: &str, chance: Chance, randomness: Randomness) -> Result<Option<String>, BadState> {
    let mut state = OtelState::read(state)?;
    let stands = state.threshold();
    match chance {
        // What was kept before although it should not have been says nothing that is true.
        Chance::Known(_) if stands.is_some_and(|stands| !stands.keeps(randomness)) => state.erase_threshold(),
        Chance::Known(Threshold::ALWAYS) => {}
        Chance::Known(threshold) => state.set_threshold(threshold),
        Chance::Unknown => state.erase_threshold(),
    }
    Ok((state.threshold() != stands).then(|| state.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(number: u64) -> Chance {
        Chance::Known(Threshold::new(number))
    }

    const HALF: u64 = 1 << 55;

    #[test]
    fn randomness_may_be_stated() {
        assert_eq!(stated(b"x=1,ot=th:8;rv:0123456789abcd"), Some(Randomness::new(0x0001_2345_6789_abcd)));
        for none in ["", "x=1", "ot=th:8", "ot=rv:123", "x"] {
            assert_eq!(stated(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn thresholds_are_raised_and_never_lowered() {
        let of = |state: &str, chance| stamped(state, chance, Randomness::HIGHEST).map(|state| state.unwrap_or("as it was".to_owned()));
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
        assert_eq!(of("a", known(HALF)), Err(BadState::Member));
    }

    #[test]
    fn a_threshold_that_the_trace_does_not_reach_is_taken_away() {
        assert_eq!(stamped("ot=th:c", known(HALF), Randomness::new(HALF)), Ok(Some(String::new())));
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

//! Trace ids of 64 bits beside their 128-bit form: a library that knows short ids only cuts a trace in two.
//!
//! The short form is the lower half of the long one. Which forms were seen is remembered for all lanes, in tables of bounded size; of two long ids with one lower
//! half nobody can say which one was cut, so neither is joined.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use foldhash::quality::RandomState;
use tracetailor_core::telemetry::TraceId;

/// What was seen of one lower half.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    is_short: bool,
    /// The upper half of the long form; 0 for none.
    upper: u64,
    has_several: bool,
}

/// What is known of a trace's other form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twin {
    /// It has none, as far as anybody knows.
    None,
    /// This is the short form of that one.
    Long(TraceId),
    /// This is the long form, and the short one was seen.
    Short,
}

/// Tables are divided, so that lanes seldom wait for each other.
const PARTS: usize = 16;
/// So many lower halves are remembered in a table before the older half of them is forgotten.
const MOST_IN_A_PART: usize = 4_096;

/// The forms that were seen. All lanes share it, since the two halves of a trace may be in two.
#[derive(Debug, Default)]
pub(super) struct Twins {
    parts: [Mutex<Part>; PARTS],
    /// Somebody uses short ids: before that nothing need be remembered.
    has_short: AtomicBool,
}

#[derive(Debug, Default)]
struct Part {
    now: HashMap<u64, Seen, RandomState>,
    before: HashMap<u64, Seen, RandomState>,
}

impl Twins {
    /// Takes note of a trace. Long ids are remembered once there are short ones, or always where `from_the_start` says so.
    pub(super) fn see(&self, trace: TraceId, from_the_start: bool) {
        let (upper, lower) = halves(trace);
        let is_short = upper == 0;
        if is_short && !self.has_short.load(Ordering::Relaxed) {
            self.has_short.store(true, Ordering::Relaxed);
        }
        if !is_short && !from_the_start && !self.has_short.load(Ordering::Relaxed) {
            return;
        }
        self.part(lower, |part| part.see(lower, upper));
    }

    pub(super) fn of(&self, trace: TraceId) -> Twin {
        if !self.has_short.load(Ordering::Relaxed) {
            return Twin::None;
        }
        let (upper, lower) = halves(trace);
        match self.part(lower, |part| part.find(lower)) {
            Some(Seen { is_short: true, upper: long, has_several: false }) if upper == 0 && long != 0 => Twin::Long(whole(long, lower)),
            Some(Seen { is_short: true, upper: long, has_several: false }) if upper != 0 && upper == long => Twin::Short,
            _ => Twin::None,
        }
    }

    fn part<T>(&self, lower: u64, work: impl FnOnce(&mut Part) -> T) -> T {
        // Lower halves are random, or chosen by somebody who gains nothing by it.
        let part = (lower ^ lower >> 32) as usize % PARTS;
        work(&mut self.parts[part].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Part {
    fn see(&mut self, lower: u64, upper: u64) {
        let mut seen = self.find(lower).unwrap_or_default();
        seen.is_short |= upper == 0;
        seen.has_several |= upper != 0 && seen.upper != 0 && seen.upper != upper;
        if upper != 0 {
            seen.upper = upper;
        }
        if self.now.len() >= MOST_IN_A_PART {
            self.before = std::mem::take(&mut self.now);
        }
        self.now.insert(lower, seen);
    }

    fn find(&self, lower: u64) -> Option<Seen> {
        self.now.get(&lower).or_else(|| self.before.get(&lower)).copied()
    }
}

/// Whether an id has 64 bits only.
pub(super) fn is_short(trace: TraceId) -> bool {
    halves(trace).0 == 0
}

fn halves(trace: TraceId) -> (u64, u64) {
    let id = u128::from_be_bytes(trace.0);
    ((id >> 64) as u64, id as u64)
}

fn whole(upper: u64, lower: u64) -> TraceId {
    TraceId((u128::from(upper) << 64 | u128::from(lower)).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(forms: &[TraceId]) -> Twins {
        let twins = Twins::default();
        forms.iter().for_each(|trace| twins.see(*trace, true));
        twins
    }

    #[test]
    fn the_two_forms_of_an_id_find_each_other_in_any_order() {
        let (short, long) = (whole(0, 7), whole(3, 7));
        for forms in [[short, long], [long, short]] {
            let twins = seen(&forms);
            assert_eq!((twins.of(short), twins.of(long)), (Twin::Long(long), Twin::Short));
            assert_eq!((twins.of(whole(0, 8)), twins.of(whole(4, 7))), (Twin::None, Twin::None));
        }
    }

    #[test]
    fn of_two_long_forms_neither_is_the_one() {
        let twins = seen(&[whole(0, 7), whole(3, 7), whole(4, 7)]);
        assert_eq!((twins.of(whole(0, 7)), twins.of(whole(3, 7)), twins.of(whole(4, 7))), (Twin::None, Twin::None, Twin::None));
    }

    #[test]
    fn tables_are_bounded_and_forget_the_oldest() {
        let twins = Twins::default();
        twins.see(whole(0, 1), false);
        for lower in 2..400_000_u64 {
            twins.see(whole(9, lower), false);
        }
        let held = |part: &Mutex<Part>| part.lock().map(|part| part.now.len() + part.before.len()).unwrap_or_default();
        assert!(twins.parts.iter().map(held).sum::<usize>() <= 2 * PARTS * MOST_IN_A_PART);
        twins.see(whole(9, 1), false);
        assert_eq!(twins.of(whole(9, 1)), Twin::None, "that there was a short form is forgotten");
    }

    #[test]
    fn where_nobody_uses_short_ids_nothing_is_remembered() {
        let twins = Twins::default();
        twins.see(whole(3, 7), false);
        assert!(twins.parts.iter().all(|part| part.lock().is_ok_and(|part| part.now.is_empty())));
    }
}

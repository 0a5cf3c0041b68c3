//! What voters say while they are asked, in the order in which they are asked: some bytes for each.
//!
//! Nothing of a span's content is written here. A policy on text says which of its rules fitted, by its place in the list; numbers stand as
//! they were.

use std::cell::{Cell, RefCell};

use super::super::policies::{Ballot, Vote};
use super::super::randomness::Chance;

/// Takes down what is said about the trace in hand.
#[derive(Debug, Default)]
pub(in crate::tail_sampling) struct Trail {
    /// Whether anybody wants to know.
    on: bool,
    /// There was more.
    cut: Cell<bool>,
    bytes: RefCell<Vec<u8>>,
}

/// What decided, of one vote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tail_sampling) enum Told {
    /// The trace lasted so long.
    Milliseconds(i64),
    /// It has so many spans.
    Spans(u64),
    /// It would cost so much of a limit.
    Cost(u64),
    /// Its randomness, in parts of 2⁵⁶.
    Randomness(u64),
    /// It had to reach so much, in parts of 2⁵⁶.
    Threshold(u64),
    /// Which rule of the policy fitted, from 0.
    Rule(u64),
    /// The number that fitted.
    Number(f64),
    /// The whole number that fitted.
    Whole(i64),
    /// The limit was used up.
    UsedUp,
}

/// One thing that was taken down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// The policy at this place, of those on this level, is asked.
    Enter(usize),
    /// What it said.
    Leave(Ballot, Option<Chance>),
    /// Why it said so.
    Told(Told),
    /// There was more than is kept.
    Cut,
}

/// So much is kept of one trace at most.
const MOST: usize = 400;

/// The upper half of the first byte of a step says what it is, the lower half what of it.
const ENTER: u8 = 0x10;
const LEAVE: u8 = 0x20;
const TOLD: u8 = 0x30;
const CUT: u8 = 0x40;
/// In the lower half: the number stands behind.
const BEHIND: u8 = 0xf;

impl Trail {
    /// One that writes, if anybody wants to know.
    pub(in crate::tail_sampling) fn new(on: bool) -> Self {
        Self { on, ..Self::default() }
    }

    /// For the next trace.
    pub(in crate::tail_sampling) fn clear(&self) {
        self.bytes.borrow_mut().clear();
        self.cut.set(false);
    }

    /// Somebody is asked.
    pub(in crate::tail_sampling) fn enter(&self, place: usize) {
        self.write(|bytes| match u8::try_from(place).ok().filter(|place| *place < BEHIND) {
            Some(place) => bytes.push(ENTER | place),
            None => {
                bytes.push(ENTER | BEHIND);
                write_number(bytes, place as u64);
            }
        });
    }

    /// Somebody has answered.
    pub(in crate::tail_sampling) fn leave(&self, vote: &Vote) {
        let ballot = BALLOTS.iter().position(|ballot| *ballot == vote.ballot).unwrap_or(0);
        // Certain, unknown, or a number behind it.
        let (chance, number) = match vote.chance {
            Chance::CERTAIN => (0, None),
            Chance::Unknown => (8, None),
            known => (BEHIND, Some(known.note())),
        };
        self.write(|bytes| {
            let ballot = u8::try_from(ballot).unwrap_or(0);
            match number {
                None => bytes.push(LEAVE | chance | ballot),
                Some(number) => {
                    bytes.extend([LEAVE | BEHIND, ballot]);
                    write_number(bytes, number);
                }
            }
        });
    }

    /// Somebody says why.
    pub(in crate::tail_sampling) fn tell(&self, told: Told) {
        self.write(|bytes| {
            let (kind, number) = match told {
                Told::Milliseconds(number) => (0, zigzag(number)),
                Told::Spans(number) => (1, number),
                Told::Cost(number) => (2, number),
                Told::Randomness(number) => (3, number),
                Told::Threshold(number) => (4, number),
                Told::Rule(number) => (5, number),
                // Whole and short ones are all zeros at their end.
                Told::Number(number) => (6, number.to_bits().swap_bytes()),
                Told::UsedUp => (7, 0),
                Told::Whole(number) => (8, zigzag(number)),
            };
            bytes.push(TOLD | kind);
            write_number(bytes, number);
        });
    }

    /// All that was said.
    pub(in crate::tail_sampling) fn with<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        read(&self.bytes.borrow())
    }

    fn write(&self, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.on || self.cut.get() {
            return;
        }
        let mut bytes = self.bytes.borrow_mut();
        if bytes.len() < MOST {
            write(&mut bytes);
        } else {
            bytes.push(CUT);
            self.cut.set(true);
        }
    }
}

const BALLOTS: [Ballot; 5] = [Ballot::Keep, Ballot::Refuse, Ballot::Drop, Ballot::Fail, Ballot::Pass];

/// Reads what was said.
pub(super) fn steps(mut bytes: &[u8]) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(step) = step(&mut bytes) {
        steps.push(step);
    }
    steps
}

fn step(bytes: &mut &[u8]) -> Option<Step> {
    let (first, low) = take(bytes).map(|first| (first & 0xf0, first & 0x0f))?;
    Some(match first {
        ENTER if low == BEHIND => Step::Enter(usize::try_from(read_number(bytes)?).ok()?),
        ENTER => Step::Enter(low.into()),
        LEAVE if low == BEHIND => {
            let ballot = BALLOTS.get(usize::from(take(bytes)?))?;
            Step::Leave(*ballot, Some(Chance::of_note(read_number(bytes)?)))
        }
        LEAVE => Step::Leave(*BALLOTS.get(usize::from(low & 7))?, if low & 8 == 0 { Some(Chance::CERTAIN) } else { None }),
        TOLD => {
            let number = read_number(bytes)?;
            Step::Told(match low {
                0 => Told::Milliseconds(unzigzag(number)),
                1 => Told::Spans(number),
                2 => Told::Cost(number),
                3 => Told::Randomness(number),
                4 => Told::Threshold(number),
                5 => Told::Rule(number),
                6 => Told::Number(f64::from_bits(number.swap_bytes())),
                8 => Told::Whole(unzigzag(number)),
                _ => Told::UsedUp,
            })
        }
        _ => Step::Cut,
    })
}

fn take(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

/// Seven bits a byte, the lowest first.
pub(super) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

pub(super) fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tracetailor_core::probability::Threshold;

    use super::*;

    fn any_told() -> impl Strategy<Value = Told> {
        prop_oneof![
            any::<i64>().prop_map(Told::Milliseconds),
            any::<u64>().prop_map(Told::Spans),
            any::<u64>().prop_map(Told::Cost),
            any::<u64>().prop_map(Told::Randomness),
            any::<u64>().prop_map(Told::Threshold),
            any::<u64>().prop_map(Told::Rule),
            (-1e300..1e300).prop_map(Told::Number),
            any::<i64>().prop_map(Told::Whole),
            Just(Told::UsedUp),
        ]
    }

    proptest! {
        #[test]
        fn what_is_said_is_read(told in proptest::collection::vec((0usize..40, any_told(), 0usize..4, 0u64..3), 0..8)) {
            let (trail, mut expected) = (Trail::new(true), Vec::new());
            for (place, told, ballot, chance) in told {
                let chance = [Chance::CERTAIN, Chance::Unknown, Chance::Known(Threshold::new(1 << 55))][chance as usize];
                trail.enter(place);
                trail.tell(told);
                trail.leave(&Vote { ballot: BALLOTS[ballot], chance, child: None });
                let chance = Some(chance).filter(|chance| *chance != Chance::Unknown);
                expected.extend([Step::Enter(place), Step::Told(told), Step::Leave(BALLOTS[ballot], chance)]);
            }
            prop_assert_eq!(trail.with(steps), expected);
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = steps(&bytes);
        }
    }

    #[test]
    fn it_is_bounded_and_says_so() {
        let trail = Trail::new(true);
        (0..1000).for_each(|place| trail.enter(place));
        assert!(trail.with(<[u8]>::len) <= MOST + 4);
        assert_eq!(trail.with(steps).last(), Some(&Step::Cut));
        let off = Trail::new(false);
        off.enter(1);
        assert_eq!(off.with(<[u8]>::len), 0);
    }
}

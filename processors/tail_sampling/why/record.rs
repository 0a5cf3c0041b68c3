//! What a record holds, and how it lies in bytes.

use std::time::Duration;

use tracetailor_core::component::Trigger;
use tracetailor_core::telemetry::TraceId;
use tracetailor_core::time::LogTime;

use super::super::ballot::Outcome;
use super::super::randomness::Chance;
use super::ring::Raw;
use super::trail::{Step, read_number, steps, write_number};

/// What was decided on a trace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decided {
    pub(super) trigger: Trigger,
    pub(super) outcome: Outcome,
    /// The number of the configuration.
    pub(super) version: u64,
    /// From its first span to the decision, to the millisecond.
    pub(super) waited: Duration,
    pub(super) spans: u64,
    pub(super) bytes: u64,
    pub(super) chance: Chance,
    pub(super) votes: Vec<Step>,
    /// What policies in the shadow would have made of it, where there are any.
    pub(super) shadow: Option<(bool, Vec<Step>)>,
}

/// Spans of a trace that came after its decision, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Late {
    pub(super) kept: u64,
    pub(super) dropped: u64,
    /// How many of them have no parent: a trace has one root, as a rule, so its id may have been used again.
    pub(super) roots: u64,
}

impl Late {
    /// With some more.
    pub(super) fn add(&mut self, Late { kept, dropped, roots }: Late) {
        (self.kept, self.dropped, self.roots) = (self.kept + kept, self.dropped + dropped, self.roots + roots);
    }
}

/// One of the two.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Decided(Decided),
    Late(Late),
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) when: LogTime,
    pub(super) trace: TraceId,
    pub(super) what: What,
}

/// The figures of a decision, as they are written: votes come as bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) trigger: Trigger,
    pub(super) outcome: Outcome,
    pub(super) version: u64,
    pub(super) waited: Duration,
    pub(super) spans: u64,
    pub(super) bytes: u64,
    pub(super) chance: Chance,
}

const DECIDED: u8 = 0;
const LATE: u8 = 1;

pub(super) const OUTCOMES: [Outcome; 7] =
    [Outcome::Sampled, Outcome::NotSampled, Outcome::Dropped, Outcome::TooLarge, Outcome::Pending, Outcome::Evicted, Outcome::Unmatched];

impl Figures {
    /// Writes a decision.
    pub(super) fn write(&self, votes: &[u8], shadow: Option<(bool, &[u8])>, body: &mut Vec<u8>) {
        let place = |place: Option<usize>| place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0);
        let outcome = place(OUTCOMES.iter().position(|outcome| *outcome == self.outcome));
        let trigger = place(Trigger::ALL.iter().position(|trigger| *trigger == self.trigger));
        body.clear();
        body.extend([DECIDED, trigger << 4 | outcome]);
        let waited = u64::try_from(self.waited.as_millis()).unwrap_or(u64::MAX);
        // So that the largest note, which nobody could say is, takes one byte.
        for number in [self.version, waited, self.spans, self.bytes, self.chance.note().wrapping_add(1), votes.len() as u64] {
            write_number(body, number);
        }
        body.extend_from_slice(votes);
        if let Some((keeps, votes)) = shadow {
            body.push(keeps.into());
            body.extend_from_slice(votes);
        }
    }
}

/// Late spans as they are written first, of none.
pub(super) const NO_LATE: [u8; 13] = [LATE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// One late span more, in bytes that were [`NO_LATE`] once.
pub(super) fn add_late(body: &mut [u8], is_kept: bool, is_root: bool) {
    let adds = [is_kept, !is_kept, is_root];
    for (add, counter) in adds.into_iter().zip(body[1..].as_chunks_mut::<4>().0) {
        *counter = u32::from_le_bytes(*counter).saturating_add(add.into()).to_le_bytes();
    }
}

impl Record {
    /// Reads what was written.
    pub(super) fn read(raw: Raw<'_>) -> Option<Record> {
        let (kind, body) = raw.body.split_first()?;
        let what = match *kind {
            DECIDED => What::Decided(decided(body)?),
            _ => What::Late(late(body)?),
        };
        Some(Record { when: raw.when, trace: raw.trace, what })
    }
}

fn decided(body: &[u8]) -> Option<Decided> {
    let (first, mut rest) = body.split_first()?;
    let mut next = || read_number(&mut rest);
    let (version, waited, spans, bytes, note, length) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let (votes, shadow) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some(Decided {
        trigger: *Trigger::ALL.get(usize::from(first >> 4))?,
        outcome: *OUTCOMES.get(usize::from(first & 0xf))?,
        version,
        waited: Duration::from_millis(waited),
        spans,
        bytes,
        chance: Chance::of_note(note.wrapping_sub(1)),
        votes: steps(votes),
        shadow: shadow.split_first().map(|(keeps, votes)| (*keeps != 0, steps(votes))),
    })
}

fn late(body: &[u8]) -> Option<Late> {
    let [kept, dropped, roots] = *body.as_chunks::<4>().0 else { return None };
    let number = |bytes| u64::from(u32::from_le_bytes(bytes));
    Some(Late { kept: number(kept), dropped: number(dropped), roots: number(roots) })
}

#[cfg(test)]
mod tests {
    use tracetailor_core::probability::Threshold;

    use super::super::super::policies::{Ballot, Vote};
    use super::super::trail::{Told, Trail};
    use super::*;

    fn read(body: &[u8]) -> What {
        Record::read(Raw { when: LogTime(1), trace: TraceId([1; 16]), body }).unwrap().what
    }

    #[test]
    fn a_decision_is_read_as_it_was_written() {
        let trail = Trail::new(true);
        trail.enter(1);
        trail.tell(Told::Milliseconds(-5));
        trail.leave(&Vote::KEEP);
        for (chance, shadow) in
            [(Chance::CERTAIN, None), (Chance::Unknown, Some(true)), (Chance::Known(Threshold::new(1 << 55)), Some(false))]
        {
            for trigger in Trigger::ALL {
                for outcome in OUTCOMES {
                    let figures =
                        Figures { trigger, outcome, version: 300, waited: Duration::from_millis(10_000), spans: 8, bytes: 4160, chance };
                    let mut body = vec![7; 3];
                    trail.with(|votes| figures.write(votes, shadow.map(|keeps| (keeps, votes)), &mut body));
                    let What::Decided(decided) = read(&body) else { panic!("a decision") };
                    let votes = vec![Step::Enter(1), Step::Told(Told::Milliseconds(-5)), Step::Leave(Ballot::Keep, Some(Chance::CERTAIN))];
                    assert_eq!((decided.trigger, decided.outcome, decided.chance), (trigger, outcome, chance));
                    assert_eq!((decided.version, decided.spans, decided.bytes), (300, 8, 4160));
                    assert_eq!((&decided.votes, decided.waited.as_secs()), (&votes, 10));
                    assert_eq!(decided.shadow, shadow.map(|keeps| (keeps, votes)));
                }
            }
        }
    }

    #[test]
    fn late_spans_add_up() {
        let mut body = NO_LATE;
        for (is_kept, is_root) in [(true, false), (true, true), (false, false)] {
            add_late(&mut body, is_kept, is_root);
        }
        assert_eq!(read(&body), What::Late(Late { kept: 2, dropped: 1, roots: 1 }));
    }
}

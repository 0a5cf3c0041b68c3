//! How spans get lost.

use std::fmt;

use tracetailor_core::testing::Dice;

use super::truth::TrueSpan;

/// What is lost of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Each span by itself, so many in a hundred.
    Single(u32),
    /// All spans of a process, so many processes in a hundred.
    Process(u32),
    /// All spans of a service, so many services in a hundred.
    Service(u32),
    /// The root.
    Root,
    /// What one process sent in one request.
    Batch,
    /// What one process had not sent yet when it crashed.
    Crash,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Single(percent) => write!(f, "single spans {percent} %"),
            Loss::Process(percent) => write!(f, "processes {percent} %"),
            Loss::Service(percent) => write!(f, "services {percent} %"),
            Loss::Root => f.write_str("the root"),
            Loss::Batch => f.write_str("one export batch"),
            Loss::Crash => f.write_str("a crash"),
        }
    }
}

impl Loss {
    /// Which spans of a trace are lost.
    pub(crate) fn of(self, trace: &[TrueSpan], seed: u64) -> Vec<bool> {
        let mut dice = Dice::new(seed ^ 0x1055);
        match self {
            Loss::Single(percent) => trace.iter().map(|_| dice.percent(percent)).collect(),
            Loss::Process(percent) => all_of(trace, TrueSpan::process, percent, &mut dice),
            Loss::Service(percent) => all_of(trace, |span| span.service, percent, &mut dice),
            Loss::Root => trace.iter().map(|span| span.parent.is_none()).collect(),
            Loss::Batch => batch(trace, &mut dice),
            Loss::Crash => crash(trace, &mut dice),
        }
    }
}

fn all_of<K: Ord + Copy>(trace: &[TrueSpan], key: impl Fn(&TrueSpan) -> K, percent: u32, dice: &mut Dice) -> Vec<bool> {
    let mut keys: Vec<K> = trace.iter().map(&key).collect();
    keys.sort_unstable();
    keys.dedup();
    let gone: Vec<K> = keys.into_iter().filter(|_| dice.percent(percent)).collect();
    trace.iter().map(|span| gone.binary_search(&key(span)).is_ok()).collect()
}

/// Spans are sent when they end, some eight at a time in a trace as large as these.
fn batch(trace: &[TrueSpan], dice: &mut Dice) -> Vec<bool> {
    let process = trace[dice.below(trace.len())].process();
    let mut own: Vec<usize> = (0..trace.len()).filter(|at| trace[*at].process() == process).collect();
    own.sort_by_key(|at| trace[*at].end);
    let batches: Vec<&[usize]> = own.chunks(8).collect();
    let gone = batches[dice.below(batches.len())];
    (0..trace.len()).map(|at| gone.contains(&at)).collect()
}

/// What a process ends after a moment is never sent.
fn crash(trace: &[TrueSpan], dice: &mut Dice) -> Vec<bool> {
    let last = &trace[dice.below(trace.len())];
    let (process, moment) = (last.process(), (last.start + last.end) / 2);
    trace.iter().map(|span| span.process() == process && span.end > moment).collect()
}

//! How far the clocks of two processes can be apart, told from a trace's own calls.
//!
//! A call that is whole says it: what was served happened within the call, so the served side's clock is ahead of the caller's by no more than the
//! difference of their starts, and by no less than that of their ends. Calls of the same two processes narrow it down, and so do calls by way of a third.
//! No clock is corrected; whoever asks whether one span can lie within another asks whether there is an offset with which it does.

use tracetailor_core::telemetry::SpanKind;

use super::tree::Tree;
use super::{NOBODY, SpanView};

/// What a clock may jitter, in nanoseconds, and what is lost in rounding.
pub(super) const JITTER: i64 = 50_000;
/// A trace with more processes than this is not led through all its calls; what is known of its clocks is then only how far any were apart.
const MOST_PROCESSES: usize = 128;
/// What clocks are taken to be apart at least, where nothing says that they are.
const LEAST_APART: i64 = 500_000;
/// How much further clocks may be apart than the furthest that is proven.
const BEYOND_PROVEN: i64 = 2;

/// By how much one clock may be ahead of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ahead {
    pub(super) least: i64,
    pub(super) most: i64,
}

const FAR: i64 = i64::MAX / 8;

impl Ahead {
    const UNKNOWN: Ahead = Ahead { least: -FAR, most: FAR };
    const NOT: Ahead = Ahead { least: 0, most: 0 };

    fn within(by: i64) -> Ahead {
        Ahead { least: -by, most: by }
    }

    fn and(self, other: Ahead) -> Option<Ahead> {
        let both = Ahead { least: self.least.max(other.least), most: self.most.min(other.most) };
        (both.least <= both.most).then_some(both)
    }

    fn then(self, other: Ahead) -> Ahead {
        Ahead { least: (self.least + other.least).max(-FAR), most: (self.most + other.most).min(FAR) }
    }

    fn back(self) -> Ahead {
        Ahead { least: -self.most, most: -self.least }
    }
}

/// The clocks of one trace.
#[derive(Debug)]
pub(super) struct Clocks {
    /// What calls between two processes say: of the caller's clock and the called one's.
    calls: Vec<(u32, u32, Ahead)>,
    processes: usize,
    /// How far apart clocks are in general.
    prior: i64,
    fixed: Option<i64>,
    /// What was found for a process, for all others: by how much it is ahead.
    known: Vec<Option<Known>>,
}

/// What was found for one process.
#[derive(Clone, Debug)]
struct Known {
    /// By how much its clock is ahead of each other.
    ahead: Vec<Ahead>,
    /// How far it may be from any.
    widest: i64,
}

impl Clocks {
    pub(super) fn of(tree: &Tree<'_>, fixed: Option<i64>) -> Clocks {
        let processes = tree.spans.iter().map(|span| span.process + 1).max().unwrap_or(0) as usize;
        let calls = if fixed.is_some() { Vec::new() } else { calls(tree, processes) };
        let proven = calls.iter().map(|(_, _, ahead)| ahead.least.max(-ahead.most).max(0)).max().unwrap_or(0);
        let prior = proven.saturating_mul(BEYOND_PROVEN).saturating_add(LEAST_APART).min(FAR);
        Clocks { calls, processes, prior, fixed, known: vec![None; processes.min(MOST_PROCESSES)] }
    }

    /// By how much the clock of one span may be ahead of another's.
    pub(super) fn ahead(&mut self, of: &SpanView, before: &SpanView) -> Ahead {
        if of.process == before.process && of.is_instance {
            return Ahead::NOT;
        }
        if let Some(fixed) = self.fixed {
            return Ahead::within(fixed);
        }
        let prior = Ahead::within(self.prior);
        if self.processes > MOST_PROCESSES {
            return prior;
        }
        let known = self.known(of.process).ahead[before.process as usize];
        known.and(prior).unwrap_or(known)
    }

    /// How far clocks are taken to be apart where nothing else is known.
    pub(super) fn apart_by(&self) -> i64 {
        self.fixed.unwrap_or(self.prior)
    }

    /// How far the clock of a span may be from any other.
    pub(super) fn widest(&mut self, of: &SpanView) -> i64 {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        if self.processes > MOST_PROCESSES {
            return self.prior;
        }
        self.known(of.process).widest
    }

    fn known(&mut self, process: u32) -> &Known {
        let at = process as usize;
        if self.known[at].is_none() {
            let (ahead, prior) = (self.from(process), Ahead::within(self.prior));
            let beyond = |ahead: &Ahead| ahead.and(prior).is_none().then(|| ahead.least.abs().max(ahead.most.abs()));
            let widest = ahead.iter().filter_map(beyond).max().unwrap_or(0).max(self.prior);
            self.known[at] = Some(Known { ahead, widest });
        }
        match &self.known[at] {
            Some(known) => known,
            None => unreachable!("it was just made"),
        }
    }

    /// By how much the clock of a process is ahead of each other.
    fn from(&self, process: u32) -> Vec<Ahead> {
        let mut ahead = vec![Ahead::UNKNOWN; self.processes];
        ahead[process as usize] = Ahead::NOT;
        let narrow_by = |(caller, called, between): &(u32, u32, Ahead), ahead: &mut [Ahead]| {
            let (caller, called) = (*caller as usize, *called as usize);
            // `between`: the called clock ahead of the caller's.
            narrow(ahead, caller, called, *between);
            narrow(ahead, called, caller, between.back());
        };
        // Calls come in the order of time: the first first leads down, the last first up to whoever began, and the first first from there to everybody.
        self.calls.iter().for_each(|call| narrow_by(call, &mut ahead));
        self.calls.iter().rev().for_each(|call| narrow_by(call, &mut ahead));
        self.calls.iter().for_each(|call| narrow_by(call, &mut ahead));
        ahead
    }
}

/// What is known of one clock and of the way to another says something of that.
fn narrow(ahead: &mut [Ahead], wanted: usize, known: usize, between: Ahead) {
    if ahead[known] != Ahead::UNKNOWN {
        ahead[wanted] = ahead[wanted].and(ahead[known].then(between)).unwrap_or(ahead[wanted]);
    }
}

/// What whole calls say, one entry for two processes, in the order of their first call.
fn calls(tree: &Tree<'_>, processes: usize) -> Vec<(u32, u32, Ahead)> {
    if processes > MOST_PROCESSES {
        return Vec::new();
    }
    let mut calls: Vec<(u32, u32, Ahead)> = Vec::with_capacity(2 * processes);
    let mut place = vec![0_u16; processes * processes];
    for at in &tree.order {
        let (served, up) = (tree.span(*at), tree.up[*at as usize]);
        if up == NOBODY || tree.span(up).process == served.process {
            continue;
        }
        let caller = tree.span(up);
        let starts = apart(served.start, caller.start);
        let ends = apart(served.end, caller.end);
        let waits = served.kind != SpanKind::Consumer && caller.kind != SpanKind::Producer && ends <= starts;
        let ahead = Ahead { least: if waits { ends } else { -FAR }, most: starts };
        let place = &mut place[caller.process as usize * processes + served.process as usize];
        if *place == 0 {
            calls.push((caller.process, served.process, ahead));
            *place = calls.len() as u16;
        } else {
            // Calls that contradict each other: one of them outlived its caller. What the first said stays.
            let known = &mut calls[*place as usize - 1].2;
            *known = known.and(ahead).unwrap_or(*known);
        }
    }
    calls
}

/// One time minus another; times are senders' and may be anything.
pub(super) fn apart(one: u64, other: u64) -> i64 {
    let by = |more: u64, less: u64| (more - less).min(FAR.unsigned_abs()) as i64;
    if one >= other { by(one, other) } else { -by(other, one) }
}

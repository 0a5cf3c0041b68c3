//! How far the clocks of two processes can be apart, told from a trace's own calls.
//!
//! A call that is whole says it: what was served happened within the call, so the served side's clock is ahead of the caller's by no more than the
//! difference of their starts, and by no less than that of their ends. Calls of the same two processes narrow it down, and so do calls by way of a third.
//! No clock is corrected; whoever asks whether one span can lie within another asks whether there is an offset with which it does.

use tracetailor_core::telemetry::SpanKind;

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

    /// The same with what another clock and the way from there say of it, unless that contradicts it. This goes for thousands of pairs, and nobody can foresee
    /// which say something: so it is worked out without asking.
    #[inline]
    fn narrowed(self, known: Ahead, way: Ahead) -> Ahead {
        let (least, most) = (self.least.max(known.least + way.least), self.most.min(known.most + way.most));
        let is_told = (least <= most) & (known.most - known.least < 2 * FAR);
        Ahead { least: if is_told { least } else { self.least }, most: if is_told { most } else { self.most } }
    }

    fn back(self) -> Ahead {
        Ahead { least: -self.most, most: -self.least }
    }
}

/// The clocks of one trace.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    /// What calls between two processes say.
    calls: Vec<Call>,
    processes: usize,
    /// How far apart clocks are in general.
    prior: i64,
    fixed: Option<i64>,
    /// Which row was found for a process; none yet where it is [`NOBODY`].
    row_of: Vec<u32>,
    /// Of every row, how far the clock of its process may be from any.
    widest: Vec<i64>,
    /// Row by row, by how much that clock is ahead of each other.
    rows: Vec<Ahead>,
    /// Scratch: of pairs of processes, which call is theirs.
    place: Vec<u16>,
    /// Scratch: by how much a clock is ahead of each other.
    ahead: Vec<Ahead>,
}

/// What whole calls between two processes say: by how much the called clock is ahead of the caller's.
#[derive(Clone, Copy, Debug)]
struct Call {
    caller: u32,
    called: u32,
    between: Ahead,
}

/// The clock of one span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    process: u32,
    is_instance: bool,
    /// Where its row begins; none where all clocks are taken to be as far apart.
    row: Option<usize>,
    /// How far it may be from any other.
    pub(super) widest: i64,
}

impl Clocks {
    /// Of a trace with so many processes, of which nothing is known yet.
    pub(super) fn clear(&mut self, fixed: Option<i64>, processes: usize) {
        (self.fixed, self.processes) = (fixed, processes);
        let known = if self.is_general() { 0 } else { processes };
        self.calls.clear();
        self.place.clear();
        self.place.resize(known * known, 0);
        self.row_of.clear();
        self.row_of.resize(known, NOBODY);
        self.ahead.clear();
        self.ahead.resize(known, Ahead::UNKNOWN);
        self.rows.clear();
        self.widest.clear();
    }

    /// A call from one process to another: one entry for two processes, in the order of their first call.
    pub(super) fn see(&mut self, caller: &SpanView, served: &SpanView) {
        if self.is_general() {
            return;
        }
        let starts = apart(served.start, caller.start);
        let ends = apart(served.end, caller.end);
        let waits = served.kind != SpanKind::Consumer && caller.kind != SpanKind::Producer && ends <= starts;
        let between = Ahead { least: if waits { ends } else { -FAR }, most: starts };
        let place = &mut self.place[caller.process as usize * self.processes + served.process as usize];
        if *place == 0 {
            self.calls.push(Call { caller: caller.process, called: served.process, between });
            *place = self.calls.len() as u16;
        } else {
            // Calls that contradict each other: one of them outlived its caller. What the first said stays.
            let known = &mut self.calls[*place as usize - 1].between;
            *known = known.and(between).unwrap_or(*known);
        }
    }

    /// All of them have been seen.
    pub(super) fn settle(&mut self) {
        let proven = self.calls.iter().map(|call| call.between.least.max(-call.between.most).max(0)).max().unwrap_or(0);
        self.prior = proven.saturating_mul(BEYOND_PROVEN).saturating_add(LEAST_APART).min(FAR);
    }

    /// Whether nothing else is known than how far apart clocks are in general.
    fn is_general(&self) -> bool {
        self.fixed.is_some() || self.processes > MOST_PROCESSES
    }

    /// How far clocks are taken to be apart where nothing else is known.
    pub(super) fn apart_by(&self) -> i64 {
        self.fixed.unwrap_or(self.prior)
    }

    /// The clock of a span.
    pub(super) fn of(&mut self, span: &SpanView) -> Clock {
        let row = (!self.is_general()).then(|| self.row(span.process));
        Clock {
            process: span.process,
            is_instance: span.is_instance,
            row: row.map(|row| row * self.processes),
            widest: row.map_or(self.apart_by(), |row| self.widest[row]),
        }
    }

    /// By how much a clock may be ahead of that of a span.
    pub(super) fn ahead(&self, of: Clock, before: &SpanView) -> Ahead {
        if of.process == before.process && of.is_instance {
            return Ahead::NOT;
        }
        of.row.map_or(Ahead::within(self.apart_by()), |row| self.rows[row + before.process as usize])
    }

    /// The row of a process.
    fn row(&mut self, process: u32) -> usize {
        let known = self.row_of[process as usize];
        if known != NOBODY {
            return known as usize;
        }
        walk(process, &self.calls, &mut self.ahead);
        let (mut widest, prior) = (self.prior, Ahead::within(self.prior));
        self.rows.extend(self.ahead.iter().map(|ahead| {
            ahead.and(prior).unwrap_or_else(|| {
                widest = widest.max(ahead.least.abs().max(ahead.most.abs()));
                *ahead
            })
        }));
        let row = self.widest.len();
        self.widest.push(widest);
        self.row_of[process as usize] = row as u32;
        row
    }
}

/// Goes from one process along the calls to all others, and tells by how much its clock is ahead of theirs.
fn walk(from: u32, calls: &[Call], ahead: &mut [Ahead]) {
    ahead.fill(Ahead::UNKNOWN);
    ahead[from as usize] = Ahead::NOT;
    let Some(first) = calls.iter().position(|call| call.caller == from || call.called == from) else { return };
    let mut pass_on = |call: &Call| {
        let (caller, called) = (ahead[call.caller as usize], ahead[call.called as usize]);
        let caller = caller.narrowed(called, call.between);
        ahead[call.caller as usize] = caller;
        ahead[call.called as usize] = called.narrowed(caller, call.between.back());
    };
    // Calls come in the order of time: the first first leads down, the last first up to whoever began, and the first first from there to everybody.
    calls[first..].iter().for_each(&mut pass_on);
    calls.iter().rev().for_each(&mut pass_on);
    calls.iter().for_each(&mut pass_on);
}

/// One time minus another; times are senders' and may be anything.
pub(super) fn apart(one: u64, other: u64) -> i64 {
    let by = |more: u64, less: u64| (more - less).min(FAR.unsigned_abs()) as i64;
    if one >= other { by(one, other) } else { -by(other, one) }
}

//! What is counted of traces, apart from the books, and how many spans may be made in a second.

use std::sync::atomic::{AtomicU64, Ordering};

use tracetailor_core::component::{Counter, ProcessorContext};
use tracetailor_core::ledger::Cause;
use tracetailor_core::time::LogTime;

use super::engine::{Anchored, Left, Plan, Reason, Role};

/// One lane's counters.
pub(super) struct Counts {
    traces: Vec<Counter>,
    orphans: Counter,
    anchors: Vec<Counter>,
    made: [Counter; 2],
    touched: Vec<Counter>,
    late: Vec<Counter>,
    short: Vec<Counter>,
    no_id: Cause,
    duplicate: Cause,
    unfinished: Cause,
    superseded: Cause,
}

/// What became of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing was missing.
    Complete,
    /// Something was, and was made good.
    Repaired,
    /// Something was, and is marked.
    Marked,
    /// Something was, and more of it than may be made good.
    Capped,
    /// It had less time than configured, so that what is missing may be missing because of that.
    CutShort,
    /// What would have come out was no forest.
    Refused,
    /// Its id was seen in a short and a long form, so that what is missing may be in the other one.
    TwoForms,
}

impl Outcome {
    const NAMES: [&str; 7] = ["complete", "repaired", "marked", "capped", "cut_short", "refused", "two_forms"];
}

/// What became of a late span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lateness {
    /// Its parent is known.
    Follows,
    /// A span had been made in its place.
    Supersedes,
    /// Its parent is missing.
    Orphan,
    /// What the trace looked like is forgotten.
    Unknown,
}

impl Lateness {
    const NAMES: [&str; 4] = ["follows", "supersedes_placeholder", "orphan", "unknown"];

    pub(super) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// What was known of a trace with an id of 64 bits when it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShortId {
    /// No other form of it was seen.
    Alone,
    /// The long form was seen.
    BesideLong,
    /// It was, and has become this one's.
    Joined,
}

impl ShortId {
    const NAMES: [&str; 3] = ["alone", "beside_long", "joined"];
}

impl Counts {
    pub(super) fn new(context: &ProcessorContext) -> Self {
        let each = |name: &'static str, label: &'static str, values: Vec<&'static str>| {
            values.into_iter().map(|value| context.counter(name, &[(label, value)])).collect()
        };
        let made = |role| context.counter("tracetailor_stitch_made_spans_total", &[("role", role)]);
        Self {
            traces: each("tracetailor_stitch_traces_total", "outcome", Outcome::NAMES.to_vec()),
            orphans: context.counter("tracetailor_stitch_orphan_spans_total", &[]),
            anchors: each("tracetailor_stitch_missing_parents_total", "anchor", Anchored::ALL.map(Anchored::name).to_vec()),
            made: [made("parent"), made("root")],
            touched: each("tracetailor_stitch_touched_spans_total", "reason", Reason::ALL.map(Reason::name).to_vec()),
            late: each("tracetailor_stitch_late_spans_total", "outcome", Lateness::NAMES.to_vec()),
            short: each("tracetailor_stitch_short_trace_ids_total", "outcome", ShortId::NAMES.to_vec()),
            no_id: context.cause("no_span_id"),
            duplicate: context.cause("duplicate"),
            unfinished: context.cause("unfinished"),
            superseded: context.cause("superseded"),
        }
    }

    pub(super) fn trace(&self, outcome: Outcome) {
        self.traces[outcome as usize].add(1);
    }

    pub(super) fn late(&self, lateness: Lateness) {
        self.late[lateness as usize].add(1);
    }

    pub(super) fn short(&self, short: ShortId) {
        self.short[short as usize].add(1);
    }

    /// Why a span goes no further that should have got an id.
    pub(super) fn no_id(&self) -> Cause {
        self.no_id
    }

    /// What a plan does.
    pub(super) fn plan(&self, plan: &Plan) {
        self.orphans.add(plan.quality.orphans as u64);
        for made in &plan.made {
            self.made[usize::from(made.role == Role::Root)].add(1);
            if made.role != Role::Root {
                self.anchors[made.anchored as usize].add(1);
            }
        }
        for reason in plan.touched.iter().flat_map(|touch| &touch.reasons) {
            self.touched[*reason as usize].add(1);
        }
    }

    pub(super) fn cause(&self, left: Left) -> Cause {
        match left {
            Left::Duplicate => self.duplicate,
            Left::Unfinished => self.unfinished,
            Left::Superseded => self.superseded,
        }
    }
}

/// How many spans may be made in a second, on all lanes together.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// The second in the upper half, how many were made in it in the lower.
    now: AtomicU64,
}

impl Rate {
    /// Room for so many more in this second: all of them or none.
    pub(super) fn take(&self, count: usize, most: u32, now: LogTime) -> bool {
        let second = (now.0 / 1_000_000_000) & u64::from(u32::MAX);
        let taken = self.now.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| {
            let made = if before >> 32 == second { before & u64::from(u32::MAX) } else { 0 };
            let after = made.checked_add(count as u64).filter(|after| *after <= u64::from(most))?;
            Some(second << 32 | after)
        });
        taken.is_ok()
    }
}

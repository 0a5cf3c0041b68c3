//! Ids that no tree can be built from: none, those that several spans have, and parents that are no parents.

use tracetailor_core::telemetry::{SpanId, SpanKind, TraceId};

use super::derive::{Purpose, derive, subject};
use super::lookup::Lookup;
use super::plan::{Left, Reason};
use super::{NOBODY, SpanView};

/// Every span's id and parent, after what is wrong with them was put right.
#[derive(Debug, Default)]
pub(super) struct Ids {
    pub(super) id: Vec<SpanId>,
    pub(super) parent: Vec<SpanId>,
    /// Why a span is left out, if it is.
    pub(super) left: Vec<Option<Left>>,
    pub(super) reasons: Vec<u16>,
    /// The ids of all that stay.
    lookup: Lookup,
}

impl Ids {
    pub(super) fn of(trace: TraceId, spans: &[SpanView]) -> Ids {
        let mut ids = Ids {
            id: spans.iter().map(|span| span.id).collect(),
            parent: spans.iter().map(|span| span.parent).collect(),
            left: vec![None; spans.len()],
            reasons: vec![0; spans.len()],
            lookup: Lookup::of(spans.iter().map(|span| key(span.id))),
        };
        ids.drop_bad_parents(spans);
        if ids.lookup.has_doubles() || ids.has(SpanId::NONE) {
            ids.tell_apart(trace, spans);
        }
        ids
    }

    /// Whose id it is.
    pub(super) fn find(&self, id: SpanId) -> u32 {
        self.lookup.find(key(id)).unwrap_or(NOBODY)
    }

    pub(super) fn has(&self, id: SpanId) -> bool {
        self.find(id) != NOBODY
    }

    pub(super) fn note(&mut self, at: u32, reason: Reason) {
        self.reasons[at as usize] |= 1 << reason as u16;
    }

    fn drop_bad_parents(&mut self, spans: &[SpanView]) {
        for (at, span) in spans.iter().enumerate() {
            if span.has_bad_parent {
                self.parent[at] = SpanId::NONE;
                self.note(at as u32, Reason::BadParent);
            } else if span.parent == span.id && !span.id.is_none() {
                self.parent[at] = SpanId::NONE;
                self.note(at as u32, Reason::SelfParent);
            }
        }
    }

    /// Runs of the index that have one id become spans with one each.
    fn tell_apart(&mut self, trace: TraceId, spans: &[SpanView]) {
        let mut index = std::mem::take(&mut self.lookup).into_entries();
        index.sort_by_key(|(id, at)| (*id, order(&spans[*at as usize])));
        let mut kept: Vec<(u64, u32)> = Vec::with_capacity(spans.len());
        let mut split: Vec<Split> = Vec::new();
        let mut again = Vec::new();
        for run in index.chunk_by(|a, b| a.0 == b.0) {
            let mut run: Vec<u32> = run.iter().map(|(_, at)| *at).collect();
            self.leave_out_doubles(spans, &mut run);
            if run.first().is_some_and(|at| self.id[*at as usize].is_none()) {
                again.extend(run.into_iter().map(|at| Split { at, purpose: Purpose::Nameless, reason: Reason::NoId }));
            } else {
                let keeper = keeper(spans, &mut run);
                kept.push((key(self.id[keeper as usize]), keeper));
                split.extend(run.into_iter().map(|at| Split::of(&spans[keeper as usize], spans, at)));
            }
        }
        split.extend(again);
        self.lookup = Lookup::sorted(kept.clone());
        self.give_ids(trace, spans, &split);
        kept.extend(split.iter().map(|split| (key(self.id[split.at as usize]), split.at)));
        self.lookup = Lookup::sorted(kept);
    }

    /// One of identical spans is left, of versions of one span the one that was finished, and no synthetic span beside the real one.
    fn leave_out_doubles(&mut self, spans: &[SpanView], run: &mut Vec<u32>) {
        let view = |at: &u32| &spans[*at as usize];
        if run.len() < 2 {
            return;
        }
        let has_real = run.iter().any(|at| !view(at).is_made);
        let has_id = !view(&run[0]).id.is_none();
        let mut kept: Vec<u32> = Vec::with_capacity(run.len());
        for at in run.iter() {
            let span = view(at);
            if span.is_made && has_real {
                self.left[*at as usize] = Some(Left::Superseded);
            } else if kept.iter().any(|other| view(other).content == span.content) {
                self.left[*at as usize] = Some(Left::Duplicate);
            } else if let Some(other) = kept.iter_mut().find(|other| has_id && is_version(view(other), span)) {
                let lesser = if fullness(view(other)) >= fullness(span) { *at } else { std::mem::replace(other, *at) };
                self.left[lesser as usize] = Some(Left::Unfinished);
            } else {
                kept.push(*at);
            }
        }
        *run = kept;
    }

    /// New ids, and children that go along with the one of their own process.
    fn give_ids(&mut self, trace: TraceId, spans: &[SpanView], split: &[Split]) {
        let mut moved: Vec<(u64, u32, SpanId)> = Vec::new();
        let mut taken: Vec<SpanId> = Vec::new();
        for Split { at, purpose, reason } in split {
            let span = &spans[*at as usize];
            let id = derive(trace, *purpose, subject(span), |id| self.has(id) || taken.contains(&id));
            taken.push(id);
            self.id[*at as usize] = id;
            self.note(*at, *reason);
            if *purpose == Purpose::Called {
                self.parent[*at as usize] = span.id;
                moved.push((key(span.id), span.process, id));
            }
        }
        for (at, span) in spans.iter().enumerate() {
            let to = moved.iter().find(|(id, process, _)| *id == key(self.parent[at]) && *process == span.process);
            if let Some((_, _, id)) = to.filter(|(_, _, id)| *id != self.id[at] && self.left[at].is_none()) {
                self.parent[at] = *id;
                self.note(at as u32, Reason::SharedId);
            }
        }
    }
}

/// A span that cannot keep its id.
#[derive(Clone, Copy, Debug)]
struct Split {
    at: u32,
    purpose: Purpose,
    reason: Reason,
}

impl Split {
    /// Beside a keeper: the called side of a Zipkin call, or just another.
    fn of(keeper: &SpanView, spans: &[SpanView], at: u32) -> Split {
        let span = &spans[at as usize];
        let is_called = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
        match keeper.is_call() && is_called && keeper.process != span.process {
            true => Split { at, purpose: Purpose::Called, reason: Reason::SharedId },
            false => Split { at, purpose: Purpose::Double, reason: Reason::AmbiguousId },
        }
    }
}

/// Who keeps the id: whoever called, else whoever was first. It is taken out of the run.
fn keeper(spans: &[SpanView], run: &mut Vec<u32>) -> u32 {
    let place = run.iter().position(|at| spans[*at as usize].is_call()).unwrap_or(0);
    run.remove(place)
}

/// Whether two spans are one at two times.
fn is_version(one: &SpanView, other: &SpanView) -> bool {
    (one.start, one.process, one.name, one.kind) == (other.start, other.process, other.name, other.kind)
        && (one.end == 0 || other.end == 0 || one.end <= one.start || other.end <= other.start)
}

fn fullness(span: &SpanView) -> (u64, u64) {
    (span.end, span.content)
}

/// The order of spans with one id, whatever order they came in.
fn order(span: &SpanView) -> (u64, u64, u64) {
    (span.start, key(span.id), span.content)
}

pub(super) fn key(id: SpanId) -> u64 {
    u64::from_be_bytes(id.0)
}

//! What the spans of a trace are to each other, without asking where orphans belong: what is counted of every trace.

use tracetailor_core::telemetry::TraceId;

use super::plan::Reason;
use super::tree::Tree;
use super::{NOBODY, SpanView, ids};

/// The shape of one trace. Spans are named by their place in the list that was given.
#[derive(Clone, Debug)]
pub struct Shape {
    up: Vec<u32>,
    is_taken: Vec<bool>,
    is_left: Vec<bool>,
    reasons: Vec<u16>,
    /// Spans without a parent.
    pub roots: Vec<usize>,
    /// Of several roots the one that leads.
    pub leader: Option<usize>,
    /// Spans whose parent is missing.
    pub orphans: Vec<usize>,
    /// The span below a parent that is somebody else's.
    pub entry: Option<usize>,
    /// It begins somewhere, and no parent is missing.
    pub is_complete: bool,
}

impl Shape {
    /// The span above, where it is there.
    pub fn up(&self, at: usize) -> Option<usize> {
        Some(self.up[at]).filter(|up| *up != NOBODY).map(|up| up as usize)
    }

    /// Whether a span of another process stands below it.
    pub fn is_taken(&self, at: usize) -> bool {
        self.is_taken[at]
    }

    /// Whether it is there once more, or was made by another gateway.
    pub fn is_left(&self, at: usize) -> bool {
        self.is_left[at]
    }

    /// What was wrong with its ids.
    pub fn reasons(&self, at: usize) -> impl Iterator<Item = Reason> + use<> {
        let reasons = self.reasons[at];
        Reason::ALL.into_iter().filter(move |reason| reasons & 1 << *reason as u16 != 0)
    }

    /// Whether anything was.
    pub fn is_odd(&self, at: usize) -> bool {
        self.reasons[at] != 0
    }
}

/// Reads the shape of a trace.
pub fn shape(trace: TraceId, spans: &[SpanView], outside_entry: bool) -> Shape {
    let mut tree = Tree::of(spans, ids::Ids::of(trace, spans));
    tree.cut_cycles();
    tree.find_orphans(outside_entry);
    let leader = tree.leading_root().map(|at| at as usize);
    let is_complete = tree.groups.is_empty() && (!tree.roots.is_empty() || tree.outside.is_some());
    Shape {
        roots: tree.roots.iter().map(|at| *at as usize).collect(),
        leader,
        orphans: tree.members.iter().map(|at| *at as usize).collect(),
        entry: tree.outside.map(|(_, at)| at as usize),
        is_complete,
        is_left: tree.ids.left.iter().zip(spans).map(|(left, span)| left.is_some() || span.is_made).collect(),
        up: tree.up,
        is_taken: tree.is_taken,
        reasons: tree.ids.reasons,
    }
}

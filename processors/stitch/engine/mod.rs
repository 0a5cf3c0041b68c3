//! Where spans belong whose parent is missing: rules over plain records, apart from bytes, so that they can be scored against a known truth.
//!
//! [`repair`] reads the spans of one trace and says what should be done. It does nothing by itself, asks no clock and remembers nothing: its answer
//! depends on the set of spans and on the [`Rules`], not on the order of the spans. The steps, each a file:
//!
//! 1. `ids`: ids that no tree can be built from: none, shared, doubled; parents that go round in a ring.
//! 2. `tree`: who stands below whom; the orphans, grouped by the parent they name. All that name the same one are siblings: that much is
//!    certain.
//! 3. `clocks`: how far the clocks of two processes can be apart, told from the calls between them that are whole.
//! 4. `evidence`, `anchor`: the nearest surviving ancestor of each group, by rules that a span must satisfy to be one. Where several satisfy
//!    them, the nearest that is above all of these; where none does, the root.
//! 5. `plan`: what to do about it, and a last look that the result is a forest.
//!
//! Two rules that one would try first are not here. The smallest span that encloses an orphan in time is the wrong one for about half of
//! all orphans. What calls what as a rule, learned from other traffic, misleads just when a whole process is lost.

mod anchor;
mod clocks;
mod derive;
mod evidence;
mod ids;
mod index;
mod lookup;
mod messages;
mod plan;
mod shape;
mod tree;

use tracetailor_core::telemetry::{SpanId, SpanKind, TraceId};

pub use derive::{Mix, nameless_id};
pub use plan::{Anchored, Left, Made, Plan, Quality, Reason, Role, Touch};
pub use shape::{Shape, shape};

/// One span as the rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanView {
    /// Its id; none where it is zero or of the wrong length.
    pub id: SpanId,
    /// Its parent's id; none for a root.
    pub parent: SpanId,
    /// Nanoseconds since 1970, by the clock of its process.
    pub start: u64,
    /// Nanoseconds since 1970, by the clock of its process.
    pub end: u64,
    /// What it is to its neighbours.
    pub kind: SpanKind,
    /// Whether its parent is in another process, where the sender says so.
    pub remote: Option<bool>,
    /// The process it ran in, by a number of the caller's: equal numbers are one process.
    pub process: u32,
    /// Whether that number stands for one process, and not for all instances of a service.
    pub is_instance: bool,
    /// Its service, by a number of the caller's.
    pub service: u32,
    /// For whom a call is meant.
    pub target: Target,
    /// Where a message goes to or comes from, by a hash of the caller's; 0 where that is not known.
    pub topic: u64,
    /// A call to something that reports no spans, such as a database.
    pub is_leaf: bool,
    /// A hash of its name. Only asked for where spans share an id.
    pub name: u64,
    /// A hash of all that it is. Only asked for where spans share an id, or have none.
    pub content: u64,
    /// It is synthetic: this or another gateway made it before.
    pub is_made: bool,
    /// Its parent's id is neither empty nor eight bytes long.
    pub has_bad_parent: bool,
    /// It has no parent because it was cut off from one: by this or another gateway, before.
    pub was_cut: bool,
}

impl SpanView {
    /// A span of which nothing is known.
    pub const EMPTY: SpanView = SpanView {
        id: SpanId::NONE,
        parent: SpanId::NONE,
        start: 0,
        end: 0,
        kind: SpanKind::Unspecified,
        remote: None,
        process: 0,
        is_instance: true,
        service: 0,
        target: Target::Unknown,
        topic: 0,
        is_leaf: false,
        name: 0,
        content: 0,
        is_made: false,
        has_bad_parent: false,
        was_cut: false,
    };

    /// Whether its parent is in another process: what the sender says, else what its kind says.
    pub fn is_called(&self) -> bool {
        self.remote.unwrap_or(matches!(self.kind, SpanKind::Server | SpanKind::Consumer))
    }

    /// Whether it calls another process.
    pub fn is_call(&self) -> bool {
        matches!(self.kind, SpanKind::Client | SpanKind::Producer)
    }
}

/// For whom a call is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// It does not say, or not in words that could be compared.
    Unknown,
    /// This service of the trace, by its number.
    Service(u32),
    /// Somebody of whom the trace has no span.
    Elsewhere,
}

/// What is done with what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Spans are marked.
    Annotate,
    /// Synthetic spans stand for absent parents.
    Placeholder,
    /// Orphans are given another parent.
    Reparent,
}

/// What the engine goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What is done.
    pub mode: Mode,
    /// The absent parent above the earliest span of a rootless trace is somebody else's.
    pub outside_entry: bool,
    /// Synthetic spans get an id of their own instead of that of the span they stand for.
    pub derived_placeholder_ids: bool,
    /// A trace with more holes is marked and not filled.
    pub most_placeholders: usize,
    /// A trace without a root gets a synthetic one, unless its entry's parent is outside.
    pub missing_root: bool,
    /// Several roots are joined below a synthetic one.
    pub join_roots: bool,
    /// How far clocks may be apart; `None` to tell it from the trace.
    pub clock_tolerance: Option<i64>,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            mode: Mode::Placeholder,
            outside_entry: true,
            derived_placeholder_ids: false,
            most_placeholders: 64,
            missing_root: true,
            join_roots: false,
            clock_tolerance: None,
        }
    }
}

/// No span.
const NOBODY: u32 = u32::MAX;

/// Says what should be done with traces. It remembers nothing of them; what it keeps is the room that its tables take.
#[derive(Debug, Default)]
pub struct Engine {
    search: anchor::Search,
}

/// The tables of a trace with more spans than this are given back.
const MOST_KEPT: usize = 4_096;

impl Engine {
    /// Says what should be done with a trace.
    pub fn repair(&mut self, trace: TraceId, spans: &[SpanView], rules: &Rules) -> Plan {
        let ids = ids::Ids::of(trace, spans);
        let mut tree = tree::Tree::of(spans, ids);
        tree.cut_cycles();
        tree.find_orphans(rules.outside_entry);
        self.search.anchor(&mut tree, rules);
        if spans.len() > MOST_KEPT {
            self.search = anchor::Search::default();
        }
        plan::plan(trace, tree, rules)
    }
}

/// Says what should be done with one trace.
pub fn repair(trace: TraceId, spans: &[SpanView], rules: &Rules) -> Plan {
    Engine::default().repair(trace, spans, rules)
}

#[cfg(test)]
mod tests;

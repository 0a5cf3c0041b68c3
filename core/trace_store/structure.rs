//! What can be known of a trace's shape while its spans arrive: roots, ids seen, parents owed, calls that nobody answered.

use super::Slot;
use super::id_tables::{IdTable, IdTables};
use crate::telemetry::{Head, SpanId, SpanKind, StatusCode};

/// A span with this id has come.
const SEEN: u32 = 1;
/// The span with this id calls another process.
const CALL: u32 = 1 << 1;
/// The call was taken: a span of the called side names this id, or has it too (Zipkin's shared spans).
const ANSWERED: u32 = 1 << 2;
/// Counts, from here up, the spans that name this id as their parent.
const CHILD: u32 = 1 << 3;

/// What a trace's spans add up to, whatever their order was. (Of several spans with one id the first says whether it is a root.)
///
/// A parent that is the span itself is no parent. A span id that is not valid is counted, but nobody can be its child; a parent id that is
/// not valid makes neither a root nor an orphan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Spans that came, duplicates included.
    pub spans: u32,
    /// Spans whose status is `ERROR`.
    pub errors: u32,
    /// Spans without a parent.
    pub roots: u32,
    /// Spans whose id had come already.
    pub duplicates: u32,
    /// Parents that are named and have not come.
    pub open_parents: u32,
    /// Spans whose parent has not come.
    pub orphans: u32,
    /// `CLIENT` and `PRODUCER` spans below which no span of another process has come.
    pub dangling_calls: u32,
    /// The end of whatever ended last.
    pub end: u64,
    /// The span that began first.
    pub earliest: Earliest,
}

/// The span of a trace that began first; among several the one with the smallest id, and one without a start only if none has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earliest {
    /// When it began.
    pub start: u64,
    /// Its id.
    pub span: SpanId,
    /// Its parent.
    pub parent: SpanId,
}

impl Default for Earliest {
    fn default() -> Self {
        Self { start: 0, span: SpanId([u8::MAX; 8]), parent: SpanId::NONE }
    }
}

impl Earliest {
    fn key(&self) -> (bool, u64, SpanId, SpanId) {
        (self.start == 0, self.start, self.span, self.parent)
    }
}

/// The shapes of all open traces of a lane, kept only where a stage asks for them.
#[derive(Debug, Default)]
pub(super) struct Structures {
    shapes: Vec<Shape>,
    tables: IdTables,
}

#[derive(Debug, Default)]
struct Shape {
    counts: Counts,
    ids: IdTable,
}

impl Structures {
    /// Takes note of one more span.
    pub(super) fn observe(&mut self, slot: Slot, head: &Head) {
        if self.shapes.len() <= slot.index() {
            self.shapes.resize_with(slot.index() + 1, Shape::default);
        }
        let Shape { counts, ids } = &mut self.shapes[slot.index()];
        counts.spans += 1;
        counts.errors += u32::from(head.status_code() == StatusCode::Error);
        counts.end = counts.end.max(head.end);
        let earliest = Earliest { start: head.start, span: head.span, parent: head.parent };
        if counts.spans == 1 || earliest.key() < counts.earliest.key() {
            counts.earliest = earliest;
        }
        let is_new = head.span.is_none() || arrive(counts, self.tables.marks(ids, key(head.span)), head);
        if has_parent(head) {
            owe(counts, self.tables.marks(ids, key(head.parent)), head);
        } else if is_new && !head.has(Head::ODD_PARENT_ID) {
            counts.roots += 1;
        }
    }

    /// Forgets a trace.
    pub(super) fn release(&mut self, slot: Slot) {
        if let Some(shape) = self.shapes.get_mut(slot.index()) {
            self.tables.release(std::mem::take(shape).ids);
        }
    }

    /// With nothing held, what a former peak took can go.
    pub(super) fn shrink(&mut self) {
        debug_assert_eq!(self.tables.bytes(), 0);
        self.shapes = Vec::new();
    }

    pub(super) fn view(&self, slot: Slot) -> Option<Structure<'_>> {
        let shape = self.shapes.get(slot.index())?;
        Some(Structure { shape, tables: &self.tables })
    }

    /// What it takes beside the fixed part of each trace.
    pub(super) fn bytes(&self) -> u64 {
        self.tables.bytes()
    }

    /// The fixed part of each trace.
    pub(super) const PER_TRACE: usize = size_of::<Shape>();
}

/// The span itself; false where its id had come before.
fn arrive(counts: &mut Counts, marks: &mut u32, head: &Head) -> bool {
    let was = *marks;
    let role = match head.span_kind() {
        SpanKind::Client | SpanKind::Producer => CALL,
        SpanKind::Server | SpanKind::Consumer => ANSWERED,
        SpanKind::Internal | SpanKind::Unspecified => 0,
    };
    *marks |= SEEN | role;
    count_dangling(counts, was, *marks);
    if was & SEEN != 0 {
        counts.duplicates += 1;
        return false;
    }
    let children = was / CHILD;
    counts.open_parents -= u32::from(children > 0);
    counts.orphans -= children;
    true
}

/// Its parent, come or not.
fn owe(counts: &mut Counts, marks: &mut u32, head: &Head) {
    let was = *marks;
    let from_elsewhere = head.has(Head::REMOTE_KNOWN | Head::REMOTE) || matches!(head.span_kind(), SpanKind::Server | SpanKind::Consumer);
    *marks = was.saturating_add(CHILD) | if from_elsewhere { ANSWERED } else { 0 };
    count_dangling(counts, was, *marks);
    if was & SEEN == 0 {
        counts.open_parents += u32::from(was / CHILD == 0);
        counts.orphans += 1;
    }
}

fn count_dangling(counts: &mut Counts, was: u32, is: u32) {
    counts.dangling_calls += u32::from(dangles(is));
    counts.dangling_calls -= u32::from(dangles(was));
}

fn dangles(marks: u32) -> bool {
    marks & (CALL | ANSWERED) == CALL
}

fn has_parent(head: &Head) -> bool {
    !head.parent.is_none() && head.parent != head.span && !head.has(Head::ODD_PARENT_ID)
}

fn key(span: SpanId) -> u64 {
    u64::from_le_bytes(span.0)
}

/// A trace's shape, to be read.
#[derive(Clone, Copy, Debug)]
pub struct Structure<'a> {
    shape: &'a Shape,
    tables: &'a IdTables,
}

impl<'a> Structure<'a> {
    /// The figures.
    pub fn counts(&self) -> &'a Counts {
        &self.shape.counts
    }

    /// Whether a span with this id has come.
    pub fn has(&self, span: SpanId) -> bool {
        self.marks(span) & SEEN != 0
    }

    /// How many spans name this id as their parent.
    pub fn children(&self, span: SpanId) -> u32 {
        self.marks(span) / CHILD
    }

    /// Whether it is a call that nobody has answered.
    pub fn dangles(&self, span: SpanId) -> bool {
        dangles(self.marks(span))
    }

    /// The parents that are named and have not come, in no order that means anything.
    pub fn open_parents(&self) -> impl Iterator<Item = SpanId> + 'a {
        let absent = self.tables.iter(&self.shape.ids).filter(|(_, marks)| marks & SEEN == 0);
        absent.map(|(id, _)| SpanId(id.to_le_bytes()))
    }

    /// The ids that have come, in no order that means anything.
    pub fn spans(&self) -> impl Iterator<Item = SpanId> + 'a {
        let seen = self.tables.iter(&self.shape.ids).filter(|(_, marks)| marks & SEEN != 0);
        seen.map(|(id, _)| SpanId(id.to_le_bytes()))
    }

    /// The absent parent above the earliest span of a trace without a root: as a rule somebody who calls us and reports elsewhere, such as
    /// a browser or a partner, and not a span that was lost.
    pub fn outside_parent(&self) -> Option<SpanId> {
        let counts = self.counts();
        let parent = counts.earliest.parent;
        let stands_alone = counts.roots == 0 && !parent.is_none() && parent != counts.earliest.span;
        (stands_alone && self.children(parent) > 0 && !self.has(parent)).then_some(parent)
    }

    /// True when there is a root and no parent is owed.
    pub fn is_complete(&self) -> bool {
        self.counts().roots > 0 && self.counts().open_parents == 0
    }

    fn marks(&self, span: SpanId) -> u32 {
        self.tables.get(&self.shape.ids, key(span))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::telemetry::TraceId;

    const SLOT: Slot = Slot(3);

    fn id(n: u8) -> SpanId {
        SpanId([n, 0, 0, 0, 0, 0, 0, if n == 0 { 0 } else { 1 }])
    }

    fn head(span: u8, parent: u8, kind: u8) -> Head {
        Head {
            trace: TraceId([1; 16]),
            span: id(span),
            parent: id(parent),
            kind,
            start: u64::from(span),
            end: u64::from(span) + 5,
            ..Head::EMPTY
        }
    }

    fn observed(heads: &[Head]) -> Structures {
        let mut structures = Structures::default();
        heads.iter().for_each(|head| structures.observe(SLOT, head));
        structures
    }

    fn counts(heads: &[Head]) -> Counts {
        *observed(heads).view(SLOT).expect("observed").counts()
    }

    /// The same figures, from the definitions.
    fn from_scratch(heads: &[Head]) -> Counts {
        let has = |span: SpanId| heads.iter().any(|head| head.span == span);
        let parent = |head: &&Head| has_parent(head);
        let mut ids: Vec<SpanId> = heads.iter().map(|head| head.span).collect();
        ids.sort();
        ids.dedup();
        let mut absent: Vec<SpanId> = heads.iter().filter(parent).map(|head| head.parent).filter(|parent| !has(*parent)).collect();
        let orphans = absent.len();
        absent.sort();
        absent.dedup();
        let of = |span: SpanId| heads.iter().filter(move |head| head.span == span);
        let outgoing = |head: &Head| matches!(head.span_kind(), SpanKind::Client | SpanKind::Producer);
        let incoming = |head: &Head| matches!(head.span_kind(), SpanKind::Server | SpanKind::Consumer);
        let dangling = ids.iter().filter(|span| {
            let called = of(**span).any(outgoing);
            let taken = of(**span).any(incoming);
            let child = |head: &&Head| has_parent(head) && head.parent == **span;
            called && !taken && !heads.iter().filter(child).any(|head| incoming(head) || head.has(Head::REMOTE))
        });
        let first_of_its_id = |at: usize| !heads[..at].iter().any(|other| other.span == heads[at].span);
        let root = |head: &Head| !has_parent(head) && !head.has(Head::ODD_PARENT_ID);
        let roots = (0..heads.len()).filter(|at| root(&heads[*at]) && first_of_its_id(*at));
        let earliest = heads.iter().min_by_key(|head| (head.start == 0, head.start, head.span, head.parent)).expect("a span");
        Counts {
            spans: heads.len() as u32,
            errors: heads.iter().filter(|head| head.status == 2).count() as u32,
            roots: roots.count() as u32,
            duplicates: (heads.len() - ids.len()) as u32,
            open_parents: absent.len() as u32,
            orphans: orphans as u32,
            dangling_calls: dangling.count() as u32,
            end: heads.iter().map(|head| head.end).max().expect("a span"),
            earliest: Earliest { start: earliest.start, span: earliest.span, parent: earliest.parent },
        }
    }

    #[test]
    fn a_parent_that_comes_late_makes_its_children_whole() {
        let (root, child, grandchild) = (head(1, 0, 2), head(2, 1, 1), head(3, 2, 1));
        let before = counts(&[grandchild, root]);
        assert_eq!((before.open_parents, before.orphans, before.roots), (1, 1, 1));
        let after = counts(&[grandchild, root, child]);
        assert_eq!((after.open_parents, after.orphans), (0, 0));
    }

    #[test]
    fn a_call_is_answered_by_a_server_a_remote_child_or_a_shared_id() {
        let call = head(1, 0, 3);
        assert_eq!(counts(&[call]).dangling_calls, 1);
        assert_eq!(counts(&[call, head(2, 1, 1)]).dangling_calls, 1, "a child of the same process answers nothing");
        assert_eq!(counts(&[call, head(2, 1, 2)]).dangling_calls, 0);
        let remote = Head { flags: Head::REMOTE_KNOWN | Head::REMOTE, ..head(2, 1, 1) };
        assert_eq!(counts(&[remote, call]).dangling_calls, 0);
        assert_eq!(counts(&[call, head(1, 0, 2)]).dangling_calls, 0);
    }

    #[test]
    fn the_parent_above_a_rootless_trace_is_outside() {
        let outside = |heads: &[Head]| observed(heads).view(SLOT).expect("observed").outside_parent();
        assert_eq!(outside(&[head(3, 2, 1), head(2, 9, 2)]), Some(id(9)));
        assert_eq!(outside(&[head(3, 8, 1), head(2, 9, 2)]), Some(id(9)), "the later orphan was lost, not called from outside");
        assert_eq!(outside(&[head(3, 2, 1), head(2, 9, 2), head(4, 0, 2)]), None, "there is a root");
    }

    #[test]
    fn what_is_released_is_forgotten() {
        let mut structures = observed(&[head(1, 0, 2), head(2, 7, 1)]);
        structures.release(SLOT);
        assert_eq!(structures.bytes(), 0);
        structures.observe(SLOT, &head(7, 0, 1));
        let view = structures.view(SLOT).expect("observed");
        assert_eq!((view.counts().spans, view.counts().roots, view.children(id(7))), (1, 1, 0));
    }

    fn any_head() -> impl Strategy<Value = Head> {
        (0u8..12, 0u8..12, 0u8..6, 0u64..6, 0u8..3, 0u8..6).prop_map(|(span, parent, kind, start, status, odd)| {
            let flags = [0, 0, 0, Head::REMOTE_KNOWN | Head::REMOTE, Head::REMOTE_KNOWN, Head::ODD_PARENT_ID][usize::from(odd)];
            // Zero ids only among the parents: `ids` of the plain count would call several of them duplicates.
            Head { start, status, flags, end: start + u64::from(span), ..head(span + 1, parent, kind) }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn agrees_with_the_definitions(heads in proptest::collection::vec(any_head(), 1..30)) {
            let structures = observed(&heads);
            let view = structures.view(SLOT).expect("observed");
            prop_assert_eq!(*view.counts(), from_scratch(&heads));
            prop_assert_eq!(view.open_parents().count() as u32, view.counts().open_parents);
            prop_assert!(heads.iter().all(|head| view.has(head.span)));
            let dangling = view.spans().filter(|span| view.dangles(*span)).count();
            prop_assert_eq!(dangling as u32, view.counts().dangling_calls);
        }
    }
}

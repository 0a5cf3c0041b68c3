//! Who stands below whom: the tree as far as it is there, its roots, and its orphans by the parent they name.

use tracetailor_core::telemetry::{SpanId, SpanKind};

use super::ids::{Ids, key};
use super::plan::Reason;
use super::{NOBODY, SpanView};

/// Where its top is just being looked for.
const ON_THE_WAY: u32 = NOBODY - 1;

/// A trace whose ids are in order.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) spans: &'a [SpanView],
    pub(super) ids: Ids,
    /// Spans that stay, by their start.
    pub(super) order: Vec<u32>,
    /// The span above; [`NOBODY`] where there is none, or it is absent.
    pub(super) up: Vec<u32>,
    /// The span at the top of the piece that each belongs to.
    pub(super) top: Vec<u32>,
    /// The group that an orphan belongs to; [`NOBODY`] for all others.
    pub(super) group_of: Vec<u32>,
    /// A span of another process stands below it.
    pub(super) is_taken: Vec<bool>,
    /// Orphans by the absent parent they name, in the order of their earliest.
    pub(super) groups: Vec<Group>,
    /// Members of all groups, one group behind the other.
    pub(super) members: Vec<u32>,
    pub(super) roots: Vec<u32>,
    /// The absent parent that is somebody else's, and the earliest span, which stands below it.
    pub(super) outside: Option<(SpanId, u32)>,
}

/// The orphans of one absent parent.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) absent: SpanId,
    first: u32,
    len: u32,
    /// Where it was found to belong.
    pub(super) anchor: Anchor,
}

/// Where a group belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Nothing says where.
    Nowhere,
    /// One span satisfied the rules.
    Single(u32),
    /// Several did; this is above them all.
    Common(u32),
    /// None did; this is the root.
    Root(u32),
}

impl Anchor {
    pub(super) fn span(self) -> u32 {
        match self {
            Anchor::Nowhere => NOBODY,
            Anchor::Single(at) | Anchor::Common(at) | Anchor::Root(at) => at,
        }
    }
}

impl<'a> Tree<'a> {
    pub(super) fn of(spans: &'a [SpanView], ids: Ids) -> Self {
        let count = spans.len();
        let mut kept: Vec<(u64, u32)> = Vec::with_capacity(count);
        kept.extend((0..count as u32).filter(|at| ids.left[*at as usize].is_none()).map(|at| (spans[at as usize].start, at)));
        // Both are compared at once, since nobody could foresee how the comparison of one of them ends.
        kept.sort_unstable_by_key(|(start, at)| u128::from(*start) << u32::BITS | u128::from(*at));
        for run in kept.chunk_by_mut(|one, next| one.0 == next.0).filter(|run| run.len() > 1) {
            run.sort_unstable_by_key(|(_, at)| key(ids.id[*at as usize]));
        }
        let mut tree = Tree {
            spans,
            ids,
            order: kept.into_iter().map(|(_, at)| at).collect(),
            up: vec![NOBODY; count],
            top: Vec::new(),
            group_of: vec![NOBODY; count],
            is_taken: vec![false; count],
            groups: Vec::new(),
            members: Vec::new(),
            roots: Vec::new(),
            outside: None,
        };
        tree.link();
        tree
    }

    pub(super) fn span(&self, at: u32) -> &'a SpanView {
        &self.spans[at as usize]
    }

    /// Its place among all others: by its start, and then by the id that it leaves with, so that a second time the order is the same.
    pub(super) fn rank(&self, at: u32) -> (u64, u64) {
        (self.spans[at as usize].start, key(self.ids.id[at as usize]))
    }

    pub(super) fn parent(&self, at: u32) -> SpanId {
        self.ids.parent[at as usize]
    }

    pub(super) fn members(&self, group: usize) -> &[u32] {
        let Group { first, len, .. } = self.groups[group];
        &self.members[first as usize..][..len as usize]
    }

    fn link(&mut self) {
        for at in &self.order {
            let parent = self.ids.parent[*at as usize];
            if parent.is_none() {
                continue;
            }
            self.up[*at as usize] = self.ids.find(parent);
        }
    }

    /// Opens every ring of parents at its earliest span, and finds the top of every piece.
    pub(super) fn cut_cycles(&mut self) {
        self.top = vec![NOBODY; self.spans.len()];
        let mut way = Vec::new();
        for number in 0..self.order.len() {
            // As a rule a parent has begun before its children.
            let from = self.order[number];
            let up = self.up[from as usize];
            let known = if up == NOBODY { from } else { self.top[up as usize] };
            if known == NOBODY {
                self.climb(from, &mut way);
            } else {
                self.top[from as usize] = known;
            }
        }
    }

    /// Finds the top of a span and of all on the way.
    fn climb(&mut self, from: u32, way: &mut Vec<u32>) {
        let mut at = from;
        while self.top[at as usize] == NOBODY {
            self.top[at as usize] = ON_THE_WAY;
            way.push(at);
            let up = self.up[at as usize];
            if up == NOBODY {
                self.top[at as usize] = at;
            } else if self.top[up as usize] == ON_THE_WAY {
                self.cut_ring(up);
                way.drain(..).for_each(|at| self.top[at as usize] = NOBODY);
                at = from;
            } else {
                at = up;
            }
        }
        let top = self.top[at as usize];
        way.drain(..).for_each(|at| self.top[at as usize] = top);
    }

    fn cut_ring(&mut self, at: u32) {
        let ring = std::iter::successors(Some(at), |span| Some(self.up[*span as usize]).filter(|up| *up != at));
        let earliest = ring.min_by_key(|span| self.rank(*span));
        if let Some(span) = earliest {
            self.up[span as usize] = NOBODY;
            self.ids.parent[span as usize] = SpanId::NONE;
            self.ids.note(span, Reason::Cycle);
        }
    }

    /// Finds roots, orphans, and the parent that is outside.
    pub(super) fn find_orphans(&mut self, outside_entry: bool) {
        let broken = 1 << Reason::Cycle as u16 | 1 << Reason::BadParent as u16;
        let mut orphans: Vec<u32> = Vec::new();
        for at in &self.order {
            let up = self.up[*at as usize];
            if up != NOBODY {
                self.is_taken[up as usize] |= self.spans[*at as usize].is_called();
                continue;
            }
            if !self.ids.parent[*at as usize].is_none() {
                orphans.push(*at);
            } else if self.ids.reasons[*at as usize] & broken == 0 && !self.span(*at).is_made && !self.span(*at).was_cut {
                self.roots.push(*at);
            }
        }
        if outside_entry && self.roots.is_empty() {
            self.outside = self.earliest().map(|at| (self.parent(at), at)).filter(|(_, at)| orphans.contains(at));
        }
        if let Some((outside, _)) = self.outside {
            orphans.retain(|at| self.ids.parent[*at as usize] != outside);
        }
        self.group(orphans);
    }

    /// The received span that began first; one without a start only if none has one.
    pub(super) fn earliest(&self) -> Option<u32> {
        let mut received = self.order.iter().filter(|at| !self.span(**at).is_made);
        let first = received.clone().next();
        received.find(|at| self.span(**at).start > 0).or(first).copied()
    }

    /// Orphans come by their start; groups are in the order of their first.
    fn group(&mut self, mut orphans: Vec<u32>) {
        orphans.sort_by_key(|at| key(self.parent(*at)));
        let mut groups: Vec<Group> = Vec::new();
        for (place, at) in orphans.iter().enumerate() {
            let absent = self.parent(*at);
            match groups.last_mut() {
                Some(group) if group.absent == absent => group.len += 1,
                _ => groups.push(Group { absent, first: place as u32, len: 1, anchor: Anchor::Nowhere }),
            }
        }
        groups.sort_by_key(|group| {
            let earliest = orphans[group.first as usize];
            (self.rank(earliest), key(group.absent))
        });
        for (number, group) in groups.iter().enumerate() {
            for at in &orphans[group.first as usize..][..group.len as usize] {
                self.group_of[*at as usize] = number as u32;
            }
        }
        (self.groups, self.members) = (groups, orphans);
    }

    /// The span above, also where it was found by the rules.
    pub(super) fn above(&self, at: u32) -> u32 {
        match self.group_of[at as usize] {
            NOBODY => self.up[at as usize],
            group => self.groups[group as usize].anchor.span(),
        }
    }

    /// The group that a group was put below.
    pub(super) fn group_above(&self, group: usize) -> Option<usize> {
        let anchor = self.groups[group].anchor.span();
        if anchor == NOBODY {
            return None;
        }
        Some(self.group_of[self.top[anchor as usize] as usize]).filter(|above| *above != NOBODY).map(|above| above as usize)
    }

    /// The span itself and all above it.
    pub(super) fn line(&self, at: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(at), |at| Some(self.above(*at)).filter(|up| *up != NOBODY))
    }

    /// Of several roots the one that leads: the earliest that serves somebody, else the longest, else the one with the smallest id.
    pub(super) fn leading_root(&self) -> Option<u32> {
        let serves = |at: &u32| matches!(self.span(*at).kind, SpanKind::Server | SpanKind::Consumer);
        let earliest = self.roots.iter().filter(|at| serves(at)).min_by_key(|at| self.rank(**at));
        let length = |at: &u32| std::cmp::Reverse(self.span(*at).end.saturating_sub(self.span(*at).start));
        earliest.or_else(|| self.roots.iter().min_by_key(|at| (length(at), key(self.ids.id[**at as usize])))).copied()
    }
}

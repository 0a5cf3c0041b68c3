//! What to do about a trace, as plain data, and a last look that the result is a forest.

use tracetailor_core::telemetry::{SpanId, SpanKind, TraceId};

use super::derive::{Purpose, derive};
use super::ids::key;
use super::tree::{Anchor, Tree};
use super::{Mode, NOBODY, Rules};

/// What should be done with a trace. Spans are named by their place in the list that was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Spans to leave out.
    pub left: Vec<(usize, Left)>,
    /// Spans to change or to mark, each once, in the order of the list.
    pub touched: Vec<Touch>,
    /// Spans to add.
    pub made: Vec<Made>,
    /// What was found.
    pub quality: Quality,
    /// The span that says so: the leading root, or the earliest span where there is none; nobody where a root was made before.
    pub leader: Option<usize>,
    /// There were more holes than may be filled, so they are marked and not filled.
    pub is_capped: bool,
    /// The result would have been no forest, so nothing is done.
    pub is_refused: bool,
}

/// Why a span is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Left {
    /// It is there twice, byte for byte.
    Duplicate,
    /// It is there as it was finished, too.
    Unfinished,
    /// It was made for a span that has come.
    Superseded,
}

/// What is changed of a span that was received, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Which.
    pub span: usize,
    /// Its new id.
    pub id: Option<SpanId>,
    /// Its new parent; none to have none.
    pub parent: Option<SpanId>,
    /// It is an orphan of this absent parent, and stays one.
    pub orphan_of: Option<SpanId>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Why a span was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It had no id, or one of the wrong length.
    NoId,
    /// Its id was that of its caller, or its parent was the called side of such an id.
    SharedId,
    /// Another span had its id.
    AmbiguousId,
    /// It was its own parent.
    SelfParent,
    /// Its parent's id had the wrong length.
    BadParent,
    /// Its parents went round in a ring.
    Cycle,
    /// Its parent is missing; it stands below the nearest ancestor that was found.
    Reparented,
    /// Its parent is missing; it stands below a span made in its place.
    Placeholder,
    /// It stands below a root that was made.
    Joined,
    /// It is a root beside the one that leads.
    SecondRoot,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 10] = [
        Reason::NoId,
        Reason::SharedId,
        Reason::AmbiguousId,
        Reason::SelfParent,
        Reason::BadParent,
        Reason::Cycle,
        Reason::Reparented,
        Reason::Placeholder,
        Reason::Joined,
        Reason::SecondRoot,
    ];

    /// As a mark spells it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::NoId => "no_span_id",
            Reason::SharedId => "shared_id",
            Reason::AmbiguousId => "ambiguous_id",
            Reason::SelfParent => "self_parent",
            Reason::BadParent => "bad_parent_id",
            Reason::Cycle => "cycle",
            Reason::Reparented => "reparented",
            Reason::Placeholder => "placeholder",
            Reason::Joined => "joined",
            Reason::SecondRoot => "second_root",
        }
    }
}

/// A span to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub id: SpanId,
    /// Its parent.
    pub parent: SpanId,
    /// What it stands for.
    pub role: Role,
    /// When the earliest of its children began.
    pub start: u64,
    /// When the last of its children ended.
    pub end: u64,
    /// What it was to its neighbours.
    pub kind: SpanKind,
    /// Spans that stand below it, the earliest first.
    pub below: Vec<usize>,
    /// It was in the same process as they were.
    pub is_local: bool,
    /// How many children it has.
    pub children: usize,
    /// How its place was found.
    pub anchored: Anchored,
    /// The span that it was found to belong below; none where none was found.
    pub anchor: SpanId,
}

/// What a span that was made stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A parent that is missing: this one.
    Parent(SpanId),
    /// A root that is missing, or that several roots are joined by.
    Root,
}

/// How a place was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchored {
    /// One span satisfied the rules.
    Single,
    /// Several did; their nearest common ancestor was taken.
    Lca,
    /// None did; the root was taken.
    Root,
    /// It was not.
    None,
}

impl Anchored {
    /// Every way.
    pub const ALL: [Anchored; 4] = [Anchored::Single, Anchored::Lca, Anchored::Root, Anchored::None];

    /// As a mark spells it.
    pub fn name(self) -> &'static str {
        match self {
            Anchored::Single => "single",
            Anchored::Lca => "lca",
            Anchored::Root => "root",
            Anchored::None => "none",
        }
    }
}

impl From<Anchor> for Anchored {
    fn from(anchor: Anchor) -> Self {
        match anchor {
            Anchor::Nowhere => Anchored::None,
            Anchor::Single(_) => Anchored::Single,
            Anchor::Common(_) => Anchored::Lca,
            Anchor::Root(_) => Anchored::Root,
        }
    }
}

/// What was found of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    /// Spans without a parent.
    pub roots: usize,
    /// Spans whose parent is missing.
    pub orphans: usize,
    /// Parents that are missing.
    pub orphan_groups: usize,
    /// Of these, how many no place was found for.
    pub unresolved: usize,
    /// The parent above its entry that reports elsewhere.
    pub outside: Option<SpanId>,
    /// It begins somewhere, and no parent is missing.
    pub is_complete: bool,
}

/// Puts together what the steps before have found.
pub(super) fn plan(trace: TraceId, tree: Tree<'_>, rules: &Rules) -> Plan {
    let quality = quality(&tree);
    let is_capped = rules.mode == Mode::Placeholder && tree.groups.len() > rules.most_placeholders;
    let mode = if is_capped { Mode::Annotate } else { rules.mode };
    // Where a root was made before, it says what there is to say.
    let is_treated = tree.outside.is_none() && tree.order.iter().any(|at| tree.span(*at).is_made);
    let leader = tree.leading_root().or_else(|| tree.earliest().filter(|_| !is_treated));
    let mut draft = Draft { trace, tree, made: Vec::new(), orphans: Vec::new() };
    draft.mark_roots(leader);
    match mode {
        Mode::Annotate => draft.mark_orphans(|_| true),
        Mode::Reparent => draft.reparent(),
        Mode::Placeholder => draft.fill(rules),
    }
    let plan = draft.finish(quality, leader, is_capped);
    if plan.is_forest { plan.plan } else { Plan { quality: plan.plan.quality, is_refused: true, ..Plan::default() } }
}

fn quality(tree: &Tree<'_>) -> Quality {
    Quality {
        roots: tree.roots.len(),
        orphans: tree.members.len(),
        orphan_groups: tree.groups.len(),
        unresolved: tree.groups.iter().filter(|group| group.anchor == Anchor::Nowhere).count(),
        outside: tree.outside.map(|(outside, _)| outside),
        is_complete: tree.groups.is_empty() && (!tree.roots.is_empty() || tree.outside.is_some()),
    }
}

struct Draft<'a> {
    trace: TraceId,
    tree: Tree<'a>,
    made: Vec<Made>,
    /// Orphans that stay orphans.
    orphans: Vec<(u32, SpanId)>,
}

struct Checked {
    plan: Plan,
    is_forest: bool,
}

impl Draft<'_> {
    fn mark_roots(&mut self, leader: Option<u32>) {
        for at in self.tree.roots.clone().into_iter().filter(|at| Some(*at) != leader) {
            self.tree.ids.note(at, Reason::SecondRoot);
        }
    }

    fn mark_orphans(&mut self, which: impl Fn(Anchor) -> bool) {
        for (number, group) in self.tree.groups.iter().enumerate().filter(|(_, group)| which(group.anchor)) {
            self.orphans.extend(self.tree.members(number).iter().map(|at| (*at, group.absent)));
        }
    }

    fn reparent(&mut self) {
        self.mark_orphans(|anchor| anchor == Anchor::Nowhere);
        for number in 0..self.tree.groups.len() {
            let anchor = self.tree.groups[number].anchor.span();
            if anchor == NOBODY {
                continue;
            }
            for at in self.tree.members(number).to_vec() {
                self.tree.ids.parent[at as usize] = self.tree.ids.id[anchor as usize];
                self.tree.ids.note(at, Reason::Reparented);
            }
        }
    }

    fn fill(&mut self, rules: &Rules) {
        let is_rootless = self.tree.roots.is_empty() && self.tree.outside.is_none() && rules.missing_root;
        let above = match is_rootless || rules.join_roots && self.tree.roots.len() > 1 {
            true => self.make_root(),
            false => SpanId::NONE,
        };
        for number in 0..self.tree.groups.len() {
            self.make_parent(number, rules.derived_placeholder_ids, above);
        }
    }

    /// A root over all that has no parent.
    fn make_root(&mut self) -> SpanId {
        let tree = &self.tree;
        let begins = |at: &&u32| tree.ids.parent[**at as usize].is_none() && !tree.span(**at).is_made;
        let below: Vec<u32> = tree.order.iter().filter(begins).copied().collect();
        let lost = tree.groups.iter().enumerate().filter(|(_, group)| group.anchor == Anchor::Nowhere);
        let mut all: Vec<u32> = below.iter().copied().chain(lost.clone().flat_map(|(number, _)| tree.members(number)).copied()).collect();
        all.sort_unstable_by_key(|at| tree.rank(*at));
        if all.is_empty() {
            return SpanId::NONE;
        }
        let id = derive(self.trace, Purpose::Root, 0, |id| tree.ids.has(id) || tree.groups.iter().any(|group| group.absent == id));
        let made = Made {
            id,
            parent: SpanId::NONE,
            role: Role::Root,
            start: all.iter().map(|at| tree.span(*at).start).min().unwrap_or_default(),
            end: tree.order.iter().map(|at| tree.span(*at).end).max().unwrap_or_default(),
            kind: SpanKind::Internal,
            below: all.iter().map(|at| *at as usize).collect(),
            is_local: false,
            children: below.len() + lost.count(),
            anchored: Anchored::None,
            anchor: SpanId::NONE,
        };
        for at in below {
            self.tree.ids.parent[at as usize] = id;
            self.tree.ids.note(at, Reason::Joined);
        }
        self.made.push(made);
        id
    }

    /// A span in the place of the one that a group's spans name.
    fn make_parent(&mut self, number: usize, is_derived: bool, root: SpanId) {
        let tree = &self.tree;
        let (group, members) = (&tree.groups[number], tree.members(number));
        let first = tree.span(members[0]);
        let absent = group.absent;
        let id = match is_derived {
            true => derive(self.trace, Purpose::Placeholder, key(absent), |id| {
                tree.ids.has(id) || tree.groups.iter().any(|group| group.absent == id)
            }),
            false => absent,
        };
        let anchor = match group.anchor.span() {
            NOBODY => SpanId::NONE,
            at => tree.ids.id[at as usize],
        };
        let made = Made {
            id,
            parent: if anchor.is_none() { root } else { anchor },
            role: Role::Parent(absent),
            start: members.iter().map(|at| tree.span(*at).start).min().unwrap_or_default(),
            end: members.iter().map(|at| tree.span(*at).end).max().unwrap_or_default(),
            kind: match (first.is_called(), first.kind) {
                (true, SpanKind::Consumer) => SpanKind::Producer,
                (true, _) => SpanKind::Client,
                (false, _) => SpanKind::Internal,
            },
            below: members.iter().map(|at| *at as usize).collect(),
            is_local: !first.is_called(),
            children: members.len(),
            anchored: group.anchor.into(),
            anchor,
        };
        self.made.push(made);
        if is_derived {
            for at in self.tree.members(number).to_vec() {
                self.tree.ids.parent[at as usize] = id;
                self.tree.ids.note(at, Reason::Placeholder);
            }
        }
    }

    fn finish(self, quality: Quality, leader: Option<u32>, is_capped: bool) -> Checked {
        let Draft { tree, made, mut orphans, .. } = self;
        orphans.sort_unstable();
        let ids = &tree.ids;
        let mut touched = Vec::new();
        for (at, span) in tree.spans.iter().enumerate().filter(|(at, _)| ids.left[*at].is_none()) {
            let orphan_of = orphans.binary_search_by_key(&(at as u32), |(at, _)| *at).ok().map(|place| orphans[place].1);
            let id = (ids.id[at] != span.id).then_some(ids.id[at]);
            let parent = (ids.parent[at] != span.parent || span.has_bad_parent).then_some(ids.parent[at]);
            if id.is_some() || parent.is_some() || orphan_of.is_some() || ids.reasons[at] != 0 {
                let reasons = Reason::ALL.into_iter().filter(|reason| ids.reasons[at] & 1 << *reason as u16 != 0).collect();
                touched.push(Touch { span: at, id, parent, orphan_of, reasons });
            }
        }
        let left = ids.left.iter().enumerate().filter_map(|(at, left)| left.map(|left| (at, left))).collect();
        // What was not changed is a tree since its rings were cut, and has its ids for itself; so have absent parents.
        let is_as_received = touched.iter().all(|touch| touch.id.is_none() && touch.parent.is_none());
        let has_own_ids = made.iter().all(|made| made.role == Role::Parent(made.id));
        let is_forest = match is_as_received && has_own_ids {
            true => made.is_empty() || goes_round(&tree).is_none(),
            false => is_forest(&tree, &made),
        };
        let leader = leader.map(|at| at as usize);
        Checked { plan: Plan { left, touched, made, quality, leader, is_capped, is_refused: false }, is_forest }
    }
}

/// A group that was put below itself, if one was: what it was put below is below another, and so on.
fn goes_round(tree: &Tree<'_>) -> Option<usize> {
    let mut seen = vec![0; tree.groups.len()];
    (0..tree.groups.len()).find(|from| {
        let mut at = *from;
        loop {
            if seen[at] != 0 {
                return seen[at] == from + 1;
            }
            seen[at] = from + 1;
            match tree.group_above(at) {
                Some(above) => at = above,
                None => return false,
            }
        }
    })
}

/// Whether every id stands once, and nobody stands above itself.
fn is_forest(tree: &Tree<'_>, made: &[Made]) -> bool {
    let spans = tree.order.iter().map(|at| (key(tree.ids.id[*at as usize]), key(tree.ids.parent[*at as usize])));
    let mut nodes: Vec<(u64, u64)> = spans.chain(made.iter().map(|made| (key(made.id), key(made.parent)))).collect();
    nodes.sort_unstable();
    if nodes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return false;
    }
    let up = |parent: u64| nodes.binary_search_by_key(&parent, |(id, _)| *id).ok();
    let mut seen = vec![0; nodes.len()];
    for from in 0..nodes.len() {
        let mut at = Some(from);
        while let Some(node) = at.filter(|node| seen[*node] == 0) {
            seen[node] = from + 1;
            at = up(nodes[node].1);
        }
        if at.is_some_and(|node| seen[node] == from + 1) {
            return false;
        }
    }
    true
}

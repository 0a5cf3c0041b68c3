//! Why a unit ended: a component and a reason, named once when a component is built and counted by number ever after.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::column::{Column, Side};

/// A component and a reason, as a number. [`Books::cause`](super::Books::cause) gives it; it means nothing to other books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause(u16);

impl Cause {
    /// How many causes there can be. Causes come from the configuration, never from what was received, so nobody comes near; the bound is
    /// for the one mistake that would fill memory and every dashboard.
    pub const MAX: usize = 4096;

    /// No reason needed: what the plain columns are counted under.
    pub(super) const NONE: Cause = Cause(0);
    /// What every cause beyond the [bound](Cause::MAX) is counted as.
    pub const OVERFLOW: Cause = Cause(1);
    /// A share was dropped before anybody decided about its units.
    pub const UNACCOUNTED: Cause = Cause(2);
    /// A panic took the units along.
    pub const PANIC: Cause = Cause(3);
    /// Units were left to be replayed by an origin that cannot replay.
    pub const NOT_REPLAYABLE: Cause = Cause(4);

    /// The names of those above, in their order.
    const OURS: [(&str, &str); 5] =
        [("ledger", "none"), ("ledger", "overflow"), ("ledger", "unaccounted"), ("ledger", "panic"), ("ledger", "not_replayable")];

    fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What a cause is called: the two labels of its metric.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CauseName {
    /// The component's id, as in the configuration: `tail_sampling/strict`.
    pub component: String,
    /// The reason, as the component's README names it: `not_sampled`.
    pub reason: String,
}

/// The names of all causes, and the way back.
pub(super) struct Causes {
    names: Vec<CauseName>,
    numbers: HashMap<CauseName, Cause>,
}

impl Causes {
    pub(super) fn new() -> Self {
        let mut causes = Self { names: Vec::new(), numbers: HashMap::new() };
        for (component, reason) in Cause::OURS {
            causes.intern(component, reason);
        }
        causes
    }

    pub(super) fn intern(&mut self, component: &str, reason: &str) -> Cause {
        let name = CauseName { component: component.to_owned(), reason: reason.to_owned() };
        if let Some(known) = self.numbers.get(&name) {
            return *known;
        }
        let cause = match u16::try_from(self.names.len()) {
            Ok(number) if usize::from(number) < Cause::MAX => Cause(number),
            _ => return Cause::OVERFLOW,
        };
        self.names.push(name.clone());
        self.numbers.insert(name, cause);
        cause
    }

    /// The name of a cause; one that other books gave out reads as the overflow.
    pub(super) fn name(&self, cause: Cause) -> CauseName {
        self.names.get(cause.index()).unwrap_or(&self.names[Cause::OVERFLOW.index()]).clone()
    }
}

/// A counter per column. Aligned so that two causes, counted by two threads, never meet on a cache line.
#[derive(Default)]
#[repr(align(128))]
struct Row([AtomicU64; Column::ALL.len()]);

/// How many rows are made at a time. The first page holds the plain columns and, in most gateways, every cause there is.
const PAGE: usize = 64;

/// What one line has counted: a number per cause and column. Counting takes no lock; pages are made as their causes first occur.
/// Aligned because every count reads the page's place: the count of references beside it changes all the time.
#[repr(align(128))]
pub(super) struct Counts {
    pages: [OnceLock<Box<[Row; PAGE]>>; Cause::MAX / PAGE],
}

impl Counts {
    pub(super) fn new() -> Self {
        Self { pages: [const { OnceLock::new() }; Cause::MAX / PAGE] }
    }

    /// Released, so that a reader who sees a unit go also sees that it came.
    pub(super) fn add(&self, column: Column, cause: Cause, n: u64) {
        let page = self.pages[cause.index() / PAGE].get_or_init(|| Box::new(std::array::from_fn(|_| Row::default())));
        page[cause.index() % PAGE].0[column as usize].fetch_add(n, Ordering::Release);
    }

    /// Everything on one side that is not zero.
    pub(super) fn read(&self, side: Side) -> Vec<(Column, Cause, u64)> {
        let mut found = Vec::new();
        for (number, row) in (0u16..).zip(self.rows()) {
            let Some(row) = row else { continue };
            for column in Column::ALL.into_iter().filter(|column| column.side() == side) {
                let n = row.0[column as usize].load(Ordering::Acquire);
                if n > 0 {
                    found.push((column, Cause(number), n));
                }
            }
        }
        found
    }

    fn rows(&self) -> impl Iterator<Item = Option<&Row>> {
        self.pages.iter().flat_map(|page| {
            let page = page.get();
            (0..PAGE).map(move |at| page.map(|rows| &rows[at]))
        })
    }
}

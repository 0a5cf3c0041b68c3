//! Remembers what was computed from a context, so that it is computed once per distinct resource and not once per span.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::Context;

/// What a processor computed from contexts: a service's name, a redacted form, a condition's outcome.
///
/// What is remembered must depend on the context and on the processor's configuration alone. A processor that is reconfigured takes a new cache.
/// Entries of contexts that are gone are swept out as new ones come, and there are never more than [`ContextCache::MOST`]. No context is kept
/// alive, unless the cache is a [lingering](ContextCache::lingering) one: then the last few are.
///
/// ```
/// # use std::sync::Arc;
/// # use tracetailor_core::telemetry::{Context, ContextCache};
/// fn is_ours(cache: &mut ContextCache<bool>, context: &Arc<Context>) -> bool {
///     *cache.get(context, |context| context.resource_attribute("team").is_some())
/// }
/// ```
#[derive(Debug)]
pub struct ContextCache<T> {
    entries: HashMap<u64, Entry<T>, RandomState>,
    /// At this size the dead are swept out, so that sweeping costs each new entry a constant.
    sweep_at: usize,
    /// What is kept alive, where anything is.
    lately: Option<Lately>,
}

/// Contexts that are kept alive so that they are known when they come again, the newest last.
#[derive(Debug, Default)]
struct Lately {
    contexts: VecDeque<Arc<Context>>,
    bytes: usize,
}

impl Lately {
    /// A resource is as large as its sender likes, so both numbers are bounded. One that is too large by itself would push out all the others.
    fn keep(&mut self, context: &Arc<Context>) {
        if context.size() > MOST_KEPT_BYTES / 8 {
            return;
        }
        self.contexts.push_back(Arc::clone(context));
        self.bytes += context.size();
        while self.contexts.len() > MOST_KEPT || self.bytes > MOST_KEPT_BYTES {
            let Some(oldest) = self.contexts.pop_front() else { return };
            self.bytes -= oldest.size();
        }
    }
}

/// How many contexts a cache keeps alive at most, where it keeps any, and how many bytes of them: few beside a batch.
const MOST_KEPT: usize = 512;
const MOST_KEPT_BYTES: usize = 1 << 20;

#[derive(Debug)]
struct Entry<T> {
    context: Weak<Context>,
    computed: T,
}

impl<T> Default for ContextCache<T> {
    fn default() -> Self {
        Self { entries: HashMap::default(), sweep_at: Self::SMALL, lately: None }
    }
}

impl<T> ContextCache<T> {
    /// How many contexts it remembers at most; when so many live at once, it begins again.
    pub const MOST: usize = 1 << 16;
    const SMALL: usize = 64;

    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one that keeps the last contexts alive of which it computed anything, some hundreds. Between two requests of one sender
    /// nobody else may hold what they share, and where that costs something to be computed it should not be computed for each of them.
    pub fn lingering() -> Self {
        Self { lately: Some(Lately::default()), ..Self::default() }
    }

    /// What was computed from this context, or is now.
    pub fn get(&mut self, context: &Arc<Context>, compute: impl FnOnce(&Arc<Context>) -> T) -> &T {
        if self.entries.len() >= self.sweep_at && !self.entries.contains_key(&context.id()) {
            self.sweep();
        }
        let Self { entries, lately, .. } = self;
        let compute = || {
            lately.iter_mut().for_each(|lately| lately.keep(context));
            Entry { context: Arc::downgrade(context), computed: compute(context) }
        };
        &entries.entry(context.id()).or_insert_with(compute).computed
    }

    /// How many contexts it remembers.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when it remembers none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn sweep(&mut self) {
        self.entries.retain(|_, entry| entry.context.strong_count() > 0);
        if self.entries.len() >= Self::MOST {
            self.entries.clear();
        }
        self.entries.shrink_to(self.entries.len() * 2);
        self.sweep_at = (self.entries.len() * 2).clamp(Self::SMALL, Self::MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::{Value, put_attribute};
    use super::super::wire::put_message;
    use super::super::{Interner, ItemKind};
    use super::*;

    fn context(interner: &Interner, number: u32) -> Arc<Context> {
        // A resource that dropped so many attributes: the shortest one that differs by a number.
        let number = number | 1 << 20;
        let resource = [0x0a, 4, 0x10, number as u8 | 0x80, (number >> 7) as u8 | 0x80, (number >> 14) as u8 & 0x7f];
        interner.intern(ItemKind::Span, [&resource, &[], &[], &[]]).unwrap()
    }

    #[test]
    fn computes_once_per_context() {
        let interner = Interner::new();
        let mut cache = ContextCache::new();
        let mut computed = 0;
        let (one, other) = (context(&interner, 1), context(&interner, 2));
        for context in [&one, &one, &other, &context(&interner, 1)] {
            cache.get(context, |_| computed += 1);
        }
        assert_eq!((computed, cache.len()), (2, 2));
    }

    #[test]
    fn forgets_contexts_that_are_gone() {
        let interner = Interner::new();
        let mut cache = ContextCache::new();
        for number in 0..10_000 {
            assert_eq!(*cache.get(&context(&interner, number), |_| number), number);
        }
        assert!(cache.len() <= ContextCache::<u32>::SMALL, "{}", cache.len());
        assert!(interner.is_empty());
    }

    #[test]
    fn a_lingering_one_knows_what_comes_again() {
        let interner = Interner::new();
        let mut cache = ContextCache::lingering();
        let mut computed = 0;
        for number in [1, 2, 1, 2, 1] {
            cache.get(&context(&interner, number), |_| computed += 1);
        }
        assert_eq!((computed, interner.is_empty()), (2, false), "nobody else held them");
        for number in 0..10_000 {
            cache.get(&context(&interner, number), |_| ());
        }
        assert!(interner.len() <= 2 * MOST_KEPT && cache.len() <= 4 * MOST_KEPT, "{} and {}", interner.len(), cache.len());
        drop(cache);
        assert!(interner.is_empty());
    }

    #[test]
    fn what_lingers_is_bounded_in_bytes() {
        let interner = Interner::new();
        let mut cache = ContextCache::lingering();
        let mut seen = Vec::new();
        for length in [100, 60_000, MOST_KEPT_BYTES, 30_000].repeat(100) {
            let mut resource = Vec::new();
            let name = format!("{}{}", seen.len(), "x".repeat(length));
            put_message(&mut resource, 1, |out| put_attribute(out, 1, "service.name", &Value::from(name.as_str())));
            let context = interner.intern(ItemKind::Span, [&resource, &[], &[], &[]]).unwrap();
            cache.get(&context, |_| ());
            seen.push(Arc::downgrade(&context));
        }
        let alive: Vec<usize> = seen.iter().filter_map(|seen| Some(seen.upgrade()?.size())).collect();
        let sum = alive.iter().sum::<usize>();
        assert!(sum <= MOST_KEPT_BYTES && sum > MOST_KEPT_BYTES * 3 / 4, "{sum} bytes in {alive:?}");
        assert!(alive.iter().all(|size| *size < 100_000), "the large ones go, and take no others with them");
    }

    #[test]
    fn is_bounded_while_all_live() {
        let interner = Interner::new();
        let mut cache = ContextCache::new();
        let contexts: Vec<_> = (0..ContextCache::<u32>::MOST as u32 + 100).map(|number| context(&interner, number)).collect();
        for context in &contexts {
            cache.get(context, |context| context.id());
            assert!(cache.len() <= ContextCache::<u64>::MOST);
        }
        assert_eq!(*cache.get(&contexts[0], |context| context.id()), contexts[0].id());
    }
}

//! Prepares tests to be evaluated together: attributes are found in one pass, what depends on the context alone is remembered with it.

use super::checked::{Slot, Test};
use super::eval::{Keys, Look, Outcomes};
use super::scene::Scene;
use crate::telemetry::ContextCache;

/// Tests that are evaluated together.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) tests: Vec<Test>,
    keys: Keys,
    /// The parts that are the same for all items of a context.
    shared: Vec<Test>,
    /// Whether that is all there is.
    is_shared: bool,
}

/// The outcomes that are remembered with contexts.
#[derive(Debug, Default)]
pub(super) struct Memory {
    cache: ContextCache<Outcomes>,
    /// Neighbours mostly share their context.
    last: Option<(u64, Outcomes)>,
}

impl Program {
    pub(super) fn new(mut tests: Vec<Test>) -> Self {
        let mut shared = Vec::new();
        tests.iter_mut().for_each(|test| take_shared(test, &mut shared));
        let mut keys = Keys::default();
        give_slots(&mut tests, &mut keys);
        let is_shared = !tests.is_empty() && tests.iter().all(|test| matches!(test, Test::Remembered(_)));
        Self { tests, keys, shared, is_shared }
    }

    /// A scene, with nothing remembered.
    #[inline(always)]
    pub(super) fn look_once<'a>(&'a self, scene: Scene<'a>) -> Look<'a> {
        Look::new(scene, &self.keys)
    }

    /// Prepares tests that are asked once per item, so that remembering is not worth it.
    pub(super) fn alone(mut tests: Vec<Test>) -> Self {
        let mut keys = Keys::default();
        give_slots(&mut tests, &mut keys);
        Self { tests, keys, shared: Vec::new(), is_shared: false }
    }

    /// Whether any test holds, where all of them are the same for all items of a context and none of them fails.
    #[inline]
    pub(super) fn any_shared(&self, scene: &Scene<'_>, memory: &mut Memory) -> Option<bool> {
        if !self.is_shared {
            return None;
        }
        memory.outcomes(&self.shared, scene).any()
    }

    /// A scene, to show it to the tests.
    #[inline]
    pub(super) fn look<'a>(&'a self, scene: Scene<'a>, memory: &mut Memory) -> Look<'a> {
        let outcomes = if self.shared.is_empty() { Outcomes::default() } else { memory.outcomes(&self.shared, &scene) };
        Look::remembering(scene, &self.keys, &self.shared, outcomes)
    }
}

impl Memory {
    #[inline]
    fn outcomes(&mut self, shared: &[Test], scene: &Scene<'_>) -> Outcomes {
        let context = scene.context();
        if let Some((id, outcomes)) = self.last
            && id == context.id()
        {
            return outcomes;
        }
        let outcomes = *self.cache.get(context, |_| Outcomes::of(shared, scene));
        self.last = Some((context.id(), outcomes));
        outcomes
    }
}

/// Puts the parts of a test that are the same for all items of a context aside, as large as they can be.
fn take_shared(test: &mut Test, shared: &mut Vec<Test>) {
    if matches!(test, Test::Known(_) | Test::Remembered(_)) || shared.len() == Outcomes::MOST {
        return;
    }
    if test.is_shared() {
        let number = shared.len();
        shared.push(std::mem::replace(test, Test::Remembered(number)));
        return;
    }
    match test {
        Test::Not(inner) => take_shared(inner, shared),
        Test::All(tests) | Test::Any(tests) => tests.iter_mut().for_each(|test| take_shared(test, shared)),
        _ => {}
    }
}

fn give_slots(tests: &mut [Test], keys: &mut Keys) {
    for test in tests {
        test.expressions_mut(&mut |expr| {
            expr.slots(&mut |place, slot| *slot = place.item_attribute().map_or(Slot::NONE, |key| keys.slot(key)));
        });
    }
}

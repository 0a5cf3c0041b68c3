//! What the instances of one component have in common, across lanes.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::trace_store::Budget;

/// A place where instances of a component in different lanes meet. Clones are the same place; the gateway makes one for every component of
/// every pipeline and keeps it over a reload that keeps the component.
///
/// Sharing is the exception. Lanes are fast because they have nothing in common, so what is shared must be something that a user wrote
/// for the processor as a whole (so many traces in memory, so many spans a second), or a memory that a lane that takes over a trace must
/// find. The page of such a processor says which, and shares only what is cheap to share: an atomic, a [rate](super::SharedRate), a
/// [memory of decisions](super::DecisionMemory).
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tracetailor_core::component::Shared;
///
/// let shared = Shared::default();
/// let in_one_lane = shared.get_or_make("held", || AtomicU64::new(5));
/// let in_another = shared.clone().get_or_make("held", || AtomicU64::new(0));
/// in_one_lane.fetch_add(1, Ordering::Relaxed);
/// assert_eq!(in_another.load(Ordering::Relaxed), 6);
/// ```
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Things>>);

type Things = HashMap<(&'static str, TypeId), Arc<dyn Any + Send + Sync>>;

impl Shared {
    /// What is shared under this name and type; made now if nobody has yet.
    pub fn get_or_make<T: Send + Sync + 'static>(&self, name: &'static str, make: impl FnOnce() -> T) -> Arc<T> {
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name, TypeId::of::<T>());
        if let Some(known) = things.get(&key)
            && let Ok(known) = known.clone().downcast::<T>()
        {
            return known;
        }
        let made = Arc::new(make());
        things.insert(key, made.clone());
        made
    }

    /// While this is used up, whoever sends into the component's pipeline waits: nothing new is admitted, for as long as it takes. A stage
    /// that wants it gives it a limit, and to its store to spend; others leave it unlimited.
    pub fn gate(&self) -> Budget {
        Budget::clone(&self.get_or_make("gate", Budget::unlimited))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(things.keys().map(|(name, _)| name)).finish()
    }
}

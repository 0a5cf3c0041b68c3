//! What stores and queues say they hold: counted where it lies, so that the books can be checked against it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::report::HeldReport;

/// A gauge of the units that one store or queue holds in one line. Its owner keeps it true: it adds when units come to rest and subtracts
/// *before* they go on or end, so that a live report never counts a unit twice. When it is dropped, the books forget it.
#[derive(Debug)]
pub struct Held(Arc<AtomicI64>);

impl Held {
    /// So many more are held.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n.cast_signed(), Ordering::Release);
    }

    /// So many are held no longer.
    pub fn sub(&self, n: u64) {
        self.0.fetch_sub(n.cast_signed(), Ordering::Release);
    }

    /// Exactly so many are held: for a store that counts for itself.
    pub fn set(&self, n: u64) {
        self.0.store(n.cast_signed(), Ordering::Release);
    }
}

/// The gauges of one line.
#[derive(Default)]
pub(super) struct Gauges(Mutex<Vec<(String, Weak<AtomicI64>)>>);

impl Gauges {
    /// A new gauge. The same name may be given many times (a store in every lane): a report shows the sum.
    pub(super) fn register(&self, name: &str) -> Held {
        let held = Held(Arc::default());
        let mut gauges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever registers also clears away those that are gone: reloads would pile them up.
        gauges.retain(|(_, gauge)| gauge.strong_count() > 0);
        gauges.push((name.to_owned(), Arc::downgrade(&held.0)));
        held
    }

    /// The sum for each name, in the order of names.
    pub(super) fn read(&self) -> Vec<HeldReport> {
        let gauges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<HeldReport> = Vec::new();
        for (name, gauge) in gauges.iter() {
            let Some(gauge) = gauge.upgrade() else { continue };
            let units = gauge.load(Ordering::Acquire);
            match found.iter_mut().find(|known| known.name == *name) {
                Some(known) => known.units += units,
                None => found.push(HeldReport { name: name.clone(), units }),
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }
}

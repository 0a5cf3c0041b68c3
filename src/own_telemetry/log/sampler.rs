//! Thins out what is logged again and again: of each place in the code, some lines in every interval, then one of many.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tracetailor_core::time::LogTime;
use tracing::callsite::Identifier;

use crate::own_telemetry::keys::Sampling;

/// How often each place in the code has logged in the interval that it is in. There are as many as there are places, so it stays small.
#[derive(Debug)]
pub(super) struct Sampler {
    settings: Sampling,
    places: Mutex<HashMap<Identifier, Interval>>,
}

#[derive(Debug)]
struct Interval {
    began: LogTime,
    lines: u64,
}

impl Sampler {
    pub(super) fn new(settings: Sampling) -> Self {
        Self { settings, places: Mutex::default() }
    }

    pub(super) fn lets_through(&self, place: &Identifier, now: LogTime) -> bool {
        let Sampling { tick, initial, thereafter, .. } = self.settings;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let interval = places.entry(place.clone()).or_insert(Interval { began: now, lines: 0 });
        if now.since(interval.began) >= tick.get() {
            *interval = Interval { began: now, lines: 0 };
        }
        interval.lines += 1;
        interval.lines <= initial || thereafter > 0 && (interval.lines - initial).is_multiple_of(thereafter)
    }
}

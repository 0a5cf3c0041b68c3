//! Thins out what is logged again and again: of each message of a place in the code, some lines in every interval, then one of many.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use foldhash::fast::RandomState;
use tracetailor_core::time::LogTime;
use tracing::callsite::Identifier;

use crate::own_telemetry::keys::Sampling;

/// How often each message has been logged in the interval that it is in. What differs from line to line is in fields, so there are about
/// as many messages as there are places in the code.
#[derive(Debug)]
pub(super) struct Sampler {
    settings: Sampling,
    hasher: RandomState,
    messages: Mutex<HashMap<(Identifier, u64), Interval>>,
}

/// Where messages do differ, so many are told apart before all are forgotten and counting begins anew.
const MOST: usize = 4096;

#[derive(Debug)]
struct Interval {
    began: LogTime,
    lines: u64,
}

impl Sampler {
    pub(super) fn new(settings: Sampling) -> Self {
        Self { settings, hasher: RandomState::default(), messages: Mutex::default() }
    }

    pub(super) fn lets_through(&self, place: Identifier, message: &str, now: LogTime) -> bool {
        let Sampling { tick, initial, thereafter, .. } = self.settings;
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if messages.len() >= MOST {
            messages.clear();
        }
        let interval = messages.entry((place, self.hasher.hash_one(message))).or_insert(Interval { began: now, lines: 0 });
        if now.since(interval.began) >= tick.get() {
            *interval = Interval { began: now, lines: 0 };
        }
        interval.lines += 1;
        interval.lines <= initial || thereafter > 0 && (interval.lines - initial).is_multiple_of(thereafter)
    }
}

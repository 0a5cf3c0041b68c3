//! What an expression looks at: an item or what items share, who sent it, the time, and whatever else the caller knows.

use std::fmt;
use std::sync::Arc;

use super::value::Value;
use crate::telemetry::{self, Context, Item, Source};
use crate::time::Clock;

/// Everything that a path can lead to, at one moment.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    context: &'a Arc<Context>,
    item: Option<Item<'a>>,
    event: Option<Event<'a>>,
    source: &'a Source,
    clock: &'a Clock,
    facts: Option<&'a dyn Facts>,
    cache: Option<&'a telemetry::Value>,
}

/// One event of a span.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Its place in the span's list, from zero.
    pub index: usize,
    /// Its message.
    pub bytes: &'a [u8],
}

/// What a caller knows that no item says: a trace's length, for `trace.duration`. The numbers are those of the paths in the
/// table that the caller registered, from zero in the order written.
pub trait Facts {
    /// The value of one path.
    fn fact(&self, number: usize) -> Value<'_>;
}

impl<'a> Scene<'a> {
    /// An item and all that it shares.
    pub fn of_item(item: Item<'a>, source: &'a Source, clock: &'a Clock) -> Self {
        Self { item: Some(item), ..Self::of_context(item.context(), source, clock) }
    }

    /// What items share, for conditions on resource, scope or metric alone. To a path into an item nothing is there.
    pub fn of_context(context: &'a Arc<Context>, source: &'a Source, clock: &'a Clock) -> Self {
        Self { context, item: None, event: None, source, clock, facts: None, cache: None }
    }

    /// The same, looking at one event of the span.
    #[must_use]
    pub fn at_event(self, event: Event<'a>) -> Self {
        Self { event: Some(event), ..self }
    }

    /// The same, with what the caller knows.
    #[must_use]
    pub fn with_facts(self, facts: &'a dyn Facts) -> Self {
        Self { facts: Some(facts), ..self }
    }

    /// The same, with a scratch map.
    #[must_use]
    pub(super) fn with_cache(self, cache: &'a telemetry::Value) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// The item, if one is looked at.
    pub fn item(&self) -> Option<Item<'a>> {
        self.item
    }

    /// The event, if one is looked at.
    pub fn event(&self) -> Option<Event<'a>> {
        self.event
    }

    /// What items share.
    pub fn context(&self) -> &'a Arc<Context> {
        self.context
    }

    /// Who sent it.
    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// The time, for `Now()`.
    pub fn clock(&self) -> &'a Clock {
        self.clock
    }

    pub(super) fn facts(&self) -> Option<&'a dyn Facts> {
        self.facts
    }

    pub(super) fn cache(&self) -> Option<&'a telemetry::Value> {
        self.cache
    }
}

impl fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").field("context", &self.context).field("item", &self.item.is_some()).field("event", &self.event).finish()
    }
}

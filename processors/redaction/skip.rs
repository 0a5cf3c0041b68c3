//! What the Collector's keys leave alone: whatever one of `skip_conditions` holds for. Ours look at it all the same.

use std::collections::HashSet;

use tracetailor_core::component::ProcessorContext;
use tracetailor_core::config::ConfigErrors;
use tracetailor_core::ottl::{Condition, Conditions, Contexts, ErrorMode, FailureLog, Level, Problems, Scene};
use tracetailor_core::telemetry::{Context, Signal, Telemetry};
use tracetailor_core::time::{Clock, LogTime};

/// Conditions that are asked of a batch before anything in it is changed.
pub(super) struct Skip {
    /// On items, and on what they share.
    on_items: Conditions,
    /// Those whose outcome is the same for all that share a context: they leave alone its own attributes as well.
    on_contexts: Conditions,
    log: FailureLog,
    clock: Clock,
    /// Of the batch at hand, whether each item is left alone.
    items: Vec<bool>,
    /// Of the batch at hand, the contexts that are.
    contexts: HashSet<u64>,
    /// The same of those that were asked about already.
    asked: HashSet<u64>,
}

impl Skip {
    /// Of the conditions, those that speak of what this pipeline carries.
    pub(super) fn new(texts: &[String], context: &ProcessorContext) -> Option<Self> {
        let contexts = Contexts::of(context.line.signal());
        let mut conditions: Vec<Condition> = texts.iter().filter_map(|text| Condition::parse(&contexts, None, text).ok()).collect();
        if conditions.is_empty() {
            return None;
        }
        conditions.sort_by_key(Condition::level);
        let shared = conditions.iter().filter(|condition| condition.reads().is_shared()).cloned().collect();
        let on_items = Conditions::of(conditions, ErrorMode::Ignore);
        Some(Self {
            log: FailureLog::new(context, on_items.modes().iter().copied()),
            on_items,
            on_contexts: Conditions::of(shared, ErrorMode::Silent),
            clock: context.clock.clone(),
            items: Vec::new(),
            contexts: HashSet::new(),
            asked: HashSet::new(),
        })
    }

    /// Asks about all of a batch. Where a condition fails it does not hold: what is in doubt is redacted.
    pub(super) fn look(&mut self, batch: &Telemetry, now: LogTime) {
        let Self { on_items, on_contexts, log, clock, items, contexts, asked } = self;
        items.clear();
        contexts.clear();
        asked.clear();
        for item in batch.items() {
            let source = &batch.origins()[batch.origin_of(item.head())].source;
            let context = item.context();
            if asked.insert(context.id()) && on_contexts.any(&Scene::of_context(context, source, clock)).unwrap_or(false) {
                contexts.insert(context.id());
            }
            items.push(on_items.any(&Scene::of_item(item, source, clock)).unwrap_or(false));
        }
        on_contexts.take_failures();
        log.tell(&on_items.take_failures(), now);
    }

    pub(super) fn leaves_item(&self, index: usize) -> bool {
        self.items.get(index) == Some(&true)
    }

    pub(super) fn leaves_context(&self, context: &Context) -> bool {
        self.contexts.contains(&context.id())
    }
}

/// Tells what is wrong with conditions. One that speaks of logs is right, though it says nothing in a pipeline of traces.
pub(super) fn check(texts: &[String], errors: &mut ConfigErrors) {
    for (index, text) in texts.iter().enumerate() {
        let mut here = errors.at("skip_conditions").index(index);
        let read = Signal::ALL.map(|signal| Condition::parse(&Contexts::of(signal), None, text));
        if let Some(condition) = read.iter().find_map(|read| read.as_ref().ok()) {
            condition.warnings().tell(&mut here);
            if condition.level() == Level::Event {
                here.error_here("is a condition on events, and items are left alone as a whole", "write a condition on the span");
            }
            continue;
        }
        // Of what each signal says against it, what is nearest: the least.
        let wrong: Option<Problems> = read.into_iter().filter_map(Result::err).min_by_key(|problems| problems.to_string().len());
        if let Some(wrong) = wrong {
            wrong.tell(&mut here);
        }
    }
}

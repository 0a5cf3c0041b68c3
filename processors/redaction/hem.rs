//! The sweep over a batch: contexts once each, then items, then what must not pass at all.

use std::sync::Arc;

use tracetailor_core::component::{BuildError, ProcessorContext};
use tracetailor_core::ledger::{Cause, Fate, Retry};
use tracetailor_core::telemetry::{Context, ContextCache, Sweep, Telemetry};
use tracetailor_core::time::LogTime;

use super::Config;
use super::hand::Hand;
use super::skip::Skip;

/// A sweep and whoever does it.
pub(super) struct Hem {
    hand: Hand,
    skip: Option<Skip>,
    sweep: Sweep,
    contexts: ContextCache<Hemmed>,
    /// Of this batch, the contexts whose items must not pass, and why.
    barred: Vec<(u64, Cause)>,
    /// Of this batch, the items that must not pass, in order, and why.
    condemned: Vec<(usize, Cause)>,
    not_redacted: Cause,
    drop_span: Cause,
}

/// What became of a context.
#[derive(Clone)]
enum Hemmed {
    /// It is as it may be.
    Clean,
    /// Another stands for it.
    Changed(Arc<Context>),
    /// Its items must not pass: it could not be redacted, or a rule drops whatever has what was found in it.
    Barred(Cause),
}

impl Hem {
    pub(super) fn new(config: &Config, context: &ProcessorContext) -> Result<Self, BuildError> {
        Ok(Self {
            hand: Hand::new(config, context)?,
            skip: Skip::new(&config.skip_conditions, context),
            sweep: Sweep::default(),
            contexts: ContextCache::lingering(),
            barred: Vec::new(),
            condemned: Vec::new(),
            not_redacted: context.cause("not_redacted"),
            drop_span: context.cause("drop_span"),
        })
    }

    /// Sees what is to be left alone, before anything is changed that conditions speak of.
    pub(super) fn look(&mut self, batch: &Telemetry, now: LogTime) {
        if let Some(skip) = &mut self.skip {
            skip.look(batch, now);
        }
    }

    /// Redacts what items share.
    pub(super) fn contexts(&mut self, batch: &mut Telemetry) {
        let Self { hand, skip, sweep, contexts, barred, not_redacted, drop_span, .. } = self;
        barred.clear();
        batch.map_contexts(|context| {
            let hemmed = contexts.get(context, |context| {
                hand.begin_item(skip.as_ref().is_some_and(|skip| skip.leaves_context(context)));
                let swept = sweep.context(context, hand);
                hand.end_item(|| context.resource_attribute("service.name").and_then(tracetailor_core::telemetry::ValueRef::text));
                match swept {
                    Err(_) => Hemmed::Barred(*not_redacted),
                    Ok(_) if hand.is_doomed() => Hemmed::Barred(*drop_span),
                    Ok(None) => Hemmed::Clean,
                    Ok(Some(changed)) => Hemmed::Changed(changed),
                }
            });
            match hemmed {
                Hemmed::Changed(changed) => return Some(Arc::clone(changed)),
                Hemmed::Barred(cause) => barred.push((context.id(), *cause)),
                Hemmed::Clean => {}
            }
            None
        });
    }

    /// Redacts the items themselves.
    pub(super) fn items(&mut self, batch: &mut Telemetry) {
        self.condemned.clear();
        self.hand.begin_batch();
        for index in 0..batch.len() {
            if let Some(cause) = cause_of(&self.barred, batch.item(index).context().id()) {
                self.condemned.push((index, cause));
                continue;
            }
            if self.hand.leaves(batch, index) {
                continue;
            }
            let mut item = batch.item_mut(index);
            self.hand.begin_item(self.skip.as_ref().is_some_and(|skip| skip.leaves_item(index)));
            self.hand.look_at(&item.item());
            let swept = self.sweep.item(&mut item, &mut self.hand);
            let item = item.item();
            self.hand.end_item(|| item.resource_attribute("service.name").and_then(tracetailor_core::telemetry::ValueRef::text));
            match swept {
                Err(_) => self.condemned.push((index, self.not_redacted)),
                Ok(_) if self.hand.is_doomed() => self.condemned.push((index, self.drop_span)),
                Ok(_) => {}
            }
        }
    }

    /// Takes out what must not pass: dropped by a rule, or turned away because it could not be redacted.
    pub(super) fn settle(&mut self, batch: &mut Telemetry) {
        self.hand.end_batch();
        if self.condemned.is_empty() {
            return;
        }
        // Numbers hold only until the first of them are taken out, so all are marked by one pass each.
        let dropped: Vec<usize> = self.condemned.iter().filter(|(_, cause)| *cause == self.drop_span).map(|(index, _)| *index).collect();
        let all: Vec<usize> = self.condemned.drain(..).map(|(index, _)| index).collect();
        let mut left: Vec<usize> = Vec::new();
        let mut taken = 0;
        for index in all {
            match dropped.binary_search(&index) {
                Ok(_) => taken += 1,
                Err(_) => left.push(index - taken),
            }
        }
        take_out(batch, Fate::Dropped(self.drop_span), &dropped);
        take_out(batch, Fate::Rejected { cause: self.not_redacted, retry: Retry::Never }, &left);
    }
}

fn cause_of(barred: &[(u64, Cause)], context: u64) -> Option<Cause> {
    if barred.is_empty() {
        return None;
    }
    barred.iter().find(|(id, _)| *id == context).map(|(_, cause)| *cause)
}

/// Takes out the items of these numbers, which are in order.
fn take_out(batch: &mut Telemetry, fate: Fate, numbers: &[usize]) {
    if numbers.is_empty() {
        return;
    }
    let mut numbers = numbers.iter().copied().peekable();
    let mut index = 0;
    batch.settle_items(fate, |_| {
        index += 1;
        numbers.next_if_eq(&(index - 1)).is_some()
    });
}

//! Conditions made ready to be asked, and what they are asked of.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tracetailor_core::component::ProcessorContext;
use tracetailor_core::ledger::Cause;
use tracetailor_core::ottl::{Conditions, FailureLog, Points, Scene, label};
use tracetailor_core::telemetry::{Context, Item, Source, Telemetry};
use tracetailor_core::time::LogTime;

use super::Refused;
use super::rules::Rule;

/// Rules on one kind of thing, in the order in which they are asked.
pub(super) struct Asked {
    conditions: Conditions,
    /// What the books count what each of them drops by: its own text.
    causes: Vec<Cause>,
    log: FailureLog,
    /// Whom an error refuses a batch of.
    id: String,
}

impl Asked {
    pub(super) fn of(rules: Vec<Rule>, context: &ProcessorContext) -> Self {
        let causes = rules.iter().map(|rule| context.cause(&label(rule.condition.text()))).collect();
        let conditions = Conditions::of_each(rules.into_iter().map(|rule| (rule.condition, rule.mode)).collect());
        let log = FailureLog::new(context, conditions.modes().iter().copied());
        Self { conditions, causes, log, id: context.id.to_string() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The cause of the first condition that holds.
    #[inline]
    pub(super) fn first(&mut self, scene: &Scene<'_>) -> Result<Option<Cause>, Refused> {
        match self.conditions.first(scene) {
            Ok(first) => Ok(first.and_then(|number| self.causes.get(number)).copied()),
            Err(failure) => {
                self.log.tell_refusal(self.conditions.text(failure.number), &failure, scene.clock().now());
                Err(Refused(format!("{}: a condition fails: {}", self.id, failure.error)))
            }
        }
    }

    /// Tells of the errors that were passed over in a batch.
    pub(super) fn tell(&mut self, now: LogTime) {
        self.log.tell(&self.conditions.take_failures(), now);
    }
}

/// The metrics of a batch, each with its points.
pub(super) struct Metrics<'b> {
    batch: &'b Telemetry,
    metrics: Vec<Vec<usize>>,
}

/// One of them.
pub(super) struct Metric<'b> {
    batch: &'b Telemetry,
    /// Where its points are in the batch; there is one at least.
    items: &'b [usize],
}

impl<'b> Metrics<'b> {
    pub(super) fn of(batch: &'b Telemetry) -> Self {
        let mut known: HashMap<u64, usize, RandomState> = HashMap::default();
        let mut metrics: Vec<Vec<usize>> = Vec::new();
        for (index, item) in batch.items().enumerate() {
            let place = *known.entry(item.context().id()).or_insert(metrics.len());
            if place == metrics.len() {
                metrics.push(Vec::new());
            }
            metrics[place].push(index);
        }
        Self { batch, metrics }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Metric<'_>> {
        self.metrics.iter().map(|items| Metric { batch: self.batch, items })
    }
}

impl<'b> Metric<'b> {
    pub(super) fn context(&self) -> &'b Arc<Context> {
        self.batch.item(self.items[0]).context()
    }

    pub(super) fn source(&self) -> &'b Source {
        &self.batch.origins()[self.batch.origin_of(self.batch.item(self.items[0]).head())].source
    }

    pub(super) fn items(&self) -> impl Iterator<Item = usize> + use<'b> {
        self.items.iter().copied()
    }
}

impl Points for Metric<'_> {
    fn any(&self, ask: &dyn Fn(&Item<'_>) -> bool) -> bool {
        self.items.iter().any(|item| ask(&self.batch.item(*item)))
    }
}

//! What was done, in counts: by rule and place, never what it was done to.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracetailor_core::component::{Counter, Gauge, ProcessorContext};
use tracetailor_core::telemetry::Place;

use super::config::{Action, Mode};
use super::report::{Found, Table};

/// Counts redactions.
pub(super) struct Proof {
    /// One for each rule and place, made when it is first needed.
    counters: Vec<Option<Counter>>,
    rules: Vec<(String, Action)>,
    context: ProcessorContext,
    mode: Mode,
    /// The rules that `suggest` has told of.
    told: BTreeSet<usize>,
    table: Arc<Table>,
    /// What was found in this batch.
    found: Found,
    /// What was found in this item or context: keys and rules.
    noted: Vec<(String, usize)>,
    /// Says which rules are in force, for as long as they are.
    _digest: Gauge,
}

const PLACES: usize = Place::ALL.len();

impl Proof {
    pub(super) fn new(rules: Vec<(String, Action)>, mode: Mode, digest: &str, context: &ProcessorContext) -> Self {
        let gauge = context.gauge("tracetailor_redaction_rules", &[("digest", digest)]);
        gauge.set(1);
        let counters = std::iter::repeat_with(|| None).take(rules.len() * PLACES).collect();
        let table = context.share("redaction table", Table::default);
        context.tell(
            "redaction",
            "what was redacted: service, key and rule, in counts; /redaction/NAME for one service",
            Arc::clone(&table),
        );
        let (found, noted) = (Found::default(), Vec::new());
        Self { counters, rules, context: context.clone(), mode, told: BTreeSet::new(), table, found, noted, _digest: gauge }
    }

    /// Counts one. The key is what the table shows: it must hold nothing that was found.
    pub(super) fn count(&mut self, rule: usize, place: Place, key: Option<&str>) {
        self.noted.push((key.unwrap_or(place.name()).to_owned(), rule));
        let Self { counters, rules, context, .. } = self;
        let Some(slot) = counters.get_mut(rule * PLACES + place as usize) else { return };
        let name = if self.mode == Mode::Apply { "tracetailor_redactions_total" } else { "tracetailor_redactions_suggested_total" };
        let counter = slot.get_or_insert_with(|| context.counter(name, &[("rule", &rules[rule].0), ("place", place.name())]));
        counter.add(1);
        if self.mode == Mode::Suggest && self.told.insert(rule) {
            self.suggest(place);
        }
    }

    /// An item or a context of this service has ended.
    pub(super) fn end_item<'a>(&mut self, service: impl FnOnce() -> Option<std::borrow::Cow<'a, str>>) {
        if self.noted.is_empty() {
            return;
        }
        let service = service();
        for (key, rule) in self.noted.drain(..) {
            self.found.add(service.as_deref().unwrap_or("(unnamed)"), &key, &self.rules[rule].0);
        }
    }

    /// The batch has ended.
    pub(super) fn end_batch(&mut self) {
        if !self.found.is_empty() {
            self.table.take(&mut self.found);
        }
    }

    /// Tells what would be redacted, as a block that can be written into the configuration.
    fn suggest(&self, place: Place) {
        let found = |rule: &usize| self.rules.get(*rule).map(|(name, action)| format!("{name}: {}", word(*action)));
        let detectors = self.told.iter().filter_map(found).collect::<Vec<_>>().join(", ");
        tracing::info!(
            component = %self.context.id,
            place = place.name(),
            block = %format!("redaction: {{allow_all_keys: true, detectors: {{{detectors}}}}}"),
            "redaction would change telemetry"
        );
    }
}

/// The word of an action in configurations.
fn word(action: Action) -> String {
    serde_json::to_value(action).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

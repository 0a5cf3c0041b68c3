#![doc = include_str!("README.md")]

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, Counter, NeedsRebuild, Output, Part, Processor, ProcessorContext, ProcessorFactory, Processors,
    Stability,
};
use tracetailor_core::config::{ConfigErrors, Planned, Schema, TextOr, Validate};
use tracetailor_core::ledger::{Cause, Explanation, Fate, Retry};
use tracetailor_core::ottl::{ErrorMode, Event, Level, Scene};
use tracetailor_core::selection::{Properties, Selection};
use tracetailor_core::telemetry::{Signal, Telemetry};

mod asked;
mod properties;
mod rules;

use asked::{Asked, Metrics};
use properties::{LogProperties, MetricProperties};
use rules::Rule;

/// What the user writes.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What becomes of an error, such as a text where a number is wanted: the condition does not hold (`ignore`), the same without a line in the log
    /// (`silent`), or the batch is refused (`propagate`).
    pub error_mode: ErrorMode,
    /// Drops what one of these conditions holds for: spans, events of spans, or all of a scope or a resource, as the paths say.
    pub trace_conditions: Vec<TextOr<Group>>,
    /// The same for metrics and their points.
    pub metric_conditions: Vec<TextOr<Group>>,
    /// The same for log records.
    pub log_conditions: Vec<TextOr<Group>>,
    /// The former way to write conditions for traces.
    pub traces: TraceRules,
    /// The former ways to write conditions for metrics.
    pub metrics: MetricRules,
    /// The former ways to write conditions for logs.
    pub logs: LogRules,
    /// The oldest way to choose spans.
    pub spans: SpanRules,
    /// Profiles are no signal here yet.
    pub profile_conditions: Planned,
    /// Profiles are no signal here yet.
    pub profiles: Planned,
}

/// Conditions that have something in common.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// What paths mean that do not say it: `resource`, `scope`, `span`, `spanevent`, `metric`, `datapoint` or `log`. Without it each path says it.
    pub context: Option<String>,
    /// For these conditions, in place of the one above.
    pub error_mode: Option<ErrorMode>,
    /// What one of these holds for is dropped.
    pub conditions: Vec<String>,
}

/// Conditions for traces; paths belong to the key that the condition stands below.
#[derive(Clone, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct TraceRules {
    /// Drops all of a resource.
    pub resource: Vec<String>,
    /// Drops a span.
    pub span: Vec<String>,
    /// Drops an event; its span stays.
    pub spanevent: Vec<String>,
}

/// Conditions for metrics; paths belong to the key that the condition stands below.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct MetricRules {
    /// Drops all of a resource.
    pub resource: Vec<String>,
    /// Drops a metric with all its points.
    pub metric: Vec<String>,
    /// Drops a point.
    pub datapoint: Vec<String>,
    /// Keeps only these.
    pub include: Option<MetricProperties>,
    /// Drops these.
    pub exclude: Option<MetricProperties>,
}

/// Conditions for logs; paths belong to the key that the condition stands below.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct LogRules {
    /// Drops all of a resource.
    pub resource: Vec<String>,
    /// Drops a log record.
    pub log_record: Vec<String>,
    /// Keeps only these.
    pub include: Option<LogProperties>,
    /// Drops these.
    pub exclude: Option<LogProperties>,
}

/// Which spans.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct SpanRules {
    /// Keeps only these.
    pub include: Option<Properties>,
    /// Drops these.
    pub exclude: Option<Properties>,
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        for (key, planned) in [("profile_conditions", self.profile_conditions), ("profiles", self.profiles)] {
            errors.planned(key, planned, "remove it, and leave profiles to a Collector");
        }
        for signal in Signal::ALL {
            self.one_style(signal, errors);
            rules::read(self, signal, errors);
        }
        errors.at("spans").within("include", &self.spans.include);
        errors.at("spans").within("exclude", &self.spans.exclude);
        errors.at("logs").within("include", &self.logs.include);
        errors.at("logs").within("exclude", &self.logs.exclude);
        errors.at("metrics").within("include", &self.metrics.include);
        errors.at("metrics").within("exclude", &self.metrics.exclude);
    }
}

impl Config {
    /// Conditions of a signal are written in one of three ways. What stands in two of them would hold in one.
    fn one_style(&self, signal: Signal, errors: &mut ConfigErrors) {
        let ((new, groups), (old, lists)) = (self.groups(signal), self.lists(signal));
        let is_old = lists.iter().any(|(_, list)| !list.is_empty());
        let is_oldest = !self.chosen(signal).is_empty();
        let oldest = if signal == Signal::Traces { "spans" } else { old };
        if !groups.is_empty() && (is_old || is_oldest) {
            let other = if is_old { old } else { oldest };
            errors.error(
                new,
                format!("stands beside {other}, an older way to say the same"),
                format!("say all of it in {new}, and remove {other}"),
            );
        }
        if is_old && is_oldest {
            let wrong = "include and exclude stand beside conditions, which are another way to say the same";
            errors.error(oldest, wrong, format!("say all of it in {new}"));
        }
    }

    fn groups(&self, signal: Signal) -> (&'static str, &[TextOr<Group>]) {
        match signal {
            Signal::Traces => ("trace_conditions", &self.trace_conditions),
            Signal::Metrics => ("metric_conditions", &self.metric_conditions),
            Signal::Logs => ("log_conditions", &self.log_conditions),
        }
    }

    /// The former way: the lists by their keys, which are contexts but for one.
    fn lists(&self, signal: Signal) -> (&'static str, Vec<(&'static str, &[String])>) {
        let Self { traces, metrics, logs, .. } = self;
        match signal {
            Signal::Traces => ("traces", vec![("resource", &traces.resource), ("span", &traces.span), ("spanevent", &traces.spanevent)]),
            Signal::Metrics => {
                ("metrics", vec![("resource", &metrics.resource), ("metric", &metrics.metric), ("datapoint", &metrics.datapoint)])
            }
            Signal::Logs => ("logs", vec![("resource", &logs.resource), ("log_record", &logs.log_record)]),
        }
    }

    /// The oldest way: what must be included, and what is excluded.
    fn chosen(&self, signal: Signal) -> Vec<(Choice, Properties)> {
        let both = |included: Vec<Properties>, excluded: Vec<Properties>| {
            let included = included.into_iter().map(|properties| (Choice::Include, properties));
            included.chain(excluded.into_iter().map(|properties| (Choice::Exclude, properties))).collect()
        };
        match signal {
            Signal::Traces => both(self.spans.include.iter().cloned().collect(), self.spans.exclude.iter().cloned().collect()),
            Signal::Metrics => both(
                self.metrics.include.iter().flat_map(MetricProperties::parts).collect(),
                self.metrics.exclude.iter().flat_map(MetricProperties::parts).collect(),
            ),
            Signal::Logs => both(
                self.logs.include.iter().map(LogProperties::properties).collect(),
                self.logs.exclude.iter().map(LogProperties::properties).collect(),
            ),
        }
    }

    /// Whether a trace can lose some of its spans.
    fn drops_spans(&self) -> bool {
        let rules = rules::read(self, Signal::Traces, &mut ConfigErrors::default());
        !self.chosen(Signal::Traces).is_empty() || rules.iter().any(|rule| rule.condition.level() != Level::Event)
    }
}

/// Whether a choice says what stays or what goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Include,
    Exclude,
}

/// How one is made.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<Filter>("filter", Stability::Beta, include_str!("README.md"))
    .playing(Part::Sieve(|config| config.get::<Config>().is_ok_and(Config::drops_spans)));

/// Asks every item its conditions, all in one pass, and drops what the first of them holds for.
pub struct Filter {
    context: ProcessorContext,
    /// On items and on what they share, from the outside in.
    items: Asked,
    /// On metrics, by what their points say.
    metrics: Asked,
    /// On events of spans.
    events: Asked,
    chosen: Vec<(Selection, Cause)>,
    /// What was decided of each item of the batch at hand.
    verdicts: Vec<Option<Cause>>,
    failed: Cause,
    filtered: Counter,
}

impl Component for Filter {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Ok(Box::new(Self::new(config, context)?))
    }
}

impl Filter {
    fn new(config: &Config, context: &ProcessorContext) -> Result<Self, BuildError> {
        let signal = context.line.signal();
        let mut rules = rules::read(config, signal, &mut ConfigErrors::default());
        let events = Asked::of(rules.extract_if(.., |rule| rule.condition.level() == Level::Event).collect(), context);
        let metrics = Asked::of(rules.extract_if(.., |rule| rule.asks_points()).collect(), context);
        rules.sort_by_key(|rule: &Rule| rule.condition.level());
        let mut chosen = Vec::new();
        for (choice, properties) in config.chosen(signal) {
            chosen.push(match choice {
                Choice::Include => (Selection::new(Some(&properties), None, signal)?, context.cause("not_included")),
                Choice::Exclude => (Selection::new(None, Some(&properties), signal)?, context.cause("excluded")),
            });
        }
        let name = match signal {
            Signal::Traces => "otelcol_processor_filter_spans_filtered",
            Signal::Logs => "otelcol_processor_filter_logs_filtered",
            Signal::Metrics => "otelcol_processor_filter_datapoints_filtered",
        };
        Ok(Self {
            items: Asked::of(rules, context),
            metrics,
            events,
            chosen,
            verdicts: Vec::new(),
            failed: context.cause("failed_condition"),
            filtered: context.counters.counter(name, &[("filter", &context.id.to_string())]),
            context: context.clone(),
        })
    }
}

impl Processor for Filter {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        self.verdicts.clear();
        self.verdicts.resize(batch.len(), None);
        let judged = self.judge_metrics(&batch).and_then(|()| self.judge(&batch)).and_then(|()| self.leave_out_events(&mut batch));
        [&mut self.items, &mut self.metrics, &mut self.events].into_iter().for_each(|asked| asked.tell(out.now()));
        match judged {
            Ok(()) => {
                self.drop_items(&mut batch);
                out.emit(batch);
            }
            Err(failed) => self.refuse(batch, failed),
        }
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        *self = Self::new(config.get()?, &self.context).map_err(|_| NeedsRebuild)?;
        Ok(())
    }
}

/// Why a batch is refused, in words for whoever sent it.
struct Refused(String);

impl Filter {
    /// Conditions that ask for all points of a metric are asked once for it.
    fn judge_metrics(&mut self, batch: &Telemetry) -> Result<(), Refused> {
        if self.metrics.is_empty() {
            return Ok(());
        }
        for metric in Metrics::of(batch).iter() {
            let scene = Scene::of_context(metric.context(), metric.source(), &self.context.clock).with_points(&metric);
            if let Some(cause) = self.metrics.first(&scene)? {
                metric.items().for_each(|item| self.verdicts[item] = Some(cause));
            }
        }
        Ok(())
    }

    fn judge(&mut self, batch: &Telemetry) -> Result<(), Refused> {
        let Self { items, chosen, verdicts, context, .. } = self;
        if items.is_empty() && chosen.is_empty() {
            return Ok(());
        }
        for (item, verdict) in batch.items().zip(verdicts).filter(|(_, verdict)| verdict.is_none()) {
            let source = &batch.origins()[batch.origin_of(item.head())].source;
            *verdict = items.first(&Scene::of_item(item, source, &context.clock))?;
            if verdict.is_none() {
                *verdict = chosen.iter_mut().find_map(|(selection, cause)| (!selection.means(&item)).then_some(*cause));
            }
        }
        Ok(())
    }

    /// Of spans that stay.
    fn leave_out_events(&mut self, batch: &mut Telemetry) -> Result<(), Refused> {
        if self.events.is_empty() {
            return Ok(());
        }
        for index in 0..batch.len() {
            if self.verdicts[index].is_some() {
                continue;
            }
            let unwanted = self.unwanted_events(batch, index)?;
            if !unwanted.is_empty() {
                batch.item_mut(index).delete_events(&unwanted);
            }
        }
        Ok(())
    }

    fn unwanted_events(&mut self, batch: &Telemetry, index: usize) -> Result<SmallVec<[usize; 8]>, Refused> {
        let span = batch.item(index);
        let source = &batch.origins()[batch.origin_of(span.head())].source;
        let scene = Scene::of_item(span, source, &self.context.clock);
        let mut unwanted = SmallVec::new();
        for (index, bytes) in span.events().enumerate() {
            if self.events.first(&scene.at_event(Event { index, bytes }))?.is_some() {
                unwanted.push(index);
            }
        }
        Ok(unwanted)
    }

    /// Settles each with the rule that dropped it; rule by rule, as few batches meet many.
    fn drop_items(&mut self, batch: &mut Telemetry) {
        let before = batch.len();
        while let Some(cause) = self.verdicts.iter().find_map(|verdict| *verdict) {
            let mut verdicts = self.verdicts.iter();
            batch.drop_items(cause, |_| verdicts.next() == Some(&Some(cause)));
            self.verdicts.retain(|verdict| *verdict != Some(cause));
        }
        self.filtered.add((before - batch.len()) as u64);
    }

    fn refuse(&self, mut batch: Telemetry, Refused(message): Refused) {
        let why = Explanation { message, code: None, retry_after: None };
        batch.each_share(|share| share.explain(&why));
        batch.settle(Fate::Rejected { cause: self.failed, retry: Retry::Later });
    }
}

#[cfg(test)]
mod tests;

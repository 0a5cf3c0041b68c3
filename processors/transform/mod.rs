#![doc = include_str!("README.md")]

use serde::Deserialize;
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, NeedsRebuild, Output, Processor, ProcessorContext, ProcessorFactory, Processors, Stability,
};
use tracetailor_core::config::{ConfigErrors, Planned, Schema, TextOr, Validate, one_of, quoted};
use tracetailor_core::ledger::{Cause, Explanation, Fate, Retry};
use tracetailor_core::ottl::{Contexts, ErrorMode, Failure, FailureLog, GroupText, Statements};
use tracetailor_core::telemetry::{Signal, Telemetry};

/// What the user writes.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What becomes of an error, such as a text where a number is wanted: the statement is passed over (`ignore`), the same without a line in the log
    /// (`silent`), or the batch is refused (`propagate`).
    pub error_mode: ErrorMode,
    /// What is done to traces, in this order: statements, or groups of them.
    pub trace_statements: Vec<TextOr<Group>>,
    /// The same for metrics.
    pub metric_statements: Vec<TextOr<Group>>,
    /// The same for logs.
    pub log_statements: Vec<TextOr<Group>>,
    /// Profiles are no signal here yet.
    pub profile_statements: Planned,
    /// Not there yet.
    pub flatten_data: Planned,
}

/// Statements that have something in common.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// What the statements are run on, and what paths mean that do not say it: `resource`, `scope`, `span`, `spanevent`, `metric`, `datapoint` or `log`.
    /// Without it, the innermost of those that the paths say.
    pub context: Option<String>,
    /// One of these must hold, if there are any.
    pub conditions: Vec<String>,
    /// Run in this order on each item.
    pub statements: Vec<String>,
    /// For this group, in place of the one above.
    pub error_mode: Option<ErrorMode>,
    /// Not there yet.
    pub shared_cache: Planned,
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        errors.planned("profile_statements", self.profile_statements, "remove it, and leave profiles to a Collector");
        errors.planned(
            "flatten_data",
            self.flatten_data,
            "remove it: every record has its own resource here, whatever a statement does to it",
        );
        for signal in Signal::ALL {
            self.read(signal, errors);
        }
        if Signal::ALL.into_iter().all(|signal| self.entries(signal).1.is_empty()) {
            errors.warn_here("does nothing", "write trace_statements, metric_statements or log_statements, or remove the processor");
        }
    }
}

impl Config {
    fn entries(&self, signal: Signal) -> (&'static str, &[TextOr<Group>]) {
        match signal {
            Signal::Traces => ("trace_statements", &self.trace_statements),
            Signal::Metrics => ("metric_statements", &self.metric_statements),
            Signal::Logs => ("log_statements", &self.log_statements),
        }
    }

    /// The groups of a signal; a list of plain statements is one. What is wrong with any is told, and leaves it out.
    fn read(&self, signal: Signal, errors: &mut ConfigErrors) -> Vec<Statements> {
        let (contexts, (key, entries)) = (Contexts::of(signal), self.entries(signal));
        let texts: Vec<String> = entries.iter().filter_map(text).collect();
        if !texts.is_empty() && texts.len() < entries.len() {
            let index = entries.iter().position(|entry| text(entry).is_none() != text(&entries[0]).is_none()).unwrap_or_default();
            let wrong = "statements and groups of statements stand in one list";
            errors.at(key).index(index).error_here(wrong, "make a group of the statements that have none: {statements: [...]}");
            return Vec::new();
        }
        if !texts.is_empty() {
            let group = GroupText { context: None, conditions: ("conditions", &[]), statements: (key, &texts) };
            return Statements::read(errors, &contexts, &group, self.error_mode).into_iter().collect();
        }
        let mut groups = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            if let TextOr::Block(group) = entry {
                groups.extend(group.read(&contexts, self.error_mode, &mut errors.at(key).index(index)));
            }
        }
        groups
    }
}

fn text(entry: &TextOr<Group>) -> Option<String> {
    match entry {
        TextOr::Text(text) => Some(text.clone()),
        TextOr::Block(_) => None,
    }
}

impl Group {
    fn read(&self, contexts: &Contexts, mode: ErrorMode, errors: &mut ConfigErrors) -> Option<Statements> {
        let meanwhile = "write to an attribute, read it in a later group, and delete it in the last one";
        errors.planned("shared_cache", self.shared_cache, meanwhile);
        if let Some(context) = self.context.as_deref().filter(|context| contexts.level(context).is_none()) {
            let names = one_of(contexts.names());
            errors.error("context", format!("there is no context {} here", quoted(context)), format!("write {names}"));
            return None;
        }
        if self.statements.is_empty() {
            errors.warn("statements", "holds nothing, so the group does nothing", "write a statement, or remove the group");
            return None;
        }
        let conditions = ("conditions", self.conditions.as_slice());
        let group = GroupText { context: self.context.as_deref(), conditions, statements: ("statements", &self.statements) };
        Statements::read(errors, contexts, &group, self.error_mode.unwrap_or(mode))
    }
}

/// How one is made.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<Transform>("transform", Stability::Beta, include_str!("README.md"));

/// Runs its groups on every batch, one after the other.
pub struct Transform {
    context: ProcessorContext,
    groups: Vec<(Statements, FailureLog)>,
    failed: Cause,
}

impl Component for Transform {
    type Kind = Processors;
    type Config = Config;

    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        Ok(Box::new(Self::new(config, context)))
    }
}

impl Transform {
    fn new(config: &Config, context: &ProcessorContext) -> Self {
        let groups = config.read(context.line.signal(), &mut ConfigErrors::default());
        let with_log = |group: Statements| {
            let log = FailureLog::new(context, group.texts().iter().map(|_| group.mode()));
            (group, log)
        };
        Self { groups: groups.into_iter().map(with_log).collect(), failed: context.cause("failed_statement"), context: context.clone() }
    }
}

impl Processor for Transform {
    fn process(&mut self, mut batch: Telemetry, out: &mut Output) {
        for (group, log) in &mut self.groups {
            let ran = group.run(&mut batch, &self.context.clock);
            log.tell(&group.take_failures(), out.now());
            if let Err(failure) = ran {
                let text = group.texts().get(failure.number).map_or("", String::as_str);
                log.tell_refusal(text, &failure, out.now());
                return self.refuse(batch, &failure);
            }
        }
        out.emit(batch);
    }

    fn reconfigure(&mut self, config: &AnyConfig) -> Result<(), NeedsRebuild> {
        *self = Self::new(config.get()?, &self.context);
        Ok(())
    }
}

impl Transform {
    fn refuse(&self, mut batch: Telemetry, failure: &Failure) {
        let message = format!("{}: a statement fails: {}", self.context.id, failure.error);
        let why = Explanation { message, code: None, retry_after: None };
        batch.each_share(|share| share.explain(&why));
        batch.settle(Fate::Rejected { cause: self.failed, retry: Retry::Later });
    }
}

#[cfg(test)]
mod tests;

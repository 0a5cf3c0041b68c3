//! `ottl_condition`: keeps traces with a span, or an event of one, of which a condition in OTTL is true; or that are such as a whole.
//!
//! All parts of one condition must be true of the same span. Conditions are asked when a span arrives, and those that speak of resources
//! and scopes alone once for all spans that share them.

use std::time::Duration;

use serde::Deserialize;
use tracetailor_core::config::{ConfigErrors, OneOrMany, Schema};
use tracetailor_core::ottl::{Condition, Conditions, Contexts, ErrorMode, Event, Scene, read_conditions};
use tracetailor_core::telemetry::{ContextCache, Item, Signal, Source};
use tracetailor_core::time::{Clock, LogTime};

use super::{Ballot, Block, Facts, Maker, Strictness, Vote, Voter};
use crate::tail_sampling::looks::{Answer, SpanTest};
use crate::tail_sampling::seen::Bit;
use crate::tail_sampling::trace_paths::{self, TRACE, TraceConditions};
use crate::tail_sampling::why::Told;

/// Which conditions.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct OttlCondition {
    /// What becomes of a condition that cannot be evaluated: with `propagate` the policy does not vote; with the others, and unless given,
    /// the condition is not true, and with `ignore` that is logged.
    pub error_mode: Option<ErrorMode>,
    /// Conditions on spans, of which one must be true.
    pub span: OneOrMany<String>,
    /// Conditions on events of spans, of which one must be true.
    pub spanevent: OneOrMany<String>,
    /// Conditions on the trace as a whole, such as `trace.span_count > 500`, of which one must be true.
    pub trace: OneOrMany<String>,
}

const SPAN: &str = "span";
const EVENT: &str = "spanevent";

impl Block for OttlCondition {
    fn check(&self, errors: &mut ConfigErrors, _: Strictness) {
        if self.span.is_empty() && self.spanevent.is_empty() && self.trace.is_empty() {
            let wrong = "neither it nor spanevent nor trace is given";
            errors.error(SPAN, wrong, "write a condition: span: ['span.status.code == STATUS_CODE_ERROR']");
        }
        let contexts = Contexts::of(Signal::Traces);
        for (key, texts) in [(SPAN, &self.span), (EVENT, &self.spanevent)] {
            let _ = read_conditions(errors, key, &contexts, Some(key), texts);
        }
        let _ = read_conditions(errors, TRACE, &trace_paths::contexts(), Some(TRACE), &self.trace);
    }

    fn is_stateless(&self) -> bool {
        self.trace.is_empty()
    }

    fn voter(&self, maker: &mut Maker<'_>) -> Box<dyn Voter> {
        let contexts = trace_paths::contexts();
        let read = |key: &str, texts: &[String]| -> Vec<Condition> {
            texts.iter().filter_map(|text| Condition::parse(&contexts, Some(key), text).ok()).collect()
        };
        let (span, event) = (read(SPAN, &self.span), read(EVENT, &self.spanevent));
        let trace = read(TRACE, &self.trace);
        any_of([span, event, trace], self.error_mode.unwrap_or(ErrorMode::Silent), maker)
    }
}

/// Who votes for traces of which one of these conditions holds: those on spans, on events of them, and on the trace as a whole.
pub(in crate::tail_sampling) fn any_of(
    [span, event, trace]: [Vec<Condition>; 3],
    mode: ErrorMode,
    maker: &mut Maker<'_>,
) -> Box<dyn Voter> {
    let is_shared = event.is_empty() && span.iter().all(|condition| condition.reads().is_shared());
    let trace = TraceConditions::new(trace, mode, maker.looks, maker.context);
    if span.is_empty() && event.is_empty() && !trace.is_empty() {
        return Box::new(ByCondition { bits: None, trace });
    }
    let test = Holds {
        span: Conditions::of(span, mode),
        event: Conditions::of(event, mode),
        shared: is_shared.then(ContextCache::new),
        source: Source::default(),
        clock: maker.context.clock.apart(),
        log: (mode == ErrorMode::Ignore).then(LogTime::default),
    };
    Box::new(ByCondition { bits: Some(maker.looks.span_that_may_fail(Box::new(test))), trace })
}

/// Votes by two bits, of which the Collector sets no second, and by conditions on the whole.
struct ByCondition {
    bits: Option<(Bit, Bit)>,
    trace: TraceConditions,
}

impl Voter for ByCondition {
    /// What is true of some span is true, whatever could not be evaluated on another.
    fn vote(&mut self, trace: &Facts<'_>) -> Vote {
        let has = |bit| trace.seen.bits.has(bit);
        if self.bits.is_some_and(|(bit, _)| has(bit)) {
            return Vote::KEEP;
        }
        let whole = self.trace.first(trace);
        if let (_, Some(place)) = whole {
            trace.tell(Told::Rule(place as u64));
        }
        match (whole, self.bits) {
            ((Answer::Yes, _), _) => Vote::KEEP,
            ((Answer::Failed, _), _) => Vote { ballot: Ballot::Fail, ..Vote::REFUSE },
            (_, Some((_, failed))) if has(failed) => Vote { ballot: Ballot::Fail, ..Vote::REFUSE },
            _ => Vote::REFUSE,
        }
    }
}

struct Holds {
    span: Conditions,
    event: Conditions,
    /// Answers by context, where nothing else is asked about.
    shared: Option<ContextCache<Answer>>,
    /// Who sent a span is not passed on to policies.
    source: Source,
    clock: Clock,
    /// When failures were logged last, where they are.
    log: Option<LogTime>,
}

impl SpanTest for Holds {
    fn answer(&mut self, span: &Item<'_>) -> Answer {
        let Self { span: conditions, event, shared, source, clock, .. } = self;
        let answer = match shared {
            Some(shared) => *shared.get(span.context(), |context| ask(conditions, &Scene::of_context(context, source, clock))),
            None => {
                let scene = Scene::of_item(*span, source, clock);
                match ask(conditions, &scene) {
                    Answer::No if !event.is_empty() => ask_events(event, span, &scene),
                    answer => answer,
                }
            }
        };
        self.tell_failures();
        answer
    }
}

fn ask(conditions: &mut Conditions, scene: &Scene<'_>) -> Answer {
    match conditions.any(scene) {
        Ok(true) => Answer::Yes,
        Ok(false) => Answer::No,
        Err(_) => Answer::Failed,
    }
}

/// Of events in their order, the first that is meant, or that cannot be asked about.
fn ask_events(conditions: &mut Conditions, span: &Item<'_>, scene: &Scene<'_>) -> Answer {
    let answers = span.events().enumerate().map(|(index, bytes)| ask(conditions, &scene.at_event(Event { index, bytes })));
    answers.into_iter().find(|answer| *answer != Answer::No).unwrap_or(Answer::No)
}

/// So often at most is told what could not be evaluated.
const TOLD_EVERY: Duration = Duration::from_secs(10);

impl Holds {
    fn tell_failures(&mut self) {
        let Some(told) = &mut self.log else { return };
        let failures = [self.span.take_failures(), self.event.take_failures()].concat();
        if failures.is_empty() {
            return;
        }
        let now = self.clock.now();
        if now.since(*told) >= TOLD_EVERY {
            *told = now;
            for (condition, failed) in failures {
                tracing::warn!(condition, error = %failed.error, "condition could not be evaluated");
            }
        }
    }
}

//! Errors of conditions and statements, told: each in a counter, and in the log now and then.

use std::time::Duration;

use super::conditions::{ErrorMode, Failed};
use crate::component::{BuildContext, Counter};
use crate::time::LogTime;

/// Who told of an error tells of the next one when so much time has passed.
const SILENCE: Duration = Duration::from_secs(10);
/// Where a text is cut that stands in a label.
const MOST_CHARACTERS: usize = 120;

/// Tells whoever runs the gateway which conditions or statements of a component fail. An expression that fails does so for many items: it counts them
/// all, and says a word every ten seconds.
#[derive(Debug)]
pub struct FailureLog {
    context: BuildContext,
    expressions: Vec<Told>,
}

#[derive(Debug)]
struct Told {
    mode: ErrorMode,
    /// Made when it first fails, as most never do.
    counter: Option<Counter>,
    untold: u64,
    told_at: Option<LogTime>,
}

impl FailureLog {
    /// For expressions with these modes, in the order in which [`Failed`] numbers them.
    pub fn new(context: &BuildContext, modes: impl IntoIterator<Item = ErrorMode>) -> Self {
        let told = |mode| Told { mode, counter: None, untold: 0, told_at: None };
        Self { context: context.clone(), expressions: modes.into_iter().map(told).collect() }
    }

    /// Tells of the errors of a batch.
    pub fn tell(&mut self, failures: &[(String, Failed)], now: LogTime) {
        for (text, failed) in failures {
            let Some(told) = self.expressions.get_mut(failed.number) else { continue };
            told.count(&self.context, text, failed.count);
            if told.mode != ErrorMode::Silent && told.is_due(now) {
                let (times, error) = (std::mem::take(&mut told.untold), &failed.error);
                tracing::warn!(component = %self.context.id, expression = text, times, %error, "an expression fails, passing it over");
            }
        }
    }

    /// Tells of the error for which a batch is refused.
    pub fn tell_refusal(&mut self, text: &str, failure: &super::Failure, now: LogTime) {
        let Some(told) = self.expressions.get_mut(failure.number) else { return };
        told.count(&self.context, text, 1);
        if told.is_due(now) {
            let (times, error) = (std::mem::take(&mut told.untold), &failure.error);
            tracing::warn!(component = %self.context.id, expression = text, times, %error, "an expression fails, refusing the batch");
        }
    }
}

impl Told {
    fn count(&mut self, context: &BuildContext, text: &str, times: u64) {
        let counter = || context.counter("tracetailor_failed_expressions_total", &[("expression", &label(text))]);
        self.counter.get_or_insert_with(counter).add(times);
        self.untold += times;
    }

    fn is_due(&mut self, now: LogTime) -> bool {
        let is_due = self.told_at.is_none_or(|told_at| now.since(told_at) >= SILENCE);
        if is_due {
            self.told_at = Some(now);
        }
        is_due
    }
}

/// The text of an expression as a label has it: on one line, and cut where it is longer than 120 characters.
pub fn label(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ottl::EvalError;

    #[test]
    fn a_label_is_one_short_line() {
        assert_eq!(label("a ==\n   \"b\""), "a == \"b\"");
        assert_eq!(label(&"é".repeat(120)), "é".repeat(120));
        assert_eq!(label(&"é".repeat(121)), format!("{}…", "é".repeat(120)));
    }

    #[test]
    fn all_is_counted_and_little_is_said() {
        let context = BuildContext::alone("filter");
        let mut log = FailureLog::new(&context, [ErrorMode::Ignore, ErrorMode::Silent]);
        let failed = |number| ("a".to_owned(), Failed { number, count: 3, error: EvalError::because("why") });
        let at = |seconds: u64| LogTime(seconds * 1_000_000_000);
        let untold = |log: &FailureLog| log.expressions.iter().map(|told| told.untold).collect::<Vec<_>>();
        log.tell(&[failed(0), failed(1)], at(100));
        assert_eq!(untold(&log), [0, 3]);
        log.tell(&[failed(0), failed(7)], at(109));
        assert_eq!(untold(&log), [3, 3]);
        log.tell(&[failed(0)], at(110));
        assert_eq!(untold(&log), [0, 3]);
        let series = context.counters.read();
        let counts: Vec<u64> = series.iter().map(crate::component::Series::count).collect();
        assert_eq!((series[0].name.as_str(), counts), ("tracetailor_failed_expressions_total", vec![12]));
    }
}

//! What kept spans are told on their way out: how probable it was that they are kept, and, where that is wanted, who kept them.

use tracetailor_core::probability::{BadState, Randomness};
use tracetailor_core::telemetry::{EditError, Path, Signal, Value};
use tracetailor_core::trace_store::{Trace, TraceOut};

use super::ballot::{Decision, Policies};
use super::counts::Counts;
use super::randomness::{self, Chance, stamped};

/// Writes them.
pub(super) struct Marks {
    trace_state: Option<Path>,
    newest: Newest,
    /// Nothing where marks are not wanted.
    paths: Option<Paths>,
}

/// Where marks stand.
struct Paths {
    policy: Path,
    child: Path,
    cached: Path,
    reason: Path,
    by: Path,
    trigger: Path,
    weight: Path,
}

impl Marks {
    pub(super) fn new(are_wanted: bool) -> Self {
        let path = |text: &str| Path::parse(Signal::Traces, text).ok();
        let attribute = |key: &str| path(&format!("attributes[\"tracetailor.sampling.{key}\"]"));
        let paths = || {
            Some(Paths {
                policy: path("scope.attributes[\"tailsampling.policy\"]")?,
                child: path("scope.attributes[\"tailsampling.composite_policy\"]")?,
                cached: path("scope.attributes[\"tailsampling.cached_decision\"]")?,
                reason: attribute("reason")?,
                by: attribute("policy")?,
                trigger: attribute("trigger")?,
                weight: attribute("weight")?,
            })
        };
        Self { trace_state: path("trace_state"), newest: Newest::default(), paths: if are_wanted { paths() } else { None } }
    }

    /// Writes what there is to tell into every span of a trace.
    pub(super) fn write(
        &mut self,
        trace: &Trace<'_>,
        decision: Option<&Decision>,
        policies: &Policies,
        counts: &Counts,
        out: &mut TraceOut<'_>,
    ) {
        let Some(verdict) = trace.verdict() else { return };
        let chance = Chance::of_note(verdict.note);
        let stated = trace.items().filter_map(|span| randomness::stated(span.trace_state())).min();
        let randomness = stated.unwrap_or_else(|| Randomness::of(trace.id()));
        for index in 0..out.len() {
            self.stamp(index, chance, randomness, counts, out);
        }
        if let Some(paths) = &self.paths {
            let told = paths.told(trace, chance, decision, policies);
            for index in 0..out.len() {
                told.iter().for_each(|(path, value)| ignore(out.edit(index).set(path, value)));
            }
        }
    }

    /// Says in a span's trace state how probable it was that it is kept; or nothing any longer, where nobody knows.
    fn stamp(&mut self, index: usize, chance: Chance, randomness: Randomness, counts: &Counts, out: &mut TraceOut<'_>) {
        let state = out.item(index).trace_state();
        if state.is_empty() && matches!(chance, Chance::CERTAIN | Chance::Unknown) {
            return;
        }
        match (self.newest.told(state, chance, randomness), &self.trace_state) {
            (Ok(Some(state)), Some(path)) => ignore(out.edit(index).set(path, state)),
            (Err(_), _) => counts.unreadable(),
            _ => {}
        }
    }
}

/// What became of the newest trace state: that of the next span is mostly the same, and so is the chance of the next trace.
#[derive(Default)]
struct Newest {
    chance: Option<Chance>,
    randomness: Option<Randomness>,
    state: Vec<u8>,
    told: Option<Value>,
}

impl Newest {
    /// What is told in place of a trace state; nothing where it stays as it is.
    fn told(&mut self, state: &[u8], chance: Chance, randomness: Randomness) -> Result<Option<&Value>, BadState> {
        // One that says nothing says nothing of randomness.
        let randomness = (!state.is_empty()).then_some(randomness);
        if (self.chance, self.randomness) != (Some(chance), randomness) || self.state != state {
            let text = std::str::from_utf8(state).map_err(|_| BadState::Member)?;
            let told = stamped(text, chance, randomness.unwrap_or(Randomness::HIGHEST))?.map(Value::String);
            *self = Newest { chance: Some(chance), randomness, state: state.to_vec(), told };
        }
        Ok(self.told.as_ref())
    }
}

impl Paths {
    /// What is told of a trace.
    fn told(&self, trace: &Trace<'_>, chance: Chance, decision: Option<&Decision>, policies: &Policies) -> Vec<(&Path, Value)> {
        let mut told = Vec::new();
        match decision.and_then(|decision| decision.policy) {
            Some(credited) => {
                let (policy, child) = policies.names(credited);
                told.push((&self.policy, Value::from(policy)));
                told.extend(child.map(|child| (&self.child, Value::from(child))));
                let by = child.map_or(policy.to_owned(), |child| format!("{policy} \u{203a} {child}"));
                told.push((&self.by, Value::String(by)));
                told.push((&self.reason, Value::from("sampled")));
            }
            None => {
                told.push((&self.cached, Value::from(true)));
                told.push((&self.reason, Value::from("late")));
            }
        }
        if !trace.is_late() {
            told.push((&self.trigger, Value::from(trace.trigger().name())));
        }
        told.extend(chance.weight().map(|weight| (&self.weight, Value::from(weight))));
        told
    }
}

/// A span that is full to the brim goes without a mark.
fn ignore(_: Result<(), EditError>) {}

//! What becomes of spans that come after the decision on their trace: they follow it, or some are kept after all.

use serde::Deserialize;
use tracetailor_core::component::{Counter, ProcessorContext, Verdict};
use tracetailor_core::config::{ConfigErrors, OneOrMany, Schema, TextOr, one_of, quoted};
use tracetailor_core::ledger::Cause;
use tracetailor_core::telemetry::{EditError, Item, Path, Signal, Value};
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::{Gone, Known, TraceOut};

use super::ballot::Policies;
use super::looks::Looks;
use super::policies::{Ballot, Facts, Policy, PolicyType};
use super::randomness::Chance;
use super::seen::Seen;
use super::why::Trail;

/// Late spans that are kept after all.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct KeepIf {
    /// Names of policies: a late span that one of them keeps by itself is kept, though nobody kept its trace.
    pub keep_if: OneOrMany<String>,
}

/// As it is written.
pub(super) type LateSpans = TextOr<KeepIf>;

const FOLLOW: &str = "follow";

/// What holds unless something else is said.
pub(super) fn follow() -> LateSpans {
    TextOr::Text(FOLLOW.to_owned())
}

/// Says what is wrong with it.
pub(super) fn check(late: &LateSpans, policies: &[Policy], errors: &mut ConfigErrors) {
    match late {
        TextOr::Text(text) if text == FOLLOW => {}
        TextOr::Text(text) => {
            let right = "write follow, or {keep_if: [errors]} with names of policies";
            errors.error("late_spans", format!("there is no way {}", quoted(text)), right);
        }
        TextOr::Block(KeepIf { keep_if }) => {
            if keep_if.is_empty() {
                errors.at("late_spans").error(
                    "keep_if",
                    "is empty: no late span would be kept",
                    "name policies, or write late_spans: follow",
                );
            }
            for (index, name) in keep_if.iter().enumerate() {
                check_name(name, policies, &mut errors.at("late_spans").at("keep_if").index(index));
            }
        }
    }
}

fn check_name(name: &str, policies: &[Policy], errors: &mut ConfigErrors) {
    match policies.iter().find(|policy| policy.name == name) {
        None => {
            let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
            errors.error_here(format!("there is no policy {}", quoted(name)), format!("there are {}", one_of(names)));
        }
        Some(policy) if policy.kind == Some(PolicyType::Drop) => {
            errors.error_here(format!("policy {} drops", quoted(name)), "name policies that keep");
        }
        Some(policy) if !policy.is_stateless() => {
            let wrong = format!("policy {} needs the whole trace, and here is one span of it", quoted(name));
            errors.error_here(wrong, "name policies that one span can meet, such as status_code or string_attribute");
        }
        Some(_) => {}
    }
}

/// Keeps late spans of traces that nobody kept.
pub(super) struct Fragments {
    /// The places of the policies that are asked.
    places: Vec<usize>,
    /// What is known of the span in hand.
    seen: Seen,
    trail: Trail,
    kept: Cause,
    count: Counter,
    mark: Option<Path>,
}

impl Fragments {
    /// Nothing where late spans follow.
    pub(super) fn new(late: &LateSpans, policies: &Policies, context: &ProcessorContext) -> Option<Self> {
        let TextOr::Block(KeepIf { keep_if }) = late else { return None };
        Some(Self {
            places: keep_if.iter().filter_map(|name| policies.place_of(name)).collect(),
            seen: Seen::default(),
            trail: Trail::new(false),
            kept: context.cause("late_fragment"),
            count: context.counter("tracetailor_sampling_late_fragments_total", &[]),
            mark: Path::parse(Signal::Traces, "attributes[\"tracetailor.sampling.fragment\"]").ok(),
        })
    }

    /// The verdict on a late span by itself, if it is kept after all. Nobody can say how probable that was.
    pub(super) fn judge(&mut self, span: &Item<'_>, now: LogTime, looks: &mut Looks, policies: &mut Policies) -> Option<Verdict> {
        self.seen.clear();
        looks.look(span, &mut self.seen);
        let gone = Gone::new(span.trace_id(), now);
        let facts = Facts { outline: &gone.outline(), seen: &self.seen, spans: 1, trail: &self.trail };
        let is_kept = self.places.iter().any(|place| policies.ask(*place, &facts).is_some_and(|vote| vote.ballot == Ballot::Keep));
        if is_kept {
            self.count.add(1);
        }
        is_kept.then(|| Verdict::keep(self.kept).with_note(Chance::Unknown.note()))
    }

    /// Marks spans that were kept so.
    pub(super) fn mark(&self, verdict: Option<Verdict>, out: &mut TraceOut<'_>) {
        let (Some(path), true) = (&self.mark, verdict.is_some_and(|verdict| verdict.cause == self.kept)) else { return };
        for index in 0..out.len() {
            ignore(out.edit(index).set(path, &Value::from(true)));
        }
    }
}

/// A span that is full to the brim goes without a mark.
fn ignore(_: Result<(), EditError>) {}

/// Whether late spans of a trace on which this was decided may be kept: those that nobody kept, but not those that somebody dropped.
pub(super) fn may_be_kept(known: &Known, not_sampled: Cause) -> bool {
    !known.verdict.is_keep() && known.verdict.cause == not_sampled
}

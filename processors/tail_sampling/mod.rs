#![doc = include_str!("README.md")]
//! # How it is made
//!
//! The store holds spans; this stage holds for each trace what was seen (`seen::Seen`) of it, by the slot that the store gave it. What
//! policies look for are questions that they register in `looks` when they are made; each span is looked at once, when it arrives. When a
//! trace is due, `TailSampling::decide` asks the `policies` and combines (`ballot`) their votes.
//!
//! What could be built on it, and where it goes:
//!
//! - another policy: `policies` says how. One that computes from fields of spans overrides `Voter::arrive`;
//!
//! Who votes says what decided in the trail of the trace (`policies::Facts::tell`); with the decision that becomes a record of `why`. Policies
//! in the `shadow` are a second `ballot::Policies` made with the same `looks::Looks`, asked after the others and only counted.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracetailor_core::component::{
    AnyConfig, BuildError, Component, Notes, Part, Processor, ProcessorContext, ProcessorFactory, Processors, Stability, StagePart,
    TraceStage, Trigger, Verdict, Wants,
};
use tracetailor_core::config::{ByteSize, ConfigErrors, Period, Planned, Schema, Switch, Validate, quoted};
use tracetailor_core::telemetry::{Item, Signal, TraceId};
use tracetailor_core::time::LogTime;
use tracetailor_core::trace_store::{Budget, Known, Limits, Outline, Remember, Slot, Trace, TraceOut, TraceStore, WholeTraces};

mod ballot;
mod causes;
mod complete;
mod counts;
mod ingest;
mod late;
mod looks;
mod marks;
mod otelcol;
mod policies;
mod randomness;
mod rules;
mod seen;
mod shadow;
mod size;
mod timing;
mod trace_paths;
mod trace_state;
mod ways;
mod why;

use ballot::{Decision, FirstMatch, Outcome, Policies, Votes};
use causes::Causes;
use complete::{Complete, WhenComplete};
use counts::{Counted, Counts};
use late::{Fragments, LateSpans};
use looks::Looks;
use marks::Marks;
use otelcol::Remembered;
use policies::{Facts, Limiters, Maker, Place, Policy, Strictness, SubPolicies, Voter};
use rules::Rule;
use seen::Seen;
use shadow::Shadow;
use timing::Timing;
use ways::{Compatibility, Randomness, SamplingStrategy, Ways};
use why::{Label, Recorded, Recorder, Trail, Why};

/// What the user writes.
#[derive(Clone, Debug, Deserialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// From a trace's first span to its decision.
    pub decision_wait: Period,
    /// From the root of a trace to its decision, where that is earlier; 0s to wait as long as for all others.
    pub decision_wait_after_root_received: Period,
    /// How many traces may wait; beyond it the oldest are decided early.
    pub num_traces: u64,
    /// How many bytes of spans may be held; beyond it the oldest are decided early. Unless given, the gateway's share for traces.
    pub max_buffered_bytes: Option<ByteSize>,
    /// Makes senders wait while `num_traces` traces wait, in place of deciding the oldest early.
    pub block_on_overflow: bool,
    /// A trace that is larger, as the Collector counts bytes, is dropped; 0 for no limit.
    pub maximum_trace_size_bytes: u64,
    /// How many decisions are remembered.
    pub decision_cache: DecisionCache,
    /// How long a decision is remembered, for spans that come after it.
    pub remember: Period,
    /// What becomes of spans that come after the decision: `follow` it, or a block that says which are kept after all.
    pub late_spans: LateSpans,
    /// Whether the first policy that keeps a trace ends the asking, so that limits are not spent on it.
    pub sample_on_first_match: bool,
    /// Whether traces that wait are dropped when the gateway stops; otherwise they are decided on what has come.
    pub drop_pending_traces_on_shutdown: bool,
    /// Whether traces are judged as a whole, or each part as it comes.
    pub sampling_strategy: SamplingStrategy,
    /// What chance goes by.
    pub randomness: Randomness,
    /// Whose behaviour it is where the two differ.
    pub compatibility: Compatibility,
    /// Whether kept spans say in attributes who kept them and why.
    pub marks: bool,
    /// Read; the lanes share the work.
    pub num_shards: u32,
    /// Read and without effect: memory is taken as it is needed.
    pub expected_new_traces_per_sec: u64,
    /// Planned: where spans wait on disk.
    pub tail_storage: Planned,
    /// Whether a trace that lacks nothing is decided before its time, when nothing more has come for a while.
    pub decide_when_complete: Switch<WhenComplete>,
    /// Remembers why traces were decided as they were.
    pub why: Why,
    /// Policies that are asked beside the others and only counted, with the keys of `policies`.
    pub shadow_policies: SubPolicies,
    /// In place of policies: the first that fits a trace decides it, and what none fits is kept.
    pub rules: Vec<Rule>,
    /// Who keeps what: a trace that any of them keeps is kept, unless one drops it.
    pub policies: Vec<Policy>,
}

/// How many decisions are remembered.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, Schema)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionCache {
    /// On traces that were kept; at least `num_traces` are.
    pub sampled_cache_size: i64,
    /// On traces that were not; at least `num_traces` are.
    pub non_sampled_cache_size: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            decision_wait: Period::seconds(30),
            decision_wait_after_root_received: Period::ZERO,
            num_traces: 50_000,
            max_buffered_bytes: None,
            block_on_overflow: false,
            maximum_trace_size_bytes: 0,
            decision_cache: DecisionCache::default(),
            remember: Period::seconds(900),
            late_spans: late::follow(),
            sample_on_first_match: false,
            drop_pending_traces_on_shutdown: false,
            sampling_strategy: SamplingStrategy::TraceComplete,
            randomness: Randomness::TraceId,
            compatibility: Compatibility::Tracetailor,
            marks: false,
            num_shards: 1,
            expected_new_traces_per_sec: 0,
            tail_storage: Planned::default(),
            decide_when_complete: Switch::Off,
            why: Why::default(),
            shadow_policies: SubPolicies::default(),
            rules: Vec::new(),
            policies: Vec::new(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, errors: &mut ConfigErrors) {
        let strictness = Strictness { lenient: self.compatibility == Compatibility::Otelcol };
        self.check_planned(errors);
        if self.num_traces == 0 {
            strictness.doubt(errors, "num_traces", "must be positive: no trace could wait", "write a number such as 50000");
        }
        if self.num_shards > MOST_SHARDS {
            errors.error("num_shards", format!("is more than {MOST_SHARDS}"), "remove it: the lanes share the work");
        }
        rules::check(self, errors);
        if self.policies.is_empty() && self.rules.is_empty() {
            let right = "list at least one, such as {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}";
            strictness.doubt(errors, "policies", "is empty: nothing would be kept", right);
        }
        let SubPolicies(shadow) = &self.shadow_policies;
        for (key, policies) in [("policies", &self.policies), ("shadow_policies", shadow)] {
            check_names(key, policies, errors);
            for (index, policy) in policies.iter().enumerate() {
                policy.check(Place::Top, &mut errors.at(key).index(index), strictness);
            }
        }
        late::check(&self.late_spans, &self.policies, errors);
        self.why.validate(&mut errors.at("why"));
        if self.sampling_strategy == SamplingStrategy::SpanIngest && !errors.has_errors() {
            self.check_stateless(errors);
        }
    }
}

const MOST_SHARDS: u32 = 256;

/// So many traces have room at least, however large each is.
const TRACES_AT_LEAST: u64 = 8;

fn check_names(key: &str, policies: &[Policy], errors: &mut ConfigErrors) {
    for (index, policy) in policies.iter().enumerate() {
        let mut errors = errors.at(key).index(index);
        if policy.name.is_empty() {
            errors.error("name", "is missing", "name the policy: metrics and explanations tell it by that");
        } else if policies[..index].iter().any(|other| other.name == policy.name) {
            let wrong = format!("there are two policies {}", quoted(&policy.name));
            errors.error("name", wrong, "give one of them another name");
        }
    }
}

impl Config {
    fn check_planned(&self, errors: &mut ConfigErrors) {
        errors.planned("tail_storage", self.tail_storage, "remove it: traces wait in memory, of which max_buffered_bytes says how much");
    }

    /// A part of a trace cannot be judged by what only the whole has.
    fn check_stateless(&self, errors: &mut ConfigErrors) {
        for (index, policy) in self.policies.iter().enumerate().filter(|(_, policy)| !policy.is_stateless()) {
            let right = "remove sampling_strategy, or the policy";
            let wrong = format!("policy {} needs the whole trace, which span-ingest does not wait for", quoted(&policy.name));
            errors.at("policies").index(index).error_here(wrong, right);
        }
        if !self.shadow_policies.0.is_empty() {
            errors.error("shadow_policies", "cannot be asked about parts of traces", "remove sampling_strategy, or them");
        }
    }

    fn ways(&self) -> Ways {
        let original = self.compatibility == Compatibility::Otelcol;
        Ways { original, hashes: original || self.randomness == Randomness::Hash, shards: self.num_shards }
    }

    fn first_match(&self) -> FirstMatch {
        match (self.sample_on_first_match, self.compatibility) {
            (false, _) => FirstMatch::AllAreAsked,
            (true, Compatibility::Tracetailor) => FirstMatch::NobodySpends,
            (true, Compatibility::Otelcol) => FirstMatch::NobodyIsAsked,
        }
    }

    /// How much the store may hold: what a user wrote is for all lanes together.
    fn limits(&self, context: &ProcessorContext) -> Limits {
        let budget = |name, limit: u64| {
            let shared = context.share(name, || Budget::new(limit));
            shared.set_limit(limit);
            Budget::clone(&shared)
        };
        let gate = context.shared.gate();
        gate.set_limit(if self.block_on_overflow { self.num_traces.max(1) } else { u64::MAX });
        let bytes = self.max_buffered_bytes.map(ByteSize::get);
        let limits = Limits {
            bytes: bytes.map_or_else(Budget::unlimited, |bytes| budget("bytes", bytes)),
            // So that one trace cannot push out all others.
            trace_bytes: bytes.map_or(u64::MAX, |bytes| bytes / TRACES_AT_LEAST),
            senders_wait: self.block_on_overflow,
            ..Limits::with_wait(Timing::of(self).longest())
        };
        let limits = match (self.block_on_overflow, self.ways().original) {
            (true, _) => Limits { traces: gate, ..limits },
            (false, false) => Limits { traces: budget("traces", self.num_traces.max(1)), ..limits },
            // Its own memory of traces pushes out.
            (false, true) => limits,
        };
        if self.ways().original {
            return limits;
        }
        let decisions = |size: i64| u64::try_from(size).unwrap_or(0).max(self.num_traces);
        let remember = Remember {
            time: self.remember.get(),
            kept: budget("kept", decisions(self.decision_cache.sampled_cache_size)),
            dropped: budget("dropped", decisions(self.decision_cache.non_sampled_cache_size)),
            skeletons: Budget::new(0),
        };
        Limits { remember, ..limits }
    }

    fn recorder(&self, context: &ProcessorContext) -> Recorder {
        let recorded = Recorded {
            why: self.why,
            written: &format!("{self:?}"),
            live: if self.rules.is_empty() { Label::of_all(&self.policies) } else { Label::of_rules(&self.rules) },
            shadow: Label::of_all(&self.shadow_policies.0),
            wait: Timing::of(self).longest(),
        };
        Recorder::new(recorded, context)
    }

    fn stage(&self, context: &ProcessorContext) -> StagePart {
        StagePart { stage: Box::new(TailSampling::new(self, context)), limits: self.limits(context), unjudged: "sampled" }
    }
}

/// How one is made, and what stage it stands for.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<TailSampling>("tail_sampling", Stability::Beta, include_str!("README.md"))
    .only_for(&[Signal::Traces])
    .playing(Part::Stage(stage));

fn stage(config: &AnyConfig, context: &ProcessorContext) -> Result<StagePart, BuildError> {
    let config: &Config =
        config.get().map_err(|_| BuildError::new("this is no configuration of tail_sampling", "this is a bug: please report it"))?;
    Ok(config.stage(context))
}

/// Judges traces when their time has come.
pub struct TailSampling {
    /// What to look for in spans.
    looks: Looks,
    policies: Policies,
    /// What is known of each trace that waits, by its slot.
    seen: Vec<Seen>,
    /// The votes on the trace in hand.
    votes: Votes,
    shadow: Option<Shadow>,
    fragments: Option<Fragments>,
    why: Recorder,
    timing: Timing,
    complete: Option<Complete>,
    ways: Ways,
    strategy: SamplingStrategy,
    /// A larger trace is dropped.
    largest: Option<u64>,
    drops_pending: bool,
    caches: DecisionCache,
    /// What takes the place of the store's own memory where the Collector is followed.
    remembered: Option<Arc<Remembered>>,
    causes: Causes,
    marks: Marks,
    counts: Counts,
    /// The time at which late spans are looked up, and the trace of the newest of them.
    now: LogTime,
    newest_late: Option<TraceId>,
}

impl Component for TailSampling {
    type Kind = Processors;
    type Config = Config;

    /// As a box of its own, with a store of its own.
    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        let StagePart { stage, limits, unjudged } = config.stage(context);
        let store = TraceStore::new(limits, context.line.held("tail_sampling"), context.cause("no_time"));
        Ok(Box::new(WholeTraces::new(store, vec![stage], context.cause(unjudged))))
    }
}

impl TailSampling {
    fn new(config: &Config, context: &ProcessorContext) -> Self {
        let ways = config.ways();
        let mut looks = Looks::new(ways);
        let largest = Some(config.maximum_trace_size_bytes).filter(|size| *size > 0);
        if largest.is_some() {
            looks.want_sizes();
        }
        let complete = config.decide_when_complete.on().map(|when| Complete::new(when, context));
        if complete.is_some() {
            looks.want_structure();
        }
        if config.why.records > 0 {
            looks.want_told();
        }
        let limiters = context.share("limits", Limiters::default);
        let mut maker = Maker { looks: &mut looks, context, limiters: &limiters, ways, path: String::new() };
        let policies = match config.rules.as_slice() {
            [] => Policies::new(&config.policies, config.first_match(), &mut maker),
            rules => Policies::of_rules(rules, &mut maker),
        };
        let shadow = Shadow::new(&config.shadow_policies.0, config.first_match(), &mut maker);
        Self {
            looks,
            fragments: Fragments::new(&config.late_spans, &policies, context),
            policies,
            seen: Vec::new(),
            votes: Votes::default(),
            shadow,
            why: config.recorder(context),
            timing: Timing::of(config),
            complete,
            ways,
            strategy: config.sampling_strategy,
            largest,
            drops_pending: config.drop_pending_traces_on_shutdown,
            caches: config.decision_cache,
            remembered: ways.original.then(|| Remembered::shared(config, context)),
            causes: Causes::new(context),
            marks: Marks::new(config.marks),
            counts: Counts::new(context, ways),
            now: LogTime::default(),
            newest_late: None,
        }
    }
}

impl TraceStage for TailSampling {
    fn wants(&self) -> Wants {
        Wants { structure: self.looks.wants_structure(), ..Wants::default() }
    }

    fn open(&mut self, trace: &Outline<'_>) {
        let slot = trace.slot();
        if self.seen.len() <= slot.index() {
            self.seen.resize_with(slot.index() + 1, Seen::default);
        }
        let seen = &mut self.seen[slot.index()];
        seen.clear();
        if let Some(remembered) = &self.remembered {
            seen.rare_mut().pushed = Some(remembered.enter(trace.id()));
        }
        self.lookers().for_each(|voter| voter.open(slot));
        self.counts.opened(trace.first_seen() == trace.now());
    }

    fn arrive(&mut self, trace: &Outline<'_>, span: Item<'_>) {
        self.come_again(trace);
        if self.strategy == SamplingStrategy::SpanIngest {
            self.judge_fragment_before(trace, &span);
        }
        let seen = &mut self.seen[trace.slot().index()];
        self.looks.look(&span, seen);
        self.timing.arrived(&span, trace.now(), seen);
        self.lookers().for_each(|voter| voter.arrive(trace, &span));
    }

    fn ready_in(&mut self, trace: &Outline<'_>) -> Option<Duration> {
        if self.strategy == SamplingStrategy::SpanIngest {
            self.judge_fragment(trace);
        }
        let seen = &mut self.seen[trace.slot().index()];
        if self.looks.wants_sizes() {
            seen.rare_mut().sizes.end_fragment();
        }
        let seen = &self.seen[trace.slot().index()];
        let is_final = seen.rare().fragments.is_final() || self.is_too_large(seen);
        let complete = self.complete.as_ref().and_then(|complete| complete.wish(trace));
        if is_final { Some(Duration::ZERO) } else { self.timing.wish(trace, seen).into_iter().chain(complete).min() }
    }

    /// What happens to a trace whose time has come.
    fn decide(&mut self, trace: &Trace<'_>, _notes: &Notes) -> Option<Verdict> {
        self.why.clear();
        let decision = self.without_votes(trace).unwrap_or_else(|| {
            self.vote(trace);
            self.votes.combine()
        });
        let early = self.complete.as_ref().filter(|complete| complete.decided(trace));
        let verdict = early.map_or(&self.causes, Complete::causes).verdict(&decision);
        self.remember(trace, &decision, verdict);
        let shadow = self.ask_shadow(trace, &decision);
        self.record(trace, &decision, shadow);
        Some(verdict)
    }

    fn finish(&mut self, trace: &Trace<'_>, _notes: &Notes, out: &mut TraceOut<'_>) {
        let seen = self.seen.get(trace.slot().index()).filter(|_| !trace.is_late());
        if let Some(seen) = seen {
            self.counts.removed(trace.now().since(trace.first_seen()));
            (0..seen.rare().evicted as usize).for_each(|index| out.leave_out(index, self.causes.evicted));
        }
        let decision = seen.and_then(|seen| seen.decision);
        self.marks.write(trace, decision.as_ref(), &self.policies, &self.counts, out);
        if let Some(fragments) = self.fragments.as_ref().filter(|_| trace.is_late()) {
            fragments.mark(trace.verdict(), out);
        }
    }

    fn recall(&mut self, trace: TraceId, known: Option<Known>, now: LogTime) -> Option<Known> {
        (self.now, self.newest_late) = (now, None);
        let known = match &self.remembered {
            Some(remembered) => remembered.recall(trace, now),
            None => known,
        };
        known.filter(|known| known.verdict.cause != self.causes.unmatched)
    }

    fn late(&mut self, known: Known, span: Item<'_>) -> Option<Verdict> {
        if let Some(complete) = &self.complete {
            complete.late(known.verdict.cause, &span);
        }
        let after_all = self.judge_late(&known, &span);
        let is_root = span.parent_span_id().is_none();
        self.why.late(span.trace_id(), self.now, after_all.unwrap_or(known.verdict).is_keep(), is_root);
        let is_kept = known.verdict.is_keep();
        let cache = if is_kept { self.caches.sampled_cache_size } else { self.caches.non_sampled_cache_size };
        if cache > 0 {
            self.counts.released(is_kept);
        } else if self.newest_late != Some(span.trace_id()) {
            self.newest_late = Some(span.trace_id());
            self.counts.late(self.now.since(known.when));
        }
        after_all
    }

    fn close(&mut self, slot: Slot) {
        self.lookers().for_each(|voter| voter.close(slot));
        self.counts.closed();
    }
}

impl TailSampling {
    /// What is decided without asking anybody: what came too large, or too late.
    fn without_votes(&self, trace: &Trace<'_>) -> Option<Decision> {
        let seen = &self.seen[trace.slot().index()];
        if seen.rare().pushed.as_ref().is_some_and(otelcol::Pushed::out) {
            return Some(Decision::without_votes(Outcome::Evicted));
        }
        if self.is_too_large(seen) {
            return Some(Decision::without_votes(Outcome::TooLarge));
        }
        if self.strategy == SamplingStrategy::SpanIngest {
            let decision = seen.rare().fragments.outcome(self.ways);
            return Some(decision.unwrap_or(Decision::without_votes(Outcome::Unmatched)));
        }
        (self.drops_pending && trace.trigger() == Trigger::Shutdown).then(|| Decision::without_votes(Outcome::Pending))
    }

    fn is_too_large(&self, seen: &Seen) -> bool {
        self.largest.is_some_and(|largest| seen.rare().sizes.fragments() > largest)
    }

    /// Those who look at spans by themselves.
    fn lookers(&mut self) -> impl Iterator<Item = &mut Box<dyn Voter>> {
        self.policies.lookers().chain(self.shadow.iter_mut().flat_map(Shadow::lookers))
    }

    /// Asks the policies.
    fn vote(&mut self, trace: &Outline<'_>) {
        let facts = facts(trace, &self.seen, &self.why.trail);
        self.policies.vote(&facts, &mut self.votes);
        self.policies.count(&self.votes, counted(&facts));
    }

    /// Asks those in the shadow, where somebody was asked: whether they would have kept the trace.
    fn ask_shadow(&mut self, trace: &Outline<'_>, decision: &Decision) -> Option<bool> {
        let shadow = self.shadow.as_mut().filter(|_| decision.is_voted())?;
        let facts = facts(trace, &self.seen, &self.why.shadow);
        Some(shadow.ask(&facts, decision, counted(&facts)))
    }

    /// Whether a late span is kept after all.
    fn judge_late(&mut self, known: &Known, span: &Item<'_>) -> Option<Verdict> {
        let causes = [Some(&self.causes), self.complete.as_ref().map(Complete::causes)];
        let may_be_kept = causes.into_iter().flatten().any(|causes| late::may_be_kept(known, causes.not_sampled));
        let fragments = self.fragments.as_mut().filter(|_| may_be_kept)?;
        fragments.judge(span, self.now, &mut self.looks, &mut self.policies)
    }

    /// The store remembers verdicts by itself. Where the Collector is followed, it is remembered as there: a trace that was pushed out not at
    /// all, and one whose parts were judged not beyond its time.
    fn remember(&self, trace: &Trace<'_>, decision: &Decision, verdict: Verdict) {
        let Some(remembered) = &self.remembered else { return };
        match decision.outcome {
            Outcome::Evicted => {}
            Outcome::Unmatched => remembered.forget(trace.id()),
            _ => remembered.decided(trace.id(), verdict, trace.now()),
        }
    }

    /// Where the Collector is followed: a trace that was pushed out and gets a span begins anew, with its old deadline.
    fn come_again(&mut self, trace: &Outline<'_>) {
        let (Some(remembered), seen) = (&self.remembered, &mut self.seen[trace.slot().index()]) else { return };
        if seen.rare().pushed.as_ref().is_some_and(otelcol::Pushed::out) {
            seen.come_again(trace.span_count() - 1, remembered.enter(trace.id()));
            self.counts.came_again();
        }
    }

    /// Counts what was decided, and keeps it until the trace is gone.
    fn record(&mut self, trace: &Trace<'_>, decision: &Decision, shadow: Option<bool>) {
        self.why.decided(trace, facts(trace, &self.seen, &self.why.trail).spans, decision, shadow);
        self.seen[trace.slot().index()].decision = Some(*decision);
        self.counts.failed(self.votes.failures());
        self.counts.decided(decision.outcome, trace.trigger());
        if let Some(lag) = self.timing.lag(trace) {
            self.counts.lagged(lag);
        }
        if decision.outcome != Outcome::Sampled {
            self.counts.removed(trace.now().since(trace.first_seen()));
        }
        self.votes.clear();
    }
}

/// What policies may know of a trace.
fn facts<'a>(trace: &'a Outline<'a>, seen: &'a [Seen], trail: &'a Trail) -> Facts<'a> {
    let seen = &seen[trace.slot().index()];
    let spans = u64::from(trace.span_count().saturating_sub(seen.rare().evicted));
    Facts { outline: trace, seen, spans, trail }
}

fn counted(trace: &Facts<'_>) -> Counted {
    Counted { spans: trace.spans, bytes: trace.seen.rare().sizes.message() }
}

#[cfg(test)]
mod tests;

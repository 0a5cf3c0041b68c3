#![doc = include_str!("README.md")]

use std::sync::Arc;
use std::time::Duration;

use tracetailor_core::component::{
    AnyConfig, BuildError, Component, Notes, Part, Processor, ProcessorContext, ProcessorFactory, Processors, Stability, StagePart,
    TraceStage, Trigger, Wants,
};
use tracetailor_core::telemetry::{Head, Item, Signal};
use tracetailor_core::time::Clock;
use tracetailor_core::trace_store::{Budget, Limits, Outline, Remember, Slot, Structure, Trace, TraceOut, TraceStore, WholeTraces};

mod config;
mod counts;
pub mod engine;
mod health;
mod late;
mod made;
mod marks;
mod read;
mod twins;

pub use config::Config;
use config::{EntryParent, ModeKey, ShortTraceIds};
use counts::{Counts, Outcome, Rate, ShortId};
use engine::{Engine, Mode, Plan, Reason, Rules, SpanView, shape};
use health::Observer;
use made::Maker;
use marks::Marker;
use read::Reader;
use twins::{Twin, Twins};

/// How one is made, and what stage it stands for.
pub const FACTORY: ProcessorFactory = ProcessorFactory::of::<Stitch>("stitch", Stability::Alpha, include_str!("README.md"))
    .only_for(&[Signal::Traces])
    .playing(Part::Stage(stage))
    .mending_ids(|config| config.get::<Config>().is_ok_and(Config::mends_ids));

/// What traces are kept for.
const STITCHED: &str = "stitched";

/// For how long late spans find what their trace looked like, and how much is remembered for it.
const REMEMBER: Duration = Duration::from_secs(600);
const REMEMBERED_TRACES: u64 = 100_000;
const SKELETON_BYTES: u64 = 64 << 20;

fn stage(config: &AnyConfig, context: &ProcessorContext) -> Result<StagePart, BuildError> {
    let config: &Config =
        config.get().map_err(|_| BuildError::new("this is no configuration of stitch", "this is a bug: please report it"))?;
    config.stage(context)
}

impl Config {
    fn stage(&self, context: &ProcessorContext) -> Result<StagePart, BuildError> {
        let shared = |name: &'static str, limit: u64| Budget::clone(&context.share(name, || Budget::new(limit)));
        let remember = Remember {
            time: REMEMBER,
            kept: shared("kept", REMEMBERED_TRACES),
            dropped: Budget::new(0),
            skeletons: shared("skeletons", SKELETON_BYTES),
        };
        let limits = Limits { remember, ..Limits::with_wait(self.wait.get()) };
        let stage = Stitch {
            is_on: self.mode != ModeKey::None,
            rules: self.rules(),
            most_per_second: self.placeholders.per_second,
            quiet: (!self.quiet.is_zero()).then(|| self.quiet.get()),
            counts: Counts::new(context),
            rate: context.share("rate", Rate::default),
            clock: context.clock.clone(),
            reader: Reader::default(),
            engine: Engine::default(),
            observer: Observer::new(context, self.learn.hops, self.learn.tables as usize),
            maker: Maker::new(&self.placeholders.name, &context.interner)?,
            marker: Marker::new()?,
            has_outside: self.entry_parent == EntryParent::Outside,
            twins: context.share("twins", Twins::default),
            joins_short: self.ids.short_trace_ids == ShortTraceIds::Join,
        };
        Ok(StagePart { stage: Box::new(stage), limits, unjudged: STITCHED })
    }
}

/// Finds the place of spans whose parent is missing. Nothing that it knows of one trace changes what it does to another.
pub struct Stitch {
    is_on: bool,
    rules: Rules,
    most_per_second: u32,
    /// After how long without a new span a complete trace leaves.
    quiet: Option<Duration>,
    has_outside: bool,
    twins: Arc<Twins>,
    joins_short: bool,
    counts: Counts,
    /// How many spans were made in this second, by all lanes.
    rate: Arc<Rate>,
    clock: Clock,
    reader: Reader,
    engine: Engine,
    observer: Observer,
    maker: Maker,
    marker: Marker,
}

impl Component for Stitch {
    type Kind = Processors;
    type Config = Config;

    /// As a box of its own, with a store of its own.
    fn build(config: &Config, context: &ProcessorContext) -> Result<Box<dyn Processor>, BuildError> {
        let StagePart { stage, limits, unjudged } = config.stage(context)?;
        let store = TraceStore::new(limits, context.line.held("stitch"), context.cause("no_time"));
        Ok(Box::new(WholeTraces::new(store, vec![stage], context.cause(unjudged))))
    }
}

impl TraceStage for Stitch {
    fn wants(&self) -> Wants {
        Wants { structure: true, skeletons: true }
    }

    fn open(&mut self, trace: &Outline<'_>) {
        self.twins.see(trace.id(), self.joins_short);
        self.observer.open(trace.slot());
    }

    fn arrive(&mut self, trace: &Outline<'_>, span: Item<'_>) {
        self.observer.arrive(trace.slot(), &span);
    }

    fn ready_in(&mut self, trace: &Outline<'_>) -> Option<Duration> {
        let is_whole = |structure: Structure<'_>| structure.is_complete() || self.observer.is_excused(trace, &structure);
        self.quiet.filter(|_| trace.structure().is_some_and(is_whole))
    }

    fn annotate(&mut self, trace: &Trace<'_>, notes: &mut Notes) {
        let Some(structure) = trace.structure() else { return };
        let missing = self.missing(&structure);
        notes.orphans = Some(missing.orphans);
        notes.completeness = Some(missing.completeness(structure.counts().spans));
        self.observe(trace);
    }

    fn finish(&mut self, trace: &Trace<'_>, _notes: &Notes, out: &mut TraceOut<'_>) {
        if !self.is_on {
            return self.leave_out_nameless(trace, out);
        }
        let twin = self.twin(trace);
        match trace.is_late() {
            true => self.place_late(trace, twin, out),
            false => {
                let plan = self.plan(trace, twin);
                self.count(trace, &plan, twin);
                self.carry_out(trace, &plan, out);
            }
        }
        self.join(trace, twin, out);
    }

    fn close(&mut self, slot: Slot) {
        self.observer.close(slot);
    }
}

/// What a trace lacks, told without reading it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Missing {
    orphans: u32,
    parents: u32,
    has_beginning: bool,
}

impl Missing {
    /// Of the spans that the trace must have had, how many are there.
    fn completeness(self, spans: u32) -> f32 {
        let missing = self.parents + u32::from(!self.has_beginning && self.parents == 0);
        spans as f32 / (spans + missing).max(1) as f32
    }
}

impl Stitch {
    fn missing(&self, structure: &Structure<'_>) -> Missing {
        let counts = structure.counts();
        let outside = structure.outside_parent().filter(|_| self.has_outside);
        Missing {
            orphans: counts.orphans - outside.map_or(0, |outside| structure.children(outside)),
            parents: counts.open_parents - u32::from(outside.is_some()),
            has_beginning: counts.roots > 0 || outside.is_some(),
        }
    }

    /// Counts what its shape tells of whoever sent it.
    fn observe(&mut self, trace: &Trace<'_>) {
        if !self.is_on {
            return;
        }
        if trace.trigger().is_forced() {
            return self.observer.pass_over();
        }
        let shape = shape(trace.id(), self.reader.read(trace), self.has_outside);
        self.observer.see(trace, &self.reader, &shape, trace.trigger() == Trigger::Deadline);
    }

    /// What is known of the other form of its id. Of a trace that is not joined to it nothing but that it is there.
    fn twin(&self, trace: &Trace<'_>) -> Twin {
        self.twins.see(trace.id(), self.joins_short);
        let twin = self.twins.of(trace.id());
        if twins::is_short(trace.id()) && !trace.is_late() {
            self.counts.short(match twin {
                Twin::Long(_) if self.joins_short => ShortId::Joined,
                Twin::Long(_) => ShortId::BesideLong,
                _ => ShortId::Alone,
            });
        }
        if self.joins_short { twin } else { Twin::None }
    }

    /// Gives its spans the long form of their trace's id.
    fn join(&self, trace: &Trace<'_>, twin: Twin, out: &mut TraceOut<'_>) {
        let Twin::Long(long) = twin else { return };
        for at in 0..trace.len() {
            let mut span = out.edit(at);
            self.marker.join(&mut span, long);
            self.marker.reason(&mut span, "short_trace_id");
        }
    }

    /// No back end takes a span without an id.
    fn leave_out_nameless(&self, trace: &Trace<'_>, out: &mut TraceOut<'_>) {
        for (at, head) in trace.heads().enumerate() {
            if head.flags & (Head::ODD_SPAN_ID | Head::ODD_PARENT_ID) != 0 {
                out.leave_out(at, self.counts.no_id());
            }
        }
    }

    /// What should be done with a trace. A gateway that cut its time short knows why spans are missing, and fills no holes; and what one form of a
    /// trace lacks may be in the other.
    fn plan(&mut self, trace: &Trace<'_>, twin: Twin) -> Plan {
        let spans = self.reader.read(trace);
        if twin != Twin::None {
            let mut plan = self.engine.repair(trace.id(), spans, &Rules { mode: Mode::Annotate, ..self.rules.clone() });
            plan.touched.iter_mut().for_each(|touch| touch.orphan_of = None);
            plan.touched.retain(|touch| !touch.reasons.is_empty());
            return Plan { leader: None, ..plan };
        }
        if trace.trigger().is_forced() {
            return self.engine.repair(trace.id(), spans, &Rules { mode: Mode::Annotate, ..self.rules.clone() });
        }
        let mut plan = self.engine.repair(trace.id(), spans, &self.rules);
        // Who was left an orphan when there was less to go by than now, with others moved, stays one.
        let was_left = |span: usize| trace.item(span).attribute(marks::ORPHAN).is_some();
        plan.touched.retain(|touch| touch.reasons != [Reason::Reparented] || !was_left(touch.span));
        if plan.made.is_empty() || self.rate.take(plan.made.len(), self.most_per_second, self.clock.now()) {
            return plan;
        }
        let annotated = self.engine.repair(trace.id(), spans, &Rules { mode: Mode::Annotate, ..self.rules.clone() });
        Plan { is_capped: true, ..annotated }
    }

    fn count(&self, trace: &Trace<'_>, plan: &Plan, twin: Twin) {
        self.counts.plan(plan);
        self.counts.trace(match plan {
            Plan { is_refused: true, .. } => Outcome::Refused,
            _ if twin != Twin::None => Outcome::TwoForms,
            Plan { is_capped: true, .. } => Outcome::Capped,
            Plan { quality, .. } if quality.is_complete => Outcome::Complete,
            _ if trace.trigger().is_forced() => Outcome::CutShort,
            _ if self.rules.mode == Mode::Annotate => Outcome::Marked,
            _ => Outcome::Repaired,
        });
    }

    fn carry_out(&mut self, trace: &Trace<'_>, plan: &Plan, out: &mut TraceOut<'_>) {
        if plan.is_refused {
            return self.leave_out_nameless(trace, out);
        }
        for touch in &plan.touched {
            self.marker.touch(out.edit(touch.span), touch);
        }
        for (span, left) in &plan.left {
            out.leave_out(*span, self.counts.cause(*left));
        }
        for made in &plan.made {
            if let Some((head, bytes, context)) = self.maker.make(trace, made, &plan.quality) {
                out.add(&head, &bytes, &context);
            }
        }
        let has_made_root = plan.made.iter().any(|made| made.role == engine::Role::Root);
        if let Some(leader) = plan.leader.filter(|_| !has_made_root) {
            self.marker.quality(out.edit(leader), &plan.quality);
        }
    }
}

#[cfg(test)]
mod tests;

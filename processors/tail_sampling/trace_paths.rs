//! What conditions in OTTL may ask of a trace as a whole: the paths below `trace.`.
//!
//! Beside each path stands what must be kept of traces so that it can be told; only that is kept which some condition reads. The shape is
//! what the trace store observes: the parent above a trace without a root is somebody else's, a browser's or a partner's, and not missing.

use std::sync::Arc;

use tracetailor_core::component::ProcessorContext;
use tracetailor_core::ottl::{self, Condition, Conditions, Contexts, ErrorMode, Scene, Table, Type, Value};
use tracetailor_core::telemetry::{Context, ItemKind, Signal, Source};
use tracetailor_core::time::Clock;

use super::looks::{Answer, Looks};
use super::policies::Facts;

/// The name of the context: conditions below this key need not say `trace.`.
pub(super) const TRACE: &str = "trace";

/// One path.
struct TracePath {
    name: &'static str,
    gives: Type,
    needs: Needs,
    told: fn(&Facts<'_>) -> Value<'static>,
}

/// What must be kept of a trace for a path.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    Extent,
    Services,
    Sizes,
    Structure,
}

const PATHS: &[TracePath] = &[
    path("bytes", Type::Int, Needs::Sizes, |trace| whole(trace.seen.rare().sizes.message())),
    path("completeness", Type::Float, Needs::Structure, |trace| Value::Float(Shape::of(trace).completeness())),
    path("dangling_calls", Type::Int, Needs::Structure, |trace| Value::Int(Shape::of(trace).dangling_calls)),
    path("duration", Type::Duration, Needs::Extent, |trace| Value::Duration(trace.seen.extent.nanoseconds())),
    path("error_count", Type::Int, Needs::Structure, |trace| Value::Int(Shape::of(trace).errors)),
    path("has_root", Type::Bool, Needs::Structure, |trace| Value::Bool(Shape::of(trace).roots > 0)),
    path("open_parents", Type::Int, Needs::Structure, |trace| Value::Int(Shape::of(trace).open_parents)),
    path("orphans", Type::Int, Needs::Structure, |trace| Value::Int(Shape::of(trace).orphans)),
    path("outside_parent", Type::Bool, Needs::Structure, |trace| Value::Bool(Shape::of(trace).outside_parent)),
    path("root_count", Type::Int, Needs::Structure, |trace| Value::Int(Shape::of(trace).roots)),
    path("service_count", Type::Int, Needs::Services, |trace| whole(trace.seen.rare().services.count())),
    path("span_count", Type::Int, Needs::Nothing, |trace| whole(trace.spans)),
];

const fn path(name: &'static str, gives: Type, needs: Needs, told: fn(&Facts<'_>) -> Value<'static>) -> TracePath {
    TracePath { name, gives, needs, told }
}

fn whole(number: u64) -> Value<'static> {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The contexts of spans, and `trace.` beside them. A condition of the context [`TRACE`] may speak of nothing else.
pub(super) fn contexts() -> Contexts {
    Contexts::of(Signal::Traces).with(Table::of_facts(TRACE, PATHS.iter().map(|path| (path.name, path.gives))))
}

/// The shape of a trace as far as it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) spans: i64,
    pub(super) errors: i64,
    /// Spans without a parent.
    pub(super) roots: i64,
    /// Spans whose parent has not come.
    pub(super) orphans: i64,
    /// Parents that are named and have not come.
    pub(super) open_parents: i64,
    /// Calls to other processes of which no span has come from there.
    pub(super) dangling_calls: i64,
    /// Whether it has no root, and the parent above its first span is somebody else's.
    pub(super) outside_parent: bool,
}

impl Shape {
    /// Nothing where nobody [asked](Looks::want_structure) for it.
    pub(super) fn of(trace: &Facts<'_>) -> Self {
        let Some(structure) = trace.outline.structure() else { return Self::default() };
        let (counts, outside) = (structure.counts(), structure.outside_parent());
        Self {
            spans: counts.spans.into(),
            errors: counts.errors.into(),
            roots: counts.roots.into(),
            orphans: (counts.orphans - outside.map_or(0, |outside| structure.children(outside))).into(),
            open_parents: (counts.open_parents - u32::from(outside.is_some())).into(),
            dangling_calls: counts.dangling_calls.into(),
            outside_parent: outside.is_some(),
        }
    }

    /// Of the spans that the trace must have had, how many are there: from 0 to 1, as `stitch` reckons it.
    #[expect(clippy::cast_precision_loss, reason = "no trace has 2^53 spans")]
    pub(super) fn completeness(&self) -> f64 {
        let has_beginning = self.roots > 0 || self.outside_parent;
        let missing = self.open_parents + i64::from(!has_beginning && self.open_parents == 0);
        self.spans as f64 / (self.spans + missing).max(1) as f64
    }
}

/// Conditions on traces as a whole.
pub(super) struct TraceConditions {
    conditions: Conditions,
    /// Of no resource: there is no span that is looked at.
    context: Option<Arc<Context>>,
    source: Source,
    clock: Clock,
}

impl TraceConditions {
    /// Those that were read, with what they need asked for.
    pub(super) fn new(conditions: Vec<Condition>, mode: ErrorMode, looks: &mut Looks, context: &ProcessorContext) -> Self {
        conditions.iter().for_each(|condition| want(condition, looks));
        Self {
            conditions: Conditions::of(conditions, mode),
            context: context.interner.intern(ItemKind::Span, [&[]; 4]).ok(),
            source: Source::default(),
            clock: context.clock.apart(),
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Which of them is the first that is true of a trace; or that it could not be found out.
    pub(super) fn first(&mut self, trace: &Facts<'_>) -> (Answer, Option<usize>) {
        let Some(context) = self.context.as_ref().filter(|_| !self.conditions.is_empty()) else { return (Answer::No, None) };
        let facts = Told(trace);
        let scene = Scene::of_context(context, &self.source, &self.clock).with_facts(&facts);
        match self.conditions.first(&scene) {
            Ok(Some(place)) => (Answer::Yes, Some(place)),
            Ok(None) => (Answer::No, None),
            Err(failure) => (Answer::Failed, Some(failure.number)),
        }
    }
}

/// Asks for what a condition on traces needs.
pub(super) fn want(condition: &Condition, looks: &mut Looks) {
    for read in condition.reads().paths {
        let name = read.text.strip_prefix("trace.").unwrap_or(&read.text);
        match PATHS.iter().find(|path| path.name == name).map(|path| path.needs) {
            Some(Needs::Extent) => looks.want_extent(),
            Some(Needs::Services) => looks.want_services(),
            Some(Needs::Sizes) => looks.want_sizes(),
            Some(Needs::Structure) => looks.want_structure(),
            Some(Needs::Nothing) | None => {}
        }
    }
}

/// A trace as expressions see it.
struct Told<'a>(&'a Facts<'a>);

impl ottl::Facts for Told<'_> {
    fn fact(&self, number: usize) -> Value<'_> {
        PATHS.get(number).map_or(Value::Nil, |path| (path.told)(self.0))
    }
}

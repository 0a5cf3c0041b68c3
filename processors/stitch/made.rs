//! Spans that stand for missing ones, and the resources they stand in.

use std::sync::Arc;

use tracetailor_core::component::BuildError;
use tracetailor_core::telemetry::{Context, ContextCache, Head, Interner, Item, ItemKind, NewSpan, Path, Signal, Value};
use tracetailor_core::trace_store::Trace;

use super::engine::{Made, Quality, Role};
use super::marks::{self, hex};

/// The scope of spans that were made. It tells them from all others, also in a second gateway.
pub(super) const SCOPE: &str = "tracetailor.stitch";

/// Makes spans.
pub(super) struct Maker {
    name: String,
    interner: Interner,
    scope: Path,
    scope_version: Path,
    service: Path,
    state: Path,
    /// Of a resource: the same with the scope of what was made.
    local: ContextCache<Option<Arc<Context>>>,
    /// The resource of what nobody knows the service of.
    unknown: Option<Arc<Context>>,
}

impl Maker {
    pub(super) fn new(name: &str, interner: &Interner) -> Result<Self, BuildError> {
        let path = |text: &str| {
            Path::parse(Signal::Traces, text).map_err(|error| BuildError::new(error.to_string(), "this is a bug: please report it"))
        };
        Ok(Self {
            name: name.to_owned(),
            interner: interner.clone(),
            scope: path("scope.name")?,
            scope_version: path("scope.version")?,
            service: path(r#"resource.attributes["service.name"]"#)?,
            state: path("trace_state")?,
            local: ContextCache::new(),
            unknown: None,
        })
    }

    /// The span, and what it stands in. A child of it lends its resource, where it was in the same process.
    pub(super) fn make(&mut self, trace: &Trace<'_>, made: &Made, quality: &Quality) -> Option<(Head, Vec<u8>, Arc<Context>)> {
        let child = trace.item(*made.below.first()?);
        let context = match made.is_local {
            true => self.beside(child.context()),
            false => self.nowhere(),
        }?;
        let mut span = NewSpan::new(trace.id(), made.id, made.parent, &self.name);
        span.kind(made.kind).times(made.start, made.end);
        let state = self.state(&child);
        if !state.is_empty() && made.below.iter().all(|at| self.state(&trace.item(*at)) == state) {
            span.trace_state(&state);
        }
        span.attribute(marks::SYNTHETIC, &Value::Bool(true));
        match made.role {
            Role::Parent(missing) => {
                span.attribute(marks::ROLE, &Value::from("parent"));
                span.attribute(marks::MISSING_SPAN_ID, &Value::from(hex(&missing.0).as_str()));
            }
            Role::Root => {
                span.attribute(marks::ROLE, &Value::from("root"));
                marks::qualities(quality, |key, value| {
                    span.attribute(key, &value);
                });
            }
        }
        span.attribute(marks::CHILDREN, &Value::Int(i64::try_from(made.children).unwrap_or(i64::MAX)));
        span.attribute(marks::ANCHOR, &Value::from(made.anchored.name()));
        if !made.anchor.is_none() {
            span.attribute(marks::ANCHOR_SPAN_ID, &Value::from(hex(&made.anchor.0).as_str()));
        }
        span.attribute(marks::BOUNDS, &Value::Bool(true));
        let (head, bytes) = span.finish();
        Some((head, bytes, context))
    }

    fn state(&self, item: &Item<'_>) -> String {
        match item.get(&self.state) {
            Some(Value::String(state)) => state,
            _ => String::new(),
        }
    }

    fn beside(&mut self, context: &Arc<Context>) -> Option<Arc<Context>> {
        let (scope, version) = (&self.scope, &self.scope_version);
        let made = self.local.get(context, |context| {
            let named = context.set(scope, &Value::from(SCOPE)).ok()?;
            Some(named.delete(version).ok().flatten().unwrap_or(named))
        });
        made.clone()
    }

    fn nowhere(&mut self) -> Option<Arc<Context>> {
        if self.unknown.is_none() {
            let empty = self.interner.intern(ItemKind::Span, [&[], &[], &[], &[]]).ok()?;
            let named = empty.set(&self.service, &Value::from("unknown")).ok()?;
            self.unknown = named.set(&self.scope, &Value::from(SCOPE)).ok();
        }
        self.unknown.clone()
    }
}

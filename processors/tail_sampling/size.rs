//! What a trace measures as the Collector counts it: as one message, in fragments as they came.

use tracetailor_core::telemetry::{Item, measure::as_field};

/// The size of a trace, span by span.
///
/// A fragment is what one request's resource holds of a trace. Its spans come together, and those of a scope do; so only the end of the
/// message is still open, and its length is added when something else begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sizes {
    /// Fragments that are complete, with their tags and lengths, and without.
    framed: u64,
    bare: u64,
    resource: Option<u64>,
    scope: Option<u64>,
    /// Of the open fragment: all before the open scope.
    before: u64,
    /// Of the open scope: itself and its spans.
    spans: u64,
}

impl Sizes {
    /// With a span more.
    pub(super) fn add(&mut self, span: &Item<'_>) {
        let context = span.context();
        if self.resource != Some(context.resource_id()) {
            self.end_fragment();
            self.resource = Some(context.resource_id());
            self.before = length_of(context.collector_sizes().0);
        }
        if self.scope != Some(context.id()) {
            self.end_scope();
            self.scope = Some(context.id());
            self.spans = length_of(context.collector_sizes().1);
        }
        self.spans += length_of(span.collector_size());
    }

    /// What comes next is of another request.
    pub(super) fn end_fragment(&mut self) {
        if self.resource.is_none() {
            return;
        }
        self.end_scope();
        self.bare += self.before;
        self.framed += as_length(self.before);
        (self.resource, self.before) = (None, 0);
    }

    fn end_scope(&mut self) {
        if self.scope.take().is_some() {
            self.before += as_length(std::mem::take(&mut self.spans));
        }
    }

    /// The whole as one message of spans.
    pub(super) fn message(&self) -> u64 {
        let mut whole = *self;
        whole.end_fragment();
        whole.framed
    }

    /// The sum over fragments, without the tag and the length of each.
    pub(super) fn fragments(&self) -> u64 {
        let mut whole = *self;
        whole.end_fragment();
        whole.bare
    }
}

/// A field of a list or a singular one, all of which have numbers of one byte here.
fn length_of(size: usize) -> u64 {
    as_field(1, size) as u64
}

fn as_length(size: u64) -> u64 {
    length_of(usize::try_from(size).unwrap_or(usize::MAX))
}

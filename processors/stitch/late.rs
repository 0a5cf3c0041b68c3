//! Spans that come after their trace has gone.

use std::collections::HashMap;

use tracetailor_core::telemetry::{SpanId, SpanKind};
use tracetailor_core::trace_store::{SkeletonRef, Trace, TraceOut};

use super::counts::Lateness;
use super::engine::{Anchored, Made, Mode, Quality, Reason, Role, Touch, nameless_id};
use super::twins::Twin;
use super::{SpanView, Stitch};

impl Stitch {
    /// Late spans stay what they are. Where a parent is unknown a placeholder stands in, the same that would have stood there before, and only once.
    pub(super) fn place_late(&mut self, trace: &Trace<'_>, twin: Twin, out: &mut TraceOut<'_>) {
        let mut spans = self.reader.read(trace).to_vec();
        let skeleton = trace.skeleton();
        self.name_late(trace, &mut spans, out);
        let mut ids: Vec<SpanId> = spans.iter().map(|span| span.id).collect();
        ids.sort_unstable();
        let mut holes: HashMap<SpanId, Vec<usize>> = HashMap::new();
        for (at, span) in spans.iter().enumerate() {
            let lateness = lateness(span, &ids, skeleton);
            self.counts.late(lateness);
            let reason = if lateness == Lateness::Supersedes { Lateness::Supersedes.name() } else { "late" };
            self.marker.reason(&mut out.edit(at), reason);
            if lateness == Lateness::Orphan && twin == Twin::None {
                holes.entry(span.parent).or_default().push(at);
            }
        }
        if let Some(root) = spans.iter().position(|span| span.parent.is_none() && !span.has_bad_parent) {
            self.marker.late_spans(&mut out.edit(root), spans.len());
        }
        self.fill_late(trace, &spans, holes, out);
    }

    /// Late spans get the ids, and lose the parents, that they would have if they had come in time.
    fn name_late(&self, trace: &Trace<'_>, spans: &mut [SpanView], out: &mut TraceOut<'_>) {
        let named = spans.iter().map(|span| span.id).filter(|id| !id.is_none());
        let mut taken: Vec<SpanId> = named.collect();
        for (at, span) in spans.iter_mut().enumerate().filter(|(_, span)| span.id.is_none() || span.has_bad_parent) {
            let mut touch = Touch { span: at, id: None, parent: None, orphan_of: None, reasons: Vec::new() };
            if span.id.is_none() {
                span.id = nameless_id(trace.id(), span, |id| taken.contains(&id));
                taken.push(span.id);
                touch.id = Some(span.id);
                touch.reasons.push(Reason::NoId);
            }
            if span.has_bad_parent {
                touch.parent = Some(SpanId::NONE);
                touch.reasons.push(Reason::BadParent);
            }
            self.marker.touch(out.edit(at), &touch);
        }
    }

    fn fill_late(&mut self, trace: &Trace<'_>, spans: &[SpanView], holes: HashMap<SpanId, Vec<usize>>, out: &mut TraceOut<'_>) {
        let fills = self.rules.mode == Mode::Placeholder
            && !self.rules.derived_placeholder_ids
            && holes.len() <= self.rules.most_placeholders
            && self.rate.take(holes.len(), self.most_per_second, self.clock.now());
        for (missing, below) in holes {
            if !fills {
                below.iter().for_each(|at| self.marker.orphan_of(&mut out.edit(*at), missing));
                continue;
            }
            let made = hole(missing, below, spans);
            if let Some((head, bytes, context)) = self.maker.make(trace, &made, &Quality::default()) {
                out.add(&head, &bytes, &context);
            }
        }
    }
}

fn lateness(span: &SpanView, ids: &[SpanId], skeleton: Option<SkeletonRef<'_>>) -> Lateness {
    let Some(skeleton) = skeleton else { return Lateness::Unknown };
    if skeleton.has_placeholder(span.id) {
        return Lateness::Supersedes;
    }
    let parent = span.parent;
    let is_known = parent.is_none() || skeleton.has(parent) || skeleton.has_placeholder(parent) || ids.binary_search(&parent).is_ok();
    if is_known { Lateness::Follows } else { Lateness::Orphan }
}

fn hole(missing: SpanId, mut below: Vec<usize>, spans: &[SpanView]) -> Made {
    below.sort_unstable_by_key(|at| (spans[*at].start, spans[*at].id));
    let first = &spans[below[0]];
    Made {
        id: missing,
        parent: SpanId::NONE,
        role: Role::Parent(missing),
        start: first.start,
        end: below.iter().map(|at| spans[*at].end).max().unwrap_or_default(),
        kind: match (first.is_called(), first.kind) {
            (true, SpanKind::Consumer) => SpanKind::Producer,
            (true, _) => SpanKind::Client,
            (false, _) => SpanKind::Internal,
        },
        is_local: !first.is_called(),
        children: below.len(),
        below,
        anchored: Anchored::None,
        anchor: SpanId::NONE,
    }
}

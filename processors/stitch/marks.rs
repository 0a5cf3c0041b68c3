//! What is written on spans: every change leaves the way back.

use tracetailor_core::component::BuildError;
use tracetailor_core::telemetry::{ItemMut, Path, Signal, SpanId, TraceId, Value};

use super::engine::{Quality, Reason, Touch};

pub(super) const SYNTHETIC: &str = "tracetailor.stitch.synthetic";
pub(super) const ROLE: &str = "tracetailor.stitch.role";
pub(super) const MISSING_SPAN_ID: &str = "tracetailor.stitch.missing_span_id";
pub(super) const CHILDREN: &str = "tracetailor.stitch.children";
pub(super) const ANCHOR: &str = "tracetailor.stitch.anchor";
pub(super) const ANCHOR_SPAN_ID: &str = "tracetailor.stitch.anchor_span_id";
pub(super) const BOUNDS: &str = "tracetailor.stitch.bounds";
pub(super) const REASON: &str = "tracetailor.stitch.reason";
const ORIGINAL_PARENT: &str = "tracetailor.stitch.original_parent_span_id";
const ORIGINAL_ID: &str = "tracetailor.stitch.original_span_id";
const ORIGINAL_TRACE: &str = "tracetailor.stitch.original_trace_id";
pub(super) const ORPHAN: &str = "tracetailor.stitch.orphan";
const COMPLETE: &str = "tracetailor.stitch.complete";
const ORPHAN_GROUPS: &str = "tracetailor.stitch.orphan_groups";
const UNRESOLVED: &str = "tracetailor.stitch.unresolved";
const ROOTS: &str = "tracetailor.stitch.roots";
const LATE_SPANS: &str = "tracetailor.stitch.late_spans";

/// Writes marks.
pub(super) struct Marker {
    trace: Path,
    id: Path,
    parent: Path,
    original_trace: Mark,
    reason: Mark,
    original_parent: Mark,
    original_id: Mark,
    orphan: Mark,
    missing: Mark,
    complete: Mark,
    orphan_groups: Mark,
    unresolved: Mark,
    roots: Mark,
    late_spans: Mark,
}

struct Mark {
    key: &'static str,
    path: Path,
}

impl Marker {
    pub(super) fn new() -> Result<Self, BuildError> {
        let path = |text: &str| {
            Path::parse(Signal::Traces, text).map_err(|error| BuildError::new(error.to_string(), "this is a bug: please report it"))
        };
        let mark = |key: &'static str| path(&format!(r#"attributes["{key}"]"#)).map(|path| Mark { key, path });
        Ok(Self {
            trace: path("trace_id")?,
            original_trace: mark(ORIGINAL_TRACE)?,
            id: path("span_id")?,
            parent: path("parent_span_id")?,
            reason: mark(REASON)?,
            original_parent: mark(ORIGINAL_PARENT)?,
            original_id: mark(ORIGINAL_ID)?,
            orphan: mark(ORPHAN)?,
            missing: mark(MISSING_SPAN_ID)?,
            complete: mark(COMPLETE)?,
            orphan_groups: mark(ORPHAN_GROUPS)?,
            unresolved: mark(UNRESOLVED)?,
            roots: mark(ROOTS)?,
            late_spans: mark(LATE_SPANS)?,
        })
    }

    /// Changes a span, and writes on it what it was.
    pub(super) fn touch(&self, mut span: ItemMut<'_>, touch: &Touch) {
        if let Some(id) = touch.id {
            let original = hex(&sent(&span, &self.id));
            self.original_id.set(&mut span, || Value::from(original.as_str()));
            set(&mut span, &self.id, &Value::Bytes(id.0.to_vec()));
        }
        if let Some(parent) = touch.parent {
            let original = hex(&sent(&span, &self.parent));
            self.original_parent.set(&mut span, || Value::from(original.as_str()));
            self.hang(&mut span, parent);
        }
        if let Some(missing) = touch.orphan_of {
            self.orphan_of(&mut span, missing);
        }
        if !touch.reasons.is_empty() {
            let reasons: Vec<&str> = touch.reasons.iter().map(|reason: &Reason| reason.name()).collect();
            self.reason(&mut span, &reasons.join(","));
        }
    }

    /// Moves a span to the trace whose id was cut short.
    pub(super) fn join(&self, span: &mut ItemMut<'_>, long: TraceId) {
        let original = hex(&span.item().trace_id().0);
        self.original_trace.set(span, || Value::from(original.as_str()));
        set(span, &self.trace, &Value::Bytes(long.0.to_vec()));
    }

    fn hang(&self, span: &mut ItemMut<'_>, parent: SpanId) {
        if parent.is_none() {
            let outcome = span.delete(&self.parent);
            debug_assert!(outcome.is_ok(), "a parent can be taken away: {outcome:?}");
        } else {
            set(span, &self.parent, &Value::Bytes(parent.0.to_vec()));
        }
    }

    pub(super) fn orphan_of(&self, span: &mut ItemMut<'_>, missing: SpanId) {
        self.orphan.set(span, || Value::Bool(true));
        self.missing.set(span, || Value::from(hex(&missing.0).as_str()));
    }

    pub(super) fn reason(&self, span: &mut ItemMut<'_>, reason: &str) {
        self.reason.set(span, || Value::from(reason));
    }

    pub(super) fn late_spans(&self, span: &mut ItemMut<'_>, count: usize) {
        self.late_spans.set(span, || number(count));
    }

    /// Writes on the leading span what is known of the trace.
    pub(super) fn quality(&self, mut span: ItemMut<'_>, quality: &Quality) {
        if span.item().attribute(COMPLETE).is_some() {
            return;
        }
        qualities(quality, |key, value| {
            if let Some(mark) =
                [&self.complete, &self.orphan_groups, &self.unresolved, &self.roots].into_iter().find(|mark| mark.key == key)
            {
                mark.set(&mut span, || value);
            }
        });
    }
}

/// What is known of a trace, mark by mark. What goes without saying is not said.
pub(super) fn qualities(quality: &Quality, mut tell: impl FnMut(&'static str, Value)) {
    tell(COMPLETE, Value::Bool(quality.is_complete));
    for (key, count) in [(ORPHAN_GROUPS, quality.orphan_groups), (UNRESOLVED, quality.unresolved)] {
        if count > 0 {
            tell(key, number(count));
        }
    }
    if quality.roots != 1 {
        tell(ROOTS, number(quality.roots));
    }
}

impl Mark {
    /// A mark that is there already was made by another gateway, or by this one before, and tells of the span as it was then.
    fn set(&self, span: &mut ItemMut<'_>, value: impl FnOnce() -> Value) {
        if span.item().attribute(self.key).is_none() {
            let value = value();
            set(span, &self.path, &value);
        }
    }
}

fn set(span: &mut ItemMut<'_>, path: &Path, value: &Value) {
    let outcome = span.set(path, value);
    debug_assert!(outcome.is_ok(), "a mark fits every span: {outcome:?}");
}

/// The bytes of an id as they were sent, whatever their number.
fn sent(span: &ItemMut<'_>, path: &Path) -> Vec<u8> {
    match span.get(path) {
        Some(Value::Bytes(bytes)) => bytes,
        _ => Vec::new(),
    }
}

fn number(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

//! Spans that nobody sent: written field by field, by what repairs traces.

use super::check::Check;
use super::heads;
use super::value::put_attribute;
use super::wire::{put_bytes, put_tag, put_varint};
use super::{Head, ItemKind, SpanId, SpanKind, TraceId, Value};

/// A span in the making.
///
/// ```
/// use tracetailor_core::telemetry::{NewSpan, SpanId, SpanKind, TraceId, Value};
///
/// let mut span = NewSpan::new(TraceId([7; 16]), SpanId([1; 8]), SpanId::NONE, "(missing span)");
/// span.kind(SpanKind::Internal).times(1_000, 2_000).attribute("children", &Value::Int(2));
/// let (head, bytes) = span.finish();
/// assert_eq!((head.span, head.start, head.length as usize), (SpanId([1; 8]), 1_000, bytes.len()));
/// ```
#[derive(Clone, Debug)]
pub struct NewSpan {
    bytes: Vec<u8>,
}

impl NewSpan {
    /// A span of a trace. Its ids must be ids: a parent may be none, the others may not.
    pub fn new(trace: TraceId, span: SpanId, parent: SpanId, name: &str) -> Self {
        let mut bytes = Vec::with_capacity(256);
        put_bytes(&mut bytes, 1, &trace.0);
        put_bytes(&mut bytes, 2, &span.0);
        if !parent.is_none() {
            put_bytes(&mut bytes, 4, &parent.0);
        }
        put_bytes(&mut bytes, 5, name.as_bytes());
        Self { bytes }
    }

    /// What it is to its neighbours.
    pub fn kind(&mut self, kind: SpanKind) -> &mut Self {
        put_tag(&mut self.bytes, 6, 0);
        put_varint(&mut self.bytes, kind as u64);
        self
    }

    /// When it began and ended, in nanoseconds since 1970.
    pub fn times(&mut self, start: u64, end: u64) -> &mut Self {
        for (number, time) in [(7, start), (8, end)] {
            put_tag(&mut self.bytes, number, 1);
            self.bytes.extend_from_slice(&time.to_le_bytes());
        }
        self
    }

    /// Its W3C trace state.
    pub fn trace_state(&mut self, state: &str) -> &mut Self {
        put_bytes(&mut self.bytes, 3, state.as_bytes());
        self
    }

    /// One more attribute.
    pub fn attribute(&mut self, key: &str, value: &Value) -> &mut Self {
        put_attribute(&mut self.bytes, 9, key, value);
        self
    }

    /// Its head, without a place, and its bytes.
    ///
    /// # Panics
    /// When its ids are none: such a span cannot travel.
    pub fn finish(self) -> (Head, Vec<u8>) {
        match heads::read(ItemKind::Span, &self.bytes, &mut Check::default()) {
            Ok(head) if !head.has(Head::ODD_SPAN_ID) => (Head { length: self.bytes.len() as u32, ..head }, self.bytes),
            Ok(_) => panic!("a span without an id was made up"),
            Err(reason) => panic!("a span was made up that is {}", reason.explain()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::otlp::Span;
    use prost::Message as _;

    #[test]
    fn what_is_written_is_a_span() {
        let mut span = NewSpan::new(TraceId([7; 16]), SpanId([1; 8]), SpanId([2; 8]), "(missing span)");
        span.kind(SpanKind::Client).times(5, 9).trace_state("a=b").attribute("n", &Value::Int(-1));
        let (head, bytes) = span.finish();
        let span = Span::decode(&bytes[..]).unwrap();
        assert_eq!((span.trace_id, span.span_id, span.parent_span_id), (vec![7; 16], vec![1; 8], vec![2; 8]));
        assert_eq!((span.name.as_str(), span.kind, span.trace_state.as_str()), ("(missing span)", 3, "a=b"));
        assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano, span.attributes.len()), (5, 9, 1));
        assert_eq!((head.parent, head.span_kind(), head.end), (SpanId([2; 8]), SpanKind::Client, 9));
    }

    #[test]
    #[should_panic(expected = "without an id")]
    fn a_span_needs_an_id() {
        NewSpan::new(TraceId([7; 16]), SpanId::NONE, SpanId::NONE, "nobody").finish();
    }
}

//! Ids as tests write them: a number, a name, or the very bytes.

use crate::telemetry::{SpanId, TraceId};

/// What a test may write for a trace id: a number (`7`), a name (`"checkout"`, always the same id for the same name), a [`TraceId`], or
/// bytes of any length (`[0u8; 3]`), which is how odd ids are made.
pub trait IntoTraceId {
    /// The bytes as they go on the wire.
    fn trace_id_bytes(&self) -> Vec<u8>;
}

/// What a test may write for a span id: the same choices as for a trace id. The name of a span is the id it gets by itself, so a parent can
/// be given by name.
pub trait IntoSpanId {
    /// The bytes as they go on the wire.
    fn span_id_bytes(&self) -> Vec<u8>;
}

/// The trace id that stands for a name or number.
pub fn trace_id(id: impl IntoTraceId) -> TraceId {
    TraceId(first_bytes(&id.trace_id_bytes()))
}

/// The span id that stands for a name or number.
pub fn span_id(id: impl IntoSpanId) -> SpanId {
    SpanId(first_bytes(&id.span_id_bytes()))
}

fn first_bytes<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut id = [0; N];
    id.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    id
}

/// FNV-1a: an id must only be steady and rarely the same as another. Never zero, which would be no id at all.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)).max(1)
}

impl IntoTraceId for u64 {
    fn trace_id_bytes(&self) -> Vec<u8> {
        u128::from(*self).to_be_bytes().to_vec()
    }
}

impl IntoSpanId for u64 {
    fn span_id_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
}

impl IntoTraceId for &str {
    fn trace_id_bytes(&self) -> Vec<u8> {
        let half = hash(self);
        [half.to_be_bytes(), half.rotate_left(32).to_be_bytes()].concat()
    }
}

impl IntoSpanId for &str {
    fn span_id_bytes(&self) -> Vec<u8> {
        hash(self).to_be_bytes().to_vec()
    }
}

impl IntoTraceId for TraceId {
    fn trace_id_bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl IntoSpanId for SpanId {
    fn span_id_bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl<const N: usize> IntoTraceId for [u8; N] {
    fn trace_id_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl<const N: usize> IntoSpanId for [u8; N] {
    fn span_id_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl IntoTraceId for &[u8] {
    fn trace_id_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl IntoSpanId for &[u8] {
    fn span_id_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

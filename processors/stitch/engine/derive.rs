//! Ids that any gateway would make for the same span: a hash of the trace, of what the id is for, and of whom it is for.

use tracetailor_core::telemetry::{SpanId, TraceId};

use super::SpanView;

/// A hash that is the same in every process and every version: ids are made of it, and two gateways must make the same ones.
///
/// It is no secret and needs none: ids that clash within a trace are made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix(u64);

impl Mix {
    /// The hash of nothing yet.
    pub const fn new() -> Self {
        Mix(0x7472_6163_6574_6c31)
    }

    /// With a word more.
    #[must_use]
    pub const fn word(self, word: u64) -> Self {
        let mixed = (self.0 ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        Mix(mixed ^ (mixed >> 29))
    }

    /// With some bytes more, and their number.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        let mixed = words.iter().fold(self, |mix, word| mix.word(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        mixed.word(u64::from_le_bytes(last)).word(bytes.len() as u64)
    }

    /// The hash.
    pub const fn finish(self) -> u64 {
        self.0
    }
}

impl Default for Mix {
    fn default() -> Self {
        Self::new()
    }
}

/// What an id is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A span that had none.
    Nameless = 1,
    /// The called side of a shared id.
    Called = 2,
    /// One of several spans with one id.
    Double = 3,
    /// A synthetic span.
    Placeholder = 4,
    /// A synthetic root.
    Root = 5,
}

/// An id for a subject, such that nobody has it yet.
pub(super) fn derive(trace: TraceId, purpose: Purpose, subject: u64, is_taken: impl Fn(SpanId) -> bool) -> SpanId {
    let begun = Mix::new().bytes(&trace.0).word(purpose as u64).word(subject);
    let mut ids = (0u64..).map(|attempt| SpanId(begun.word(attempt).finish().to_be_bytes()));
    ids.find(|id| !id.is_none() && !is_taken(*id)).unwrap_or(SpanId([u8::MAX; 8]))
}

/// What the id of a received span is made of.
pub(super) fn subject(span: &SpanView) -> u64 {
    Mix::new().word(u64::from_be_bytes(span.id.0)).word(span.content).finish()
}

/// The id of a span that has none, the same whether it comes with its trace or after it.
pub fn nameless_id(trace: TraceId, span: &SpanView, is_taken: impl Fn(SpanId) -> bool) -> SpanId {
    derive(trace, Purpose::Nameless, subject(span), is_taken)
}

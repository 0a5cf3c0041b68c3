//! R: the random number of a trace.

use std::fmt;

use super::threshold::RANGE;
use crate::telemetry::TraceId;

/// 56 random bits that all spans of a trace agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Randomness(u64);

impl Randomness {
    /// The highest, which every threshold but [`NEVER`](super::Threshold::NEVER) keeps.
    pub const HIGHEST: Randomness = Randomness(RANGE - 1);

    /// The low 56 bits of a number.
    pub fn new(bits: u64) -> Self {
        Self(bits & (RANGE - 1))
    }

    /// That of a trace whose state names none: the low seven bytes of its id.
    pub fn of(trace: TraceId) -> Self {
        Self::new(u128::from_be_bytes(trace.0) as u64)
    }

    /// The number.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Reads the value of `rv`: fourteen hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        (text.len() == 14 && text.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .then(|| u64::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }
}

/// As `rv` has it.
impl fmt::Display for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:014x}", self.0)
    }
}

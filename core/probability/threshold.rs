//! T: what a stage asks of a trace's random number.

use std::fmt;

use super::Randomness;

/// One more than the highest randomness.
pub(super) const RANGE: u64 = 1 << 56;

/// Hexadecimal digits of a number of 56 bits.
const DIGITS: i32 = 14;

/// What has a randomness below it is dropped. Ordered by how much it drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Threshold(u64);

impl Threshold {
    /// Keeps everything.
    pub const ALWAYS: Threshold = Threshold(0);
    /// Keeps nothing.
    pub const NEVER: Threshold = Threshold(RANGE);

    /// One of so many parts of 2⁵⁶; beyond it, [`NEVER`](Self::NEVER).
    pub const fn new(dropped: u64) -> Self {
        if dropped >= RANGE { Self::NEVER } else { Self(dropped) }
    }

    /// Keeps that share of all traces. `digits` (1 to 14) are those of its text that say something, behind leading zeros or `f`s: a share near
    /// nothing or everything gets more, so that it is as exact as others.
    pub fn of(share: f64, digits: u8) -> Self {
        if share >= 1.0 {
            return Self::ALWAYS;
        }
        #[expect(clippy::cast_precision_loss, reason = "a power of two has one digit")]
        let range = RANGE as f64;
        if share.is_nan() || share * range < 1.0 {
            return Self::NEVER;
        }
        let digits = i32::from(digits.clamp(1, 14)) + leading_digits(share).max(leading_digits(1.0 - share));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 2⁵⁶")]
        let exact = RANGE - (share * range).round() as u64;
        let shift = 4 * (DIGITS - digits.min(DIGITS));
        let half = if shift > 0 { 1 << (shift - 1) } else { 0 };
        Self::new((exact + half) >> shift << shift)
    }

    /// Whether what has this randomness is kept.
    pub fn keeps(self, randomness: Randomness) -> bool {
        randomness.bits() >= self.0
    }

    /// The number.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The share that is kept.
    #[expect(clippy::cast_precision_loss, reason = "as near as a float can tell")]
    pub fn probability(self) -> f64 {
        (RANGE - self.0) as f64 / RANGE as f64
    }

    /// How many each one that is kept stands for; nothing where none is kept.
    pub fn weight(self) -> Option<f64> {
        (self < Self::NEVER).then(|| 1.0 / self.probability())
    }

    /// Reads the value of `th`: one to fourteen hexadecimal digits, those on the right left out being zero.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if !(1..=14).contains(&text.len()) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let digits = u64::from_str_radix(text, 16).ok()?;
        Some(Self(digits << (4 * (14 - text.len()))))
    }
}

/// Zeros behind the point of a share written in hexadecimal.
fn leading_digits(share: f64) -> i32 {
    // The exponent of 0.5 ≤ m < 1 times a power of two.
    let exponent = if share > 0.0 { share.log2().floor() as i32 + 1 } else { 0 };
    -exponent / 4
}

/// As `th` has it; nothing can be written that keeps nothing, so that reads like the highest.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:014x}", self.0.min(RANGE - 1));
        match text.trim_end_matches('0') {
            "" => f.write_str("0"),
            digits => f.write_str(digits),
        }
    }
}

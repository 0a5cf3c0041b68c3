//! An amount of bytes: `64MiB`, `4MB`, `512`.

use std::fmt;
use std::str::FromStr;

use super::text::{KeyError, text_key};
use crate::config::fault::quoted;
use crate::config::nearest;

/// An amount of bytes.
///
/// A number, perhaps with a fraction, and a unit: `KiB`, `MiB`, `GiB`, `TiB` count by 1024, `kB`, `MB`, `GB`, `TB` by 1000, `B` and no unit
/// are single bytes. Kubernetes' `Ki`, `Mi`, `Gi`, `Ti` are read too; case does not matter. `M` alone is refused, since half of those who
/// write it mean the other one.
///
/// ```
/// use tracetailor_core::config::ByteSize;
///
/// let limit: ByteSize = "64MiB".parse()?;
/// assert_eq!(limit.get(), 64 << 20);
/// assert_eq!(limit.to_string(), "64MiB");
/// # Ok::<(), tracetailor_core::config::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteSize {
    bytes: u64,
}

text_key!(ByteSize, "size", "a size such as 64MiB");

impl ByteSize {
    /// So many bytes.
    pub const fn bytes(bytes: u64) -> ByteSize {
        ByteSize { bytes }
    }

    /// So many KiB.
    pub const fn kib(count: u32) -> ByteSize {
        ByteSize { bytes: (count as u64) << 10 }
    }

    /// So many MiB.
    pub const fn mib(count: u32) -> ByteSize {
        ByteSize { bytes: (count as u64) << 20 }
    }

    /// So many bytes it is.
    pub const fn get(self) -> u64 {
        self.bytes
    }

    /// The same as a length in memory.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }

    /// True for none.
    pub const fn is_zero(self) -> bool {
        self.bytes == 0
    }
}

/// The units in the order in which an amount is shown: largest first.
const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
];

impl FromStr for ByteSize {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<ByteSize, KeyError> {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim();
        let Ok(count) = number.parse::<f64>() else {
            return Err(not_a_size(text, number, unit));
        };
        let each = match unit {
            "" | "B" | "b" => 1,
            unit => unit_size(unit).ok_or_else(|| wrong_unit(text, number, unit))?,
        };
        // Whole numbers do not go through a float, which could not tell the largest of them apart.
        let bytes = number.parse::<u64>().map_or_else(|_| fraction(count, each), |whole| whole.checked_mul(each));
        bytes.map(ByteSize::bytes).ok_or_else(|| {
            KeyError::new(format!("{} is not a whole number of bytes", quoted(text)), "write fewer digits, or a smaller size")
        })
    }
}

fn unit_size(unit: &str) -> Option<u64> {
    let kubernetes =
        |name: &str| name.strip_suffix('B').filter(|short| short.ends_with('i')).is_some_and(|short| short.eq_ignore_ascii_case(unit));
    UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit) || kubernetes(name)).map(|(_, size)| *size)
}

fn fraction(count: f64, each: u64) -> Option<u64> {
    #[expect(clippy::cast_precision_loss, reason = "units are powers that a float holds exactly")]
    let bytes = count * each as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked: neither negative nor past what a float counts exactly"
    )]
    (each > 1 && (0.0..9.0e15).contains(&bytes)).then_some(bytes as u64)
}

fn not_a_size(text: &str, number: &str, unit: &str) -> KeyError {
    let wrong = if text.starts_with('-') { "is negative" } else { "is no size" };
    let right = match (number, unit) {
        ("", "off" | "none" | "unlimited") => "remove the key to have its default",
        _ => "write a number of bytes with or without a unit: 64MiB, 4MB, 512",
    };
    KeyError::new(format!("{} {wrong}", quoted(text)), right)
}

fn wrong_unit(text: &str, number: &str, unit: &str) -> KeyError {
    let both = |letter: &str| {
        format!("write {number}{letter}iB to count by 1024, or {number}{}B by 1000", if letter == "K" { "k" } else { letter })
    };
    let right = match unit.to_ascii_uppercase().as_str() {
        letter @ ("K" | "M" | "G" | "T") => both(letter),
        _ => match nearest(unit, UNITS.iter().map(|(name, _)| *name)) {
            Some(meant) => format!("write {number}{meant}"),
            None => "units are B, KiB, MiB, GiB, TiB, kB, MB, GB, TB".to_owned(),
        },
    };
    KeyError::new(format!("{} has no unit that is known: {}", quoted(text), quoted(unit)), right)
}

/// In the largest unit that leaves no rest; what is no multiple of any is shown in bytes.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, size)| self.bytes > 0 && self.bytes.is_multiple_of(*size)) {
            Some((name, size)) => write!(f, "{}{name}", self.bytes / size),
            None => write!(f, "{}", self.bytes),
        }
    }
}

//! A share in per cent: `10%`, `10`, `0.5%`.

use std::fmt;
use std::str::FromStr;

use super::text::{KeyError, text_key};
use crate::config::fault::quoted;

/// A share from 0 to 100 per cent, written with or without `%`. `0.1` is a tenth of a per cent, never a tenth.
///
/// Kept as a decimal number and not as a float, so that what is shown is what was written, and so that equal shares are equal on every
/// gateway of a fleet.
///
/// ```
/// use tracetailor_core::config::Percent;
///
/// let share: Percent = "12.5%".parse()?;
/// assert_eq!(share.of(1_000), 125);
/// assert_eq!("100".parse::<Percent>()?.of(u64::MAX), u64::MAX);
/// # Ok::<(), tracetailor_core::config::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percent {
    /// In units of 10⁻¹⁰ per cent.
    parts: u64,
}

text_key!(Percent, "percentage", "a percentage such as 10%");

/// Digits behind the point.
const PLACES: u32 = 10;
const ONE: u64 = 10u64.pow(PLACES);
const WHOLE: u64 = 100 * ONE;

impl Percent {
    /// Nothing.
    pub const ZERO: Percent = Percent { parts: 0 };
    /// Everything.
    pub const ALL: Percent = Percent { parts: WHOLE };

    /// So many per cent; more than 100 is 100.
    pub const fn whole(percent: u8) -> Percent {
        if percent >= 100 { Percent::ALL } else { Percent { parts: percent as u64 * ONE } }
    }

    /// This share of an amount, rounded down.
    pub fn of(self, amount: u64) -> u64 {
        // At most the amount, since a share is at most the whole.
        u64::try_from(u128::from(amount) * u128::from(self.parts) / u128::from(WHOLE)).unwrap_or(amount)
    }

    /// As a factor from 0 to 1.
    pub fn ratio(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "12 digits fit")]
        let ratio = self.parts as f64 / WHOLE as f64;
        ratio
    }

    /// True for nothing.
    pub const fn is_zero(self) -> bool {
        self.parts == 0
    }

    /// True for everything.
    pub const fn is_all(self) -> bool {
        self.parts == WHOLE
    }
}

impl FromStr for Percent {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Percent, KeyError> {
        let number = text.strip_suffix('%').unwrap_or(text).trim_end();
        let wrong = |what: &str, right: &str| Err(KeyError::new(format!("{} {what}", quoted(text)), right));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if number.strip_prefix('-').is_some_and(|rest| rest.parse::<f64>().is_ok()) {
            return wrong("is negative", "write a percentage from 0 to 100");
        }
        if whole.is_empty() && fraction.is_empty() || !digits(whole) || !digits(fraction) {
            return wrong("is no percentage", "write 10%, 10 or 0.5%");
        }
        let fraction = fraction.trim_end_matches('0');
        let places = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        if places > PLACES {
            return wrong("is finer than can be told apart", "write at most 10 digits behind the point");
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(u64::MAX) };
        let part = fraction.parse::<u64>().unwrap_or(0) * 10u64.pow(PLACES - places);
        match whole.checked_mul(ONE).and_then(|parts| parts.checked_add(part)).filter(|parts| *parts <= WHOLE) {
            Some(parts) => Ok(Percent { parts }),
            None => wrong("is more than all", "write a percentage from 0 to 100"),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.parts / ONE, self.parts % ONE);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let digits = format!("{fraction:010}");
        write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
    }
}

//! A span of time as the Collector writes it: `10s`, `1m30s`, `100ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::text::{KeyError, text_key};
use crate::config::fault::quoted;

/// A span of time in Go's spelling, never negative.
///
/// One or more numbers, each with a unit and perhaps a fraction, added up: `1m30s`, `1.5h`, `100ms`. The units are `ns`, `us` (or `µs`),
/// `ms`, `s`, `m`, `h`; `0` needs none. There is no day. A bare number is refused: the Collector takes it for nanoseconds without a word,
/// so that a `timeout: 5` there means no time at all.
///
/// ```
/// use std::time::Duration;
/// use tracetailor_core::config::Period;
///
/// let wait: Period = "1m30s".parse()?;
/// assert_eq!(wait.get(), Duration::from_secs(90));
/// assert_eq!(wait.to_string(), "1m30s");
/// # Ok::<(), tracetailor_core::config::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    nanos: u64,
}

text_key!(Period, "duration", "a duration such as 10s");

impl Period {
    /// No time.
    pub const ZERO: Period = Period { nanos: 0 };

    /// So many seconds.
    pub const fn seconds(seconds: u32) -> Period {
        Period { nanos: seconds as u64 * 1_000_000_000 }
    }

    /// So many thousandths of a second.
    pub const fn millis(millis: u32) -> Period {
        Period { nanos: millis as u64 * 1_000_000 }
    }

    /// As the standard library has it.
    pub const fn get(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// True for no time, which for most keys means "without limit" or "off".
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Duration {
        period.get()
    }
}

impl FromStr for Period {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Period, KeyError> {
        match u64::try_from(parse_duration(text)?) {
            Ok(nanos) => Ok(Period { nanos }),
            Err(_) => Err(KeyError::new(format!("{} is negative", quoted(text)), "write a duration from 0 on, such as 10s")),
        }
    }
}

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration in Go's spelling, with a sign if there is one, as nanoseconds: what keys and conditions share.
pub fn parse_duration(text: &str) -> Result<i64, KeyError> {
    let (negative, amount) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if amount == "0" {
        return Ok(0);
    }
    let mut rest = amount;
    let mut total: u128 = 0;
    while !rest.is_empty() || total == 0 && amount.is_empty() {
        let (nanos, after) = parse_part(text, rest)?;
        total = total.saturating_add(nanos);
        rest = after;
    }
    match i64::try_from(total) {
        Ok(nanos) => Ok(if negative { -nanos } else { nanos }),
        Err(_) => Err(KeyError::new(format!("{} is longer than 292 years", quoted(text)), "write a shorter duration, at most 2562047h")),
    }
}

/// One number with its unit off the front of `rest`: its nanoseconds, and what comes after.
fn parse_part<'a>(text: &str, rest: &'a str) -> Result<(u128, &'a str), KeyError> {
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, after) = rest.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return Err(not_a_duration(text));
    }
    let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
    let (unit, after) = after.split_at(unit_end);
    let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(wrong_unit(text, number, unit));
    };
    Ok((scale(whole, fraction, u128::from(*nanos)), after))
}

/// Nanoseconds are the finest there is, so a fraction of one is cut off, as Go does.
fn scale(whole: &str, fraction: &str, unit: u128) -> u128 {
    let whole = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(u128::MAX) };
    let fraction = &fraction[..fraction.len().min(18)];
    let places = u32::try_from(fraction.len()).unwrap_or(0);
    let part = fraction.parse().unwrap_or(0u128) * unit / 10u128.pow(places);
    whole.saturating_mul(unit).saturating_add(part)
}

fn wrong_unit(text: &str, number: &str, unit: &str) -> KeyError {
    let lower = unit.trim().to_lowercase();
    if unit.is_empty() {
        // A number that makes sense as nanoseconds was written by a program; one that does not, by a person who thought of seconds.
        let nanos = number.parse::<u64>().ok().filter(|n| *n >= 1_000_000 && text == number);
        let right =
            nanos.map_or(format!("write {text}s for seconds, {text}ms for thousandths"), |nanos| format!("write {}", Period { nanos }));
        return KeyError::new(format!("{text} has no unit; the Collector would take it for nanoseconds"), right);
    }
    let right = match lower.as_str() {
        "d" | "day" | "days" => hours(number, 24.0),
        "w" | "week" | "weeks" => hours(number, 168.0),
        "sec" | "secs" | "second" | "seconds" | "s" => format!("write {number}s"),
        "min" | "mins" | "minute" | "minutes" | "m" => format!("write {number}m"),
        "hr" | "hrs" | "hour" | "hours" | "h" => format!("write {number}h"),
        "ms" | "msec" | "milli" | "millis" | "millisecond" | "milliseconds" => format!("write {number}ms"),
        _ => "units are ns, us, ms, s, m, h: 10s, 1m30s, 100ms".to_owned(),
    };
    KeyError::new(format!("{} has no unit that is known: {}", quoted(text), quoted(unit)), right)
}

fn hours(number: &str, each: f64) -> String {
    number.parse::<f64>().map_or_else(|_| "write hours".to_owned(), |n| format!("write {}h", n * each))
}

fn not_a_duration(text: &str) -> KeyError {
    KeyError::new(format!("{} is no duration", quoted(text)), "write a number with a unit: 10s, 1m30s, 100ms")
}

/// The shortest spelling: `1m30s`, `1h`, `100ms`, `1.5ms`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECOND: u64 = 1_000_000_000;
        match self.nanos {
            0 => f.write_str("0s"),
            nanos if nanos < 1_000 => write!(f, "{nanos}ns"),
            nanos if nanos < 1_000_000 => decimal(f, nanos, 1_000, "us"),
            nanos if nanos < SECOND => decimal(f, nanos, 1_000_000, "ms"),
            nanos => {
                let (minutes, rest) = (nanos / (60 * SECOND), nanos % (60 * SECOND));
                if minutes / 60 > 0 {
                    write!(f, "{}h", minutes / 60)?;
                }
                if minutes % 60 > 0 {
                    write!(f, "{}m", minutes % 60)?;
                }
                if rest > 0 { decimal(f, rest, SECOND, "s") } else { Ok(()) }
            }
        }
    }
}

fn decimal(f: &mut fmt::Formatter<'_>, nanos: u64, unit: u64, name: &str) -> fmt::Result {
    let fraction = nanos % unit;
    if fraction == 0 {
        return write!(f, "{}{name}", nanos / unit);
    }
    let width = unit.to_string().len() - 1;
    let digits = format!("{fraction:0width$}");
    write!(f, "{}.{}{name}", nanos / unit, digits.trim_end_matches('0'))
}

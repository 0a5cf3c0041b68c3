//! Lengths of time: read, taken apart, and written.

use super::given::{nanos, text};
use super::{Arguments, Converter, Parameter, Refusal, Run, Takes};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[DURATION, HOURS, MICROSECONDS, MILLISECONDS, MINUTES, NANOSECONDS, SECONDS];

/// `Duration("1h30m")`: numbers with `ns`, `us`, `ms`, `s`, `m` or `h`.
const DURATION: Converter = Converter {
    name: "Duration",
    parameters: &[Parameter::needed("duration", Takes::String)],
    gives: Type::Duration,
    make: |_| {
        Ok(Run::values(|values| {
            let nanos = read(text(values, 0));
            nanos.map(Value::Duration).ok_or_else(|| EvalError::because("the text is no duration such as 1h30m or 250ms"))
        }))
    },
};

const HOURS: Converter = float("Hours", |_| parts(3_600));
const MINUTES: Converter = float("Minutes", |_| parts(60));
const SECONDS: Converter = float("Seconds", |_| parts(1));
const MILLISECONDS: Converter = whole("Milliseconds", |_| wholes(1_000_000));
const MICROSECONDS: Converter = whole("Microseconds", |_| wholes(1_000));
const NANOSECONDS: Converter = whole("Nanoseconds", |_| wholes(1));

const OF_DURATION: &[Parameter] = &[Parameter::needed("duration", Takes::Duration)];

const fn float(name: &'static str, make: fn(&Arguments<'_>) -> Result<Run, Refusal>) -> Converter {
    Converter { name, parameters: OF_DURATION, gives: Type::Float, make }
}

const fn whole(name: &'static str, make: fn(&Arguments<'_>) -> Result<Run, Refusal>) -> Converter {
    Converter { name, parameters: OF_DURATION, gives: Type::Int, make }
}

/// How often so many seconds fit, with the fraction.
fn parts(seconds: i64) -> Result<Run, Refusal> {
    let unit = seconds * 1_000_000_000;
    #[expect(clippy::cast_precision_loss, reason = "as near as a float can tell")]
    let part = move |nanos: i64| (nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64;
    Ok(Run::values(move |values| Ok(Value::Float(part(nanos(values, 0))))))
}

/// How often so many nanoseconds fit.
fn wholes(unit: i64) -> Result<Run, Refusal> {
    Ok(Run::values(move |values| Ok(Value::Int(nanos(values, 0) / unit))))
}

/// Nanoseconds of `-1h2.5m`; of `0` too, the only number that needs no unit.
fn read(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|sign: char| sign == '.' || sign.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let unit = unit(name)?;
        let wholes = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.checked_mul(unit)? };
        total = total.checked_add(wholes)?.checked_add(part_of(fraction, unit))?;
        rest = after;
    }
    let total = if is_negative { -i128::from(total) } else { i128::from(total) };
    i64::try_from(total).ok()
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len()))
}

/// A fraction of a unit, by way of a float as in the Collector; digits beyond the nineteenth say nothing.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the float is far within an integer's range"
)]
fn part_of(fraction: &str, unit: u64) -> u64 {
    let said = &fraction[..fraction.len().min(19)];
    let scale = 10_f64.powi(i32::try_from(said.len()).unwrap_or(0));
    (said.parse::<u64>().unwrap_or(0) as f64 * (unit as f64 / scale)) as u64
}

fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// `1h30m0s`, `1.5ms`, `0s`.
pub(super) fn spelled(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let size = nanos.unsigned_abs();
    let fraction = |unit: u64, name: &str| {
        let digits = unit.ilog10() as usize;
        let behind = format!("{:0digits$}", size % unit);
        let behind = behind.trim_end_matches('0');
        let point = if behind.is_empty() { "" } else { "." };
        format!("{point}{behind}{name}")
    };
    match size {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{size}ns"),
        1_000..1_000_000 => format!("{sign}{}{}", size / 1_000, fraction(1_000, "µs")),
        1_000_000..1_000_000_000 => format!("{sign}{}{}", size / 1_000_000, fraction(1_000_000, "ms")),
        _ => {
            let seconds = size / 1_000_000_000;
            let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
            let hours_and_minutes = match (hours, minutes) {
                (0, 0) => String::new(),
                (0, minutes) => format!("{minutes}m"),
                (hours, minutes) => format!("{hours}h{minutes}m"),
            };
            format!("{sign}{hours_and_minutes}{}{}", seconds % 60, fraction(1_000_000_000, "s"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, nanos, written) in [
            ("1s", 1_000_000_000, "1s"),
            ("1h2m3.5s", 3_723_500_000_000, "1h2m3.5s"),
            ("-1.5ms", -1_500_000, "-1.5ms"),
            ("1µs", 1_000, "1µs"),
            (".5s", 500_000_000, "500ms"),
            ("1.s", 1_000_000_000, "1s"),
            ("90m", 5_400_000_000_000, "1h30m0s"),
            ("1.0000000009s", 1_000_000_000, "1s"),
            ("0.3333333333333333333h", 1_200_000_000_000, "20m0s"),
            ("-9223372036854775808ns", i64::MIN, "-2562047h47m16.854775808s"),
            ("0", 0, "0s"),
            ("7ns", 7, "7ns"),
        ] {
            assert_eq!(read(text), Some(nanos), "{text}");
            assert_eq!(spelled(nanos), written);
        }
        for text in ["", "1", "s", "1d", "1h 2m", ".", "-", "9223372036854775808ns", "1.1.1s", "+-1s"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

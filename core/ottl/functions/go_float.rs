//! Numbers with a fraction, spelled as the Collector's language spells them.

use std::fmt::Write;

/// In one of the forms `e`, `E`, `f`, `g`, `G`, `b`, `x`, `X`, with so many digits, or as few as say it. Without a sign for what is not negative.
pub(super) fn spelled(number: f64, form: char, digits: Option<usize>) -> String {
    if !number.is_finite() {
        let name = if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        return name.to_owned();
    }
    let written = match form.to_ascii_lowercase() {
        'f' => fixed(number, digits),
        'e' => exponential(number, digits),
        'b' => binary(number),
        'x' => hexadecimal(number),
        _ => general(number, digits),
    };
    if form.is_ascii_uppercase() { written.to_uppercase() } else { written }
}

/// A number has no more digits than these, and the formatter takes no more than 65,535.
const MOST_DIGITS: usize = 1_100;

fn fixed(number: f64, digits: Option<usize>) -> String {
    let Some(digits) = digits else { return format!("{number}") };
    format!("{number:.0$}", digits.min(MOST_DIGITS)) + &"0".repeat(digits.saturating_sub(MOST_DIGITS))
}

/// The exponent has a sign, and two digits at least.
fn exponential(number: f64, digits: Option<usize>) -> String {
    let written = digits.map_or_else(|| format!("{number:e}"), |digits| format!("{number:.0$e}", digits.min(MOST_DIGITS)));
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (sign, size) = exponent.strip_prefix('-').map_or(('+', exponent), |size| ('-', size));
    let zeros = "0".repeat(digits.unwrap_or(0).saturating_sub(MOST_DIGITS));
    format!("{mantissa}{zeros}e{sign}{size:0>2}")
}

/// Exponential where the exponent is below -4 or beyond the digits; zeros at the end say nothing.
fn general(number: f64, digits: Option<usize>) -> String {
    let wanted = digits.map(|digits| digits.max(1));
    let written = wanted.map_or_else(|| format!("{number:e}"), |wanted| format!("{number:.*e}", (wanted - 1).min(MOST_DIGITS)));
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let said = mantissa.trim_start_matches('-').replace('.', "");
    let said = said.trim_end_matches('0').len().max(1);
    let before_point = usize::try_from(exponent + 1).unwrap_or(0);
    let most = match wanted {
        None => 6,
        Some(wanted) if wanted > said && said >= before_point => said,
        Some(wanted) => wanted,
    };
    let is_exponential = exponent < -4 || usize::try_from(exponent).is_ok_and(|exponent| exponent >= most);
    if is_exponential {
        return exponential(number, Some(said - 1));
    }
    let behind_point = i32::try_from(said).unwrap_or(i32::MAX) - exponent - 1;
    fixed(number, Some(usize::try_from(behind_point).unwrap_or(0)))
}

/// Mantissa and exponent as they lie in memory.
fn parts(number: f64) -> (&'static str, u64, i64) {
    let bits = number.to_bits();
    let sign = if bits >> 63 == 1 { "-" } else { "" };
    let exponent = i64::from((bits >> 52 & 0x7ff) as u16);
    let fraction = bits & ((1 << 52) - 1);
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    (sign, mantissa, exponent.max(1) - 1_075)
}

fn binary(number: f64) -> String {
    let (sign, mantissa, exponent) = parts(number);
    format!("{sign}{mantissa}p{exponent:+}")
}

fn hexadecimal(number: f64) -> String {
    let (sign, mantissa, exponent) = parts(number);
    if mantissa == 0 {
        return format!("{sign}0x0p+00");
    }
    let shift = mantissa.leading_zeros() - 11;
    let (mantissa, exponent) = (mantissa << shift, exponent - i64::from(shift) + 52);
    let fraction = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let fraction = fraction.trim_end_matches('0');
    let mut out = format!("{sign}0x1");
    if !fraction.is_empty() {
        let _ = write!(out, ".{fraction}");
    }
    let (side, size) = if exponent < 0 { ('-', -exponent) } else { ('+', exponent) };
    let _ = write!(out, "p{side}{size:02}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_go_spells_them() {
        for (number, form, digits, written) in [
            (1.0, 'g', None, "1"),
            (1e6, 'g', None, "1e+06"),
            (123_456.0, 'g', None, "123456"),
            (1e-5, 'g', None, "1e-05"),
            (1e-4, 'g', None, "0.0001"),
            (1e100, 'g', None, "1e+100"),
            (1234.5678, 'g', Some(3), "1.23e+03"),
            (1234.5678, 'g', Some(10), "1234.5678"),
            (100_000.0, 'g', Some(3), "1e+05"),
            (100.0, 'g', Some(3), "100"),
            (0.0, 'g', None, "0"),
            (-0.5, 'g', Some(2), "-0.5"),
            (1234.5678, 'e', Some(6), "1.234568e+03"),
            (0.0, 'e', Some(6), "0.000000e+00"),
            (1.239, 'f', Some(2), "1.24"),
            (0.125, 'f', Some(2), "0.12"),
            (1.5, 'x', None, "0x1.8p+00"),
            (0.0, 'x', None, "0x0p+00"),
            (1.0, 'b', None, "4503599627370496p-52"),
            (f64::INFINITY, 'g', None, "+Inf"),
            (f64::NAN, 'f', Some(2), "NaN"),
            (1234.5678, 'G', None, "1234.5678"),
            (0.5, 'g', Some(900_000), "0.5"),
        ] {
            assert_eq!(spelled(number, form, digits), written, "{number} {form} {digits:?}");
        }
        assert_eq!(spelled(0.5, 'f', Some(900_000)).len(), 900_002);
        assert_eq!(spelled(0.5, 'e', Some(900_000)).len(), 900_006);
    }
}

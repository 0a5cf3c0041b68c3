//! Numbers as JSON spells them, read exactly: `1.0` and `1e3` are whole, `0.1` is not, and nothing is rounded on the way.

/// More decimal digits than any integer of 64 bits has.
const MOST_DIGITS: i64 = 20;

/// Why a number is no integer that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Fraction,
    OutOfRange,
}

/// How many bytes at the beginning are a number.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(bytes, at);
    if whole == 0 || (whole > 1 && bytes.get(at) == Some(&b'0')) {
        return None;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(bytes, at + 1);
        at += 1 + (fraction > 0).then_some(fraction)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(bytes, at);
        at += (exponent > 0).then_some(exponent)?;
    }
    Some(at)
}

fn digits(bytes: &[u8], from: usize) -> usize {
    bytes.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The integer that a number is.
#[inline]
pub(super) fn integer(number: &str) -> Result<i128, Unfit> {
    match number.parse::<i64>() {
        Ok(value) => Ok(value.into()),
        Err(_) => exact(number),
    }
}

/// The same for any spelling: the digits times a power of ten, which is never computed before it is known to be small.
fn exact(number: &str) -> Result<i128, Unfit> {
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let nonzero = |digit| digit != '0';
    let Some(last) = fraction.rfind(nonzero).map(|at| whole.len() + at).or_else(|| whole.rfind(nonzero)) else { return Ok(0) };
    let leading = digits().take_while(|digit| *digit == b'0').count();
    let scale = power(exponent).saturating_add(whole.len() as i64 - 1 - last as i64);
    if scale < 0 {
        return Err(Unfit::Fraction);
    }
    if scale.saturating_add((last - leading) as i64) >= MOST_DIGITS {
        return Err(Unfit::OutOfRange);
    }
    let value = digits().take(last + 1).fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    let value = (0..scale).fold(value, |value, _| value * 10);
    Ok(if negative { -value } else { value })
}

fn power(exponent: &str) -> i64 {
    // One that does not fit is so far out that its exact size is of no account.
    exponent.parse::<i32>().map_or(if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 }, i64::from)
}

/// The double nearest to a number, if there is one: beyond the largest there is none.
#[inline]
pub(super) fn double(number: &str) -> Result<f64, Unfit> {
    number.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or(Unfit::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact_in_every_spelling() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("0.000e999999999999", 0),
            ("1.0", 1),
            ("1e3", 1000),
            ("1.5E+1", 15),
            ("-120e-1", -12),
            ("0.00001e5", 1),
            ("100000000000000000000e-19", 10),
            ("18446744073709551615", i128::from(u64::MAX)),
            ("18446744073709551615.000", i128::from(u64::MAX)),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("-9223372036854775808", i128::from(i64::MIN)),
            ("1e19", 10_i128.pow(19)),
        ] {
            assert_eq!(length(text.as_bytes()), Some(text.len()));
            assert_eq!(integer(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_not_rounded_to_whole_ones() {
        for text in ["0.5", "1e-1", "1.00000000000000000000000000001", "1e-999999999999", "123456789e-9"] {
            assert_eq!(integer(text), Err(Unfit::Fraction), "{text}");
        }
        for text in ["1e20", "100000000000000000000", "1e999999999999", "-1e2147483648", "123456789012345678901"] {
            assert_eq!(integer(text), Err(Unfit::OutOfRange), "{text}");
        }
        assert_eq!(double("1e400"), Err(Unfit::OutOfRange));
        assert_eq!(double("-0").map(f64::to_bits), Ok((-0.0f64).to_bits()));
    }

    #[test]
    fn what_is_no_number_has_no_length() {
        for text in ["", "-", "01", "-01", ".5", "1.", "1.e5", "1e", "1e+", "+1", "NaN"] {
            assert_eq!(length(text.as_bytes()), None, "{text}");
        }
        assert_eq!(length(b"1x"), Some(1));
        assert_eq!(length(b"12.5,"), Some(4));
    }
}

//! Converters to numbers and booleans, by the rules of the Collector's own language.

use super::given::{expected, int, text};
use super::{Converter, Parameter, Run, Takes};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[BOOL, DOUBLE, INT, IS_VALID_LUHN, LOG, PARSE_INT];

const TARGET: &[Parameter] = &[Parameter::needed("target", Takes::Any)];

/// `Bool("T")`: `1 t T true True TRUE` and their opposites; a number is true unless it is zero. `nil` stays `nil`.
const BOOL: Converter = Converter {
    name: "Bool",
    parameters: TARGET,
    gives: Type::Bool,
    make: |_| {
        Ok(Run::values(|values| match &values[0] {
            Value::Nil => Ok(Value::Nil),
            Value::Bool(truth) => Ok(Value::Bool(*truth)),
            Value::Int(number) => Ok(Value::Bool(*number != 0)),
            Value::Float(number) => Ok(Value::Bool(*number != 0.0)),
            Value::String(text) => match text.as_ref() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
                _ => Err(EvalError::because("the text is neither true nor false")),
            },
            other => Err(expected(Type::Bool, other)),
        }))
    },
};

/// `Double("1.5")`; `true` is 1. `nil` stays `nil`.
const DOUBLE: Converter = Converter {
    name: "Double",
    parameters: TARGET,
    gives: Type::Float,
    make: |_| Ok(Run::values(|values| Ok(float_like(&values[0])?.map_or(Value::Nil, Value::Float)))),
};

/// `Int("42")`; a fraction is cut off, `true` is 1. `nil` stays `nil`.
const INT: Converter = Converter {
    name: "Int",
    parameters: TARGET,
    gives: Type::Int,
    make: |_| {
        Ok(Run::values(|values| match &values[0] {
            Value::Nil => Ok(Value::Nil),
            Value::Bool(truth) => Ok(Value::Int((*truth).into())),
            Value::Int(number) => Ok(Value::Int(*number)),
            Value::Float(number) => Ok(Value::Int(cut(*number))),
            Value::String(text) => parse_int(text, 10).map(Value::Int),
            other => Err(expected(Type::Int, other)),
        }))
    },
};

/// What is beyond all whole numbers becomes the least of them, as it does on the Collector's processors.
#[expect(clippy::cast_possible_truncation, reason = "that is what is asked for")]
fn cut(number: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) { number as i64 } else { i64::MIN }
}

/// `IsValidLuhn("4111 1111 1111 1111")`: whether the last digit is the check digit of the others. Anything but digits and spaces is an error.
const IS_VALID_LUHN: Converter = Converter {
    name: "IsValidLuhn",
    parameters: &[Parameter::needed("target", Takes::StringLike)],
    gives: Type::Bool,
    make: |_| {
        Ok(Run::values(|values| {
            let Value::String(number) = &values[0] else { return Err(expected(Type::String, &values[0])) };
            let mut sum = 0;
            let mut digits = 0_usize;
            for byte in number.bytes().rev().filter(|byte| *byte != b' ') {
                if !byte.is_ascii_digit() {
                    return Err(EvalError::because("the text is no number"));
                }
                let digit = u32::from(byte - b'0');
                let doubled = digit * 2;
                sum += if digits.is_multiple_of(2) { digit } else { doubled / 10 + doubled % 10 };
                sum %= 10;
                digits += 1;
            }
            Ok(Value::Bool(digits > 0 && sum == 0))
        }))
    },
};

/// `Log(10)`: the natural logarithm of a number above zero.
const LOG: Converter = Converter {
    name: "Log",
    parameters: TARGET,
    gives: Type::Float,
    make: |_| {
        Ok(Run::values(|values| match float_like(&values[0])? {
            Some(number) if number > 0.0 => Ok(Value::Float(number.ln())),
            Some(_) => Err(EvalError::because("there is no logarithm of a number that is not above zero")),
            None => Err(expected(Type::Float, &values[0])),
        }))
    },
};

/// `ParseInt("ff", 16)` is 255. With base 0 the text says its own: `0x`, `0b`, `0o` or a leading 0, and `_` between digits.
const PARSE_INT: Converter = Converter {
    name: "ParseInt",
    parameters: &[Parameter::needed("target", Takes::String), Parameter::needed("base", Takes::Int)],
    gives: Type::Int,
    make: |_| {
        Ok(Run::values(|values| match u32::try_from(int(values, 1)) {
            Ok(base @ (0 | 2..=36)) => parse_int(text(values, 0), base).map(Value::Int),
            _ => Err(EvalError::because("a base is 0 or from 2 to 36")),
        }))
    },
};

/// A number with a fraction, of what can be one; `None` of nothing.
fn float_like(value: &Value<'_>) -> Result<Option<f64>, EvalError> {
    match value {
        Value::Nil => Ok(None),
        Value::Bool(truth) => Ok(Some(if *truth { 1.0 } else { 0.0 })),
        Value::Int(_) | Value::Float(_) => Ok(value.as_float()),
        Value::String(text) => parse_float(text).map(Some),
        other => Err(expected(Type::Float, other)),
    }
}

/// Decimal digits with a sign, point and exponent, or the names of what is no number.
fn parse_float(text: &str) -> Result<f64, EvalError> {
    let no_number = || EvalError::because("the text is no number");
    // An underscore between digits says nothing.
    let stray =
        |at: usize| !text[..at].ends_with(|c: char| c.is_ascii_digit()) || !text[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    if text.match_indices('_').any(|(at, _)| stray(at)) {
        return Err(no_number());
    }
    let number: f64 = text.replace('_', "").parse().map_err(|_| no_number())?;
    // Digits that give infinity are out of range; the word is not.
    if number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(EvalError::because("the number is too large"));
    }
    Ok(number)
}

/// A whole number in a base from 2 to 36, or 0 where the text says which.
fn parse_int(text: &str, base: u32) -> Result<i64, EvalError> {
    let no_number = || EvalError::because("the text is no whole number of 64 bits");
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = if base == 0 { spelled_base(digits).ok_or_else(no_number)? } else { (base, digits.into()) };
    // Rust reads a sign of its own, and one is enough.
    if !digits.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Err(no_number());
    }
    let size = u64::from_str_radix(&digits, base).map_err(|_| no_number())?;
    let number = if is_negative { -i128::from(size) } else { i128::from(size) };
    i64::try_from(number).map_err(|_| no_number())
}

/// The base that a number is written in, and its digits without what marks it and without underscores between them.
fn spelled_base(digits: &str) -> Option<(u32, String)> {
    let (base, rest, is_marked) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..], true),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..], true),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..], true),
        [b'0', _, ..] => (8, &digits[1..], true),
        _ => (10, digits, false),
    };
    let misplaced = rest.contains("__") || rest.ends_with('_') || (!is_marked && rest.starts_with('_'));
    (!misplaced).then(|| (base, rest.replace('_', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_their_base() {
        for (text, base, number) in [
            ("0", 0, Some(0)),
            ("0x_ff", 0, Some(255)),
            ("0_7", 0, Some(7)),
            ("08", 0, None),
            ("_1", 0, None),
            ("1_", 0, None),
            ("+-1", 10, None),
            ("--1", 10, None),
            ("", 10, None),
            ("0x", 0, None),
            ("-9223372036854775808", 10, Some(i64::MIN)),
            ("9223372036854775808", 10, None),
            ("18446744073709551616", 10, None),
        ] {
            assert_eq!(parse_int(text, base).ok(), number, "{text} in {base}");
        }
    }

    #[test]
    fn infinity_is_a_word() {
        assert_eq!(parse_float("-Inf").ok(), Some(f64::NEG_INFINITY));
        assert!(parse_float("1e400").is_err());
        assert!(parse_float("1 ").is_err());
    }
}

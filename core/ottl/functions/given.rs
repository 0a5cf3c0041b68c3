//! What the closures of functions share: reading their values, and keeping what they make within bounds.

use std::borrow::Cow;

use super::{MOST_BYTES, MOST_VALUES};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Type, Value};

/// The text that a parameter of text got; empty where it was left out.
pub(super) fn text<'v>(values: &'v [Value<'_>], place: usize) -> &'v str {
    values[place].as_str().unwrap_or_default()
}

/// The whole number that a parameter got; 0 where it was left out.
pub(super) fn int(values: &[Value<'_>], place: usize) -> i64 {
    match values[place] {
        Value::Int(number) => number,
        _ => 0,
    }
}

/// The nanoseconds of a time or of a duration.
pub(super) fn nanos(values: &[Value<'_>], place: usize) -> i64 {
    match values[place] {
        Value::Time(nanos) | Value::Duration(nanos) => nanos,
        _ => 0,
    }
}

/// Something else came than what works.
pub(super) fn expected(wanted: Type, got: &Value<'_>) -> EvalError {
    EvalError::Expected { wanted: wanted.name(), got: got.type_of().name() }
}

/// A part of a text; what was borrowed stays borrowed.
pub(super) fn part<'a>(whole: &mut Value<'a>, cut: impl for<'b> FnOnce(&'b str) -> &'b str) -> Value<'a> {
    match std::mem::take(whole) {
        Value::String(Cow::Borrowed(whole)) => Value::text(cut(whole)),
        Value::String(Cow::Owned(whole)) => Value::from(cut(&whole).to_owned()),
        other => other,
    }
}

/// The characters that lie wholly before a place.
pub(super) fn whole_characters(text: &str, end: usize) -> &str {
    let end = (0..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// Adds to a text that must not grow without bound.
pub(super) fn push(out: &mut String, more: &str) -> Result<(), EvalError> {
    if out.len() + more.len() > MOST_BYTES {
        return Err(too_long());
    }
    out.push_str(more);
    Ok(())
}

pub(super) fn too_long() -> EvalError {
    EvalError::because("the text would be longer than 1 MiB")
}

pub(super) fn too_many() -> EvalError {
    EvalError::because("there would be more than 16384 values")
}

/// A list that is not longer than may be.
pub(super) fn bounded_list<'a>(values: impl Iterator<Item = Value<'a>>) -> Result<Value<'a>, EvalError> {
    let values: Vec<_> = values.take(MOST_VALUES + 1).collect();
    if values.len() > MOST_VALUES { Err(too_many()) } else { Ok(Value::list(values)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_tell_the_bounds() {
        assert_eq!((MOST_BYTES, MOST_VALUES), (1 << 20, 16_384));
        let mut out = "x".repeat(MOST_BYTES);
        assert_eq!(push(&mut out, "x"), Err(too_long()));
        assert_eq!(push(&mut out, ""), Ok(()));
        assert!(bounded_list((0..MOST_VALUES).map(|_| Value::Nil)).is_ok());
        assert_eq!(bounded_list((0..=MOST_VALUES).map(|_| Value::Nil)), Err(too_many()));
    }
}

//! A value as one of another type, where that makes sense.

use super::action::ConvertedType;
use super::text::text;
use crate::telemetry::{Value, ValueRef};

/// The value converted; `None` leaves it as it is.
pub(super) fn converted(value: ValueRef<'_>, to: ConvertedType) -> Option<Value> {
    match to {
        ConvertedType::Int => whole(value).map(Value::Int),
        ConvertedType::Double => real(value).map(Value::Double),
        ConvertedType::String => Some(Value::String(text(value))),
    }
}

fn whole(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::String(_) => value.text()?.parse().ok(),
        #[expect(clippy::cast_possible_truncation, reason = "the fraction is cut off, as in the Collector")]
        ValueRef::Double(number) => Some(number as i64),
        ValueRef::Bool(truth) => Some(truth.into()),
        _ => None,
    }
}

fn real(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::String(_) => value.text()?.parse().ok(),
        #[expect(clippy::cast_precision_loss, reason = "as near as a float can tell")]
        ValueRef::Int(number) => Some(number as f64),
        ValueRef::Bool(truth) => Some(if truth { 1.0 } else { 0.0 }),
        _ => None,
    }
}

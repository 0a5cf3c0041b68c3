//! Attribute values as tests write them: `"text"`, `7`, `0.5`, `true`, `list([…])`, `map([…])`.

use super::otlp::{AnyValue, ArrayValue, KeyValue, KeyValueList, Value};

/// What a test may write for a value. `Option::<Value>::None` is the value that is there and says nothing.
pub trait IntoValue {
    /// The value as OTLP has it.
    fn into_value(self) -> AnyValue;
}

/// A key with its value.
pub fn attribute(key: impl Into<String>, value: impl IntoValue) -> KeyValue {
    KeyValue { key: key.into(), value: Some(value.into_value()), ..KeyValue::default() }
}

/// A list of values.
pub fn list<V: IntoValue>(values: impl IntoIterator<Item = V>) -> AnyValue {
    let values = values.into_iter().map(IntoValue::into_value).collect();
    Value::ArrayValue(ArrayValue { values }).into_value()
}

/// A map of values. Keys may repeat: OTLP allows it and senders do it.
pub fn map<K: Into<String>, V: IntoValue>(entries: impl IntoIterator<Item = (K, V)>) -> AnyValue {
    let values = entries.into_iter().map(|(key, value)| attribute(key, value)).collect();
    Value::KvlistValue(KeyValueList { values }).into_value()
}

/// A value of bytes.
pub fn bytes(value: impl Into<Vec<u8>>) -> AnyValue {
    Value::BytesValue(value.into()).into_value()
}

impl IntoValue for AnyValue {
    fn into_value(self) -> AnyValue {
        self
    }
}

impl IntoValue for Value {
    fn into_value(self) -> AnyValue {
        AnyValue { value: Some(self) }
    }
}

impl IntoValue for Option<Value> {
    fn into_value(self) -> AnyValue {
        AnyValue { value: self }
    }
}

impl IntoValue for &str {
    fn into_value(self) -> AnyValue {
        Value::StringValue(self.to_owned()).into_value()
    }
}

impl IntoValue for String {
    fn into_value(self) -> AnyValue {
        Value::StringValue(self).into_value()
    }
}

impl IntoValue for bool {
    fn into_value(self) -> AnyValue {
        Value::BoolValue(self).into_value()
    }
}

impl IntoValue for i64 {
    fn into_value(self) -> AnyValue {
        Value::IntValue(self).into_value()
    }
}

impl IntoValue for f64 {
    fn into_value(self) -> AnyValue {
        Value::DoubleValue(self).into_value()
    }
}

//! What the three signals share: values, attributes, resources, scopes, ids, times.

use proptest::collection::vec;
use proptest::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::otlp::{AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, Resource, Value};
use super::super::spans::START;
use super::{Ids, Wild};

const KEYS: [&str; 8] =
    ["service.name", "service.name", "http.route", "http.response.status_code", "exception.type", "deployment.environment", "k", ""];

/// At most so many, seldom none: what is below an empty list is not tested.
pub(super) fn few<T: std::fmt::Debug + 'static>(one: impl Strategy<Value = T> + 'static, most: usize) -> BoxedStrategy<Vec<T>> {
    prop_oneof![1 => Just(()).prop_map(|()| Vec::new()), 6 => vec(one, most.min(1)..=most)].boxed()
}

/// Short, often empty, of every kind of character.
pub(super) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        2 => Just(String::new()),
        3 => select(&["cart", "GET /", "checkout", "ok"][..]).prop_map(str::to_owned),
        2 => vec(any::<char>(), 0..6).prop_map(String::from_iter),
    ]
    .boxed()
}

pub(super) fn any_value(wild: &Wild) -> BoxedStrategy<AnyValue> {
    let entries = wild.entries;
    leaf()
        .prop_map(|value| AnyValue { value })
        .prop_recursive(wild.depth, 12, 3, move |inner| {
            let list = vec(inner.clone(), 0..=entries).prop_map(|values| Value::ArrayValue(ArrayValue { values }));
            let map = vec(key_value(inner), 0..=entries).prop_map(|values| Value::KvlistValue(KeyValueList { values }));
            prop_oneof![list, map].prop_map(|value| AnyValue { value: Some(value) })
        })
        .boxed()
}

fn leaf() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        1 => Just(None),
        4 => text().prop_map(|text| Some(Value::StringValue(text))),
        1 => any::<bool>().prop_map(|truth| Some(Value::BoolValue(truth))),
        2 => any::<i64>().prop_map(|number| Some(Value::IntValue(number))),
        1 => number().prop_map(|number| Some(Value::DoubleValue(number))),
        1 => vec(any::<u8>(), 0..6).prop_map(|bytes| Some(Value::BytesValue(bytes))),
        1 => any::<i32>().prop_map(|index| Some(Value::StringValueStrindex(index))),
    ]
}

fn key_value(value: impl Strategy<Value = AnyValue>) -> impl Strategy<Value = KeyValue> {
    let key = prop_oneof![4 => select(&KEYS[..]).prop_map(str::to_owned), 1 => text()];
    let index = prop_oneof![9 => Just(0), 1 => any::<i32>()];
    (key, option::weighted(0.9, value), index).prop_map(|(key, value, key_strindex)| KeyValue { key, value, key_strindex })
}

pub(super) fn attributes(wild: &Wild) -> BoxedStrategy<Vec<KeyValue>> {
    vec(key_value(any_value(wild)), 0..=wild.entries).boxed()
}

pub(super) fn resource(wild: &Wild) -> impl Strategy<Value = Option<Resource>> + use<> {
    let entity = (text(), text(), vec(text(), 0..3), vec(text(), 0..3));
    let entity =
        entity.prop_map(|(schema_url, r#type, id_keys, description_keys)| EntityRef { schema_url, r#type, id_keys, description_keys });
    let resource = (attributes(wild), count(), vec(entity, 0..2));
    option::of(resource.prop_map(|(attributes, dropped_attributes_count, entity_refs)| Resource {
        attributes,
        dropped_attributes_count,
        entity_refs,
    }))
}

pub(super) fn scope(wild: &Wild) -> impl Strategy<Value = Option<InstrumentationScope>> + use<> {
    let scope = (text(), text(), attributes(wild), count());
    option::of(scope.prop_map(|(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
        name,
        version,
        attributes,
        dropped_attributes_count,
    }))
}

/// Mostly zero, now and then any.
pub(super) fn count() -> impl Strategy<Value = u32> + Clone {
    prop_oneof![3 => Just(0_u32), 1 => any::<u32>()]
}

/// Mostly a number that is defined, now and then one that is not.
pub(super) fn enumeration(defined: i32) -> impl Strategy<Value = i32> + Clone {
    prop_oneof![4 => 0..=defined, 1 => any::<i32>()]
}

pub(super) fn time() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![4 => START.0..START.0 + 1_000_000_000_000, 1 => Just(0_u64), 1 => any::<u64>()]
}

pub(super) fn number() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![Just(0.0), Just(0.5), POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE]
}

/// An id that must be there.
pub(super) fn id(length: usize, ids: Ids) -> BoxedStrategy<Vec<u8>> {
    let few = (1_u8..6).prop_map(move |last| [vec![0; length - 1], vec![last]].concat());
    let any_valid = vec(any::<u8>(), length).prop_filter("not all zero", |id| id.iter().any(|&byte| byte != 0));
    match ids {
        Ids::Valid => prop_oneof![3 => few, 2 => any_valid].boxed(),
        Ids::Odd => {
            let odd = prop_oneof![Just(vec![0; length]), vec(any::<u8>(), 0..=20)];
            prop_oneof![6 => few, 3 => any_valid, 1 => odd].boxed()
        }
    }
}

/// An id that may be missing.
pub(super) fn optional_id(length: usize, ids: Ids) -> BoxedStrategy<Vec<u8>> {
    prop_oneof![1 => Just(Vec::new()), 2 => id(length, ids)].boxed()
}

//! Converters that look at all points of a metric: for conditions on metrics as a whole.

use super::{Arguments, Converter, Parameter, Run, Takes};
use crate::ottl::problem::EvalError;
use crate::ottl::scene::Scene;
use crate::ottl::value::{Type, Value};
use crate::telemetry::{Item, ValueRef};

pub(super) const CONVERTERS: &[Converter] = &[HAS_ATTR_KEY_ON_DATAPOINT, HAS_ATTR_ON_DATAPOINT];

/// `HasAttrKeyOnDatapoint("k")`: some point of the metric has the attribute.
const HAS_ATTR_KEY_ON_DATAPOINT: Converter = Converter {
    name: "HasAttrKeyOnDatapoint",
    parameters: &[Parameter::known("key", Takes::String)],
    gives: Type::Bool,
    make: |arguments| {
        let key = text(arguments, "key");
        Ok(Run::scene(move |scene, _| any_point(scene, &|point| point.attribute(&key).is_some())))
    },
};

/// `HasAttrOnDatapoint("k", "v")`: some point of the metric has the attribute, with that text.
const HAS_ATTR_ON_DATAPOINT: Converter = Converter {
    name: "HasAttrOnDatapoint",
    parameters: &[Parameter::known("key", Takes::String), Parameter::known("value", Takes::String)],
    gives: Type::Bool,
    make: |arguments| {
        let (key, wanted) = (text(arguments, "key"), text(arguments, "value"));
        Ok(Run::scene(move |scene, _| {
            any_point(scene, &|point| point.attribute(&key).and_then(ValueRef::text).is_some_and(|value| value == wanted))
        }))
    },
};

fn text(arguments: &Arguments<'_>, name: &str) -> String {
    arguments.text(name).unwrap_or_default().to_owned()
}

fn any_point<'a>(scene: &Scene<'_>, ask: &dyn Fn(&Item<'_>) -> bool) -> Result<Value<'a>, EvalError> {
    match scene.points() {
        Some(points) => Ok(Value::Bool(points.any(ask))),
        None => Err(EvalError::because("only a condition on a metric can ask for its points")),
    }
}

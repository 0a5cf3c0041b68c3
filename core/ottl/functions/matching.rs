//! Converters that say whether text looks like something.

use super::{Converter, Parameter, Run, Takes};
use crate::ottl::value::Type;

pub(super) const CONVERTERS: &[Converter] = &[IS_MATCH];

/// `IsMatch(name, "^GET")`: whether a regular expression matches anywhere. What is not text is matched as text; `nil` matches nothing.
const IS_MATCH: Converter = Converter {
    name: "IsMatch",
    parameters: &[Parameter::needed("target", Takes::StringLike), Parameter::known("pattern", Takes::String)],
    gives: Type::Bool,
    make: |arguments| arguments.pattern("pattern").map(Run::Match),
};

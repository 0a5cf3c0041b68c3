//! Converters that say whether text looks like something, and take it apart by what it looks like.

use std::borrow::Cow;

use super::given::text;
use super::{Converter, Parameter, Refusal, Run, Takes};
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[EXTRACT_PATTERNS, IS_MATCH];

/// `ExtractPatterns("GET /x", "^(?P<method>\\w+)")` is `{"method": "GET"}`: the named groups of the first match; nothing where there is no match.
const EXTRACT_PATTERNS: Converter = Converter {
    name: "ExtractPatterns",
    parameters: &[Parameter::needed("target", Takes::String), Parameter::known("pattern", Takes::String)],
    gives: Type::Map,
    make: |arguments| {
        let pattern = arguments.pattern("pattern")?;
        let names: Vec<_> = pattern.regex().capture_names().flatten().map(str::to_owned).collect();
        if names.is_empty() {
            return Err(Refusal::of("pattern", "names no group", "name what is to be extracted: (?P<name>...)"));
        }
        Ok(Run::values(move |values| {
            let Some(found) = pattern.regex().captures(text(values, 0).as_bytes()) else { return Ok(Value::map(vec![])) };
            let of = |name: &String| {
                let part = found.name(name).map_or(Cow::Borrowed(""), |part| String::from_utf8_lossy(part.as_bytes()));
                (Cow::Owned(name.clone()), Value::from(part.into_owned()))
            };
            Ok(Value::map(names.iter().map(of).collect()))
        }))
    },
};

/// `IsMatch(name, "^GET")`: whether a regular expression matches anywhere. What is not text is matched as text; `nil` matches nothing.
const IS_MATCH: Converter = Converter {
    name: "IsMatch",
    parameters: &[Parameter::needed("target", Takes::StringLike), Parameter::known("pattern", Takes::String)],
    gives: Type::Bool,
    make: |arguments| arguments.pattern("pattern").map(Run::Match),
};

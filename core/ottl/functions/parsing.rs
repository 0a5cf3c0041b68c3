//! Converters that make maps of text, and text of maps.

use std::borrow::Cow;
use std::collections::HashMap;

use super::given::{push, text, too_many};
use super::{Arguments, Converter, MOST_VALUES, Parameter, Refusal, Run, Takes, json, url, user_agent};
use crate::ottl::problem::EvalError;
use crate::ottl::text::as_string;
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[PARSE_JSON, PARSE_KEY_VALUE, TO_KEY_VALUE_STRING, URL, USER_AGENT];

/// `ParseJSON("{\"a\": 1}")`: an object becomes a map, a list a list; all numbers have a fraction.
const PARSE_JSON: Converter = Converter {
    name: "ParseJSON",
    parameters: &[Parameter::needed("target", Takes::String)],
    gives: Type::Any,
    make: |_| Ok(Run::values(|values| json::parsed(text(values, 0)))),
};

/// What stands between a key and its value, and between two pairs.
struct Delimiters {
    within: String,
    between: String,
}

impl Delimiters {
    fn of(arguments: &Arguments<'_>) -> Result<Self, Refusal> {
        let within = arguments.text("delimiter").unwrap_or("=").to_owned();
        let between = arguments.text("pair_delimiter").unwrap_or(" ").to_owned();
        for (name, delimiter) in [("delimiter", &within), ("pair_delimiter", &between)] {
            if delimiter.is_empty() {
                return Err(Refusal::of(name, "is empty", "write what stands there, or leave it out"));
            }
        }
        if within == between {
            return Err(Refusal::of("pair_delimiter", "is the same as within a pair", "write another"));
        }
        Ok(Self { within, between })
    }
}

/// `ParseKeyValue("a=1 b='x y'")` is `{"a": "1", "b": "x y"}`.
const PARSE_KEY_VALUE: Converter = Converter {
    name: "ParseKeyValue",
    parameters: &[
        Parameter::needed("target", Takes::String),
        Parameter::option("delimiter", Takes::String),
        Parameter::option("pair_delimiter", Takes::String),
    ],
    gives: Type::Map,
    make: |arguments| {
        let delimiters = Delimiters::of(arguments)?;
        Ok(Run::values(move |values| {
            let source = text(values, 0);
            if source.is_empty() {
                return Err(EvalError::because("there are no pairs in an empty text"));
            }
            let mut entries: Vec<(Cow<'_, str>, Value<'_>)> = vec![];
            let mut places = HashMap::new();
            for pair in pairs(source, &delimiters.between)? {
                let (key, value) =
                    pair.split_once(&delimiters.within).ok_or_else(|| EvalError::because("a pair has no delimiter in it"))?;
                let (key, value) = (key.trim().to_owned(), Value::from(value.trim().to_owned()));
                let place = *places.entry(key.clone()).or_insert(entries.len());
                if place < entries.len() {
                    entries[place].1 = value;
                } else {
                    entries.push((Cow::Owned(key), value));
                }
            }
            Ok(Value::map(entries))
        }))
    },
};

/// Parts of a text, without quotes around them or in them; a delimiter in quotes is none.
fn pairs(source: &str, delimiter: &str) -> Result<Vec<String>, EvalError> {
    let mut pairs = vec![];
    let mut pair = String::new();
    let mut quote = None;
    let mut is_escaped = false;
    let mut rest = source;
    while let Some(sign) = rest.chars().next() {
        if quote.is_none()
            && let Some(behind) = rest.strip_prefix(delimiter)
        {
            if !pair.is_empty() {
                pairs.push(std::mem::take(&mut pair));
            }
            if pairs.len() > MOST_VALUES {
                return Err(too_many());
            }
            rest = behind;
            continue;
        }
        rest = &rest[sign.len_utf8()..];
        if !is_escaped {
            if quote.is_none() && matches!(sign, '"' | '\'') {
                quote = Some(sign);
                continue;
            }
            if quote == Some(sign) {
                quote = None;
                continue;
            }
        }
        is_escaped = !is_escaped && sign == '\\';
        pair.push(sign);
    }
    if quote.is_some() {
        return Err(EvalError::because("a quote is never closed"));
    }
    if !pair.is_empty() {
        pairs.push(pair);
    }
    Ok(pairs)
}

/// `ToKeyValueString({"a": 1, "b": "x y"})` is `a=1 b="x y"`.
const TO_KEY_VALUE_STRING: Converter = Converter {
    name: "ToKeyValueString",
    parameters: &[
        Parameter::needed("target", Takes::Map),
        Parameter::option("delimiter", Takes::String),
        Parameter::option("pair_delimiter", Takes::String),
        Parameter::option("sort_output", Takes::Bool),
    ],
    gives: Type::String,
    make: |arguments| {
        let delimiters = Delimiters::of(arguments)?;
        let sorts = arguments.truth("sort_output").unwrap_or(false);
        Ok(Run::values(move |values| {
            let Value::Map(map) = std::mem::take(&mut values[0]) else { return Ok(Value::Nil) };
            let mut entries = map.into_entries();
            if sorts {
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            }
            let mut out = String::new();
            for (place, (key, value)) in entries.into_iter().enumerate() {
                push(&mut out, if place > 0 { &delimiters.between } else { "" })?;
                push(&mut out, &guarded(&key, &delimiters))?;
                push(&mut out, &delimiters.within)?;
                push(&mut out, &guarded(&as_string(value), &delimiters))?;
            }
            Ok(Value::from(out))
        }))
    },
};

/// In quotes where a delimiter stands in it.
fn guarded(text: &str, delimiters: &Delimiters) -> String {
    let escaped = text.replace('"', "\\\"");
    if escaped.contains(&delimiters.between) || escaped.contains(&delimiters.within) { format!("\"{escaped}\"") } else { escaped }
}

/// `URL("http://h:81/p?q")`: its parts, under the names of the semantic conventions. Of a query alone, `?a=1`, its parameters.
const URL: Converter = Converter {
    name: "URL",
    parameters: &[Parameter::needed("uri", Takes::String)],
    gives: Type::Map,
    make: |_| Ok(Run::values(|values| url::parts(text(values, 0)))),
};

/// `UserAgent("curl/8.1")`: name and version of a browser or client, and of its system, as far as they are known here; else `Other`.
const USER_AGENT: Converter = Converter {
    name: "UserAgent",
    parameters: &[Parameter::needed("user_agent", Takes::String)],
    gives: Type::Map,
    make: |_| Ok(Run::values(|values| Ok(user_agent::parts(text(values, 0))))),
};

//! Converters from text to text, and what is asked of text.

use super::given::{bounded_list, expected, int, part, push, text};
use super::{Arguments, Converter, Parameter, Refusal, Run, Takes, case};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Type, Value};

pub(super) const CONVERTERS: &[Converter] = &[
    CONCAT,
    CONVERT_CASE,
    HAS_PREFIX,
    HAS_SUFFIX,
    SPLIT,
    SUBSTRING,
    TO_CAMEL_CASE,
    TO_LOWER_CASE,
    TO_SNAKE_CASE,
    TO_UPPER_CASE,
    TRIM,
    TRIM_PREFIX,
    TRIM_SUFFIX,
];

const TARGET: Parameter = Parameter::needed("target", Takes::String);
const WITH_PREFIX: &[Parameter] = &[TARGET, Parameter::needed("prefix", Takes::String)];
const WITH_SUFFIX: &[Parameter] = &[TARGET, Parameter::needed("suffix", Takes::String)];

/// `Concat(["a", 1], "-")` is `"a-1"`: each value as text, with a delimiter between them. `nil` is `<nil>`; a list that is not there is empty.
const CONCAT: Converter = Converter {
    name: "Concat",
    parameters: &[Parameter::needed("vals", Takes::Any), Parameter::needed("delimiter", Takes::String)],
    gives: Type::String,
    make: |_| {
        Ok(Run::values(|values| {
            let list = match &values[0] {
                Value::List(list) => list,
                Value::Nil => return Ok(Value::text("")),
                other => return Err(expected(Type::List, other)),
            };
            let mut joined = String::new();
            for (place, value) in list.iter().enumerate() {
                if place > 0 {
                    push(&mut joined, text(values, 1))?;
                }
                push(&mut joined, &value.into_text().unwrap_or("<nil>".into()))?;
            }
            Ok(Value::from(joined))
        }))
    },
};

/// `ConvertCase("someName", "snake")` is `"some_name"`.
const CONVERT_CASE: Converter = Converter {
    name: "ConvertCase",
    parameters: &[TARGET, Parameter::known("to_case", Takes::String)],
    gives: Type::String,
    make: |arguments| match arguments.text("to_case") {
        Some("lower") => of_text(case::lower),
        Some("upper") => of_text(case::upper),
        Some("snake") => of_text(case::snake),
        Some("camel") => of_text(case::camel),
        other => {
            let wrong = format!("there is no case \"{}\"", other.unwrap_or_default());
            Err(Refusal::of("to_case", wrong, "write \"lower\", \"upper\", \"snake\" or \"camel\""))
        }
    },
};

const HAS_PREFIX: Converter = Converter {
    name: "HasPrefix",
    parameters: WITH_PREFIX,
    gives: Type::Bool,
    make: |_| Ok(Run::values(|values| Ok(text(values, 0).starts_with(text(values, 1)).into()))),
};

const HAS_SUFFIX: Converter = Converter {
    name: "HasSuffix",
    parameters: WITH_SUFFIX,
    gives: Type::Bool,
    make: |_| Ok(Run::values(|values| Ok(text(values, 0).ends_with(text(values, 1)).into()))),
};

/// `Split("a,b", ",")` is `["a", "b"]`. With an empty delimiter, every character is a part.
const SPLIT: Converter = Converter {
    name: "Split",
    parameters: &[TARGET, Parameter::needed("delimiter", Takes::String)],
    gives: Type::List,
    make: |_| {
        Ok(Run::values(|values| {
            let (whole, delimiter) = (text(values, 0), text(values, 1));
            if delimiter.is_empty() {
                return bounded_list(whole.chars().map(|letter| Value::from(letter.to_string())));
            }
            bounded_list(whole.split(delimiter).map(|part| Value::from(part.to_owned())))
        }))
    },
};

/// `Substring("hello", 1, 3)` is `"ell"`: counted in bytes, and an error where the text is shorter.
const SUBSTRING: Converter = Converter {
    name: "Substring",
    parameters: &[
        TARGET,
        Parameter::needed("start", Takes::Int),
        Parameter::needed("length", Takes::Int),
        Parameter::option("utf8_safe", Takes::Bool),
    ],
    gives: Type::String,
    make: |arguments| {
        let utf8_safe = arguments.truth("utf8_safe").unwrap_or(false);
        Ok(Run::values(move |values| {
            let (start, length) = (int(values, 1), int(values, 2));
            if start < 0 || length <= 0 {
                return Err(EvalError::because("a part begins at 0 or later and is 1 byte long or longer"));
            }
            let end = usize::try_from(start.saturating_add(length)).ok().filter(|end| *end <= text(values, 0).len());
            let (Ok(start), Some(end)) = (usize::try_from(start), end) else {
                return Err(EvalError::because("the text is shorter than the part that is wanted of it"));
            };
            let whole = text(values, 0);
            let cuts = !whole.is_char_boundary(start) || !whole.is_char_boundary(end);
            if cuts && !utf8_safe {
                // The halves of characters that are cut have no meaning left, and text must have one.
                return Ok(Value::from(String::from_utf8_lossy(&whole.as_bytes()[start..end]).into_owned()));
            }
            Ok(part(&mut values[0], |whole| whole_characters(whole, start, end)))
        }))
    },
};

/// The characters that lie wholly between two places.
fn whole_characters(whole: &str, start: usize, end: usize) -> &str {
    let first = (start..whole.len()).find(|at| whole.is_char_boundary(*at)).unwrap_or(whole.len());
    let last = (0..=end).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
    whole.get(first..last).unwrap_or_default()
}

const TO_CAMEL_CASE: Converter = in_case("ToCamelCase", |_| of_text(case::camel));
const TO_LOWER_CASE: Converter = in_case("ToLowerCase", |_| of_text(case::lower));
const TO_SNAKE_CASE: Converter = in_case("ToSnakeCase", |_| of_text(case::snake));
const TO_UPPER_CASE: Converter = in_case("ToUpperCase", |_| of_text(case::upper));

const fn in_case(name: &'static str, make: fn(&Arguments<'_>) -> Result<Run, Refusal>) -> Converter {
    Converter { name, parameters: &[TARGET], gives: Type::String, make }
}

fn of_text(work: fn(&str) -> String) -> Result<Run, Refusal> {
    Ok(Run::values(move |values| Ok(Value::from(work(text(values, 0))))))
}

/// `Trim("  a ")` is `"a"`: without spaces, or other characters that are given, at both ends.
const TRIM: Converter = Converter {
    name: "Trim",
    parameters: &[TARGET, Parameter::option("replacement", Takes::String)],
    gives: Type::String,
    make: |arguments| {
        let away: Vec<char> = arguments.text("replacement").unwrap_or(" ").chars().collect();
        Ok(Run::values(move |values| Ok(part(&mut values[0], |whole| whole.trim_matches(&*away)))))
    },
};

const TRIM_PREFIX: Converter = Converter {
    name: "TrimPrefix",
    parameters: WITH_PREFIX,
    gives: Type::String,
    make: |_| {
        Ok(Run::values(|values| {
            let [target, prefix] = values else { return Ok(Value::Nil) };
            let prefix = prefix.as_str().unwrap_or_default();
            Ok(part(target, |whole| whole.strip_prefix(prefix).unwrap_or(whole)))
        }))
    },
};

const TRIM_SUFFIX: Converter = Converter {
    name: "TrimSuffix",
    parameters: WITH_SUFFIX,
    gives: Type::String,
    make: |_| {
        Ok(Run::values(|values| {
            let [target, suffix] = values else { return Ok(Value::Nil) };
            let suffix = suffix.as_str().unwrap_or_default();
            Ok(part(target, |whole| whole.strip_suffix(suffix).unwrap_or(whole)))
        }))
    },
};

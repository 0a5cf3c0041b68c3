//! Editors that replace text.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::given::expected;
use super::template::{Template, put_replaced, replaced};
use super::{Arguments, Edit, Editor, Entry, Given, Parameter, Pattern, Refusal, Run, Takes, Work, glob::Glob};
use crate::ottl::problem::EvalError;
use crate::ottl::value::{Map, Type, Value};

pub(super) const EDITORS: &[Editor] = &[REPLACE_ALL_MATCHES, REPLACE_ALL_PATTERNS, REPLACE_MATCH, REPLACE_PATTERN];

const TARGET: Parameter = Parameter::needed("target", Takes::Target);
const MAP: Parameter = Parameter::needed("target", Takes::MapTarget);
const GLOB: Parameter = Parameter::known("pattern", Takes::String);
const REGEX: Parameter = Parameter::known("regex_pattern", Takes::String);
const REPLACEMENT: Parameter = Parameter::needed("replacement", Takes::Any);
const FUNCTION: Parameter = Parameter::option("function", Takes::Function);
const FORMAT: Parameter = Parameter::option("replacement_format", Takes::String);

/// `replace_all_matches(attributes, "/user/*", "/user/{id}")`: each text that is wholly like a glob becomes another.
const REPLACE_ALL_MATCHES: Editor = Editor {
    name: "replace_all_matches",
    parameters: &[MAP, GLOB, REPLACEMENT, FUNCTION, FORMAT],
    make: |arguments| {
        let (glob, finish) = (glob(arguments)?, Finish::of(arguments)?);
        Ok(Work::change(move |values| {
            let replacement = finish.finished(text(&values[2])?.to_owned())?;
            let is_like = |(_, (_, value)): &(usize, (Cow<'_, str>, Value<'_>))| value.as_str().is_some_and(|text| glob.is_match(text));
            let entry = |(place, _)| (place, Entry::Set(Value::from(replacement.clone())));
            Ok(of_entries(map(values)?.iter().enumerate().filter(is_like).map(entry).collect()))
        }))
    },
};

/// `replace_match(name, "/user/*", "/user/{id}")`: a text that is wholly like a glob becomes another.
const REPLACE_MATCH: Editor = Editor {
    name: "replace_match",
    parameters: &[TARGET, GLOB, REPLACEMENT, FUNCTION, FORMAT],
    make: |arguments| {
        let (glob, finish) = (glob(arguments)?, Finish::of(arguments)?);
        Ok(Work::change(move |values| match values[0].as_str() {
            Some(target) if glob.is_match(target) => finish.finished(text(&values[2])?.to_owned()).map(|made| Edit::Set(Value::from(made))),
            _ => Ok(Edit::Nothing),
        }))
    },
};

/// `replace_all_patterns(attributes, "value", "\\d+", "{n}")`: the matches of a regular expression in all keys or all texts of a map.
const REPLACE_ALL_PATTERNS: Editor = Editor {
    name: "replace_all_patterns",
    parameters: &[MAP, Parameter::known("mode", Takes::String), REGEX, REPLACEMENT, FUNCTION, FORMAT],
    make: |arguments| {
        let patterns = Patterns::of(arguments, 3)?;
        match arguments.text("mode") {
            Some("value") => Ok(Work::change(move |values| patterns.in_values(values))),
            Some("key") => Ok(Work::change(move |values| patterns.in_keys(values))),
            other => {
                let wrong = format!("there is no mode \"{}\"", other.unwrap_or_default());
                Err(Refusal::of("mode", wrong, "write \"key\" or \"value\""))
            }
        }
    },
};

/// `replace_pattern(name, "/user/\\d+", "/user/{id}")`: the matches of a regular expression; `$1` and `${name}` in the replacement are groups, and a
/// function such as `SHA256` is called with each replacement.
const REPLACE_PATTERN: Editor = Editor {
    name: "replace_pattern",
    parameters: &[TARGET, REGEX, REPLACEMENT, FUNCTION, FORMAT],
    make: |arguments| {
        let mut patterns = Patterns::of(arguments, 2)?;
        if let Some(template) = patterns.template.take() {
            return Ok(Work::text(move |text, out| patterns.put(text, &template, out)));
        }
        Ok(Work::change(move |values| match values[0].as_str() {
            Some(target) => Ok(patterns.replaced(target, values)?.map_or(Edit::Nothing, |made| Edit::Set(Value::from(made)))),
            None => Ok(Edit::Nothing),
        }))
    },
};

/// A regular expression and what its matches become.
struct Patterns {
    pattern: Pattern,
    /// The replacement, where it is known.
    template: Option<Template>,
    /// The argument that it is, where it is not.
    replacement: usize,
    finish: Finish,
}

impl Patterns {
    fn of(arguments: &Arguments<'_>, replacement: usize) -> Result<Self, Refusal> {
        let finish = Finish::of(arguments)?;
        Ok(Self {
            pattern: arguments.pattern("regex_pattern")?,
            template: arguments.text("replacement").map(Template::new),
            replacement,
            finish,
        })
    }

    fn replaced(&self, target: &str, values: &[Value<'_>]) -> Result<Option<String>, EvalError> {
        let given;
        let template = if let Some(known) = &self.template {
            known
        } else {
            given = Template::new(text(&values[self.replacement])?);
            &given
        };
        let finish = |made: String| self.finish.finished(made);
        replaced(&self.pattern, target, template, self.finish.0.is_some().then_some(&finish))
    }

    /// The same, put into an empty text.
    fn put(&self, text: &str, template: &Template, out: &mut String) -> Result<bool, EvalError> {
        let finish = |made: String| self.finish.finished(made);
        put_replaced(&self.pattern, text, template, self.finish.0.is_some().then_some(&finish), out)
    }

    fn in_values<'a>(&self, values: &[Value<'a>]) -> Result<Edit<'a>, EvalError> {
        text(&values[self.replacement])?;
        let mut changed = SmallVec::new();
        for (place, (_, value)) in map(values)?.iter().enumerate() {
            if let Some(made) = value.as_str().map(|text| self.replaced(text, values)).transpose()?.flatten() {
                changed.push((place, Entry::Set(Value::from(made))));
            }
        }
        Ok(of_entries(changed))
    }

    /// Of keys that become the same, the last one's value is kept, in the place of the first.
    fn in_keys<'a>(&self, values: &[Value<'a>]) -> Result<Edit<'a>, EvalError> {
        text(&values[self.replacement])?;
        let mut is_changed = false;
        let mut entries: Vec<(Cow<'a, str>, Value<'a>)> = vec![];
        let mut places = std::collections::HashMap::new();
        for (key, value) in map(values)?.iter() {
            let made = self.replaced(&key, values)?;
            is_changed |= made.is_some();
            let key = made.map_or(key, Cow::Owned);
            if let Some(place) = places.insert(key.clone(), entries.len()) {
                places.insert(key, place);
                entries[place].1 = value;
            } else {
                entries.push((key, value));
            }
        }
        Ok(if is_changed { Edit::Set(Value::map(entries)) } else { Edit::Nothing })
    }
}

/// What is done with a replacement before it is put in: a function is called with it, and its result put into a format.
struct Finish(Option<(Run, Option<(String, String)>)>);

impl Finish {
    fn of(arguments: &Arguments<'_>) -> Result<Self, Refusal> {
        if let Some(value) = arguments.literal("replacement")
            && value.as_str().is_none()
        {
            return Err(Refusal::of("replacement", format!("expected text, got {}", value.type_of().name()), "write it in quotes"));
        }
        if let Given::Function(converter, _) = arguments.given("function")
            && !matches!(converter.gives, Type::String | Type::Any)
        {
            let wrong = format!("{} gives {}, and a replacement is text", converter.name, converter.gives.name());
            return Err(Refusal::of("function", wrong, "name a converter that gives text, such as SHA256"));
        }
        let format = arguments.text("replacement_format").map(|format| {
            let parts = format.split_once("%s").filter(|(before, after)| !before.contains('%') && !after.contains('%'));
            let owned = parts.map(|(before, after)| (before.to_owned(), after.to_owned()));
            owned
                .ok_or_else(|| Refusal::of("replacement_format", "holds other than one %s", "write text with one %s in it, and no other %"))
        });
        let format = format.transpose()?;
        Ok(Self(arguments.function("function").map(|run| (run.clone(), format))))
    }

    fn finished(&self, made: String) -> Result<String, EvalError> {
        let Some((run, format)) = &self.0 else { return Ok(made) };
        let value = run.of_text(&made)?;
        let made = value.as_str().ok_or_else(|| expected(Type::String, &value))?;
        Ok(format.as_ref().map_or_else(|| made.to_owned(), |(before, after)| format!("{before}{made}{after}")))
    }
}

fn glob(arguments: &Arguments<'_>) -> Result<Glob, Refusal> {
    Glob::new(arguments.text("pattern").unwrap_or_default())
        .map_err(|wrong| Refusal::of("pattern", wrong, "write a glob such as /user/*/order/{1,2}?"))
}

fn text<'v>(value: &'v Value<'_>) -> Result<&'v str, EvalError> {
    value.as_str().ok_or_else(|| expected(Type::String, value))
}

fn of_entries(changed: SmallVec<[(usize, Entry<'_>); 1]>) -> Edit<'_> {
    if changed.is_empty() { Edit::Nothing } else { Edit::Entries(changed) }
}

fn map<'v, 'a>(values: &'v [Value<'a>]) -> Result<&'v Map<'a>, EvalError> {
    match &values[0] {
        Value::Map(map) => Ok(map),
        other => Err(expected(Type::Map, other)),
    }
}

//! What a function is called with, as far as that is known when the expression is read.

use super::pattern::Pattern;
use super::{Converter, Parameter, Run};
use crate::ottl::value::{Type, Value};

/// The arguments of one call, by the names of the parameters.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    parameters: &'static [Parameter],
    /// One for each parameter.
    given: &'a [Given],
}

/// One argument.
#[derive(Clone, Debug)]
pub enum Given {
    /// It was left out.
    Nothing,
    /// It is known, and of the type that its parameter takes.
    Literal(Value<'static>),
    /// It is known for each item only; its type, as far as that is known.
    Computed(Type),
    /// The name of a converter, made ready for one value.
    Function(&'static Converter, Run),
}

/// Why a function cannot be called like that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The parameter whose argument is at fault; `None` for the call as a whole.
    pub parameter: Option<&'static str>,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

impl Refusal {
    /// Of one argument.
    pub fn of(parameter: &'static str, wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { parameter: Some(parameter), wrong: wrong.into(), right: right.into() }
    }

    /// Of the call as a whole.
    pub fn whole(wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { parameter: None, wrong: wrong.into(), right: right.into() }
    }
}

impl<'a> Arguments<'a> {
    pub(in crate::ottl) fn new(parameters: &'static [Parameter], given: &'a [Given]) -> Self {
        Self { parameters, given }
    }

    /// One argument.
    pub fn given(&self, name: &str) -> &'a Given {
        let place = self.parameters.iter().position(|parameter| parameter.name == name);
        debug_assert!(place.is_some(), "there is no parameter {name}");
        place.and_then(|place| self.given.get(place)).unwrap_or(&Given::Nothing)
    }

    /// Whether it was given.
    pub fn has(&self, name: &str) -> bool {
        !matches!(self.given(name), Given::Nothing)
    }

    /// Its value, if that is known.
    pub fn literal(&self, name: &str) -> Option<&'a Value<'static>> {
        match self.given(name) {
            Given::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Its text, if it is given and known.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.literal(name).and_then(Value::as_str)
    }

    /// Its whole number, if it is given and known.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.literal(name) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// Whether it says `true`, if it is given and known.
    pub fn truth(&self, name: &str) -> Option<bool> {
        match self.literal(name) {
            Some(Value::Bool(truth)) => Some(*truth),
            _ => None,
        }
    }

    /// A number of things: not below zero, not above `most`.
    pub fn count(&self, name: &'static str, most: usize) -> Result<Option<usize>, Refusal> {
        let Some(number) = self.int(name) else { return Ok(None) };
        match usize::try_from(number) {
            Ok(count) if count <= most => Ok(Some(count)),
            Ok(_) => Err(Refusal::of(name, format!("{number} is more than can be"), format!("write {most} or less"))),
            Err(_) => Err(Refusal::of(name, format!("{number} is below zero"), "write 0 or more")),
        }
    }

    /// Its texts, if it is given and known to be a list.
    pub fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(Value::List(list)) = self.literal(name) else { return Ok(None) };
        let text = |value: Value<'static>| value.as_str().map(str::to_owned);
        let texts: Option<Vec<String>> = list.iter().map(text).collect();
        texts.map(Some).ok_or_else(|| Refusal::of(name, "is no list of texts", "write every element in quotes: [\"a\", \"b\"]"))
    }

    /// Its text as a regular expression.
    pub fn pattern(&self, name: &'static str) -> Result<Pattern, Refusal> {
        let text = self.text(name).unwrap_or_default();
        Pattern::new(text).map_err(|wrong| Refusal::of(name, wrong, "the syntax is that of RE2: https://github.com/google/re2/wiki/Syntax"))
    }

    /// The converter whose name it is, made ready for one value.
    pub fn function(&self, name: &str) -> Option<&'a Run> {
        match self.given(name) {
            Given::Function(_, run) => Some(run),
            _ => None,
        }
    }
}

impl Run {
    /// Calls a converter that was given by its bare name with one text: `SHA256` of a match.
    pub fn of_text(&self, text: &str) -> Result<Value<'static>, crate::ottl::EvalError> {
        let mut values = [Value::from(text.to_owned())];
        match self {
            Run::Values(work) => work(&mut values),
            Run::Match(pattern) => Ok(Value::Bool(pattern.is_match(text.as_bytes()))),
            Run::Scene(_) | Run::First => Err(crate::ottl::EvalError::because("the function does not go by a value alone")),
        }
    }
}

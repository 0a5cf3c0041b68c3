//! The functions of the language: how one is declared, and the list of all.
//!
//! A **converter** has a capital letter and gives a value. An **editor** has none and changes something. Both are declared the same way: a name, the
//! parameters, and `make`, which is called once, when the expression is read. `make` sees the arguments as far as they are known then (literals are, and
//! whatever is computed from literals alone), refuses what can be refused, prepares what takes long (a regular expression), and gives back the work that is
//! left for every item, as a closure.
//!
//! ```
//! use tracetailor_core::ottl::functions::{Converter, Parameter, Run, Takes};
//! use tracetailor_core::ottl::{EvalError, Type, Value};
//!
//! /// `Repeat("ab", 3)` is `"ababab"`.
//! const REPEAT: Converter = Converter {
//!     name: "Repeat",
//!     parameters: &[Parameter::needed("target", Takes::String), Parameter::known("times", Takes::Int)],
//!     gives: Type::String,
//!     make: |arguments| {
//!         let times = arguments.count("times", 1_000)?.unwrap_or(1);
//!         Ok(Run::values(move |values| match &values[0] {
//!             Value::String(text) if text.len() * times <= 1 << 16 => Ok(Value::from(text.repeat(times))),
//!             _ => Err(EvalError::because("the text would be longer than 64 KiB")),
//!         }))
//!     },
//! };
//! # let _ = REPEAT;
//! ```
//!
//! Before the closure runs, every argument has been brought to what its parameter [`Takes`]; one that cannot be is the caller's error, not the function's.
//! The closure gets one value per parameter, in order: `Nil` for one that was not given and for one that is [known](Parameter::known) at load.
//! `values[n]` can be taken out with `std::mem::take` where it is passed on. A closure made with [`Run::values`] must depend on its values alone: with
//! literals it is run at load and its error refuses the expression. What needs the item, the sender or the time is made with [`Run::scene`].
//!
//! **Nothing may cost without bound**: whoever makes text, lists or maps that can be larger than what went in checks [`MOST_BYTES`] and [`MOST_VALUES`].
//!
//! Every file here declares the functions of one theme and lists them in a `const`; the list of lists is at the end of this file.

mod arguments;
mod case;
mod durations;
mod editors;
mod encodings;
mod flatten;
mod format;
mod given;
mod glob;
mod go_float;
mod hashes;
mod items;
mod json;
mod keys;
mod layouts;
mod lists;
mod maps;
mod matching;
mod moments;
mod murmur3;
mod networks;
mod numbers;
#[cfg(test)]
mod observed;
mod parsing;
mod pattern;
mod planned;
mod points;
mod printf;
mod re2;
mod replacing;
mod span_name;
mod strings;
mod takes;
mod template;
mod times;
mod types;
mod url;
mod user_agent;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::problem::EvalError;
use super::scene::Scene;
use super::value::{Type, Value};
use crate::telemetry;
pub use arguments::{Arguments, Given, Refusal};
pub use pattern::Pattern;
pub use planned::PLANNED;

/// The most bytes that a function may make of one value.
pub const MOST_BYTES: usize = 1 << 20;
/// The most values or entries that a function may make at once, nested ones included.
pub const MOST_VALUES: usize = 1 << 14;

/// A function that gives a value.
pub struct Converter {
    /// As it is written, with a capital letter.
    pub name: &'static str,
    /// In order; those that may be left out come last.
    pub parameters: &'static [Parameter],
    /// What it gives, apart from `nil`; [`Type::Any`] where that depends.
    pub gives: Type,
    /// Called when the expression is read.
    pub make: fn(&Arguments<'_>) -> Result<Run, Refusal>,
}

/// A function that changes something.
pub struct Editor {
    /// As it is written, in small letters.
    pub name: &'static str,
    /// In order; what is changed comes first and [`Takes::Target`] or [`Takes::MapTarget`].
    pub parameters: &'static [Parameter],
    /// Called when the statement is read.
    pub make: fn(&Arguments<'_>) -> Result<Work, Refusal>,
}

/// One parameter of a function.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The name by which an argument can be given: `utf8_safe=true`.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Whether it must be given.
    pub is_needed: bool,
    /// Whether its value must be known when the expression is read.
    pub is_known: bool,
}

impl Parameter {
    /// One that must be given.
    pub const fn needed(name: &'static str, takes: Takes) -> Self {
        Self { name, takes, is_needed: true, is_known: false }
    }

    /// One that may be left out.
    pub const fn optional(name: &'static str, takes: Takes) -> Self {
        Self { name, takes, is_needed: false, is_known: false }
    }

    /// One that must be given, as a literal: a pattern, a mode. `make` reads it from its [`Arguments`].
    pub const fn known(name: &'static str, takes: Takes) -> Self {
        Self { name, takes, is_needed: true, is_known: true }
    }

    /// One that may be left out; where it is given, as a literal.
    pub const fn option(name: &'static str, takes: Takes) -> Self {
        Self { name, takes, is_needed: false, is_known: true }
    }
}

/// What a parameter takes. "Takes" is strict, "…Like" converts what can be converted and leaves `nil` as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any value, `nil` too.
    Any,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction; a whole number becomes one.
    Float,
    /// Text.
    String,
    /// Text; numbers, booleans, bytes (hex), lists and maps (JSON) become text, `nil` stays.
    StringLike,
    /// Bytes.
    Bytes,
    /// A list.
    List,
    /// A map.
    Map,
    /// A moment.
    Time,
    /// A length of time.
    Duration,
    /// The bare name of a converter that takes one value: `SHA256`. Always known.
    Function,
    /// A path that can be written to. The closure gets what is there now.
    Target,
    /// A path to a map that can be written to.
    MapTarget,
}

/// What is left of a converter to be done for every item.
#[derive(Clone)]
pub enum Run {
    /// From its values alone.
    Values(Arc<OfValues>),
    /// From the item, the sender or the time as well.
    Scene(Arc<OfScene>),
    /// The first of a list's values that is not `nil`: kept apart, so that those behind it are not worked out, and cannot fail.
    First,
    /// Whether text matches: kept apart, so that text is matched where it lies. The first value is the text, `nil` matches nothing.
    Match(Pattern),
}

/// See [`Run::values`].
pub type OfValues = dyn for<'a> Fn(&mut [Value<'a>]) -> Result<Value<'a>, EvalError> + Send + Sync;
/// See [`Run::scene`].
pub type OfScene = dyn for<'a> Fn(&Scene<'a>, &mut [Value<'a>]) -> Result<Value<'a>, EvalError> + Send + Sync;

impl Run {
    /// Work that depends on its values alone.
    pub fn values(work: impl for<'a> Fn(&mut [Value<'a>]) -> Result<Value<'a>, EvalError> + Send + Sync + 'static) -> Run {
        Run::Values(Arc::new(work))
    }

    /// Work that looks at the item, the sender or the time.
    pub fn scene(work: impl for<'a> Fn(&Scene<'a>, &mut [Value<'a>]) -> Result<Value<'a>, EvalError> + Send + Sync + 'static) -> Run {
        Run::Scene(Arc::new(work))
    }
}

/// What is left of an editor to be done for every item.
#[derive(Clone)]
pub enum Work {
    /// Of the values alone, whatever the target holds: `set`. `values[0]`, the target, is `Nil`.
    Put(Arc<OnValues>),
    /// Of the values, the first of which is what the target holds now.
    Change(Arc<OnValues>),
    /// Of the text that the target holds alone; what holds none stays. Kept apart, so that text is rewritten where it lies.
    Text(Arc<OnText>),
    /// Of the item as a whole: an editor without a target.
    Item(Arc<OnScene>),
}

/// See [`Work::change`].
pub type OnValues = dyn for<'a> Fn(&mut [Value<'a>]) -> Result<Edit<'a>, EvalError> + Send + Sync;
/// See [`Work::text`].
pub type OnText = dyn Fn(&str, &mut String) -> Result<bool, EvalError> + Send + Sync;
/// See [`Work::item`].
pub type OnScene =
    dyn for<'a> Fn(&Scene<'a>, &mut [Value<'a>]) -> Result<Vec<(telemetry::Path, telemetry::Value)>, EvalError> + Send + Sync;

impl Work {
    /// An edit that does not look at what is there.
    pub fn put(work: impl for<'a> Fn(&mut [Value<'a>]) -> Result<Edit<'a>, EvalError> + Send + Sync + 'static) -> Work {
        Work::Put(Arc::new(work))
    }

    /// An edit that follows from what is there: `values[0]`.
    pub fn change(work: impl for<'a> Fn(&mut [Value<'a>]) -> Result<Edit<'a>, EvalError> + Send + Sync + 'static) -> Work {
        Work::Change(Arc::new(work))
    }

    /// An edit of text that depends on nothing else: puts what it becomes into an empty text, and tells whether it becomes anything.
    pub fn text(work: impl Fn(&str, &mut String) -> Result<bool, EvalError> + Send + Sync + 'static) -> Work {
        Work::Text(Arc::new(work))
    }

    /// Values to be put at places of the item, none of which is an argument.
    pub fn item(
        work: impl for<'a> Fn(&Scene<'a>, &mut [Value<'a>]) -> Result<Vec<(telemetry::Path, telemetry::Value)>, EvalError>
        + Send
        + Sync
        + 'static,
    ) -> Work {
        Work::Item(Arc::new(work))
    }
}

/// What an edit of text makes of a value.
pub(super) fn changed_text<'a>(work: &OnText, value: &Value<'_>) -> Result<Edit<'a>, EvalError> {
    let Some(text) = value.as_str() else { return Ok(Edit::Nothing) };
    let mut made = String::new();
    Ok(if work(text, &mut made)? { Edit::Set(Value::from(made)) } else { Edit::Nothing })
}

/// What becomes of a target.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit<'a> {
    /// It stays.
    Nothing,
    /// It is given another value. `Nil` in an attribute's place leaves an empty value there; a field such as `name` refuses it.
    Set(Value<'a>),
    /// Of a map, a key goes, as often as it is there.
    Without(Cow<'a, str>),
    /// Of a map, some entries change, told by their number in the order written, ascending. Made in one pass over an item's attributes.
    Entries(SmallVec<[(usize, Entry<'a>); 1]>),
}

/// What becomes of one entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'a> {
    /// It goes.
    Delete,
    /// Its key gets another value.
    Set(Value<'a>),
}

impl fmt::Debug for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Converter({})", self.name)
    }
}

impl fmt::Debug for Editor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Editor({})", self.name)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Run")
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// Every converter.
pub fn converters() -> impl Iterator<Item = &'static Converter> {
    CONVERTERS.iter().copied().flatten()
}

/// Every editor.
pub fn editors() -> impl Iterator<Item = &'static Editor> {
    EDITORS.iter().copied().flatten()
}

/// One list per file, sorted by the file's name.
const CONVERTERS: &[&[Converter]] = &[
    durations::CONVERTERS,
    encodings::CONVERTERS,
    format::CONVERTERS,
    hashes::CONVERTERS,
    items::CONVERTERS,
    lists::CONVERTERS,
    matching::CONVERTERS,
    networks::CONVERTERS,
    numbers::CONVERTERS,
    parsing::CONVERTERS,
    points::CONVERTERS,
    strings::CONVERTERS,
    times::CONVERTERS,
    types::CONVERTERS,
];
const EDITORS: &[&[Editor]] = &[editors::EDITORS, keys::EDITORS, maps::EDITORS, replacing::EDITORS, span_name::EDITORS];

#[cfg(test)]
pub(in crate::ottl) mod tests {
    //! What every function must be, and how one is called in a test without an expression around it.

    use super::*;

    /// Calls a converter with literals, as an expression would: `call("Trim", &[Value::text(" a ")])`.
    pub(in crate::ottl) fn call(name: &str, values: &[Value<'static>]) -> Result<Value<'static>, String> {
        let converter = converters().find(|known| known.name == name).unwrap_or_else(|| panic!("there is no {name}"));
        let run = (converter.make)(&Arguments::new(converter.parameters, &given(converter.parameters, values)?));
        let mut values = fitted(converter.parameters, values)?;
        match run.map_err(|refusal| refusal.wrong)? {
            Run::Values(work) => work(&mut values).map_err(|error| error.to_string()),
            Run::Match(pattern) => Ok(Value::Bool(values[0].as_str().is_some_and(|text| pattern.is_match(text.as_bytes())))),
            Run::Scene(_) | Run::First => panic!("{name} is more than its values: test it with an expression"),
        }
    }

    /// What an editor makes of a target: `edit("delete_key", target, &[Value::text("k")])`.
    pub(in crate::ottl) fn edit(name: &str, target: Value<'static>, values: &[Value<'static>]) -> Result<Edit<'static>, String> {
        let editor = editors().find(|known| known.name == name).unwrap_or_else(|| panic!("there is no {name}"));
        let values: Vec<_> = std::iter::once(target).chain(values.iter().cloned()).collect();
        let work = (editor.make)(&Arguments::new(editor.parameters, &given(editor.parameters, &values)?));
        let mut values = fitted(editor.parameters, &values)?;
        match work.map_err(|refusal| refusal.wrong)? {
            Work::Put(work) | Work::Change(work) => work(&mut values).map_err(|error| error.to_string()),
            Work::Text(work) => changed_text(&*work, &values[0]).map_err(|error| error.to_string()),
            Work::Item(_) => panic!("{name} has no target: test it with a statement"),
        }
    }

    fn given(parameters: &[Parameter], values: &[Value<'static>]) -> Result<Vec<Given>, String> {
        let given = |(parameter, value): (&Parameter, &Value<'static>)| match (parameter.takes, value) {
            (Takes::Target | Takes::MapTarget, value) => Ok(Given::Computed(value.type_of())),
            (Takes::Function, Value::String(name)) => {
                let converter = converters().find(|known| known.name == name).unwrap_or_else(|| panic!("there is no {name}"));
                let nothing = vec![Given::Computed(Type::String)];
                let run = (converter.make)(&Arguments::new(converter.parameters, &nothing)).map_err(|refusal| refusal.wrong)?;
                Ok(Given::Function(converter, run))
            }
            (takes, value) => takes.fit(value.clone()).map(Given::Literal).map_err(|error| error.to_string()),
        };
        let mut all = parameters.iter().zip(values).map(given).collect::<Result<Vec<_>, String>>()?;
        all.resize_with(parameters.len(), || Given::Nothing);
        Ok(all)
    }

    fn fitted(parameters: &[Parameter], values: &[Value<'static>]) -> Result<Vec<Value<'static>>, String> {
        let fitted = parameters.iter().enumerate().map(|(place, parameter)| match values.get(place) {
            Some(value) if !parameter.is_known => parameter.takes.fit(value.clone()).map_err(|error| error.to_string()),
            _ => Ok(Value::Nil),
        });
        fitted.collect()
    }

    #[test]
    fn functions_are_declared_in_good_order() {
        for (name, parameters) in converters().map(|f| (f.name, f.parameters)).chain(editors().map(|f| (f.name, f.parameters))) {
            assert!(parameters.is_sorted_by_key(|parameter| !parameter.is_needed), "{name}: what may be left out comes last");
        }
        assert!(converters().all(|f| f.name.starts_with(|c: char| c.is_ascii_uppercase())));
        assert!(editors().all(|f| f.name.starts_with(|c: char| c.is_ascii_lowercase())));
        for list in CONVERTERS {
            assert!(list.is_sorted_by_key(|f| f.name));
        }
        for list in EDITORS {
            assert!(list.is_sorted_by_key(|f| f.name));
        }
        assert!(PLANNED.is_sorted());
    }

    #[test]
    fn the_examples_work() {
        assert_eq!(call("IsMatch", &[Value::Int(404), Value::text("^4")]), Ok(Value::Bool(true)));
        assert_eq!(call("IsMatch", &[Value::Nil, Value::text("")]), Ok(Value::Bool(false)));
        assert_eq!(
            call("IsMatch", &[Value::Nil, Value::text("[")]),
            Err("is no regular expression: the bracket [ is never closed".to_owned())
        );
        assert_eq!(edit("set", Value::Nil, &[Value::Int(1)]), Ok(Edit::Set(Value::Int(1))));
        let map = Value::map(vec![("a".into(), Value::Int(1)), ("b".into(), Value::Int(2))]);
        assert_eq!(edit("delete_key", map, &[Value::text("b")]), Ok(Edit::Without("b".into())));
        assert!(edit("delete_key", Value::Int(1), &[Value::text("c")]).is_err());
    }
}

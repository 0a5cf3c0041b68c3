//! OTTL, the language in which users write conditions and edits: the Collector's own, read once and evaluated on bytes.
//!
//! `span.kind == SPAN_KIND_SERVER and IsMatch(span.name, "^GET /health")` is a condition. `set(span.attributes["k"], "v") where …` is a statement: an
//! editor, and the condition under which it edits.
//!
//! An expression goes through five forms, one file each: text, tokens, a tree, a tree that was checked against what paths and functions there are, and
//! the compiled form that items are shown to. All that can be known when a configuration is read is known then: each problem has its place in the text.
//!
//! ```
//! use tracetailor_core::ledger::Fate;
//! use tracetailor_core::ottl::{Conditions, Contexts, ErrorMode, Scene};
//! use tracetailor_core::telemetry::{Signal, Source, Telemetry};
//! use tracetailor_core::time::Clock;
//!
//! // A processor reads its conditions once.
//! let texts = ["IsMatch(name, \"^GET /health\")", "resource.attributes[\"env\"] == \"development\""];
//! let mut conditions = Conditions::parse(&Contexts::of(Signal::Traces), Some("span"), &texts, ErrorMode::Ignore)?;
//!
//! // What is wrong is told with its place in the text, and with what would be right.
//! let problems = Conditions::parse(&Contexts::of(Signal::Traces), Some("span"), &["nme == \"a\""], ErrorMode::Ignore).unwrap_err();
//! assert_eq!(problems.to_string(), "error: character 1: there is no path nme in the context span; did you mean name?");
//!
//! // Then they are asked about every item.
//! fn count(conditions: &mut Conditions, batch: &Telemetry, source: &Source, clock: &Clock) -> usize {
//!     batch.items().filter(|item| conditions.any(&Scene::of_item(*item, source, clock)).unwrap_or(false)).count()
//! }
//! # let _ = (count, Fate::Delivered, &mut conditions);
//! # Ok::<(), tracetailor_core::ottl::Problems>(())
//! ```
//!
//! In reading order:
//!
//! 1. [`Value`] and [`Type`]: what is computed with.
//! 2. [`Contexts`] and [`Table`]: which paths there are. A caller that knows more than items say brings a table of its own, and [`Facts`] with every [`Scene`].
//! 3. [`Condition`], [`Conditions`]: read and asked. [`Reads`]: what they look at. [`read_conditions`] tells a configuration's errors of what is wrong.
//! 4. [`Statement`], [`Statements`]: read, and run on a batch. [`GroupText`]: how a group of them stands in a configuration.
//! 5. [`functions`]: the converters and editors, and how one more is declared.
//! 6. [`tree`]: how an expression was understood. [`Problem`]s of a text; [`EvalError`], which comes with an item, and [`ErrorMode`], which says what becomes of it.
//!
//! Inside, in the order of the work: `token`, `parse`, `check` with `call`, `checked`, `compile`, `eval`; `place` reads and fits values, `subject` is changed,
//! `one_pass` tells which are made at once.
//!
//! Three things hold. *What is the same for every item is done once*: literals are worked out and patterns compiled when the text is read, what depends on
//! the resource alone is remembered with the context, and the attributes that several conditions read are found in one pass. *Nothing is copied to be
//! compared.* *Nothing costs without bound*: depth, length, and whatever a function makes.

mod call;
mod check;
mod checked;
mod compile;
mod conditions;
mod eval;
mod failing;
pub mod functions;
mod one_pass;
mod parse;
mod place;
mod problem;
mod reads;
mod scene;
mod statements;
mod subject;
mod table;
mod text;
mod token;
pub mod tree;
mod value;

pub use conditions::{Condition, Conditions, ErrorMode, Failed, Failure, read_conditions};
pub use failing::{FailureLog, label};
pub use problem::{EvalError, Problem, Problems};
pub use reads::{ReadPath, Reads};
pub use scene::{Event, Facts, Points, Scene};
pub use statements::{GroupText, Statement, Statements};
pub use table::{Contexts, Level, Table};
pub use text::{date, put_json, rfc3339};
pub use value::{Entries, List, Map, Type, Value};

#[cfg(test)]
mod tests;

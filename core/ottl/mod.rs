//! OTTL, the language in which users write conditions and edits: the Collector's own, read once and evaluated on bytes.
//!
//! `span.kind == SPAN_KIND_SERVER and IsMatch(span.name, "^GET /health")` is a condition. `set(span.attributes["k"], "v") where …` is a statement: an
//! editor, and the condition under which it edits.
//!
//! An expression goes through five forms, one file each: text, tokens, a tree, a tree that was checked against what paths and functions there are, and
//! the compiled form that items are shown to. All that can be known when a configuration is read is known then: each problem has its place in the text.
//!
//! In reading order:
//!
//! 1. [`Value`] and [`Type`]: what is computed with.
//! 2. [`functions`]: the converters and editors, and how one more is declared.
//! 3. [`Scene`]: what an expression looks at. [`Facts`]: what a caller knows beside it.
//! 4. [`Problem`]s of a text, which [tell](Problems::tell) a configuration's errors; [`EvalError`], which comes with an item.

mod call;
mod check;
mod checked;
mod compile;
mod conditions;
mod eval;
pub mod functions;
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
pub use problem::{EvalError, Problem, Problems};
pub use reads::{ReadPath, Reads};
pub use scene::{Event, Facts, Scene};
pub use statements::{GroupText, Statement, Statements};
pub use table::{Contexts, Level, Table};
pub use text::{date, put_json, rfc3339};
pub use value::{Entries, List, Map, Type, Value};

#[cfg(test)]
mod tests;

//! The configuration as everybody shares it: reading a block with all its mistakes told at once, and the types that keys have.
//!
//! A component describes its block as a struct, and the struct is the only source: of what may be written ([`parse`], unknown keys
//! refused with the nearest valid one), of what is checked ([`Validate`]), of the keys, their defaults and their words in the
//! documentation ([`keys_of`]). Where it needs more than numbers and text it uses the types here, so that `10s`, `64MiB` and `10%` are
//! written alike everywhere and refused in the same words.
//!
//! ```
//! use serde::Deserialize;
//! use tracetailor_core::config::{ConfigErrors, Period, Schema, Validate, keys_of, parse};
//!
//! /// What the user writes.
//! #[derive(Clone, Debug, Deserialize, Schema)]
//! #[serde(default, deny_unknown_fields)]
//! struct Config {
//!     /// How long to wait.
//!     wait: Period,
//! }
//!
//! impl Default for Config {
//!     fn default() -> Self {
//!         Self { wait: Period::seconds(30) }
//!     }
//! }
//!
//! impl Validate for Config {}
//!
//! let config: Config = parse("wait: 1m30s", "gateway.yaml", "processors.example")?;
//! assert_eq!(config.wait, Period::seconds(90));
//! let key = &keys_of::<Config>()[0];
//! assert_eq!((key.name.as_str(), key.kind.as_str(), key.default.as_str()), ("wait", "duration", "30s"));
//! # Ok::<(), ConfigErrors>(())
//! ```
//!
//! Two habits of serde do not go together with good messages, and config structs avoid them: `flatten` and `untagged` read through a
//! buffer in which places and spellings are lost. [`OneOrMany`] and [`Switch`] are there instead.

mod errors;
mod fault;
mod inside;
mod keys;
mod nearest;
mod node;
mod path;
mod read;
mod reader;
mod schema;
mod validate;
mod yaml;

pub use errors::{ConfigError, ConfigErrors, Scope, Severity};
pub use fault::{one_of, quoted, suggest};
pub use keys::*;
pub use nearest::nearest;
pub use node::{Entry, Node, Value};
pub use path::{Path, Place, Step};
pub use read::parse;
pub use schema::{Key, keys_of, keys_table};
/// Our word for schemars' description of a type, trait and derive. A crate that derives it depends on `schemars`, as it does on `serde`.
pub use schemars::JsonSchema as Schema;
pub use validate::{Planned, Unused, Validate};
pub use yaml::load;

#[cfg(test)]
mod tests;

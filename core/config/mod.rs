//! The configuration as everybody shares it: reading a block with all its mistakes told at once, and the types that keys have.
//!
//! A component describes its block as a struct, and the struct is the only source: of what may be written ([`parse`], unknown keys
//! refused with the nearest valid one), of what is checked ([`Validate`]), of the keys, their defaults and their words in the
//! documentation. Where it needs more than numbers and text it uses the types here, so that `10s`, `64MiB` and `10%` are
//! written alike everywhere and refused in the same words.
//!
//! Two habits of serde do not go together with good messages, and config structs avoid them: `flatten` and `untagged` read through a
//! buffer in which places and spellings are lost. [`OneOrMany`] and [`Switch`] are there instead.

mod errors;
mod fault;
mod keys;
mod nearest;
mod node;
mod path;
mod read;
mod reader;
mod validate;
mod yaml;

pub use errors::{ConfigError, ConfigErrors, Scope, Severity};
pub use fault::{one_of, quoted, suggest};
pub use keys::*;
pub use nearest::nearest;
pub use node::{Entry, Node, Value};
pub use path::{Path, Place, Step};
pub use read::parse;
pub use validate::{Planned, Validate};
pub use yaml::load;

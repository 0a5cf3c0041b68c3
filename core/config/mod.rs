//! The configuration as everybody shares it: reading a block with all its mistakes told at once, and what is said of them.
//!
//! Two habits of serde do not go together with good messages, and config structs avoid them: `flatten` and `untagged` read through a
//! buffer in which places and spellings are lost. There are types for what they are used for.

mod errors;
mod fault;
mod nearest;
mod node;
mod path;
mod read;
mod reader;
mod validate;
mod yaml;

pub use errors::{ConfigError, ConfigErrors, Scope, Severity};
pub use fault::{one_of, quoted, suggest};
pub use nearest::nearest;
pub use node::{Entry, Node, Value};
pub use path::{Path, Place, Step};
pub use read::parse;
pub use validate::{Planned, Validate};
pub use yaml::load;

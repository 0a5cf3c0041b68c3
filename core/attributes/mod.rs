//! Actions on attributes, as the processors `resource` and `attributes` have them: insert, update, upsert, delete, hash, extract, convert.
//!
//! A user writes a list of [`AttributeAction`]s. [`Actions`] is the list made ready for one kind of place (a resource's attributes, an item's own), and
//! is applied to whatever has [`Attributes`]: a context, once for all items that share it, or an item.
//!
//! ```
//! use tracetailor_core::attributes::{Actions, AttributeAction, Of};
//! use tracetailor_core::config::{ConfigErrors, parse};
//! use tracetailor_core::telemetry::Signal;
//!
//! let yaml = "[{key: team, value: shop, action: insert}, {pattern: '^k8s[.]', action: delete}]";
//! let list: Vec<AttributeAction> = parse(yaml, "gateway.yaml", "processors.resource.attributes")?;
//! let actions = Actions::new(&list, Signal::Traces, Of::Resource);
//! assert!(actions.is_ok());
//! # Ok::<(), ConfigErrors>(())
//! ```

mod action;
mod convert;
mod hash;
mod list;
mod target;
mod text;

pub use action::{ActionKind, AttributeAction, ConvertedType};
pub use list::{Actions, Of};
pub use target::{Attributes, Place, ResourceAttributes};
pub use text::text;

#[cfg(test)]
mod tests;

//! The extensions there are: one folder each, and the list of them.

use tracetailor_core::component::{Extensions, Registry};

/// Every extension by name, and what the Collector has and we do not have yet.
pub const EXTENSIONS: Registry<Extensions> = Registry::new(&[], &[]);

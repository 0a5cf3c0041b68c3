//! The connectors there are: one folder each, and the list of them.

use tracetailor_core::component::{Connectors, Registry};

/// Every connector by name, and what the Collector has and we do not have yet.
pub const CONNECTORS: Registry<Connectors> = Registry::new(&[], &[]);

//! The connectors there are: one folder each, and the list of them.

use tracetailor_core::component::{Connectors, Registry};

pub mod forward;
mod planned;

/// Every connector by name, and what the Collector has and we do not have yet.
pub const CONNECTORS: Registry<Connectors> = Registry::new(&[forward::FACTORY], planned::PLANNED);

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_in_order() {
        assert_eq!(super::CONNECTORS.faults(), Vec::<String>::new());
    }
}

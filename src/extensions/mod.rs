//! The extensions there are: one folder each, and the list of them.

use tracetailor_core::component::{Extensions, Registry};

mod planned;

/// Every extension by name, and what the Collector has and we do not have yet.
pub const EXTENSIONS: Registry<Extensions> = Registry::new(&[], planned::PLANNED);

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_in_order() {
        assert_eq!(super::EXTENSIONS.faults(), Vec::<String>::new());
    }
}

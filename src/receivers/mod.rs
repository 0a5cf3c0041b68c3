//! The receivers there are: one folder each, and the list of them.

use tracetailor_core::component::{Receivers, Registry};

pub mod otlp;
mod planned;

/// Every receiver by name, and what the Collector has and we do not have yet.
pub const RECEIVERS: Registry<Receivers> = Registry::new(&[otlp::FACTORY], planned::PLANNED);

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_in_order() {
        assert_eq!(super::RECEIVERS.faults(), Vec::<String>::new());
    }
}

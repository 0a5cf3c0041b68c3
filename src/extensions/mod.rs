//! The extensions there are: one folder each, and the list of them.

use tracetailor_core::component::{Extensions, Registry};

pub mod admin;
pub mod basicauth;
pub mod bearertokenauth;
pub mod health_check;
mod planned;
pub mod pprof;
pub mod zpages;

/// Every extension by name, and what the Collector has and we do not have yet.
pub const EXTENSIONS: Registry<Extensions> = Registry::new(
    &[admin::FACTORY, basicauth::FACTORY, bearertokenauth::FACTORY, health_check::FACTORY, pprof::FACTORY, zpages::FACTORY],
    planned::PLANNED,
);

/// Those that run also where the configuration does not name them, as they are by default; they have a key of their own to say no.
pub const UNNAMED: &[&str] = &["admin"];

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_in_order() {
        assert_eq!(super::EXTENSIONS.faults(), Vec::<String>::new());
    }
}

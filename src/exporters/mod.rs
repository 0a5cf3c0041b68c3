//! The exporters there are: one folder each, and the list of them.

use tracetailor_core::component::{Exporters, Registry};

pub mod coralogix;
pub mod debug;
pub mod file;
pub mod load_balancing;
pub mod nop;
pub mod otlp_grpc;
pub mod otlp_http;
mod planned;

/// Every exporter by name, and what the Collector has and we do not have yet.
pub const EXPORTERS: Registry<Exporters> = Registry::new(
    &[coralogix::FACTORY, debug::FACTORY, file::FACTORY, load_balancing::FACTORY, nop::FACTORY, otlp_grpc::FACTORY, otlp_http::FACTORY],
    planned::PLANNED,
);

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_in_order() {
        assert_eq!(super::EXPORTERS.faults(), Vec::<String>::new());
    }
}

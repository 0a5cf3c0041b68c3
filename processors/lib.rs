//! The processors of Tracetailor: what happens to telemetry between a receiver and an exporter, one folder each.
//!
//! This page is the list, and nothing else: one `pub mod` line per folder and one entry in the registry, sorted. `README.md` beside it says
//! what a processor is, which order makes sense in a pipeline, and how to add one; `tests/architecture.rs` of the gateway compares the
//! list with the folders.

use tracetailor_core::component::{Processors, Registry};

pub mod attributes;
pub mod batch;
pub mod filter;
pub mod groupbytrace;
pub mod memory_limiter;
mod planned;
pub mod probabilistic_sampler;
pub mod redaction;
pub mod resource;
pub mod service_name;
pub mod span;
pub mod stitch;
pub mod tail_sampling;
pub mod transform;

/// Every processor by name, and what the Collector has and we do not have yet.
pub const PROCESSORS: Registry<Processors> = Registry::new(
    &[
        attributes::FACTORY,
        batch::FACTORY,
        filter::FACTORY,
        groupbytrace::FACTORY,
        memory_limiter::FACTORY,
        probabilistic_sampler::FACTORY,
        redaction::FACTORY,
        resource::FACTORY,
        service_name::FACTORY,
        span::FACTORY,
        stitch::FACTORY,
        tail_sampling::FACTORY,
        transform::FACTORY,
    ],
    planned::PLANNED,
);

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_in_order() {
        assert_eq!(super::PROCESSORS.faults(), Vec::<String>::new());
    }
}

//! From files to a plan: what the user wrote, read, expanded, merged, checked, and laid out for the gateway to build.

mod plan;
mod service;

pub use plan::{PipelineId, PipelinePlan, Plan};
pub use service::Service;

//! From the numbers, where they lie, to a page that Prometheus reads.

mod exposition;
mod gather;
mod metric;
mod page;
mod process;

pub(crate) use exposition::{Format, write};
pub(crate) use gather::Gatherer;
pub use gather::Sources;
pub use metric::{Kind, Metric, Unit};
pub use page::metrics_page;

#[cfg(test)]
mod tests;

//! Tracetailor, a gateway for OpenTelemetry that samples, stitches, labels and redacts: the front page of its library.
//!
//! It is the gateway itself, and gathers the crates that it stands on under one name:
//!
//! - [`core`]: the words that everything else shares. Telemetry as the bytes it came in, the ledger that accounts for every item, the
//!   store of whole traces, the contracts of components, the keys of a configuration.
//! - [`processors`]: what happens to telemetry between a receiver and an exporter, one folder per processor.
//!
//! From [`config`] comes a plan, [`pipeline`] runs it, [`own_telemetry`] says how it goes, and [`run()`] is all of it as a process.
//!
//! ```
//! use tracetailor::core::telemetry::Signal;
//!
//! let names: Vec<_> = Signal::ALL.iter().map(|signal| (signal.name(), signal.items())).collect();
//! assert_eq!(names, [("traces", "spans"), ("logs", "log_records"), ("metrics", "metric_points")]);
//! ```

pub mod config;
pub mod connectors;
pub mod exporters;
pub mod extensions;
pub mod own_telemetry;
pub mod pipeline;
pub mod receivers;
mod run;

pub use run::{Watch, run};
pub use tracetailor_core as core;
pub use tracetailor_processors as processors;

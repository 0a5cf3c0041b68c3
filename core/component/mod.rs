//! The contracts: what a receiver, a processor, an exporter, a connector and an extension promise, and how the gateway makes one.
//!
//! | kind | does | runs | its page |
//! |---|---|---|---|
//! | receiver | takes telemetry in and answers for it | once, as a task | [`Receiver`] |
//! | processor | works on batches | in every lane, synchronously | [`Processor`]; on whole traces, [`TraceStage`] |
//! | exporter | sends batches on | once per lane, as a task | [`Exporter`] |
//! | connector | ends pipelines and begins others | in every lane, synchronously | [`Connector`] |
//! | extension | serves the others | once, as a task | [`Extension`] |
//!
//! Each page says who owns a batch at every moment and what must hold at shutdown; an example on it runs. What is common to all five is
//! how they are made: a component names its [`Config`](Component::Config) and [builds](Component::build) itself from it, a [`Factory`]
//! forgets its types, a [`Registry`] lists the factories of a kind by name.
//!
//! Contracts are synchronous where they can be. A processor or a connector is called with a batch and the time, and returns: so it is
//! tested without a runtime, without sleeping, and a lane may run thousands of calls without an await between them.

use std::future::Future;
use std::pin::Pin;

mod connector;
mod context;
mod counters;
mod decision_memory;
mod error;
mod exporter;
mod extension;
mod factory;
mod gauge;
mod histogram;
mod id;
mod kind;
mod lanes;
mod output;
mod part;
mod processor;
mod receiver;
mod registry;
mod reports;
mod shared;
mod shared_rate;
mod stop;
mod trace_stage;

pub use connector::{Connector, Routes};
pub use context::{BuildContext, Lane, LaneContext, ProcessorContext};
pub use counters::{Counter, Counters, Reading, Series};
pub use decision_memory::DecisionMemory;
pub use error::{BuildError, NeedsRebuild, RunError};
pub use exporter::{Delivered, ExportError, Exporter, Failing, Parcel};
pub use extension::{
    Authenticator, Credentials, Extension, ExtensionContext, Identity, Outgoing, Reloaded, Services, Steering, Unauthenticated,
};
pub use factory::{
    AnyConfig, Component, ComponentConfig, ConnectorFactory, ExporterFactory, ExtensionFactory, Factory, ProcessorFactory, ReceiverFactory,
    Stability,
};
pub use gauge::Gauge;
pub use histogram::{Distribution, Histogram};
pub use id::ComponentId;
pub use kind::{Connectors, Exporters, Extensions, Kind, Processors, Receivers};
pub use lanes::{LaneThreads, Lanes};
pub use output::{Output, Progress, Room};
pub use part::{Memory, MemoryLimit, Part, StagePart};
pub use processor::Processor;
pub use receiver::{Entry, Outlet, Permit, Receiver, ReceiverContext, Refused, Request};
pub use registry::{Configured, JUDGES_WHOLE_TRACES, NEVER_LEFT_OUT, PlannedComponent, Registry};
pub use reports::{Report, Reports};
pub use shared::Shared;
pub use shared_rate::{RateLane, SharedRate};
pub use stop::{Asked, Stop, Stopper};
pub use trace_stage::{Notes, Outcome, TraceStage, Trigger, Verdict, Wants};

/// What an `async` method of a contract returns: a future that may move between threads. Written out, since a contract is called through
/// `dyn`, where the language has no `async` yet.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[cfg(test)]
mod tests;

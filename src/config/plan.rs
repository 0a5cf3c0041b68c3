//! What a configuration comes to: components with their settings, and the pipelines that name them. Nothing is open yet.

use std::fmt;

use tracetailor_core::component::{ComponentId, Configured, Connectors, Exporters, Extensions, Processors, Receivers};
use tracetailor_core::config::Node;
use tracetailor_core::telemetry::Signal;

use super::components::Components;
use super::pipelines::Named;
use super::service::Service;
use super::show::digest;

/// A configuration that is valid, as the gateway builds it.
#[derive(Debug)]
pub struct Plan {
    /// What concerns the gateway as a whole.
    pub service: Service,
    /// Extensions, in the order in which `service.extensions` starts them.
    pub extensions: Vec<Configured<Extensions>>,
    /// Receivers that some pipeline names.
    pub receivers: Vec<Configured<Receivers>>,
    /// Processors that some pipeline names.
    pub processors: Vec<Configured<Processors>>,
    /// Exporters that some pipeline names.
    pub exporters: Vec<Configured<Exporters>>,
    /// Connectors that some pipeline names.
    pub connectors: Vec<Configured<Connectors>>,
    /// Pipelines, those before others that connectors lead on to.
    pub pipelines: Vec<PipelinePlan>,
    /// The whole configuration as it is in force: merged and expanded, with what was left out gone.
    pub effective: Node,
    /// A short fingerprint of it, the same on every machine: what two gateways are compared by.
    pub digest: String,
}

/// A pipeline: what it takes from, what it goes through, where it ends. A connector stands among its receivers or exporters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelinePlan {
    /// Its id.
    pub id: PipelineId,
    /// Receivers, and connectors that it begins with.
    pub receivers: Vec<ComponentId>,
    /// Processors, in order.
    pub processors: Vec<ComponentId>,
    /// Exporters, and connectors that it ends in.
    pub exporters: Vec<ComponentId>,
}

/// The id of a pipeline: its signal, and a name where there are several of one signal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PipelineId {
    /// What flows in it.
    pub signal: Signal,
    /// Its name; empty for none.
    pub name: String,
}

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => f.write_str(self.signal.name()),
            name => write!(f, "{}/{name}", self.signal.name()),
        }
    }
}

/// Lays out what was read and found valid. Nothing where the service could not be read, which is an error then, too.
pub(super) fn lay_out(components: Components, named: Named, effective: &Node) -> Option<Plan> {
    let used = |list: fn(&PipelinePlan) -> &Vec<ComponentId>| named.pipelines.iter().flat_map(list).collect::<Vec<_>>();
    let (receivers, processors, exporters) = (used(|p| &p.receivers), used(|p| &p.processors), used(|p| &p.exporters));
    Some(Plan {
        service: components.service?,
        extensions: components.extensions.take(&named.extensions.iter().collect::<Vec<_>>()),
        receivers: components.receivers.take(&receivers),
        processors: components.processors.take(&processors),
        connectors: components.connectors.take(&exporters),
        exporters: components.exporters.take(&exporters),
        pipelines: named.pipelines,
        effective: effective.clone(),
        digest: digest(effective),
    })
}

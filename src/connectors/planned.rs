//! Connectors that the Collector has and this gateway does not have yet, each with what to do meanwhile.

use tracetailor_core::component::PlannedComponent;

/// By name, sorted. Whoever adds one of them takes its line out.
pub(crate) const PLANNED: &[PlannedComponent] = &[
    PlannedComponent { name: "count", aliases: &[], meanwhile: "count in the back end, or in a Collector behind the gateway" },
    PlannedComponent {
        name: "routing",
        aliases: &[],
        meanwhile: "name the pipelines one by one and let each sender use the receiver of its own, or route in a Collector behind the gateway",
    },
    PlannedComponent {
        name: "service_graph",
        aliases: &["servicegraph"],
        meanwhile: "let the back end draw it: Tempo's metrics-generator and Jaeger do",
    },
    PlannedComponent {
        name: "span_metrics",
        aliases: &["spanmetrics"],
        meanwhile: "let the back end make them: Tempo's metrics-generator does, and so does a Collector behind the gateway",
    },
];

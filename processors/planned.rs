//! Processors that the Collector has and this gateway does not have yet, each with what to do meanwhile.

use tracetailor_core::component::PlannedComponent;

/// By name, sorted. Whoever adds one of them takes its line out.
pub(crate) const PLANNED: &[PlannedComponent] = &[
    PlannedComponent {
        name: "deltatocumulative",
        aliases: &[],
        meanwhile: "let the senders write cumulative sums, or let a Collector behind the gateway turn them",
    },
    PlannedComponent { name: "interval", aliases: &[], meanwhile: "lengthen the interval at which the senders export their metrics" },
    PlannedComponent {
        name: "k8s_attributes",
        aliases: &["k8sattributes"],
        meanwhile: "set the attributes in the pods by OTEL_RESOURCE_ATTRIBUTES and the downward API, or in a Collector on each node",
    },
    PlannedComponent {
        name: "resource_detection",
        aliases: &["resourcedetection"],
        meanwhile: "set the attributes by OTEL_RESOURCE_ATTRIBUTES, or with resource where they are the same for all",
    },
];

//! Exporters that the Collector has and this gateway does not have yet, each with what to do meanwhile.

use tracetailor_core::component::PlannedComponent;

/// By name, sorted. Whoever adds one of them takes its line out.
pub(crate) const PLANNED: &[PlannedComponent] = &[
    PlannedComponent {
        name: "awsxray",
        aliases: &[],
        meanwhile: "send to the OTLP endpoint of X-Ray by way of a Collector that signs the requests",
    },
    PlannedComponent { name: "kafka", aliases: &[], meanwhile: "send OTLP to a Collector that writes to the topic" },
    PlannedComponent { name: "prometheus", aliases: &[], meanwhile: "send the metrics as OTLP: Prometheus takes them at /api/v1/otlp" },
    PlannedComponent {
        name: "prometheus_remote_write",
        aliases: &["prometheusremotewrite"],
        meanwhile: "send the metrics as OTLP: Prometheus takes them at /api/v1/otlp, as do Mimir and VictoriaMetrics",
    },
    PlannedComponent { name: "zipkin", aliases: &[], meanwhile: "use otlp_http, or otlp_grpc to a Collector that turns OTLP into Zipkin" },
];
